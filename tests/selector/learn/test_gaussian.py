"""The factored Gaussian against the textbook's formulas on a covariance that is formed in full."""

from __future__ import annotations

import numpy as np
import pytest
from toy_contests import dense, random_gaussian

from selector.learn.gaussian import clipped_normal

RNG = np.random.default_rng(7)
WEIGHTS = RNG.dirichlet(np.ones(8), 3)  # three totals over eight candidates
VALUES, NOISE = np.array([5.3, 4.1, 6.0]), np.array([0.01, 0.0025, 4.0])


def conditioned(mean, covariance, weights, values, noise):
    """Mean and covariance given the totals (Rasmussen and Williams 2006, equations 2.23 and 2.24)."""
    gain = covariance @ weights.T @ np.linalg.inv(weights @ covariance @ weights.T + np.diag(noise))
    return mean + gain @ (values - weights @ mean), covariance - gain @ weights @ covariance


@pytest.mark.parametrize("seed", range(5))
def test_observing_totals_is_conditioning(seed):
    prior = random_gaussian(seed)
    posterior = prior.observe(WEIGHTS, VALUES, NOISE)
    mean, covariance = conditioned(prior.mean, dense(prior), WEIGHTS, VALUES, NOISE)
    np.testing.assert_allclose(posterior.mean, mean, atol=1e-9)
    np.testing.assert_allclose(dense(posterior), covariance, atol=1e-9)
    np.testing.assert_allclose(posterior.variance, np.diag(covariance), atol=1e-9)


@pytest.mark.parametrize("shape", [(8,), (8, 4)])
def test_times_is_the_product_with_the_covariance(shape):
    posterior = random_gaussian(1).observe(WEIGHTS, VALUES, NOISE)
    vector = RNG.normal(size=shape)
    np.testing.assert_allclose(posterior.times(vector), dense(posterior) @ vector, atol=1e-9)


def test_totals_one_after_another_teach_the_same_as_all_at_once():
    at_once = random_gaussian(2).observe(WEIGHTS, VALUES, NOISE)
    one_by_one = random_gaussian(2)
    for i in (2, 0, 1):
        one_by_one = one_by_one.observe(WEIGHTS[i : i + 1], VALUES[i : i + 1], NOISE[i : i + 1])
    np.testing.assert_allclose(one_by_one.mean, at_once.mean, atol=1e-9)
    np.testing.assert_allclose(dense(one_by_one), dense(at_once), atol=1e-9)


def test_no_total_teaches_nothing():
    prior = random_gaussian(3)
    assert prior.observe(np.zeros((0, 8)), np.zeros(0), np.zeros(0)) is prior


def test_scaling_multiplies_the_prior_standard_deviations_of_effects_and_candidates():
    prior, factors = random_gaussian(4), np.array([0.5, 1.0, 3.0])
    got = prior.scaled(factors, 1.7)
    expected = (prior.root * factors**2) @ prior.root.T + 1.7**2 * np.diag(prior.own)
    np.testing.assert_allclose(dense(got), expected)
    np.testing.assert_allclose(got.mean, prior.mean)


def test_draws_have_the_posterior_s_mean_and_covariance():
    posterior = random_gaussian(5).observe(WEIGHTS, VALUES, NOISE)
    drawn = posterior.draws(WEIGHTS, NOISE, 60_000, np.random.default_rng(0))
    covariance = dense(posterior)
    error = np.sqrt((np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2) / len(drawn))
    assert (np.abs(drawn.mean(axis=0) - posterior.mean) < 5 * np.sqrt(np.diag(covariance) / len(drawn))).all()
    assert (np.abs(np.cov(drawn.T) - covariance) < 5 * error).all()


def test_draws_of_a_prior_have_its_covariance():
    prior = random_gaussian(6)
    drawn = prior.draws(np.zeros((0, 8)), np.zeros(0), 60_000, np.random.default_rng(1))
    spread = np.sqrt(np.diag(dense(prior)))
    np.testing.assert_allclose(np.cov(drawn.T), dense(prior), atol=5 * 1.5 * spread.max() ** 2 / 60_000**0.5)


def test_the_same_exact_total_ten_times_leaves_variances_at_or_above_zero():
    weights = np.repeat(np.eye(8)[:1], 10, axis=0)
    posterior = random_gaussian(7).observe(weights, np.full(10, 4.0), np.full(10, 1e-12))
    assert (posterior.variance >= 0).all()
    assert posterior.variance[0] < 1e-6
    assert posterior.mean[0] == pytest.approx(4.0, abs=1e-5)
    assert np.isfinite(posterior.mean).all()


@pytest.mark.parametrize("seed", range(3))
def test_how_far_one_is_ahead_of_another_follows_from_the_covariance(seed):
    posterior = random_gaussian(seed).observe(WEIGHTS, VALUES, NOISE)
    covariance = dense(posterior)
    mean, sd = posterior.ahead(2, 5)
    assert mean == pytest.approx(posterior.mean[2] - posterior.mean[5])
    assert sd**2 == pytest.approx(covariance[2, 2] + covariance[5, 5] - 2 * covariance[2, 5], abs=1e-9)
    assert posterior.ahead(3, 3) == (0.0, 0.0)


@pytest.mark.parametrize(("mean", "sd"), [(-6.0, 2.6), (0.0, 2.6), (5.0, 0.5), (5.0, 4.0), (9.5, 3.0), (14.0, 2.0)])
def test_a_normal_value_that_is_cut_has_the_moments_of_the_integral(mean, sd):
    x = np.linspace(mean - 12 * sd, mean + 12 * sd, 2_000_001)
    density = np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
    cut, step = np.clip(x, 0.0, 10.0), x[1] - x[0]
    first = (cut * density).sum() * step
    spread = np.sqrt(((cut - first) ** 2 * density).sum() * step)
    got = clipped_normal(np.array([mean]), np.array([sd]))
    assert got[0][0] == pytest.approx(first, abs=1e-6)
    assert got[1][0] == pytest.approx(spread, abs=1e-5)


def test_a_certain_value_is_cut_and_low_ones_stay_apart():
    mean, sd = clipped_normal(np.array([-1.0, 3.0, 11.0]), np.zeros(3))
    np.testing.assert_allclose(mean, [0.0, 3.0, 10.0], atol=1e-9)
    np.testing.assert_allclose(sd, 0.0, atol=1e-6)
    low, _ = clipped_normal(np.array([-0.5, -1.0]), np.array([2.6, 2.6]))
    assert low[0] > low[1] + 0.1 > 0.5, "two that a cut mean shows as 0.00"
