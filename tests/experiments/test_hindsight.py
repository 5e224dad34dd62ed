"""Baselines, against hand numbers and independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from experiments.support import hindsight
from experiments.support.hindsight import (
    NOISE_SD,
    OFFSET_MEAN,
    OFFSET_SD,
    ROUNDING_SD,
    WEIGHT_SD,
    Thompson,
    centred_design,
    within_task,
)
from experiments.support.score_csv import assemble
from experiments.support.score_table import ScoreTable


def table_of(tasks, generators, truth, types=None, **columns) -> ScoreTable:
    values = np.column_stack([np.asarray(v, dtype=float) for v in columns.values()])
    kinds = [0] * len(tasks) if types is None else types
    return assemble(tasks, kinds, generators, tuple(columns), values, np.asarray(truth, dtype=float))


@pytest.fixture
def small() -> ScoreTable:
    """Two tasks of three candidates: the distance is right where it is low, the judge is half right."""
    return table_of(
        list("aaabbb"),
        list("xyzxyz"),
        [1, 2, 3, 6, 5, 4],
        auto_distance=[9, 5, 1, 0.1, 0.2, 0.3],
        llava_0shot_sc=[9, 4, 4, 9, 4, np.nan],
        llava_0shot_pq=[1, 4, 9, 1, 1, 1],
    )


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_oracle_is_1_and_random_picks_average_0(small):
    assert hindsight.oracle(small, rng()) == 1.0
    gaps = [hindsight.random_pick(small, rng(seed)) for seed in range(600)]
    assert np.mean(gaps) == pytest.approx(0, abs=0.1)
    assert len(set(gaps)) > 2


def test_best_single_proxy_takes_a_distance_the_right_way_round(small):
    values, name = hindsight.best_proxy(small)
    assert name == "auto_distance" and values[0] == -9
    assert hindsight.best_single_proxy(small, rng()) == 1.0


def test_best_judge_is_among_the_judges_by_overall(small):
    values, name = hindsight.best_proxy(small, judges_only=True)
    assert name == "llava_0shot"
    np.testing.assert_allclose(values, [3, 4, 6, 3, 2, np.nan])


def test_best_generator_is_one_for_each_type_and_falls_back_to_random():
    table = table_of(list("aabbc"), list("xyxyx"), [5, 1, 0, 4, 2], [0, 0, 1, 1, 1], auto_0=[0] * 5)
    assert hindsight.best_generator(table, rng()) == 1.0  # x for a, y for b; c has only x
    alone = table_of(list("aab"), list("xyx"), [1, 5, 2], auto_0=[0] * 3)
    assert hindsight.best_generator(alone, rng()) == 1.0


def test_ties_are_broken_at_random_and_nan_never_wins(small):
    shown = small.shown
    picked = {tuple(hindsight.highest(shown, np.array([1, 1, np.nan, 0, 0, 0.0]), rng(s))) for s in range(60)}
    assert {rows[0] for rows in picked} == {0, 1}
    assert {rows[1] for rows in picked} == {3, 4, 5}


def test_shared_score_is_the_mean_over_tied_candidates(small):
    assert hindsight.shared_score(small, np.array([1, 1, 0, 0, 2, 1.0])) == pytest.approx((1.5 + 5) / 2)


def test_ranks_agree_with_scipy():
    generator = rng(3)
    tasks = np.repeat(np.arange(30), generator.integers(1, 7, 30))
    values = generator.integers(0, 4, len(tasks)).astype(float)
    values[generator.random(len(tasks)) < 0.2] = np.nan
    table = table_of([f"{t:02d}" for t in tasks], ["x"] * len(tasks), np.zeros(len(tasks)), auto_0=values)
    ours = hindsight.ranked(table.shown, values)
    for task in range(30):
        here = (tasks == task) & np.isfinite(values)
        if here.sum() > 1:
            np.testing.assert_allclose(ours[here], (rankdata(values[here]) - 1) / (here.sum() - 1))
        else:
            assert (ours[here] == 0.5).all()
    assert (ours[np.isnan(values)] == 0.5).all()


def test_mean_rank_recovers_all_when_the_proxies_agree_with_the_truth():
    truth = rng(1).random(40) * 10
    table = table_of(np.repeat(np.arange(10), 4).astype(str), list("wxyz") * 10, truth, auto_0=truth, auto_1=truth**3)
    assert hindsight.mean_rank(table, rng()) == 1.0


def test_ridge_learns_from_other_tasks_only():
    generator = rng(5)
    tasks = np.repeat(np.arange(60), 5).astype(str)
    useful = generator.standard_normal(300)
    truth = 5 + useful + 0.05 * generator.standard_normal(300)
    told = table_of(tasks, list("vwxyz") * 60, truth, auto_0=-1000 * useful)
    assert hindsight.ridge(told, rng()) > 0.95  # direction and scale are learned
    noise = table_of(tasks, list("vwxyz") * 60, truth, auto_0=generator.standard_normal(300))
    assert abs(hindsight.ridge(noise, rng())) < 0.3  # and a leak would show here


def test_within_task_deviations_have_mean_0_and_spread_1_in_each_type():
    values = np.array([1, 2, 3, 100, 300, np.nan, 7, 7.0])
    table = table_of(list("aaabbbcc"), ["x"] * 8, [0] * 8, [0, 0, 0, 1, 1, 1, 2, 2], auto_0=values)
    deviations = within_task(table.shown, values)
    np.testing.assert_allclose(deviations[:3], np.array([-1, 0, 1]) * np.sqrt(1.5))
    np.testing.assert_allclose(deviations[3:], [-1, 1, 0, 0, 0])


def test_design_has_a_block_for_each_type_without_empty_columns():
    table = table_of(list("aabb"), list("xyxy"), [0] * 4, [0, 0, 1, 1], auto_0=[1, 2, 3, 3])
    np.testing.assert_allclose(
        centred_design(table.shown),
        [[1, 0, -1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]],
    )


def test_thompson_posterior_is_that_of_gaussian_conditioning(small):
    selector = Thompson(small.shown, rng())
    rows = [np.array([0, 3]), np.array([1, 5]), np.array([2, 3])]
    totals = [3.5, 3.0, 4.5]
    for picked, total in zip(rows, totals, strict=True):
        selector.tell(picked, total)
    design = np.hstack([centred_design(small.shown), np.ones((6, 1))])
    n = design.shape[1]
    prior = np.diag(np.append(np.full(n - 1, WEIGHT_SD**2), OFFSET_SD**2))
    mean = np.append(np.zeros(n - 1), OFFSET_MEAN)
    seen = np.array([design[picked].mean(axis=0) for picked in rows])
    spread = seen @ prior @ seen.T + (NOISE_SD**2 + ROUNDING_SD**2) * np.eye(3)
    gain = prior @ seen.T @ np.linalg.inv(spread)
    posterior, factor = selector.posterior()
    np.testing.assert_allclose(posterior, mean + gain @ (np.array(totals) - seen @ mean), atol=1e-6)
    np.testing.assert_allclose(factor @ factor.T, prior - gain @ seen @ prior, atol=1e-6)
