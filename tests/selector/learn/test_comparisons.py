"""Ratings from comparisons, against an independent maximiser and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from selector.learn.comparisons import MIDDLE, POINTS, SPREAD, ratings_of

ANSWERS = [("a", "b", 1.0), ("b", "c", 1.0), ("a", "c", 0.5), ("c", "d", 0.0), ("a", "b", 1.0)]


def test_the_ratings_are_the_mode_of_the_posterior() -> None:
    names = sorted({name for answer in ANSWERS for name in answer[:2]})

    def cost(strength: np.ndarray) -> float:
        of = dict(zip(names, strength, strict=True))
        lost = sum(s * np.logaddexp(0, of[b] - of[a]) + (1 - s) * np.logaddexp(0, of[a] - of[b]) for a, b, s in ANSWERS)
        return float(lost + (strength**2).sum() / (2 * SPREAD**2))

    found = minimize(cost, np.zeros(len(names)), tol=1e-12).x
    assert list(ratings_of(ANSWERS).values()) == pytest.approx(list(MIDDLE + POINTS * found), abs=1e-4)


def test_a_tie_leaves_both_in_the_middle_and_no_answer_says_nothing() -> None:
    assert ratings_of([("x", "y", 0.5)]) == {"x": MIDDLE, "y": MIDDLE}
    assert ratings_of([]) == {}


def test_the_order_of_the_answers_does_not_matter() -> None:
    usual = ratings_of(ANSWERS)
    for other in itertools.islice(itertools.permutations(ANSWERS), 0, 120, 17):
        assert ratings_of(other) == pytest.approx(usual, abs=1e-7)


def test_who_always_wins_stays_on_the_scale() -> None:
    found = ratings_of([("x", name, 1.0) for name in "abcdefgh" for _ in range(20)])
    assert max(found.values()) <= 10.0 and min(found.values()) >= 0.0 and found["x"] > 9.0
