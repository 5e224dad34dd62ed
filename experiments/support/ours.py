"""Our own selector behind the protocol of the replay: a ``Study`` of the shown candidates, judged or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiments.support.replayed import NOISE_SD
from experiments.support.score_csv import CHEAP_JUDGES, LOCAL_JUDGE, SHOT
from experiments.support.score_table import PQ, SC, Floats, Ints, Shown
from selector.learn.belief import JUDGE, JUDGE_PART, SMALL_JUDGE_PQ, SMALL_JUDGE_SC, UNKNOWN, Belief
from selector.learn.plan_judging import plan_judging
from selector.learn.plan_submission import HOLD_BELOW
from selector.learn.pool import Bools, Pool
from selector.learn.study import Proposal, Study

JUDGE_COLUMN = LOCAL_JUDGE + SHOT  # its overall; its SC and PQ begin with the same
ROUNDS = 10  # of judging, the planner asked anew before each


class Bestshot:
    """Always submits what ``Study.ask`` proposes, and never holds."""

    hold_below = 0.0

    def __init__(self, shown: Shown, rng: np.random.Generator) -> None:
        columns = believed_columns(shown)
        self._beliefs = {name: belief for name, (_, belief) in columns.items()}
        self._seed = int(rng.integers(2**31))
        self._study = self._study_of(pool_of(shown, {name: values for name, (values, _) in columns.items()}))
        self._proposal: Proposal | None = None

    def ask(self, remaining: int) -> Ints:
        self._proposal = self._study.ask(remaining, self.hold_below)
        return np.asarray(self._proposal.plan.picked, dtype=np.int64)

    def tell(self, rows: Ints, total: float) -> None:
        self._study.tell(rows, total)

    def final(self) -> Ints:
        return np.asarray(self._study.best_rows(), dtype=np.int64)

    def interval(self) -> tuple[float, float]:
        assert self._proposal is not None, "ask comes first"
        return self._proposal.plan.low, self._proposal.plan.high

    def probability_best(self) -> Floats:
        return np.asarray(self._study.estimates()["p_best"], dtype=np.float64)

    def _study_of(self, pool: Pool) -> Study:
        return Study(pool, self._beliefs, noise_sd=NOISE_SD, seed=self._seed)


class BestshotHolding(Bestshot):
    """Leaves a submission unused where the plan says HOLD; asks anew every turn, as a team does every day."""

    hold_below = HOLD_BELOW

    def hold(self) -> bool:
        return self._proposal is not None and self._proposal.plan.hold


def believed_columns(shown: Shown) -> dict[str, tuple[Floats, Belief]]:
    """Columns of a study with what is believed of each before any total; directions of ``auto_`` ones are unknown."""
    columns: dict[str, tuple[Floats, Belief]] = {}
    for name in shown.proxies:
        if name.startswith("auto_"):
            columns[name] = (shown.proxy(name), UNKNOWN)
            continue
        if name == LOCAL_JUDGE + SHOT:
            columns[name] = (shown.proxy(name), JUDGE)
        for axis, belief in zip((SC, PQ), _beliefs_of_judge(name), strict=True):
            columns[name + axis] = (shown.column(name + axis), belief)
    return columns


def _beliefs_of_judge(name: str) -> tuple[Belief, Belief]:
    """Of SC and PQ. Of a judge that nobody has heard of nothing is believed, not even that it means well."""
    if name == LOCAL_JUDGE + SHOT:
        return JUDGE_PART, JUDGE_PART
    known = name in [judge + SHOT for judge in CHEAP_JUDGES]
    return (SMALL_JUDGE_SC, SMALL_JUDGE_PQ) if known else (UNKNOWN, UNKNOWN)


def pool_of(shown: Shown, columns: dict[str, Floats]) -> Pool:
    """The shown candidates as a pool, row for row."""
    return Pool(
        tuple(f"{task:05d}" for task in shown.task),
        tuple(f"{row:06d}" for row in range(len(shown.task))),
        tuple(f"type {kind}" for kind in shown.row_type),
        tuple(shown.generators[number] for number in shown.generator),
        tuple(columns),
        np.column_stack(list(columns.values())),
    )


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
