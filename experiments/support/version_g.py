"""The selector as it was before issue 15, frozen as a baseline: its model, its planner and its beliefs in one file.

A copy, trimmed to what a table of published scores can ask for: no treatments, variants or written priors. Only the
algebra of a Gaussian and the table of candidates are shared with the program. It is not to be improved: what it does is
what later versions are measured against (tests/experiments/test_version_g.py holds figures of the original).

    overall(c) = 6 + sum_j w_j x_j(c) + u(c),   w_j ~ N(mean_j, sd_j^2),   u(c) ~ N(0, residual_sd^2)

Every task type has its own weights; generators share a part of theirs over types. A submission is planned by the
knowledge gradient, up to six of them together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import nnls
from scipy.special import ndtri

from experiments.support.replayed import NOISE_SD
from experiments.support.score_csv import CHEAP_JUDGES, LOCAL_JUDGE, SHOT
from experiments.support.score_table import PQ, SC, Shown
from selector.learn.gaussian import Gaussian, probability_best
from selector.learn.pool import Bools, Choices, Floats, Ints, Pool, codes, padded

Singles = np.ndarray[Any, np.dtype[np.float32]]
NOISE = NOISE_SD**2 + 0.01**2 / 12  # variance of a total, rounding to two decimals included
Z80 = 1.2815515655446004

# Points of the 0 to 10 scale
BASE, BASE_SD, WITHIN_SD, RESIDUAL_SD = 6.0, 2.5, 1.5, 1.55
GENERATOR_SD, POOLED, EASE_SD, BETWEEN_SD = 0.7, 0.3, 0.3, 0.5

LOGS = np.linspace(-1.5, 1.5, 13)  # of the factors on the prior's spreads
LOG_SD, ROUNDS = 0.5, 3
OUTLIER_SHARE, OUTLIER_SD, CERTAIN = 0.03, 2.0, 0.9
GENERATORS, WEAK_SCORES, OWN = "generators", "weak scores", "candidates"  # parts of the prior with such a factor

AHEAD, STARTS, DRAWS, SWEEPS, STEPS, QUANTILES = 6, 4, 64, 3, 5, 16  # effort of the planner
STEP_DECAY, JOINT_DRAWS = 0.8, 256


@dataclass(frozen=True, slots=True)
class Belief:
    """Correlation with the overall within a task; ``beyond``: takes no weight from columns that it overlaps with."""

    correlation: float
    sd: float
    beyond: bool = False


JUDGE, JUDGE_PART, UNKNOWN = Belief(0.45, 0.20), Belief(0.0, 0.03, beyond=True), Belief(0.0, 0.05, beyond=True)
SMALL_JUDGE = {SC: Belief(0.10, 0.05), PQ: Belief(0.03, 0.03)}


class VersionG:
    """Always submits what it plans; see ``replayed.Selector`` and ``replayed.Forecaster``."""

    def __init__(self, shown: Shown, rng: np.random.Generator) -> None:
        columns = _believed_columns(shown)
        self._seed = int(rng.integers(2**31))
        self._pool = Pool(
            tuple(f"{task:05d}" for task in shown.task),
            tuple(f"{row:06d}" for row in range(len(shown.task))),
            tuple(f"type {kind}" for kind in shown.row_type),
            tuple(shown.generators[number] for number in shown.generator),
            tuple(columns),
            np.column_stack([values for values, _ in columns.values()]),
        )
        rows = np.flatnonzero(self._pool.eligible)  # the pool mixes equals now; then the first row was picked
        tasks = len(self._pool.tasks)
        self._choices = Choices(padded(rows, self._pool.task_of[rows], tasks), tasks)
        self._design = _design(self._pool, [belief for _, belief in columns.values()])
        self._told: list[tuple[Ints, float]] = []
        self._known: _Fitted | None = None
        self._interval: tuple[float, float] | None = None

    def ask(self, remaining: int) -> Ints:
        picked = _planned(self._fitted, self._choices, remaining, [self._seed, len(self._told), 0])
        belief = self._fitted.posterior
        expected = float(belief.mean[picked].sum()) / self._choices.tasks
        _, sd = _moved(belief, self._choices, picked)
        self._interval = max(expected - Z80 * sd, 0.0), min(expected + Z80 * sd, 10.0)
        return np.asarray(picked, dtype=np.int64)

    def tell(self, rows: Ints, total: float) -> None:
        self._told.append((np.asarray(rows, dtype=np.intp), float(total)))
        self._known = None

    def final(self) -> Ints:
        return np.asarray(self._choices.best(self._fitted.posterior.mean), dtype=np.int64)

    def interval(self) -> tuple[float, float]:
        assert self._interval is not None, "ask comes first"
        return self._interval

    def probability_best(self) -> Floats:
        return probability_best(self._fitted.posterior, self._choices, 512, self._seed)

    @property
    def _fitted(self) -> _Fitted:
        if self._known is None:
            self._known = _fit(self._design, self._told)
        return self._known


def _believed_columns(shown: Shown) -> dict[str, tuple[Floats, Belief]]:
    columns: dict[str, tuple[Floats, Belief]] = {}
    for name in shown.proxies:
        if name.startswith("auto_"):
            columns[name] = (shown.proxy(name), UNKNOWN)
            continue
        if name == LOCAL_JUDGE + SHOT:
            columns[name] = (shown.proxy(name), JUDGE)
        for axis in (SC, PQ):
            belief = SMALL_JUDGE[axis] if name in [judge + SHOT for judge in CHEAP_JUDGES] else UNKNOWN
            columns[name + axis] = (shown.column(name + axis), JUDGE_PART if name == LOCAL_JUDGE + SHOT else belief)
    return columns


# The model: columns of effects over candidates, each with a prior weight.


@dataclass(frozen=True)
class _Effect:
    mean: float
    sd: float
    part: str | None  # of the prior, whose spread totals may correct
    rows: Ints
    values: Floats


@dataclass(frozen=True)
class _Deviation:
    """A standardised column: ``within`` has mean 0 in every task and spread 1 over measured rows."""

    within: Floats
    between: Floats
    missing: Bools


def _design(pool: Pool, beliefs: Sequence[Belief]) -> tuple[Gaussian, dict[str, Ints]]:
    """The prior over the pool, and the effects (columns of its root) of each part."""
    n = len(pool.task_ids)
    variance = np.full(n, RESIDUAL_SD**2)
    effects = list(_effects(pool, beliefs, variance))
    basis = np.zeros((n, len(effects)))
    for j, effect in enumerate(effects):
        basis[effect.rows, j] = effect.values
    means, sds = np.array([e.mean for e in effects]), np.array([e.sd for e in effects])
    own = np.sqrt(variance) ** 2
    prior = Gaussian(np.full(n, BASE) + basis @ means, basis * sds, own, np.zeros((n, 0)))
    named = [e.part for e in effects]
    return prior, {p: np.flatnonzero([name == p for name in named]) for p in sorted({name for name in named if name})}


def _effects(pool: Pool, beliefs: Sequence[Belief], variance: Floats) -> Iterator[_Effect]:
    generators, generator_of = codes(pool.generators)
    several_types = len(pool.types) > 1
    own = GENERATOR_SD * ((1 - POOLED) ** 0.5 if several_types else 1.0)
    for rows in pool.types.values():
        yield _Effect(0.0, BASE_SD, None, rows, np.ones(len(rows)))
        found = _scored(pool, rows, _codes_of(generator_of[rows]), beliefs)
        yield from _scores(rows, found, variance)
        levels = list(_indicators([pool.generators[i] for i in rows]))
        for values in levels:
            yield _Effect(0.0, own, GENERATORS, rows, values)
        ease = _ease(found, len(rows))
        if ease is not None:
            yield from (_Effect(0.0, EASE_SD, GENERATORS, rows, values * ease) for values in levels)
    for place in range(len(generators)) if several_types else ():
        values = _centred(generator_of == place)
        yield _Effect(0.0, GENERATOR_SD * POOLED**0.5, GENERATORS, np.arange(len(generator_of)), values)


def _scored(pool: Pool, rows: Ints, generator: Ints, beliefs: Sequence[Belief]) -> list[tuple[Belief, _Deviation]]:
    task = _codes_of(pool.task_of[rows])
    split = ((belief, _deviation(pool.values[rows, j], task, generator)) for j, belief in enumerate(beliefs))
    return [(belief, found) for belief, found in split if found is not None]


def _scores(rows: Ints, found: list[tuple[Belief, _Deviation]], variance: Floats) -> Iterator[_Effect]:
    """One effect a column, and one for their sum between tasks; holes add to the variance of their rows."""
    if not found:
        return
    weights = _joint_weights([b for b, _ in found], np.column_stack([d.within for _, d in found]))
    for (belief, split), weight in zip(found, weights, strict=True):
        variance[rows] += split.missing * WITHIN_SD**2 * (weight**2 + belief.sd**2)
        part = WEAK_SCORES if belief.sd < 0.1 else None
        yield _Effect(float(weight), belief.sd, part, rows, WITHIN_SD * split.within)
    between = WITHIN_SD * sum(w * d.between for (_, d), w in zip(found, weights, strict=True))
    yield _Effect(1.0, BETWEEN_SD, None, rows, between)


def _joint_weights(beliefs: Sequence[Belief], within: Floats) -> Floats:
    """Regression weights that the correlations imply; one against its belief's direction is 0 instead."""
    weights = np.array([b.correlation for b in beliefs])
    shared = np.flatnonzero([not b.beyond and b.correlation != 0.0 for b in beliefs])
    if len(shared):
        columns = within[:, shared] / within[:, shared].std(axis=0)
        signs = np.sign(weights[shared])
        factor = np.linalg.cholesky(columns.T @ columns / len(columns) + 0.03 * np.eye(len(shared)))
        target = solve_triangular(factor, weights[shared], lower=True)
        weights[shared] = signs * nnls(factor.T * signs, target)[0]
    return weights


