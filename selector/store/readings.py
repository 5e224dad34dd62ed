"""What was understood of tasks' words, by a model or a person, and which versions of scores rest on it.

Rows are added: a correction is a newer row, and so is taking it back. A task without a row is read by rules.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select

from selector.domain.reading import RULES, TAGGED, Reading, with_tag
from selector.store import schema
from selector.store.database import Database

TABLE = "table"  # who read it, where a person corrected the table of readings


def add_readings(connection: Connection, readings: Mapping[str, Reading], at: str) -> None:
    """Append readings by task id, those that say the same as the newest left out; one by rules ends what was stored."""
    known = load_readings(connection, readings)
    nothing = Reading()
    rows = [
        {"task_id": task_id, "by": reading.by, "tag": reading.tag, "reading": _json(reading), "at": at}
        for task_id, reading in readings.items()
        if known.get(task_id, nothing) != (reading if reading.tag else nothing)
    ]
    if rows:
        connection.execute(insert(schema.task_reading), rows)


def load_readings(connection: Connection, task_ids: Iterable[str] | None = None) -> dict[str, Reading]:
    """Task id to the reading that counts; tasks that rules are to read are left out."""
    wanted = None if task_ids is None else set(task_ids)
    rows = _present(connection, schema.task_reading.c.reading)
    return {key: Reading.from_json(told) for key, told in rows if wanted is None or key in wanted}


def earlier_readings(connection: Connection, by: str | None = None) -> dict[str, Reading]:
    """Task id to the newest reading by a model, or by that one: what counts again once a later one is not to."""
    t = schema.task_reading.c
    wanted = t.by.not_in((TABLE, RULES)) if by is None else t.by == by
    newest = select(func.max(t.id)).where(wanted).group_by(t.task_id)
    rows = connection.execute(select(t.task_id, t.reading).where(t.id.in_(newest)))
    return {task_id: Reading.from_json(told) for task_id, told in rows}


def tags_of(connection: Connection) -> dict[str, str]:
    """Task id to the tag of its reading; tasks that rules are to read are left out."""
    return dict(_present(connection, schema.task_reading.c.tag))


def readers_of(connection: Connection) -> dict[str, str]:
    """Task id to who has read it; tasks that rules are to read are left out."""
    return dict(_present(connection, schema.task_reading.c.by))


class StoredReadings:
    """The readings of all tasks, loaded once and again when there is a newer one. Safe for threads."""

    def __init__(self, db: Database) -> None:
        self._db, self._lock = db, threading.Lock()
        self._seen, self._readings = -1, dict[str, Reading]()

    def of(self, task_id: str) -> Reading | None:
        """The reading that counts; None where rules are to read the task."""
        with self._lock, self._db.read() as connection:
            newest = connection.execute(select(func.max(schema.task_reading.c.id))).scalar_one() or 0
            if newest != self._seen:
                self._seen, self._readings = newest, load_readings(connection)
            return self._readings.get(task_id)


class PresentVersions:
    """Which rows of the table ``score`` are of the present: of these versions, and of the reading that counts.

    Args:
        connection: to look whether there are readings at all; without any, no query grows.
        versions: by scorer.
        reading: the scorers whose scores rest on a task's reading.
    """

    def __init__(self, connection: Connection, versions: Mapping[str, str], reading: Collection[str]) -> None:
        self._versions = versions
        needed = bool(set(reading) & versions.keys()) and connection.execute(_ANY).scalar_one()
        self._reading = frozenset(reading) if needed else frozenset[str]()
        self._tags = tags_of(connection) if needed else {}

    def of(self, scorer: str) -> ColumnElement[bool]:
        """Whether a row is the scorer's, of the version that counts for its task."""
        s, version = schema.score.c, self._versions[scorer]
        if scorer not in self._reading:
            return (s.scorer == scorer) & (s.version == version)
        return (s.scorer == scorer) & (s.version == func.coalesce(f"{version}{TAGGED}" + _TAG, version))

    def only(self, scorer: str) -> str | None:
        """The one version that counts for all tasks; None where it is another for some."""
        return None if scorer in self._reading and self._tags else self._versions[scorer]

    def for_tasks(self, scorer: str, task_ids: Iterable[str]) -> list[str]:
        """The version that counts, of each of these tasks."""
        tags = self._tags if scorer in self._reading else {}
        return [with_tag(self._versions[scorer], tags.get(task_id, "")) for task_id in task_ids]


def _present(connection: Connection, column: Any) -> list[Any]:
    """(task id, that column) of the rows that count."""
    t = schema.task_reading.c
    rows = select(t.task_id, column).where(t.id.in_(select(func.max(t.id)).group_by(t.task_id)), t.tag != "")
    return [tuple(row) for row in connection.execute(rows)]


def _json(reading: Reading) -> dict[str, Any]:
    return reading.as_json() if reading.tag else {}


_ANY = select(exists().where(schema.task_reading.c.id.is_not(None)))
_TAG = (  # of a score's task, NULL where it has none. Looked up row by row: SQLite joins such a table without an index
    select(func.nullif(schema.task_reading.c.tag, ""))
    .where(schema.task_reading.c.task_id == schema.score.c.task_id)
    .order_by(schema.task_reading.c.id.desc())
    .limit(1)
    .correlate(schema.score)
    .scalar_subquery()
)
