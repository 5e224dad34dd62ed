"""Scores of another campaign into this one, whether they are rows or in files by column, there and here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from selector.domain.reading import TAGGED
from selector.store import Database, schema
from selector.store.copying import batches
from selector.store.moving_scores import move_if_many
from selector.store.score_files import KEYS, REASON, value_columns
from selector.store.score_shards import shard_tables, shards
from selector.team._rows import Row, Taken

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 20_000  # in one transaction
_TASKS = 500  # in one question to the database
_CANDIDATES = 2_000  # of a file that are Python objects at the same time


def rows_of_files(connection: Connection) -> Iterator[list[Row]]:
    """All that files of scores hold, as rows of the table ``score``."""
    for scorer in sorted({shard.scorer for shard in shards(connection)}):
        for table in shard_tables(connection, scorer):
            for start in range(0, len(table), _CANDIDATES):
                yield _rows(scorer, table.slice(start, _CANDIDATES))


def take_scores(db: Database, theirs: Connection) -> Taken:
    """Add their scores that are not here, neither as rows nor in files, as this campaign keeps its own.

    What their files say of candidates that did not come is left: files may be newer than the state that was merged.
    """
    taken = Taken()
    for rows in _gathered(chain(batches(theirs, schema.score), rows_of_files(theirs))):
        with db.write() as connection:
            here = _candidates(connection, {row["task_id"] for row in rows})
            kept = [row for row in rows if (row["task_id"], row["candidate_id"]) in here]
            new = db.insert_missing(connection, schema.score, _not_in_files(connection, kept))
            move_if_many(connection, new)
        taken += Taken(new, len(kept) - new, len(rows) - len(kept))
    return taken


def _candidates(connection: Connection, task_ids: Collection[str]) -> set[tuple[str, str]]:
    c, ids = schema.candidate.c, sorted(task_ids)
    parts = (ids[start : start + _TASKS] for start in range(0, len(ids), _TASKS))
    found = (connection.execute(select(c.task_id, c.id).where(c.task_id.in_(part))) for part in parts)
    return {(task_id, candidate_id) for rows in found for task_id, candidate_id in rows}


def _rows(scorer: str, table: pa.Table) -> list[Row]:
    columns = [(name, table[name].to_pylist(), table[f"{name}{REASON}"].to_pylist()) for name in value_columns(table)]
    found: list[Row] = []
    for i, (task_id, candidate_id, version) in enumerate(zip(*(table[k].to_pylist() for k in KEYS), strict=True)):
        key: dict[str, Any] = {"task_id": task_id, "candidate_id": candidate_id, "scorer": scorer, "version": version}
        for name, values, reasons in columns:
            if values[i] is not None or reasons[i] is not None:
                found.append({**key, "column": name, "value": values[i], "reason": reasons[i]})
    return found


def _not_in_files(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    kinds = {(row["scorer"], row["version"].partition(TAGGED)[0]) for row in rows}
    known = set()
    for scorer, version in kinds & {(shard.scorer, shard.version) for shard in shards(connection)}:
        mine = [row for row in rows if (row["scorer"], row["version"].partition(TAGGED)[0]) == (scorer, version)]
        tasks = sorted({row["task_id"] for row in mine})
        for table in shard_tables(connection, scorer, version, {row["column"] for row in mine}, tasks):
            known |= {_key(row) for row in _rows(scorer, table)}
    return [row for row in rows if _key(row) not in known]


def _key(row: Row) -> tuple[str, ...]:
    return row["task_id"], row["candidate_id"], row["scorer"], row["version"], row["column"]


def _gathered(parts: Iterable[Sequence[Row]]) -> Iterator[list[Row]]:
    found: list[Row] = []
    for rows in parts:
        found += rows
        if len(found) >= _ROWS:
            yield found
            found = []
    if found:
        yield found
