"""The linear model of the overall score: columns of effects over candidates, each with a prior weight.

    overall(c) = base + prior(c) + sum_j w_j x_j(c) + u(c),   w_j ~ N(mean_j, sd_j^2),   u(c) ~ N(0, residual_sd^2)

Scores are noisy observations of the overall, and a score tells more of a generator than of a picture: the noise of
single pictures is gone from the mean of two hundred. So the believed scores act twice, as they are and by their
generators' means (Mundlak 1978), and so does what the scores that nobody vouches for agree on. Every task type has its
own weights; a score's share half of their variance over the types.

``u`` belongs to the candidate and stays: two submissions that share a pick share its ``u``, and that is why totals can
find out about single groups of candidates that no score tells apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from selector.domain import InputError
from selector.learn._agreement import Witness, agreement, copies, generator_means
from selector.learn._deviation import LEAST_OF_A_LEVEL, Deviation, centred, deviation, group_mean, treatment_levels
from selector.learn.belief import UNKNOWN, Belief, joint_weights
from selector.learn.pool import Bools, Floats, Ints, Pool, codes

_STRONG = 0.1  # belief's sd from which a score is believed in for a reason of its own (a judge)
_LEAST_VARIANCE = 0.25  # share of a candidate's own variance that several passes of its judge leave at least
_MOST_LEVELS = 2**28  # candidates times generators: each fills several columns, so some 12 GB in all
_SCORES = ("score", "consensus", "generator mean")  # kinds whose weights are correlations
BELIEVED, UNVOUCHED = "believed scores", "scores nobody vouches for"


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
    mean_slope: float = 0.6  # correlation by which a generator's mean score tells more than one picture's does
    mean_slope_sd: float = 0.8
    mean_full: float = 0.2  # believed correlation of all scores together from which they are trusted so far
    score_pooled: float = 0.5  # share of its variance that a score's weight carries from one task type to the others

    def points(self, effect: Effect) -> float:
        """Points of overall for one unit of an effect's weight: those of scores are kept as correlations."""
        return self.within_sd if effect.kind in _SCORES else 1.0


