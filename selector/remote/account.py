"""An account at work: limits kept, failures retried, money counted, by one object that all workers share."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from random import Random
from typing import TypeVar

from selector.domain import Declined, GenerationFailed
from selector.domain.remote import ServiceStopped, TicketLost
from selector.remote import troubles
from selector.remote.breaker import Breaker
from selector.remote.pace import Interrupted
from selector.remote.rate import Rate
from selector.remote.redact import redacted
from selector.remote.service import Service
from selector.remote.spending import Spending
from selector.remote.troubles import Trouble

Result = TypeVar("Result")

THROTTLED_TRIES = 50  # of one request; the pause between them is the server's
REST_SECONDS = 15.0  # of all workers after many failures in a row, for a first back-off of 1 s
THROTTLED_ALONE = 2  # so often a request without a named time waits alone: it may have been chance
_WAIT_SECONDS = 0.2


class Account:
    """Made once a run for every service; safe for threads.

    Args:
        service: its facts.
        stop: set when the run ends; every wait then ends with ``Interrupted``.
        spent: money of earlier runs.
        seed: of the jitter.
    """

    def __init__(
        self, service: Service, stop: threading.Event | None = None, spent: float = 0.0, seed: int = 0
    ) -> None:
        self.service = service
        self.stop = stop or threading.Event()
        self.spending = Spending(service.budget, spent)
        self.breaker = Breaker(f"service {service.name} at {service.host}")
        self.troubles: Counter[str] = Counter()  # why requests were sent again, with how often
        self._rng = Random(seed)
        self.submits = self._rate(service.submits_per_second)
        self.polls = self._rate(service.polls_per_second)
        self.rest = self._rate(0.0)  # no rate, only the pauses of a throttled account
        self.slots = threading.BoundedSemaphore(service.running)
        self._downloads: dict[str, threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()

    @cached_property
    def key(self) -> str:
        """The key; raises ``MissingPart`` or ``InputError`` as ``Service.key`` does."""
        return self.service.key()

    def clean(self, text: str, most_characters: int = 500) -> str:
        """A text of the server without line breaks, shortened, and without any part of the key."""
        return redacted(" ".join(text.split())[:most_characters], self.key)

    def call(self, send: Callable[[], Result | Trouble], pace: Rate | None = None) -> Result:
        """Send until there is a result or no hope, waiting as each trouble asks.

        Args:
            send: one HTTP request; returns its result, or the trouble that it met.
            pace: ``self.submits`` or ``self.polls``; None: only the pauses of a throttled account are kept.

        Raises:
            Declined: the content was refused. GenerationFailed: the request was rejected, or failed too often.
            TicketLost: there is no such job. ServiceStopped: the service is given up. Interrupted: the run ends.
        """
        failures = throttled = 0
        while True:
            self.breaker.check()
            with (pace or self.rest).turn():
                came = send()
            if not isinstance(came, Trouble):
                self.breaker.succeeded()
                return came
            self._raise_if_final(came)
            if came.kind == troubles.THROTTLED:
                throttled += 1
            else:
                failures += 1
            if failures > self.service.max_retries or throttled > THROTTLED_TRIES:
                raise GenerationFailed(f"{came.reason} ({failures + throttled} times)")
            self.note(came.reason)
            self._wait_out(came, failures, throttled, pace or self.rest)

    def note(self, reason: str) -> None:
        """Count a reason for which a request is sent again."""
        with self._lock:
            self.troubles[reason] += 1

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the jobs that may run at once; raises ``Interrupted`` or ``ServiceStopped`` while waiting."""
        self.take_slot()
        try:
            yield
        finally:
            self.slots.release()

    def take_slot(self) -> None:
        """As ``slot``; whoever takes one gives it back by ``slots.release()``."""
        while not self.slots.acquire(timeout=_WAIT_SECONDS):
            self.breaker.check()
            if self.stop.is_set():
                raise Interrupted("stopped")

    def downloads_from(self, host: str) -> threading.BoundedSemaphore:
        """Bounds the downloads from one host."""
        with self._lock:
            return self._downloads.setdefault(host, threading.BoundedSemaphore(self.service.downloads))

    def _rate(self, per_second: float) -> Rate:
        return Rate(per_second, self.service.backoff_seconds, self._rng, self.stop, self.breaker.check)

    def _raise_if_final(self, came: Trouble) -> None:
        if came.kind == troubles.FATAL:
            self.breaker.stop(came.reason)
            raise ServiceStopped(str(self.breaker.why))
        if came.kind in (troubles.REFUSED, troubles.REJECTED, troubles.LOST):
            self.breaker.succeeded()
            error = {troubles.REFUSED: Declined, troubles.LOST: TicketLost}.get(came.kind, GenerationFailed)
            raise error(came.reason)

    def _wait_out(self, came: Trouble, failures: int, throttled: int, pace: Rate) -> None:
        wait = came.retry_after_seconds
        if wait is not None and wait > troubles.LONGEST_RETRY_AFTER_SECONDS:
            minutes = f"{wait / 60:.0f} minutes" if wait < troubles.ABSURD_SECONDS else "more than a week"
            self.breaker.stop(f"the server asks to wait for {minutes}: run the command again then")
            self.breaker.check()
        if came.kind == troubles.THROTTLED:
            self._wait_throttled(wait, throttled, pace)
            return
        if self.breaker.failed(came.reason):
            self.breaker.check()
            for every in (self.submits, self.polls, self.rest):
                every.pause(REST_SECONDS * self.service.backoff_seconds)
        pace.sleep(pace.backoff(failures) if wait is None else wait)

    def _wait_throttled(self, wait: float | None, throttled: int, pace: Rate) -> None:
        """With all others when the server names a time, or says it again and again."""
        if wait is not None:
            pace.pause(wait)
        elif throttled <= THROTTLED_ALONE:
            pace.sleep(pace.backoff(throttled))
        else:
            pace.pause(pace.backoff(throttled - THROTTLED_ALONE))
