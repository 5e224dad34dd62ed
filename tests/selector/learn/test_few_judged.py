"""A judge that saw few candidates: what it says of them is no verdict on the rest, and makes no picks worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_contests import Contest, make_contest, picks, recovered

from selector.learn.belief import JUDGE, Belief
from selector.learn.calibrator import Calibrator
from selector.learn.pool import Choices, Floats, Ints, Pool

GOOD = Belief(0.3, 0.1)  # the columns see more of it: 0.45
NAMED = {"one": GOOD, "other": GOOD}
JUDGED = {**NAMED, "judge": JUDGE}


def pools(contest: Contest, rows: Ints, seed: int) -> tuple[Pool, Pool]:
    """Two good columns, and besides them a judge that saw these rows."""
    rng, n = np.random.default_rng([seed, 7]), len(contest.truth)
    one, other, judge = contest.truth + rng.normal(size=(3, n)) * np.array([[2.4], [2.4], [1.5]])
    judge = np.where(np.isin(np.arange(n), rows), judge, np.nan)
    named = replace(contest.pool, columns=("one", "other"), values=np.column_stack([one, other]))
    return named, replace(named, columns=tuple(JUDGED), values=np.column_stack([one, other, judge]))


def estimates(pool: Pool, beliefs: dict[str, Belief]) -> tuple[float, Floats]:
    """Expected total of the best picks, and the means (n,), in points."""
    mean = Calibrator(beliefs).fit(pool).posterior.mean
    return float(mean[Choices(pool.choices, len(pool.tasks)).chosen().best(mean)].mean()), mean


@pytest.mark.parametrize("seed", range(4))
def test_three_judged_rows_of_one_task_hardly_move_the_other_tasks(seed):
    contest = make_contest(seed, tasks=100, generators=12)
    named, judged = pools(contest, np.array([0, 1, 2]), seed)
    before, mean = estimates(named, NAMED)
    after, moved = estimates(judged, JUDGED)
    assert after == pytest.approx(before, abs=0.3)
    assert not np.allclose(moved[:12], mean[:12], atol=0.01), "or the judge was not heard"
    elsewhere = np.delete(np.arange(1200), np.arange(12))
    assert np.corrcoef(moved[elsewhere], mean[elsewhere])[0, 1] > 0.95


@pytest.mark.parametrize("skills", [None, [0.0] * 12], ids=["generators differ", "generators are equals"])
@pytest.mark.parametrize("which", ["random", "few tasks"])
def test_a_fifteenth_judged_makes_the_picks_no_worse(which, skills):
    """80 of 1,200 candidates; mean over six contests of the share of the gap from random to best picks."""
    lost = []
    for seed in range(6):
        contest = make_contest(seed, tasks=100, generators=12, skills=skills)
        chosen = np.random.default_rng([seed, 1]).choice(1200, 80, replace=False)
        named, judged = pools(contest, chosen if which == "random" else np.arange(80), seed)
        lost.append(recovered(contest, picks(named, beliefs=NAMED)) - recovered(contest, picks(judged, beliefs=JUDGED)))
    assert np.mean(lost) < 0.06


def test_three_judges_of_different_rows_say_nothing_of_generators_and_break_nothing():
    """No row was seen by two of them, and none by half of what is believed."""
    contest = make_contest(0, tasks=30)
    judge = np.tile(contest.pool.column("judge")[:, None], 3)
    values = np.where(np.arange(120)[:, None] // 40 == np.arange(3), judge, np.nan)
    names = ("first", "second", "third")
    pool = replace(contest.pool, columns=names, values=values)
    fitted = Calibrator(dict.fromkeys(names, JUDGE)).fit(pool)
    assert np.isfinite(fitted.posterior.mean).all()
    assert not [w for w in fitted.weights if w.effect.kind == "generator mean"]
    assert recovered(contest, picks(pool, beliefs=dict.fromkeys(names, JUDGE))) > 0.3