def _deviation(values: Floats, task: Ints, generator: Ints) -> _Deviation | None:
    missing = np.isnan(values)
    if missing.all():
        return None
    spread = float(np.nanstd(values))
    if spread <= 1e-9 * float(np.nanmax(np.abs(values))):
        return None
    z = (values - np.nanmean(values)) / spread
    if missing.any():
        z = np.where(missing, _additive(z, missing, task, generator), z)
    between = (np.bincount(task, weights=z) / np.maximum(np.bincount(task), 1))[task]
    within = z - between
    within_spread = float(within[~missing].std())
    return None if within_spread <= 1e-9 else _Deviation(within / within_spread, between, missing)


def _additive(z: Floats, missing: Bools, task: Ints, generator: Ints) -> Floats:
    """Task level + generator level of every row, fitted to the measured ones by alternating shrunken means."""
    measured, tasks, generators = z[~missing], task[~missing], generator[~missing]
    by_task, by_generator = np.zeros(task.max() + 1), np.zeros(generator.max() + 1)
    for _ in range(4):
        by_task = _shrunken(measured - by_generator[generators], tasks, len(by_task))
        by_generator = _shrunken(measured - by_task[tasks], generators, len(by_generator))
    fitted: Floats = by_task[task] + by_generator[generator]
    return fitted


