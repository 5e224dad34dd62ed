"""Prompt styles and finishes as levels that all generators of a task type share.

What a treatment changes is a difference from the untreated: one effect for all generators ("treatment"), and for each
treated variant of a generator what it changes there besides ("treated"). A treatment that only one variant has is that
variant's own difference, with the variance of both, so that nothing is counted twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from selector.learn.pool import Floats, Ints, Pool, treatments_in_words

LEAST_OF_A_LEVEL = 5  # candidates: a name that hardly recurs (a file's, say) is no level

Level = tuple[str, str, float, Floats]  # kind of effect, name, sd in points, value of each row


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


def _level(kind: str, name: str, sd: float, there: Floats) -> Iterator[Level]:
    """1 where a row has the level, less its share of all rows; none where it hardly recurs, or all have it."""
    values = there.astype(float)
    if LEAST_OF_A_LEVEL <= values.sum() < len(values):
        yield kind, name, sd, values - values.mean()
