"""Counts and the line of progress."""

from __future__ import annotations

import time

import pytest

from selector.generate.summary import GeneratorProgress


def test_a_piece_of_work_that_has_less_than_was_expected_counts_as_done_at_its_end() -> None:
    progress = GeneratorProgress()
    progress.begin("a", 4)
    progress.begin("b", 2)
    progress.step("a")
    assert (progress.done, progress.total) == (1, 6)
    progress.end("a")
    assert progress.done == 4
    progress.step("a")  # no more than was told
    progress.end("a")
    assert (progress.done, progress.total) == (4, 6)


def test_a_key_that_is_begun_twice_has_both_numbers() -> None:
    progress = GeneratorProgress()
    progress.begin("a", 2)
    progress.begin("a", 3)
    progress.step("a")
    progress.end("a")
    assert (progress.done, progress.total) == (5, 5)


def test_costs_add_up_and_stay_unknown_where_there_is_none() -> None:
    progress = GeneratorProgress()
    progress.outcome("made")
    assert progress.counts.cost is None
    progress.outcome("made", 0.25)
    progress.outcome("failed", 0.25)
    assert (progress.counts.cost, progress.counts.made, progress.counts.failed) == (0.5, 2, 1)


def test_the_line_tells_what_is_worth_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = GeneratorProgress(_since=100.0)
    progress.begin("a", 10)
    assert progress.line(0) == ""
    now[0] += 10
    progress.counts.currency = "CNY"
    for outcome, cost in (("made", 0.2), ("made", 0.2), ("failed", 0.0), ("declined", 0.0), ("missing", 0.0)):
        progress.step("a")
        progress.outcome(outcome, cost)
    assert progress.line(3) == "3 running, 2 failed, 1 declined, 0.40 CNY"
    progress.end("a")
    assert progress.line(0) == "2 failed, 1 declined, 0.40 CNY"
