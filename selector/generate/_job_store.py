"""What the threads of an account share: the store of its jobs, and how long they take, to know when to ask for them.

Accepted jobs are stored all that wait at a time in one transaction: the moment in which a kill would lose one is short.
A service answers many workers at the same time when a run begins. With a transaction for each, the last would wait for
the disk as often as there are workers.

A job's place in the account is free again only when its end was noticed, so late questions cost throughput, and early
ones cost the account's rate of questions: none before a job can have ended, many around its usual time, then few.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from selector.domain import Ticket
from selector.generate.orders import Order
from selector.store import jobs, schema
from selector.store.database import add
from selector.store.jobs import JobEnd
from selector.workspace.workspace import Workspace

_log = logging.getLogger("bestshot.generate")
KEPT = 64  # durations of jobs, the newest
_EARLY = 0.9  # of the shortest usual duration: the first question
_STEP = 0.04  # of the usual duration: between questions around its time
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.1, 15.0
_UNKNOWN_FIRST_SECONDS, _UNKNOWN_STEP = 0.5, 0.15  # before any job has ended: questions grow with the time waited
_LATE = 0.1  # of the time waited, once a job takes longer than is usual


class JobStore:
    """One account's; safe for threads."""

    def __init__(self, ws: Workspace, service: str) -> None:
        self._ws, self._service = ws, service
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[_NewJob] = []

    def open(self, order: Order, ticket: Ticket, recipe_keys: Sequence[str], price: float | None) -> int:
        """Return the job's id when it is stored for good. Raises ``OutOfResources`` when the disk is full."""
        entry = _NewJob(order, ticket, recipe_keys, price)
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
        entry, now = _NewJob(order, Ticket("", resumable=False), recipe_keys, price), self._ws.now()
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


@dataclass
class _NewJob:
    order: Order
    ticket: Ticket
    recipe_keys: Sequence[str]
    price: float | None
    job_id: int | None = None

    def row(self, connection: Connection, service: str, at: str) -> int:
        order, ticket = self.order, self.ticket
        return add(
            connection,
            schema.job,
            task_id=order.task.id,
            generator=order.name,
            build=order.build,
            service=service,
            ticket=ticket.id,
            facts=dict(ticket.facts),
            resumable=ticket.resumable,
            recipe_keys=list(self.recipe_keys),
            price=self.price,
            at=at,
        )


class PollingSchedule:
    """The durations of one generator's jobs; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: deque[float] = deque(maxlen=KEPT)

    def note(self, seconds: float) -> None:
        """A job was seen to have ended so long after it was handed in."""
        with self._lock:
            self._seconds.append(seconds)

    def wait(self, elapsed_seconds: float) -> float:
        """Seconds until the next question for a job that has run so long."""
        with self._lock:
            known = sorted(self._seconds)
        if not known:
            return _bounded(max(_UNKNOWN_FIRST_SECONDS, _UNKNOWN_STEP * elapsed_seconds))
        early = _EARLY * known[len(known) // 20]
        if elapsed_seconds < early:
            return early - elapsed_seconds
        if elapsed_seconds > known[-1 - len(known) // 20]:
            return _bounded(_LATE * elapsed_seconds)
        return _bounded(_STEP * known[len(known) // 2])


def _bounded(seconds: float) -> float:
    return min(max(seconds, _SHORTEST_SECONDS), _LONGEST_SECONDS)
