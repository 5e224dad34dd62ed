"""What a scorer needs to be put through the conformance suite, and what damage each of its columns must follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scorer_cases.pictures import items_of
from selector.conformance import LEAST_CHANGE, check_monotone
from selector.domain import Item, Scorer, TaskType

Settings = Mapping[str, Any]
Items = Callable[[], Sequence[Item]]


def no_settings(folder: Path) -> Settings:
    del folder
    return {}


@dataclass(frozen=True)
class Series:
    """Items from good to bad; ``slack`` and ``least`` as in ``check_monotone``."""

    items: Items
    slack: float = 0.0
    least: float = LEAST_CHANGE

    def check(self, scorer: Scorer, column: str) -> None:
        check_monotone(scorer, self.items(), column, self.slack, self.least)


@dataclass(frozen=True)
class NoSeries:
    """Why a column has no series here: what it measures is checked elsewhere, or needs trained weights."""

    reason: str


@dataclass(frozen=True)
class Case:
    """Of one scorer: settings (made in a folder of their own), items, series of each column.

    ``items``: at least two; every column must be scored in one of them. ``between_encodings``: the tolerance between
    a JPEG and its pixels as PNG, where it is not the scorer's own.
    """

    series: Mapping[str, Series | NoSeries]
    settings: Callable[[Path], Settings] = no_settings
    items: Items | None = None
    between_encodings: float | None = None
    looked_at: frozenset[TaskType] = field(default_factory=frozenset)  # for encodings and sizes; all when empty

    def items_for(self, scorer: Scorer) -> list[Item]:
        return items_of(scorer.task_types) if self.items is None else list(self.items())

    def one_of_each_type(self, scorer: Scorer) -> list[Item]:
        """The first item of each task type that is looked at."""
        first: dict[TaskType, Item] = {}
        for item in self.items_for(scorer):
            if item.inputs.task.type in (self.looked_at or scorer.task_types):
                first.setdefault(item.inputs.task.type, item)
        return list(first.values())
