"""What scores that nobody vouches for agree on."""

from __future__ import annotations

import numpy as np
import pytest

from selector.learn._agreement import agreement, generator_means, without_chance


def columns(n, loadings, seed=0):
    """(n, k) columns of spread 1 that correlate with one common cause by their loadings, and the cause (n,)."""
    rng, loadings = np.random.default_rng(seed), np.array(loadings)
    cause = rng.standard_normal(n)
    return cause[:, None] * loadings + rng.standard_normal((n, len(loadings))) * np.sqrt(1 - loadings**2), cause


def test_what_columns_have_in_common_is_found_with_its_reliability():
    made, cause = columns(4000, [0.7] * 4)
    found = agreement(made, 4000, None)
    assert found.reliability == pytest.approx(4 * 0.49 / (1 + 3 * 0.49), abs=0.02)  # Spearman and Brown's formula
    assert np.corrcoef(found.values, cause)[0, 1] ** 2 == pytest.approx(found.reliability, abs=0.02)
    assert found.worth[0] > 0.2


@pytest.mark.parametrize(("rows", "many"), [(40, 10), (400, 30)])
def test_independent_columns_agree_by_no_more_than_chance(rows, many):
    """The largest of many eigenvalues is above 1 by chance; taken at its word it would be believed like a judge."""
    expected = []
    for seed in range(20):
        found = agreement(columns(rows, [0.0] * many, seed)[0], rows, None)
        expected.append(0.0 if found is None else found.worth[0])
    assert np.mean(expected) < 0.03


def test_a_few_rows_say_nothing():
    assert agreement(columns(4, [0.3] * 10)[0], 2.0, None) is None


def test_chance_is_taken_out_of_an_eigenvalue_and_little_of_a_large_table_s():
    assert without_chance(1.4, 0.1) == 1.0
    assert without_chance(5.0, 1e-4) == pytest.approx(5.0, abs=1e-3)


def test_where_as_many_columns_go_down_as_up_the_first_guess_is_nothing():
    """Which end is better nobody knows: the sign of the component would be an accident of rounding."""
    made, _ = columns(2000, [0.8, -0.8])
    found = agreement(made, 2000, None)
    assert found.worth[0] == pytest.approx(0.0, abs=1e-3)
    together = agreement(made * [1, -1], 2000, None)
    assert together.worth[0] > 0.15
    assert np.hypot(*found.worth) == pytest.approx(np.hypot(*together.worth))  # what is not known stays as wide


def test_most_columns_decide_which_end_is_up():
    made, cause = columns(2000, [0.8, 0.8, -0.8])
    found = agreement(made, 2000, None)
    assert np.corrcoef(found.values, cause)[0, 1] > 0.9
    assert 0.0 < found.worth[0] < agreement(made * [1, 1, -1], 2000, None).worth[0]


def test_what_a_strong_judge_does_not_see_at_all_is_believed_less():
    made, cause = columns(2000, [0.8] * 3)
    noise = np.random.default_rng(1).standard_normal(2000)
    said = 0.4 * cause + 0.9165 * noise
    without, sees, blind = (agreement(made, 2000, a) for a in (None, (said, 0.45), (noise, 0.45)))
    assert blind.genuine < without.genuine == 0.5 < sees.genuine


def test_means_of_generators_are_shrunk_by_the_noise_of_single_pictures():
    generator = np.repeat(np.arange(4), 100)
    skill = np.array([-0.3, -0.1, 0.1, 0.3])
    said = skill[generator] + np.random.default_rng(0).standard_normal(400)
    found = generator_means(said, generator, np.ones(400, dtype=bool))[::100]
    raw = np.array([said[generator == g].mean() for g in range(4)]) - said.mean()
    assert (np.abs(found) < np.abs(raw)).all() and (np.sign(found) == np.sign(raw)).all()


def test_where_generators_differ_by_no_more_than_chance_nothing_is_said():
    generator, said = np.arange(400) % 4, np.random.default_rng(0).standard_normal(400)
    alike = said - said.reshape(100, 4).mean(axis=0)[generator]
    assert generator_means(alike, generator, np.ones(400, dtype=bool)) is None


def test_one_generator_has_no_mean_of_its_own():
    said = np.random.default_rng(0).standard_normal(50)
    assert generator_means(said, np.zeros(50, dtype=int), np.ones(50, dtype=bool)) is None
