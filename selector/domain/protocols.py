"""The two contracts that plug-ins fulfil. Facts are class attributes; there are at most three methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from selector.domain.types import Column, Item, Made, Recipe, Score, TaskInputs, TaskType


@runtime_checkable
class Generator(Protocol):
    """Makes candidates. Settings are keyword arguments of the constructor, which must stay cheap (no model loading)."""

    name: str

    @property
    def version(self) -> str:
        """Raise it when the same recipe no longer gives the same picture. A class attribute will do."""

    task_types: frozenset[TaskType]

    def check(self) -> None:
        """Raise ``MissingPart`` with the cure when the generator cannot run here; load nothing heavy."""

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """At most ``n`` different recipes, best guess first, the same for the same arguments in every process.

        A longer list starts with the shorter one, so raising ``n`` adds candidates and redoes nothing. Raises
        ``Declined`` when the task is none that this generator can do. A class whose order is no guess (file names, say)
        states ``best_first = False``.
        """

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        """Make one candidate; the same recipe gives the same pixels. Raises ``Declined``, ``GenerationFailed`` or
        ``MissingPart``. Must be safe to call from several threads."""


@runtime_checkable
class Scorer(Protocol):
    """Turns candidates into raw scores. Settings are keyword arguments of the constructor, which must stay cheap."""

    name: str

    @property
    def version(self) -> str:
        """Weights and preprocessing included: scores of two versions are never mixed. A class attribute will do."""

    task_types: frozenset[TaskType]
    columns: tuple[Column, ...]

    def check(self) -> None:
        """Raise ``MissingPart`` with the cure when the scorer cannot run here; load nothing heavy."""

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """One mapping from column name to ``Score`` for each item, in the order of ``items``, every column present.

        What cannot be measured is ``Score.unscored(reason)``; the scorer does not raise for a single bad item.
        Must be safe to call from several threads.
        """
