"""The linear model of the overall score: columns of effects over candidates, each with a prior weight.

    overall(c) = base + prior(c) + sum_j w_j x_j(c) + u(c),   w_j ~ N(mean_j, sd_j^2),   u(c) ~ N(0, residual_sd^2)

Every task type has its own weights. ``u`` belongs to the candidate and stays: two submissions that share a pick share
its ``u``, and that is why totals can find out about single groups of candidates that no score tells apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from selector.learn._deviation import LEAST_OF_A_LEVEL, Deviation, centred, deviation, group_mean, treatment_levels
from selector.learn.belief import UNKNOWN, Belief, joint_weights
from selector.learn.pool import Floats, Ints, Pool, codes

_STRONG = 0.1  # belief's sd from which a score is believed in for a reason of its own (a judge)


@dataclass(frozen=True, slots=True)
class Scales:
    """Sizes in points of the 0 to 10 scale, known of VIEScore benchmarks at large (docs/calibration.md)."""

    base: float = 6.0  # overall of an average candidate, where no written prior says better
    base_sd: float = 2.5  # of a task type's level
    within_sd: float = 1.5  # of the overall among the candidates of a task: turns correlations into points
    generator_sd: float = 0.7  # between generators on one task type
    pooled: float = 0.3  # share of its variance that a generator carries from one task type to the others
    variant_sd: float = 0.3  # between variants of a generator
    treatment_sd: float = 0.35  # of what a prompt style or finish changes, over the generators of a task type
    treated_sd: float = 0.25  # of what it changes besides with one generator: together as much as between two variants
    residual_sd: float = 1.55  # what no score explains, a candidate
    trust_sd: float = 0.4  # of the slope (about 1) on a written prior
    ease_sd: float = 0.3  # of a generator's slope on how easy a task is, by the spread of ease over tasks
    between_sd: float = 0.5  # of the slope between the means of tasks

    def points(self, effect: Effect) -> float:
        """Points of overall for one unit of an effect's weight: those of scores are kept as correlations."""
        return self.within_sd if effect.kind == "score" else 1.0


@dataclass(frozen=True, slots=True)
class Effect:
    """One column of the model. ``name`` is the same in every campaign, so that a weight can be a prior elsewhere."""

    task_type: str
    kind: str  # level | prior | score | between | generator | variant | treatment | treated | ease
    name: str
    mean: float
    sd: float
    believed: bool = False  # a score that is trusted for a reason of its own (a judge)

    @property
    def part(self) -> str | None:
        """Part of the prior whose spread totals may correct; None for levels and for what is believed strongly."""
        if self.kind in ("generator", "variant", "treatment", "treated", "ease"):
            return "generators"
        return "weak scores" if self.kind == "score" and not self.believed else None

    @property
    def key(self) -> str:
        return f"{self.task_type}/{self.kind}/{self.name}"


@dataclass(frozen=True)
class Design:
    """``basis`` has shape (candidates, effects); ``base`` and ``residual_sd`` (candidates,)."""

    effects: tuple[Effect, ...]
    basis: Floats
    base: Floats
    residual_sd: Floats

    @property
    def means(self) -> Floats:
        return np.array([e.mean for e in self.effects])

    @property
    def sds(self) -> Floats:
        return np.array([e.sd for e in self.effects])

    @property
    def parts(self) -> dict[str, Ints]:
        """Part of the prior whose spread the totals may correct, to its effects."""
        named = [e.part for e in self.effects]
        return {p: np.flatnonzero([n == p for n in named]) for p in sorted({n for n in named if n})}

    def spread_by(self, factors: Mapping[str, float]) -> Floats:
        """(effects,) factor of each effect's part, 1 where it has none."""
        return np.array([factors.get(e.part, 1.0) if e.part else 1.0 for e in self.effects])


DEFAULT_SCALES = Scales()


def build_design(
    pool: Pool,
    beliefs: Mapping[str, Belief],
    scales: Scales = DEFAULT_SCALES,
    learned: Mapping[str, tuple[float, float]] | None = None,
) -> Design:
    """The model of a pool.

    Args:
        pool: the candidates.
        beliefs: column name to belief; columns that are not named are ``UNKNOWN``.
        scales: prior sizes.
        learned: effect key to (mean, sd) from earlier campaigns; they replace the written ones.
    """
    n = len(pool.task_ids)
    effects: list[Effect] = []
    columns: list[Floats] = []
    variance = np.full(n, scales.residual_sd**2)
    for effect, rows, values, extra in _effects(pool, beliefs, scales):
        column = np.zeros(n)
        column[rows] = values
        variance[rows] += extra
        mean, sd = (learned or {}).get(effect.key, (effect.mean, effect.sd))
        effects.append(replace(effect, mean=mean, sd=sd))
        columns.append(column)
    base = np.full(n, scales.base)
    if pool.prior_overall is not None:
        base = group_mean(pool.prior_overall, pool.task_of)
    return Design(tuple(effects), np.column_stack(columns), base, np.sqrt(variance))


Part = tuple[Effect, Ints, Floats, Floats]  # the effect, its rows, its values there, what it adds to their variance


