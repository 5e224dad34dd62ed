"""Totals by task type: how they are written, and when they contradict the total of all tasks."""

from __future__ import annotations

import pytest

from selector.contest import load_profile
from selector.domain import InputError, TaskType
from selector.submit.totals import Scope, check_agreement, parse_type_totals

T2I, TIE = TaskType.T2I, TaskType.TIE
COUNTS = {T2I: 1, TIE: 3}


def test_types_are_named_as_the_program_or_as_the_contest_does() -> None:
    profile = load_profile("mini-png")  # whose words are "draw" and "change"
    assert parse_type_totals(["change=2.1", "t2i=1.2"], profile) == {TIE: 2.1, T2I: 1.2}


@pytest.mark.parametrize("text", ["tie", "tie=", "=2", "tie=high", "tie 2.1"])
def test_what_is_no_type_and_total_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"as in tie=2\.1"):
        parse_type_totals([text], load_profile("tianchi-532389"))


def test_a_type_named_twice_is_refused() -> None:
    with pytest.raises(InputError, match="tie twice"):
        parse_type_totals(["tie=1", "change=2"], load_profile("mini-png"))


@pytest.mark.parametrize(
    ("totals", "agrees"),
    [
        ({None: 1.75, T2I: 1.0, TIE: 2.0}, True),  # (1 x 1 + 3 x 2) / 4: weighted by the tasks
        ({None: 1.77, T2I: 1.0, TIE: 2.0}, True),  # rounding
        ({None: 1.78, T2I: 1.0, TIE: 2.0}, False),
        ({None: 1.50, T2I: 1.0, TIE: 2.0}, False),  # the mean of the types, each counted once
        ({None: 9.00, TIE: 2.0}, True),  # not all types: nothing to compare
        ({T2I: 1.0, TIE: 2.0}, True),
    ],
)
def test_all_types_together_must_give_the_total(totals: dict[Scope, float], agrees: bool) -> None:
    if agrees:
        check_agreement(totals, COUNTS, 2)
    else:
        with pytest.raises(InputError, match=r"t2i, tie give 1\.75 over all tasks"):
            check_agreement(totals, COUNTS, 2)


def test_a_coarser_leaderboard_rounds_more() -> None:
    check_agreement({None: 1.9, T2I: 1.0, TIE: 2.0}, COUNTS, 1)
