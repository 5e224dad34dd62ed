"""Our selector when an expensive judge scores only some candidates, in the middle of a contest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiments.support.ours import Bestshot
from experiments.support.proxy_sets import LOCAL_JUDGE, SHOT
from experiments.support.score_table import Ints, Shown
from selector.learn.plan_judging import plan_judging
from selector.learn.pool import Bools, Pool

JUDGE_COLUMN = LOCAL_JUDGE + SHOT  # its overall; its SC and PQ begin with the same
ROUNDS = 10  # of judging, the planner asked anew before each


class JudgesSome(Bestshot):
    """Submits with cheap proxies for the first half of the totals, lets the judge score ``budget`` rows, goes on.

    Without totals it judges before its final picks. Subclasses say which rows.

    Args:
        shown: with the judge's scores of all candidates; those of rows that were not judged are never looked at.
        rng: draws the seed.
        budget: candidates that the judge scores; an answer that cannot be read costs as much as any other.
    """

    def __init__(self, shown: Shown, rng: np.random.Generator, budget: int) -> None:
        super().__init__(shown, rng)
        self._all_judged = self._study.pool
        self._told: list[tuple[Ints, float]] = []
        self._before = -1  # totals to come before the judge; known when the first submission is asked for
        self._budget, self._done = budget, False
        self.judged = np.zeros(len(shown.task), dtype=bool)
        self._begin_anew()

    def ask(self, remaining: int) -> Ints:
        if self._before < 0:
            self._before = remaining // 2
        if len(self._told) >= self._before:
            self._judge()
        return super().ask(remaining)

    def tell(self, rows: Ints, total: float) -> None:
        self._told.append((rows, total))
        super().tell(rows, total)

    def final(self) -> Ints:
        self._judge()
        return super().final()

    def choose(self, count: int) -> Ints:
        """Up to ``count`` rows to judge next, none of them judged before."""
        raise NotImplementedError

    def _judge(self) -> None:
        if self._done:
            return
        self._done = True
        for turn in range(1, ROUNDS + 1):
            self.judged[self.choose(self._budget * turn // ROUNDS - int(self.judged.sum()))] = True
            self._begin_anew()

    def _begin_anew(self) -> None:
        """A study of what was judged so far that has heard all totals."""
        self._study = self._study_of(hidden(self._all_judged, self.judged))
        for rows, total in self._told:
            self._study.tell(rows, total)


class JudgesPlanned(JudgesSome):
    """Judges what ``bestshot plan --judge`` would: the candidates whose judgement is expected to win most."""

    def choose(self, count: int) -> Ints:
        # A judged row that could not be read is still worth judging to the planner: ask for so many more.
        most = count + int(self.judged.sum())
        found = plan_judging(self._study.fitted, JUDGE_COLUMN, most, seed=self._seed)
        return np.array([one.row for one in found if not self.judged[one.row]][:count], dtype=np.int64)


class JudgesRandom(JudgesSome):
    """Judges any candidates."""

    def choose(self, count: int) -> Ints:
        rng = np.random.default_rng([self._seed, int(self.judged.sum())])
        return rng.permutation(np.flatnonzero(~self.judged))[:count]


def hidden(pool: Pool, judged: Bools) -> Pool:
    """The pool with the judge's columns unscored where ``judged`` (rows,) is not set."""
    of_judge = np.array([name.startswith(JUDGE_COLUMN) for name in pool.columns])
    return replace(pool, values=np.where(~judged[:, None] & of_judge, np.nan, pool.values))
