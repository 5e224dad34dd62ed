"""The columns of the model: scores as deviations within a task, and the levels that all generators may share.

Only differences between the candidates of one task can change a pick, so every score is split into the mean of its task
(the *between* part) and the deviation from it (the *within* part). What is unscored is filled by task and generator
level, and marked.

What a treatment (a prompt style or finish) changes is a difference from the untreated: one effect for all generators
("treatment"), and for each treated variant of a generator what it changes there besides ("treated"). A treatment that
only one variant has is that variant's own difference, with the variance of both, so that nothing is counted twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from selector.domain.treatments import treatments_in_words
from selector.learn.pool import Bools, Floats, Ints, Pool

_ROUNDS = 4  # of alternating means: changes are below 1% of a spread by then
_TASK_SHRINKAGE = 1.0  # a task mean of k scores counts k / (k + 1): one score alone is half noise
_LEVEL_SHRINKAGE = 10.0  # generators and treatments differ by about a third of a spread: a few scores prove little
_SLOPE_RIDGE = 25.0  # slopes on other scores are about 0.2 a spread: 25 measured rows count as much as this guess
_FAMILY_SHRINKAGE = 0.5  # of what near copies of one picture have in common: one score alone is two thirds of it
_HUGE = 1e100  # of a score: squares of much larger ones, and of much smaller ones, are no numbers any more
LEAST_OF_A_LEVEL = 5  # candidates: a name that hardly recurs (a file's, say) is no level

Level = tuple[str, str, float, Floats]  # kind of effect, name, sd in points, value of each row


@dataclass(frozen=True)
class Deviation:
    """A column, standardised over all rows: ``within`` has mean 0 in every task and spread 1 over measured rows."""

    within: Floats
    between: Floats
    missing: Bools


def deviation(
    values: Floats,
    task: Ints,
    generator: Ints,
    treatments: Sequence[Ints] = (),
    family: Ints | None = None,
    others: Floats | None = None,
) -> Deviation | None:
    """Split a column of shape (n,), NaN where unscored; None where it says nothing (constant, or never measured).

    A missing value becomes task level + generator level (an additive fit over the measured ones), so that a hole
    favours no candidate over its generator's usual place, and what the other scores let expect of it: where a judge has
    looked it says what they are worth where it has not.

    Args:
        values: (n,) scores of one task type.
        task: (n,) numbers of the tasks.
        generator: (n,) numbers of the generators.
        treatments: (n,) numbers each, where there are any: their levels are added as the generator's is.
        family: (n,) numbers of the pictures that near copies were made from: what is seen of one is expected of all.
        others: (n, k) other columns' deviations within the tasks, without holes.
    """
    missing = np.isnan(values)
    if missing.all():
        return None
    size = float(np.nanmax(np.abs(values)))
    if size > _HUGE or 0.0 < size < 1.0 / _HUGE:
        values, size = values / size, 1.0
    spread = float(np.nanstd(values))
    if spread <= 1e-9 * size:
        return None
    z = (values - np.nanmean(values)) / spread
    if missing.any():
        z = np.where(missing, _expected(z, missing, [task, generator, *treatments], family, others), z)
    between = group_mean(z, task)
    within = z - between
    within_spread = float(within[~missing].std())
    if within_spread <= 1e-9:
        return None
    return Deviation(within / within_spread, between, missing)


def group_mean(values: Floats, group: Ints) -> Floats:
    """(n,) mean of each row's group; every group must have a row."""
    counts = np.maximum(np.bincount(group), 1)
    means: Floats = (np.bincount(group, weights=values) / counts)[group]
    return means


def _expected(z: Floats, missing: Bools, groups: Sequence[Ints], family: Ints | None, others: Floats | None) -> Floats:
    """What is expected of every row by what was measured.

    The levels of its groups (alternating shrunken means), the other scores (ridge regression of what the levels leave),
    and its family.
    """
    seen = ~missing
    measured, places = z[seen], [group[seen] for group in groups]
    found = [np.zeros(group.max() + 1) for group in groups]
    for _ in range(_ROUNDS):
        for k, place in enumerate(places):
            rest = measured
            for level, of in ((found[j], places[j]) for j in range(len(places)) if j != k):
                rest = rest - level[of]
            found[k] = _shrunken(rest, place, len(found[k]), _TASK_SHRINKAGE if k == 0 else _LEVEL_SHRINKAGE)
    fitted: Floats = found[0][groups[0]]
    for level, group in zip(found[1:], groups[1:], strict=True):
        fitted = fitted + level[group]
    if others is not None and others.shape[1]:
        x = others[seen]
        slopes = np.linalg.solve(x.T @ x + _SLOPE_RIDGE * np.eye(x.shape[1]), x.T @ (measured - fitted[seen]))
        fitted = fitted + others @ slopes
    if family is None:
        return fitted
    shared = _shrunken(measured - fitted[seen], family[seen], int(family.max()) + 1, _FAMILY_SHRINKAGE)
    return fitted + shared[family]


def _shrunken(values: Floats, group: Ints, groups: int, by: float) -> Floats:
    counts = np.bincount(group, minlength=groups)
    shrunken: Floats = np.bincount(group, weights=values, minlength=groups) / (counts + by)
    return shrunken


def treatment_levels(pool: Pool, rows: Ints, treatment_sd: float, treated_sd: float) -> Iterator[Level]:
    """Levels of the treatments of one task type's ``rows``, as differences from the average of all.

    Args:
        pool: the candidates.
        rows: (k,) those of one task type.
        treatment_sd: points that a treatment changes with any generator.
        treated_sd: points that it changes besides with one variant of a generator.
    """
    if not any(pool.styles) and not any(pool.finishes):
        return
    treated = [treatments_in_words(pool.styles[i], pool.finishes[i]) for i in rows]
    variant = [pool.made_with[i] for i in rows]
    found_in: dict[str, set[str]] = defaultdict(set)
    for names, made in zip(treated, variant, strict=True):
        for name in names:
            found_in[name].add(made)
    shared = {name for name, variants in found_in.items() if len(variants) > 1}
    for name in (n for n in found_in if n in shared):
        yield from _level("treatment", name, treatment_sd, np.array([name in names for names in treated]))
    counts, made_with = Counter(variant), dict(zip(variant, treated, strict=True))
    for label, names in made_with.items():
        if names and counts[label] >= LEAST_OF_A_LEVEL:
            sd = float(np.hypot(treated_sd, treatment_sd * sum(name not in shared for name in names) ** 0.5))
            yield from _level("treated", label, sd, np.array([made == label for made in variant]))


def _level(kind: str, name: str, sd: float, there: Bools) -> Iterator[Level]:
    """None where the level hardly recurs, or all have it."""
    if LEAST_OF_A_LEVEL <= there.sum() < len(there):
        yield kind, name, sd, centred(there)


def centred(there: Bools) -> Floats:
    """1 where a row has the level, less its share of all rows: a level is a difference from the average."""
    values = there.astype(np.float64)
    of_rows: Floats = values - values.mean()
    return of_rows
