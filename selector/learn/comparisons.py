"""Answers to "which of the two is better" as ratings of candidates, by the model of Bradley and Terry (1952).

Strengths are a posteriori: each is beforehand normal with a spread of ``SPREAD``, so that one answer moves a rating by
a point and not to the end of the scale, and candidates that were never compared stay in the middle. A tie is half a
victory for each (Davidson 1970 has a parameter for it; a handful of answers tells nothing of that).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

SPREAD = 1.0  # of strengths, whose difference is the logarithm of the odds
MIDDLE, POINTS = 5.0, 2.5  # of ratings on 0 to 10: the rating of strength 0, and for each unit of strength
_ROUNDS, _NEAR = 100, 1e-10
Answer = tuple[str, str, float]  # two candidates, and the first one's share of the victory: 1, 0.5 or 0


def ratings_of(answers: Iterable[Answer]) -> dict[str, float]:
    """Candidate to its rating, 0 to 10, of all that were compared, from answers about one task.

    Example:
        >>> {name: round(rating, 2) for name, rating in ratings_of([("x", "y", 1.0)]).items()}
        {'x': 5.84, 'y': 4.16}
    """
    told = list(answers)
    strengths = _strengths(told)
    return {name: min(max(MIDDLE + POINTS * strength, 0.0), 10.0) for name, strength in strengths.items()}


def _strengths(answers: list[Answer]) -> Mapping[str, float]:
    """The mode of the posterior, by Newton's steps for one candidate after another: the posterior is concave."""
    names = sorted({name for first, second, _ in answers for name in (first, second)})
    strength = dict.fromkeys(names, 0.0)
    of: dict[str, list[tuple[str, float]]] = {name: [] for name in names}
    for first, second, share in answers:
        of[first].append((second, share))
        of[second].append((first, 1.0 - share))
    for _ in range(_ROUNDS):
        moved = 0.0
        for name in names:
            slope, curve = -strength[name] / SPREAD**2, 1.0 / SPREAD**2
            for other, share in of[name]:
                wins = 1.0 / (1.0 + math.exp(strength[other] - strength[name]))
                slope += share - wins
                curve += wins * (1.0 - wins)
            strength[name] += slope / curve
            moved = max(moved, abs(slope / curve))
        if moved < _NEAR:
            break
    return strength
