"""What each part adds to an estimate: with what a task shares, the parts are the estimate."""

from __future__ import annotations

import numpy as np
import pytest
from toy_contests import BELIEFS, make_contest

from selector.learn.calibrator import Calibrator
from selector.learn.contributions import OWN, ahead_of_task, contributions, start_of
from selector.learn.totals import Total

CONTEST = make_contest(0, tasks=12)
POOL = CONTEST.pool
ROWS = np.flatnonzero(np.diff(POOL.task_of, prepend=-1))  # the first candidate of every task
TOTALS = [Total(ROWS + shift, len(ROWS), 5.0 + shift / 10) for shift in (0, 1)]


@pytest.mark.parametrize("totals", [[], TOTALS], ids=["no total", "two totals"])
def test_start_and_contributions_add_up_to_the_mean(totals):
    fitted = Calibrator(BELIEFS).fit(POOL, totals)
    parts = contributions(fitted, ROWS)
    assert (OWN in parts) == bool(totals)
    for i, row in enumerate(ROWS):
        total = start_of(fitted, int(row)) + sum(points[i] for points in parts.values())
        assert total == pytest.approx(fitted.posterior.mean[row])


def test_what_sets_the_candidates_of_a_task_apart_has_the_mean_zero():
    fitted = Calibrator(BELIEFS).fit(POOL, TOTALS)
    everyone = np.arange(len(POOL.task_ids))
    parts = ahead_of_task(fitted, everyone)
    for points in parts.values():
        means = np.bincount(POOL.task_of, weights=points) / np.bincount(POOL.task_of)
        np.testing.assert_allclose(means, 0, atol=1e-12)
    own_mean = np.bincount(POOL.task_of, weights=fitted.posterior.mean) / np.bincount(POOL.task_of)
    np.testing.assert_allclose(sum(parts.values()), fitted.posterior.mean - own_mean[POOL.task_of], atol=1e-9)
