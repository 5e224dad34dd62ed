"""The plan of the next submission: what it picks, what it states, and when it holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_contests import BELIEFS, dense, make_contest, subset

from selector.domain import InputError
from selector.learn import plan_submission as planning
from selector.learn._knowledge_gradient import Effort
from selector.learn.calibrator import Calibrator
from selector.learn.plan_submission import WIN_FROM, Submitted, plan_submission
from selector.learn.pool import Choices
from selector.learn.totals import ROUNDING, Total

CONTEST = make_contest(0, tasks=15)
TOTALS = CONTEST.random_totals(4, seed=1)  # the fifth submission is to learn, see below
NOISE = 0.05**2 + ROUNDING**2 / 12
LIGHT = Effort(ahead=3, draws=16, sweeps=2, steps=3)


def fit(contest=CONTEST, totals=TOTALS, **parameters):
    return Calibrator(BELIEFS, **parameters).fit(contest.pool, totals)


def plan(fitted, remaining=5, **options):
    """Everything in the totals that is a whole submission was submitted."""
    weights = fitted.evidence.weights
    whole = [Submitted(np.flatnonzero(w)) for w in weights if np.count_nonzero(w) == len(fitted.pool.tasks)]
    options = {"effort": LIGHT, "submitted": whole, **options}
    if "pending" in options:
        options["pending"] = [Submitted(rows) for rows in options["pending"]]
    return plan_submission(fitted, len(fitted.pool.tasks), remaining, **options)


def weights_of(picked, n=60, tasks=15):
    weights = np.zeros(n)
    weights[picked] = 1 / tasks
    return weights


def test_a_plan_picks_one_candidate_of_every_task():
    for seed in range(5):
        picked = plan(fit(), seed=seed, hold_below=0.0).picked
        assert CONTEST.pool.task_of[picked].tolist() == list(range(15))


def test_the_last_submission_is_the_best_picks_known():
    fitted = fit()
    got = plan(fitted, remaining=1)
    best = Choices(CONTEST.pool.choices, 15).best(fitted.posterior.mean)
    assert got.picked.tolist() == best.tolist()
    assert (got.purpose, got.lesson, got.changed) == ("exploit", 0.0, 0)
    assert got.expected == got.present


def test_an_early_submission_is_to_learn_and_counts_what_it_changes():
    got = plan(fit())
    assert got.purpose == "learn"
    assert not got.hold
    assert got.changed == int((got.picked != plan(fit(), remaining=1).picked).sum()) > 0
    assert got.expected < got.present


def test_what_a_lesson_should_bring_is_what_brute_force_says():
    """With one submission to learn from: the expected rise of the final picks, in simulated outcomes of its total."""
    fitted = fit()
    got = plan(fitted, remaining=2)
    rng = np.random.default_rng(0)
    weights, covariance = weights_of(got.picked), dense(fitted.posterior)
    sd = np.sqrt(weights @ covariance @ weights + NOISE)
    means = fitted.posterior.mean + np.outer(rng.standard_normal(40_000), covariance @ weights / sd)
    rise = means.reshape(-1, 15, 4).max(axis=2).mean(axis=1)
    now = fitted.posterior.mean.reshape(15, 4).max(axis=1).mean()
    assert got.lesson == pytest.approx(rise.mean() - now, rel=0.15)


def test_a_lesson_is_an_average_over_the_submissions_that_are_planned_together():
    """Once the level is known each further total teaches less than the one before."""
    fitted = fit(totals=CONTEST.random_totals(8, seed=3))
    one, four = (plan(fitted, remaining=r, effort=replace(LIGHT, ahead=4)).lesson for r in (2, 5))
    assert 0.4 * one < four < 1.1 * one


@pytest.mark.parametrize("remaining", [1, 5])
def test_interval_of_the_total_is_that_of_the_posterior(remaining):
    fitted = fit()
    got = plan(fitted, remaining=remaining)
    weights = weights_of(got.picked)
    sd = np.sqrt(weights @ dense(fitted.posterior) @ weights + NOISE)
    assert got.expected == pytest.approx(weights @ fitted.posterior.mean)
    assert got.low == pytest.approx(got.expected - 1.28155 * sd, abs=1e-4)
    assert got.high == pytest.approx(got.expected + 1.28155 * sd, abs=1e-4)


def test_interval_stays_on_the_scale():
    high = [Total(t.rows, 15, 10.0) for t in TOTALS]
    assert plan(fit(totals=high)).high <= 10.0
    assert plan(fit(totals=[Total(t.rows, 15, 0.0) for t in TOTALS])).low >= 0.0


def test_gain_is_the_expected_rise_over_the_best_submission_so_far():
    fitted = fit()
    got = plan(fitted, remaining=1)
    drawn = fitted.sample(60_000, np.random.default_rng(0))
    submitted = [weights_of(t.rows) for t in TOTALS]
    best = max(submitted, key=lambda w: w @ fitted.posterior.mean)
    rise = np.maximum(drawn @ (weights_of(got.picked) - best), 0.0)
    assert got.gain == pytest.approx(rise.mean(), abs=4 * rise.std() / 60_000**0.5 + 1e-3)


def test_before_the_first_submission_everything_is_gain():
    got = plan(fit(totals=[]))
    assert got.gain == pytest.approx(got.present)
    assert not got.hold


def test_tasks_elsewhere_count_in_the_total():
    fitted = fit()
    plain = plan_submission(fitted, 20, 1)
    more = plan_submission(fitted, 20, 1, elsewhere=5 * 4.0)
    assert more.expected == pytest.approx(plain.expected + 1.0)
    assert more.present == pytest.approx(plain.present + 1.0)


# Pending submissions


def test_pending_submissions_change_the_plan_and_never_the_mean():
    fitted = fit()
    first = plan(fitted)
    mean = fitted.posterior.mean.copy()
    second = plan(fitted, pending=[first.picked])
    np.testing.assert_array_equal(fitted.posterior.mean, mean)
    assert second.present == pytest.approx(first.present)
    assert second.picked.tolist() != first.picked.tolist()
    assert second.expected == pytest.approx(weights_of(second.picked) @ mean)


def test_the_best_picks_that_are_pending_already_gain_nothing():
    fitted = fit()
    last = plan(fitted, remaining=1)
    again = plan(fitted, remaining=1, pending=[last.picked])
    assert again.gain == pytest.approx(0.0, abs=1e-9)
    assert again.hold


def test_interval_does_not_pretend_to_know_totals_that_are_pending():
    fitted = fit()
    last = plan(fitted, remaining=1)
    again = plan(fitted, remaining=1, pending=[last.picked])
    assert again.high - again.low == pytest.approx(last.high - last.low)


def test_a_pending_lesson_is_worth_less_the_second_time():
    fitted = fit()
    first = plan(fitted, hold_below=0.0)
    after = fitted.posterior.observe(weights_of(first.picked)[None], np.array([first.expected]), np.array([NOISE]))
    assert plan(fitted, pending=[first.picked], hold_below=0.0).lesson < first.lesson
    assert after.variance.sum() < fitted.posterior.variance.sum()


# Every fourth is to win


@pytest.mark.parametrize("before", range(9))
def test_every_fourth_submission_is_to_win_and_all_others_are_to_learn(before):
    fitted = fit()
    submitted = [Submitted(t.rows) for t in CONTEST.random_totals(before, seed=2)]
    got = plan(fitted, remaining=5, submitted=submitted, hold_below=0.0)
    best = plan(fitted, remaining=1, submitted=submitted, hold_below=0.0)
    assert best.gain >= WIN_FROM
    assert got.purpose == ("exploit" if before in (3, 7) else "learn")
    assert (got.picked.tolist() == best.picked.tolist()) is (got.purpose == "exploit")
    assert ("this submission is to win, as every 4th is" in got.why) is (got.purpose == "exploit")
    assert got.why.endswith("to learn") is (got.purpose == "learn")


def test_near_the_end_no_submission_is_taken_for_standing_well():
    """The last ones win anyway: with four left the fourth is still to learn, and the last is to win without a turn."""
    fitted, submitted = fit(), [Submitted(t.rows) for t in CONTEST.random_totals(3, seed=2)]
    purposes = [plan(fitted, left, submitted=submitted, hold_below=0.0).purpose for left in (5, 4, 2, 1)]
    assert purposes == ["exploit", "learn", "learn", "exploit"]
    assert plan(fitted, 1, submitted=submitted).why.endswith("this submission is to win")


def test_uploads_without_a_total_count_towards_the_fourth():
    fitted, rows = fit(), [t.rows for t in CONTEST.random_totals(3, seed=2)]
    got = plan(fitted, submitted=[Submitted(rows[0])], pending=rows[1:], hold_below=0.0)
    assert got.purpose == "exploit"


def test_a_fourth_submission_that_would_hardly_beat_the_best_one_is_to_learn():
    fitted = fit()
    best = plan(fitted, remaining=1).picked
    got = plan(fitted, submitted=[Submitted(best)] * 3, hold_below=0.0)
    assert got.gain < WIN_FROM
    assert got.purpose == "learn"


# What it teaches


def test_learnings_are_the_weights_before_and_after_the_total():
    """After: the same fit with the planned submission told, its outcome as expected so that the scale stays."""
    fitted = fit()
    got = plan(fitted)
    assert 1 <= len(got.learnings) <= 4
    design, evidence = fitted.design, fitted.evidence
    root, sds = fitted.prior.root, np.linalg.norm(fitted.prior.root, axis=0) / np.linalg.norm(design.basis, axis=0)
    prior = np.block([[np.diag(sds**2), sds[:, None] * root.T], [root * sds, dense(fitted.prior)]])
    k = len(design.sds)
    lines = np.vstack([evidence.weights, weights_of(got.picked)])
    seen = np.hstack([np.zeros((len(lines), k)), lines])
    noise = np.append(evidence.noise, NOISE)
    after = prior - prior @ seen.T @ np.linalg.solve(seen @ prior @ seen.T + np.diag(noise), seen @ prior)
    narrowed = {e.key: s for e, s in zip(design.effects, np.sqrt(np.diag(after)[:k]), strict=True)}
    units = {w.effect.key: 1.5 if w.effect.kind in ("score", "generator mean") else 1.0 for w in fitted.weights}
    before = {w.effect.key: w.sd for w in fitted.weights}
    for learning in got.learnings:
        unit = units[learning.effect]  # weights of scores are kept as correlations and told in points
        assert learning.before == pytest.approx(unit * before[learning.effect])
        assert learning.after == pytest.approx(unit * narrowed[learning.effect], abs=1e-6)
        assert learning.after < 0.95 * learning.before


def test_learnings_of_a_submission_that_is_pending_already_are_no_more_than_of_its_total():
    fitted = fit()
    last = plan(fitted, remaining=1)
    again = plan(fitted, remaining=1, pending=[last.picked])
    for one, two in zip(last.learnings, again.learnings, strict=True):
        assert (two.effect, two.after) == (one.effect, pytest.approx(one.after))


# HOLD


@pytest.mark.parametrize("remaining", [1, 2, 9])
@pytest.mark.parametrize("told", [0, 3, 12])
def test_with_a_threshold_of_zero_it_never_holds(remaining, told):
    got = plan(fit(totals=CONTEST.random_totals(told, seed=5)), remaining=remaining, hold_below=0.0)
    assert not got.hold
    assert "HOLD" not in got.why


def test_with_a_threshold_of_zero_it_does_not_even_hold_when_there_is_nothing_to_win():
    pool = subset(CONTEST.pool, np.arange(0, 60, 4))
    got = plan(Calibrator(BELIEFS).fit(pool, [Total(np.arange(15), 15, 5.0)]), hold_below=0.0)
    assert (got.gain, got.lesson) == (0.0, 0.0)
    assert not got.hold


def converged():
    """Every candidate's score is known: the best picks and each candidate by itself have been told."""
    exact = [Total(np.array([i]), 1, float(v)) for i, v in enumerate(CONTEST.truth)]
    best = CONTEST.truth.reshape(15, 4).argmax(axis=1) + 4 * np.arange(15)
    return fit(totals=[*exact, *[CONTEST.total(best)] * 3], noise_sd=0.02)


