"""Whether anything is new in the store, for who watches it: one number a table, and each only grows."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Function, Integer, Table, func, literal_column, select

from selector.store import schema

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
    return {
        t.name: int(connection.execute(select(_newest(t, is_sqlite)).select_from(t)).scalar_one() or 0) for t in tables
    }


def _newest(table: Table, is_sqlite: bool) -> Function[int]:
    if is_sqlite:
        return func.max(literal_column("rowid", Integer))
    key = table.autoincrement_column
    return func.count() if key is None else func.max(key)
