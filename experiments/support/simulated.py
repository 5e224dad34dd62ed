"""Simulated contests: tables of the published form from a model that is not the one our program learns with.

True SC and PQ are what a judge reads off latent qualities: the smaller of two noisy sub-scores, clipped to 0 to 10 and
rounded. A latent quality is

    level + difficulty(task) + skill(generator) + residual(task, candidate)

and overall = sqrt(SC x PQ) of the judged scores, so nothing is linear. Proxies see the latent qualities, each with a
correlation of its own, through other levels a task, favourites among the generators, slopes that differ by generator,
rounding, and any scale and direction. All sizes are drawn anew for every contest, so no prior can be fitted to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from experiments.support.perturbed import Perturbation
from experiments.support.replayed import Outliers
from experiments.support.score_csv import CHEAP_JUDGES, LOCAL_JUDGE, SHOT, assemble, columns_of
from experiments.support.score_table import PQ, SC, TOP, Floats, Ints, ScoreTable, overall
from selector.domain import InputError

LEADERBOARD = "leaderboard"
Range = tuple[float, float]


@dataclass(frozen=True)
class Scenario:
    """What a family of contests is like; a range is what each contest draws from, evenly.

    skill_sd: spread of generators, in points of SC and of PQ.
    residual_sd: spread of candidates around their task and generator, in points.
    cheap, judge: correlation of a cheap proxy and of the local judge with the latent quality they look at.
    slope_sd: how much the slope of a proxy differs between generators, as a share of it.
    degrees: of freedom of the residuals' t distribution; few is heavy tails.
    missing: share of scores that could not be read.
    absent: share of candidates that were never made; every task keeps one.
    """

    tasks: int = 200
    types: int = 1
    generators: int = 5
    candidates: int = 1  # of each generator
    skill_sd: Range = (0.2, 1.0)
    residual_sd: Range = (1.0, 2.0)
    cheap: Range = (0.0, 0.3)
    judge: Range = (0.3, 0.7)
    slope_sd: float = 0.2
    autos: int = 3
    degrees: float = 6.0
    missing: float = 0.02
    absent: float = 0.1
    outlier_every: int = 0


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


def simulate(scenario: Scenario, rng: np.random.Generator) -> ScoreTable:
    """One contest with the columns of all proxies.

    Args:
        scenario: what it is like.
        rng: draws everything.
    """
    sizes = np.full(scenario.types, scenario.tasks // scenario.types)
    sizes[: scenario.tasks % scenario.types] += 1
    parts = [_one_type(scenario, int(size), rng) for size in sizes]
    columns = parts[0][1]
    types = np.repeat(np.arange(scenario.types), [len(latent.task) for latent, _, _, _ in parts])
    ids = [f"{kind}:{task}" for kind, (latent, _, _, _) in enumerate(parts) for task in latent.task]
    names = [f"generator {g:02d}" for latent, _, _, _ in parts for g in latent.generator]
    scores = np.vstack([scores for _, _, scores, _ in parts])
    return assemble(ids, types, names, columns, scores, np.concatenate([truth for _, _, _, truth in parts]))


def _one_type(
    scenario: Scenario, tasks: int, rng: np.random.Generator
) -> tuple[Latent, tuple[str, ...], Floats, Floats]:
    """Latent qualities, columns, scores and true overall of one task type."""
    latent = _latent(scenario, tasks, rng)
    truth = overall(_judged(latent.sc, rng), _judged(latent.pq, rng))
    columns: dict[str, Floats] = {}
    for judge in (*CHEAP_JUDGES, LOCAL_JUDGE):
        for axis, quality in ((SC, latent.sc), (PQ, latent.pq)):  # two skills: one may be there without the other
            strength = rng.uniform(*(scenario.judge if judge == LOCAL_JUDGE else scenario.cheap))
            seen = _through_proxy(latent, quality, strength, scenario, rng)
            columns[judge + SHOT + axis] = _as_judge(seen, rng)
    for number in range(scenario.autos):
        mixed = _standard(latent.sc) + rng.uniform(0, 1) * _standard(latent.pq)
        seen = _through_proxy(latent, mixed, rng.uniform(*scenario.cheap), scenario, rng)
        columns[f"auto_{number}"] = _as_measure(seen, number, rng)
    scores = np.column_stack(list(columns.values()))
    scores[rng.random(scores.shape) < scenario.missing] = np.nan
    return latent, tuple(columns), scores, truth


def _latent(scenario: Scenario, tasks: int, rng: np.random.Generator) -> Latent:
    each = scenario.generators * scenario.candidates
    task = np.repeat(np.arange(tasks), each)
    generator = np.tile(np.repeat(np.arange(scenario.generators), scenario.candidates), tasks)
    kept = rng.random(len(task)) >= scenario.absent
    kept[np.arange(tasks) * each + rng.integers(each, size=tasks)] = True  # one candidate at least
    qualities = []
    skill_sd, residual_sd = rng.uniform(*scenario.skill_sd), rng.uniform(*scenario.residual_sd)
    common = rng.standard_normal(scenario.generators)
    for level, difficulty_sd in ((7.0, 1.2), (6.5, 0.6)):  # SC varies more between tasks than PQ
        skill = skill_sd * (0.6 * common + 0.8 * rng.standard_normal(scenario.generators))
        difficulty = difficulty_sd * rng.standard_normal(tasks)
        unit = np.sqrt(scenario.degrees / (scenario.degrees - 2))
        residual = residual_sd * rng.standard_t(scenario.degrees, len(task)) / unit
        qualities.append((level + difficulty[task] + skill[generator] + residual)[kept])
    return Latent(task[kept], generator[kept], *qualities)


def _judged(quality: Floats, rng: np.random.Generator) -> Floats:
    """What the leaderboard's judge gives: the smaller of two sub-scores, whole points of 0 to 10."""
    sub_scores = quality + rng.normal(0.3, 0.5, (2, len(quality)))
    judged: Floats = np.clip(np.rint(sub_scores.min(axis=0)), 0, TOP)
    return judged


def _through_proxy(
    latent: Latent, quality: Floats, strength: float, scenario: Scenario, rng: np.random.Generator
) -> Floats:
    """(rows,) standardised view of a quality with correlation about ``strength``, with faults of its own."""
    n_generators, n_tasks = int(latent.generator.max()) + 1, int(latent.task.max()) + 1
    slope = strength * (1 + scenario.slope_sd * rng.standard_normal(n_generators))[latent.generator]
    favour = 0.2 * rng.standard_normal(n_generators)[latent.generator]  # a judge likes the look of some generators
    level = rng.uniform(0.2, 0.6) * rng.standard_normal(n_tasks)[latent.task]  # a prompt's own level
    noise = np.sqrt(max(0.05, 1 - strength**2)) * rng.standard_normal(len(quality))
    seen: Floats = slope * _standard(quality) + favour + level + noise
    return seen


def _as_judge(seen: Floats, rng: np.random.Generator) -> Floats:
    """On 0 to 10 in whole points, with a level and a spread of the judge's own."""
    level, spread = rng.uniform(5, 8), rng.uniform(0.8, 2.5)
    given: Floats = np.clip(np.rint(level + spread * seen), 0, TOP)
    return given


def _as_measure(seen: Floats, number: int, rng: np.random.Generator) -> Floats:
    """A similarity (0, 2, …) or a distance (1, 3, …) on a scale of its own; distances are skewed, as LPIPS is."""
    scale = 10.0 ** rng.uniform(-2, 3)
    if number % 2:
        return np.asarray(scale * np.exp(-0.5 * seen))
    return np.asarray(scale * (rng.uniform(0, 10) + seen))


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