def test_with_nothing_left_to_win_or_learn_it_holds():
    got = plan(converged(), remaining=4)
    assert got.hold
    assert got.purpose == "exploit"
    assert got.why.startswith("HOLD: ")
    assert "both are below 0.0055" in got.why
    assert max(got.gain, got.lesson) < 0.0055


def test_it_holds_below_the_threshold_that_it_is_given():
    fitted = fit()
    got = plan(fitted)
    most = max(got.gain, got.lesson)
    assert not plan(fitted, hold_below=0.99 * most).hold
    assert plan(fitted, hold_below=1.01 * most).hold


def test_better_picks_than_those_submitted_are_worth_a_submission_when_nothing_is_left_to_learn():
    exact = [Total(np.array([i]), 1, float(v)) for i, v in enumerate(CONTEST.truth)]
    worst = CONTEST.truth.reshape(15, 4).argmin(axis=1) + 4 * np.arange(15)
    got = plan(fit(totals=[*exact, CONTEST.total(worst)], noise_sd=0.02))
    rise = CONTEST.truth.reshape(15, 4).max(axis=1).mean() - CONTEST.truth[worst].mean()
    assert (got.purpose, got.hold) == ("exploit", False)
    assert got.gain == pytest.approx(rise, abs=0.1)


def test_totals_of_a_part_of_the_tasks_are_no_submission_to_beat():
    """A kind task type has a higher mean than the whole contest: that is no reason to hold."""
    best = plan(fit(), remaining=1).picked
    part = Total(best[:5], 5, 9.5)
    fitted = fit(totals=[*TOTALS, part])
    got = plan(fitted, remaining=1)
    assert got.gain > 0.1 and not got.hold


