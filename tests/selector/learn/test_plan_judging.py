"""Which candidates to judge: against closed forms and brute force on small pools."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from toy_contests import BELIEFS, make_contest, subset

from selector.learn.belief import JUDGE, Belief
from selector.learn.calibrator import Calibrator
from selector.learn.passes import Repeats
from selector.learn.plan_judging import _UNEXPLAINED, plan_judging, step_sizes

CONTEST = make_contest(0, tasks=12, generators=4)


def fit(pool=CONTEST.pool, totals=()):
    return Calibrator(BELIEFS).fit(pool, totals)


def single_worth(means, steps, c):
    """E max(best of the others, judged c) - the best now, in closed form."""
    other = np.delete(means, c).max()
    u = (means[c] - other) / steps[c]
    return other + steps[c] * (norm.pdf(u) + u * norm.cdf(u)) - means.max()


@pytest.mark.parametrize("seed", range(5))
def test_first_judgement_is_the_most_valuable_by_closed_form(seed):
    fitted = fit(make_contest(seed, tasks=12).pool)
    steps = step_sizes(fitted, "new", JUDGE)
    mean = fitted.posterior.mean
    every = {}
    for rows in fitted.pool.choices:
        for c, row in enumerate(rows):
            every[row] = single_worth(mean[rows], steps[rows], c)
    got = plan_judging(fitted, "new", 1)[0]
    assert every[got.row] == pytest.approx(max(every.values()), abs=0.003)
    assert got.worth == pytest.approx(every[got.row], abs=0.003)


def set_worth(means, steps, judged, draws):
    """Rise of the best mean of one task when a set is judged, by simulation."""
    after = means + np.where(np.isin(np.arange(len(means)), judged), steps * draws, 0.0)
    return after.max(axis=1).mean() - means.max()


@pytest.mark.parametrize("seed", range(4))
def test_three_judgements_are_worth_nearly_the_best_three(seed):
    """Two tasks of four: all sets of three, valued by independent simulation.

    Less than 0.005 points may be lost besides: what happens once in 128 draws or less is not seen.
    """
    pool = subset(make_contest(seed, tasks=2).pool, np.arange(8))
    fitted = fit(pool)
    mean, steps = fitted.posterior.mean, step_sizes(fitted, "new", JUDGE)
    draws = np.random.default_rng(seed).standard_normal((20_000, 8))

    def worth(chosen):
        return sum(
            set_worth(mean[t], steps[t], [c - t.start for c in chosen if t.start <= c < t.stop], draws[:, t])
            for t in (slice(0, 4), slice(4, 8))
        )

    best = max(worth(c) for c in itertools.combinations(range(8), 3))
    got = plan_judging(fitted, "new", 3)
    assert worth([j.row for j in got]) >= 0.9 * best - 0.005


@pytest.mark.parametrize("budget", [30, 60, 100])
def test_what_a_set_of_judgements_is_said_to_win_is_what_it_wins_in_simulation(budget):
    fitted = fit(make_contest(5, tasks=40).pool)
    mean, steps = fitted.posterior.mean, step_sizes(fitted, "new", JUDGE)
    got = plan_judging(fitted, "new", budget)
    judged = np.isin(np.arange(160), [j.row for j in got])
    after = mean + judged * steps * np.random.default_rng(0).standard_normal((4000, 160))
    won = after.reshape(4000, 40, 4).max(axis=2).sum(axis=1).mean() - mean.reshape(40, 4).max(axis=1).sum()
    assert sum(j.worth for j in got) == pytest.approx(won, rel=0.06)


def test_budget_is_kept_and_nobody_is_judged_twice():
    rows = [j.row for j in plan_judging(fit(), "new", 20)]
    assert len(rows) == len(set(rows)) == 20
    assert plan_judging(fit(), "new", 0) == []
    everybody = plan_judging(fit(), "new", 1000)
    assert len({j.row for j in everybody}) == len(everybody) <= 48


def test_a_larger_budget_begins_with_the_choices_of_a_smaller_one():
    assert plan_judging(fit(), "new", 12)[:5] == plan_judging(fit(), "new", 5)


def test_what_the_judge_has_seen_is_left_out():
    values = np.where(np.arange(48) % 3 == 0, CONTEST.pool.values[:, 0], np.nan)
    pool = replace(CONTEST.pool, values=np.column_stack([values, CONTEST.pool.values[:, 1:]]))
    fitted = fit(pool)
    assert (step_sizes(fitted, "judge", JUDGE)[::3] == 0).all()
    got = plan_judging(fitted, "judge", 100)
    assert got
    assert all(j.row % 3 for j in got)


def test_nothing_is_left_when_everything_is_judged():
    assert plan_judging(fit(), "judge", 10) == []


def test_tasks_with_one_candidate_and_what_may_not_be_picked_need_no_judge():
    eligible = np.ones(48, dtype=bool)
    eligible[[1, 2, 3, 4]] = False  # the first task keeps one candidate
    rows = {j.row for j in plan_judging(fit(replace(CONTEST.pool, eligible=eligible)), "new", 100)}
    assert rows
    assert not rows & {0, 1, 2, 3, 4}


@pytest.mark.parametrize("correlation", [0.45, -0.45])
def test_a_judge_s_step_follows_from_its_belief_whatever_its_direction(correlation):
    belief = Belief(correlation, 0.1, "")
    step = step_sizes(fit(), "new", belief)
    np.testing.assert_allclose(np.abs(step), 0.45 * 1.5 * _UNEXPLAINED)
    assert len(plan_judging(fit(), "new", 5, belief)) == 5


def test_a_judge_that_proved_useless_is_worth_less():
    values = np.where(np.arange(48) % 2 == 0, CONTEST.pool.values[:, 0], np.nan)
    pool = replace(CONTEST.pool, values=np.column_stack([values, CONTEST.pool.values[:, 1:]]))
    trusted, useless = (
        Calibrator({"judge": JUDGE}, learned={"all/score/judge": (mean, 0.01)}).fit(pool) for mean in (0.45, 0.02)
    )
    worth = [sum(j.worth for j in plan_judging(c, "judge", 8)) for c in (trusted, useless)]
    assert worth[1] < 0.1 * worth[0]


def test_the_same_seed_gives_the_same_judgements():
    assert plan_judging(fit(), "new", 15, seed=4) == plan_judging(fit(), "new", 15, seed=4)


def test_of_two_that_are_worth_the_same_the_first_is_judged_whatever_the_last_digits_of_their_sums():
    fitted = fit(subset(CONTEST.pool, np.arange(2)))
    rows = []
    for behind in np.linspace(0.01, 0.2, 20):  # by symmetry, judging the leader or its rival is worth the same
        posterior = replace(fitted.posterior, mean=np.array([5.0, 5.0 - behind]))
        rows.append(plan_judging(replace(fitted, posterior=posterior), "new", 1)[0].row)
    assert rows == [0] * 20


def test_of_a_picture_and_its_finished_copies_one_is_judged():
    ids = CONTEST.pool.candidate_ids
    # Of the four candidates of each task the second and third are finished copies of the first.
    origins = tuple(ids[i - i % 4] if i % 4 in (1, 2) else "" for i in range(len(ids)))
    fitted = fit(replace(CONTEST.pool, origins=origins))
    got = [j.row for j in plan_judging(fitted, "new", 1000)]
    families = [(row // 4, row % 4 == 3) for row in got]
    assert len(families) == len(set(families))
    assert len(got) > len({task for task, _ in families}), "the picture that is of no family is judged as well"
    assert len(plan_judging(fit(), "new", 1000)) > len(got)


def looked_at(counts, sd=1.0, true_sd=1.0):
    """The contest's judge looked so often at each candidate of every task, with so noisy a look."""
    counts = np.tile(counts, 12)
    values = np.where(counts > 0, CONTEST.pool.values[:, 0], np.nan)
    pool = replace(CONTEST.pool, values=np.column_stack([values, CONTEST.pool.values[:, 1:]]))
    return fit(pool), Repeats(counts, sd, true_sd)


