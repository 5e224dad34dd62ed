"""Whether anything is new in the store, for who watches it: one number a table, and each only grows."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Table, func, literal_column, select

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
    """Table to a number that grows with every row. SQLite reads it off the end of the table, others count."""
    is_sqlite = connection.dialect.name == "sqlite"
    newest = func.max(literal_column("rowid")) if is_sqlite else func.count()
    return {t.name: int(connection.execute(select(newest).select_from(t)).scalar_one() or 0) for t in tables}
