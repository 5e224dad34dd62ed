"""Simulated contests: tables of the published form from a model that is not the one our program learns with.

True SC and PQ are what a judge reads off latent qualities: the smaller of two noisy sub-scores, clipped to 0 to 10 and
rounded. A latent quality is

    level + difficulty(task) + skill(generator) + residual(task, candidate)

and overall = sqrt(SC x PQ) of the judged scores, so nothing is linear. Proxies see the latent qualities, each with a
correlation of its own, through other levels a task, favourites among the generators, slopes that differ by generator,
rounding, and any scale and direction. All sizes are drawn anew for every contest, so no prior can be fitted to one.
What proxies get wrong may be their own or common to them, and types of tasks may share their judges' reliability and
their generators' skill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from experiments.support.perturbed import Perturbation
from experiments.support.replayed import Outliers
from experiments.support.score_csv import CHEAP_JUDGES, LOCAL_JUDGE, SHOT, assemble, columns_of
from experiments.support.score_table import PQ, SC, TOP, Floats, Ints, ScoreTable, overall
from selector.domain import InputError

LEADERBOARD = "leaderboard"
LIKING_SD = 0.2  # a proxy likes the look of some generators, in units of its own spread
Range = tuple[float, float]
Drawn = TypeVar("Drawn", float, Floats)


@dataclass(frozen=True)
class Scenario:
    """What a family of contests is like; a range is what each contest draws from, evenly.

    skill_sd: spread of generators, in points of SC and of PQ.
    residual_sd: spread of candidates around their task and generator, in points.
    cheap, judge: correlation of a cheap proxy and of the local judge with the latent quality they look at.
    auto: that of an ``auto_`` proxy; None is as ``cheap``.
    judge_liking_sd: spread of the local judge's liking of generators for their looks, in units of its own spread: with
        none its mean over a generator's candidates is reliable however noisy it is, with much its mean is worthless.
    common_error: share of their noise that cheap and ``auto_`` proxies have in common, so that they agree in error.
    slope_sd: how much the slope of a proxy differs between generators, as a share of it.
    distances: one ``auto_`` proxy of so many is a distance, the others are similarities.
    degrees: of freedom of the residuals' t distribution; few is heavy tails.
    missing: share of scores that could not be read.
    absent: share of candidates that were never made; every task keeps one.
    same_judges: whether a proxy has one correlation and one liking of generators for all types of tasks.
    same_skill: share of its skill's variance that a generator has in all types of tasks.
    blind_type: whether there is a type, one at random, in which the local judge sees nothing.
    """

    tasks: int = 200
    types: int = 1
    generators: int = 5
    candidates: int = 1  # of each generator
    skill_sd: Range = (0.2, 1.0)
    residual_sd: Range = (1.0, 2.0)
    cheap: Range = (0.0, 0.3)
    judge: Range = (0.3, 0.7)
    auto: Range | None = None
    judge_liking_sd: Range = (LIKING_SD, LIKING_SD)
    common_error: Range = (0.0, 0.0)
    slope_sd: float = 0.2
    autos: int = 3
    distances: int = 2
    degrees: float = 6.0
    missing: float = 0.02
    absent: float = 0.1
    outlier_every: int = 0
    same_judges: bool = False
    same_skill: Range = (0.0, 0.0)
    blind_type: bool = False


SCENARIOS: dict[str, Scenario] = {
    "plain": Scenario(slope_sd=0.0, degrees=30.0, absent=0.0),
    "no-generator-effect": Scenario(skill_sd=(0.0, 0.0)),
    "weak-proxies": Scenario(cheap=(0.0, 0.1), judge=(0.1, 0.25)),
    "strong-judge": Scenario(judge=(0.75, 0.85)),
    "interactions": Scenario(slope_sd=1.0),
    "many-generators": Scenario(generators=12),
    "few-tasks": Scenario(tasks=60),
    "outliers": Scenario(outlier_every=10),
    "four-types": Scenario(tasks=240, types=4),
    # On five of six published tables a judge's mean over a generator's candidates says two to ten times as much, a
    # point of it, as its score of one of them.
    "judge-of-generators": Scenario(judge=(0.15, 0.35), judge_liking_sd=(0.0, 0.05), skill_sd=(0.4, 1.0)),
    # The opposite, so that nobody takes the former for a law: one sees pictures well, and likes a house style.
    "judge-of-pictures": Scenario(judge=(0.5, 0.7), judge_liking_sd=(0.8, 1.5)),
    # Agreement is no merit: scorers built on one backbone share its errors. What trusts it must find out by totals.
    "worthless-proxies": Scenario(cheap=(0.0, 0.0), common_error=(0.5, 0.9), autos=6),
    # Question answering on captions or unit tests on programs: many telling scores that nobody has a belief about.
    "excellent-proxies": Scenario(auto=(0.5, 0.8), common_error=(0.2, 0.6), autos=16, distances=4),
    # One judge scores every type of task, so what one type teaches of it is worth something in the others.
    "shared-judges": Scenario(tasks=240, types=3, same_judges=True, same_skill=(0.3, 0.8)),
    # A judge that cannot see what one kind of task is about (a face, say): what the others teach of it misleads there.
    "one-type-odd": Scenario(
        tasks=240, types=3, judge=(0.5, 0.7), same_judges=True, same_skill=(0.3, 0.8), blind_type=True
    ),
}


@dataclass(frozen=True)
class Simulated:
    """Contests of one scenario, a new one every seed; picklable, as ``many_seeds.Contests`` asks."""

    scenario: Scenario
    proxies: str = "cheap+judge"
    perturbation: Perturbation = field(default_factory=Perturbation)

    @property
    def outliers(self) -> Outliers:
        return replace(self.perturbation.outliers, every=self.scenario.outlier_every)

    def table(self, seed: int) -> ScoreTable:
        made = simulate(self.scenario, np.random.default_rng([seed, 4]))
        columns = columns_of(self.proxies, made.shown.columns, LEADERBOARD)
        places = [made.shown.columns.index(column) for column in columns]
        seen = replace(made, shown=replace(made.shown, columns=columns, scores=made.shown.scores[:, places]))
        return self.perturbation.apply(seen, np.random.default_rng([seed, 0]))


@dataclass(frozen=True, eq=False)
class Latent:
    """Rows of one task type before anybody looks: ``sc`` and ``pq`` (rows,) in points, unbounded."""

    task: Ints
    generator: Ints
    sc: Floats
    pq: Floats


@dataclass(frozen=True, eq=False)
class Common:
    """What the types of one contest share.

    skill: (2, generators) standard normal, of SC and of PQ, of which ``same_skill`` is the share of the variance.
    blind: number of the type in which the local judge sees nothing, -1 where there is none.
    proxies: what proxies were first drawn to be, by proxy, by name of what is drawn.
    """

    skill: Floats
    same_skill: float
    blind: int
    proxies: dict[tuple[str, str], Any] = field(default_factory=dict)


def simulate(scenario: Scenario, rng: np.random.Generator) -> ScoreTable:
    """One contest with the columns of all proxies.

    Args:
        scenario: what it is like.
        rng: draws everything.
    """
    sizes = np.full(scenario.types, scenario.tasks // scenario.types)
    sizes[: scenario.tasks % scenario.types] += 1
    common = _common(scenario, rng)
    parts = [_one_type(scenario, int(size), kind, common, rng) for kind, size in enumerate(sizes)]
    columns = parts[0][1]
    types = np.repeat(np.arange(scenario.types), [len(latent.task) for latent, _, _, _ in parts])
    ids = [f"{kind}:{task}" for kind, (latent, _, _, _) in enumerate(parts) for task in latent.task]
    names = [f"generator {g:02d}" for latent, _, _, _ in parts for g in latent.generator]
    scores = np.vstack([scores for _, _, scores, _ in parts])
    return assemble(ids, types, names, columns, scores, np.concatenate([truth for _, _, _, truth in parts]))


def _common(scenario: Scenario, rng: np.random.Generator) -> Common:
    same_skill = _drawn(scenario.same_skill, rng)
    skill = rng.standard_normal((2, scenario.generators)) if same_skill else np.zeros((2, scenario.generators))
    blind = int(rng.integers(scenario.types)) if scenario.blind_type else -1
    return Common(skill, same_skill, blind)


def _drawn(bounds: Range, rng: np.random.Generator) -> float:
    """Evenly from a range; a range of one value takes nothing from ``rng``."""
    low, high = bounds
    return low if low == high else float(rng.uniform(low, high))


def _one_type(
    scenario: Scenario, tasks: int, kind: int, common: Common, rng: np.random.Generator
) -> tuple[Latent, tuple[str, ...], Floats, Floats]:
    """Latent qualities, columns, scores and true overall of one task type."""
    latent = _latent(scenario, tasks, common, rng)
    truth = overall(_judged(latent.sc, rng), _judged(latent.pq, rng))
    views = _Views(scenario, latent, kind, common, rng)
    columns: dict[str, Floats] = {}
    for judge in (*CHEAP_JUDGES, LOCAL_JUDGE):
        for axis, quality in ((SC, latent.sc), (PQ, latent.pq)):  # two skills: one may be there without the other
            columns[judge + SHOT + axis] = views.judge(judge, axis, quality)
    for number in range(scenario.autos):
        mixed = _standard(latent.sc) + rng.uniform(0, 1) * _standard(latent.pq)
        columns[f"auto_{number}"] = views.measure(number, mixed)
    scores = np.column_stack(list(columns.values()))
    scores[rng.random(scores.shape) < scenario.missing] = np.nan
    return latent, tuple(columns), scores, truth


def _latent(scenario: Scenario, tasks: int, common: Common, rng: np.random.Generator) -> Latent:
    each = scenario.generators * scenario.candidates
    task = np.repeat(np.arange(tasks), each)
    generator = np.tile(np.repeat(np.arange(scenario.generators), scenario.candidates), tasks)
    kept = rng.random(len(task)) >= scenario.absent
    kept[np.arange(tasks) * each + rng.integers(each, size=tasks)] = True  # one candidate at least
    qualities = []
    skill_sd, residual_sd = rng.uniform(*scenario.skill_sd), rng.uniform(*scenario.residual_sd)
    both = rng.standard_normal(scenario.generators)
    own, same = (1 - common.same_skill) ** 0.5, common.same_skill**0.5
    for (level, difficulty_sd), everywhere in zip(((7.0, 1.2), (6.5, 0.6)), common.skill, strict=True):
        here = 0.6 * both + 0.8 * rng.standard_normal(scenario.generators)
        skill = skill_sd * (own * here + same * everywhere)
        difficulty = difficulty_sd * rng.standard_normal(tasks)  # SC varies more between tasks than PQ
        unit = np.sqrt(scenario.degrees / (scenario.degrees - 2))
        residual = residual_sd * rng.standard_t(scenario.degrees, len(task)) / unit
        qualities.append((level + difficulty[task] + skill[generator] + residual)[kept])
    return Latent(task[kept], generator[kept], *qualities)


def _judged(quality: Floats, rng: np.random.Generator) -> Floats:
    """What the leaderboard's judge gives: the smaller of two sub-scores, whole points of 0 to 10."""
    sub_scores = quality + rng.normal(0.3, 0.5, (2, len(quality)))
    judged: Floats = np.clip(np.rint(sub_scores.min(axis=0)), 0, TOP)
    return judged


