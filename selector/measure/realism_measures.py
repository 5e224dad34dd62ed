"""Measures sets of vectors against those of real photographs: arithmetic on arrays, seeded, no store and no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from selector.sight.embedding.set_distance import (
    SCALE,
    Discrepancy,
    Kernel,
    fid,
    gaussian_unlikeness,
    group_means,
    kid,
    polynomial_unlikeness,
    resampled,
)

Floats = np.ndarray[Any, np.dtype[Any]]

CMMD, KID, FID = "cmmd", "kid", "fid"
METRICS = (CMMD, KID, FID)
TIMES = 400  # bootstraps
SUBSETS, LEAST_IN_SUBSET, MOST_IN_SUBSET = 30, 2, 300  # of KID, which is made of pairs
MOST_REAL = 3000  # photographs in the matrices of pairs; FID and KID's subsets take all
SPLITS = 40  # of the photographs in halves
INTERVAL = (0.1, 0.9)
_KERNELS: Mapping[str, tuple[Kernel, float]] = {
    CMMD: (gaussian_unlikeness, SCALE),
    KID: (polynomial_unlikeness, 1.0),
}


@dataclass(frozen=True)
class Subsets:
    """KID as it is usually told: mean and standard deviation over ``count`` subsets of at least ``images`` a side."""

    mean: float
    sd: float
    count: int
    images: int


@dataclass(frozen=True)
class Measured:
    """One distance, with its 80% interval where there is one; of KID also what its subsets say."""

    value: float
    low: float | None = None
    high: float | None = None
    subsets: Subsets | None = None


@dataclass(frozen=True)
class VectorSet:
    """``vectors`` (n, d) of candidates, those of a task together; each of the t tasks begins at its start.

    ``places`` (t,) of the tasks among all tasks; ``own`` (t, m) marks the photographs that a task was made from.
    """

    vectors: Floats
    starts: Floats
    places: Floats
    own: Floats

    def one_each(self, rng: np.random.Generator) -> Floats:
        """(t,) rows, a random candidate of every task."""
        widths = np.diff(np.append(self.starts, len(self.vectors)))
        return np.asarray(self.starts + rng.integers(0, widths))


class Yardstick:
    """Real photographs (m, d), as the backbone gives them, and what is drawn at random, the same for every set.

    So two sets are compared on the same tasks and photographs in every bootstrap. Tasks and photographs are drawn
    independently, and near 0 a squared discrepancy is not Gaussian: there the intervals are wider than they say.
    """

    def __init__(self, real: Floats, tasks: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        self.real = np.asarray(real, np.float32)
        self._seed = seed
        self._few = np.sort(rng.permutation(len(real))[:MOST_REAL])
        self._task_counts = resampled(tasks, TIMES, rng)
        self._real_counts = resampled(len(self._few), TIMES, rng)
        self._among: dict[str, Floats] = {}

    def measure(self, vectors: VectorSet, metric: str, one_a_task: bool = False) -> tuple[Measured, Floats]:
        """The distance, and (TIMES,) bootstraps of it, (0,) for FID.

        Args:
            one_a_task: take a random candidate of every task. CMMD and KID weigh tasks alike anyway and leave out pairs
                within one, so theirs is then exactly what such a choice has on average.
        """
        if metric == FID:
            rows = vectors.one_each(np.random.default_rng([self._seed, 3])) if one_a_task else slice(None)
            return Measured(fid(vectors.vectors[rows], self.real)), np.zeros(0)
        value, draws = self._discrepancy(vectors, metric)
        return Measured(value, *interval(draws), self._kid_subsets(vectors) if metric == KID else None), draws

    def _discrepancy(self, vectors: VectorSet, metric: str) -> tuple[float, Floats]:
        """Value over all pairs, and bootstraps."""
        kernel, scale = _KERNELS[metric]
        x, y = _fit_for(metric, vectors.vectors), _fit_for(metric, self.real[self._few])
        single = np.arange(len(y))
        found = Discrepancy(
            group_means(x, vectors.starts, x, vectors.starts, kernel),
            group_means(x, vectors.starts, y, single, kernel),
            self._real_pairs(metric),
            vectors.own[:, self._few],
        )
        draws = found.weighed(self._task_counts[:, vectors.places], self._real_counts)
        return scale * found.value(), scale * draws

    def _kid_subsets(self, vectors: VectorSet) -> Subsets | None:
        """Subsets hold one candidate a task, and as many photographs that are not theirs.

        A subset whose tasks were made from all photographs but one, or from all, is left out; None where all are.
        """
        rng = np.random.default_rng([self._seed, 2])
        size = min(MOST_IN_SUBSET, len(vectors.starts) // 2, len(self.real) // 2)
        found, sizes = [], []
        for _ in range(SUBSETS):
            tasks = rng.permutation(len(vectors.starts))[:size]
            strangers = np.flatnonzero(~vectors.own[tasks].any(axis=0))
            real = rng.permutation(strangers)[:size]
            rows = vectors.one_each(rng)[tasks[: len(real)]]
            if len(real) >= LEAST_IN_SUBSET:
                found.append(kid(vectors.vectors[rows], self.real[real]))
                sizes.append(len(real))
        return Subsets(float(np.mean(found)), float(np.std(found)), len(found), min(sizes)) if found else None

    def halves(self, metric: str) -> Measured:
        """The photographs against themselves, split at random many times (FID: once); what no set can beat."""
        rng = np.random.default_rng([self._seed, 4])
        if metric == FID:
            mixed = rng.permutation(len(self.real))
            middle = len(mixed) // 2
            return Measured(fid(self.real[mixed[:middle]], self.real[mixed[middle:]]))
        pairs, scale = self._real_pairs(metric), _KERNELS[metric][1]
        found = []
        for _ in range(SPLITS):
            mixed = rng.permutation(len(pairs))
            a, b = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
            parts = (pairs[np.ix_(a, a)], pairs[np.ix_(a, b)], pairs[np.ix_(b, b)])
            found.append(scale * Discrepancy(*parts, np.zeros(parts[1].shape, bool)).value())
        return Measured(float(np.mean(found)), *interval(np.array(found)))

    def _real_pairs(self, metric: str) -> Floats:
        if metric not in self._among:
            y = _fit_for(metric, self.real[self._few])
            self._among[metric] = group_means(y, np.arange(len(y)), y, np.arange(len(y)), _KERNELS[metric][0])
        return self._among[metric]


def interval(draws: Floats) -> tuple[float, float]:
    """The middle 80%."""
    low, high = np.nanquantile(draws, INTERVAL)
    return float(low), float(high)


def grouped(
    by_task: Sequence[tuple[int, Sequence[str], Sequence[int]]], vectors: Mapping[str, Floats], real: int
) -> VectorSet:
    """A set of (place of the task, ids of its candidates, rows of its own photographs); tasks without an id are out."""
    held = [(place, ids, own) for place, ids, own in by_task if ids]
    marks = np.zeros((len(held), real), bool)
    for row, (_, _, own) in enumerate(held):
        marks[row, list(own)] = True
    widths = [len(ids) for _, ids, _ in held]
    rows = [vectors[key] for _, ids, _ in held for key in ids]
    starts = np.cumsum([0, *widths])[:-1]
    return VectorSet(np.array(rows, np.float32), starts, np.array([p for p, _, _ in held], int), marks)


def _fit_for(metric: str, vectors: Floats) -> Floats:
    """CMMD is defined on unit vectors; KID, like FID, on vectors as they come."""
    if metric == KID:
        return vectors
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
