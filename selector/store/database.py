"""The campaign's database: SQLite in WAL mode by default, any SQLAlchemy URL by configuration.

Promises: a write is one transaction and is durable when ``write`` ends; writers queue (for up to 30 s) and never
interleave; a reader sees one state and never waits for a writer; any number of processes may open the same campaign.

Every row belongs to one campaign: a SQLite file holds one, and on PostgreSQL each has a schema of its own.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import lru_cache, partial
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
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.schema import CreateSchema

from selector.domain import DISK_FULL, BestshotError, InputError, OutOfResources, raise_shortage
from selector.domain.files import scratch_folder, sync_folder
from selector.store import _postgresql, schema
from selector.store._migration import bring_up_to_date, stored_format
from selector.store._types import to_json

has_password, plain_url = _postgresql.has_password, _postgresql.plain_url

_log = logging.getLogger("bestshot.store")
BUSY_SECONDS = 30.0
MIN_FREE_BYTES = 256 * 1024
_INDEX_BYTES = 64 * 1024  # of a write-ahead log, with room for a page or two of the log
_HANDLES_OF_SQLITE = 8  # the database, its write-ahead log and index, temporary files; opened at once
STREAMED = {"yield_per": 20_000}  # options of a query: rows that are Python objects at the same time
WRITING = "bestshot_write"  # option of a connection: it holds the writers' lock
OWN_SCHEMA = "bestshot_"  # on PostgreSQL: the prefix of a campaign's own, before its id
_SHARED_SCHEMA = "bestshot"  # on PostgreSQL: what concerns all campaigns of the database


class Database:
    """Opens (and with ``create=True`` makes) the tables at ``url``, a SQLAlchemy URL or the path of a SQLite file.

    A database of an older format is brought to the present one (see ``migration``).

    Args:
        url: of the database; "postgresql://…" is read by psycopg 3.
        create: make what is missing.
        campaign: its id, which names its schema on PostgreSQL; "" for the usual schema, which older ones have.
        alone: nobody else knows the SQLite file, which is to be whole in itself after every commit.
        upgrade: bring an older format to the present one; else it is refused.

    Raises:
        InputError: no database there, a newer format, an unwritable place, a full disk.
        MissingPart: no driver for it.
    """

    def __init__(
        self, url: str | Path, create: bool = False, campaign: str = "", alone: bool = False, upgrade: bool = True
    ) -> None:
        if isinstance(url, Path) and not create and not url.is_file():
            raise InputError(f"the database {url} is not there: restore it from a backup, or mend `url` in [store]")
        self._token = ""
        self._writing = threading.Lock()  # within a process: SQLite's own queue sleeps between its looks
        self.engine = open_engine(url, campaign, "DELETE" if alone else "WAL")
        self._on_postgresql = self.engine.dialect.name == "postgresql"
        # In one state from the first query to the last, which is what BEGIN says on SQLite.
        whole = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if self._on_postgresql else {}
        # A writer must see what was committed while it waited for the lock, whatever the server's default is.
        newest = {"isolation_level": "READ COMMITTED"} if self._on_postgresql else {}
        self._reads = self.engine.execution_options(**whole)
        self._writes = self.engine.execution_options(**{WRITING: True}, **newest)
        schemas = self.engine.get_execution_options()["schema_translate_map"]
        self._schema, self._shared = schemas[None], schemas[schema.SHARED]
        file = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        self._file = Path(file) if file else None
        self._place = self._file.parent if self._file else None
        with plain_errors(self._place):
            if create:
                self._create_tables()
            elif not inspect(self.engine).has_table("fact", schema=self._schema):
                raise InputError("the database holds no campaign: restore it from a backup, or mend `url` in [store]")
            self._check_format(upgrade)
        _log.debug("opened %s", self._file or self.engine.url.render_as_string(hide_password=True))

    @property
    def campaign(self) -> str | None:
        """The id of the campaign whose rows these are."""
        return self.fact(schema.CAMPAIGN)

    def token(self, make: bool = True) -> str:
        """What tells this store from others that hold the same campaign, as a restored backup does.

        It is made when it is first asked for, unless ``make`` is False; "" where there is none.
        """
        if not self._token:
            self._token = self.fact(schema.TOKEN) or ""
        if not self._token and make:
            with self.write() as connection:
                self.set_facts(connection, {schema.TOKEN: secrets.token_hex(4)})
            self._token = self.fact(schema.TOKEN) or ""  # of two that make one at once the first is kept
        return self._token

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state, and writes nothing."""
        with plain_errors(self._place), self._reads.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the writers' lock from its start: what it reads cannot change before it commits."""
        with self._writing, plain_errors(self._place), self._writes.connect() as connection, connection.begin():
            if self._on_postgresql:
                _postgresql.lock_writers(connection, self._schema or "")
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
        from sqlalchemy.dialects import postgresql  # slow to import

        return postgresql.insert(table).on_conflict_do_nothing()

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
                if self._on_postgresql:
                    _postgresql.lock_writers(connection, None)
                bring_up_to_date(connection)
        if copy is not None:
            copy.unlink(missing_ok=True)

    def _create_tables(self) -> None:
        with self.write() as connection:
            if self._on_postgresql:  # which two at once would both make
                _postgresql.lock_writers(connection, None)
                present = inspect(connection).get_schema_names()  # who may not make any may join what is there
                for name in filter(None, (self._schema, self._shared)):
                    if name not in present:
                        connection.execute(CreateSchema(name))
            schema.metadata.create_all(connection)
            self.set_facts(connection, {"format": str(schema.FORMAT_VERSION)})


