"""Chances to be the best of a task, against draws from the joint posterior that is formed in full."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from toy_contests import dense, random_gaussian

from selector.learn.gaussian import Gaussian, probability_best
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


def test_chances_of_a_task_with_many_candidates_are_those_of_the_joint_posterior():
    n, rng = 100, np.random.default_rng(1)
    root = 0.5 * rng.standard_normal((n, 3))
    prior = Gaussian(np.linspace(5, 6, n), root, rng.uniform(0.2, 0.4, n), np.zeros((n, 0)))
    posterior = prior.observe(rng.dirichlet(np.ones(n), 3), np.array([5.3, 5.1, 6.0]), np.full(3, 0.01))
    stated = probability_best(posterior, Choices(np.arange(n)[None, :], 1), draws=40_000)
    drawn = np.random.default_rng(0).multivariate_normal(posterior.mean, dense(posterior), 40_000).argmax(axis=1)
    np.testing.assert_allclose(stated, np.bincount(drawn, minlength=n) / 40_000, atol=0.01)
    assert abs(stated.sum() - 1) < 1e-9


def test_narrow_tasks_beside_a_wide_one_keep_their_chances():
    n = 70
    belief = Gaussian(np.arange(n, dtype=float) % 3, np.ones((n, 1)), np.ones(n), np.zeros((n, 0)))
    narrow = np.full((2, 66), -1)
    narrow[0, :2], narrow[1, :2] = (0, 1), (2, 3)
    wide = np.arange(4, 70)[None, :]
    alone = probability_best(belief, Choices(narrow[:, :2], 2))
    together = probability_best(belief, Choices(np.concatenate([narrow, wide]), 3))
    assert abs(together[4:].sum() - 1) < 1e-9
    np.testing.assert_allclose(together[:4].reshape(2, 2).sum(axis=1), 1)
    np.testing.assert_allclose(together[:4], alone[:4], atol=0.05)
