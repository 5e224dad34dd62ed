"""What columns agree on and what scores say of generators: against simulation, hand numbers and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from selector.learn._agreement import Agreement, Witness, agreement, copies, generator_means, without_chance


def columns_of(seed, loads, n=2000):
    """A cause (n,) of spread 1, and centred columns that load on it by so much, each of spread 1 itself."""
    rng, loads = np.random.default_rng(seed), np.asarray(loads)
    cause = rng.normal(size=n)
    columns = cause[:, None] * loads + rng.normal(size=(n, len(loads))) * np.sqrt(1 - loads**2)
    return cause, columns - columns.mean(axis=0)


def witness(said, strength):
    return Witness(said, strength, np.ones(len(said), dtype=bool))


def same_way(one, other):
    return float(np.corrcoef(one, other)[0, 1])


# Whether there is any


@pytest.mark.parametrize(("n", "k"), [(100, 2), (300, 5), (2000, 12), (150, 40)])
def test_independent_columns_agree_on_nothing(n, k):
    found = [agreement(np.random.default_rng(seed).normal(size=(n, k)), n, None) for seed in range(20)]
    assert sum(one is not None for one in found) <= 6  # chance lifts the largest eigenvalue beyond its limit in 0.17


def test_the_largest_eigenvalue_is_freed_of_what_chance_adds():
    """30 columns that share 0.2 of their variance, over 120 rows: reliability 30 x 0.2 / (1 + 29 x 0.2)."""
    loads = np.full(30, 0.2**0.5)
    found = [agreement(columns_of(seed, loads, 120)[1], 120, None).reliability for seed in range(30)]
    assert np.mean(found) == pytest.approx(6.0 / 6.8, abs=0.01)


def test_a_few_rows_say_nothing():
    assert agreement(columns_of(0, np.full(10, 0.3), 4)[1], 2.0, None) is None


def test_chance_is_taken_out_of_an_eigenvalue_and_little_of_a_large_table_s():
    assert without_chance(1.4, 0.1) == 1.0
    assert without_chance(5.0, 1e-4) == pytest.approx(5.0, abs=1e-3)


@pytest.mark.parametrize(("rows", "many"), [(40, 10), (400, 30)])
def test_independent_columns_are_believed_in_nothing(rows, many):
    """The largest of many eigenvalues is above 1 by chance; taken at its word it would be believed like a judge."""
    found = [agreement(columns_of(seed, np.zeros(many), rows)[1], rows, None) for seed in range(20)]
    assert np.mean([0.0 if one is None else one.worth[0] for one in found]) < 0.03


@pytest.mark.parametrize(("k", "r"), [(2, 0.3), (4, 0.4), (9, 0.6)])
def test_reliability_of_columns_that_are_alike_is_cronbach_s_alpha(k, r):
    _, columns = columns_of(k, np.full(k, r**0.5), 20_000)
    items, total = columns.var(axis=0).sum(), columns.sum(axis=1).var()
    assert agreement(columns, len(columns), None).reliability == pytest.approx(
        k / (k - 1) * (1 - items / total), abs=0.01
    )


def test_what_is_agreed_on_has_spread_one_and_follows_the_cause_as_reliability_says():
    cause, columns = columns_of(1, [0.7, 0.7, 0.7, 0.7], 20_000)
    found = agreement(columns, len(columns), None)
    assert found.values.std() == pytest.approx(1.0)
    assert same_way(found.values, cause) == pytest.approx(found.reliability**0.5, abs=0.01)


# Which way is up


def test_it_goes_up_where_most_columns_go_up():
    cause, columns = columns_of(2, [0.8, 0.8, -0.8, 0.8])
    for sign in (1, -1):
        found = agreement(sign * columns, len(columns), None)
        assert sign * same_way(found.values, cause) > 0.8
        assert 0.8 < found.up / found.genuine < 1.0


def test_of_two_columns_that_run_against_each_other_nobody_knows_which_is_up():
    _, columns = columns_of(3, [0.8, -0.8])
    found = agreement(columns, len(columns), None)
    mean, sd = found.worth
    assert mean == pytest.approx(0.0, abs=1e-9)
    assert sd == pytest.approx((found.genuine * (0.5**2 + 0.2**2) * found.reliability) ** 0.5)


def test_a_strong_judge_says_which_way_is_up():
    cause, columns = columns_of(4, [0.8, -0.8])
    found = agreement(columns, len(columns), witness(cause, 0.45))
    mean, _ = found.worth
    assert mean * same_way(found.values, cause) > 0.3


def test_the_order_of_columns_does_not_matter():
    _, columns = columns_of(5, [0.7, -0.3, 0.5, 0.6])
    one, other = (agreement(columns[:, order], len(columns), None) for order in ([0, 1, 2, 3], [2, 3, 0, 1]))
    np.testing.assert_allclose(one.values, other.values, atol=1e-9)
    assert one.worth == pytest.approx(other.worth)


# What it is worth


def test_a_strong_judge_that_sees_nothing_of_it_makes_it_doubtful_and_one_that_does_more_likely():
    cause, columns = columns_of(6, [0.8, 0.8, 0.8])
    luck = np.random.default_rng(0).normal(size=2000)
    blind, agreeing = (
        agreement(columns, len(columns), witness(said / said.std(), 0.8))
        for said in (luck, 0.5 * cause + 0.75**0.5 * luck)
    )
    alone = agreement(columns, len(columns), None)
    assert blind.genuine < 0.1 < alone.genuine == 0.5 < 0.9 < agreeing.genuine
    assert blind.worth[0] < 0.1 * agreeing.worth[0]


def test_what_a_judge_makes_of_it_is_bayes_rule():
    _, columns = columns_of(7, [0.6, 0.7, 0.8])
    said = np.random.default_rng(1).normal(size=2000) + 0.15 * columns.sum(axis=1)
    said /= said.std()
    found, strength = agreement(columns, len(columns), witness(said, 0.45)), 0.45
    measured = np.mean(found.values * said)
    usual = 0.5 * found.reliability**0.5 * strength
    prior_up = agreement(columns, len(columns), None).up
    weights = [prior_up, 0.5 - prior_up, 0.5] * norm.pdf(measured, [usual, -usual, 0.0], (0.1**2 + 1 / 2000) ** 0.5)
    assert [found.up, found.down] == pytest.approx(weights[:2] / weights.sum())


def test_a_judge_is_heard_where_it_was_measured_alone_and_few_rows_of_it_say_little():
    cause, columns = columns_of(9, [0.8, 0.8, 0.8])
    alone = agreement(columns, len(columns), None).genuine
    seen = np.arange(2000) < 400
    filled = Witness(np.where(seen, cause, -cause), 0.45, seen)  # what is expected of the others runs against it
    assert agreement(columns, len(columns), filled).genuine > 0.9
    nothing = np.zeros(2000)
    few, many = (agreement(columns, len(columns), Witness(nothing, 0.8, np.arange(2000) < n)).genuine for n in (4, 400))
    assert many < 0.05 < alone - 0.15 < few < alone


@pytest.mark.parametrize(("up", "down"), [(0.5, 0.0), (0.9, 0.02), (0.3, 0.3)])
def test_moments_are_those_of_a_spike_and_a_slab_for_each_way(up, down):
    found, rng = Agreement(np.zeros(1), 0.64, up, down), np.random.default_rng(0)
    slab, way = rng.normal(0.6, 0.8, 400_000), rng.choice([1.0, -1.0, 0.0], 400_000, p=[up, down, 1 - up - down])
    drawn = 0.64**0.5 * way * slab
    assert found.weighed(0.6, 0.8) == pytest.approx((drawn.mean(), drawn.std()), abs=0.005)


def test_what_is_surely_nothing_keeps_a_little_doubt():
    assert Agreement(np.zeros(1), 0.8, 0.0, 0.0).worth == (0.0, 0.05)


# Copies


def test_copies_are_found_in_either_direction_and_near_relatives_are_none():
    _, (a, b) = (None, columns_of(8, [0.9, 0.9])[1].T)
    columns = np.column_stack([a, -3.0 * a, b, a + 0.01 * b])
    expected = np.ones((4, 4), dtype=bool)
    expected[2, [0, 1, 3]] = expected[[0, 1, 3], 2] = False
    np.testing.assert_array_equal(copies(columns), expected)


# Generators


def made_by(counts):
    return np.repeat(np.arange(len(counts)), counts)


def test_means_that_differ_by_chance_say_nothing_of_generators():
    """What is left after chance is taken out is small, where it is anything at all."""
    generator, everything = made_by([200] * 6), np.ones(1200, dtype=bool)
    found = [
        generator_means(np.random.default_rng(seed).normal(size=1200), generator, everything, everything)
        for seed in range(40)
    ]
    assert sum(one is None for one in found) > 30  # chance goes one standard deviation beyond its mean in a sixth
    left = [0.0 if one is None else one.std() for one in found]
    assert np.mean(left) < 0.2 / 200**0.5


def test_a_real_difference_of_generators_is_kept():
    generator, skill = made_by([200] * 4), np.array([-0.4, -0.1, 0.1, 0.4])
    said = skill[generator] + np.random.default_rng(0).normal(size=800)
    found = generator_means(said, generator, *np.ones((2, 800), dtype=bool))
    np.testing.assert_allclose(found[::200], skill, atol=0.15)
    assert (found == found[generator * 200]).all()


def test_means_of_few_are_shrunk_more():
    """Off by 1 each way; two rows of one, 50 of the other: variance 1/2 and 1/50 beyond what they differ by.

    Chance may add their mean and a standard deviation of it, which for a sum of one square is the root of 2.
    """
    said, generator = np.array([1.0, 1.0, *[-1.0] * 50]), made_by([2, 50])
    found = generator_means(said, generator, *np.ones((2, 52), dtype=bool))
    center = (2 - 50) / 52
    off = np.array([1 - center, -1 - center])
    genuine = (off**2).sum() - (1 / 2 + 1 / 50) / 2 * (1 + 2**0.5)
    np.testing.assert_allclose(found[[0, -1]], off * genuine / (genuine + np.array([1 / 2, 1 / 50])))


def test_finished_copies_do_not_count_and_a_generator_of_nothing_else_is_average():
    said, generator = np.array([1.0] * 9 + [-5.0] * 9 + [-1.0] * 9 + [7.0]), made_by([18, 9, 1])
    picture = np.array([True] * 9 + [False] * 9 + [True] * 9 + [False])
    found = generator_means(said, generator, picture, np.ones(28, dtype=bool))
    np.testing.assert_allclose(found[:18], found[0])
    assert found[0] > 0.8 and found[18] == pytest.approx(-found[0]) and found[-1] == 0.0


@pytest.mark.parametrize("picture", [[True] * 4, [True, True, False, False]], ids=["one generator", "one that counts"])
def test_of_a_single_generator_nothing_is_said(picture):
    generator = np.array([0, 0, 0, 0]) if all(picture) else np.array([0, 0, 1, 1])
    assert (
        generator_means(np.array([1.0, 2.0, -1.0, -2.0]), generator, np.array(picture), np.ones(4, dtype=bool)) is None
    )


def test_a_mean_holds_what_is_expected_of_the_rest_and_is_as_sure_as_what_was_measured():
    """Two generators, 1 and -1 apart in all 40 pictures each; of the one 10 were measured, of the other all."""
    said, generator = np.repeat([1.0, -1.0], 40), made_by([40, 40])
    measured = np.arange(80) >= 30
    found = generator_means(said, generator, np.ones(80, dtype=bool), measured)
    noise = np.array([1 / 10, 1 / 40])
    genuine = 2.0 - noise.mean() * (1 + 2**0.5)
    np.testing.assert_allclose(found[[0, -1]], np.array([1.0, -1.0]) * genuine / (genuine + noise))
    level = np.where(measured, said, 0.0)  # nothing is expected of the rest: the generator is nearer to the average
    assert generator_means(level, generator, np.ones(80, dtype=bool), measured)[0] < found[0]


def test_a_generator_that_was_not_measured_is_average():
    said, generator = np.repeat([1.0, -1.0, 5.0], 20), made_by([20, 20, 20])
    found = generator_means(said, generator, np.ones(60, dtype=bool), generator < 2)
    assert found[0] > 0.8 and found[20] < -0.8 and (found[40:] == 0.0).all()
