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
    """Five columns (100000, 5) that agree as witnesses of one target do, with errors in common, and the target.

    They agree further than each is believed to see it. The fourth is the first once more with noise, the fifth is as
    near to the second: both are worse than useless beside it, and a free regression gives them weights of wrong sign.
    """
    rng = np.random.default_rng(0)
    y, shared = rng.normal(size=(100_000, 1)), rng.normal(size=(100_000, 1))
    x = y * [0.5, -0.4, 0.3] + shared * [0.6, -0.5, 0.6] + 0.6 * rng.normal(size=(100_000, 3))
    worse = x[:, :2] + 0.4 * shared * [1, -1] + 0.1 * rng.normal(size=(100_000, 2))
    return standardised(np.hstack([x, worse])), standardised(y[:, 0])


def believed(x, y, beyond=()):
    return tuple(Belief(float(r), 0.1, "", j in beyond) for j, r in enumerate(x.T @ y / len(y)))


def test_weights_are_those_of_a_ridge_regression_with_the_signs_of_the_beliefs(columns):
    x, y = columns
    n, k = x.shape
    stacked, target = np.vstack([x, np.sqrt(n * RIDGE) * np.eye(k)]), np.append(y, np.zeros(k))
    up = x.T @ y > 0
    free = np.linalg.lstsq(stacked, target)[0]
    assert not np.array_equal(free > 0, up), "or the signs change nothing"
    bounds = np.where(up, 0.0, -np.inf), np.where(up, np.inf, 0.0)
    expected = lsq_linear(stacked, target, bounds, tol=1e-14).x
    np.testing.assert_allclose(joint_weights(believed(x, y), x), expected, atol=1e-3)


def test_weights_are_near_an_ordinary_regression_where_columns_overlap_little():
    rng = np.random.default_rng(1)
    x = standardised(rng.normal(size=(5000, 3)) + 0.5 * rng.normal(size=(5000, 1)) * [1, -1, 1])
    y = standardised(x @ [0.6, -0.2, 0.1] + rng.normal(size=5000))
    np.testing.assert_allclose(joint_weights(believed(x, y), x), np.linalg.lstsq(x, y)[0], atol=0.02)


def test_witnesses_that_contradict_each_other_count_as_if_they_agreed_as_far_as_believed():
    """A regression would take what two good witnesses that run against each other say for twice the news."""
    rng = np.random.default_rng(3)
    one = rng.normal(size=4000)
    x = standardised(np.column_stack([one, -0.6 * one + 0.8 * rng.normal(size=4000)]))
    r = np.array([0.5, 0.4])
    expected = np.linalg.solve([[1 + RIDGE, 0.2], [0.2, 1 + RIDGE]], r)
    np.testing.assert_allclose(joint_weights((Belief(0.5, 0.2), Belief(0.4, 0.2)), x), expected, atol=1e-6)
    assert (np.linalg.solve(x.T @ x / 4000, r) > 1.5 * expected).all(), "or the floor changes nothing"


def test_two_judges_of_different_rows_get_no_more_than_their_beliefs_together():
    """No row was seen by both: that what is expected of the other runs against each is no news."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 2))
    seen = np.arange(200)[:, None] < 100
    measured = np.hstack([seen, ~seen])
    x = standardised(np.where(measured, x, -x[:, ::-1]))
    assert np.corrcoef(x.T)[0, 1] < -0.9
    judges = (Belief(0.45, 0.2), Belief(0.45, 0.2))
    got = joint_weights(judges, x, measured)
    np.testing.assert_allclose(got, 0.45 / (1 + RIDGE + 0.45**2))
    np.testing.assert_allclose(got, joint_weights(judges, np.where(measured, x, rng.normal(size=(200, 2))), measured))
    assert got.sum() < 0.9


def test_few_rows_that_two_witnesses_have_in_common_hardly_say_how_they_overlap():
    """30 rows count as much as the beliefs say beforehand: half way from r_i r_j to the measured correlation."""
    rng = np.random.default_rng(5)
    one = rng.normal(size=3000)
    x = np.column_stack([one, one])
    measured = np.ones((3000, 2), dtype=bool)
    measured[30:, 1] = False
    half = (1 + 0.4**2) / 2
    got = joint_weights((Belief(0.4, 0.2), Belief(0.4, 0.2)), x, measured)
    np.testing.assert_allclose(got, 0.4 / (1 + RIDGE + half))


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
    got, own = joint_weights(believing, x), [0, 2, 4]
    np.testing.assert_allclose(got[own], joint_weights(tuple(believing[j] for j in own), x[:, own]))
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
