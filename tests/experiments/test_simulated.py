"""Simulated contests: what each scenario is like, and that it is drawn anew every seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from experiments.support.hindsight import mean_rank, ranked
from experiments.support.score_table import ScoreTable, task_means
from experiments.support.simulated import LEADERBOARD, SCENARIOS, Scenario
from experiments.support.simulated import simulate as simulated_contest

JUDGE = "gemini_0shot"
# Sums of the true scores and of all scores, of contests of 24 tasks with seed 11 at commit ba4b3b3.
RECORDED = {
    "plain": (822.7886446053, 128101.974628255),
    "no-generator-effect": (735.5099561610, 33239.332094409),
    "weak-proxies": (739.0016698390, 33230.269183248),
    "strong-judge": (739.0016698390, 33235.800926644),
    "interactions": (739.0016698390, 33187.900777752),
    "many-generators": (1672.3400574656, 30135.664329646),
    "few-tasks": (739.0016698390, 33237.800926644),
    "outliers": (739.0016698390, 33237.800926644),
    "four-types": (759.4751068107, 35964.013113073),
}


def contests(scenario: Scenario, seeds: int) -> list[ScoreTable]:
    return [simulated_contest(scenario, np.random.default_rng(seed)) for seed in range(seeds)]


def by_generator(table: ScoreTable, values: np.ndarray, kind: int = 0) -> np.ndarray:
    """(generators,) means of the deviations from the task."""
    shown = table.shown
    off = values - task_means(shown, values)[shown.task]
    here = shown.row_type == kind
    return np.array([np.nanmean(off[here & (shown.generator == g)]) for g in range(len(shown.generators))])


def slopes(table: ScoreTable) -> tuple[float, float]:
    """Of the true overall on the judge's score: between the means of generators, and within generators."""
    shown, judge = table.shown, table.shown.proxy(JUDGE)
    judge = judge / np.nanstd(judge)
    means, truths = by_generator(table, judge), by_generator(table, table.truth)
    between = np.polyfit(means, truths, 1)[0]
    seen = judge - task_means(shown, judge)[shown.task] - means[shown.generator]
    true = table.truth - task_means(shown, table.truth)[shown.task] - truths[shown.generator]
    known = np.isfinite(seen)
    return float(between), float(np.polyfit(seen[known], true[known], 1)[0])


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_is_drawn_anew_every_seed_and_repeats(name):
    made = [simulated_contest(SCENARIOS[name], np.random.default_rng(seed)) for seed in (1, 1, 2)]
    first, same, other = made
    np.testing.assert_array_equal(first.truth, same.truth)
    np.testing.assert_array_equal(first.shown.scores, same.shown.scores)
    assert not np.array_equal(first.truth[:50], other.truth[:50])
    assert first.shown.n_tasks == SCENARIOS[name].tasks
    assert len(set(first.shown.task_type.tolist())) == SCENARIOS[name].types
    assert first.shown.counts.min() >= 1
    assert first.truth.min() >= 0 and first.truth.max() <= 10
    assert first.oracle_score > first.random_score + 0.3
    for column in first.shown.columns:
        values = first.shown.column(column)
        assert 0 < np.isnan(values).mean() < 0.1
        if not column.startswith("auto_"):
            known = values[np.isfinite(values)]
            assert known.min() >= 0 and known.max() <= 10 and (known == np.rint(known)).all()


def test_strong_judge_follows_the_truth_more_than_weak_proxies_do():
    def correlation(name: str) -> float:
        found = []
        for seed in range(6):
            table = simulated_contest(SCENARIOS[name], np.random.default_rng(seed))
            judge = table.shown.proxy("gemini_0shot")
            known = np.isfinite(judge)
            found.append(np.corrcoef(judge[known], table.truth[known])[0, 1])
        return float(np.mean(found))

    assert correlation("weak-proxies") < 0.3 < 0.5 < correlation("strong-judge") < 0.9


def test_some_measures_are_distances():
    table = simulated_contest(SCENARIOS["strong-judge"], np.random.default_rng(0))
    assert LEADERBOARD not in " ".join(table.shown.columns)
    signs = []
    for seed in range(8):
        table = simulated_contest(Scenario(cheap=(0.6, 0.7)), np.random.default_rng(seed))
        for name in ("auto_0", "auto_1"):
            values = table.shown.proxy(name)
            known = np.isfinite(values)
            signs.append(np.sign(np.corrcoef(values[known], table.truth[known])[0, 1]))
    assert signs == [1, -1] * 8


