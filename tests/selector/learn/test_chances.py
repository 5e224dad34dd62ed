"""Chances to be the best of a task, against draws from the joint posterior that is formed in full."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from toy_contests import dense, random_gaussian

from selector.learn.gaussian import probability_best
from selector.learn.pool import Choices

ROWS = np.array([[0, 1, 2, 3, 4], [5, 6, 7, -1, -1]])  # two tasks, one of them with fewer candidates


def test_chances_to_be_best_are_those_of_draws_from_the_joint_posterior():
    weights = np.random.default_rng(7).dirichlet(np.ones(8), 3)
    prior = replace(random_gaussian(8), mean=np.full(8, 5.0))
    posterior = prior.observe(weights, np.array([5.3, 4.1, 6.0]), np.full(3, 0.01))
    stated = probability_best(posterior, Choices(ROWS, 2), draws=20_000)
    drawn = np.random.default_rng(0).multivariate_normal(posterior.mean, dense(posterior), 40_000)
    first, second = drawn[:, :5].argmax(axis=1), drawn[:, 5:].argmax(axis=1)
    expected = np.concatenate([np.bincount(first, minlength=5), np.bincount(second, minlength=3)]) / 40_000
    np.testing.assert_allclose(stated, expected, atol=0.015)
