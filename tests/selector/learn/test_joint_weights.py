"""Weights that believed correlations imply, against a regression on simulated data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from selector.learn.belief import Belief, joint_weights

RIDGE = 0.03


def standardised(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


@pytest.fixture(scope="module")
def columns():
    """Four overlapping columns (5000, 4) and a target that they explain in part."""
    rng = np.random.default_rng(0)
    x = standardised(rng.normal(size=(5000, 4)) @ rng.normal(size=(4, 4)) + 0.5 * rng.normal(size=(5000, 4)))
    return x, standardised(x @ [0.5, 0.0, -0.3, 0.2] + rng.normal(size=5000))


def believed(x, y, beyond=()):
    return tuple(Belief(float(r), 0.1, "", j in beyond) for j, r in enumerate(x.T @ y / len(y)))


def test_weights_are_those_of_a_ridge_regression_with_the_signs_of_the_beliefs(columns):
    x, y = columns
    n, k = x.shape
    stacked, target = np.vstack([x, np.sqrt(n * RIDGE) * np.eye(k)]), np.append(y, np.zeros(k))
    up = x.T @ y > 0
    bounds = np.where(up, 0.0, -np.inf), np.where(up, np.inf, 0.0)
    expected = lsq_linear(stacked, target, bounds, tol=1e-14).x
    np.testing.assert_allclose(joint_weights(believed(x, y), x), expected, atol=1e-5)


def test_weights_are_near_an_ordinary_regression_where_columns_overlap_little():
    rng = np.random.default_rng(1)
    x = standardised(rng.normal(size=(5000, 3)) + 0.3 * rng.normal(size=(5000, 1)))
    y = standardised(x @ [0.6, -0.2, 0.1] + rng.normal(size=5000))
    np.testing.assert_allclose(joint_weights(believed(x, y), x), np.linalg.lstsq(x, y)[0], atol=0.02)


def test_one_column_has_its_correlation_as_weight(columns):
    got = joint_weights((Belief(0.4, 0.1, ""),), columns[0][:, :1])
    assert float(got[0]) == pytest.approx(0.4 / (1 + RIDGE))


def test_two_copies_share_what_one_would_have(columns):
    x = columns[0][:, [0, 0]]
    got = joint_weights((Belief(0.4, 0.1, ""), Belief(0.4, 0.1, "")), x)
    assert got[0] == pytest.approx(got[1])
    assert got.sum() == pytest.approx(0.4, abs=0.02)


def test_a_reversed_copy_gets_the_opposite_weight(columns):
    x = columns[0][:, [0, 0]] * [1, -1]
    got = joint_weights((Belief(0.4, 0.1, ""), Belief(-0.4, 0.1, "")), x)
    assert got[0] == pytest.approx(-got[1])
    assert got[0] > 0


def test_a_column_beyond_another_takes_no_part_in_the_sharing(columns):
    x, y = columns
    believing = believed(x, y, beyond=(1, 3))
    got = joint_weights(believing, x)
    np.testing.assert_allclose(got[[0, 2]], joint_weights((believing[0], believing[2]), x[:, [0, 2]]))
    np.testing.assert_allclose(got[[1, 3]], [believing[1].correlation, believing[3].correlation])


def test_more_columns_than_candidates_predict_within_bounds():
    """The ridge bounds what contradicting beliefs can predict: |r|^2 / (4 ridge) is the most, here a spread of 2."""
    x = standardised(np.random.default_rng(2).normal(size=(4, 12)))
    got = joint_weights(tuple(Belief(0.2, 0.1, "") for _ in range(12)), x)
    assert np.isfinite(got).all()
    assert (x @ got).std() < 2.0


def test_beliefs_that_are_all_beyond_others_stay_as_they_are(columns):
    got = joint_weights((Belief(0.0, 0.03, "", True), Belief(0.1, 0.03, "", True)), columns[0][:, :2])
    np.testing.assert_allclose(got, [0.0, 0.1])


@pytest.mark.parametrize("agreement", [0.3, 0.6, 0.9, 0.99])
def test_no_column_gets_a_weight_against_its_belief(agreement):
    """A small judge that agrees with the strong one is believed less, never the other way round."""
    rng = np.random.default_rng(0)
    strong = rng.standard_normal(4000)
    small = agreement * strong + (1 - agreement**2) ** 0.5 * rng.standard_normal(4000)
    weights = joint_weights((Belief(0.45, 0.2), Belief(0.10, 0.05)), np.column_stack([strong, small]))
    assert weights[0] > 0.4 and 0.0 <= weights[1] <= 0.1


def test_columns_with_holes_are_weighed_by_their_correlation_not_by_their_size():
    rng = np.random.default_rng(1)
    column = rng.standard_normal(2000)
    column[rng.random(2000) < 0.9] = 0.0  # filled in: nine of ten say nothing
    assert joint_weights((Belief(0.45, 0.2),), column[:, None])[0] == pytest.approx(0.45 / 1.03, rel=1e-3)
