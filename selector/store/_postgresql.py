"""What is PostgreSQL's own: its driver, its connections, and its errors in words that say what to do."""

from __future__ import annotations

import importlib.util
import re
import shlex
from typing import Any

from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from selector.domain import BestshotError, InputError, MissingPart, OutOfResources

_DRIVER = "postgresql+psycopg"
_NAMES = ("postgresql", "postgres")  # what people call it
_ABSENT = re.compile('database "(.+)" does not exist')
_WRITER_LOCK = 0x62737400  # any constant: with the campaign's, the lock that PostgreSQL's writers share
_IDLE_SECONDS = 60  # of a writer that says nothing: its machine is off or asleep, and the others wait for it
# A peer that is gone without a word is noticed in 50 s, from both sides; PostgreSQL's own default is two hours.
_ALIVE = {"keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3}
_CONNECT_SECONDS = 10
_SECRETS = ("password", "sslpassword", "passfile_password")

# Of errors: beginnings of the SQLSTATE, and words of the server where there is none, as for who may not come in.
_KINDS = (
    ("busy", ("55P03",), ""),
    ("full", ("53100",), ""),
    ("stranger", ("28",), "authentication failed|no password supplied|role .* does not exist"),
    ("absent", ("3D000",), "database .* does not exist"),
    ("crowded", ("53300",), "too many clients|remaining connection slots"),
    ("read only", ("25006",), ""),
    ("forbidden", ("42501",), "permission denied"),
    ("gone", ("08", "57P", "25P03"), ""),
)


def plain_url(url: URL | str) -> URL:
    """The address with the driver that we use for it, where it names a database and no driver.

    Raises:
        InputError: it is neither PostgreSQL's nor SQLite's.
    """
    made = make_url(re.sub(r"^postgres(?=\+|:)", "postgresql", url)) if isinstance(url, str) else url
    if made.get_backend_name() not in (*_NAMES, "sqlite"):
        raise InputError(
            f"{made.drivername}:// cannot hold a campaign: give a database of PostgreSQL, as postgresql://HOST/NAME, "
            "or none, and the campaign's folder gets a file of SQLite"
        )
    return made.set(drivername=_DRIVER) if made.drivername in _NAMES else made


def has_password(url: URL) -> bool:
    """Whether an address holds what nobody else may know."""
    return bool(url.password) or any(url.query.get(name) for name in _SECRETS)


def options_of(url: URL) -> dict[str, Any]:
    """How an engine opens it.

    Raises:
        MissingPart: the driver is not installed.
    """
    if url.drivername == _DRIVER and importlib.util.find_spec("psycopg") is None:
        raise MissingPart("a campaign on PostgreSQL needs psycopg: pip install 'bestshot[postgres]'")
    own = {"connect_timeout": _CONNECT_SECONDS, **_ALIVE} if url.drivername == _DRIVER else {}
    arguments = {name: value for name, value in own.items() if name not in url.query}
    # Few stay open in a process, more come when many threads read. A server that was started anew is met by the ping.
    return {"pool_size": 3, "max_overflow": 12, "pool_pre_ping": True, "connect_args": arguments}


def prepare(busy_seconds: float, connection: Any, _record: Any) -> None:
    """Set on a new connection how long it waits for others, and how soon the server sees that it is gone."""
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = '{busy_seconds * 1000:.0f}ms'")
    for name, value in _ALIVE.items():
        cursor.execute(f"SET tcp_{name} = {value}")
    cursor.close()
    connection.commit()


def lock_writers(connection: Connection, campaign: str | None) -> None:
    """Wait for those that write to the campaign, or with None to what all campaigns share; until the commit."""
    keys = ":writers" if campaign is None else ":writers, hashtext(:campaign)"
    lock = text(f"SELECT set_config('idle_in_transaction_session_timeout', :idle, true), pg_advisory_xact_lock({keys})")
    values = {"idle": f"{_IDLE_SECONDS}s", "writers": _WRITER_LOCK, "campaign": campaign}
    connection.execute(lock, values if campaign is not None else {k: values[k] for k in ("idle", "writers")})


def plain_error(error: DBAPIError, busy: InputError) -> BestshotError | None:
    """What happened and what to do in one line; None of another database. ``busy``: of a lock that another has."""
    if error.orig is None or not hasattr(error.orig, "sqlstate"):
        return None
    said = (str(error.orig) or type(error.orig).__name__).splitlines()[0]
    state = error.orig.sqlstate or ""
    kind = _kind_of(state, said)
    without_answer = not state and isinstance(error, (OperationalError, InterfaceError))
    if not kind and (without_answer or error.connection_invalidated):
        kind = "gone"
    plain = {
        "busy": busy,
        "full": OutOfResources(
            f"the disk of the database server is full ({said}): free some space there and run the same command again"
        ),
        "gone": BestshotError(
            f"the database server cannot be reached or has gone away ({said}): see that it runs, then run the same "
            "command again: what was stored is there"
        ),
        "stranger": InputError(
            f"the database refused you ({said}): say who you are by PGUSER and PGPASSWORD, ~/.pgpass, or a service file"
        ),
        "absent": InputError(_absent(said)),
        "crowded": InputError(
            f"the database server has no connection left ({said}): end programs that are not needed, or raise its "
            "max_connections"
        ),
        "read only": InputError(
            f"the database may only be read ({said}): if it is a standby, give the address of the one that takes writes"
        ),
        "forbidden": InputError(f"the database refuses a right ({said}): let its owner grant it, or work as one role"),
    }
    return plain.get(kind)


def _absent(said: str) -> str:
    name = shlex.quote(found[1]) if (found := _ABSENT.search(said)) else "NAME"
    return f"there is no database {name} ({said}): make it with `createdb {name}`, or mend the address"


def _kind_of(state: str, said: str) -> str:
    for kind, states, words in _KINDS:
        if state.startswith(states) if state else words and re.search(words, said):
            return kind
    return ""