def test_what_a_submission_holds_beside_the_pool_counts_when_it_is_compared():
    fitted = fit()
    rows = plan(fitted, remaining=1).picked
    rich = plan_submission(fitted, 20, 1, submitted=[Submitted(rows, 5 * 4.0)], elsewhere=5 * 4.0)
    poor = plan_submission(fitted, 20, 1, submitted=[Submitted(rows, 0.0)], elsewhere=5 * 4.0)
    assert rich.gain == pytest.approx(0.0, abs=1e-9)
    assert poor.gain == pytest.approx(1.0)


@pytest.mark.parametrize("bar", [-1.0, float("nan")])
def test_a_bar_that_is_no_number_of_points_is_refused(bar):
    with pytest.raises(InputError, match="number of points from 0 on"):
        plan(fit(), hold_below=bar)


def test_why_says_the_numbers_in_words():
    got = plan(fit())
    assert f"by {got.gain:.3f} points" in got.why
    assert f"would teach {got.lesson:.3f} points" in got.why
    assert got.why.endswith("to learn")
    assert plan(fit(), remaining=1, hold_below=0.0).why.endswith("to win")


# Odd pools and bad input


@pytest.mark.parametrize("remaining", [0, -3])
def test_without_a_submission_left_there_is_no_plan(remaining):
    with pytest.raises(InputError, match=r"no submission remains .* the contest is over, or say how many are left"):
        plan(fit(), remaining=remaining)


