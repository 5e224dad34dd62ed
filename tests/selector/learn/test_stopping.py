"""The best of N over N: against enumerated subsets, draws of the posterior, normal theory and known truths."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from toy_contests import BELIEFS, make_contest, reordered, subset, with_columns

from selector.learn.belief import Belief
from selector.learn.calibrator import Calibrator
from selector.learn.plan_generating import demands
from selector.learn.pool import Pool
from selector.learn.stopping import AHEAD, ALL_TYPES, best_of, curves, held_out, next_candidates
from selector.learn.totals import Z80

CONTEST = make_contest(0, tasks=12, generators=5)


def fit(pool=CONTEST.pool, totals=(), beliefs=BELIEFS):
    return Calibrator(beliefs).fit(pool, totals)


def by_enumeration(mean, values, tasks, width, n):
    """Mean of ``values`` of the best by ``mean`` among all subsets of n of each task's candidates."""
    of_task = []
    for task in range(tasks):
        rows = range(task * width, (task + 1) * width)
        best = [max(rows, key=lambda i: (mean[i], -i)) for rows in itertools.combinations(rows, n)]
        of_task.append(values[best].mean(axis=0))
    return np.mean(of_task, axis=0)


@pytest.mark.parametrize(("count", "most"), [(1, 3), (4, 4), (6, 2)])
def test_chances_of_the_best_of_n_are_those_of_all_subsets(count, most):
    found = best_of(count, most)
    assert found.shape == (min(count, most), count)
    for n in range(1, len(found) + 1):
        best = [min(chosen) for chosen in itertools.combinations(range(count), n)]
        assert found[n - 1] == pytest.approx(np.bincount(best, minlength=count) / len(best))


def test_many_candidates_do_not_overflow():
    assert best_of(5_000, 2_500).sum(axis=1) == pytest.approx(np.ones(2_500), rel=1e-6)


def test_the_measured_part_is_what_all_subsets_give():
    fitted = fit(totals=CONTEST.random_totals(5, 1))
    (curve,) = curves(fitted)
    mean = fitted.posterior.mean
    draws = fitted.sample(4_000, np.random.default_rng(0)).T
    rises = [by_enumeration(mean, draws, 12, 5, n) for n in range(1, 6)]
    assert curve.measured_to == 5 and curve.n == tuple(range(1, 6 + AHEAD))
    for n in range(1, 6):
        assert curve.mean[n - 1] == pytest.approx(by_enumeration(mean, mean, 12, 5, n))
        spread = float((rises[n - 1] - rises[0]).std())
        assert curve.high[n - 1] - curve.mean[n - 1] == pytest.approx(Z80 * spread, rel=0.05, abs=1e-9)
        assert curve.mean[n - 1] - curve.low[n - 1] == pytest.approx(curve.high[n - 1] - curve.mean[n - 1])


def test_of_normal_estimates_it_is_their_spread_times_the_expected_maximum():
    """Before, by subsets, and beyond what is there, by the plan: e(2) = 0.564, e(5) = 1.163, e(10) = 1.539."""
    rng = np.random.default_rng(1)
    tasks, each = 300, 5
    ids = tuple(f"c{i}" for i in range(tasks * each))
    names = tuple(f"t{t:03d}" for t in range(tasks) for _ in range(each))
    values = rng.standard_normal((tasks * each, 1))
    pool = Pool(names, ids, ("all",) * len(ids), ("g",) * len(ids), ("judge",), values)
    fitted = fit(pool)
    (curve,) = curves(fitted)
    deviation = fitted.posterior.mean.reshape(tasks, each)
    spread = (deviation - deviation.mean(axis=1, keepdims=True)).std() * (each / (each - 1)) ** 0.5
    rises = [(curve.mean[n - 1] - curve.mean[0]) / spread for n in (2, 5, 10)]
    assert rises == pytest.approx([0.564, 1.163, 1.539], abs=0.05)


def test_the_band_holds_the_truth_as_often_as_it_says_when_the_model_is_right():
    fitted = fit(totals=CONTEST.random_totals(3, 0))
    (curve,) = curves(fitted)
    truths = fitted.sample(3_000, np.random.default_rng(5)).T
    of_mean = fitted.posterior.mean
    rise = by_enumeration(of_mean, truths, 12, 5, 4) - by_enumeration(of_mean, truths, 12, 5, 1)
    low, high = curve.low[3] - curve.mean[0], curve.high[3] - curve.mean[0]
    assert ((low <= rise) & (rise <= high)).mean() == pytest.approx(0.8, abs=0.03)


