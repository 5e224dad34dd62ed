"""What only one process may do at a time, whatever folder or machine it works from: a row in the store and a heartbeat.

A lease ends when its holder gives it back or is dead: on its own machine its process number tells, on another one that
its heart has not beaten for ``LEASE_SECONDS``. A holder that finds its lease taken over, or cannot reach the store for
so long that it may have been, stops its run.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select, text, update

from selector.domain import BestshotError
from selector.store import schema
from selector.store.database import Database

_log = logging.getLogger("bestshot.store")
LEASE_SECONDS = 60.0
BEAT_SECONDS = 5.0
_MARGIN_SECONDS = 10.0  # before others may take a lease over, a holder that cannot beat gives up


class LeaseLost(BestshotError):
    """Another process may have taken over what this one was alone at: the run has ended."""


@dataclass(frozen=True)
class Holder:
    """The process that has a lease, for people; ``since`` is ISO 8601."""

    host: str
    pid: int
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


@contextmanager
def holding(db: Database, names: Sequence[str], now: str, stop: threading.Event) -> Iterator[Mapping[str, Holder]]:
    """Take leases for the block; those that others have are left to them, and given with their holders. Never waits.

    Args:
        db: the store.
        names: of the leases.
        now: the moment, for people.
        stop: is set when a lease is lost.

    Raises:
        LeaseLost: at the end of the block, when one was.
    """
    leases = [_Lease(db, name, stop) for name in names]
    with ExitStack() as stack:
        busy = {}
        for lease in leases:
            holder = lease.take(now)
            if holder is None:
                stack.callback(lease.give_back)
            else:
                busy[lease.name] = holder
        yield busy
    if lost := [lease.name for lease in leases if lease.lost]:
        raise LeaseLost(
            f"another process may have taken over ({lost[0]}): this one was asleep or could not reach the store for "
            f"{LEASE_SECONDS:.0f} s; what it made is stored, see who is at work and run the same command again"
        )


class _Lease:
    """One lease of this process, with the thread that keeps it."""

    def __init__(self, db: Database, name: str, stop: threading.Event) -> None:
        self.name, self.lost = name, False
        self._db, self._stop, self._token = db, stop, uuid.uuid4().hex
        self._ended = threading.Event()
        self._last = time.monotonic()  # beat that the store took
        # Two threads: one that waits for the store cannot look at the clock.
        self._threads = [
            threading.Thread(target=work, daemon=True, name=f"lease {name}") for work in (self._beat, self._watch)
        ]

    def take(self, now: str) -> Holder | None:
        """None when this process has it now, else who has. Two that ask at the same moment cannot both get it."""
        with self._db.write() as connection:
            row, moment = self._row(connection), store_moment(connection)
            if row is not None and not is_alive(row, moment - row.beat):
                connection.execute(delete(schema.lease).where(_is(self.name, row.token)))
            mine = {"name": self.name, "token": self._token, "since": now, "beat": moment}
            me = {
                "machine": this_machine(),
                "host": platform.node(),
                "pid": os.getpid(),
                "began": process_began(os.getpid()),
            }
            self._db.insert_missing(connection, schema.lease, [{**mine, **me}])
            row = self._row(connection)
        if row.token != self._token:
            holder = Holder(row.host, row.pid, row.since)
            _log.info("%s: %s has it", self.name, holder)
            return holder
        _log.info("%s: taken", self.name)
        self._last = time.monotonic()
        for thread in self._threads:
            thread.start()
        return None

    def give_back(self) -> None:
        self._ended.set()
        _log.info("%s: given back", self.name)
        with suppress(BestshotError), self._db.write() as connection:  # without the store it ends by itself
            connection.execute(delete(schema.lease).where(_is(self.name, self._token)))

    def _row(self, connection: Connection) -> Any:
        return connection.execute(select(schema.lease).where(schema.lease.c.name == self.name)).first()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            begun = time.monotonic()
            with suppress(BestshotError), self._db.write() as connection:
                beat = update(schema.lease).where(_is(self.name, self._token)).values(beat=store_moment(connection))
                if connection.execute(beat).rowcount:
                    self._last = begun
                elif not self._ended.is_set():
                    self._lose()

    def _watch(self) -> None:
        while not self._ended.wait(min(1.0, BEAT_SECONDS)):
            if time.monotonic() - self._last > LEASE_SECONDS - _MARGIN_SECONDS:
                self._lose()

    def _lose(self) -> None:
        _log.warning("%s: lost", self.name)
        self.lost = True
        self._stop.set()
        self._ended.set()


def this_machine() -> str:
    """What process numbers are valid in: this start of the system, and on Linux the container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return f"{platform.node()} {uuid.getnode()}"


def _is(name: str, token: str) -> ColumnElement[bool]:
    return and_(schema.lease.c.name == name, schema.lease.c.token == token)


def is_alive(holder: Any, silent_seconds: float) -> bool:
    """A beat in the future says that a clock was set back: it is as good as none."""
    if holder.machine == this_machine() and os.name != "nt":  # where signal 0 is Ctrl-C
        if holder.began:
            return bool(holder.began == process_began(holder.pid))
        return _is_running(holder.pid) and abs(silent_seconds) <= LEASE_SECONDS
    return abs(silent_seconds) <= LEASE_SECONDS


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def process_began(pid: int) -> str:
    """When a living process of this machine began, as Linux counts: its number may be given anew. "" elsewhere."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if facts[0] == "Z" else facts[19]  # a zombie has ended, and nobody has asked how


def store_moment(connection: Connection) -> float:
    """Seconds since 1970 by one clock for all who share the store."""
    if connection.dialect.name == "postgresql":
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return time.time()
