"""The factored Gaussian against the textbook's formulas on a covariance that is formed in full."""

from __future__ import annotations

import numpy as np
import pytest
from toy_contests import dense, random_gaussian

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
