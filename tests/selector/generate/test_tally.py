"""Counts and the line of progress."""

from __future__ import annotations

import time

import pytest

from selector.generate.tally import Watch


def test_a_unit_that_has_less_than_was_expected_counts_as_done_at_its_end() -> None:
    watch = Watch()
    watch.begin("a", 4)
    watch.begin("b", 2)
    watch.step("a")
    assert (watch.done, watch.total) == (1, 6)
    watch.end("a")
    assert watch.done == 4
    watch.step("a")  # no more than was told
    watch.end("a")
    assert (watch.done, watch.total) == (4, 6)


def test_a_key_that_is_begun_twice_has_both_numbers() -> None:
    watch = Watch()
    watch.begin("a", 2)
    watch.begin("a", 3)
    watch.step("a")
    watch.end("a")
    assert (watch.done, watch.total) == (5, 5)


def test_costs_add_up_and_stay_unknown_where_there_is_none() -> None:
    watch = Watch()
    watch.outcome("made")
    assert watch.tally.cost is None
    watch.outcome("made", 0.25)
    watch.outcome("failed", 0.25)
    assert (watch.tally.cost, watch.tally.made, watch.tally.failed) == (0.5, 2, 1)


def test_the_line_tells_what_is_worth_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = Watch(_since=100.0)
    watch.begin("a", 10)
    assert watch.line(0) == ""
    now[0] += 10
    watch.tally.currency = "CNY"
    for outcome, cost in (("made", 0.2), ("made", 0.2), ("failed", 0.0), ("declined", 0.0), ("missing", 0.0)):
        watch.step("a")
        watch.outcome(outcome, cost)
    assert watch.line(3) == "3 running, 2 failed, 1 declined, 0.40 CNY"
    watch.end("a")
    assert watch.line(0) == "2 failed, 1 declined, 0.40 CNY"