@dataclass(frozen=True, slots=True)
class Effect:
    """One column of the model. ``name`` is the same in every campaign, so that a weight can be a prior elsewhere."""

    task_type: str
    kind: str  # level prior score consensus between "generator mean" generator variant treatment treated ease
    name: str
    mean: float
    sd: float
    believed: bool = False  # a score that is trusted for a reason of its own (a judge)

    @property
    def part(self) -> str | None:
        """Part of the prior whose spread totals may correct; None for levels and for what is believed strongly."""
        if self.kind in ("generator mean", "generator", "variant", "treatment", "treated", "ease"):
            return "generators"
        if self.kind == "consensus":
            return "consensus"
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

    Raises:
        InputError: so many generators for so many candidates that the model would not fit into memory.
    """
    n, generators = len(pool.task_ids), len(set(pool.generators))
    if n * generators > _MOST_LEVELS:
        raise InputError(
            f"{n} candidates by {generators} generators are too many for a level each: name what made them by names "
            "that recur (a model, not a file), or leave generators out"
        )
    parts = list(_effects(pool, beliefs, scales))
    keys = {effect.key for effect, *_ in parts}
    basis = np.zeros((n, len(parts)))
    variance = np.full(n, scales.residual_sd**2)
    effects = []
    for j, (effect, rows, values, extra) in enumerate(parts):
        basis[rows, j] = values
        variance[rows] += extra
        mean, sd = _start(effect, learned or {}, keys)
        effects.append(replace(effect, mean=mean, sd=sd))
    base = np.full(n, scales.base)
    if pool.prior_overall is not None:
        base = group_mean(pool.prior_overall, pool.task_of)
    least = _LEAST_VARIANCE * scales.residual_sd**2
    return Design(tuple(effects), basis, base, np.sqrt(np.maximum(variance, least)))


def _start(effect: Effect, learned: Mapping[str, tuple[float, float]], keys: Collection[str]) -> tuple[float, float]:
    """Mean and sd of an effect; what was learned of all task types goes to each where nothing is shared here."""
    mean, sd = learned.get(effect.key, (effect.mean, effect.sd))
    everywhere = f"*/{effect.kind}/{effect.name}"
    if everywhere in keys or everywhere not in learned:
        return mean, sd
    shared_mean, shared_sd = learned[everywhere]
    return mean + shared_mean, float(np.hypot(sd, shared_sd))


# The effect, its rows, its values there, and what it adds to their variance.
Part = tuple[Effect, Ints, Floats, Floats | float]
# What a task type's scores (rows,) say of the generators, for each row.
MeansOf = Callable[..., Floats | None]  # (said, measured=rows where they were measured)


def _effects(pool: Pool, beliefs: Mapping[str, Belief], scales: Scales) -> Iterator[Part]:
    generators, generator_of = codes(pool.generators)
    several_types = len(pool.types) > 1
    found = {name: _scored(pool, rows, codes_of(generator_of[rows]), beliefs) for name, rows in pool.types.items()}
    told_of = Counter(s.column for scored in found.values() for s in scored)
    shared = {column for column, types in told_of.items() if types > 1}
    pictures = pool.pictures
    for name, rows in pool.types.items():
        yield Effect(name, "level", "all", 0.0, scales.base_sd), rows, np.ones(len(rows)), 0.0
        if pool.prior_overall is not None:
            prior = pool.prior_overall[rows]
            within = prior - group_mean(prior, codes_of(pool.task_of[rows]))
            yield Effect(name, "prior", "written prior", 1.0, scales.trust_sd), rows, within, 0.0
        means_of = partial(generator_means, generator=codes_of(generator_of[rows]), picture=pictures[rows])
        scored, tasks = found[name], len(np.unique(pool.task_of[rows]))
        yield from _scores(name, rows, scored, means_of, tasks, scales, shared)
        yield from _levels(pool, name, rows, several_types, scales)
        for kind, label, sd, values in treatment_levels(pool, rows, scales.treatment_sd, scales.treated_sd):
            yield Effect(name, kind, label, 0.0, sd), rows, values, 0.0
        yield from _demands(pool, name, rows, scored, scales)
    if several_types:
        yield from _shared_scores(pool.types, found, [column for column in told_of if column in shared], scales)
        everywhere = np.arange(len(generator_of))
        sd = scales.generator_sd * scales.pooled**0.5
        for place, name in enumerate(generators):
            yield Effect("*", "generator", name, 0.0, sd), everywhere, centred(generator_of == place), 0.0


@dataclass(frozen=True)
class Scored:
    """A column that says something on a task type.

    ``gain`` (rows,) or 1: how much more its values tell by passes. ``sd``: of its weight, the belief's but for copies.
    """

    column: str
    belief: Belief
    split: Deviation
    gain: Floats | float
    sd: float


def _scored(pool: Pool, rows: Ints, generator: Ints, beliefs: Mapping[str, Belief]) -> list[Scored]:
    task = codes_of(pool.task_of[rows])
    treatments = [codes([of[i] for i in rows])[1] for of in (pool.styles, pool.finishes) if any(of)]
    family = None if pool.family_of is None else codes_of(pool.family_of[rows])
    levels = task, generator, treatments, family
    holes = np.isnan(pool.values[rows])
    splits = {int(j): deviation(pool.values[rows, j], *levels) for j in np.flatnonzero(~holes.any(axis=0))}
    whole = [split.within for split in splits.values() if split is not None]
    others = np.column_stack(whole) if whole else None
    splits |= {int(j): deviation(pool.values[rows, j], *levels, others) for j in np.flatnonzero(holes.any(axis=0))}
    found = []
    for j, column in enumerate(pool.columns):
        split = splits[j]
        if split is None:
            continue
        gain: Floats | float = 1.0
        if column in pool.gain:
            # One pass keeps its deviation; that of a mean of several is trusted more, by rho_k / rho_1.
            gain = pool.gain[column][rows]
            split = replace(split, within=split.within * gain * np.mean(1.0 / gain[~split.missing]) ** 0.5)
        belief = beliefs.get(column, UNKNOWN)
        found.append(Scored(column, belief, split, gain, belief.sd))
    return _less_copies(found)


def _less_copies(found: list[Scored]) -> list[Scored]:
    """Copies of a column share its variance, as they share its weight; one that is trusted less takes none of it."""
    if not found:
        return found
    sds = np.array([s.sd for s in found])
    sharing = copies(np.column_stack([s.split.within for s in found])) & (sds[:, None] >= sds)
    own = sds / np.sqrt(sharing.sum(axis=0))
    return [replace(s, sd=float(sd)) for s, sd in zip(found, own, strict=True)]


def _scores(
    name: str,
    rows: Ints,
    found: Sequence[Scored],
    means_of: MeansOf,
    tasks: int,
    scales: Scales,
    shared: Collection[str],
) -> Iterator[Part]:
    """One effect a score column, what they say of generators and agree on, and one for their sum between tasks.

    ``shared``: columns that tell of other task types, too; a part of what their weights may be is common to all.
    """
    if not found:
        return
    within = np.column_stack([s.split.within for s in found])
    measured = ~np.column_stack([s.split.missing for s in found])
    weights = joint_weights(tuple(s.belief for s in found), within, measured)
    for s, weight in zip(found, weights, strict=True):
        own = (1 - scales.score_pooled) ** 0.5 if s.column in shared else 1.0
        hidden = s.split.missing * scales.within_sd**2 * (weight**2 + s.sd**2)
        seen_better = scales.within_sd**2 * weight**2 * (s.gain - 1.0)
        believed = s.belief.sd >= _STRONG
        effect = Effect(name, "score", s.column, float(weight), own * s.sd, believed)
        yield effect, rows, scales.within_sd * s.split.within, hidden - seen_better
    yield from _of_generators(name, rows, found, within, weights, means_of, tasks, scales)
    between = scales.within_sd * sum(w * s.split.between for s, w in zip(found, weights, strict=True))
    yield Effect(name, "between", "task means", 1.0, scales.between_sd), rows, between, 0.0


def _of_generators(
    name: str,
    rows: Ints,
    found: Sequence[Scored],
    within: Floats,
    weights: Floats,
    means_of: MeansOf,
    tasks: int,
    scales: Scales,
) -> Iterator[Part]:
    """What the believed scores say of generators besides pictures, and what the unvouched ones agree on, twice."""
    trusted = _together(found, within, weights, [s.belief.correlation != 0.0 for s in found])
    if trusted is not None:
        mean = scales.mean_slope * min(trusted.strength / scales.mean_full, 1.0)
        means = means_of(trusted.values, measured=trusted.measured)
        yield from _mean_effect(name, rows, BELIEVED, means, mean, scales.mean_slope_sd, scales)
    unvouched = _unvouched(found, within)
    anchor = _together(found, within, weights, [s.belief.sd >= _STRONG and s.belief.correlation > 0 for s in found])
    if len(unvouched) < 2:
        return
    freedom = float(np.mean([(~found[j].split.missing).sum() for j in unvouched])) - tasks
    agreed = agreement(within[:, unvouched], freedom, anchor)
    if agreed is None:
        return
    mean, sd = agreed.worth
    yield Effect(name, "consensus", UNVOUCHED, mean, sd), rows, scales.within_sd * agreed.values, 0.0
    mean, sd = agreed.weighed(scales.mean_slope, scales.mean_slope_sd)
    of_unvouched = np.isin(np.arange(len(found)), unvouched).astype(np.float64)
    means = means_of(agreed.values, measured=_measured(found, of_unvouched))
    yield from _mean_effect(name, rows, UNVOUCHED, means, mean, sd, scales)


def _measured(found: Sequence[Scored], shares: Floats) -> Bools:
    """(rows,) where at least half of what the scores say was measured: a filled hole is no news.

    A score has its share of ``shares`` (scores,) as far as it was measured: a judge of three candidates takes nothing
    from what others say of all.
    """
    seen = ~np.column_stack([s.split.missing for s in found])
    told = shares * seen.mean(axis=0)
    rows: Bools = seen @ told >= 0.5 * told.sum()
    return rows


def _unvouched(found: Sequence[Scored], within: Floats) -> Ints:
    """Columns of which nothing is known and that are no copies: a copy agrees with its original and proves nothing."""
    unknown, same = np.array([s.belief == UNKNOWN for s in found]), copies(within)
    return np.array([j for j in np.flatnonzero(unknown) if not (same[j, :j].any() or same[j, ~unknown].any())], np.intp)


def _mean_effect(
    name: str, rows: Ints, of: str, means: Floats | None, mean: float, sd: float, scales: Scales
) -> Iterator[Part]:
    if means is not None:
        yield Effect(name, "generator mean", of, mean, sd), rows, scales.within_sd * means, 0.0


def _together(found: Sequence[Scored], within: Floats, weights: Floats, which: Sequence[bool]) -> Witness | None:
    """What some of the scores say together; None where that is nothing."""
    own = weights * which
    measured = _measured(found, own**2)
    # What is expected of the rest by a few scores of one has their noise, and here it would count as measured.
    own = own * [2 * (~s.split.missing)[measured].sum() >= measured.sum() for s in found]
    said = within @ own
    strength = float(said[measured].std()) if own.any() and measured.any() else 0.0
    return Witness(said / strength, strength, measured) if strength > 1e-9 else None


def _shared_scores(
    types: Mapping[str, Ints], found: Mapping[str, Sequence[Scored]], shared: Sequence[str], scales: Scales
) -> Iterator[Part]:
    """What the weights of a score have in common over the task types: its judge is the same one."""
    for column in shared:
        parts = [(types[name], s) for name, scored in found.items() for s in scored if s.column == column]
        believed = parts[0][1].belief.sd >= _STRONG
        rows = np.concatenate([rows for rows, _ in parts])
        values = scales.within_sd * np.concatenate([s.split.within for _, s in parts])
        sd = min(s.sd for _, s in parts) * scales.score_pooled**0.5
        yield Effect("*", "score", column, 0.0, sd, believed), rows, values, 0.0


def _levels(pool: Pool, name: str, rows: Ints, several_types: bool, scales: Scales) -> Iterator[Part]:
    """Generators on this task type, and variants of those that have several."""
    own = scales.generator_sd * ((1 - scales.pooled) ** 0.5 if several_types else 1.0)
    made_by = [pool.generators[i] for i in rows]
    variant, variant_of = codes([f"{pool.generators[i]} {pool.variants[i]}" for i in rows])
    for label, values in _indicators(made_by):
        yield Effect(name, "generator", label, 0.0, own), rows, values, 0.0
    made_variant = dict(zip(variant_of.tolist(), made_by, strict=True))
    variants = Counter(made_variant.values())
    for place in np.flatnonzero(np.bincount(variant_of) >= LEAST_OF_A_LEVEL):  # of an import, every file is a variant
        if variants[made_variant[place]] > 1:
            values = centred(variant_of == place)
            yield Effect(name, "variant", variant[place], 0.0, scales.variant_sd), rows, values, 0.0


def _demands(pool: Pool, name: str, rows: Ints, found: Sequence[Scored], scales: Scales) -> Iterator[Part]:
    """A slope a generator on how easy a task is, by the scores of all its candidates: some fail where it is hard."""
    ease = _ease(found, len(rows))
    if ease is None:
        return
    for label, values in _indicators([pool.generators[i] for i in rows]):
        yield Effect(name, "ease", label, 0.0, scales.ease_sd), rows, values * ease, 0.0


def _ease(found: Sequence[Scored], n: int) -> Floats | None:
    """(n,) mean score of each row's task over columns that are believed to be good news, spread 1."""
    total = np.zeros(n)
    for s in found:
        total += s.belief.correlation * s.split.between
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
