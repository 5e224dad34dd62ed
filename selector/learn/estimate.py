"""Estimates by the prior: pure arithmetic on a feature table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from selector.contest.score import overall, overall_sd
from selector.domain import Axis, Estimate, TaskType
from selector.learn.matrix import RECIPE_ORDER, FeatureTable
from selector.learn.prior import PRIOR, AxisPrior, Weight

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
_Z_LIMIT = 2.0
_UNSCORED_SD = 1.0  # of z: an unscored column could have been anything within about one spread


@dataclass(frozen=True)
class EstimateTable:
    """SC, PQ and overall of the rows of a feature table, on 0 to 10. ``informed`` is False where no score speaks."""

    features: FeatureTable
    sc: Floats
    sc_sd: Floats
    pq: Floats
    pq_sd: Floats
    overall: Floats
    overall_sd: Floats
    sc_informed: Bools  # False: SC is the prior's base, no score speaks of it
    pq_informed: Bools
    order: Floats | None = None  # what picks are ranked by, where it is more than overall: means beyond 0 to 10

    @property
    def merit(self) -> Floats:
        """(n,) what picks are ranked by: overall before it was cut to 0..10, where calibration knows it."""
        return self.overall if self.order is None else self.order

    @property
    def informed(self) -> Bools:
        """Where a score speaks of SC or of PQ."""
        return self.sc_informed | self.pq_informed

    def row(self, i: int) -> Estimate:
        """The estimate of row ``i``."""
        arrays = (self.sc, self.sc_sd, self.pq, self.pq_sd, self.overall, self.overall_sd)
        return Estimate(*(float(a[i]) for a in arrays))


def estimate(features: FeatureTable, prior: Mapping[tuple[TaskType, Axis], AxisPrior] = PRIOR) -> EstimateTable:
    """Mean and standard deviation of SC, PQ and overall for every candidate of a table.

    A candidate is *informed* when at least one column of the prior has a value; what is not informed keeps the prior's
    base and must not be picked over what is.
    """
    sc, sc_sd, sc_known = _axis(features, prior[features.task_type, Axis.SC])
    pq, pq_sd, pq_known = _axis(features, prior[features.task_type, Axis.PQ])
    return EstimateTable(
        features, sc, sc_sd, pq, pq_sd, overall(sc, pq), overall_sd(sc, sc_sd, pq, pq_sd), sc_known, pq_known
    )


def prior_points(
    features: FeatureTable, prior: Mapping[tuple[TaskType, Axis], AxisPrior] = PRIOR
) -> dict[tuple[str, Axis], Floats]:
    """(column, axis) to what it adds to that axis of every candidate, in points; columns that add nothing left out."""
    tasks = np.unique(np.array(features.task_ids, dtype=object).astype(str), return_inverse=True)[1]
    found = {}
    for axis in (Axis.SC, Axis.PQ):
        for weight in _rows(features, prior[features.task_type, axis]):
            points, _ = _points(_column(features, weight.column), weight, tasks)
            if points.any():
                found[weight.column, axis] = points
    return found


def _axis(features: FeatureTable, prior: AxisPrior) -> tuple[Floats, Floats, Bools]:
    n = len(features.candidate_ids)
    mean = np.full(n, prior.base)
    variance = np.full(n, prior.residual_sd**2)
    informed = np.zeros(n, dtype=bool)
    tasks = np.unique(np.array(features.task_ids, dtype=object).astype(str), return_inverse=True)[1]
    for weight in _rows(features, prior):
        points, unscored = _points(_column(features, weight.column), weight, tasks)
        mean += points
        variance += np.where(unscored, (weight.points * _UNSCORED_SD) ** 2, 0.0)
        if weight.column != RECIPE_ORDER:  # a guess that was made before the image is no measurement of it
            informed |= ~unscored
    return np.clip(mean, 0.0, 10.0), np.sqrt(variance), informed


def _rows(features: FeatureTable, prior: AxisPrior) -> list[Weight]:
    """The rows that apply: what nobody asked an optional scorer for makes no estimate worse or less sure."""
    return [weight for weight in prior.weights if not weight.optional or weight.column in features.columns]


def _points(values: Floats, weight: Weight, tasks: np.ndarray[Any, np.dtype[np.intp]]) -> tuple[Floats, Bools]:
    """What a column adds to each candidate's mean, and where it is unscored.

    An unscored candidate gets no more than the worst measured one of its task: what could not be measured on it alone
    must not beat what was. Where nothing of the task was measured, the column does not apply, or the weight says what
    that means.
    """
    unscored = np.isnan(values)
    points = weight.points * np.clip((values - weight.centre) / weight.spread, -_Z_LIMIT, _Z_LIMIT)
    worst = np.full(int(tasks.max(initial=-1)) + 1, np.inf)
    np.minimum.at(worst, tasks[~unscored], points[~unscored])
    assumed = weight.if_unscored * abs(weight.points)
    of_task = worst[tasks]
    return np.where(unscored, np.where(np.isinf(of_task), assumed, np.minimum(of_task, assumed)), points), unscored


def _column(features: FeatureTable, name: str) -> Floats:
    if name not in features.columns:
        return np.full(len(features.candidate_ids), np.nan)
    return features.values[:, features.columns.index(name)]
