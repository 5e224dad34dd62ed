"""Small campaigns that older programs wrote: what each of them holds, and which commit wrote it, is in its dump."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, create_engine, func, insert, make_url, select, text

FORMATS = (1, 2, 3, 4, 5, 6, 7, 8)
_CONFIG = 'profile = "tianchi-532389"\n\n[score]\nscorers = ["technical"]\n'


def old_campaign(folder: Path, version: int) -> Path:
    """Make the folder of a campaign whose database has this format, without pictures; returns the database's path."""
    path = folder / "campaign.db"
    dump = Path(__file__).with_name(f"campaign_of_format_{version}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump)
    (folder / "campaign.toml").write_text(_CONFIG, encoding="utf-8")
    return path


def old_campaign_on(url: str, folder: Path, version: int) -> None:
    """Make the same campaign in an empty PostgreSQL, in the types that bestshot gave its tables there till format 8."""
    source = create_engine(f"sqlite:///{old_campaign(folder, version)}")
    target = create_engine(make_url(url))
    tables = MetaData()
    tables.reflect(source)
    for table in tables.tables.values():
        for column in table.columns:
            column.type = column.type.as_generic()
        table.indexes -= {index for index in table.indexes if index.name == "score_reasons"}  # SQLite's alone
    with source.connect() as there, target.begin() as here:
        tables.create_all(here)
        for table in tables.sorted_tables:
            here.execute(insert(table), [dict(row._mapping) for row in there.execute(select(table))])
            if "id" in table.columns and table.columns["id"].type.python_type is int:
                _move_counter(here, table)
    source.dispose()
    target.dispose()


def _move_counter(connection: Connection, table: Table) -> None:
    """Behind the keys that the rows brought with them."""
    newest = connection.execute(select(func.max(table.c.id))).scalar_one()
    moved = text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :newest)")
    connection.execute(moved, {"table": table.name, "newest": newest})


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    """The rows in a fixed order."""
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.execute(sql).fetchall(), key=repr)


def columns(path: Path) -> dict[str, str]:
    """Every table with the names of its columns, as a SELECT takes them."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT m.name, group_concat('\"' || c.name || '\"') FROM sqlite_master m, pragma_table_info(m.name) c "
            "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' GROUP BY m.name"
        )
        return dict(found.fetchall())
