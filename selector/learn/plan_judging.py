"""Which candidates an expensive judge should score, under a budget: the value of information, task by task.

Judging candidate c would move its mean by ``step(c) z``, z ~ N(0, 1); looking again at one that was judged k times, by
sqrt((rho_k+1 - rho_k) / rho_1) of that (``passes``), because the mean of k passes has told a share rho_k already. A set
of judged candidates is worth the expected rise of the best mean of their task. The set is built greedily, the most
valuable next judgement first, on common draws.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from selector.learn.belief import JUDGE, Belief
from selector.learn.calibrator import Fitted
from selector.learn.gaussian import normal_quantiles
from selector.learn.passes import Repeats
from selector.learn.pool import Bools, Floats, Ints

_DRAWS = 128
_TIE = 1e-9  # share of a worth: with common quantiles two candidates are worth the same, but for the order of sums
# Share of a judge's within-task spread that is news. It is below what other scores leave unexplained, because what one
# judgement says of the task is shared with the candidates that are not judged (measured: docs/calibration.md).
_UNEXPLAINED = 0.5


@dataclass(frozen=True)
class Judgement:
    """A candidate (row of the pool) to judge, and the points of its task's overall that this is expected to win.

    ``passes``: how often the judge has looked at it so far, 0 before a first look.
    """

    row: int
    worth: float
    passes: int = 0


def plan_judging(
    fitted: Fitted,
    column: str,
    budget: int,
    belief: Belief = JUDGE,
    seed: int = 0,
    seen: Bools | None = None,
    repeats: Repeats | None = None,
    most: int | None = None,
) -> list[Judgement]:
    """The ``budget`` judgements that are expected to raise the picks most, best first.

    One look at a candidate, and at most one of a picture and its finished copies: what is said of one is hardly news of
    the others. After the answers the next plan proposes further looks.

    Args:
        fitted: what is known by now; what is judged already by the judge's column in its pool is left out, unless
            ``repeats`` tells what a further look would say.
        column: the judge's overall score.
        budget: number of candidates to judge.
        belief: in a judge that has no column yet.
        seen: (n,) what the judge has seen, where its column does not tell.
        repeats: how often the judge looked at each candidate, and how noisy one look is.
        most: what the judge has looked at so often is left out.
    """
    pool = fitted.pool
    step = step_sizes(fitted, column, belief, repeats)
    if seen is not None:
        step[seen & np.isnan(pool.column(column))] = 0.0
    if repeats is not None and most is not None:
        step[repeats.counts >= most] = 0.0
    mean = fitted.posterior.mean
    draws = normal_quantiles(_DRAWS, len(mean), seed)
    family = np.arange(len(mean)) if pool.family_of is None else pool.family_of
    queues = [_Task(mean, step, rows[rows >= 0], draws, family) for rows in pool.choices if (rows >= 0).sum() > 1]
    heap = [(-worth, place) for place, q in enumerate(queues) if (worth := q.next_worth()) > 0.0]
    heapq.heapify(heap)
    found: list[Judgement] = []
    while heap and len(found) < budget:
        worth, place = heapq.heappop(heap)
        row = queues[place].take()
        found.append(Judgement(row, -worth, 0 if repeats is None else int(repeats.counts[row])))
        following = queues[place].next_worth()
        if following > 0.0:
            heapq.heappush(heap, (-following, place))
    return found


def step_sizes(fitted: Fitted, column: str, belief: Belief, repeats: Repeats | None = None) -> Floats:
    """(n,) points by which a judgement would move each mean (one standard deviation); 0 where it is known already."""
    pool, scales = fitted.pool, fitted.calibrator.scales
    step = np.full(len(pool.task_ids), abs(belief.correlation) * scales.within_sd * _UNEXPLAINED)
    own = [w for w in fitted.weights if w.effect.kind == "score" and w.effect.name == column]
    shared = sum(w.mean for w in own if w.effect.task_type == "*")
    slopes = {w.effect.task_type: w.mean + shared for w in own}
    for place, task_type in enumerate(pool.task_types):
        if task_type in slopes:
            step[place] = abs(slopes[task_type]) * scales.within_sd * _UNEXPLAINED
    judged = ~np.isnan(pool.column(column))
    step[judged] *= 0.0 if repeats is None else repeats.further[judged]
    return step


class _Task:
    """The candidates of one task, and which of them are to be judged so far."""

    def __init__(self, mean: Floats, step: Floats, rows: Ints, draws: Floats, family: Ints) -> None:
        self.rows, self.family = rows, family[rows]
        self.open = step[rows] > 0.0
        self.sure = np.broadcast_to(mean[rows], (_DRAWS, len(rows))).copy()
        self.judged = mean[rows] + step[rows] * draws[:, rows]
        self.best_place = -1

    def next_worth(self) -> float:
        """Expected rise by the best next judgement; 0 when nothing is left to judge."""
        if not self.open.any():
            return 0.0
        now = self.sure.max(axis=1).mean()
        worth = np.full(len(self.rows), -np.inf)
        for c in np.flatnonzero(self.open):
            others = np.delete(self.sure, c, axis=1).max(axis=1)
            worth[c] = np.maximum(others, self.judged[:, c]).mean() - now
        most = float(worth.max())
        self.best_place = int((worth >= most - _TIE * abs(most)).argmax())  # the first of equals
        return float(max(worth[self.best_place], 0.0))

    def take(self) -> int:
        """Judge the candidate that :meth:`next_worth` found, none of its family besides it, and return its row."""
        self.open[self.family == self.family[self.best_place]] = False
        self.sure[:, self.best_place] = self.judged[:, self.best_place]
        return int(self.rows[self.best_place])