def test_expectations_never_fall_and_the_low_end_does_where_a_score_may_run_against_the_truth():
    unsure, sure = (
        curves(fit(beliefs={"judge": Belief(r, 0.05)}, pool=make_contest(1, tasks=80).pool))[0] for r in (0.02, 0.6)
    )
    for curve in (unsure, sure):
        assert (np.diff(curve.mean) > -1e-9).all()
    assert unsure.may_hurt_after == 1 and unsure.low[3] < unsure.low[0]
    assert sure.may_hurt_after is None


def test_a_better_proxy_makes_more_candidates_worth_while():
    pool = make_contest(2, tasks=40).pool
    found = [curves(fit(pool, beliefs={"judge": Belief(r, 0.02)}), least=0.02)[0] for r in (0.0, 0.05, 0.4)]
    ends = [c.n[-1] + 1 if c.stop_after is None else c.stop_after for c in found]
    assert ends[0] == 1 and ends == sorted(set(ends))
    worths = [c.worth_of_next for c in found]
    assert worths == sorted(worths)


def test_each_further_candidate_adds_less_than_least_from_where_to_stop_on():
    pool = make_contest(2, tasks=40).pool
    (curve,) = curves(fit(pool, beliefs={"judge": Belief(0.1, 0.02)}), least=0.03)
    assert curve.stop_after is not None and 1 < curve.stop_after < curve.n[-1]
    steps = np.diff(curve.mean)
    assert (steps[curve.stop_after - 1 :] < 0.03).all() and steps[curve.stop_after - 2] >= 0.03


def test_where_all_estimates_are_ties_nothing_is_promised():
    flat = replace(CONTEST.pool, columns=(), values=np.zeros((60, 0)))
    (curve,) = curves(fit(flat))
    assert curve.mean == pytest.approx([curve.mean[0]] * len(curve.mean), abs=0.03)
    assert curve.stop_after == 1 and curve.may_hurt_after == 1


def test_all_types_together_are_the_mean_of_their_tasks():
    pool = make_contest(3, tasks=12, types=("edit", "draw", "draw")).pool
    *own, together = curves(fit(pool))
    sizes = {c.task_type: c.tasks for c in own}
    assert sizes == {"edit": 4, "draw": 8} and together.task_type == ALL_TYPES and together.tasks == 12
    assert np.average([c.mean for c in own], axis=0, weights=list(sizes.values())) == pytest.approx(together.mean)
    assert together.high[2] - together.mean[2] < max(c.high[2] - c.mean[2] for c in own)


def test_what_may_not_be_picked_and_copies_of_a_picture_do_not_count():
    pool = CONTEST.pool
    copies = replace(
        pool,
        finishes=tuple("sharpen" if i % 5 == 1 else "" for i in range(60)),
        origins=tuple(pool.candidate_ids[i - 1] if i % 5 == 1 else "" for i in range(60)),
        eligible=np.arange(60) % 5 != 4,
    )
    (curve,) = curves(fit(copies))
    assert curve.measured_to == 3
    found = next_candidates(fit(copies), demands(fit(copies)))
    assert {one.candidates for one in found} == {3}


def test_tasks_with_few_candidates_count_from_where_they_are():
    """Half of the tasks have five, a quarter one; those are expected to gain what the plan says from one on."""
    kept = np.array([i for i in range(60) if i < 45 or i % 5 == 0])
    fitted = fit(subset(CONTEST.pool, kept))
    (curve,) = curves(fitted)
    assert (curve.tasks, curve.measured_to) == (12, 5)
    few = {d.task_id: d for d in demands(fitted) if d.task_id >= "t009"}
    mean, added = fitted.posterior.mean, 0.0
    for demand in few.values():
        added += demand.next_worth()
    first = [by_enumeration(mean[:45], mean[:45], 9, 5, n) * 9 for n in (1, 2)]
    assert 12 * (curve.mean[1] - curve.mean[0]) == pytest.approx(first[1] - first[0] + added, rel=1e-6)


