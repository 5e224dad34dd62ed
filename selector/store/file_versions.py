"""Which picture the name of an imported file stands for: that of the newest import, unless the older ones were kept.

Attempts say which bytes ever came under a name. Only where they are several is a row stored, and the newest row of a
name counts; nothing is changed or removed, so the older pictures stay known, with their scores and totals.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from selector.store import schema
from selector.store.database import add

_FILE, _SHA = ("file",), ("sha256",)  # where recipes of finished images keep a file's name and the hash of its bytes
_SHORT = 8  # characters of an id in a reason

FileName = tuple[str, str, str]  # task id, generator (an import's label), file


class Version(NamedTuple):
    """The candidate that a file's name stands for; ``keep``: those of older bytes stay eligible beside it."""

    candidate_id: str
    keep: bool


class Way(NamedTuple):
    """One way in which a candidate was made, the number of its attempt first; ``file``: of an import, else ""."""

    number: int
    task_id: str
    candidate_id: str
    generator: str
    file: str


def add_version(connection: Connection, name: FileName, version: Version, at: str) -> None:
    """Note what a name stands for from now on."""
    task_id, generator, file = name
    row = {"task_id": task_id, "generator": generator, "file": file, **version._asdict()}
    add(connection, schema.file_version, **row, at=at)


def newest_versions(connection: Connection) -> dict[FileName, Version]:
    """What every name stands for that had several pictures."""
    v = schema.file_version.c
    rows = connection.execute(select(v.task_id, v.generator, v.file, v.candidate_id, v.keep).order_by(v.id))
    return {(row[0], row[1], row[2]): Version(row[3], bool(row[4])) for row in rows}


def pictures_of_files(connection: Connection, generator: str) -> dict[tuple[str, str], dict[str, str]]:
    """(task id, file) to its candidates by the hash of the file's bytes, of one label, oldest first."""
    a = schema.attempt.c
    query = select(a.task_id, a.params[_FILE].as_string(), a.params[_SHA].as_string(), a.candidate_id)
    query = query.where(a.generator == generator, a.candidate_id.is_not(None)).order_by(a.id)
    found: dict[tuple[str, str], dict[str, str]] = {}
    for task_id, file, digest, candidate_id in connection.execute(query):
        found.setdefault((task_id, file), {})[digest] = candidate_id
    return found


def newest_attempt(connection: Connection) -> int:
    """The number of the newest attempt, 0 before the first."""
    return int(connection.execute(select(func.max(schema.attempt.c.id))).scalar_one() or 0)


def ways_made(connection: Connection, only_versions: bool = False) -> list[Way]:
    """How every candidate was made, oldest first, last resorts left out.

    ``only_versions``: of tasks for which a file came again with other bytes.
    """
    a = schema.attempt.c
    query = select(a.id, a.task_id, a.candidate_id, a.generator, a.params[_FILE].as_string())
    query = query.where(a.candidate_id.is_not(None), ~a.fallback).order_by(a.id)
    if only_versions:
        query = query.where(a.task_id.in_(select(schema.file_version.c.task_id)))
    return [Way(*row[:4], row[4] or "") for row in connection.execute(query).all()]


def successors(connection: Connection) -> dict[tuple[str, str], tuple[str, str]]:
    """(task id, candidate id) of imported pictures that newer ones took the place of: the file's name, the newer id.

    What another generator made too, or came under another name that it still has, is not among them.
    """
    newest = {name: version for name, version in newest_versions(connection).items() if not version.keep}
    if not newest:
        return {}
    found: dict[tuple[str, str], tuple[str, str]] = {}
    otherwise = set()
    for way in ways_made(connection, only_versions=True):
        key, now = (way.task_id, way.candidate_id), newest.get((way.task_id, way.generator, way.file))
        if now is None or now.candidate_id == way.candidate_id:
            otherwise.add(key)
        else:
            found[key] = way.file, now.candidate_id
    return {key: newer for key, newer in found.items() if key not in otherwise}


def superseded(connection: Connection) -> dict[tuple[str, str], str]:
    """``successors`` as reasons in words."""
    return {
        key: f"superseded by the newer {file} ({candidate_id[:_SHORT]})"
        for key, (file, candidate_id) in successors(connection).items()
    }
