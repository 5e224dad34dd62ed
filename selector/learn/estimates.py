"""SC, PQ and overall of every candidate of a pool: by the written prior, from calibrated overall, and the best of them.

A total tells only the product of SC and PQ, so from overall they follow by a *balance* b = ln(SC / PQ) / 2:
SC = overall x e^b, PQ = overall x e^-b, and overall = sqrt(SC x PQ) holds exactly. Totals move overall; only scores and
judgements of SC and PQ move the balance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from selector.contest.score import overall, overall_sd
from selector.domain import Axis, Estimate, Pick, TaskType
from selector.learn.gaussian import Gaussian
from selector.learn.pool import Bools, Floats, Ints, Pool
from selector.learn.prior import PRIOR, RECIPE_ORDER, AxisPrior, Weight

_Z_LIMIT = 2.0
_UNSCORED_SD = 1.0  # of z: an unscored column could have been anything within about one spread
Prior = Mapping[tuple[TaskType, Axis], AxisPrior]
_LEAST = 0.5  # SC and PQ count as at least this in a balance: the ratio to a zero says nothing
PRIOR_SD = 0.35  # of a balance that follows from scores: SC 6 and PQ 6 may as well be 8.5 and 4.2
JUDGED_SD = 0.25  # of a balance that a judge saw


@dataclass(frozen=True)
class Estimates:
    """Arrays (n,) over the rows of a pool, SC, PQ and overall on 0 to 10.

    ``merit`` is what picks are ranked by: overall before it is cut to 0..10, the mean of ``belief`` if known.
    ``overall`` and ``overall_sd`` are those of the cut score, so that they stay apart where all is low.
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
    belief: Gaussian | None = None

    def ahead(self, i: int, j: int) -> tuple[float, float | None]:
        """How much more is expected of row ``i`` than of row ``j`` of its task, and the standard deviation of that.

        The deviation is smaller than that of each alone, as what the two share counts for both; None where not known.
        """
        return self.belief.ahead(i, j) if self.belief else (float(self.merit[i] - self.merit[j]), None)

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


def balance_of(sc: Floats, pq: Floats) -> Floats:
    """Balance of SC and PQ (0 to 10), NaN where either is."""
    balance: Floats = 0.5 * np.log(np.maximum(sc, _LEAST) / np.maximum(pq, _LEAST))
    return balance


def combine(prior: Floats, judged: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the balance from scores and, where it is not NaN, from a judge."""
    seen = ~np.isnan(judged)
    precise = PRIOR_SD**-2 + seen * JUDGED_SD**-2
    mean = (prior * PRIOR_SD**-2 + np.where(seen, judged, 0.0) * JUDGED_SD**-2) / precise
    return mean, precise**-0.5


def split(overall: Floats, overall_sd: Floats, balance: Floats, balance_sd: Floats) -> tuple[Floats, ...]:
    """(SC, its sd, PQ, its sd) on 0 to 10; the balance gives way where SC or PQ would pass 10."""
    most = np.log(10.0 / np.maximum(overall, 1e-9))
    b = np.clip(balance, -most, most)
    relative = np.sqrt(overall_sd**2 + (overall * balance_sd) ** 2)
    sc, pq = (np.minimum(overall * np.exp(x), 10.0) for x in (b, -b))  # rounding may pass 10 by a hair
    return sc, relative * np.exp(b), pq, relative * np.exp(-b)


def pick_best(pool: Pool, estimates: Estimates) -> list[Pick]:
    """One pick for every task of the pool, in the order of its rows.

    What the pool excludes, what no scorer could measure, and what has the estimate NaN never wins; but a row that is
    pinned does.
    """
    known = (estimates.informed & np.isfinite(estimates.merit)) | np.array([bool(by_hand) for by_hand in pool.pinned])
    may = np.array([not reason for reason in pool.excluded]) & known
    allowed, merit, lots = may.tolist(), estimates.merit.tolist(), pool.lots.tolist()
    edges = [0, *(np.flatnonzero(np.diff(pool.task_of)) + 1).tolist(), len(lots)]
    picks = []
    for task_id, start, stop in zip(pool.tasks, edges[:-1], edges[1:], strict=True):
        ranked = sorted((i for i in range(start, stop) if allowed[i]), key=lambda i: (-merit[i], lots[i]))
        picks.append(_picked(pool, estimates, task_id, ranked, range(start, stop)))
    return picks


def _picked(pool: Pool, estimates: Estimates, task_id: str, ranked: Sequence[int], rows: Sequence[int]) -> Pick:
    if not ranked:
        reasons = sorted({pool.excluded[i] or "nothing has scored it (run `bestshot score`)" for i in rows})
        return Pick(task_id, None, None, False, f"none of {len(rows)} candidates is eligible: {'; '.join(reasons)}")
    best = ranked[0]
    reason, measured = pool.pinned[best] or _why(estimates, ranked, len(rows)), bool(estimates.sc_informed[best])
    return Pick(task_id, pool.candidate_ids[best], estimates.row(best), False, reason, measured)


def gap_in_words(mean: float, sd: float | None) -> str:
    """ "0.31 ± 0.42"."""
    return f"{mean:.2f}" + (f" ± {sd:.2f}" if sd is not None else "")


def _why(estimates: Estimates, ranked: Sequence[int], total: int) -> str:
    best = ranked[0]
    sc = f"SC {estimates.sc[best]:.1f}" if estimates.sc_informed[best] else "SC not measured"
    pq = f"PQ {estimates.pq[best]:.1f}" if estimates.pq_informed[best] else "PQ not measured"
    several = f"best of {total}" if len(ranked) == total else f"best of the {len(ranked)} eligible of {total}"
    words = several if total > 1 else "the only candidate"
    words += f": estimated overall {estimates.overall[best]:.2f} ({sc}, {pq})"
    if len(ranked) > 1:
        words += f", {gap_in_words(*estimates.ahead(best, ranked[1]))} above the runner-up"
    return words