def _shrunken(values: Floats, group: Ints, groups: int) -> Floats:
    counts = np.bincount(group, minlength=groups)
    shrunken: Floats = np.bincount(group, weights=values, minlength=groups) / (counts + 1.0)
    return shrunken


def _ease(found: list[tuple[Belief, _Deviation]], n: int) -> Floats | None:
    """(n,) mean score of each row's task over columns that are believed to be good news, spread 1."""
    total = np.zeros(n)
    for belief, split in found:
        total += belief.correlation * split.between
    spread = float(total.std())
    return (total - total.mean()) / spread if spread > 1e-9 else None


def _indicators(labels: list[str]) -> Iterator[Floats]:
    names, place = codes(labels)
    if len(names) > 1:
        yield from (_centred(place == i) for i in range(len(names)))


def _centred(there: Bools) -> Floats:
    values = there.astype(np.float64)
    centred: Floats = values - values.mean()
    return centred


def _codes_of(values: Ints) -> Ints:
    places: Ints = np.unique(values, return_inverse=True)[1].astype(np.intp)
    return places


# Totals as observations: factors on the prior's spreads by their likelihood, and outliers.


@dataclass(frozen=True)
class _Parts:
    """Covariance of the totals (t, t) by part of the prior, and what keeps its spread."""

    sure: Floats
    free: Mapping[str, Floats]

    def spread(self, factors: Mapping[str, float]) -> Floats:
        return self.sure + sum((factors[name] ** 2 * p for name, p in self.free.items()), np.zeros_like(self.sure))


@dataclass(frozen=True)
class _Fitted:
    prior: Gaussian
    posterior: Gaussian
    weights: Floats  # (t, n) of the totals
    noise: Floats  # (t,)


def _fit(design: tuple[Gaussian, dict[str, Ints]], told: Sequence[tuple[Ints, float]]) -> _Fitted:
    blank, groups = design
    weights = np.zeros((len(told), len(blank.mean)))
    for line, (rows, _) in zip(weights, told, strict=True):
        np.add.at(line, rows, 1.0 / len(rows))
    values, own = np.array([total for _, total in told]), np.full(len(told), NOISE)
    seen = weights @ blank.root
    free = {name: seen[:, columns] @ seen[:, columns].T for name, columns in groups.items()}
    free[OWN] = (weights * blank.own) @ weights.T
    sure = np.setdiff1d(np.arange(seen.shape[1]), np.concatenate([np.empty(0, dtype=np.intp), *groups.values()]))
    outliers, factors = _judged(_Parts(seen[:, sure] @ seen[:, sure].T, free), values - weights @ blank.mean, own)
    columns = np.ones(blank.root.shape[1])
    for name, places in groups.items():
        columns[places] = factors[name]
    prior, noise = blank.scaled(columns, factors[OWN]), _inflated(own, outliers)
    return _Fitted(prior, prior.observe(weights, values, noise), weights, noise)


