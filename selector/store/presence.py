"""Who works for a campaign now: long verbs leave a row beside the leases, for the team to see. It excludes nobody."""

from __future__ import annotations

import os
import platform
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from selector.domain import BestshotError
from selector.domain.decisions import person
from selector.store import leases, schema
from selector.store.database import Database

SILENT_SECONDS = 600.0  # so long on, what a dead process of another machine has left is shown
_WORK = "work:"
_BY = "\n"  # in a row's name, between the work and the person


@dataclass(frozen=True)
class AtWork:
    """A process that works for this campaign, and what it is alone at; ``since`` is ISO 8601.

    ``by``: the person, "" where an older bestshot does not say it.
    ``alive``: as far as can be told from here; ``silent_seconds``: since it last said so.
    """

    what: str
    host: str
    pid: int
    since: str
    silent_seconds: float
    alive: bool
    alone_at: tuple[str, ...] = ()
    by: str = ""


@contextmanager
def present(db: Database, what: str, now: str) -> Iterator[None]:
    """Be seen at ``what`` for as long as the block runs; a store that does not take it stops no work.

    Args:
        db: the store.
        what: a verb, maybe with what it works on.
        now: the moment, for people.
    """
    told = f"{what}{_BY}{' '.join(person().split())}"
    name, token, ended = f"{_WORK}{db.campaign}:{told} {uuid.uuid4().hex}", uuid.uuid4().hex, threading.Event()
    row: dict[str, str | int] = {"name": name, "token": token, "since": now}
    row |= {"machine": leases.this_machine(), "host": platform.node(), "pid": os.getpid()}
    row |= {"began": leases.process_began(os.getpid())}

    def beat() -> None:
        while True:
            with suppress(BestshotError), db.write() as connection:
                moment = leases.store_moment(connection)
                own = update(schema.lease).where(schema.lease.c.name == name).values(beat=moment)
                if not ended.is_set() and not connection.execute(own).rowcount:
                    _forget_dead(connection)
                    db.insert_missing(connection, schema.lease, [{**row, "beat": moment}])
            if ended.wait(leases.BEAT_SECONDS):
                return

    thread = threading.Thread(target=beat, daemon=True, name=f"present {what}")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(leases.BEAT_SECONDS)
        with suppress(BestshotError), db.write() as connection:
            connection.execute(delete(schema.lease).where(schema.lease.c.name == name))


def at_work(db: Database) -> tuple[AtWork, ...]:
    """Processes that work for this campaign, and holders of its leases, the longest at work first.

    One that is gone is among them until another takes its place, or is silent for ``SILENT_SECONDS``.
    """
    with db.read() as connection:
        moment = leases.store_moment(connection)
        rows = connection.execute(select(schema.lease).order_by(schema.lease.c.since, schema.lease.c.name)).all()
    prefix = f"{_WORK}{db.campaign}:"
    own = [row for row in rows if row.name.startswith(prefix)]
    elsewhere = {_process(row) for row in rows if row.name.startswith(_WORK)} - {_process(row) for row in own}
    held: dict[tuple[str, int, str], list[Row[Any]]] = {}
    for row in rows:
        if not row.name.startswith(_WORK) and _process(row) not in elsewhere:
            held.setdefault(_process(row), []).append(row)
    told = [(row, row.name[len(prefix) :].rpartition(" ")[0], held.pop(_process(row), [])) for row in own]
    told += [(leased[0], "", leased) for leased in held.values()]  # of a program that leaves no such rows
    found = [_at_work(row, what, [one.name for one in leased], moment) for row, what, leased in told]
    shown = [one for one in found if one.alive or one.silent_seconds <= SILENT_SECONDS]
    return tuple(sorted(shown, key=lambda one: (one.since, one.what)))


def _at_work(row: Row[Any], what: str, alone_at: list[str], moment: float) -> AtWork:
    silent = max(0.0, moment - row.beat)
    alive = leases.is_alive(row, moment - row.beat)
    work, _, by = what.partition(_BY)
    return AtWork(work, row.host, row.pid, row.since, silent, alive, tuple(alone_at), by)


def _process(row: Row[Any]) -> tuple[str, int, str]:
    return row.machine, row.pid, row.began


def _forget_dead(connection: Connection) -> None:
    """Remove what killed processes left: their work hinders nobody, so nobody takes it over."""
    n = schema.lease.c.name
    moment = leases.store_moment(connection)
    for row in connection.execute(select(schema.lease).where(n.startswith(_WORK, autoescape=True))).all():
        silent = moment - row.beat
        here = row.machine == leases.this_machine()
        if not leases.is_alive(row, silent) and (here or abs(silent) > SILENT_SECONDS):
            connection.execute(delete(schema.lease).where(n == row.name))
