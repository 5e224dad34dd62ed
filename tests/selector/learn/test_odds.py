"""The odds that a try gives a picture: against hand numbers at the ends, and by what must hold in between."""

from __future__ import annotations

import pytest

from selector.learn.odds import Odds, Tries
from selector.learn.plan_generating import Demand, Offer


def test_eight_refusals_among_tasks_that_never_refuse_leave_about_nothing() -> None:
    seen = {f"person {i}": Tries(8) for i in range(30)} | {"cat": Tries(0, 8)}
    odds = Odds(seen, {**dict.fromkeys(seen, "deepfake"), "new": "deepfake"})
    assert odds.of("cat") < 0.05
    assert odds.of("person 3") > 0.99
    assert 0.85 < odds.of("new") < odds.of("person 3")


def test_refusals_that_fall_anywhere_count_little_against_one_task() -> None:
    seen = {f"t{i}": Tries(9, 1) for i in range(60)} | {"unlucky": Tries(0, 1)}
    odds = Odds(seen, dict.fromkeys(seen, "t2i"))
    assert odds.of("unlucky") == pytest.approx(0.9, abs=0.05)


def test_a_service_that_never_answers_is_worth_little_anywhere() -> None:
    seen = {f"t{i}": Tries(0, 2) for i in range(50)}
    odds = Odds(seen, {**dict.fromkeys(seen, "t2i"), "new": "t2i", "other": "tie"})
    assert odds.of("new") < 0.03
    assert odds.of("other") < 0.5, "what other types have seen counts a little"


def test_without_any_try_the_odds_are_even() -> None:
    assert Odds({}, {"a": "tie"}).of("a") == pytest.approx(0.5)


def test_a_try_that_may_give_nothing_is_worth_its_odds() -> None:
    sure, doubtful = (Demand("t", 5.0, [Offer("g", 6.0, 1.0, odds)]) for odds in (1.0, 0.3))
    assert doubtful.next_worth() == pytest.approx(0.3 * sure.next_worth())
    doubtful.take()
    sure.take()
    assert doubtful.next_worth() > 0.3 * sure.next_worth(), "the first may have given nothing, so the second is needed"
    assert doubtful.wishes()[0].odds == 0.3
