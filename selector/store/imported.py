"""Scores that came as a table: what their columns mean, their values, and by what names candidates may be called.

The facts and values are only added. A value or a range that changed begins a new version, which holds all values anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select

from selector.config import IMPORTED
from selector.domain import Column, JSONValue
from selector.domain.columns import declared_columns, facts_of
from selector.store import schema
from selector.store.database import Database
from selector.store.moving_scores import add_columns
from selector.store.score_files import score_files
from selector.store.scores import add_scores, stored_values

_FACT = f"{IMPORTED}:"  # and a number that rises
BULK = 10_000  # values that come at once and are worth a file
_FILE = "file"  # where recipes and notes of finished images keep their names

Values = dict[tuple[str, str, str], float]  # by task id, candidate id and column


@dataclass(frozen=True)
class Imported:
    """Columns whose scores came as tables, and the version under which their values stand."""

    version: str
    columns: tuple[Column, ...]


class MadeAs(NamedTuple):
    """How a candidate came to be. ``file``: the name of a finished image that was imported, else "".

    ``seed``: of an imported one that which its tool wrote into the file, None where it wrote none.
    """

    task_id: str
    candidate_id: str
    generator: str
    variant: str
    seed: int | None
    file: str


def imported_columns(db: Database, connection: Connection) -> Imported | None:
    """What is declared by now; None before the first import."""
    facts = db.facts_in(connection, _FACT)
    if not facts:
        return None
    newest = json.loads(facts[max(facts)])
    return Imported(newest["version"], declared_columns(newest["columns"]))


def declare(db: Database, connection: Connection, imported: Imported) -> None:
    """Note what the columns mean from now on."""
    number = len(db.facts_in(connection, _FACT)) + 1
    value = {"version": imported.version, "columns": [facts_of(column) for column in imported.columns]}
    db.set_facts(connection, {f"{_FACT}{number:06d}": json.dumps(value, ensure_ascii=False)})


def imported_values(connection: Connection, version: str) -> Values:
    """All values of a version."""
    return stored_values(connection, IMPORTED, version)


def add_imported(db: Database, connection: Connection, version: str, values: Values) -> None:
    """Add values to a version that lacks them: as rows, or as a file where many come and scores are in columns."""
    if len(values) >= BULK and score_files(connection).writing:
        _add_file(connection, version, values)
        return
    rows = [
        {"task_id": task, "candidate_id": candidate, "scorer": IMPORTED, "version": version, "column": column}
        | {"value": value, "reason": None}
        for (task, candidate, column), value in values.items()
    ]
    add_scores(db, connection, rows)


def _add_file(connection: Connection, version: str, values: Values) -> None:
    import numpy as np

    keys = sorted({(task, candidate) for task, candidate, _ in values})
    line = {key: i for i, key in enumerate(keys)}
    columns = {name: np.full(len(keys), np.nan) for name in sorted({name for _, _, name in values})}
    for (task, candidate, name), value in values.items():
        columns[name][line[task, candidate]] = value
    task_ids, candidate_ids = zip(*keys, strict=True)
    told = {name: (of, None) for name, of in columns.items()}
    add_columns(connection, IMPORTED, version, task_ids, candidate_ids, told)


def made_as(connection: Connection) -> list[MadeAs]:
    """Every way in which every candidate was made."""
    a = schema.attempt.c
    query = select(a.task_id, a.candidate_id, a.generator, a.variant, a.seed, a.notes, a.params)
    rows = connection.execute(query.where(a.candidate_id.is_not(None)).order_by(a.id)).all()
    return [
        MadeAs(row[0], row[1], row[2], row[3], told_seed(seed, params, notes), str((notes or {}).get(_FILE, "")))
        for *row, seed, notes, params in rows
    ]


def told_seed(seed: int, params: Mapping[str, JSONValue], notes: JSONValue) -> int | None:
    """The seed that made a picture: its recipe's, and of an imported file what its tool wrote into it, if anything."""
    if _FILE not in params:
        return seed
    told = notes.get("seed") if isinstance(notes, dict) else None
    return told if isinstance(told, int) else None


def submissions_by_age(connection: Connection) -> list[str]:
    """Ids of all submissions that were exported, oldest first."""
    s = schema.submission.c
    return list(connection.execute(select(s.id).order_by(s.at, s.id)).scalars())
