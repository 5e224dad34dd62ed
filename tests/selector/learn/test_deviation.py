"""Columns as deviations within a task."""

from __future__ import annotations

import numpy as np
import pytest

from selector.learn._deviation import deviation, group_mean

TASK = np.repeat(np.arange(20), 4)
GENERATOR = np.tile(np.arange(4), 20)


def column(seed=0, skill=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 2, 20)[TASK] + skill * GENERATOR + rng.normal(0, 1, 80)


def test_within_part_has_mean_zero_in_every_task_and_spread_one():
    got = deviation(column(), TASK, GENERATOR)
    np.testing.assert_allclose([got.within[t == TASK].mean() for t in range(20)], 0.0, atol=1e-12)
    assert got.within.std() == pytest.approx(1.0)


def test_parts_add_up_to_the_standardised_column():
    values = column()
    got = deviation(values, TASK, GENERATOR)
    z = (values - values.mean()) / values.std()
    slope = (z - got.between).std()  # within is rescaled by its own spread
    np.testing.assert_allclose(got.between + slope * got.within, z, atol=1e-12)
    np.testing.assert_allclose(got.between, group_mean(z, TASK), atol=1e-12)


@pytest.mark.parametrize("scale", [1e-290, 1e-12, 0.03, 1e6, 1e300])
@pytest.mark.parametrize("sign", [1, -1])
def test_unit_and_origin_of_a_column_do_not_matter(scale, sign):
    values = column()
    values[[3, 17, 40]] = np.nan
    plain, moved = (deviation(v, TASK, GENERATOR) for v in (values, sign * scale * (values + 30)))
    assert moved is not None
    np.testing.assert_allclose(moved.within, sign * plain.within, atol=1e-6)
    np.testing.assert_allclose(moved.between, sign * plain.between, atol=1e-6)


@pytest.mark.parametrize(
    "values",
    [np.full(80, np.nan), np.full(80, 0.1), np.zeros(80), TASK * 0.3, np.where(TASK < 1, 4.2, np.nan)],
    ids=["never measured", "constant", "zero", "the same within every task", "constant where measured"],
)
def test_a_column_that_tells_no_candidates_apart_is_dropped(values):
    assert deviation(values.astype(float), TASK, GENERATOR) is None


def test_one_measured_value_alone_says_nothing():
    values = np.full(80, np.nan)
    values[5] = 3.0
    assert deviation(values, TASK, GENERATOR) is None


def test_a_hole_is_filled_from_its_task_and_its_generator():
    task, generator = np.repeat(np.arange(200), 4), np.tile(np.arange(4), 200)
    rng = np.random.default_rng(0)
    values = rng.normal(0, 2, 200)[task] + 3.0 * generator + rng.normal(0, 1, 800)
    holes = np.flatnonzero((generator == 3) & (task % 3 == 0))
    values[holes] = np.nan
    got = deviation(values, task, generator)
    np.testing.assert_array_equal(np.flatnonzero(got.missing), holes)
    measured = got.within[(generator == 3) & ~got.missing].mean()
    assert got.within[holes].mean() == pytest.approx(measured, abs=0.25)  # as good as its generator usually is
    assert got.within[holes].mean() > got.within[generator == 2].mean() + 0.4


def test_two_good_scores_of_a_generator_promise_little_of_its_others():
    values = column(skill=0.0)
    values[GENERATOR == 3] = np.where(TASK[GENERATOR == 3] < 2, 8.0, np.nan)
    got = deviation(values, TASK, GENERATOR)
    seen = ~got.missing & (GENERATOR == 3)
    assert 0.0 < got.within[got.missing].mean() < 0.35 * got.within[seen].mean()


def test_a_hole_is_filled_by_the_other_scores_that_the_judge_follows():
    """A judge that follows one column where it has looked is expected to follow it elsewhere, the other way, too."""
    rng = np.random.default_rng(1)
    others = rng.normal(size=(80, 2))
    others -= np.column_stack([group_mean(o, TASK) for o in others.T])
    holes = TASK >= 12  # nothing of these tasks was judged
    judged = np.where(holes, np.nan, others[:, 0] + 0.3 * rng.normal(size=80))
    blind, told, against = (
        deviation(v, TASK, GENERATOR, others=o) for v, o in ((judged, None), (judged, others), (-judged, others))
    )
    np.testing.assert_array_equal(np.flatnonzero(told.missing), np.flatnonzero(holes))
    high = holes & (others[:, 0] > 1.0)
    assert high.sum() >= 3 and told.within[high].mean() > 0.6 > 0.2 > blind.within[high].mean()
    np.testing.assert_allclose(against.within, -told.within, atol=1e-9)
    slopes = np.linalg.lstsq(others[holes], told.within[holes])[0]
    assert abs(slopes[1]) < 0.15 < 0.4 < slopes[0] < 1.0


def test_three_judged_rows_say_little_of_what_other_scores_are_worth():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(80, 1))
    x -= group_mean(x[:, 0], TASK)[:, None]
    judged = np.where(np.isin(np.arange(80), [0, 1, 2]), 5.0 * x[:, 0], np.nan)
    got = deviation(judged, TASK, GENERATOR, others=x)
    assert got.within[TASK > 0].std() < 0.3


def test_a_hole_is_filled_with_the_level_of_its_treatment():
    """Sharpened candidates of one generator were never measured; those of the others were 2 points better."""
    sharp = (TASK + GENERATOR) % 2
    values = column() + 4.0 * sharp
    values[(GENERATOR == 1) & (sharp == 1)] = np.nan
    blind, told = (deviation(values, TASK, GENERATOR, treatments) for treatments in ([], [sharp]))
    holes = blind.missing
    others = told.within[(sharp == 1) & ~holes].mean()
    assert told.within[holes].mean() == pytest.approx(others, abs=0.25)
    assert blind.within[holes].mean() < others - 0.5


def test_what_was_measured_of_a_picture_is_expected_of_its_copies():
    """Candidate 1 of each task is a copy of candidate 0 and was not measured."""
    values = column()
    values[1::4] = np.nan
    family = np.where(np.arange(80) % 4 == 1, np.arange(80) - 1, np.arange(80))
    family = np.unique(family, return_inverse=True)[1]
    blind, told = (deviation(values, TASK, GENERATOR, (), families) for families in (None, family))
    assert np.corrcoef(told.within[0::4], told.within[1::4])[0, 1] > 0.6
    assert np.corrcoef(blind.within[0::4], blind.within[1::4])[0, 1] < 0.1


def test_tasks_of_unequal_size_and_a_task_with_no_value_are_fine():
    task, generator = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 1, 2, 0, 0, 1])
    got = deviation(np.array([1.0, 2.0, np.nan, 5.0, np.nan, np.nan]), task, generator)
    assert np.isfinite(got.within).all()
    assert got.within[3] == pytest.approx(0.0)


def test_group_mean_is_each_row_s_group_s():
    np.testing.assert_allclose(group_mean(np.array([1.0, 3.0, 7.0]), np.array([0, 0, 2])), [2.0, 2.0, 7.0])