def _judged(parts: _Parts, off: Floats, own: Floats) -> tuple[Bools, dict[str, float]]:
    """The totals that are outliers, found one by one (at most a quarter of them and one more), and the factors."""
    outliers = np.zeros(len(off), dtype=bool)
    factors = _factors(parts, off, own)
    for _ in range(1 + len(off) // 4):
        suspect = _worst(parts, factors, off, own, outliers)
        if suspect is None:
            break
        outliers[suspect] = True
        factors = _factors(parts, off, _inflated(own, outliers))
    return outliers, factors


def _factors(parts: _Parts, off: Floats, noise: Floats) -> dict[str, float]:
    """Factor on the standard deviations of each free part: means over their posterior, in logarithms."""
    logs = dict.fromkeys(parts.free, 0.0)
    prior = -0.5 * (LOGS / LOG_SD) ** 2
    for _ in range(ROUNDS if len(off) else 0):
        for name, part in parts.free.items():
            others = parts.spread({n: math.exp(s) for n, s in logs.items()}) - math.exp(2 * logs[name]) * part
            likely = _likelihood(others + np.exp(2 * LOGS)[:, None, None] * part + np.diag(noise), off) + prior
            share = np.exp(likely - likely.max())
            logs[name] = float(share @ LOGS / share.sum())
    return {name: math.exp(s) for name, s in logs.items()}


def _likelihood(spreads: Floats, off: Floats) -> Floats:
    factor = np.linalg.cholesky(spreads)
    white = np.linalg.solve(factor, np.broadcast_to(off[:, None], (len(spreads), len(off), 1)))[..., 0]
    density: Floats = -np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1) - 0.5 * (white**2).sum(axis=1)
    return density


def _inflated(own: Floats, outliers: Bools) -> Floats:
    noise: Floats = own + np.where(outliers, OUTLIER_SD**2, 0.0)
    return noise


def _worst(parts: _Parts, factors: Mapping[str, float], off: Floats, own: Floats, outliers: Bools) -> int | None:
    """The total that is most surely an outlier, given the others' factors; None when it is not surely one."""
    if len(off) < 3:
        return None
    noise = _inflated(own, outliers)
    precision = np.linalg.inv(parts.spread(factors) + np.diag(noise))
    misfit = (off @ precision) ** 2 / np.diag(precision)
    worst = int(np.argmax(np.where(outliers, -1.0, misfit)))
    others = np.arange(len(off)) != worst
    places = np.ix_(others, others)
    among = _Parts(parts.sure[places], {name: part[places] for name, part in parts.free.items()})
    theirs = _factors(among, off[others], noise[others])
    row = np.linalg.inv(parts.spread(theirs) + np.diag(noise))[worst]
    left_out, variance = float(row @ off) / row[worst], 1.0 / row[worst]
    usual = _density(left_out, variance) * (1 - OUTLIER_SHARE)
    odd = _density(left_out, variance + OUTLIER_SD**2) * OUTLIER_SHARE
    return worst if odd > CERTAIN * (usual + odd) else None


def _density(off: float, variance: float) -> float:
    return math.exp(-0.5 * off**2 / variance) / math.sqrt(2 * math.pi * variance)


# The next submission: what it teaches, by the knowledge gradient, averaged over what the next ones will teach.


def _planned(fitted: _Fitted, choices: Choices, remaining: int, seed: Sequence[int]) -> Ints:
    belief = fitted.posterior
    if remaining == 1:
        return choices.best(belief.mean)
    rng = np.random.default_rng(seed)
    centred = replace(fitted.prior, mean=belief.mean)
    samples = centred.draws(fitted.weights, fitted.noise, AHEAD, rng)
    ahead = min(AHEAD, remaining - 1)
    if ahead > 1:
        return _most_teaching(belief, choices, samples[:ahead], rng)[0]
    tries = [_most_teaching(belief, choices, sample[None], rng) for sample in samples[:STARTS]]
    return max(tries, key=lambda found: found[1])[0]


