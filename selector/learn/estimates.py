"""SC, PQ and overall of every candidate of a pool, and what the written prior says of them: pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from selector.contest.score import overall, overall_sd
from selector.domain import Axis, Estimate, TaskType
from selector.learn.pool import Bools, Floats, Ints, Pool
from selector.learn.prior import PRIOR, RECIPE_ORDER, AxisPrior, Weight

_Z_LIMIT = 2.0
_UNSCORED_SD = 1.0  # of z: an unscored column could have been anything within about one spread
Prior = Mapping[tuple[TaskType, Axis], AxisPrior]


@dataclass(frozen=True)
class Estimates:
    """Arrays (n,) over the rows of a pool, SC, PQ and overall on 0 to 10.

    ``merit`` is what picks are ranked by: overall before calibration cut it to 0..10.
    """

    sc: Floats
    sc_sd: Floats
    pq: Floats
    pq_sd: Floats
    overall: Floats
    overall_sd: Floats
    sc_informed: Bools  # False: SC is the prior's base, no score speaks of it
    pq_informed: Bools
    merit: Floats

    @property
    def informed(self) -> Bools:
        """Where a score speaks of SC or of PQ."""
        return self.sc_informed | self.pq_informed

    def row(self, i: int) -> Estimate:
        """The estimate of row ``i``."""
        arrays = (self.sc, self.sc_sd, self.pq, self.pq_sd, self.overall, self.overall_sd)
        return Estimate(*(float(a[i]) for a in arrays))


def prior_estimates(pool: Pool, prior: Prior = PRIOR) -> Estimates:
    """Mean and standard deviation of SC, PQ and overall of every candidate, by the prior of its task type.

    A candidate is *informed* when at least one column of the prior has a value; what is not informed keeps the prior's
    base and must not be picked over what is.
    """
    n = len(pool.task_ids)
    mean, sd = ({axis: np.zeros(n) for axis in (Axis.SC, Axis.PQ)} for _ in range(2))
    known = {axis: np.zeros(n, dtype=bool) for axis in (Axis.SC, Axis.PQ)}
    for name, rows in pool.types.items():
        for axis in mean:
            estimated = _axis(pool, rows, prior[TaskType(name), axis])
            mean[axis][rows], sd[axis][rows], known[axis][rows] = estimated
    (sc, pq), (sc_sd, pq_sd) = mean.values(), sd.values()
    both = overall(sc, pq)
    return Estimates(sc, sc_sd, pq, pq_sd, both, overall_sd(sc, sc_sd, pq, pq_sd), known[Axis.SC], known[Axis.PQ], both)


def prior_points(pool: Pool, rows: Ints, prior: Prior = PRIOR) -> Iterator[tuple[str, Axis, Floats]]:
    """(column, axis, points) that the prior adds to the candidates of whole tasks of one type, the rows (k,)."""
    for axis in (Axis.SC, Axis.PQ):
        for weight in _weights(pool, prior[TaskType(pool.task_types[rows[0]]), axis]):
            yield weight.column, axis, _points(pool, rows, weight)[0]


def _axis(pool: Pool, rows: Ints, prior: AxisPrior) -> tuple[Floats, Floats, Bools]:
    mean = np.full(len(rows), prior.base)
    variance = np.full(len(rows), prior.residual_sd**2)
    informed = np.zeros(len(rows), dtype=bool)
    for weight in _weights(pool, prior):
        points, unscored = _points(pool, rows, weight)
        mean += points
        variance += np.where(unscored, (weight.points * _UNSCORED_SD) ** 2, 0.0)
        if weight.column != RECIPE_ORDER:  # a guess that was made before the image is no measurement of it
            informed |= ~unscored
    return np.clip(mean, 0.0, 10.0), np.sqrt(variance), informed


def _weights(pool: Pool, prior: AxisPrior) -> list[Weight]:
    """Those that apply: what nobody asked an optional scorer for makes no estimate worse or less sure."""
    return [weight for weight in prior.weights if not weight.optional or weight.column in pool.columns]


def _points(pool: Pool, rows: Ints, weight: Weight) -> tuple[Floats, Bools]:
    """What a column adds to each candidate's mean, and where it is unscored.

    An unscored candidate gets no more than the worst measured one of its task: what could not be measured on it alone
    must not beat what was. Where nothing of the task was measured, the column does not apply, or the weight says what
    that means.
    """
    values, task = pool.column(weight.column)[rows], pool.task_of[rows]
    unscored = np.isnan(values)
    points = weight.points * np.clip((values - weight.centre) / weight.spread, -_Z_LIMIT, _Z_LIMIT)
    worst = np.full(len(pool.tasks), np.inf)
    np.minimum.at(worst, task[~unscored], points[~unscored])
    assumed = weight.if_unscored * abs(weight.points)
    of_task = worst[task]
    return np.where(unscored, np.where(np.isinf(of_task), assumed, np.minimum(of_task, assumed)), points), unscored
