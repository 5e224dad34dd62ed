"""When to stop making candidates: the expected true score of the best of N, over N, and how sure that is.

**Measured part.** Each task's candidates are ordered by their posterior means, as picks are. Of N drawn at random from
M, the r-th best is the one that is picked with probability C(M - r, N - 1) / C(M, N): the unbiased estimator that is
common for best-of-N and pass@k (Stiennon et al. 2020, arXiv 2009.01325; Nakano et al. 2021, arXiv 2112.09332), without
a draw. So the mean true score of best-of-N is a known weighted sum of the candidates' true scores, and under the
posterior a Gaussian: its mean and its variance are exact.

**Beyond M.** A next candidate is what :mod:`selector.learn.plan_generating` expects of the generator that promises
most. Its expected gain is a gain in *estimates*; what it is in truth is that times the slope of truth on estimates
among candidates that one generator made. By the posterior the slope is 1 on average, and its spread is how little the
weights of the scores are known. For normal estimates of spread s this is the familiar s e(N) times a slope, with e(N)
the expected maximum of N standard normals.

**Can more candidates hurt?** Not in expectation, to one who picks by posterior means and is right about what he does
not know: a choice more is never worse (Good 1967, "On the principle of total evidence"). The winner's curse is in the
means already, as they are shrunken; estimates that are only 0.1 wide for true spreads of 1.5 promise e(N) 0.1 and no
more. What hurts is a proxy that runs against the truth: then true scores fall as N grows (Gao, Schulman and Hilton
2023, arXiv 2210.10760). As long as the weights leave that open it is in the band: `low`, the end that 10% of worlds lie
below, falls although `mean` rises. And where a judge has seen enough, :func:`held_out` asks it: candidates are chosen
without its word, and valued by it.

**The band is that of the rise** over one candidate drawn at random. How kind the leaderboard is to a task type is as
unknown for one N as for the next, and would hide the curve.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from selector.learn._deviation import group_mean
from selector.learn.calibrator import Fitted
from selector.learn.plan_generating import NO_ODDS, Demand, demands, pictures
from selector.learn.pool import Floats, Ints, Pool, codes
from selector.learn.totals import Z80, Total

ALL_TYPES = "all types"
LEAST_WORTH = (
    0.02  # points of the mean over tasks: less is below the noise of a total, for a candidate more of each task
)
AHEAD = 8  # candidates beyond those that are there
LEAST_JUDGED = 30  # candidates, in tasks with LEAST_OF_A_TASK of them: fewer say nothing of a curve
LEAST_OF_A_TASK = 3
LEAST_TASKS = 5  # of an interval over tasks
_LEAST_TOLD = 1e-6  # points: estimates that differ by less are ties


@dataclass(frozen=True)
class Curve:
    """Expected true score of the best of ``n`` candidates of a task, mean over ``tasks``, in points.

    Args:
        task_type: of the tasks; ``ALL_TYPES`` for all together.
        tasks: those that have a candidate which may be picked.
        measured_to: as many candidates as half of the tasks have. Beyond, the curve expects what the plan does.
        n: 1, 2, ...; finished copies of a picture are no candidates of their own.
        mean, low, high: one value for each n; the 80% band is that of the rise over n = 1.
        worth_of_next: points that one candidate more of every task adds to the mean over tasks.
        stop_after: the n after which each further candidate adds less than ``least`` points; None: not in sight.
        may_hurt_after: the n from which on ``low`` rises no more; None: it rises to the end.
    """

    task_type: str
    tasks: int
    measured_to: int
    n: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    worth_of_next: float
    stop_after: int | None
    may_hurt_after: int | None


@dataclass(frozen=True)
class NextCandidate:
    """What one candidate more is worth to a task: ``worth`` points of its overall, if ``generator`` makes it.

    ``candidates`` is the number that may be picked now.
    """

    task_id: str
    candidates: int
    generator: str
    worth: float


@dataclass(frozen=True)
class HeldOut:
    """Best-of-n as a judge sees it that had no say in the choice, in points of that judge; a Curve's fields.

    ``rise``, ``low`` and ``high`` are over n = 1, with an 80% interval of the mean over ``tasks``; ``best_at`` is the n
    where the rise was highest.
    """

    column: str
    judged: int
    tasks: int
    n: tuple[int, ...]
    rise: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    best_at: int


def curves(
    fitted: Fitted,
    generators: Sequence[str] | None = None,
    declined: Collection[tuple[str, str]] = (),
    least: float = LEAST_WORTH,
    odds: Mapping[tuple[str, str], float] = NO_ODDS,
) -> list[Curve]:
    """One curve a task type, and one of all these types together where there are several.

    A type in which no task has two candidates that may be picked has none: how far they differ is not known.

    Args:
        fitted: what is known by now.
        generators: who may make the next candidates; every one that has made something for the type, if None.
        declined: (task id, generator) that are not asked.
        least: points of the mean over tasks that a further candidate of each task should add.
        odds: (task id, generator) to the odds that a try gives a picture at all.
    """
    pool = fitted.pool
    ordered = _ordered(pool, fitted.posterior.mean)
    type_of = {pool.task_ids[rows[0]]: pool.task_types[rows[0]] for rows in ordered.values()}
    known = {type_of[task_id] for task_id, rows in ordered.items() if len(rows) > 1}
    groups = {kind: [t for t in ordered if type_of[t] == kind] for kind in pool.types if kind in known}
    if len(known) > 1:
        groups[ALL_TYPES] = [t for t in ordered if type_of[t] in known]
    slopes = {kind: _slope(fitted, rows) for kind, rows in pool.types.items()}
    wanted = {demand.task_id: demand for demand in demands(fitted, generators, declined=declined, odds=odds)}
    steps = {task_id: _Steps(wanted.get(task_id)) for task_id in ordered}
    return [
        _curve(fitted, name, {task_id: ordered[task_id] for task_id in task_ids}, steps, slopes, least)
        for name, task_ids in groups.items()
    ]


def next_candidates(fitted: Fitted, wanted: Sequence[Demand]) -> list[NextCandidate]:
    """What one candidate more is worth to each task; most valuable first."""
    ordered = _ordered(fitted.pool, fitted.posterior.mean)
    found = [
        NextCandidate(d.task_id, len(ordered.get(d.task_id, ())), d.next_generator(), d.next_worth()) for d in wanted
    ]
    return sorted(found, key=lambda one: (-one.worth, one.task_id))


def held_out(fitted: Fitted, totals: Sequence[Total], columns: Sequence[str]) -> HeldOut | None:
    """Best-of-n valued by a judge whose word is left out of the choice; None where it has judged too little.

    Args:
        fitted: what is known by now.
        totals: what it was fitted to.
        columns: all columns of that judge; the first in which it said anything is what it is asked for.
    """
    pool = fitted.pool
    said = {name: pool.eligible & ~np.isnan(pool.column(name)) for name in columns}
    asked = next((name for name in columns if said[name].any()), None)
    if asked is None:
        return None
    given, seen = pool.column(asked), replace(pool, eligible=said[asked])
    if sum(len(rows) for rows in _ordered(seen, given).values() if len(rows) >= LEAST_OF_A_TASK) < LEAST_JUDGED:
        return None
    kept = [i for i, name in enumerate(pool.columns) if name not in columns]
    blind = replace(pool, columns=tuple(pool.columns[i] for i in kept), values=pool.values[:, kept])
    mean = fitted.calibrator.fit(blind, totals).posterior.mean
    lines = [rows for rows in _ordered(seen, mean).values() if len(rows) >= LEAST_OF_A_TASK]
    most = _usual([len(rows) for rows in lines])
    lines = [rows for rows in lines if len(rows) >= most]
    if len(lines) < LEAST_TASKS:
        return None
    rises = np.array([best_of(len(rows), most) @ given[rows] for rows in lines])
    rises -= rises[:, :1]
    rise, half = rises.mean(axis=0), Z80 * rises.std(axis=0, ddof=1) / len(lines) ** 0.5
    n, judged = tuple(range(1, most + 1)), sum(map(len, lines))
    low, high, best_at = _floats(rise - half), _floats(rise + half), 1 + int(rise.argmax())
    return HeldOut(asked, judged, len(lines), n, _floats(rise), low, high, best_at)


def best_of(count: int, most: int) -> Floats:
    """(n, count) chance that each of ``count`` ordered candidates is the best of n drawn at random; n = 1 to ``most``.

    >>> best_of(3, 2).round(3).tolist()
    [[0.333, 0.333, 0.333], [0.667, 0.333, 0.0]]
    """
    n, worse = np.arange(1, min(most, count) + 1)[:, None], np.arange(count)[::-1]
    return np.asarray(np.exp(_log_choose(worse, n - 1) - _log_choose(np.asarray(count), n)))


def _log_choose(of: Ints, n: Ints) -> Floats:
    """Logarithm of the binomial coefficient; minus infinity where there are fewer than n."""
    found: Floats = gammaln(of + 1.0) - gammaln(n + 1.0) - gammaln(of - n + 1.0)
    return found


class _Steps:
    """What the next candidates of a task add to its best, one after another; worked out as far as asked for."""

    def __init__(self, demand: Demand | None) -> None:
        self._demand = demand
        self._worths: list[float] = []

    def gained(self, count: int) -> Floats:
        """(count,) points that 1, 2, ... candidates more add in all."""
        while len(self._worths) < count:
            if self._demand is None or (self._worths and self._worths[-1] == 0.0):
                self._worths.append(0.0)
            else:
                self._worths.append(self._demand.take())
        return np.cumsum(self._worths[:count])


def _curve(
    fitted: Fitted,
    name: str,
    ordered: Mapping[str, Ints],
    steps: Mapping[str, _Steps],
    slopes: Mapping[str, Floats],
    least: float,
) -> Curve:
    """The curve of some tasks: weights (n, candidates) on true scores, whose mean and variance are the posterior's.

    Args:
        ordered: task id to its rows, best first.
        steps: task id to what it may still gain.
        slopes: task type to weights (candidates,) of the slope of truth on estimates.
    """
    measured = _usual([len(rows) for rows in ordered.values()])
    last, worth = measured + AHEAD, 0.0
    weights = np.zeros((last, len(fitted.pool.task_ids)))
    gains = {kind: np.zeros(last) for kind in slopes}
    for task_id, rows in ordered.items():
        inside = best_of(len(rows), last)
        weights[: len(inside), rows] += inside
        weights[len(inside) :, rows[0]] += 1.0
        more = steps[task_id].gained(max(last - len(rows), 1))
        gains[fitted.pool.task_types[rows[0]]][len(inside) :] += more[: last - len(inside)]
        worth += float(more[0])
    for kind, gain in gains.items():
        weights += gain[:, None] * slopes[kind]
    weights /= len(ordered)
    mean, rise = weights @ fitted.posterior.mean, weights - weights[0]
    half = Z80 * np.sqrt(np.maximum((rise.T * fitted.posterior.times(rise.T)).sum(axis=0), 0.0))
    telling = np.flatnonzero(np.diff(mean) >= least)
    stop_after = int(telling[-1]) + 2 if len(telling) else 1
    may_hurt_after = int(np.round(mean - half, 9).argmax()) + 1
    return Curve(
        name,
        len(ordered),
        measured,
        tuple(range(1, last + 1)),
        _floats(mean),
        _floats(mean - half),
        _floats(mean + half),
        worth / len(ordered),
        stop_after if stop_after < last else None,
        may_hurt_after if may_hurt_after < last else None,
    )


def _ordered(pool: Pool, mean: Floats) -> dict[str, Ints]:
    """Task id to its candidates that may be picked, best first; of a picture and its finished copies the best one."""
    counted = np.flatnonzero(pool.eligible)
    if pool.family_of is not None:
        by_family = counted[np.lexsort((-mean[counted], pool.family_of[counted]))]
        counted = np.sort(by_family[np.unique(pool.family_of[by_family], return_index=True)[1]])
    rows = counted[np.lexsort((pool.lots[counted], -mean[counted], pool.task_of[counted]))]
    starts = np.flatnonzero(np.diff(pool.task_of[rows], prepend=-1))
    return {pool.task_ids[own[0]]: own for own in np.split(rows, starts[1:]) if len(own)}


def _slope(fitted: Fitted, rows: Ints) -> Floats:
    """(n,) weights on true scores that give their slope on the estimates of a task type's ``rows``.

    Among candidates that one generator made, as deviations from task and generator; among all of a task where no score
    tells those apart; nothing where all estimates are ties. The slope of the estimates themselves is 1.
    """
    pool, mean = fitted.pool, fitted.posterior.mean
    rows = rows[pictures(pool, mean)[rows]]
    _, generator = codes([pool.generators[i] for i in rows])
    task = np.unique(pool.task_of[rows], return_inverse=True)[1]
    within = mean[rows] - group_mean(mean[rows], task)
    own = within - group_mean(within, generator)
    weights = np.zeros(len(mean))
    for deviation in (own, within):
        if deviation.std() > _LEAST_TOLD:
            # free of the tasks' levels, whoever made how many
            weights[rows] = (deviation - group_mean(deviation, task)) / float(deviation @ within)
            break
    return weights


def _usual(counts: Sequence[int]) -> int:
    """The lower median: half of all or more have as many."""
    return sorted(counts)[(len(counts) - 1) // 2]


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(values.tolist())