def _most_teaching(belief: Gaussian, choices: Choices, samples: Floats, rng: np.random.Generator) -> tuple[Ints, float]:
    """Of submissions planned together, the one that teaches most by itself, and its worth."""
    plans = [choices.best(draw) for draw in samples]
    half = rng.standard_normal((len(plans), DRAWS // 2)).astype(np.float32)
    z = np.concatenate([half, -half], axis=1)
    for _ in range(SWEEPS):
        for j in range(len(plans)):
            others, means = _after_the_others(belief, choices, plans, j, z)
            plans[j] = _improved(others, choices, plans[j], means, z[j], STEPS)[0]
    rng.standard_normal((len(plans), JOINT_DRAWS // 2))  # the original drew the worth of all from the same stream
    means, quantiles = _laid(choices, belief.mean[:, None]), (np.arange(QUANTILES) + 0.5) / QUANTILES
    alone = [_improved(belief, choices, p, means, ndtri(quantiles).astype(np.float32), 1) for p in plans]
    return max(alone, key=lambda found: found[1])


def _after_the_others(
    belief: Gaussian, choices: Choices, plans: list[Ints], j: int, z: Singles
) -> tuple[Gaussian, Singles]:
    """The belief after all planned submissions but ``j``, and draws of the mean that it will have."""
    mean = np.repeat(belief.mean[:, None], z.shape[1], axis=1).astype(np.float32)
    after = belief
    for i, picked in enumerate(plans):
        if i != j:
            moved, sd = _moved(after, choices, picked)
            news = moved / sd
            after = replace(after, learned=np.concatenate([after.learned, news[:, None]], axis=1))
            mean += news[:, None].astype(np.float32) * z[i]
    return after, _laid(choices, mean)


def _laid(choices: Choices, values: Floats | Singles) -> Singles:
    laid = np.where((choices.rows >= 0)[:, :, None], values[choices.rows], np.float32(-1e6))
    return np.ascontiguousarray(laid.transpose(1, 0, 2).astype(np.float32))


def _moved(belief: Gaussian, choices: Choices, picked: Ints) -> tuple[Floats, float]:
    """(covariance times weights, standard deviation of the total) of a submission."""
    weights = choices.weights(picked, len(belief.mean))
    moved = belief.times(weights)
    return moved, float(np.sqrt(weights @ moved + NOISE))


def _improved(
    belief: Gaussian, choices: Choices, start: Ints, means: Singles, z: Singles, steps: int
) -> tuple[Ints, float]:
    """Search upwards from ``start``: change the picks that the gradient of the worth names, fewer at every step."""
    picked, share = start, 1.0
    best: tuple[Ints, float] | None = None
    slope = np.zeros(0)
    for step in range(steps):
        moved, sd = _moved(belief, choices, picked)
        worth, pull = _worth(choices, means, moved / sd, z)
        if best is None or worth > best[1]:
            best = picked, worth
            if step + 1 < steps:
                slope = belief.times(pull) / sd - (moved @ pull) / sd**3 * moved
        else:
            picked, share = best[0], share * 0.5
        changed = _flipped(choices, picked, slope, share) if step + 1 < steps else None
        if changed is None:
            break
        picked, share = changed, share * STEP_DECAY
    assert best is not None
    return best


def _flipped(choices: Choices, picked: Ints, slope: Floats, share: float) -> Ints | None:
    """Give the most promising share of the tasks the candidate with the steepest slope; None if none promises any."""
    wanted = choices.best(slope)
    gain = slope[wanted] - slope[picked]
    promising = int((gain > 1e-12).sum())
    if promising == 0:
        return None
    count = max(1, int(share * promising))
    chosen = np.argpartition(-gain, count - 1)[:count]
    changed: Ints = picked.copy()
    changed[chosen] = wanted[chosen]
    return changed


def _worth(choices: Choices, means: Singles, news: Floats, z: Singles) -> tuple[float, Floats]:
    """Expected sum over tasks of the best mean, and its derivative with respect to ``news`` (n,)."""
    shift = np.where(choices.rows >= 0, news[choices.rows], 0.0).T.astype(np.float32)
    best = means[0] + shift[0][:, None] * z
    place = np.zeros(best.shape, dtype=np.int16)
    for c in range(1, len(means)):
        value = means[c] + shift[c][:, None] * z
        higher = value > best
        np.copyto(best, value, where=higher)
        place[higher] = c
    pull = np.zeros(len(news))
    for c in range(len(means)):
        there = choices.rows[:, c] >= 0
        pull[choices.rows[there, c]] = ((place == c) @ z)[there] / len(z)
    return float(best.sum(dtype=np.float64)) / len(z), pull
