"""All rows of a campaign from one database into another one, of whatever kind: for backups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from selector.store import schema

ROWS = 1000  # in one statement
TABLES: tuple[Table, ...] = tuple(t for t in schema.metadata.sorted_tables if t is not schema.lease)


def copy_rows(source: Connection, target: Connection, told: Callable[[int], None] = lambda _: None) -> int:
    """Copy all rows but leases into the empty tables of ``target``; returns how many. Memory is bounded.

    ``told`` hears how many rows are copied, now and then. Both are in a transaction, that of ``source`` one state.
    """
    done = 0
    for table in TABLES:
        for rows in batches(source, table):
            # The format is that of the target, which is there already.
            kept = [row for row in rows if not (table is schema.fact and row["key"] == "format")]
            if kept:
                target.execute(insert(table), kept)
            done += len(rows)
            told(done)
        _go_on_counting(target, table)
    return done


def count_rows(source: Connection) -> int:
    """How many rows ``copy_rows`` would copy."""
    return sum(source.execute(select(func.count()).select_from(table)).scalar_one() for table in TABLES)


def batches(source: Connection, table: Table, *where: Any) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The rows of a table in the order of its key, ``ROWS`` at a time."""
    query = select(table).where(*where).order_by(*table.primary_key.columns)
    found = source.execute(query, execution_options={"yield_per": ROWS})
    for rows in found.mappings().partitions():
        yield [dict(row) for row in rows]


def _go_on_counting(target: Connection, table: Table) -> None:
    """On PostgreSQL rows that bring their id do not move its counter."""
    if target.dialect.name != "postgresql" or table.autoincrement_column is None:
        return
    own = target.get_execution_options().get("schema_translate_map", {}).get(None)
    quote = target.dialect.identifier_preparer.quote
    name = f"{quote(own)}.{quote(table.name)}" if own else quote(table.name)
    target.execute(
        text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name} HAVING max(id) > 0")
    )
