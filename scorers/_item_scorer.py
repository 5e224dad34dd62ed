"""Base of the scorers that look at one candidate after the other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from selector.domain import BestshotError, Item, Score, Scorer, reason_of


class ItemScorer(Scorer):
    """Scores every candidate by itself; where ``measure`` raises an error of ours, all is unscored for that reason."""

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """Scores of each item, in order; unscored in every column where it cannot be measured."""
        return [self._measured(item) for item in items]

    @abstractmethod
    def measure(self, item: Item) -> Mapping[str, Score]:
        """All columns of one candidate."""

    def _measured(self, item: Item) -> Mapping[str, Score]:
        try:
            return self.measure(item)
        except BestshotError as error:
            return {column.name: Score.unscored(reason_of(error)) for column in self.columns}
