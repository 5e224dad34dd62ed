"""Totals as evidence: how wide the prior is, outliers, one-step-ahead predictions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from toy_contests import BELIEFS, make_contest

from selector.domain import InputError
from selector.learn.calibrator import Calibrator
from selector.learn.totals import ROUNDING, Total

NOISE_SD = 0.05


def fit(contest, totals, **parameters):
    return Calibrator(BELIEFS, noise_sd=NOISE_SD, **parameters).fit(contest.pool, totals)


@pytest.mark.parametrize("value", [-0.01, 10.01, math.nan, math.inf, -math.inf])
def test_a_total_out_of_range_is_refused(value):
    with pytest.raises(InputError, match=r"a total lies between 0 and 10, got .*: check the leaderboard"):
        Total(np.array([0]), 1, value)


@pytest.mark.parametrize("value", [0.0, 10.0])
def test_the_ends_of_the_scale_are_totals(value):
    assert Total(np.array([0]), 1, value).value == value


@pytest.mark.parametrize(("rows", "tasks"), [([], 3), ([0, 1, 2], 2)])
def test_a_total_needs_one_to_as_many_picks_as_tasks(rows, tasks):
    with pytest.raises(InputError, match=f"a total over {tasks} tasks cannot hold {len(rows)} picks"):
        Total(np.array(rows, dtype=int), tasks, 5.0)


def test_what_is_not_in_the_pool_is_taken_off_the_total():
    contest = make_contest(tasks=10)
    rows = contest.random_rows(np.random.default_rng(0))
    plain = fit(contest, [Total(rows[:8], 8, 6.0)])
    mixed = fit(contest, [Total(rows[:8], 10, (8 * 6.0 + 2 * 3.0) / 10, constant=6.0)])
    assert mixed.evidence.values[0] * 10 == pytest.approx(plain.evidence.values[0] * 8)
    assert mixed.predictions[0].mean == pytest.approx((8 * plain.predictions[0].mean + 6.0) / 10)


def test_an_uncertain_last_resort_makes_a_total_noisier():
    contest = make_contest(tasks=10)
    rows = contest.random_rows(np.random.default_rng(0))[:8]
    noise = fit(contest, [Total(rows, 10, 5.0, constant=6.0, constant_sd=2.0)]).evidence.noise
    assert noise[0] == pytest.approx(NOISE_SD**2 + ROUNDING**2 / 12 + 0.2**2)


def test_parts_of_the_prior_s_covariance_of_the_totals_add_up_to_the_whole():
    contest = make_contest(1, types=("draw", "edit"))
    fitted = fit(contest, contest.random_totals(6, seed=2))
    evidence, design = fitted.evidence, fitted.design
    root = design.basis * design.sds
    whole = evidence.weights @ (root @ root.T + np.diag(design.residual_sd**2)) @ evidence.weights.T
    np.testing.assert_allclose(evidence.parts.spread(dict.fromkeys(evidence.factors, 1.0)), whole, atol=1e-10)
    corrected = evidence.weights @ fitted.prior.times(evidence.weights.T)
    np.testing.assert_allclose(evidence.parts.spread(evidence.factors), corrected, atol=1e-10)
    assert set(evidence.factors) == {"candidates", "generators", "weak scores"}


def test_totals_that_differ_more_than_expected_widen_the_prior_and_alike_ones_narrow_it():
    contest = make_contest(1)
    rng = np.random.default_rng(0)
    rows = [contest.random_rows(rng) for _ in range(12)]
    wild = fit(contest, [Total(r, 30, 5.0 + 1.5 * (-1) ** i) for i, r in enumerate(rows)])
    tame = fit(contest, [Total(r, 30, 5.0) for r in rows])
    assert wild.evidence.factors["candidates"] > 1.5
    assert tame.evidence.factors["candidates"] < 1.0
    assert not wild.evidence.outliers.any()


def test_no_total_leaves_the_prior_as_it_is():
    fitted = fit(make_contest(), [])
    assert set(fitted.evidence.factors.values()) == {1.0}
    assert fitted.predictions == ()


def test_each_prediction_is_what_a_fit_to_the_totals_before_it_says():
    contest = make_contest(3)
    totals = contest.random_totals(9, seed=4)
    for t, got in enumerate(fit(contest, totals).predictions):
        before = fit(contest, totals[:t])
        weights = np.zeros(len(contest.pool.task_ids))
        weights[totals[t].rows] = 1 / totals[t].tasks
        variance = weights @ before.posterior.times(weights) + NOISE_SD**2 + ROUNDING**2 / 12
        assert got.mean == pytest.approx(weights @ before.posterior.mean, abs=1e-9)
        assert got.sd == pytest.approx(math.sqrt(variance), abs=1e-9)


@pytest.mark.parametrize("place", [0, 1, 5])
def test_a_prediction_does_not_know_what_later_totals_say_of_earlier_ones(place):
    contest = make_contest(3)
    totals = contest.random_totals(10, seed=4)
    totals[place] = off_by(totals[place], 1.5)
    got = fit(contest, totals).predictions
    for t in range(10):
        then = fit(contest, totals[: t + 1]).predictions[t]
        assert got[t].mean == pytest.approx(then.mean, abs=1e-9)
        assert got[t].sd == pytest.approx(then.sd, abs=1e-9)


def off_by(total, points):
    return Total(total.rows, total.tasks, total.value + (points if total.value + points <= 10 else -points))


@pytest.mark.parametrize("place", range(14))
def test_one_of_fourteen_totals_that_is_off_is_found_and_no_other(place):
    contest = make_contest(place, tasks=60)
    totals = contest.random_totals(14, seed=100 + place)
    totals[place] = off_by(totals[place], 1.5 if place % 2 else -1.5)
    assert np.flatnonzero(fit(contest, totals).evidence.outliers).tolist() == [place]


def test_an_outlier_does_not_excuse_itself_by_widening_the_prior():
    """Totals of 20 tasks differ by chance by a fifth of a point; 1.5 is still plainly wrong."""
    found = 0
    for seed in range(40):
        contest = make_contest(seed, tasks=20)
        totals = contest.random_totals(14, seed=2000 + seed)
        totals[seed % 14] = off_by(totals[seed % 14], -1.5)
        found += np.flatnonzero(fit(contest, totals).evidence.outliers).tolist() == [seed % 14]
    assert found >= 38


def test_an_outlier_barely_moves_the_estimates():
    contest = make_contest(5, tasks=60)
    totals = contest.random_totals(14, seed=6)
    without = fit(contest, totals[:7] + totals[8:]).posterior.mean
    totals[7] = off_by(totals[7], 1.5)
    assert np.abs(fit(contest, totals).posterior.mean - without).max() < 0.1


def test_clean_totals_are_hardly_ever_accused():
    accused = []
    for seed in range(60):
        contest = make_contest(seed, tasks=40)
        accused.append(fit(contest, contest.random_totals(14, seed=1000 + seed)).evidence.outliers.any())
    assert sum(accused) == 0


@pytest.mark.parametrize("values", [(2.0, 9.0), (5.0, 5.01), (0.0, 10.0)])
def test_of_two_totals_none_is_accused(values):
    contest = make_contest()
    rng = np.random.default_rng(0)
    totals = [Total(contest.random_rows(rng), 30, v) for v in values]
    assert not fit(contest, totals).evidence.outliers.any()


def test_the_same_submission_told_ten_times_is_known_well_and_accuses_none():
    contest = make_contest()
    rows = contest.random_rows(np.random.default_rng(0))
    fitted = fit(contest, [Total(rows, 30, 5.5 + 0.01 * (i % 2)) for i in range(10)])
    assert not fitted.evidence.outliers.any()
    assert fitted.posterior.mean[rows].mean() == pytest.approx(5.505, abs=0.01)
    assert fitted.predictions[9].sd == pytest.approx(NOISE_SD, rel=0.1)


def test_predictions_cover_the_totals_as_often_as_they_say():
    """Totals drawn from the model itself: 80% intervals hold about 80% of them."""
    inside, count = 0, 0
    rng = np.random.default_rng(0)
    for seed in range(40):
        contest = make_contest(seed, tasks=20)
        truth = fit(contest, []).sample(1, rng)[0]
        totals = []
        for _ in range(8):
            rows = contest.random_rows(rng)
            value = float(truth[rows].mean() + NOISE_SD * rng.standard_normal())
            totals.append(Total(rows, 20, min(max(value, 0.0), 10.0)))
        for total, said in list(zip(totals, fit(contest, totals).predictions, strict=True))[1:]:
            inside += abs(total.value - said.mean) < 1.2816 * said.sd
            count += 1
    assert 0.70 < inside / count < 0.90