def test_what_may_not_be_picked_is_not_planned_though_older_submissions_hold_it():
    eligible = np.array([g != "g1" for g in CONTEST.pool.generators])
    pool = replace(CONTEST.pool, eligible=eligible)
    fitted = Calibrator(BELIEFS).fit(pool, [Total(np.arange(1, 60, 4), 15, 9.0)])
    for remaining in (1, 6):
        assert eligible[plan(fitted, remaining=remaining, pending=[np.arange(1, 60, 4)]).picked].all()


def test_a_task_without_a_choice_is_left_out():
    pool = replace(CONTEST.pool, eligible=np.arange(60) >= 4)
    got = plan(Calibrator(BELIEFS).fit(pool, []), remaining=3)
    assert len(got.picked) == 14
    assert (got.picked >= 4).all()


@pytest.mark.parametrize("remaining", [1, 4])
def test_where_nothing_may_be_picked_it_holds(remaining):
    got = plan(Calibrator(BELIEFS).fit(replace(CONTEST.pool, eligible=np.zeros(60, dtype=bool))), remaining=remaining)
    assert got.hold
    assert len(got.picked) == 0


def test_unequal_numbers_of_candidates_are_planned():
    pool = subset(CONTEST.pool, np.array([0, 1, 2, 3, 5, 8, 9, 13, 14, 15]))
    got = plan(Calibrator(BELIEFS).fit(pool, []), remaining=4)
    assert pool.task_of[got.picked].tolist() == [0, 1, 2, 3]


