"""Every selector over many seeds, in several processes; the same figures in any number of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np

from experiments.support.hindsight import STATIC, Thompson
from experiments.support.ours import Bestshot, BestshotHolding
from experiments.support.perturbed import Perturbation
from experiments.support.processes import in_processes
from experiments.support.replayed import Checks, Gaps, Maker, Outliers, Played, play
from experiments.support.score_table import ScoreTable
from experiments.support.version_g import VersionG

BESTSHOT, HOLDING, BEFORE = "bestshot", "bestshot_hold", "before"
PLAYERS: dict[str, Maker] = {BESTSHOT: Bestshot, HOLDING: BestshotHolding, BEFORE: VersionG, "thompson": Thompson}
SELECTORS = (*PLAYERS, *STATIC)
DEFAULT_SELECTORS = tuple(name for name in SELECTORS if name not in (HOLDING, BEFORE))


class Contests(Protocol):
    """Where the contest of a seed comes from. Must be picklable: it travels to the processes once."""

    @property
    def outliers(self) -> Outliers:
        """Which totals its leaderboard gets wrong."""
        ...

    def table(self, seed: int) -> ScoreTable:
        """Candidates and true scores of this seed."""
        ...


@dataclass(frozen=True)
class Published:
    """The same table for every seed: only noise, choices and what perturbs it differ."""

    published: ScoreTable
    perturbation: Perturbation = field(default_factory=Perturbation)

    @property
    def outliers(self) -> Outliers:
        return self.perturbation.outliers

    def table(self, seed: int) -> ScoreTable:
        return self.perturbation.apply(self.published, np.random.default_rng([seed, 0]))


@dataclass(frozen=True)
class Plan:
    """One run: ``contests`` by the name that its results go under."""

    contests: Mapping[str, Contests]
    checkpoints: tuple[int, ...]
    seeds: int
    first_seed: int = 0
    each: bool = True
    selectors: tuple[str, ...] = DEFAULT_SELECTORS


@dataclass
class Outcome:
    """What one selector reached: gaps a seed and a number of submissions, checks of what it stated, seconds."""

    gaps: dict[int, list[Gaps]] = field(default_factory=dict)
    checks: Checks = field(default_factory=Checks)
    seconds: float = 0.0

    def add(self, played: Played, seconds: float) -> None:
        for n, gaps in played.gaps.items():
            self.gaps.setdefault(n, []).append(gaps)
        self.checks.add(played.checks)
        self.seconds += seconds


Outcomes = dict[str, dict[str, Outcome]]  # by contest, by selector
Unit = tuple[str, int]  # contest, seed
Result = list[tuple[str, Played, float]]  # selector, what came out, seconds


def run(plan: Plan, jobs: int) -> Outcomes:
    """Play every contest with every seed in ``jobs`` processes."""
    units = [(name, seed) for name in plan.contests for seed in range(plan.first_seed, plan.first_seed + plan.seeds)]
    outcomes: Outcomes = {name: {who: Outcome() for who in plan.selectors} for name in plan.contests}
    results = in_processes(partial(one_contest, plan), units, jobs)
    for (name, _), result in zip(units, results, strict=True):
        for who, played, seconds in result:
            outcomes[name][who].add(played, seconds)
    return outcomes


def one_contest(plan: Plan, unit: Unit) -> Result:
    """All selectors on the contest of one seed."""
    name, seed = unit
    contests = plan.contests[name]
    table = contests.table(seed)
    result: Result = []
    for who in plan.selectors:
        started = time.perf_counter()
        played = _play(plan, table, contests.outliers, who, seed)
        result.append((who, played, time.perf_counter() - started))
    return result


def _play(plan: Plan, table: ScoreTable, outliers: Outliers, who: str, seed: int) -> Played:
    if who in PLAYERS:
        return play(table, PLAYERS[who], plan.checkpoints, plan.each, seed, outliers)
    gap = STATIC[who](table, np.random.default_rng([seed, 3]))
    return Played(dict.fromkeys(plan.checkpoints, Gaps(gap, gap)), Checks())
