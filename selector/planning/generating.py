"""Which tasks and generators should get more candidates: expected improvement of the best of N + 1.

A new candidate of a generator is expected at its task's level plus what the generator is worth there, spread as far as
scores can tell its candidates apart: luck that no score sees would not be picked. The first candidates win most:
allotting goes on greedily, each further one at what it still adds.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from selector.calibration.calibrator import Calibrator
from selector.features.deviation import group_mean
from selector.features.pool import Floats, Ints, codes

_LEAST_SPREAD = 0.2  # points: scores always tell candidates apart by something


@dataclass(frozen=True)
class Wish:
    """More candidates of one generator for one task, and the points of its overall that they are expected to win."""

    task_id: str
    generator: str
    count: int
    worth: float


@dataclass(frozen=True)
class Offer:
    """What one more candidate of a generator would be on a task: mean, and spread that scores can see, in points."""

    task_id: str
    generator: str
    best: float  # mean of the task's present pick
    mean: float
    sd: float

    def worth(self, count: int) -> float:
        """E max(best, the best of ``count`` new ones) - best."""
        top = _best_of(count) * self.sd + self.mean
        return float(np.maximum(top - self.best, 0.0).mean())


def plan_generating(
    calibrator: Calibrator,
    budget: int,
    generators: Sequence[str] | None = None,
    empty: Sequence[tuple[str, str]] = (),
    failed_image: float = 0.0,
) -> list[Wish]:
    """How ``budget`` new candidates should be spread over tasks and generators; most valuable first.

    Args:
        calibrator: fitted.
        generators: only these; every one that has made something for the task type, if None.
        empty: (task id, task type) of tasks that have no candidate; what they score now is ``failed_image``.
    """
    offers = _offers(calibrator, generators, empty, failed_image)
    counts = [0] * len(offers)
    heap = [(-offer.worth(1), i) for i, offer in enumerate(offers)]
    heapq.heapify(heap)
    left = budget
    while heap and left > 0 and heap[0][0] < 0.0:
        _, i = heapq.heappop(heap)
        counts[i] += 1
        left -= 1
        heapq.heappush(heap, (offers[i].worth(counts[i]) - offers[i].worth(counts[i] + 1), i))
    wishes = [Wish(o.task_id, o.generator, n, o.worth(n)) for o, n in zip(offers, counts, strict=True) if n]
    return sorted(wishes, key=lambda w: (-w.worth, w.task_id, w.generator))


def _offers(
    calibrator: Calibrator, only: Sequence[str] | None, empty: Sequence[tuple[str, str]], failed: float
) -> list[Offer]:
    pool, mean = calibrator.pool_, calibrator.posterior_.mean
    level = group_mean(mean, pool.task_of)
    offers: list[Offer] = []
    types, type_of = codes(pool.task_types)
    for place, task_type in enumerate(types):
        rows = np.flatnonzero(type_of == place)
        known = _generators(pool.generators, rows, mean - level, only)
        tasks = {pool.task_ids[i]: float(level[i]) for i in rows}
        usual = float(np.mean(list(tasks.values())))
        best = _best_means(calibrator)
        for task_id, at in tasks.items():
            offers += [Offer(task_id, g, best.get(task_id, failed), at + m, sd) for g, (m, sd) in known.items()]
        for task_id, of_type in empty:
            if of_type == task_type:
                offers += [Offer(task_id, g, failed, usual + m, sd) for g, (m, sd) in known.items()]
    return offers


def _generators(
    made_by: Sequence[str], rows: Ints, deviation: Floats, only: Sequence[str] | None
) -> dict[str, tuple[float, float]]:
    """Generator to (mean, spread) of its candidates' means against their tasks' levels."""
    found = {}
    for name in sorted({made_by[i] for i in rows}):
        if only is None or name in only:
            own = deviation[[i for i in rows if made_by[i] == name]]
            found[name] = float(own.mean()), max(float(own.std()), _LEAST_SPREAD)
    return found


def _best_means(calibrator: Calibrator) -> dict[str, float]:
    """Task id to the mean of its pick; tasks without a choice are absent."""
    pool, mean = calibrator.pool_, calibrator.posterior_.mean
    found: dict[str, float] = {}
    for i in np.flatnonzero(pool.eligible):
        task_id = pool.task_ids[i]
        found[task_id] = max(found.get(task_id, -np.inf), float(mean[i]))
    return found


def _best_of(count: int) -> Floats:
    """Quantiles of the best of ``count`` standard normal values: that of one value at the count-th root."""
    top: Floats = ndtri(((np.arange(64) + 0.5) / 64) ** (1.0 / count))
    return top
