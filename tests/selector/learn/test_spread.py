"""How wide the prior's parts should be: against brute force on the full grid with another implementation's density."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from selector.learn.totals import _LOG_SD, _LOGS, Parts, fit_factors

NOISE = np.full(6, 0.01)


def parts_of(seed, totals=6, zero=()):
    """Two free parts and a sure one over some totals."""
    rng = np.random.default_rng(seed)
    roots = {name: 0.3 * rng.normal(size=(totals, 3)) for name in ("a", "b")}
    level = rng.normal(size=(totals, 1))
    return Parts(level @ level.T, {n: 0.0 * r @ r.T if n in zero else r @ r.T for n, r in roots.items()})


def drawn(parts, seed, **factors):
    """Totals less what is expected of them, from a prior with these factors."""
    spread = parts.spread({"a": 1.0, "b": 1.0, **factors}) + 0.01 * np.eye(len(parts.sure))
    return np.random.default_rng(seed).multivariate_normal(np.zeros(len(spread)), spread)


def objective(parts, off, noise, factors):
    """Log density of the totals and of the factors' log-normal prior, up to a constant."""
    density = multivariate_normal(np.zeros(len(off)), parts.spread(factors) + np.diag(noise)).logpdf(off)
    return density - 0.5 * sum((np.log(f) / _LOG_SD) ** 2 for f in factors.values())


@pytest.mark.parametrize("seed", range(12))
def test_factors_are_nearly_the_best_of_the_whole_grid(seed):
    parts = parts_of(seed)
    off = drawn(parts, seed, a=(0.5, 1.0, 3.0)[seed % 3])
    grid = [dict(zip("ab", np.exp(logs), strict=True)) for logs in itertools.product(_LOGS, repeat=2)]
    best = max(objective(parts, off, NOISE, factors) for factors in grid)
    assert objective(parts, off, NOISE, fit_factors(parts, off, NOISE)) >= best - 0.1


def test_no_total_leaves_every_factor_at_one():
    empty = Parts(np.zeros((0, 0)), {"a": np.zeros((0, 0))})
    assert fit_factors(empty, np.zeros(0), np.zeros(0)) == {"a": 1.0}


def test_a_part_that_no_total_sees_stays_at_one():
    parts = parts_of(0, zero=("b",))
    assert fit_factors(parts, drawn(parts, 0, a=3.0), NOISE)["b"] == pytest.approx(1.0)


def test_factors_follow_the_truth_on_the_whole():
    found = {
        truth: np.mean(
            [
                np.log(fit_factors(parts_of(s, 30), drawn(parts_of(s, 30), s, a=truth), np.full(30, 0.01))["a"])
                for s in range(20)
            ]
        )
        for truth in (0.5, 1.0, 2.5)
    }
    assert found[0.5] < -0.15
    assert found[1.0] == pytest.approx(0.0, abs=0.2)
    assert found[2.5] > 0.35


def test_spread_is_the_sum_of_the_parts_with_squared_factors():
    parts = parts_of(1)
    got = parts.spread({"a": 2.0, "b": 0.5})
    np.testing.assert_allclose(got, parts.sure + 4.0 * parts.free["a"] + 0.25 * parts.free["b"])


def test_some_of_the_totals_are_named_by_place_or_by_mask():
    parts = parts_of(2)
    by_place, by_mask = parts.among(np.array([0, 2])), parts.among(np.array([True, False, True, False, False, False]))
    np.testing.assert_array_equal(by_place.sure, by_mask.sure)
    np.testing.assert_array_equal(by_place.free["a"], parts.free["a"][np.ix_([0, 2], [0, 2])])