def test_of_single_candidates_nothing_is_known():
    pool = make_contest(3, tasks=12, types=("edit", "draw")).pool
    kept = np.array([i for i in range(48) if pool.task_types[i] == "edit" or i % 4 == 0])
    only, *more = curves(fit(subset(pool, kept)))
    assert (only.task_type, only.tasks, more) == ("edit", 6, [])
    assert curves(fit(subset(pool, np.arange(0, 48, 4)))) == []


def test_beyond_what_is_there_the_mean_is_what_the_plan_expects_whoever_made_how_many():
    kept = np.array([i for i in range(60) if i % 5 < 2 + i // 5 % 4])  # two to five of a task, of other makers
    fitted = fit(subset(CONTEST.pool, kept), beliefs={"judge": Belief(0.4, 0.1)})
    (curve,) = curves(fitted)
    gained = 0.0
    for demand in demands(fitted):
        gained += demand.best + sum(demand.take() for _ in range(curve.n[-1] - (2 + int(demand.task_id[1:]) % 4)))
    assert curve.mean[-1] == pytest.approx(gained / 12)


def test_where_nobody_makes_more_the_curve_ends_flat():
    (asked,) = curves(fit())
    (declined,) = curves(fit(), declined=[(t, f"g{g}") for t in CONTEST.pool.tasks for g in range(5)])
    assert asked.mean[:5] == declined.mean[:5] and asked.mean[-1] > declined.mean[-1]
    assert declined.mean[4:] == pytest.approx([declined.mean[4]] * (AHEAD + 1))
    assert declined.worth_of_next == 0.0


def test_the_worth_of_the_next_is_the_mean_of_what_each_task_would_gain():
    fitted = fit(totals=CONTEST.random_totals(4, 0))
    (curve,) = curves(fitted)
    tasks = next_candidates(fitted, demands(fitted))
    assert curve.worth_of_next == pytest.approx(np.mean([t.worth for t in tasks]))
    assert curve.mean[5] - curve.mean[4] == pytest.approx(curve.worth_of_next, abs=1e-9)
    assert [t.worth for t in tasks] == sorted((t.worth for t in tasks), reverse=True)


def test_the_order_of_the_input_does_not_matter():
    order = np.concatenate([5 * task + np.random.default_rng(0).permutation(5) for task in range(12)])
    one, other = (curves(fit(pool))[0] for pool in (CONTEST.pool, reordered(CONTEST.pool, order)))
    for field in ("mean", "low", "high"):
        assert getattr(one, field) == pytest.approx(getattr(other, field), abs=1e-6)


def judged(sign, seen=1.0, tasks=40):
    """A second judge that agrees with the first (sign 1) or runs against it (-1), and saw a share of the tasks."""
    contest = make_contest(4, tasks=tasks)
    said = sign * contest.pool.column("judge") + np.random.default_rng(0).normal(0, 0.5, 4 * tasks)
    said[int(seen * 4 * tasks) :] = np.nan
    return fit(with_columns(contest.pool, ["second", "second.sc"], np.column_stack([said, said])))


def test_a_judge_that_is_left_out_says_whether_more_candidates_help():
    columns = ("second", "second.sc")
    helps, hurts = (held_out(judged(sign), (), columns) for sign in (1.0, -1.0))
    assert helps is not None and hurts is not None
    assert (helps.judged, helps.tasks, helps.n) == (160, 40, (1, 2, 3, 4))
    assert helps.best_at == 4 and helps.low[-1] > 0.5
    assert hurts.best_at == 1 and hurts.high[-1] < -0.5


def test_the_word_of_the_judge_that_is_asked_has_no_part_in_the_choice():
    """Where it alone knew anything, it finds nothing in the choice of others."""
    contest = make_contest(5, tasks=60)
    noise = np.random.default_rng(3).normal(size=240)
    fitted = fit(replace(contest.pool, columns=("judge",), values=noise[:, None]))
    found = held_out(fitted, (), ["judge"])
    assert found is not None and found.low[-1] <= 0.0 <= found.high[-1]


def test_a_judge_that_saw_little_is_not_asked():
    assert held_out(judged(1.0, seen=0.1), (), ("second",)) is None
    assert held_out(judged(1.0), (), ("third",)) is None
