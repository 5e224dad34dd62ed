"""Jobs in the store: what is collectable, what was paid, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from selector.store import Database, schema
from selector.store.database import add
from selector.store.jobs import (
    DELIVERED,
    FAILED,
    LOST,
    PERHAPS,
    REFUSED,
    UNDELIVERED,
    Job,
    JobEnd,
    end_jobs,
    load_jobs,
    money_spent,
)


@pytest.fixture
def db(store_place: Path | str) -> Iterator[Database]:
    made = Database(store_place, create=True)
    yield made
    made.close()


def job(db: Database, keys: Sequence[str] = ("k1", "k2"), price: float | None = 0.5, **more: Any) -> int:
    given: dict[str, Any] = {
        "task_id": "1",
        "generator": "g",
        "build": "b",
        "service": "s",
        "ticket": "t-1",
        "facts": {"path": "/a", "很": [1, None]},
        "resumable": True,
        **more,
    }
    with db.write() as connection:
        return add(connection, schema.job, recipe_keys=keys, price=price, at="now", **given)


def end(db: Database, job_id: int, outcomes: Mapping[str, str]) -> None:
    with db.write() as connection:
        end_jobs(db, connection, [JobEnd(job_id, key, outcome) for key, outcome in outcomes.items()], "later")


def loaded(db: Database, **given: Any) -> tuple[Job, ...]:
    with db.read() as connection:
        return load_jobs(connection, **given)


def test_a_job_comes_back_as_it_was_stored(db: Database) -> None:
    number = job(db)
    assert loaded(db) == (
        Job(number, "1", "g", "b", "s", "t-1", {"path": "/a", "很": [1, None]}, True, ("k1", "k2"), 0.5, "now", {}, {}),
    )


def test_jobs_are_loaded_newest_first_and_by_what_is_named(db: Database) -> None:
    first, second, third = job(db), job(db, task_id="2", service="other"), job(db, generator="h", build="c")
    assert [one.id for one in loaded(db)] == [third, second, first]
    assert [one.id for one in loaded(db, task_id="1")] == [third, first]
    assert [one.id for one in loaded(db, service="other")] == [second]
    assert [one.id for one in loaded(db, task_id="1", generator="g", build="b")] == [first]
    assert loaded(db, build="x") == ()


def test_the_newest_end_of_a_recipe_counts_and_no_row_is_changed(db: Database) -> None:
    number = job(db)
    end(db, number, {"k1": UNDELIVERED})
    end(db, number, {"k1": DELIVERED})
    assert loaded(db)[0].ends == {"k1": DELIVERED}
    with db.read() as connection:
        assert connection.execute(select(func.count()).select_from(schema.job_end)).scalar_one() == 2


def test_ends_belong_to_their_job_alone(db: Database) -> None:
    first, second = job(db), job(db)
    end(db, second, {"k1": LOST})
    assert {one.id: dict(one.ends) for one in loaded(db)} == {first: {}, second: {"k1": LOST}}


@pytest.mark.parametrize(
    ("outcome", "collectable", "may_bring"),
    [
        (None, True, True),
        (UNDELIVERED, True, True),
        (DELIVERED, False, True),
        (FAILED, False, False),
        (REFUSED, False, False),
        (LOST, False, False),
        (PERHAPS, False, False),
    ],
)
def test_what_asking_again_may_bring(db: Database, outcome: str | None, collectable: bool, may_bring: bool) -> None:
    number = job(db)
    if outcome:
        end(db, number, {"k1": outcome})
    (one,) = loaded(db)
    assert (one.collectable("k1"), one.may_bring("k1")) == (collectable, may_bring)
    assert not one.may_bring("k9")  # of another job


def test_a_job_that_cannot_be_resumed_brings_nothing_again(db: Database) -> None:
    job(db, resumable=False)
    (one,) = loaded(db)
    assert not one.collectable("k1")
    assert not one.may_bring("k1")


@pytest.mark.parametrize(
    ("ends", "spent"),
    [
        ({}, 1.5),  # all of it may have to be paid
        ({"k1": DELIVERED, "k2": UNDELIVERED, "k3": LOST}, 1.5),
        (dict.fromkeys(("k1", "k2", "k3"), PERHAPS), 1.5),
        ({"k1": FAILED, "k2": REFUSED}, 0.5),
        ({"k1": FAILED, "k2": REFUSED, "k3": FAILED}, 0.0),
    ],
)
def test_money_is_counted_for_all_but_what_failed_or_was_refused(
    db: Database, ends: Mapping[str, str], spent: float
) -> None:
    end(db, job(db, ("k1", "k2", "k3")), ends)
    job(db, price=None)
    assert money_spent(loaded(db)) == spent


def test_no_ends_are_stored_for_none(db: Database) -> None:
    with db.write() as connection:
        end_jobs(db, connection, [], "now")
    assert loaded(db) == ()
