"""Which tasks and generators should get more candidates: expected improvement of the best of N + 1.

A new candidate of a generator is expected at its task's level plus what the generator is worth there, spread as far as
scores can tell its candidates apart: luck that no score sees would not be picked. Candidates lie nearer to the mean of
their own task than a new one will, by 1 - 1/M against 1 + 1/M of the variance for M of them; what lies beyond the best
of M depends much on that. New candidates are independent draws;
one comes with its finishes, so of a picture and its finished copies the best one says what the next will be.

All generators asked for one task compete for the same win: only the best of their candidates is picked. So each task
keeps the distribution of its best so far, F(x) = product of the candidates' normal distributions above its present
pick, and one more candidate with distribution G adds E max(best so far, new) - E(best so far) = integral F (1 - G) dx.
A try that may give no picture counts by its odds: 1 - G is times them.
That only falls as F does; allotting goes on greedily, each further candidate at what it still adds. For one generator
that is the best spreading; for several at least 1 - 1/e of its worth (Nemhauser, Wolsey and Fisher 1978).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.special import ndtr

from selector.learn._deviation import group_mean
from selector.learn.calibrator import Fitted
from selector.learn.pool import Bools, Floats, Ints, Pool, codes

_LEAST_SPREAD = 0.02  # points: a law needs a width; a wider one would promise what no score can see
_UNKNOWN_SPREAD = 0.2  # points, a guess: where no task has two candidates, no spread can be seen
_LEAST_WORTH = 1e-4  # points of one task: less is not worth an image
_POINTS = 256  # of the integral: at most some 0.06 points apart, and its error is less
_REACH = 6.0  # standard deviations above which no candidate is expected
NO_ODDS: Mapping[tuple[str, str], float] = MappingProxyType({})  # every try gives a picture
_DECIMALS = 9  # of worths: what differs only by the order of sums is a tie, broken by name


@dataclass(frozen=True)
class Wish:
    """More tries of one generator for one task, and the points of its overall that they are expected to win.

    The worth is what each of them added when it was allotted, so that all wishes together are worth the sum. ``odds``
    that a try gives a picture at all are counted in it. ``has``: what the generator had tried for the task by then, so
    that ``has + count`` is a total, and who carries the wish out twice makes nothing twice.
    """

    task_id: str
    generator: str
    count: int
    worth: float
    odds: float = 1.0
    has: int = 0


@dataclass(frozen=True)
class Offer:
    """What one more try of a generator would be on a task: mean, and spread that scores can see, in points.

    ``odds``: that it gives a picture at all.
    """

    generator: str
    mean: float
    sd: float
    odds: float = 1.0


class Demand:
    """What one task may win by more candidates, and what it was allotted so far.

    Args:
        task_id: of the task.
        best: points, the mean of its present pick.
        offers: at least one; the first of equals is taken first.
    """

    def __init__(self, task_id: str, best: float, offers: Sequence[Offer]) -> None:
        self.task_id = task_id
        self.names = [offer.generator for offer in offers]
        self.mean = np.array([offer.mean for offer in offers])
        self.sd = np.array([offer.sd for offer in offers])
        self.odds = np.array([offer.odds for offer in offers])
        self.best = best
        self.step = max(float((self.mean + _REACH * self.sd).max()) - best, 0.0) / _POINTS
        self.below = np.ones(_POINTS)  # F: chance that the best so far stays below each point
        self.counts = np.zeros(len(offers), dtype=int)
        self.worths = np.zeros(len(offers))

    def next_worth(self) -> float:
        """Expected points that the most valuable next candidate adds."""
        return float(self._gains().max())

    def next_generator(self) -> str:
        """Who would make it."""
        return self.names[int(self._gains().argmax())]

    def take(self) -> float:
        """Allot the candidate that :meth:`next_worth` speaks of, and say its worth."""
        gains = self._gains()
        taken = int(gains.argmax())
        self.counts[taken] += 1
        self.worths[taken] += gains[taken]
        self.below *= 1.0 - self._above()[taken]
        return float(gains[taken])

    def wishes(self) -> list[Wish]:
        """What was allotted, in the order of the offers."""
        rows = zip(self.names, self.counts.tolist(), self.worths.tolist(), self.odds.tolist(), strict=True)
        return [Wish(self.task_id, name, count, worth, odds) for name, count, worth, odds in rows if count]

    def _gains(self) -> Floats:
        """(offers,) points that one more candidate of each adds to the best so far."""
        gains: Floats = np.round(self._above() @ self.below * self.step, _DECIMALS)
        return gains

    def _above(self) -> Floats:
        """(offers, points) chance that a try gives a candidate above each point: odds (1 - G), on midpoints.

        Computed anew, as keeping it would multiply memory by the offers.
        """
        at = self.best + self.step * (np.arange(_POINTS) + 0.5)
        above: Floats = self.odds[:, None] * ndtr((self.mean[:, None] - at) / self.sd[:, None])
        return above


def plan_generating(
    fitted: Fitted,
    budget: int,
    generators: Sequence[str] | None = None,
    empty: Sequence[tuple[str, str]] = (),
    failed_image: float = 0.0,
    declined: Collection[tuple[str, str]] = (),
    odds: Mapping[tuple[str, str], float] = NO_ODDS,
) -> list[Wish]:
    """How ``budget`` new candidates should be spread over tasks and generators; most valuable first.

    Fewer are allotted where a further one would add next to nothing. The order of the input does not matter.

    Args:
        fitted: what is known by now.
        budget: number of new candidates, of all tasks and generators together.
        generators: only these; every one that has made something for the task type, if None.
        empty: (task id, task type) of tasks that have no candidate; what they score now is ``failed_image``.
        failed_image: points of a task without a candidate that may be picked.
        declined: (task id, generator) that are not asked: the generator has said that it cannot do the task.
        odds: (task id, generator) to the odds that a try gives a picture at all; 1 where it is left out.
    """
    found = demands(fitted, generators, empty, failed_image, declined, odds)
    heap = [(-demand.next_worth(), place) for place, demand in enumerate(found)]
    heapq.heapify(heap)
    left = budget
    while heap and left > 0 and -heap[0][0] >= _LEAST_WORTH:
        place = heap[0][1]
        found[place].take()
        left -= 1
        heapq.heapreplace(heap, (-found[place].next_worth(), place))
    wishes = [wish for demand in found for wish in demand.wishes()]
    return sorted(wishes, key=lambda w: (-w.worth, w.task_id, w.generator))


def demands(
    fitted: Fitted,
    generators: Sequence[str] | None = None,
    empty: Sequence[tuple[str, str]] = (),
    failed_image: float = 0.0,
    declined: Collection[tuple[str, str]] = (),
    odds: Mapping[tuple[str, str], float] = NO_ODDS,
) -> list[Demand]:
    """One for each task that somebody can serve, by task id; arguments as of :func:`plan_generating`."""
    refused = frozenset(declined)
    pool, mean = fitted.pool, fitted.posterior.mean
    level, best = group_mean(mean, pool.task_of), _best_means(fitted)
    counted = pictures(pool, mean)
    pictures_of = np.bincount(pool.task_of[counted], minlength=len(pool.tasks))[pool.task_of]
    found: list[Demand] = []
    made_by = codes(pool.generators)
    for task_type, rows in pool.types.items():
        known = _generators(made_by, rows[counted[rows]], mean - level, 1.0 / pictures_of, generators)
        firsts = rows[np.unique(pool.task_of[rows], return_index=True)[1]].tolist()  # a row of each task
        share = {pool.task_ids[i]: 1.0 / float(pictures_of[i]) for i in firsts}
        levels = {pool.task_ids[i]: float(level[i]) for i in firsts}
        usual = float(np.mean(list(levels.values())))
        levels = {task_id: usual for task_id, of_type in empty if of_type == task_type} | levels
        for task_id, at in levels.items():
            able = {name: law for name, law in known.items() if (task_id, name) not in refused}
            wider = (1.0 + share.get(task_id, 0.0)) ** 0.5
            offers = [
                Offer(name, at + shift, max(wider * sd, _LEAST_SPREAD), odds.get((task_id, name), 1.0))
                for name, (shift, sd) in able.items()
            ]
            if offers:
                found.append(Demand(task_id, best.get(task_id, failed_image), offers))
    return sorted(found, key=lambda demand: demand.task_id)


def _generators(
    made_by: tuple[Sequence[str], Ints], rows: Ints, deviation: Floats, share: Floats, only: Sequence[str] | None
) -> dict[str, tuple[float, float]]:
    """Generator to (mean, spread) of its candidates' means against their tasks' levels, by name.

    ``made_by``: all generators, and the place of each row's among them.
    ``share`` (n,) is 1/M of each row: as its task's level is made of it, it lacks as much of the variance.
    """
    names, generator_of = made_by
    found = {}
    for name, place in sorted((names[place], place) for place in np.unique(generator_of[rows])):
        if only is None or name in only:
            own = rows[generator_of[rows] == place]
            free = float((1.0 - share[own]).sum())
            centre = float(deviation[own].mean())
            seen = float(((deviation[own] - centre) ** 2).sum())
            found[name] = centre, (seen / free) ** 0.5 if free > 0 else _UNKNOWN_SPREAD
    return found


def pictures(pool: Pool, mean: Floats) -> Bools:
    """(n,) rows that count, one a picture: the best of it and its finished copies, as new ones are finished too."""
    counts = np.ones(len(mean), dtype=bool)
    if pool.family_of is not None:
        order = np.lexsort((-mean, pool.family_of))
        family = pool.family_of[order]
        counts[order[1:]] = family[1:] != family[:-1]
    return counts


def _best_means(fitted: Fitted) -> dict[str, float]:
    """Task id to the mean of its pick; tasks without a choice are absent."""
    pool, mean = fitted.pool, fitted.posterior.mean
    rows = np.flatnonzero(pool.eligible)
    best = np.full(len(pool.tasks), -np.inf)
    np.maximum.at(best, pool.task_of[rows], mean[rows])
    places = np.unique(pool.task_of[rows]).tolist()
    return {pool.tasks[place]: float(best[place]) for place in places}
