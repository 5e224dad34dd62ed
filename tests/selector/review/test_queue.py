"""The queue's order and filters, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from selector.domain import InputError, Task, TaskType
from selector.review._gallery import Haystack, folded
from selector.review._queue import QueueWish, in_order, is_wanted, neighbours, number_of
from selector.review._rows import Row


def row(number: int, **facts: Any) -> Row:
    usual: dict[str, Any] = {
        **dict.fromkeys(("worth", "loss", "overall", "sd", "margin", "disagreement", "pick")),
        "flags": (),
        "fallback": False,
        "candidates": 2,
        "excluded": 0,
        "pinned": False,
        "notes": (),
        "generators": frozenset("g"),
        "looked": False,
        "changed": False,
        "seen": "",
    }
    task = Task(f"t{number}", TaskType.T2I, f"prompt {number}", None, None, number)
    return Row(**{"task": task, **usual, **facts})


ROWS = [row(0, worth=1.0, overall=5.0), row(1, worth=3.0, overall=2.0, looked=True), row(2), row(3, worth=1.0)]
HAYSTACKS = {one.task.id: Haystack(folded(one.task.prompt), ("4567ab", "12cd34")) for one in ROWS}


def ids(rows: list[Row]) -> list[str]:
    return [one.task.id for one in rows]


def test_largest_worth_first_equals_in_the_tables_order_and_unknown_last() -> None:
    assert ids(in_order(ROWS, QueueWish())) == ["t1", "t0", "t3", "t2"]
    assert ids(in_order(ROWS, QueueWish(order="asc"))) == ["t0", "t3", "t1", "t2"]


def test_low_estimates_come_first_where_that_is_asked_for() -> None:
    assert ids(in_order(ROWS, QueueWish(sort="low"))) == ["t1", "t0", "t2", "t3"]


def test_neighbours_pass_over_what_is_filtered_out() -> None:
    wish = QueueWish(decision="not_looked")
    assert neighbours(ROWS, wish, HAYSTACKS, "t1") == (None, "t0")
    assert neighbours(ROWS, wish, HAYSTACKS, "t3") == ("t0", "t2")
    assert neighbours(ROWS, wish, HAYSTACKS, "nowhere") == (None, None)


@pytest.mark.parametrize(
    ("q", "found"), [("PROMPT", 4), ("prompt ３", 1), ("1 prompt", 1), ("pro mpt", 4), ("prompt x", 0), (" ", 4)]
)
def test_all_words_must_occur_whatever_their_case_and_width(q: str, found: int) -> None:
    assert sum(is_wanted(one, QueueWish(q=q), HAYSTACKS) for one in ROWS) == found


def test_an_address_that_asks_for_what_is_not_there_is_an_error() -> None:
    with pytest.raises(InputError, match="did you mean 'worth'"):
        QueueWish.of({"sort": "worths"})
    for wrong in ("-1", "1.5", "x", "9" * 20):
        with pytest.raises(InputError):
            number_of(wrong, 50)
    assert number_of("", 50) == 50 and number_of("700", 50, 500) == 500


def test_digits_are_found_in_words_and_where_ids_begin_never_inside_ids() -> None:
    found = {q: sum(is_wanted(one, QueueWish(q=q), HAYSTACKS) for one in ROWS) for q in ("7", "67ab", "456", "4567")}
    assert found == {"7": 0, "67ab": 0, "456": 0, "4567": 4}


def test_the_task_of_that_number_comes_first() -> None:
    numbered = [row(number) for number in range(3)]
    rows = [replace(one, task=replace(one.task, id=str(n)), worth=float(n)) for n, one in enumerate(numbered)]
    assert ids(in_order(rows, QueueWish(q="0"))) == ["0", "2", "1"]
    assert ids(in_order(rows, QueueWish(q="prompt"))) == ["2", "1", "0"]
