"""SC and PQ that share an overall."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selector.learn.estimates import JUDGED_SD, PRIOR_SD, balance_of, combine, split

POINTS = st.floats(0.0, 10.0)


@given(POINTS, st.floats(0.0, 5.0), st.floats(-8.0, 8.0), st.floats(0.0, 2.0))
def test_parts_multiply_to_the_overall_and_stay_on_the_scale(overall, overall_sd, balance, balance_sd):
    parts = split(*(np.array([v]) for v in (overall, overall_sd, balance, balance_sd)))
    sc, sc_sd, pq, pq_sd = (float(p[0]) for p in parts)
    assert 0.0 <= sc <= 10.0
    assert 0.0 <= pq <= 10.0
    assert np.sqrt(sc * pq) == pytest.approx(overall, rel=1e-9, abs=1e-12)
    assert sc_sd >= 0.0
    assert pq_sd >= 0.0


@given(st.floats(0.5, 10.0), st.floats(0.5, 10.0))
def test_a_balance_gives_back_the_parts_that_it_came_from(sc, pq):
    balance = balance_of(np.array([sc]), np.array([pq]))
    got = split(np.sqrt([sc * pq]), np.zeros(1), balance, np.zeros(1))
    assert float(got[0][0]) == pytest.approx(sc, rel=1e-9)
    assert float(got[2][0]) == pytest.approx(pq, rel=1e-9)


def test_balance_is_above_zero_where_sc_is_higher_and_unknown_where_a_part_is():
    got = balance_of(np.array([8.0, 4.0, 5.0, np.nan, 3.0, 0.0]), np.array([4.0, 8.0, 5.0, 3.0, np.nan, 0.0]))
    np.testing.assert_allclose(got, [np.log(2) / 2, -np.log(2) / 2, 0.0, np.nan, np.nan, 0.0])


def test_a_judged_balance_is_weighed_with_the_scores_by_precision():
    mean, sd = combine(np.array([0.4, 0.4]), np.array([np.nan, -0.2]))
    a, b = PRIOR_SD**-2, JUDGED_SD**-2
    np.testing.assert_allclose(mean, [0.4, (a * 0.4 - b * 0.2) / (a + b)])
    np.testing.assert_allclose(sd, [PRIOR_SD, (a + b) ** -0.5])


def test_standard_deviations_follow_from_the_errors_of_overall_and_balance():
    rng = np.random.default_rng(0)
    overall, balance = rng.normal(5.0, 0.1, 100_000), rng.normal(0.2, 0.03, 100_000)
    _, sc_sd, _, pq_sd = split(np.array([5.0]), np.array([0.1]), np.array([0.2]), np.array([0.03]))
    assert (overall * np.exp(balance)).std() == pytest.approx(float(sc_sd[0]), rel=0.02)
    assert (overall * np.exp(-balance)).std() == pytest.approx(float(pq_sd[0]), rel=0.02)
