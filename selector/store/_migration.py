"""Brings the database of an older bestshot to the present format, in one transaction: a kill leaves the old one, whole.

Format 2 (from 1): table ``judgement``; column ``observation.scope``, where NULL means what a total meant before.
Format 3: tables ``embedding``, ``text_embedding`` and ``judge_reply``; column ``judgement.spread``.
Format 4: tables ``job``, ``job_end`` and ``prompt_text``.
Format 5: table ``lease``; fact ``campaign``; ``attempt.fallback``; ``job_end.try_number``, with which an end is unique:
rows that an interrupted run stored twice go.
Format 6: table ``plan_decision``; column ``judgement.passes``, which is filled from the replies by the next run of a
judge that was asked several times before.
Format 7: table ``task_reading``.
Format 8: tables ``decision``, ``file_version``, ``look`` and ``comparison``; on SQLite the index ``score_reasons``.
Format 9: tables ``score_shard`` and ``pruned``; on PostgreSQL whole numbers have 64 bits, as SQLite's do.

Tables with new rules are made anew and filled from the old ones; no other row is touched but the fact ``format``, so
that an older bestshot asks for an upgrade.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table, TableClause, and_, insert, inspect, or_, select, text, update
from sqlalchemy.schema import CreateColumn, CreateSchema

from selector.domain import stable_hash
from selector.store import schema

_LAST_RESORTS = {"source": "unchanged", "blank": "grey"}  # generator to its one variant, before format 5


def stored_format(connection: Connection) -> int:
    """The format that the database says it has; 0 when it says none."""
    query = select(schema.fact.c.value).where(schema.fact.c.key == "format")
    return int(connection.execute(query).scalar_one_or_none() or 0)


def bring_up_to_date(connection: Connection) -> None:
    """Add what is missing, make anew what has new rules, and note the format.

    ``connection`` is in a transaction that holds the writers' lock.
    """
    own, shared = (_schemas(connection).get(key) for key in (None, schema.SHARED))
    anew = _REBUILT if stored_format(connection) < 5 else {}  # what format 5 wrote follows its rules
    present = set(inspect(connection).get_table_names(own))
    if shared:
        connection.execute(CreateSchema(shared, if_not_exists=True))
    schema.metadata.create_all(connection)
    for table in schema.metadata.sorted_tables:
        if table.name not in anew:
            _add_missing_columns(connection, table)
            if connection.dialect.name == "postgresql":
                _widen(connection, table)
    for table, fill in anew.values():
        if table.name in present:
            _rebuild(connection, table, fill)
    if connection.dialect.name == "sqlite":
        schema.score_reasons.create(connection, checkfirst=True)
    value = {"value": str(schema.FORMAT_VERSION)}
    connection.execute(update(schema.fact).where(schema.fact.c.key == "format").values(**value))
    _name_campaign(connection)


def _add_missing_columns(connection: Connection, table: Table) -> None:
    present = _columns(connection, table)
    quoted = _quoted(connection, table)
    for column in table.columns:
        if column.name not in present:
            # Rows that are there get NULL: a new column that must not be NULL would need a table made anew.
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {quoted} ADD COLUMN {definition}")


def _widen(connection: Connection, table: Table) -> None:
    """Give whole numbers of 32 bits 64, and the counters of keys too."""
    quoted, quote = _quoted(connection, table), connection.dialect.identifier_preparer.quote
    for found in inspect(connection).get_columns(table.name, _schemas(connection).get(table.schema)):
        if isinstance(found["type"], sa.Integer) and not isinstance(found["type"], sa.BigInteger):
            connection.execute(text(f"ALTER TABLE {quoted} ALTER COLUMN {quote(found['name'])} TYPE BIGINT"))
            named = {"table": quoted, "column": found["name"]}
            counter = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), named).scalar_one()
            if counter:
                connection.execute(text(f"ALTER SEQUENCE {counter} AS BIGINT"))


def _rebuild(connection: Connection, table: Table, fill: Callable[[Connection, TableClause], None]) -> None:
    """Put the rows aside, make the table as it is now, and ``fill`` it from the rows."""
    own = _schemas(connection).get(None)
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in sorted(_columns(connection, table))]
    aside = sa.table(f"old_{table.name}", *columns, schema=own)
    connection.execute(text(f"CREATE TABLE {_quoted(connection, aside)} AS SELECT * FROM {_quoted(connection, table)}"))
    table.drop(connection)
    table.create(connection)
    fill(connection, aside)
    connection.execute(text(f"DROP TABLE {_quoted(connection, aside)}"))
    if connection.dialect.name == "postgresql":  # rows that bring their id do not move its counter
        name = _quoted(connection, table)
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"))


def _attempts(connection: Connection, old: TableClause) -> None:
    """What a last resort made was known by the generator's name alone; its variant tells it from one of that name."""
    made = or_(*(old.c.variant == own for own in _LAST_RESORTS.values()))
    finished = or_(*(old.c.variant.like(f"{own} + %") for own in _LAST_RESORTS.values()))
    values: dict[str, Any] = {c.name: old.c[c.name] for c in schema.attempt.columns if c.name in old.c}
    values["fallback"] = and_(old.c.generator.in_(tuple(_LAST_RESORTS)), or_(made, finished))
    connection.execute(insert(schema.attempt).from_select(list(values), select(*values.values())))


def _job_ends(connection: Connection, old: TableClause) -> None:
    """An end and its attempt were stored at one moment; a copy that came later has no attempt of its moment."""
    j, a = schema.job.c, schema.attempt.c
    of_job = and_(a.task_id == j.task_id, a.generator == j.generator, a.build == j.build)
    query = (
        select(*old.c, a.try_number)
        .join(schema.job, j.id == old.c.job_id)
        .outerjoin(schema.attempt, and_(of_job, a.recipe_key == old.c.recipe_key, a.at == old.c.at))
        .order_by(old.c.id)
    )
    rows = [dict(row._mapping) for row in connection.execute(query)]
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    told = {_end(row) for row in rows if row["try_number"] is not None}
    for row in rows:
        if row["try_number"] is not None or _end(row) not in told:
            number = row["try_number"] or 0
            kept.setdefault((*_end(row), number), {**row, "try_number": number})
    if kept:
        connection.execute(insert(schema.job_end), list(kept.values()))


def _end(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["job_id"], row["recipe_key"], row["outcome"]


def _name_campaign(connection: Connection) -> None:
    """Campaigns had no id; the inputs that are pinned tell one from another."""
    f = schema.fact.c
    facts = {row.key: row.value for row in connection.execute(select(f.key, f.value).where(f.key != "format"))}
    if schema.CAMPAIGN not in facts:
        connection.execute(insert(schema.fact).values(key=schema.CAMPAIGN, value=stable_hash(facts, 16)))


def _columns(connection: Connection, table: Table) -> set[str]:
    own = _schemas(connection).get(table.schema)
    return {found["name"] for found in inspect(connection).get_columns(table.name, own)}


def _quoted(connection: Connection, table: Table | TableClause) -> str:
    """The table's name in SQL, with its schema where it has one."""
    own = _schemas(connection).get(table.schema, table.schema)
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(own)}.{quote(table.name)}" if own else quote(table.name)


def _schemas(connection: Connection) -> Mapping[str | None, str | None]:
    """What the schemas of our tables are called in this database."""
    found: Mapping[str | None, str | None] = connection.get_execution_options().get("schema_translate_map", {})
    return found


_REBUILT = {  # in this order: ends are sorted out by attempts
    table.name: (table, fill) for table, fill in ((schema.attempt, _attempts), (schema.job_end, _job_ends))
}
