"""Stores accepted jobs, all that wait at a time in one transaction: the moment in which a kill would lose one is short.

A service answers many workers at the same time when a run begins. With a transaction for each, the last would wait for
the disk as often as there are workers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from sqlalchemy import Connection

from selector.domain import Ticket
from selector.generate.orders import Order
from selector.store import jobs
from selector.store.jobs import JobEnd
from selector.workspace.workspace import Workspace

_log = logging.getLogger("bestshot.generate")


class JobStore:
    """One account's; safe for threads."""

    def __init__(self, ws: Workspace, service: str) -> None:
        self._ws, self._service = ws, service
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[_NewJob] = []

    def open(self, order: Order, ticket: Ticket, recipe_keys: Sequence[str], price: float | None) -> int:
        """Return the job's id when it is stored for good. Raises ``OutOfResources`` when the disk is full."""
        entry = _NewJob(order, ticket, tuple(recipe_keys), price)
        with self._lock:
            self._waiting.append(entry)
        with self._writing:  # whoever comes first stores all that wait
            if entry.job_id is None:
                self._store()
        assert entry.job_id is not None
        _log.debug("task %s: %s waits for %d images", order.task.id, self._service, len(recipe_keys))
        return entry.job_id

    def end(self, job_id: int, recipe_keys: Sequence[str], outcome: str, reason: str) -> None:
        """Note how a job ended of which no attempt tells."""
        with self._ws.db.write() as connection:
            ends = [JobEnd(job_id, key, outcome, reason) for key in recipe_keys]
            jobs.end_jobs(self._ws.db, connection, ends, self._ws.now())

    def perhaps(self, order: Order, recipe_keys: Sequence[str], price: float | None, why: str) -> None:
        """Store that a job was handed in of which no answer tells. Raises ``OutOfResources`` when the disk is full."""
        entry, now = _NewJob(order, Ticket("", resumable=False), tuple(recipe_keys), price), self._ws.now()
        with self._ws.db.write() as connection:
            job_id = entry.row(connection, self._service, now)
            ends = [JobEnd(job_id, key, jobs.PERHAPS, why) for key in recipe_keys]
            jobs.end_jobs(self._ws.db, connection, ends, now)

    def _store(self) -> None:
        entries: list[_NewJob] = []
        try:
            with self._ws.db.write() as connection:
                with self._lock:  # only now: more may have come while another writer held the database
                    entries, self._waiting = self._waiting, []
                found = [entry.row(connection, self._service, self._ws.now()) for entry in entries]
        except BaseException:
            with self._lock:
                self._waiting = [*entries, *self._waiting]  # each tries for itself
            raise
        for entry, job_id in zip(entries, found, strict=True):
            entry.job_id = job_id


class _NewJob:
    def __init__(self, order: Order, ticket: Ticket, recipe_keys: tuple[str, ...], price: float | None) -> None:
        self._order, self._ticket, self._recipe_keys, self._price = order, ticket, recipe_keys, price
        self.job_id: int | None = None

    def row(self, connection: Connection, service: str, at: str) -> int:
        order, ticket = self._order, self._ticket
        return jobs.open_job(
            connection,
            order.task.id,
            order.name,
            order.build,
            service,
            ticket.id,
            ticket.facts,
            ticket.resumable,
            self._recipe_keys,
            self._price,
            at,
        )
