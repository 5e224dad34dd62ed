"""A table of scored candidates in arrays: what a selector may see, and apart from it what the leaderboard knows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOP = 10.0  # SC and PQ reach from 0 to this
SC, PQ = "_sc", "_pq"


@dataclass(frozen=True, eq=False)
class Shown:
    """What a selector may see: candidates are rows, those of a task stand together.

    task: (rows,) number of the row's task, ascending from 0 without holes.
    task_type: (tasks,) number of the task's type, from 0.
    generator: (rows,) number of the row's generator in ``generators``; a name is the same generator in all types.
    columns: names of the raw scores: ``<judge>_sc`` beside ``<judge>_pq`` (0 to 10), or ``auto_…`` (any scale, a
        similarity or a distance).
    scores: (rows, columns) raw scores; NaN is unscored.
    """

    task: Ints
    task_type: Ints
    generator: Ints
    generators: tuple[str, ...]
    columns: tuple[str, ...]
    scores: Floats

    @property
    def n_tasks(self) -> int:
        return len(self.task_type)

    @property
    def starts(self) -> Ints:
        """(tasks,) first row of each task."""
        return np.searchsorted(self.task, np.arange(self.n_tasks))

    @property
    def counts(self) -> Ints:
        """(tasks,) number of candidates of each task, at least 1."""
        return np.bincount(self.task, minlength=self.n_tasks)

    @property
    def row_type(self) -> Ints:
        """(rows,) type of the row's task."""
        return self.task_type[self.task]

    @property
    def proxies(self) -> tuple[str, ...]:
        """Names of the proxies: a judge's two columns are one."""
        return tuple(dict.fromkeys(proxy_of(column) for column in self.columns))

    def proxy(self, name: str) -> Floats:
        """(rows,) values of a proxy as published: sqrt(SC x PQ) of a judge, an ``auto_`` column as it is."""
        if name in self.columns:
            return self.scores[:, self.columns.index(name)]
        return overall(self.column(name + SC), self.column(name + PQ))

    def column(self, name: str) -> Floats:
        """(rows,) raw values of one column."""
        return self.scores[:, self.columns.index(name)]

    def with_columns(self, names: tuple[str, ...], values: Floats) -> Shown:
        """The same candidates with further columns; ``values`` is (rows, names)."""
        return replace(self, columns=self.columns + names, scores=np.hstack([self.scores, values]))


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Candidates and the leaderboard's own score of each, which no selector sees.

    truth: (rows,) overall 0 to 10 that the leaderboard's judge gives, never NaN.
    notes: what was left out while reading, in words.
    """

    shown: Shown
    truth: Floats
    notes: tuple[str, ...] = field(default=())

    @property
    def random_score(self) -> float:
        """Mean over tasks of the task's mean: what a random pick is expected to give."""
        return float(np.mean(task_means(self.shown, self.truth)))

    @property
    def oracle_score(self) -> float:
        """Mean over tasks of the task's best."""
        return float(np.mean(np.maximum.reduceat(self.truth, self.shown.starts)))

    def gap(self, score: float) -> float:
        """Recovered gap of a mean true score: 0 is a random pick, 1 the oracle; NaN where picks cannot differ."""
        width = self.oracle_score - self.random_score
        return (score - self.random_score) / width if width > 0 else float("nan")

    def recovered(self, rows: Ints) -> float:
        """Recovered gap of one picked row a task, shape (tasks,)."""
        return self.gap(float(np.mean(self.truth[rows])))


def task_means(shown: Shown, values: Floats) -> Floats:
    """(tasks,) mean of each task's rows, NaN left out; NaN where a task has nothing else."""
    known = np.isfinite(values)
    sums = np.bincount(shown.task, weights=np.where(known, values, 0.0), minlength=shown.n_tasks)
    counts = np.bincount(shown.task, weights=known, minlength=shown.n_tasks)
    means: Floats = np.divide(sums, counts, out=np.full(shown.n_tasks, np.nan), where=counts > 0)
    return means


def overall(sc: Floats, pq: Floats) -> Floats:
    """sqrt(SC x PQ), 0 to 10; NaN where either is."""
    root: Floats = np.sqrt(sc * pq)
    return root


def proxy_of(column: str) -> str:
    """``llava_0shot`` of ``llava_0shot_sc``; an ``auto_`` column is a proxy of its own."""
    if column.startswith("auto_"):
        return column
    return column.removesuffix(SC).removesuffix(PQ)
