"""One contest played to its end: a selector submits, hears a noisy total, and submits again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from experiments.support.score_table import TOP, Floats, Ints, ScoreTable, Shown

NOISE_SD = 0.03  # of a total, in points of 0 to 10
DECIMALS = 2  # that a leaderboard shows
BINS = 10  # of the reliability of probabilities


class Selector(Protocol):
    """Picks one row a task, learns from totals. Rows are numbers of ``Shown``, shape (tasks,)."""

    def ask(self, remaining: int) -> Ints:
        """Rows to submit now; ``remaining`` submissions are left, this one included."""
        ...

    def tell(self, rows: Ints, total: float) -> None:
        """The leaderboard's total of submitted rows."""
        ...

    def final(self) -> Ints:
        """Rows it would pick now, were nothing more to be learned."""
        ...


@runtime_checkable
class Forecaster(Protocol):
    """What a selector may offer besides: statements that can be checked against what happens."""

    def interval(self) -> tuple[float, float]:
        """Low and high of the central 80% interval of the total that the rows just asked for will get."""
        ...

    def probability_best(self) -> Floats:
        """(rows,) probability that each row is the best of its task; sums to 1 within a task."""
        ...


@runtime_checkable
class Holder(Protocol):
    """What a selector may offer besides: to leave a submission unused."""

    def hold(self) -> bool:
        """Whether the rows just asked for are not worth a submission."""
        ...


Maker = Callable[[Shown, np.random.Generator], Selector]


@dataclass(frozen=True)
class Outliers:
    """Which totals a leaderboard gets wrong, and by how much (points, either way)."""

    one: bool = False  # one of a contest's totals, whichever
    every: int = 0  # every n-th total; 0 is none
    size: float = 1.5

    def shifts(self, n: int, rng: np.random.Generator) -> Floats:
        """(n,) what is added to each total."""
        hit = np.zeros(n, dtype=bool)
        if self.one and n:
            hit[rng.integers(n)] = True
        if self.every:
            hit[self.every - 1 :: self.every] = True
        return np.where(hit, self.size * rng.choice([-1.0, 1.0], n), 0.0)


class Leaderboard:
    """Totals of one contest of ``n`` submissions: mean of the true scores, rounded, with noise and outliers.

    The faults are drawn beforehand, so that the k-th total is off by the same for every selector.
    """

    def __init__(self, truth: Floats, n: int, rng: np.random.Generator, outliers: Outliers) -> None:
        self._truth = truth
        self._off = rng.normal(0.0, NOISE_SD, n) + outliers.shifts(n, rng)
        self._told = 0

    def total(self, rows: Ints) -> float:
        """The total that a team reads for its next submission, in points."""
        off = self._off[self._told]
        self._told += 1
        shown = round(float(self._truth[rows].mean()), DECIMALS) + float(off)
        return min(max(shown, 0.0), TOP)  # no leaderboard shows more than its scale


@dataclass(frozen=True)
class Gaps:
    """Recovered gap of the picks in the end, and of the submission whose recorded total was highest.

    ``best_submitted`` is NaN when nothing was submitted; ``used`` is the share of the submissions that were;
    ``flips`` how often a turn was used right after one that was held, although no total had come in between.
    """

    final: float
    best_submitted: float
    used: float = 1.0
    flips: int = 0


@dataclass
class Checks:
    """How often intervals held the total, and how often picks of a stated probability were the best."""

    intervals: int = 0
    covered: int = 0
    stated: Floats = field(default_factory=lambda: np.zeros(BINS))
    happened: Floats = field(default_factory=lambda: np.zeros(BINS))
    cases: Floats = field(default_factory=lambda: np.zeros(BINS))

    def add(self, other: Checks) -> None:
        self.intervals += other.intervals
        self.covered += other.covered
        self.stated = self.stated + other.stated
        self.happened = self.happened + other.happened
        self.cases = self.cases + other.cases


@dataclass(frozen=True)
class Played:
    """What came out of one or more contests: gaps by number of submissions, and checks of what was stated."""

    gaps: Mapping[int, Gaps]
    checks: Checks


def play(
    table: ScoreTable, make: Maker, checkpoints: Sequence[int], each: bool, seed: int, outliers: Outliers
) -> Played:
    """Play one contest a checkpoint (``each``), or one of the longest and read all checkpoints off it."""
    gaps: dict[int, Gaps] = {}
    checks = Checks()
    for horizon in checkpoints if each else [max(checkpoints)]:
        board = Leaderboard(table.truth, horizon, np.random.default_rng([seed, horizon, 1]), outliers)
        selector = make(table.shown, np.random.default_rng([seed, horizon, 2]))
        wanted = [horizon] if each else checkpoints
        gaps |= play_one(table, selector, board, horizon, wanted, checks)
    return Played(gaps, checks)


def play_one(
    table: ScoreTable,
    selector: Selector,
    board: Leaderboard,
    horizon: int,
    checkpoints: Sequence[int],
    checks: Checks,
) -> dict[int, Gaps]:
    """One contest of ``horizon`` submissions; gaps after each of ``checkpoints``, and ``checks`` added to."""
    gaps: dict[int, Gaps] = {}
    best, best_total, used, flips, held = float("nan"), -np.inf, 0, 0, False
    for turn in range(1, horizon + 1):
        rows = checked(table.shown, selector.ask(horizon - turn + 1))
        held_before, held = held, isinstance(selector, Holder) and selector.hold()
        if not held:
            flips += held_before
            stated = selector.interval() if isinstance(selector, Forecaster) else None
            total = board.total(rows)
            selector.tell(rows, total)
            used += 1
            if total > best_total:
                best, best_total = table.recovered(rows), total
            if stated is not None and used > 1:  # before the first total an interval tells only how wide the prior is
                checks.intervals += 1
                checks.covered += stated[0] <= total <= stated[1]
        if turn in checkpoints:
            gaps[turn] = Gaps(table.recovered(checked(table.shown, selector.final())), best, used / turn, flips)
    if isinstance(selector, Forecaster):
        add_reliability(checks, table, selector.probability_best())
    return gaps


def checked(shown: Shown, rows: Ints) -> Ints:
    """``rows`` if they are one row of each task in order; else ``ValueError``: the selector is at fault."""
    rows = np.asarray(rows, dtype=np.int64)
    if rows.shape != (shown.n_tasks,) or (shown.task[rows] != np.arange(shown.n_tasks)).any():
        raise ValueError(f"a selector must pick one row of each of {shown.n_tasks} tasks, in their order")
    return rows


def add_reliability(checks: Checks, table: ScoreTable, probability: Floats) -> None:
    """Count each candidate in the bin of its stated probability; candidates that share the top share the credit."""
    shown = table.shown
    top = np.maximum.reduceat(table.truth, shown.starts)[shown.task]
    ties = np.bincount(shown.task, weights=table.truth == top, minlength=shown.n_tasks)[shown.task]
    credit = np.where(table.truth == top, 1.0 / ties, 0.0)
    several = shown.counts[shown.task] > 1  # a task of one candidate states nothing
    bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)[several]
    checks.stated = checks.stated + np.bincount(bins, weights=probability[several], minlength=BINS)
    checks.happened = checks.happened + np.bincount(bins, weights=credit[several], minlength=BINS)
    checks.cases = checks.cases + np.bincount(bins, minlength=BINS)
