"""VIEScore arithmetic: pure functions on arrays, every score on 0 to 10.

Source: Ku et al., "VIEScore: Towards Explainable Metrics for Conditional Image Synthesis Evaluation", ACL 2024:
SC and PQ are each the minimum of their sub-scores, overall = sqrt(SC x PQ).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from selector.contest.profile import ScoreFacts

Values = npt.NDArray[np.float64]
LOWEST, HIGHEST = 0.0, 10.0


def smallest_part(parts: npt.ArrayLike) -> Values:
    """SC or PQ from its sub-scores, shape (..., parts): the smallest one, clipped to 0..10. Shape (...)."""
    return _clipped(np.min(np.asarray(parts, dtype=np.float64), axis=-1))


def sc_from_cosine(cosine: npt.ArrayLike, facts: ScoreFacts) -> Values:
    """SC of a face swap from the cosine (-1..1) of the wanted and the generated face: 10 x cosine, at least 0."""
    return _clipped(facts.cosine_scale * np.asarray(cosine, dtype=np.float64))


def overall(sc: npt.ArrayLike, pq: npt.ArrayLike) -> Values:
    """sqrt(SC x PQ) with both clipped to 0..10 first; arguments broadcast. NaN stays NaN."""
    return np.sqrt(_clipped(sc) * _clipped(pq))


def overall_sd(sc: npt.ArrayLike, sc_sd: npt.ArrayLike, pq: npt.ArrayLike, pq_sd: npt.ArrayLike) -> Values:
    """Standard deviation of sqrt(SC x PQ) by the delta method, SC and PQ independent.

    variance = PQ sd_SC^2 / (4 SC) + SC sd_PQ^2 / (4 PQ). The slope of the root is infinite at 0, where the formula
    would say that a hopeless image might be superb. So each mean counts as at least its own standard deviation: an
    uncertain factor at 0 then adds sd/4 times the other mean to the variance, and a clipped normal truly adds 0.23 sd.
    """
    sc_sd, pq_sd = np.asarray(sc_sd, dtype=np.float64), np.asarray(pq_sd, dtype=np.float64)
    sc_floor, pq_floor = np.maximum(_clipped(sc), sc_sd), np.maximum(_clipped(pq), pq_sd)
    return np.sqrt(_one_factor(pq_floor, sc_floor, sc_sd) + _one_factor(sc_floor, pq_floor, pq_sd))


def total(overalls: npt.ArrayLike, tasks: int, facts: ScoreFacts) -> float:
    """The leaderboard's total: the mean over all ``tasks``, rounded; tasks beyond ``overalls`` count as failed.

    Raises:
        ValueError: no task, more scores than tasks, or a score that is not a finite number.
    """
    values = np.asarray(overalls, dtype=np.float64).ravel()
    if tasks < 1 or values.size > tasks:
        raise ValueError(f"{values.size} scores for {tasks} tasks")
    if not np.isfinite(values).all():
        raise ValueError("a total needs finite scores; leave failed images out, they count as failed_image")
    missing = (tasks - values.size) * facts.failed_image
    return round((float(_clipped(values).sum()) + missing) / tasks, facts.decimals)


def _one_factor(other: Values, mean: Values, sd: Values) -> Values:
    """other x sd^2 / (4 mean), and 0 where sd is 0 (there mean may be 0 too)."""
    certain = sd == 0
    share: Values = np.where(certain, 0.0, other * sd**2 / np.where(certain, 1.0, 4 * mean))
    return share


def _clipped(values: Any) -> Values:
    clipped: Values = np.clip(np.asarray(values, dtype=np.float64), LOWEST, HIGHEST)
    return clipped
