"""What the store gives to learn from: the newest of each total and judgement, in an order that stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from selector.domain import BestshotError, Task, TaskType
from selector.store import Database, schema
from selector.store.attempts import save_tasks
from selector.store.observations import (
    Judgement,
    Pass,
    TotalRow,
    add_judgements,
    load_judgements,
    load_pending,
    load_totals,
    pass_sds,
)
from selector.store.picks import load_submission_picks

IDS = ["a" * 64, "b" * 64]


@pytest.fixture
def db(store_place: Path | str) -> Iterator[Database]:
    """Tasks 9 and 10 in this order, with a candidate each; submission s1 uploaded before s0, s2 only exported."""
    made = Database(store_place, create=True)
    with made.write() as connection:
        save_tasks(
            made,
            connection,
            [Task("9", TaskType.TIE, "x", None, None, 0), Task("10", TaskType.T2I, "y", None, None, 1)],
        )
        for task_id, candidate_id in zip(("9", "10"), IDS, strict=True):
            row = {"task_id": task_id, "id": candidate_id, "width_px": 8, "height_px": 8, "size_bytes": 1, "at": "now"}
            connection.execute(insert(schema.candidate).values(**row))
            for submission in ("s0", "s1", "s2"):
                pick = {"submission_id": submission, "task_id": task_id, "candidate_id": candidate_id}
                connection.execute(insert(schema.submission_pick).values(**pick, fallback=task_id == "10"))
        for slot, submission in enumerate(("s1", "s0"), start=1):
            event = {"submission_id": submission, "state": "submitted", "day": "2025-07-01", "slot": slot, "at": "now"}
            connection.execute(insert(schema.submission_event).values(**event))
    yield made
    made.close()


def observe(db: Database, submission: str, value: float, scope: str | None, at: str) -> None:
    with db.write() as connection:
        row = {"kind": "total", "submission_id": submission, "value": value, "scope": scope, "at": at}
        connection.execute(insert(schema.observation).values(**row))


def test_passes_come_back_as_they_were_stored(db: Database) -> None:
    first, second = Pass(1, 8.0, 2.0, {"quality": 2.0}), Pass(2, 6.0, None)
    said = Judgement("10", IDS[1], "vlm", "judge", None, None, at="now").over([second, first])
    assert (said.sc, said.pq, dict(said.parts), said.passes) == (7.0, 2.0, {"quality": 2.0}, (first, second))
    with db.write() as connection:
        add_judgements(connection, [said])
    with db.read() as connection:
        assert load_judgements(connection) == [said]


def test_one_pass_is_the_judgement_itself() -> None:
    said = Judgement("10", IDS[1], "vlm", "judge", None, None).over([Pass(1, 8.0, 2.0)])
    assert said == Judgement("10", IDS[1], "vlm", "judge", 8.0, 2.0)
    assert said.looks == (Pass(1, 8.0, 2.0),)
    assert said.overall == 4.0


def test_overall_is_the_mean_of_what_single_passes_come_to() -> None:
    blank = Judgement("10", IDS[1], "vlm", "judge", None, None)
    assert blank.over([Pass(1, 9.0, 4.0), Pass(2, 0.0, 4.0), Pass(3, 5.0, None)]).overall == 3.0
    assert blank.over([Pass(1, 9.0, None), Pass(2, None, 4.0)]).overall == 6.0
    assert blank.over([Pass(1, 9.0, None), Pass(2, 5.0, None)]).overall is None


def test_the_sd_of_one_pass_is_pooled_by_axis() -> None:
    blank = Judgement("10", IDS[1], "vlm", "judge", None, None)
    twice = blank.over([Pass(1, 4.0, 5.0), Pass(2, 6.0, None)])
    thrice = blank.over([Pass(1, 1.0, None), Pass(2, 1.0, None), Pass(3, 4.0, None)])
    assert pass_sds([twice, thrice, blank.over([Pass(1, 9.0, 9.0)])]) == {"sc": pytest.approx((8 / 3) ** 0.5)}


def test_a_correction_takes_the_place_of_what_it_corrects(db: Database) -> None:
    observe(db, "s1", 1.36, None, "monday")
    observe(db, "s1", 2.0, "tie", "monday")
    observe(db, "s0", 1.7, None, "tuesday")
    observe(db, "s1", 1.63, None, "wednesday")
    with db.read() as connection:
        assert load_totals(connection) == [
            TotalRow("s1", 1.63, None, "wednesday"),
            TotalRow("s1", 2.0, TaskType.TIE, "monday"),
            TotalRow("s0", 1.7, None, "tuesday"),
        ]
        assert load_totals(connection, "s0") == [TotalRow("s0", 1.7, None, "tuesday")]


def test_uploads_with_a_total_of_every_task_type_are_not_pending(db: Database) -> None:
    observe(db, "s1", 2.0, "tie", "now")
    observe(db, "s1", 1.2, "t2i", "now")
    observe(db, "s0", 1.2, "t2i", "now")
    with db.read() as connection:
        assert load_pending(connection) == ("s0",)


def test_uploads_without_a_total_of_all_tasks_are_pending(db: Database) -> None:
    with db.read() as connection:
        assert load_pending(connection) == ("s1", "s0"), "in the order of their upload"
    observe(db, "s1", 2.0, "tie", "now")
    with db.read() as connection:
        assert load_pending(connection) == ("s1", "s0")
    observe(db, "s1", 1.6, None, "now")
    with db.read() as connection:
        assert load_pending(connection) == ("s0",)


def test_picks_of_submissions_come_in_the_order_of_the_table(db: Database) -> None:
    with db.read() as connection:
        picks = load_submission_picks(connection)
    assert list(picks) == ["s0", "s1", "s2"]
    assert list(picks["s0"].items()) == [("9", (IDS[0], False)), ("10", (IDS[1], True))]


def test_the_newest_judgement_of_a_judge_counts_and_judges_stand_side_by_side(db: Database) -> None:
    first = Judgement("9", IDS[0], "vlm", "judge", 5.0, 6.0, {"quality": 6.0}, None, "monday")
    second = Judgement("9", IDS[0], "vlm", "judge", 5.5, 6.0, {}, "misread", "tuesday")
    other = Judgement("9", IDS[0], "anna", "rating", None, 3.0, {}, None, "monday")
    with db.write() as connection:
        add_judgements(connection, [first, other])
        add_judgements(connection, [second])
        add_judgements(connection, [])
    with db.read() as connection:
        assert load_judgements(connection) == [other, second]
        assert load_judgements(connection, "vlm") == [second]


def test_a_judgement_that_says_nothing_or_of_no_candidate_cannot_be_stored(db: Database) -> None:
    for wrong in (Judgement("9", IDS[0], "vlm", "judge", None, None), Judgement("9", IDS[1], "vlm", "judge", 1.0, 1.0)):
        with pytest.raises(BestshotError) as refused, db.write() as connection:
            add_judgements(connection, [wrong])
        assert isinstance(refused.value.__cause__, IntegrityError)
