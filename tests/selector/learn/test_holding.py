"""HOLD is advice to act on: it changes when something is new, and not because a search found other numbers."""

from __future__ import annotations

import numpy as np
import pytest
from toy_contests import BELIEFS, make_contest

from selector.learn._knowledge_gradient import Effort
from selector.learn.holding import LEAVE_HOLD, Held, holds
from selector.learn.study import Study

BAR = 0.01
BELOW, ABOVE, HIGH = 0.9 * BAR, 1.1 * BAR, 1.1 * LEAVE_HOLD * BAR
HELD, SUBMITTED = Held("a", True, 9), Held("a", False, 9)


@pytest.mark.parametrize(
    ("worth", "known", "before", "wanted"),
    [
        (BELOW, "a", None, True),
        (ABOVE, "a", None, False),
        (HIGH, "a", HELD, True),  # without news, whatever it is worth
        (BELOW / 2, "a", SUBMITTED, False),
        (ABOVE, "b", HELD, True),  # news that is worth too little to leave HOLD
        (HIGH, "b", HELD, False),
        (ABOVE, "b", SUBMITTED, False),
        (BELOW, "b", SUBMITTED, True),
    ],
)
def test_without_news_a_decision_stands_and_with_news_it_takes_more_to_leave_hold(worth, known, before, wanted):
    assert holds(worth, BAR, known, 8, before) is wanted


def test_more_submissions_than_before_are_another_question():
    assert holds(HIGH, BAR, "a", 9, HELD)
    assert not holds(HIGH, BAR, "a", 10, HELD)


@pytest.mark.parametrize("before", [None, HELD, SUBMITTED])
@pytest.mark.parametrize("known", ["a", "b"])
def test_the_last_submission_is_decided_by_the_bar_alone(before, known):
    assert holds(BELOW, BAR, known, 1, before)
    assert not holds(ABOVE, BAR, known, 1, before)


def played(seed: int) -> Study:
    """A toy contest after eight totals, the last three of the best picks known: what is left is to learn."""
    contest = make_contest(seed, tasks=15)
    study = Study(contest.pool, BELIEFS, effort=Effort(ahead=3, draws=16, sweeps=2, steps=3), seed=seed)
    for turn in range(8):
        rows = study.ask(2 if turn < 5 else 1, hold_below=0.0).plan.picked
        study.tell(rows, round(float(contest.truth[rows].mean()), 2))
    return study


DAYS = (5, 4, 3, 2)  # submissions left


@pytest.fixture(scope="module")
def wavering() -> list[tuple[int, float, list[bool]]]:
    """(seed, bar, HOLD by the bar alone day after day) of contests in which that changes although nothing happens.

    The bar lies half way between what the first day says a submission is worth and what the farthest other day says.
    """
    found = []
    for seed in (0, 1, 9, 13):
        study = played(seed)
        plans = [study.ask(left, hold_below=0.0).plan for left in DAYS]
        worths = [max(plan.gain, plan.lesson) for plan in plans]
        for farthest in (min(worths), max(worths)):
            bar = (worths[0] + farthest) / 2
            advice = [worth < bar for worth in worths]
            if len(set(advice)) > 1:
                found.append((seed, bar, advice))
    return found


@pytest.mark.parametrize("first", [True, False], ids=["hold", "submit"])
def test_advice_does_not_change_from_day_to_day_without_news(wavering, first):
    contests = [(seed, bar) for seed, bar, advice in wavering if advice[0] is first]
    assert contests, "or this test says nothing"
    for seed, bar in contests:
        study = played(seed)
        plans = [study.ask(left, hold_below=bar).plan for left in DAYS]
        assert [plan.hold for plan in plans] == [first] * len(DAYS)
        assert all(plan.why.startswith("HOLD") is first for plan in plans)
        changed = [plan for plan in plans if (max(plan.gain, plan.lesson) < bar) is not first]
        assert all(("HOLD before" if first else "nothing is new") in plan.why for plan in changed) and changed


def test_news_and_another_bar_ask_again(wavering):
    seed, bar, _ = next(found for found in wavering if found[2][0])
    study = played(seed)
    assert study.ask(5, hold_below=bar).plan.hold
    assert not study.ask(5, hold_below=bar / 100).plan.hold
    assert study.ask(5, hold_below=bar).plan.hold, "a look at another bar is not news"
    lesson = study.ask(5, hold_below=0.0).plan
    study.tell(lesson.picked, 10.0)
    after = study.ask(4, hold_below=bar).plan
    assert after.hold is (max(after.gain, after.lesson) < LEAVE_HOLD * bar)


def test_an_upload_is_news_before_its_total_comes(wavering):
    seed, bar, _ = next(found for found in wavering if not found[2][0])
    study = played(seed)
    first = study.ask(5, hold_below=bar).plan
    assert not first.hold
    rng = np.random.default_rng(0)
    waiting = [first.picked, *(4 * np.arange(15) + rng.integers(0, 4, 15) for _ in range(60))]
    assert study.ask(4, hold_below=bar, pending=waiting).plan.hold, "there is little left to learn"