def test_a_second_look_moves_a_mean_by_its_share_of_a_first_one():
    fitted, repeats = looked_at([0, 1, 2, 3])
    step = step_sizes(fitted, "judge", JUDGE, repeats)[:4]
    rho = np.array([0, 1 / 2, 2 / 3, 3 / 4, 4 / 5])
    np.testing.assert_allclose(step / step[0], np.sqrt(np.diff(rho) / rho[1]))


def test_first_and_further_looks_are_chosen_side_by_side():
    fitted, repeats = looked_at([0, 1, 1, 2], sd=2.0)
    got = plan_judging(fitted, "judge", 30, repeats=repeats)
    assert {j.passes for j in got} == {0, 1, 2}
    assert all(j.passes == repeats.counts[j.row] for j in got)
    assert len({j.row for j in got}) == len(got), "one look a plan"
    step = step_sizes(fitted, "judge", JUDGE, repeats)
    mean = fitted.posterior.mean
    every = {
        row: single_worth(mean[rows], step[rows], c) for rows in CONTEST.pool.choices for c, row in enumerate(rows)
    }
    assert every[got[0].row] == pytest.approx(max(every.values()), abs=0.003)


def test_what_has_enough_looks_is_left_out():
    fitted, repeats = looked_at([0, 1, 2, 3], sd=2.0)
    assert {j.passes for j in plan_judging(fitted, "judge", 50, repeats=repeats, most=2)} == {0, 1}


def test_a_judge_that_always_says_the_same_is_asked_about_new_candidates_only():
    fitted, repeats = looked_at([0, 1, 1, 2], sd=0.0)
    assert {j.passes for j in plan_judging(fitted, "judge", 50, repeats=repeats)} == {0}
    assert plan_judging(fitted, "judge", 50, repeats=repeats) == plan_judging(fitted, "judge", 50)


def test_only_the_slope_of_a_score_says_how_far_a_look_moves_a_mean():
    fitted = fit()
    other = next(w for w in fitted.weights if w.effect.kind == "generator")
    named = replace(other, effect=replace(other.effect, name="judge"), mean=9.0)
    both = replace(fitted, weights=(*fitted.weights, named))
    repeats = Repeats(np.ones(48, dtype=np.intp), 1.0, 1.0)
    steps = [step_sizes(one, "judge", JUDGE, repeats) for one in (fitted, both)]
    np.testing.assert_array_equal(*steps)
