"""Rows of another campaign into this one: what is here already is left out, the moment says what counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from selector.domain import stable_hash
from selector.store import Database, schema
from selector.store.copying import batches
from selector.store.pruned import load_gone

Row = Mapping[str, Any]
Lacking = Collection[tuple[str, str]]  # (task id, candidate id) whose pictures the other campaign has lost


@dataclass
class Taken:
    """Rows that are new here, and those that were here; ``left``: those about candidates that did not come."""

    new: int = 0
    same: int = 0
    left: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.new + other.new, self.same + other.same, self.left + other.left)


@dataclass(frozen=True)
class History:
    """A table of which the newest row about one thing counts; ``about``: that thing, None where all rows count.

    ``refers``: the column with the id of another row of the table.
    """

    table: Table
    about: Callable[[Row], Hashable | None]
    refers: str | None = None


def _decided(row: Row) -> Hashable | None:
    if row["kind"] in ("exclude", "include"):
        return "exclusion", row["task_id"], row["candidate_id"], row["generator"]
    return None if row["kind"] == "note" else ("pin", row["task_id"])


def _columns(*names: str) -> Callable[[Row], Hashable | None]:
    return lambda row: tuple(row[name] for name in names)


HISTORIES = (
    History(schema.planning, _columns("task_id", "generator", "build")),
    History(schema.task_reading, _columns("task_id")),
    History(schema.judgement, _columns("task_id", "candidate_id", "judge")),
    History(schema.decision, _decided, refers="undoes"),
    History(schema.file_version, _columns("task_id", "generator", "file")),
    History(schema.look, _columns("task_id")),
    History(schema.comparison, _columns("task_id", "a", "b", "by")),
)
KEYED = (schema.judge_reply, schema.prompt_text, schema.embedding, schema.text_embedding)


@dataclass
class _Known:
    """What a history holds: digest of a row's content to its id, and by thing the newest row's moment and digest."""

    ids: dict[str, int] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)  # by id, of rows that another may refer to
    newest: dict[Hashable, tuple[str, str]] = field(default_factory=dict)

    def add(self, history: History, row: Row) -> str:
        """Note a row, later than those before it; returns its digest."""
        digest = self.digest(history, row)
        self.ids[digest] = row["id"]
        if history.refers:
            self.digests[row["id"]] = digest
        about = history.about(row)
        if about is not None:
            self.newest[about] = row["at"], digest
        return digest

    def digest(self, history: History, row: Row) -> str:
        """Equal for rows that say the same, whatever their ids."""
        content = {name: value for name, value in row.items() if name != "id"}
        if history.refers and content[history.refers] is not None:
            content[history.refers] = self.digests.get(content[history.refers], "")
        return stable_hash(content, 32)


def take_history(db: Database, theirs: Connection, history: History, lacking: Lacking) -> tuple[Taken, dict[int, int]]:
    """Append their rows that are not here, in one transaction; of rows about one thing the latest by its moment counts.

    Where ours is later than theirs, or what was here already, it is stated again after them: nothing is changed.

    Returns:
        What was taken, and their ids of rows to ours (only of a table in which rows refer to others).
    """
    table, taken, ours, known = history.table, Taken(), _Known(), _Known()
    places: dict[int, int] = {}
    with db.write() as connection:
        for rows in batches(connection, table):
            for row in rows:
                ours.add(history, row)
        before = dict(ours.newest)
        for rows in batches(theirs, table):
            fresh = []
            for row in rows:
                if is_lacking(row, lacking):
                    taken.left += 1
                    continue
                digest = known.add(history, row)
                if digest in ours.ids:
                    taken.same += 1
                else:
                    taken.new += 1
                    fresh.append((row, digest))
                    ours.ids[digest] = 0  # a copy of it that follows says nothing new
            if history.refers:
                for row, _ in fresh:
                    refers = ours.ids.get(known.digests.get(row[history.refers], "")) or None
                    here = {**row, history.refers: refers}
                    ours.add(history, {**here, "id": _append(connection, table, here)})
                places |= {row["id"]: ours.ids[known.digests[row["id"]]] for row in rows if row["id"] in known.digests}
            elif fresh:
                connection.execute(insert(table), [without_id(row) for row, _ in fresh])
                for row, digest in fresh:
                    about = history.about(row)
                    if about is not None:
                        ours.newest[about] = row["at"], digest
        _state_again(connection, theirs, history, before, ours, known)
    return taken, places


def _state_again(
    connection: Connection,
    theirs: Connection,
    history: History,
    before: Mapping[Hashable, tuple[str, str]],
    ours: _Known,
    known: _Known,
) -> None:
    table = history.table
    for about, (at, digest) in known.newest.items():
        mine = before.get(about)
        if mine is not None and mine[0] > at:
            digest = mine[1]
        if ours.newest[about][1] != digest:
            number, source = ours.ids[digest], connection
            if not number:  # it came just now, and its number was not asked for
                number, source = known.ids[digest], theirs
            row = dict(source.execute(select(table).where(table.c.id == number)).mappings().one())
            _append(connection, table, row)


def take_keyed(db: Database, theirs: Connection, table: Table, lacking: Lacking) -> Taken:
    """Insert their rows whose key is not here, in batches; vectors of pictures that were deleted here stay away."""
    taken = Taken()
    for rows in batches(theirs, table):
        kept = [row if "id" not in row else without_id(row) for row in rows if not is_lacking(row, lacking)]
        with db.write() as connection:
            if table is schema.embedding:
                gone = load_gone(connection, [row["picture_id"] for row in kept])
                kept = [row for row in kept if row["picture_id"] not in gone]
            new = db.insert_missing(connection, table, kept)
        taken.new += new
        taken.same += len(kept) - new
        taken.left += len(rows) - len(kept)
    return taken


def take_attempts(db: Database, connection: Connection, theirs: Connection, task_id: str, lacking: Lacking) -> Taken:
    """Append their tries of a task. One that ended as ours did is the same; where ours made a picture, failures say
    nothing more; what differs is a further try of its recipe.
    """
    a, taken = schema.attempt.c, Taken()
    ended: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}
    tries: dict[tuple[Any, ...], set[int]] = {}
    for rows in batches(connection, schema.attempt, a.task_id == task_id):
        for row in rows:
            recipe = _recipe(row)
            ended.setdefault(recipe, set()).add(_end(row))
            tries.setdefault(recipe, set()).add(row["try_number"])
    for rows in batches(theirs, schema.attempt, a.task_id == task_id):
        fresh = []
        for row in rows:
            recipe, end = _recipe(row), _end(row)
            if is_lacking(row, lacking):
                taken.left += 1
                continue
            ours = ended.setdefault(recipe, set())
            if end in ours or (row["outcome"] != "made" and any(outcome == "made" for outcome, *_ in ours)):
                taken.same += 1
                continue
            numbers = tries.setdefault(recipe, set())
            number = row["try_number"] if row["try_number"] not in numbers else max(numbers) + 1
            numbers.add(number)
            ours.add(end)
            fresh.append({**without_id(row), "try_number": number})
        taken.new += db.insert_missing(connection, schema.attempt, fresh)
    return taken


def _recipe(row: Row) -> tuple[Any, ...]:
    return row["generator"], row["build"], row["recipe_key"]


def _end(row: Row) -> tuple[Any, ...]:
    return row["outcome"], row["candidate_id"], row["reason"]


def is_lacking(row: Row, lacking: Lacking) -> bool:
    """Whether a row speaks of a candidate that did not come."""
    if not lacking:
        return False
    return any((row.get("task_id"), row[name]) in lacking for name in ("candidate_id", "a", "b") if name in row)


def _append(connection: Connection, table: Table, row: Row) -> int:
    key = connection.execute(insert(table).values(**without_id(row))).inserted_primary_key
    return int(key[0]) if key else 0


def without_id(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}
