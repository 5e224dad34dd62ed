"""The expected best of a task's candidates, against draws of the whole posterior."""

from __future__ import annotations

import numpy as np
import pytest
from toy_contests import BELIEFS, make_contest

from selector.learn.calibrator import Calibrator
from selector.learn.gaussian import Gaussian, expected_best
from selector.learn.pool import Choices


def test_it_agrees_with_draws_of_all_scores() -> None:
    contest = make_contest(seed=3, tasks=8, generators=5)
    fitted = Calibrator(BELIEFS).fit(contest.pool, contest.random_totals(4, seed=1))
    choices = Choices(contest.pool.choices, 8)
    drawn = fitted.sample(20_000, np.random.default_rng(0))
    wanted = np.clip(np.array([drawn[:, line[line >= 0]].max(axis=1) for line in choices.rows]), 0, 10).mean(axis=1)
    assert expected_best(fitted.posterior, choices, draws=4096) == pytest.approx(wanted, abs=0.06)


def test_two_equal_candidates_promise_e_of_two() -> None:
    belief = Gaussian(np.array([5.0, 5.0]), np.zeros((2, 0)), np.ones(2), np.zeros((2, 0)))
    found = expected_best(belief, Choices(np.array([[0, 1]]), 1), draws=8192)
    assert found[0] == pytest.approx(5.0 + 1 / np.sqrt(np.pi), abs=0.02)  # the maximum of two standard normals


def test_a_task_with_nothing_to_choose_has_none() -> None:
    belief = Gaussian(np.array([5.0]), np.zeros((1, 0)), np.ones(1), np.zeros((1, 0)))
    found = expected_best(belief, Choices(np.array([[0], [-1]]), 2))
    assert np.isnan(found[1]) and found[0] == pytest.approx(5.0, abs=0.05)