@pytest.mark.parametrize("name", RECORDED)
def test_older_scenarios_stay_what_published_figures_were_measured_on(name):
    table = simulated_contest(replace(SCENARIOS[name], tasks=24), np.random.default_rng(11))
    found = float(table.truth.sum()), float(np.nansum(table.shown.scores))
    assert found == pytest.approx(RECORDED[name], rel=1e-9)


def test_judge_is_worth_most_between_generators_or_between_pictures():
    of_generators = np.median([slopes(t) for t in contests(SCENARIOS["judge-of-generators"], 12)], axis=0)
    of_pictures = np.median([slopes(t) for t in contests(SCENARIOS["judge-of-pictures"], 12)], axis=0)
    assert of_generators[0] > 4 * of_generators[1] > 0
    assert of_pictures[1] > 2 * abs(of_pictures[0])


def agreement(table: ScoreTable) -> tuple[float, float]:
    """Mean correlation of the similarities among themselves, and with the truth, as ranks within the task."""
    names = [f"auto_{n}" for n in (0, 2, 4)]
    ranks = np.array([ranked(table.shown, table.shown.proxy(name)) for name in names])
    among = np.corrcoef(ranks)[np.triu_indices(3, 1)].mean()
    true = ranked(table.shown, table.truth)
    return float(among), float(np.mean([np.corrcoef(r, true)[0, 1] for r in ranks]))


def test_proxies_that_agree_are_worthless_in_one_scenario_and_excellent_in_another():
    worthless = np.mean([agreement(t) for t in contests(SCENARIOS["worthless-proxies"], 8)], axis=0)
    excellent = np.mean([agreement(t) for t in contests(SCENARIOS["excellent-proxies"], 8)], axis=0)
    assert worthless[0] > 0.4 and abs(worthless[1]) < 0.04
    assert excellent[0] > 0.4 and excellent[1] > 0.3


def test_every_fourth_of_the_excellent_proxies_is_a_distance():
    table = simulated_contest(SCENARIOS["excellent-proxies"], np.random.default_rng(1))
    names = [name for name in table.shown.proxies if name.startswith("auto_")]
    true = ranked(table.shown, table.truth)
    signs = [np.sign(np.corrcoef(ranked(table.shown, table.shown.proxy(name)), true)[0, 1]) for name in names]
    assert signs == [1, -1, 1, 1] * 4
    assert mean_rank(table, np.random.default_rng(0)) > 0.3


def test_types_that_share_judges_share_what_they_see_and_like_and_what_generators_can_do():
    def alike(scenario: Scenario) -> tuple[float, float]:
        """Correlation over generators, of two types, of the judge's means and of the true means."""
        pairs: list[tuple[np.ndarray, ...]] = []
        for table in contests(scenario, 24):
            judge = table.shown.proxy(JUDGE)
            pairs.append(tuple(by_generator(table, v, kind) for v in (judge, table.truth) for kind in (0, 1)))
        one, other, true, also = (np.concatenate(values) for values in zip(*pairs, strict=True))
        return float(np.corrcoef(one, other)[0, 1]), float(np.corrcoef(true, also)[0, 1])

    shared = SCENARIOS["shared-judges"]
    judged, true = alike(replace(shared, same_skill=(1.0, 1.0)))
    assert judged > 0.5 and true > 0.5
    judged, true = alike(replace(shared, same_judges=False, same_skill=(0.0, 0.0)))
    assert abs(judged) < 0.25 and abs(true) < 0.25


def test_judge_is_blind_in_one_type_that_differs_by_contest():
    blind = []
    for table in contests(SCENARIOS["one-type-odd"], 8):
        judge, shown = ranked(table.shown, table.shown.proxy(JUDGE)), table.shown
        true = ranked(shown, table.truth)
        seen = [np.corrcoef(judge[shown.row_type == k], true[shown.row_type == k])[0, 1] for k in range(3)]
        blind.append(int(np.argmin(seen)))
        others = np.delete(seen, blind[-1])
        assert abs(seen[blind[-1]]) < 0.2 and others.min() > seen[blind[-1]] + 0.1
    assert len(set(blind)) > 1


def test_contest_of_few_tasks_may_lack_a_generator_in_a_type():
    few = replace(SCENARIOS["one-type-odd"], tasks=3, absent=0.9)
    assert all(table.shown.n_tasks == 3 for table in contests(few, 20))