def _effects(pool: Pool, beliefs: Mapping[str, Belief], scales: Scales) -> Iterator[Part]:
    generators, generator_of = codes(pool.generators)
    several_types = len(pool.types) > 1
    for name, rows in pool.types.items():
        nothing = np.zeros(len(rows))
        yield Effect(name, "level", "all", 0.0, scales.base_sd), rows, np.ones(len(rows)), nothing
        if pool.prior_overall is not None:
            prior = pool.prior_overall[rows]
            within = prior - group_mean(prior, codes_of(pool.task_of[rows]))
            yield Effect(name, "prior", "written prior", 1.0, scales.trust_sd), rows, within, nothing
        scored = _scored(pool, rows, codes_of(generator_of[rows]), beliefs)
        yield from _scores(name, rows, scored, scales)
        yield from _levels(pool, name, rows, several_types, scales)
        for kind, label, sd, values in treatment_levels(pool, rows, scales.treatment_sd, scales.treated_sd):
            yield Effect(name, kind, label, 0.0, sd), rows, values, nothing
        yield from _demands(pool, name, rows, scored, scales)
    if several_types:
        everywhere = np.arange(len(generator_of))
        sd = scales.generator_sd * scales.pooled**0.5
        nothing = np.zeros(len(everywhere))
        for place, name in enumerate(generators):
            yield Effect("*", "generator", name, 0.0, sd), everywhere, centred(generator_of == place), nothing


Scored = tuple[str, Belief, Deviation]  # a column that says something on a task type


def _scored(pool: Pool, rows: Ints, generator: Ints, beliefs: Mapping[str, Belief]) -> list[Scored]:
    task = codes_of(pool.task_of[rows])
    treatments = [codes([of[i] for i in rows])[1] for of in (pool.styles, pool.finishes) if any(of)]
    family = None if pool.family_of is None else codes_of(pool.family_of[rows])
    levels = (task, generator, treatments, family)
    split = ((column, deviation(pool.values[rows, j], *levels)) for j, column in enumerate(pool.columns))
    return [(column, beliefs.get(column, UNKNOWN), found) for column, found in split if found is not None]


def _scores(name: str, rows: Ints, found: list[Scored], scales: Scales) -> Iterator[Part]:
    """One effect a score column, and one for their sum between tasks."""
    if not found:
        return
    weights = joint_weights(tuple(b for _, b, _ in found), np.column_stack([d.within for _, _, d in found]))
    for (column, belief, split), weight in zip(found, weights, strict=True):
        hidden = split.missing * scales.within_sd**2 * (weight**2 + belief.sd**2)
        values = scales.within_sd * split.within
        believed = belief.sd >= _STRONG
        yield Effect(name, "score", column, float(weight), belief.sd, believed), rows, values, hidden
    between = scales.within_sd * sum(w * d.between for (_, _, d), w in zip(found, weights, strict=True))
    yield Effect(name, "between", "task means", 1.0, scales.between_sd), rows, between, np.zeros(len(rows))


def _levels(pool: Pool, name: str, rows: Ints, several_types: bool, scales: Scales) -> Iterator[Part]:
    """Generators on this task type, and variants of those that have several."""
    own = scales.generator_sd * ((1 - scales.pooled) ** 0.5 if several_types else 1.0)
    made_by = [pool.generators[i] for i in rows]
    variant, variant_of = codes([f"{pool.generators[i]} {pool.variants[i]}" for i in rows])
    for label, values in _indicators(made_by):
        yield Effect(name, "generator", label, 0.0, own), rows, values, np.zeros(len(rows))
    made_variant = dict(zip(variant_of.tolist(), made_by, strict=True))
    variants = Counter(made_variant.values())
    for place in np.flatnonzero(np.bincount(variant_of) >= LEAST_OF_A_LEVEL):  # of an import, every file is a variant
        if variants[made_variant[place]] > 1:
            values = centred(variant_of == place)
            yield Effect(name, "variant", variant[place], 0.0, scales.variant_sd), rows, values, np.zeros(len(rows))


def _demands(pool: Pool, name: str, rows: Ints, found: list[Scored], scales: Scales) -> Iterator[Part]:
    """A slope a generator on how easy a task is, by the scores of all its candidates: some fail where it is hard."""
    ease = _ease(found, len(rows))
    if ease is None:
        return
    for label, values in _indicators([pool.generators[i] for i in rows]):
        yield Effect(name, "ease", label, 0.0, scales.ease_sd), rows, values * ease, np.zeros(len(rows))


def _ease(found: list[Scored], n: int) -> Floats | None:
    """(n,) mean score of each row's task over columns that are believed to be good news, spread 1."""
    total = np.zeros(n)
    for _, belief, split in found:
        total += belief.correlation * split.between
    spread = float(total.std())
    return (total - total.mean()) / spread if spread > 1e-9 else None


def _indicators(labels: list[str]) -> Iterator[tuple[str, Floats]]:
    names, place = codes(labels)
    if len(names) < 2:
        return
    for i, label in enumerate(names):
        yield label, centred(place == i)


def codes_of(values: Ints) -> Ints:
    """Places of integer labels among the different ones: 0, 1, … without gaps."""
    places: Ints = np.unique(values, return_inverse=True)[1].astype(np.intp)
    return places
