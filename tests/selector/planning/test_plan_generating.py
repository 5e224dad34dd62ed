"""Where more candidates pay: against closed forms of expected improvement and brute force."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from toy_contests import BELIEFS, make_contest, subset

from selector.calibration.calibrator import Calibrator
from selector.calibration.totals import Total
from selector.planning.generating import Offer, plan_generating

CONTEST = make_contest(0, tasks=10)


def fit(pool=CONTEST.pool, totals=()):
    return Calibrator(BELIEFS).fit(pool, totals)


def skilled(points=2.0):
    """Generator g2 is known to be better by some points, from totals."""
    rows = [np.arange(k, 40, 4) for k in range(4)]
    return fit(totals=[Total(r, 10, 5.0 + points * (k == 2)) for k, r in enumerate(rows)])


@pytest.mark.parametrize("ahead", [-2.0, -0.5, 0.0, 0.7])
@pytest.mark.parametrize("sd", [0.2, 1.0])
def test_one_more_candidate_is_worth_its_expected_improvement(ahead, sd):
    u = ahead / sd
    expected = sd * (norm.pdf(u) + u * norm.cdf(u))
    assert Offer("t", "g", 6.0, 6.0 + ahead, sd).worth(1) == pytest.approx(expected, abs=0.01 * sd)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_several_are_worth_the_improvement_of_the_best_of_them(count):
    new = 5.5 + 0.8 * np.random.default_rng(0).standard_normal((50_000, count))
    expected = np.maximum(new.max(axis=1) - 6.0, 0.0).mean()
    assert Offer("t", "g", 6.0, 5.5, 0.8).worth(count) == pytest.approx(expected, abs=0.02)


def test_each_further_candidate_adds_less():
    worth = [0.0, *(Offer("t", "g", 6.0, 6.0, 1.0).worth(k) for k in range(1, 12))]
    steps = np.diff(worth)
    assert (steps > 0).all()
    assert (np.diff(steps) < 1e-9).all()


def test_budget_is_spent_and_the_most_valuable_comes_first():
    wishes = plan_generating(skilled(), 25)
    assert sum(w.count for w in wishes) == 25
    worths = [w.worth for w in wishes]
    assert worths == sorted(worths, reverse=True)
    assert len({(w.task_id, w.generator) for w in wishes}) == len(wishes)
    assert plan_generating(skilled(), 0) == []


def test_spreading_is_the_best_of_all_spreadings():
    """One generator, three tasks, budget four: every allotment is tried."""
    fitted = fit(subset(CONTEST.pool, np.arange(12)))
    wishes = plan_generating(fitted, 4, ["g1"])
    pool, mean = fitted.pool_, fitted.posterior_.mean
    level = mean.reshape(3, 4).mean(axis=1)
    deviation = (mean - np.repeat(level, 4))[1::4]
    offers = [
        Offer(t, "g1", mean[4 * i : 4 * i + 4].max(), level[i] + deviation.mean(), max(deviation.std(), 0.2))
        for i, t in enumerate(pool.tasks)
    ]
    totals = {
        counts: sum(o.worth(c) for o, c in zip(offers, counts, strict=True) if c)
        for counts in itertools.product(range(5), repeat=3)
        if sum(counts) == 4
    }
    got = {w.task_id: w.count for w in wishes}
    assert totals[tuple(got.get(t, 0) for t in pool.tasks)] == pytest.approx(max(totals.values()), abs=1e-9)
    assert sum(w.worth for w in wishes) == pytest.approx(max(totals.values()))


def test_the_better_generator_is_asked():
    assert {w.generator for w in plan_generating(skilled(), 20)} == {"g2"}


def test_only_the_generators_that_are_named_are_asked():
    assert {w.generator for w in plan_generating(skilled(), 20, ["g0", "g3"])} <= {"g0", "g3"}
    assert plan_generating(skilled(), 20, ["nobody"]) == []


def test_tasks_without_a_candidate_come_first():
    wishes = plan_generating(skilled(), 3, empty=[("e1", "all"), ("e2", "all"), ("e3", "all")])
    assert {w.task_id for w in wishes} == {"e1", "e2", "e3"}
    assert all(w.worth > 3 for w in wishes)


def test_an_empty_task_of_a_type_that_nobody_has_served_gets_no_wish():
    assert all(w.task_id != "e" for w in plan_generating(skilled(), 50, empty=[("e", "other")]))


def test_a_task_whose_candidates_may_not_be_picked_counts_as_a_failed_image():
    fitted = fit(replace(CONTEST.pool, eligible=np.arange(40) >= 4))
    first = plan_generating(fitted, 1)[0]
    assert first.task_id == "t000"
    assert first.worth > 3


def test_generators_are_asked_only_for_types_that_they_have_served():
    pool = replace(CONTEST.pool, task_types=tuple("draw" if i < 20 else "edit" for i in range(40)))
    keep = np.array([i for i in range(40) if not (i < 20 and pool.generators[i] == "g3")])
    wishes = plan_generating(fit(subset(pool, keep)), 200)
    assert {w.generator for w in wishes if int(w.task_id[1:]) >= 5} >= {"g3"}
    assert all(w.generator != "g3" for w in wishes if int(w.task_id[1:]) < 5)


def test_the_same_input_gives_the_same_wishes():
    assert plan_generating(skilled(), 30) == plan_generating(skilled(), 30)
