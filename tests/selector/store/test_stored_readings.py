"""Readings in the store: the newest row of a task counts, and so does the version of scores that rests on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from selector.domain import InputError
from selector.domain.reading import Attribute, Change, Place, Reading, Relation, Scene, SceneEdit, TextEdit, Thing
from selector.store import Database, schema
from selector.store.readings import (
    StoredReadings,
    add_readings,
    earlier_readings,
    load_readings,
    readers_of,
    tags_of,
)
from selector.store.scores import add_scores, scored_candidates, scores_of, wide_scores

THING = Thing("杯子", (Attribute("colour", "红色", "red"),), 2, "红色的杯子", "a red cup", "cup")
FULL = Reading(
    "qwen",
    Scene((THING, Thing("桌子", (), None, "桌子", "a table", "table")), (Relation(0, "on", 1),), "zh"),
    ("开业",),
    SceneEdit("杯子", "cup", Change("红杯", "蓝杯", "a red cup", "a blue cup"), ("桌子",), (), "蓝"),
    TextEdit("add", None, "开业", Place("招牌", False, "on", None, "招牌上")),
    "one relation",
)
VERSIONS = {"words": "2-abc", "plain": "1"}


@pytest.fixture
def db(store_place: Path | str) -> Iterator[Database]:
    made = Database(store_place, create=True)
    yield made
    made.close()


def add(db: Database, **readings: Reading) -> None:
    with db.write() as connection:
        add_readings(connection, readings, "now")


def rows(db: Database) -> int:
    with db.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM task_reading").scalar_one())


def test_a_reading_comes_back_as_it_was(db: Database) -> None:
    add(db, a=FULL)
    with db.read() as connection:
        assert load_readings(connection) == {"a": FULL}
        assert tags_of(connection) == {"a": FULL.tag}
        assert readers_of(connection) == {"a": "qwen"}


def test_the_newest_reading_counts_and_the_same_is_no_new_row(db: Database) -> None:
    add(db, a=FULL)
    add(db, a=FULL)
    assert rows(db) == 1
    add(db, a=Reading("table", texts=("关门",)))
    with db.read() as connection:
        assert load_readings(connection)["a"].texts == ("关门",)
        assert earlier_readings(connection) == {"a": FULL}


def test_a_reading_by_rules_ends_what_was_stored_and_is_not_stored_for_nothing(db: Database) -> None:
    add(db, a=Reading(), b=Reading("table"))
    assert rows(db) == 1
    add(db, b=Reading())
    assert rows(db) == 2
    with db.read() as connection:
        assert (load_readings(connection), tags_of(connection), earlier_readings(connection)) == ({}, {}, {})


def test_a_field_that_says_nothing_changes_no_tag() -> None:
    told = FULL.as_json()
    assert Reading.from_json({**told, "unread": "another"}).tag != FULL.tag
    assert Reading("m", Scene((), (), "en")).tag == Reading("m", Scene((), (), "en"), (), None).tag
    assert Reading().tag == ""


def test_what_was_stored_is_loaded_again_when_something_newer_is_there(db: Database) -> None:
    readings = StoredReadings(db)
    assert readings.of("a") is None
    add(db, a=FULL)
    assert readings.of("a") == FULL
    add(db, a=Reading())
    assert readings.of("a") is None


def put(db: Database, task_id: str, scorer: str, version: str, value: float) -> None:
    key = {"task_id": task_id, "candidate_id": "c", "scorer": scorer, "version": version}
    with db.write() as connection:
        add_scores(db, connection, [{**key, "column": "x", "value": value, "reason": None}])


def scored_by(connection: Connection) -> dict[tuple[str, str], set[str]]:
    keys, has = scored_candidates(connection, VERSIONS, {"words"})
    return {key: set(compress(VERSIONS, of)) for key, of in zip(keys, has, strict=True)}


def test_scores_that_rest_on_words_count_for_the_reading_that_counts(db: Database) -> None:
    with db.write() as connection:
        sizes = {"width_px": 1, "height_px": 1, "size_bytes": 1, "at": "now"}
        connection.execute(insert(schema.candidate), [{"task_id": t, "id": "c", **sizes} for t in ("a", "b")])
    for task_id in ("a", "b"):
        put(db, task_id, "words", "2-abc", 0.1)
        put(db, task_id, "plain", "1", 0.2)
    columns = [("words", "2-abc", "x"), ("plain", "1", "x")]

    def known() -> tuple[object, ...]:
        with db.read() as connection:
            scored = scored_by(connection)
            values, _ = wide_scores(connection, ["a"], ["c"], columns, {"words"})
            shown = scores_of(connection, VERSIONS, "a", {"words"})
        row = values[0].tolist()
        return scored["a", "c"], row[0] if row[0] == row[0] else None, row[1], sorted(shown["c"])

    both = ["plain.x", "words.x"]
    assert known() == ({"words", "plain"}, 0.1, 0.2, both)
    add(db, a=FULL)
    assert known() == ({"plain"}, None, 0.2, ["plain.x"])
    put(db, "a", "words", f"2-abc~{FULL.tag}", 0.7)
    assert known() == ({"words", "plain"}, 0.7, 0.2, both)
    add(db, a=Reading())
    assert known() == ({"words", "plain"}, 0.1, 0.2, both)
    with db.read() as connection:
        assert scored_by(connection)["b", "c"] == {"words", "plain"}


@pytest.mark.parametrize(
    "told",
    [
        {"scene": {"language": "en"}},
        {"scene": {"objects": [5], "relations": [], "language": "en"}},
        {"scene": {"objects": [], "relations": [{"subject": 0, "kind": "left", "object": 1}], "language": "en"}},
        {"text_edit": {"action": "paint", "old": "a", "new": "b"}},
        {"unread": ["a"]},
        {"by": "\ud800"},
        [1],
        3.5,
    ],
)
def test_a_reading_that_is_none_says_that_the_store_is_damaged(told: object) -> None:
    with pytest.raises(InputError, match=r"a stored reading .* is damaged: restore"):
        Reading.from_json(told)  # type: ignore[arg-type]
