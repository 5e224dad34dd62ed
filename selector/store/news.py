"""Whether anything is new in the store, for who watches it: one number a table, and each only grows."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Function, Integer, Table, func, literal_column, select

from selector.store import schema
from selector.store.score_shards import shards

WATCHED = (
    schema.attempt,
    schema.candidate,
    schema.comparison,
    schema.decision,
    schema.file_version,
    schema.judgement,
    schema.look,
    schema.observation,
    schema.pick_set,
    schema.planning,
    schema.score,
    schema.submission_event,
    schema.task_reading,
)


def newest_rows(connection: Connection, tables: Iterable[Table] = WATCHED) -> dict[str, int]:
    """Table to a number that grows with every row: the end of the table or of its keys, or a count where it has none.

    Keys are given under the writers' lock, so a higher one is never seen before a lower one.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    found = {
        t.name: int(connection.execute(select(_newest(t, is_sqlite)).select_from(t)).scalar_one() or 0) for t in tables
    }
    if schema.score.name in found and (in_files := _scores_in_files(connection)):
        rows = select(func.count()).select_from(schema.score)  # few: when there are more they become files as well
        found[schema.score.name] = in_files + int(connection.execute(rows).scalar_one())
    return found


def _newest(table: Table, is_sqlite: bool) -> Function[int]:
    if is_sqlite:
        return func.max(literal_column("rowid", Integer))
    key = table.autoincrement_column
    return func.count() if key is None else func.max(key)


def _scores_in_files(connection: Connection) -> int:
    by_version = [counts for shard in shards(connection) for counts in shard.counts.values()]
    return sum(n for by_column in by_version for by_reason in by_column.values() for n in by_reason.values())
