"""Scores of another campaign into this one, whether they are rows or in files by column, there and here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

from sqlalchemy import Connection, select

from selector.store import Database, schema
from selector.store.copying import batches
from selector.store.score_shards import file_rows, not_in_files, shard_tables, shards
from selector.store.scores import add_scores
from selector.team._rows import Row, Taken

_ROWS = 20_000  # in one transaction
_TASKS = 500  # in one question to the database
_CANDIDATES = 2_000  # of a file that are Python objects at the same time


def rows_of_files(connection: Connection) -> Iterator[Sequence[Row]]:
    """All that files of scores hold, as rows of the table ``score``."""
    for scorer in sorted({shard.scorer for shard in shards(connection)}):
        for table in shard_tables(connection, scorer):
            for start in range(0, len(table), _CANDIDATES):
                yield file_rows(scorer, table.slice(start, _CANDIDATES))


def take_scores(db: Database, theirs: Connection) -> Taken:
    """Add their scores that are not here, neither as rows nor in files, as this campaign keeps its own.

    What their files say of candidates that did not come is left: files may be newer than the state that was merged.
    """
    taken = Taken()
    for rows in _gathered(chain(batches(theirs, schema.score), rows_of_files(theirs))):
        with db.write() as connection:
            here = _candidates(connection, {row["task_id"] for row in rows})
            kept = [row for row in rows if (row["task_id"], row["candidate_id"]) in here]
            new = add_scores(db, connection, not_in_files(connection, kept))
        taken += Taken(new, len(kept) - new, len(rows) - len(kept))
    return taken


def _candidates(connection: Connection, task_ids: Collection[str]) -> set[tuple[str, str]]:
    c, ids = schema.candidate.c, sorted(task_ids)
    parts = (ids[start : start + _TASKS] for start in range(0, len(ids), _TASKS))
    found = (connection.execute(select(c.task_id, c.id).where(c.task_id.in_(part))) for part in parts)
    return {(task_id, candidate_id) for rows in found for task_id, candidate_id in rows}


def _gathered(parts: Iterable[Sequence[Row]]) -> Iterator[list[Row]]:
    found: list[Row] = []
    for rows in parts:
        found += rows
        if len(found) >= _ROWS:
            yield found
            found = []
    if found:
        yield found
