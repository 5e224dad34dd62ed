"""What a scorer needs to be put through the conformance suite, and what damage each of its columns must follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorer_cases.pictures import items_of
from selector.conformance import LEAST_CHANGE, Job, check_monotone
from selector.domain import Item, Scorer, Task, TaskType
from selector.domain.embedding import ContestContext, EmbeddingSettings
from selector.registry import create_scorer

Items = Callable[[], Sequence[Item]]
Settings = Callable[[Path], Mapping[str, Any]]
OTHER_PROMPTS = ("a red car", "two dogs on a green field", "a bowl of fruit", "the blue sea", "an old man reading")


def scorer_name(case_name: str) -> str:
    """The registered name of a case's scorer: of one that has several forms, the part before the slash."""
    return case_name.partition("/")[0]


def nothing(folder: Path) -> Mapping[str, Any]:
    del folder
    return {}


@dataclass(frozen=True)
class Series:
    """Items from good to bad; ``slack`` and ``least`` as in ``check_monotone``.

    ``prepare`` changes a new scorer before it is tried.
    """

    items: Items
    slack: float = 0.0
    least: float = LEAST_CHANGE
    prepare: Callable[[Scorer], Scorer] = lambda scorer: scorer

    def check(self, new: Callable[[], Scorer], column: str) -> None:
        check_monotone(self.prepare(new()), self.items(), column, self.slack, self.least)


@dataclass(frozen=True)
class NoSeries:
    """Why a column has no series here."""

    reason: str

    def check(self, new: Callable[[], Scorer], column: str) -> None:
        del new, column
        assert self.reason.strip()


@dataclass(frozen=True)
class Case:
    """Of one scorer: what it needs, its items, and a series of each column.

    ``settings`` and ``embedding`` (JSON values) may write files into a folder. ``items``: two or more; every column is
    scored in one of them. ``tolerance``: where the scorer's own is made for larger models than ours.
    ``between_encodings``: the one between a JPEG and its pixels as PNG, where that is another. ``looked_at``: the types
    whose first item is tried in all encodings and sizes; all types when empty. ``package``: what must be
    installed, where the project's own extras for tests do not bring it.
    """

    series: Mapping[str, Series | NoSeries]
    settings: Settings = nothing
    embedding: Settings | None = None
    items: Items | None = None
    tolerance: float | None = None
    between_encodings: float | None = None
    looked_at: frozenset[TaskType] = frozenset()
    package: str = ""

    def arguments(self, name: str, folder: Path) -> dict[str, Any]:
        """What ``made`` takes, here and in another process."""
        embedding = None if self.embedding is None else dict(self.embedding(folder))
        return {"name": scorer_name(name), "settings": dict(self.settings(folder)), "embedding": embedding}

    def items_for(self, scorer: Scorer) -> list[Item]:
        return items_of(scorer.task_types) if self.items is None else list(self.items())

    def one_of_each_type(self, scorer: Scorer) -> list[Item]:
        """The first item of each task type that is looked at."""
        first: dict[TaskType, Item] = {}
        for item in self.items_for(scorer):
            if item.inputs.task.type in (self.looked_at or scorer.task_types):
                first.setdefault(item.inputs.task.type, item)
        return list(first.values())


def made(name: str, settings: Mapping[str, Any], embedding: Mapping[str, Any] | None) -> Scorer:
    """A scorer as a campaign would have it: configured, and acquainted with the contest where it asks for that."""
    scorer = create_scorer(name, settings)
    tasks = tuple(Task(f"o{i}", TaskType.T2I, text, None, None, i) for i, text in enumerate(OTHER_PROMPTS))
    scorer.meet(ContestContext(tasks, Path(), EmbeddingSettings(**(embedding or {})), {}))
    return scorer


def job_of(arguments: Mapping[str, Any], items: Sequence[Item]) -> Job:
    return Job(f"{__name__}:made", items, arguments)
