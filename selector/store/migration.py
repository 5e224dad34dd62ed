"""Brings the database of an older bestshot to the present format: what is missing is added, no row is touched.

The one exception to "rows are never changed" is the fact ``format`` itself, so that an older bestshot, which would take
a total of one task type for one of all tasks, asks for an upgrade instead.

Format 2 (from 1): table ``judgement``; column ``observation.scope``, where NULL means what a total meant before.
Format 3: tables ``embedding``, ``text_embedding`` and ``judge_reply``; column ``judgement.spread``.
Format 4: tables ``job``, ``job_end`` and ``prompt_text``.
"""

from __future__ import annotations

from sqlalchemy import Connection, Table, inspect, select, update
from sqlalchemy.schema import CreateColumn

from selector.store import schema


def stored_format(connection: Connection) -> int:
    """The format that the database says it has; 0 when it says none."""
    query = select(schema.fact.c.value).where(schema.fact.c.key == "format")
    return int(connection.execute(query).scalar_one_or_none() or 0)


def bring_up_to_date(connection: Connection) -> None:
    """Add missing tables and columns, and note the format; nothing when another process has done it already.

    ``connection`` is in a transaction that holds the writers' lock: a kill leaves the old format, whole.
    """
    if stored_format(connection) >= schema.FORMAT_VERSION:
        return
    schema.metadata.create_all(connection)
    for table in schema.metadata.sorted_tables:
        _add_missing_columns(connection, table)
    value = {"value": str(schema.FORMAT_VERSION)}
    connection.execute(update(schema.fact).where(schema.fact.c.key == "format").values(**value))


def _add_missing_columns(connection: Connection, table: Table) -> None:
    present = {column["name"] for column in inspect(connection).get_columns(table.name)}
    quoted = connection.dialect.identifier_preparer.format_table(table)
    for column in table.columns:
        if column.name not in present:
            # Rows that are there get NULL: a new column that must not be NULL would need a migration of its own.
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {quoted} ADD COLUMN {definition}")