class _Views:
    """What proxies see of the candidates of one task type."""

    def __init__(self, scenario: Scenario, latent: Latent, kind: int, common: Common, rng: np.random.Generator) -> None:
        self._scenario, self._latent, self._kind, self._common, self._rng = scenario, latent, kind, common, rng
        self._tasks = int(latent.task.max()) + 1
        self._share = _drawn(scenario.common_error, rng)
        self._error = np.zeros(len(latent.task))
        if self._share:  # of pictures, and of the look of a generator
            looks = 0.5 * rng.standard_normal(scenario.generators)
            self._error = _standard(rng.standard_normal(len(latent.task)) + looks[latent.generator])

    def judge(self, judge: str, axis: str, quality: Floats) -> Floats:
        """(rows,) of 0 to 10 in whole points, with a level and a spread of the judge's own."""
        scenario, local, name = self._scenario, judge == LOCAL_JUDGE, judge + axis
        strength = self._same(name, "strength", self._rng.uniform(*(scenario.judge if local else scenario.cheap)))
        if local and self._kind == self._common.blind:
            strength = 0.0
        liking_sd = scenario.judge_liking_sd if local else (LIKING_SD, LIKING_SD)
        seen = self._seen(name, quality, strength, liking_sd, 0.0 if local else self._share)
        level, spread = self._same(name, "scale", self._rng.uniform((5, 0.8), (8, 2.5)))
        given: Floats = np.clip(np.rint(level + spread * seen), 0, TOP)
        return given

    def measure(self, number: int, quality: Floats) -> Floats:
        """(rows,) similarity or distance on a scale of its own; distances are skewed, as LPIPS is."""
        name = f"auto_{number}"
        strength = self._same(name, "strength", self._rng.uniform(*(self._scenario.auto or self._scenario.cheap)))
        seen = self._seen(name, quality, strength, (LIKING_SD, LIKING_SD), self._share)
        scale = self._same(name, "scale", 10.0 ** self._rng.uniform(-2, 3))
        if number % self._scenario.distances == 1:
            return np.asarray(scale * np.exp(-0.5 * seen))
        return np.asarray(scale * (self._same(name, "level", self._rng.uniform(0, 10)) + seen))

    def _seen(self, name: str, quality: Floats, strength: float, liking: Range, common: float) -> Floats:
        """(rows,) standardised view of a quality with correlation about ``strength``, with faults of its own."""
        rng, of, generators = self._rng, self._latent.generator, self._scenario.generators
        slopes = self._same(name, "slopes", rng.standard_normal(generators))
        slope = strength * (1 + self._scenario.slope_sd * slopes)[of]
        liking_sd = self._same(name, "liking_sd", _drawn(liking, rng))
        liked = liking_sd * self._same(name, "liking", rng.standard_normal(generators))
        level = rng.uniform(0.2, 0.6) * rng.standard_normal(self._tasks)[self._latent.task]  # a prompt's own level
        error = (1 - common) ** 0.5 * rng.standard_normal(len(quality)) + common**0.5 * self._error
        seen: Floats = slope * _standard(quality) + liked[of] + level + np.sqrt(max(0.05, 1 - strength**2)) * error
        return seen

    def _same(self, name: str, what: str, drawn: Drawn) -> Drawn:
        """What was drawn for the first type, where the types have the same judges."""
        if not self._scenario.same_judges:
            return drawn
        first: Drawn = self._common.proxies.setdefault((name, what), drawn)
        return first


def _standard(values: Floats) -> Floats:
    standard: Floats = (values - values.mean()) / max(float(values.std()), 1e-9)
    return standard


def chosen_scenarios(names: Sequence[str], tasks: int | None = None) -> dict[str, Scenario]:
    """Those of ``SCENARIOS``, all if none is named, with another number of tasks if one is given.

    Raises:
        InputError: when there would be types without a task.
    """
    chosen = {name: SCENARIOS[name] for name in names or SCENARIOS}
    if tasks is None:
        return chosen
    most = max(scenario.types for scenario in chosen.values())
    if tasks < most:
        raise InputError(f"--tasks: expected at least {most}, one of each type, got {tasks}")
    return {name: replace(scenario, tasks=tasks) for name, scenario in chosen.items()}
