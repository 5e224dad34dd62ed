"""Where the crash test's campaigns keep their rows, read without the code under test: a file of SQLite in each place,
or a database of each place on a PostgreSQL. Scores may lie beside it, in files by column."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.support.servers import PostgreSQLServer

if TYPE_CHECKING:
    import psycopg

DATABASE = Path("campaign", "campaign.db")  # below a place
STORES = ("sqlite", "sqlite-columns", "postgresql")
PREFIX = "place_"  # of the names of databases
SETTLED_SECONDS = 20.0  # until the server has ended what a killed process left


@contextlib.contextmanager
def opened_file(file: Path) -> Iterator[sqlite3.Connection]:
    """A copy of a file of SQLite: opening it would repair what the program has to repair."""
    with tempfile.TemporaryDirectory(prefix="bestshot-look-") as look:
        for path in file.parent.glob(f"{file.name}*"):
            shutil.copy(path, look)
        with contextlib.closing(sqlite3.connect(Path(look, file.name))) as connection:
            yield connection


@dataclass(frozen=True)
class FileStore:
    """A file in the campaign's folder. ``scores``: rows | columns, as in ``[store]``."""

    scores: str = field(default="rows", kw_only=True)

    def url(self, place: Path) -> str:  # noqa: ARG002
        """For ``[store]``; "" for the folder's own file."""
        return ""

    def begin(self, place: Path) -> None:
        """Make what a new place needs beside its folder."""

    def copy(self, place: Path, to: Path) -> None:
        """Copy a place, folder and rows."""
        shutil.copytree(place, to)

    def remove(self, place: Path) -> None:
        shutil.rmtree(place)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What reading it may raise."""
        return (sqlite3.Error,)

    def holds(self, place: Path) -> bool:
        """Whether there are any tables."""
        return (place / DATABASE).is_file()

    @contextlib.contextmanager
    def opened(self, place: Path) -> Iterator[sqlite3.Connection]:
        """A copy of the database."""
        with opened_file(place / DATABASE) as connection:
            yield connection


@dataclass(frozen=True)
class ServerStore(FileStore):
    """A database for each place; ``root`` is the address of the server, as in postgresql://postgres@127.0.0.1:5432."""

    root: str

    def url(self, place: Path) -> str:
        return f"{self.root}/{_name_of(place)}"

    def begin(self, place: Path) -> None:
        self._tell(f'CREATE DATABASE "{_name_of(place)}"')

    def copy(self, place: Path, to: Path) -> None:
        super().copy(place, to)
        self._settle(place)
        self._tell(f'CREATE DATABASE "{_name_of(to)}" TEMPLATE "{_name_of(place)}"')
        with self._connected(_name_of(to)) as server:  # a folder that moved, and not another one, which lacks images
            for (schema,) in server.execute(
                "SELECT table_schema FROM information_schema.tables WHERE table_name = 'fact'"
            ).fetchall():
                moved = f'UPDATE "{schema}".fact SET key = replace(key, %s, %s) WHERE key LIKE %s'
                server.execute(moved, [str(place.resolve()), str(to.resolve()), "folder:%"])

    def remove(self, place: Path) -> None:
        super().remove(place)
        self._tell(f'DROP DATABASE "{_name_of(place)}" WITH (FORCE)')

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import psycopg

        return (sqlite3.Error, psycopg.Error)

    def holds(self, place: Path) -> bool:
        with self.opened(place) as connection:
            return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'fact'").fetchone() is not None

    @contextlib.contextmanager
    def opened(self, place: Path) -> Iterator[sqlite3.Connection]:
        """All its rows in SQLite, so that one query serves both."""
        self._settle(place)
        with contextlib.closing(sqlite3.connect(":memory:")) as copy:
            with self._connected(_name_of(place)) as server:
                tables = server.execute(
                    "SELECT table_schema, table_name, array_agg(column_name::text ORDER BY ordinal_position) "
                    "FROM information_schema.columns WHERE table_schema LIKE 'bestshot%' GROUP BY 1, 2"
                ).fetchall()
                for schema, table, columns in tables:
                    names = ", ".join(f'"{column}"' for column in columns)
                    copy.execute(f'CREATE TABLE "{table}" ({names})')
                    rows = server.execute(f'SELECT {names} FROM "{schema}"."{table}"').fetchall()
                    marks = ", ".join("?" * len(columns))
                    copy.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)
            yield copy

    def _settle(self, place: Path) -> None:
        """Wait until nobody is connected: what a killed process had sent is done, or is not, from then on."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        end = time.monotonic() + SETTLED_SECONDS
        with self._connected("postgres") as server:
            while server.execute(query, [_name_of(place)]).fetchone() != (0,) and time.monotonic() < end:
                time.sleep(0.01)

    def _tell(self, statement: str) -> None:
        with self._connected("postgres") as server:
            server.execute(statement)

    @contextlib.contextmanager
    def _connected(self, database: str) -> Iterator[psycopg.Connection]:
        import psycopg
        from psycopg.types.json import set_json_loads

        with contextlib.closing(psycopg.connect(f"{self.root}/{database}", autocommit=True)) as connection:
            set_json_loads(lambda data: bytes(data).decode() if not isinstance(data, str) else data, connection)
            yield connection


@contextlib.contextmanager
def store_of(kind: str) -> Iterator[FileStore]:
    """The store of a kind of ``STORES``, with a server of its own while the block runs."""
    if kind != "postgresql":
        yield FileStore(scores="columns" if kind == "sqlite-columns" else "rows")
        return
    with PostgreSQLServer() as server:
        yield ServerStore(server.root.replace("+psycopg", ""))


def _name_of(place: Path) -> str:
    return PREFIX + hashlib.sha256(str(place.resolve()).encode()).hexdigest()[:16]
