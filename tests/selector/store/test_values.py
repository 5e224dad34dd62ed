"""What SQLite takes and PostgreSQL refuses, or the other way round, is cleaned or refused alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from selector.domain import InputError
from selector.store import Database, schema
from selector.store.database import add
from selector.store.observations import Judgement, add_judgements
from selector.store.replies import ReplyRow, add_replies, load_replies, words_about

CANDIDATE = "a" * 64
REPLY = {"provider": "host", "model": "m", "prompt_hash": "h", "images": [CANDIDATE], "repeat": 0, "outcome": "scored"}


@pytest.fixture
def db(store_place: Path | str) -> Iterator[Database]:
    """With one candidate."""
    made = Database(store_place, create=True)
    with made.write() as connection:
        row = {"task_id": "1", "id": CANDIDATE, "width_px": 8, "height_px": 8, "size_bytes": 2**40, "at": "now"}
        connection.execute(insert(schema.candidate).values(**row))
    yield made
    made.close()


def attempt(**more: Any) -> dict[str, Any]:
    row = {"task_id": "1", "generator": "g", "build": "b", "recipe_key": "k", "try_number": 1, "variant": "", "seed": 1}
    rest = {"params": {}, "outcome": "made", "fallback": False, "notes": {}, "seconds": 0.0, "at": "now"}
    return {**row, **rest, **more}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a\0b", "a\ufffdb"),
        ("half \ud83d of it", "half \ufffd of it"),
        ("椅子 😀", "椅子 😀"),
        ("\\u0000 as letters", "\\u0000 as letters"),
    ],
)
def test_words_from_outside_are_stored_in_text_and_in_json(db: Database, said: str, kept: str) -> None:
    with db.write() as connection:
        add_replies(db, connection, [ReplyRow(key="k", ask=0, judge="j", text=said, reason=said, **REPLY)])
        notes = {"told": {said: [said, 1, None, {"in": said}]}, "origin": "x"}
        add(connection, schema.attempt, **attempt(notes=notes, reason=said, candidate_id=CANDIDATE))
    with db.read() as connection:
        (reply,) = load_replies(connection, ["k"])["k"]
        assert (reply.text, reply.reason) == (kept, kept)
        a = schema.attempt.c
        found = connection.execute(select(a.notes, a.reason, a.notes["origin"].as_string())).one()
        assert words_about(connection, [CANDIDATE]) == {(CANDIDATE, "j"): (kept,)}
        assert connection.execute(select(a.id).where(a.reason == said)).all() == [(1,)]
    assert found == ({"told": {kept: [kept, 1, None, {"in": kept}]}, "origin": "x"}, kept, "x")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(db: Database, value: float) -> None:
    said = Judgement("1", CANDIDATE, "j", "judge", 5.0, None, {"quality": 5.0}, at="now")
    rows: list[tuple[Any, dict[str, Any]]] = [
        (schema.observation, {"kind": "total", "submission_id": "s", "value": value, "at": "now"}),
        (schema.attempt, attempt(seconds=value)),
        (schema.attempt, attempt(notes={"a": [value]})),
        (schema.plan_decision, {"known": "k", "hold": True, "hold_below": value, "remaining": 1, "at": "now"}),
        (
            schema.score,
            {"task_id": "1", "candidate_id": CANDIDATE, "scorer": "s", "version": "1", "column": "c", "value": value},
        ),
    ]
    for table, row in rows:
        with pytest.raises(InputError, match="finite numbers only"), db.write() as connection:
            db.insert_missing(connection, table, [row])
    for wrong in (Judgement(**{**vars(said), "pq": value}), Judgement(**{**vars(said), "parts": {"quality": value}})):
        with pytest.raises(InputError, match="finite numbers only"), db.write() as connection:
            add_judgements(connection, [wrong])
    with db.read() as connection:
        assert not any(connection.execute(select(table)).all() for table, _ in rows)


def test_seeds_and_sizes_have_64_bits_and_no_more(db: Database) -> None:
    with db.write() as connection:
        add(connection, schema.attempt, **attempt(seed=2**63 - 1))
    for seed in (2**63, -(2**63), 10**30):
        with pytest.raises(InputError, match="64 bits"), db.write() as connection:
            add(connection, schema.attempt, **attempt(seed=seed, try_number=2))
    with db.read() as connection:
        assert connection.execute(select(schema.attempt.c.seed)).scalars().all() == [2**63 - 1]
        assert connection.execute(select(schema.candidate.c.size_bytes)).scalar_one() == 2**40


def test_numbers_of_numpy_are_stored_as_numbers(db: Database) -> None:
    import numpy as np

    with db.write() as connection:
        add(connection, schema.attempt, **attempt(seed=np.int64(7), seconds=np.float32(0.5)))
    with db.read() as connection:
        assert connection.execute(select(schema.attempt.c.seed, schema.attempt.c.seconds)).one() == (7, 0.5)
