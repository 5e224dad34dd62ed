"""How noisy one pass of a judge is, and what means of several are worth: against simulation and hand numbers."""

from __future__ import annotations

import numpy as np
import pytest

from selector.learn.passes import RELIABILITY, Repeats, measure_repeats, pass_sd


def judged(seed, counts, sd, true_sd, tasks=300):
    """Every task has candidates with these numbers of passes: values, task, passes, row, true scores."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(tasks), len(counts))
    true = rng.normal(5, 2, tasks)[task] + rng.normal(0, true_sd, len(task))
    row = np.repeat(np.arange(len(task)), np.tile(counts, tasks))
    passes = true[row] + rng.normal(0, sd, len(row))
    values = np.bincount(row, weights=passes) / np.bincount(row)
    return values, task, passes, row, true


def test_the_sd_of_one_pass_is_pooled_over_candidates():
    values, candidate = np.array([1.0, 3.0, 5.0, 5.0, 8.0, 9.0]), np.array([0, 0, 1, 1, 1, 2])
    assert pass_sd(values, candidate) == pytest.approx(((1 + 1 + 1 + 1 + 4) / 3) ** 0.5)


def test_where_nothing_was_repeated_no_sd_is_known():
    assert pass_sd(np.array([1.0, 3.0]), np.array([4, 7])) is None


def test_a_belief_counts_as_so_many_repeats():
    pair = np.array([4.0, 4.2]), np.array([0, 0])
    assert pass_sd(*pair, prior_sd=1.0, weight=4.0) == pytest.approx(((0.02 + 4.0) / 5) ** 0.5)


def test_few_repeats_that_are_alike_may_be_luck_and_many_are_a_deterministic_judge():
    assert pass_sd(np.full(2, 4.0), np.zeros(2, int), 1.0, 4.0) == pytest.approx(0.8**0.5)
    assert pass_sd(np.full(10, 4.1), np.repeat(np.arange(5), 2), 1.0, 4.0) == 0.0


@pytest.mark.parametrize("counts", [(1, 2, 1, 3), (4, 4, 4, 4), (1, 1, 1, 2)])
def test_both_spreads_are_recovered(counts):
    values, task, passes, row, _ = judged(0, counts, 0.9, 1.3)
    found = measure_repeats(values, task, passes, row)
    assert found.measured
    assert found.counts.tolist() == list(counts) * 300
    assert found.sd == pytest.approx(0.9, rel=0.05)
    assert found.true_sd == pytest.approx(1.3, rel=0.05)


def test_what_was_not_looked_at_has_no_passes_and_no_gain():
    values, task, passes, row, _ = judged(1, (2, 1, 1), 1.0, 1.0)
    missing = row % 3 != 2  # of every task's last candidate nothing is known
    values[2::3] = np.nan
    found = measure_repeats(values, task, passes[missing], row[missing])
    assert found.counts[:3].tolist() == [2, 1, 0]
    assert found.gain[0] > 1.2
    np.testing.assert_array_equal(found.gain[1:3], 1.0)
    assert found.sd == pytest.approx(1.0, rel=0.1) and found.true_sd == pytest.approx(1.0, rel=0.1)


def test_gain_is_how_much_steeper_the_truth_follows_a_mean_of_k_passes():
    values, task, passes, row, true = judged(2, (1, 1, 1, 1, 4, 4, 4, 4), 1.2, 1.0, tasks=4000)
    found = measure_repeats(values, task, passes, row)

    def slope(of):
        centred = [x.reshape(4000, 8)[:, of] for x in (values, true)]
        x, y = (part - part.mean(axis=1, keepdims=True) for part in centred)
        return (x * y).sum() / (x**2).sum()

    assert found.gain[4] == pytest.approx(slope(slice(4, 8)) / slope(slice(0, 4)), rel=0.03)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_news_of_a_further_look_is_the_sd_of_what_it_changes(k):
    """In simulation: how far the expectation of the truth moves when pass k + 1 comes, beside that of a first one."""
    rng, sd, true_sd = np.random.default_rng(k), 1.1, 0.8
    true = rng.normal(0, true_sd, 200_000)
    noise = rng.normal(0, sd, (k + 1, len(true)))

    def expected(passes):
        weight = true_sd**2 / (true_sd**2 + sd**2 / passes)
        return weight * (true + noise[:passes].mean(axis=0))

    further = Repeats(np.array([k]), sd, true_sd).further[0]
    assert further == pytest.approx((expected(k + 1) - expected(k)).std() / expected(1).std(), rel=0.01)


def test_news_of_a_first_look_is_all_of_it_and_each_further_one_says_less():
    further = Repeats(np.arange(6), 1.0, 1.0).further
    assert further[0] == pytest.approx(1.0)
    assert (np.diff(further) < 0).all()
    assert further[1] == pytest.approx((1 / 3) ** 0.5), "rho_1 is a half, rho_2 two thirds"


def test_a_deterministic_judge_is_never_worth_a_further_look():
    found = Repeats(np.array([0, 1, 2]), 0.0, 1.0)
    np.testing.assert_array_equal(found.further, [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(found.gain, 1.0)


def test_of_a_judge_that_repeated_nothing_the_noise_is_not_known_and_may_be_believed():
    values, task, passes, row, _ = judged(3, (1, 1, 1), 1.0, 1.0)
    found = measure_repeats(values, task, passes, row)
    assert not found.measured and found.sd == 0.0
    believed = found.believed()
    assert believed.one_pass == pytest.approx(RELIABILITY)
    assert believed.sd**2 + believed.true_sd**2 == pytest.approx(found.true_sd**2)


def test_a_judge_that_seems_pure_noise_is_still_believed_to_see_something():
    values, task, passes, row, _ = judged(4, (2, 2), 2.0, 0.0, tasks=20)
    found = measure_repeats(values, task, passes, row)
    assert found.one_pass == pytest.approx(0.2)
    assert found.gain.max() <= 2.0


def test_candidates_that_are_alone_in_their_tasks_tell_nothing():
    found = measure_repeats(np.array([3.0, 7.0]), np.array([0, 1]), np.array([2.0, 4.0, 7.0]), np.array([0, 0, 1]))
    assert not found.measured
    np.testing.assert_array_equal(found.gain, 1.0)
    np.testing.assert_array_equal(found.believed().further, 0.0)
