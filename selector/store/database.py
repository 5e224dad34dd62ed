"""The campaign's database: SQLite in WAL mode by default, any SQLAlchemy URL by configuration.

Promises: a write is one transaction and is durable when ``write`` ends; writers queue (for up to 30 s) and never
interleave; a reader never waits for a writer; any number of processes may open the same campaign.

Every row belongs to one campaign: a SQLite file holds one, and on PostgreSQL each has a schema of its own.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Insert,
    NullPool,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from selector.domain import DISK_FULL, BestshotError, InputError, OutOfResources, raise_shortage
from selector.domain.files import scratch_folder
from selector.store import schema
from selector.store._migration import bring_up_to_date, stored_format

_log = logging.getLogger("bestshot.store")
BUSY_SECONDS = 30
MIN_FREE_BYTES = 256 * 1024
_HANDLES_OF_SQLITE = 8  # the database, its write-ahead log and index, temporary files; opened at once
_WRITER_LOCK = 0x62737400  # any constant: with the campaign's, the lock that PostgreSQL's writers share
_SHARED_SCHEMA = "bestshot"  # on PostgreSQL: what concerns all campaigns of the database


class Database:
    """Opens (and with ``create=True`` makes) the tables at ``url``, a SQLAlchemy URL or the path of a SQLite file.

    A database of an older format is brought to the present one (see ``migration``).

    Args:
        url: of the database.
        create: make what is missing.
        campaign: its id, which names its schema on PostgreSQL; "" for the usual schema, which older ones have.
        alone: nobody else knows the SQLite file, which is to be whole in itself after every commit.
        upgrade: bring an older format to the present one; else it is refused.

    Raises:
        InputError: no database there, a newer format, an unwritable place, a full disk.
    """

    def __init__(
        self, url: str | Path, create: bool = False, campaign: str = "", alone: bool = False, upgrade: bool = True
    ) -> None:
        # Not by formatting: a path may hold '?', '#' or '%'.
        self.url = URL.create("sqlite", database=str(url)) if isinstance(url, Path) else url
        if isinstance(url, Path) and not create and not url.is_file():
            raise InputError(f"the database {url} is not there: restore it from a backup, or mend `url` in [store]")
        self._writing = threading.Lock()  # within a process: SQLite's own queue sleeps between its looks
        self.engine = _engine(self.url, campaign, "DELETE" if alone else "WAL")
        schemas = self.engine.get_execution_options()["schema_translate_map"]
        self._schema, self._shared = schemas[None], schemas[schema.SHARED]
        file = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        self._file = Path(file) if file else None
        self._place = self._file.parent if self._file else None
        with _plain_errors(self._place):
            if create:
                self._create_tables()
            elif not inspect(self.engine).has_table("fact", schema=self._schema):
                raise InputError("the database holds no campaign: restore it from a backup, or mend `url` in [store]")
            self._check_format(upgrade)
        _log.debug("opened %s", self.engine.url.render_as_string(hide_password=True))

    @property
    def campaign(self) -> str | None:
        """The id of the campaign whose rows these are."""
        return self.fact(schema.CAMPAIGN)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with _plain_errors(self._place), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the writers' lock from its start: what it reads cannot change before it commits."""
        with self._writing, _plain_errors(self._place):
            engine = self.engine.execution_options(bestshot_write=True)
            with engine.connect() as connection, connection.begin():
                if self.engine.dialect.name == "postgresql":
                    lock = text("SELECT pg_advisory_xact_lock(:writers, hashtext(:campaign))")
                    connection.execute(lock, {"writers": _WRITER_LOCK, "campaign": self._schema or ""})
                yield connection

    def insert_missing(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert rows, leaving out those whose key is there already; returns how many were not."""
        if not rows:
            return 0
        counting = {"preserve_rowcount": True}
        insertion = self._insert_or_ignore(table)
        return connection.execute(insertion, [dict(row) for row in rows], execution_options=counting).rowcount

    def fact(self, key: str) -> str | None:
        """A fact of the database by key, or None."""
        with self.read() as connection:
            return connection.execute(select(schema.fact.c.value).where(schema.fact.c.key == key)).scalar_one_or_none()

    def facts(self, prefix: str) -> dict[str, str]:
        """All facts whose key begins with ``prefix``, without the prefix."""
        with self.read() as connection:
            return self.facts_in(connection, prefix)

    def facts_in(self, connection: Connection, prefix: str = "") -> dict[str, str]:
        """The same within a transaction."""
        f = schema.fact.c
        rows = connection.execute(select(f.key, f.value).where(f.key.startswith(prefix, autoescape=True)))
        return {row.key[len(prefix) :]: row.value for row in rows}

    def set_facts(self, connection: Connection, facts: Mapping[str, str]) -> None:
        """Store facts for good; one that is there already stays as it is."""
        self.insert_missing(connection, schema.fact, [{"key": key, "value": value} for key, value in facts.items()])

    def close(self) -> None:
        self.engine.dispose()

    def _insert_or_ignore(self, table: Table) -> Insert:
        if self.engine.dialect.name == "sqlite":
            return sqlite.insert(table).on_conflict_do_nothing()
        if self.engine.dialect.name == "postgresql":
            from sqlalchemy.dialects import postgresql  # slow to import

            return postgresql.insert(table).on_conflict_do_nothing()
        raise InputError(f"{self.engine.dialect.name}: only SQLite and PostgreSQL hold a campaign")

    def _check_format(self, upgrade: bool) -> None:
        with self.read() as connection:
            found = stored_format(connection)
        if found > schema.FORMAT_VERSION:
            raise InputError(
                f"this campaign has format {found}, this bestshot knows {schema.FORMAT_VERSION}: upgrade bestshot"
            )
        if found < schema.FORMAT_VERSION and not upgrade:
            raise InputError(f"the campaign has format {found}, of an older bestshot: run `bestshot status` in it once")
        if found < schema.FORMAT_VERSION:
            self._upgrade()
        elif upgrade and self._file:
            for older in range(1, schema.FORMAT_VERSION):  # of an upgrade that was killed after its commit
                with suppress(OSError):
                    _copy_of(self._file, older).unlink()

    def _upgrade(self) -> None:
        """A copy of the old file stays beside it until the new one is complete; PostgreSQL needs none."""
        copy = None
        with self.write() as connection:
            found = stored_format(connection)
            if found < schema.FORMAT_VERSION:  # else another process was faster
                copy = _copied(self._file, found) if self._file else None
                bring_up_to_date(connection)
        if copy is not None:
            copy.unlink(missing_ok=True)

    def _create_tables(self) -> None:
        with self.write() as connection:
            if self.engine.dialect.name == "postgresql":  # which two at once would both make
                connection.execute(text("SELECT pg_advisory_xact_lock(:all)"), {"all": _WRITER_LOCK})
            for name in filter(None, (self._schema, self._shared)):
                connection.execute(CreateSchema(name, if_not_exists=True))
            schema.metadata.create_all(connection)
            self.set_facts(connection, {"format": str(schema.FORMAT_VERSION)})


def add(connection: Connection, table: Table, **values: Any) -> int:
    """Insert one row and return its integer primary key (0 where it has none)."""
    result = connection.execute(insert(table).values(**values))
    key = result.inserted_primary_key
    return int(key[0]) if key and isinstance(key[0], int) else 0


def _engine(url: str | URL, campaign: str, journal: str) -> Engine:
    try:
        engine = create_engine(url, **_read_only(url))
        has_schemas = engine.dialect.name == "postgresql"
        own = f"bestshot_{campaign}" if campaign and has_schemas else None
        shared = _SHARED_SCHEMA if has_schemas else None
        engine = engine.execution_options(schema_translate_map={None: own, schema.SHARED: shared})
    except (SQLAlchemyError, ImportError) as error:
        # The URL itself is not repeated: it may hold a password.
        raise InputError(
            f"the store's url in campaign.toml cannot be used: {_first_line(error)} (is its driver installed?)"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_prepare_sqlite, "" if isinstance(engine.pool, NullPool) else journal))
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _read_only(url: str | URL) -> dict[str, Any]:
    """How a SQLite file is opened that may only be read, as a colleague's may; empty for all others.

    Each look decides anew: a file beside which somebody writes has a log with what is new, and SQLite reads that. Where
    there is none, nobody has it open, and it is told not to look for one: it would have to make one.
    """
    place = make_url(url).database if make_url(url).get_backend_name() == "sqlite" else None
    if not place or not Path(place).is_file() or all(os.access(p, os.W_OK) for p in (place, Path(place).parent)):
        return {}
    file = Path(place).absolute()

    def connect() -> sqlite3.Connection:
        how = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "immutable=1"
        return sqlite3.connect(f"{file.as_uri()}?{how}", uri=True, check_same_thread=False)

    return {"creator": connect, "poolclass": NullPool}


def _prepare_sqlite(journal: str, connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would take the lock too late
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    if journal:
        cursor.execute(f"PRAGMA journal_mode={journal}")
        cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("bestshot_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _plain_errors(place: Path | None) -> Iterator[None]:
    """Turn the driver's errors into one line that says what to do."""
    try:
        yield
    except DatabaseError as error:
        message = _first_line(error.orig or error)
        if "full" in message or ("disk I/O" in message and _is_full(place)):
            raise OutOfResources(DISK_FULL) from error
        if "unable to open" in message:
            _check_handles()
        if "readonly" in message or "unable to open" in message:
            raise InputError(f"cannot write to the campaign's database ({message}): check its permissions") from error
        if "locked" in message:
            raise InputError(f"another process has held the campaign for {BUSY_SECONDS} s: try again later") from error
        if "not a database" in message or "malformed" in message:
            raise InputError(f"the campaign's database is damaged ({message}): restore it from a backup") from error
        raise BestshotError(f"the campaign's database refused: {message}") from error
    except SQLAlchemyError as error:
        raise BestshotError(f"the campaign's database refused: {_first_line(error)}") from error


def _check_handles() -> None:
    """Raise ``OutOfResources`` where a database and its journals cannot be opened for want of handles.

    SQLite has the same words for a missing right, and it has closed those that it could open by the time it says them.
    """
    try:
        with ExitStack() as held:
            for _ in range(_HANDLES_OF_SQLITE):
                held.enter_context(Path(os.devnull).open("rb"))
    except OSError as error:
        raise_shortage(error)


def _is_full(place: Path | None) -> bool:
    """Whether the disk that holds ``place`` has no room for as much as a journal."""
    try:
        return place is not None and shutil.disk_usage(place).free < MIN_FREE_BYTES
    except OSError:
        return False


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _copy_of(file: Path, old_format: int) -> Path:
    return file.with_name(f"{file.stem}.format-{old_format}{file.suffix}")


def _copied(file: Path, old_format: int) -> Path:
    """A copy of a SQLite database as it was committed last, under a name that says its format."""
    copy = _copy_of(file, old_format)
    with scratch_folder(file.parent) as folder:
        made = folder / copy.name
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(made)) as target:
            source.backup(target)
        made.replace(copy)
    return copy
