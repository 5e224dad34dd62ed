"""Small campaigns that older programs wrote: what each of them holds, and which commit wrote it, is in its dump."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

FORMATS = (1, 2, 3, 4, 5, 6, 7)
_CONFIG = 'profile = "tianchi-532389"\n\n[score]\nscorers = ["technical"]\n'


def old_campaign(folder: Path, version: int) -> Path:
    """Make the folder of a campaign whose database has this format, without pictures; returns the database's path."""
    path = folder / "campaign.db"
    dump = Path(__file__).with_name(f"campaign_of_format_{version}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump)
    (folder / "campaign.toml").write_text(_CONFIG, encoding="utf-8")
    return path


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