def test_one_candidate_a_task_is_submitted_once_and_then_held():
    pool = subset(CONTEST.pool, np.arange(0, 60, 4))
    first = plan(Calibrator(BELIEFS).fit(pool, []))
    assert first.picked.tolist() == list(range(15))
    assert not first.hold
    assert plan(Calibrator(BELIEFS).fit(pool, [Total(np.arange(15), 15, 5.0)])).hold


def test_a_single_task_is_planned():
    pool = subset(CONTEST.pool, np.arange(4))
    assert len(plan(Calibrator(BELIEFS).fit(pool, []), remaining=3).picked) == 1


@pytest.mark.parametrize("noise_sd", [1e-6, 0.05])
def test_the_same_submission_told_ten_times_can_be_planned_after(noise_sd):
    got = plan(fit(totals=[TOTALS[0]] * 10, noise_sd=noise_sd))
    numbers = (got.expected, got.low, got.high, got.gain, got.lesson)
    assert np.isfinite(numbers).all()
    assert got.low <= got.expected <= got.high


def test_all_scores_equal_can_be_planned():
    pool = replace(CONTEST.pool, values=np.full((60, 3), 4.0), generators=("g",) * 60)
    got = plan(Calibrator(BELIEFS).fit(pool, []))
    assert got.lesson >= 0.0


def test_the_same_seed_gives_the_same_plan():
    one, two = plan(fit(), seed=3), plan(fit(), seed=3)
    assert one.picked.tolist() == two.picked.tolist()
    assert replace(one, picked=two.picked) == two


def test_names_and_units_do_not_change_which_candidates_are_planned():
    pool = CONTEST.pool
    renamed = replace(
        pool,
        task_ids=tuple(t[::-1] for t in pool.task_ids),
        candidate_ids=tuple(f"z{99 - i}" for i in range(60)),
        generators=tuple({"g0": "z", "g1": "m", "g2": "a", "g3": "k"}[g] for g in pool.generators),
        task_types=("other",) * 60,
        columns=("b", "c", "a"),
        values=pool.values * [4.0, 0.5, 2.0],  # powers of two: not a bit is lost
    )
    other = Calibrator({"b": BELIEFS["judge"], "c": BELIEFS["weak"]}).fit(renamed, TOTALS)
    assert plan(other).picked.tolist() == plan(fit()).picked.tolist()


def test_of_very_many_candidates_those_that_may_win_teach_about_as_much_as_all(monkeypatch):
    fitted = fit()
    everybody = plan(fitted)
    monkeypatch.setattr(planning, "_MANY", 3)  # of four a task
    monkeypatch.setattr(planning, "_DRAWS", 8)
    few = plan(fitted)
    rows = planning._contenders(fitted, Choices(CONTEST.pool.choices, 15), 0)
    assert 15 < len(rows) < 60 and set(few.picked.tolist()) <= set(rows.tolist())
    assert CONTEST.pool.task_of[few.picked].tolist() == list(range(15))
    assert few.lesson == pytest.approx(everybody.lesson, rel=0.25) and few.present == everybody.present
    assert few.picked.tolist() == plan(fitted).picked.tolist()