def add(connection: Connection, table: Table, **values: Any) -> int:
    """Insert one row and return its integer primary key (0 where it has none)."""
    result = connection.execute(insert(table).values(**values))
    key = result.inserted_primary_key
    return int(key[0]) if key and isinstance(key[0], int) else 0


def open_engine(url: str | Path | URL, campaign: str = "", journal: str = "") -> Engine:
    """What talks to a database, for a campaign's own schema where the database has schemas.

    Args:
        url: SQLAlchemy's, or the path of a SQLite file.
        campaign: its id; "" for the usual schema.
        journal: SQLite's mode; "" leaves the file's as it is.

    Raises:
        InputError: the address cannot be used.
        MissingPart: no driver for it.
    """
    try:
        # Not by formatting: a path may hold '?', '#' or '%'.
        place = URL.create("sqlite", database=str(url)) if isinstance(url, Path) else _postgresql.plain_url(url)
        has_schemas = place.get_backend_name() == "postgresql"
        options = _postgresql.options_of(place) if has_schemas else _read_only(place)
        engine = create_engine(place, json_serializer=to_json, **options)
    except (SQLAlchemyError, ImportError, TypeError, ValueError) as error:
        # The URL itself is not repeated: it may hold a password.
        raise InputError(
            f"the store's url in campaign.toml cannot be used: {_first_line(error)} (is its driver installed?)"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_prepare_sqlite, "" if isinstance(engine.pool, NullPool) else journal))
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "close", _release_sqlite)
    elif has_schemas:
        event.listen(engine, "connect", partial(_postgresql.prepare, BUSY_SECONDS))
    own = f"{OWN_SCHEMA}{campaign}" if campaign and has_schemas else None
    shared = _SHARED_SCHEMA if has_schemas else None
    return engine.execution_options(schema_translate_map={None: own, schema.SHARED: shared})


def _read_only(url: URL) -> dict[str, Any]:
    """How a SQLite file is opened that can only be read: a colleague's, or on a full disk; empty for all others."""
    place = url.database if url.get_backend_name() == "sqlite" else None
    if not place or not Path(place).is_file() or _is_writable(Path(place)):
        return {}
    return {"creator": partial(connect_to_read, Path(place), check_same_thread=False), "poolclass": NullPool}


def _is_writable(file: Path) -> bool:
    """Whether there is permission, and room for the index that SQLite lays beside a file it may write."""
    return all(os.access(p, os.W_OK) for p in (file, file.parent)) and not _is_full(file.parent, _INDEX_BYTES)


def connect_to_read(file: Path, **options: Any) -> sqlite3.Connection:
    """The driver's connection to a SQLite file that is only read, also where nothing can be written beside it.

    Each look decides anew: a file beside which somebody writes has a log with what is new, and SQLite reads that by
    an index of the log. Where there is no log, nobody has the file open, and it is told not to look for one: it would
    have to make one. A log without its index, as in a copy, is read in a copy of both: SQLite would have to make that.
    """
    file, how = file.absolute(), "mode=ro"
    log, index = (file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm"))
    if not _is_writable(file):
        if log.is_file() and log.stat().st_size and not index.exists():
            file = Path(_with_log(file, log, log.stat().st_mtime_ns).name, file.name)
        elif not (log.exists() and index.exists()):
            how = "immutable=1"
    made: sqlite3.Connection = sqlite3.connect(f"{file.as_uri()}?{how}", uri=True, **options)
    return made


@lru_cache(maxsize=1)
def _with_log(file: Path, log: Path, _changed_ns: int) -> tempfile.TemporaryDirectory[str]:
    """A folder with copies of both, which is gone when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="bestshot-")
    for one in (file, log):
        shutil.copyfile(one, Path(folder.name, one.name))
    with closing(sqlite3.connect(Path(folder.name, file.name))) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")
    return folder


def _prepare_sqlite(journal: str, connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would take the lock too late
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")
    if journal:
        cursor.execute(f"PRAGMA journal_mode={journal}")
        cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _release_sqlite(connection: Any, _record: Any) -> None:
    """Let go of its locks before it is closed.

    Ctrl-C within a statement has SQLAlchemy close the connection, which SQLite does when its last statement is freed.
    The traceback keeps that, and what is still to be stored would wait for a lock of its own process.
    """
    with suppress(sqlite3.Error):
        connection.rollback()


@contextmanager
def plain_errors(place: Path | None = None) -> Iterator[None]:
    """Turn the driver's errors into one line that says what to do. ``place``: of a SQLite file."""
    try:
        yield
    except DBAPIError as error:
        message = _first_line(error.orig or error)
        busy = InputError(f"another process has held the campaign for {BUSY_SECONDS:.0f} s: try again later")
        if plain := _postgresql.plain_error(error, busy):
            raise plain from error
        if "full" in message or (("disk I/O" in message or "readonly" in message) and _is_full(place)):
            raise OutOfResources(DISK_FULL) from error
        if "unable to open" in message:
            _check_handles()
        if "readonly" in message or "unable to open" in message:
            raise InputError(f"cannot write to the campaign's database ({message}): check its permissions") from error
        if "locked" in message:
            raise busy from error
        if "not a database" in message or "malformed" in message:
            raise InputError(f"the campaign's database is damaged ({message}): restore it from a backup") from error
        raise BestshotError(f"the campaign's database refused: {message}") from error
    except SQLAlchemyError as error:
        if isinstance(error, StatementError) and isinstance(error.orig, BestshotError):  # of a value: see _types.py
            raise error.orig from error
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


def _is_full(place: Path | None, least_bytes: int = MIN_FREE_BYTES) -> bool:
    """Whether the disk that holds ``place`` has no room for as much as that, by default a journal."""
    try:
        return place is not None and shutil.disk_usage(place).free < least_bytes
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
    sync_folder(copy.parent)
    return copy
