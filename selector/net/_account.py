"""An account at work: limits kept, failures retried, money counted, by one object that all workers share."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from random import Random
from typing import Any, TypeVar

from selector.domain import Declined, GenerationFailed, OutOfResources
from selector.domain.remote import TicketLost
from selector.net import http, troubles
from selector.net._breaker import CURE, Breaker
from selector.net.http import Answer
from selector.net.pace import Interrupted, Rate
from selector.net.redact import clean
from selector.net.service import Payment, Service, Spending, Unanswered
from selector.net.troubles import Patience, Tries, Trouble, persist

Result = TypeVar("Result")

REST_SECONDS = 15.0  # of all workers after many failures in a row, for a first back-off of 1 s
THROTTLED_ALONE = 2  # so often a request without a named time waits alone: it may have been chance
UNANSWERED_REPEATS = 2  # of a job that may have been created: each may be paid, and three in a row are no chance
UNREACHED_TRIES = 3  # of one request, where nothing of the service has ever answered: the address will be wrong
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
        self.spending = Spending(service.budget, spent, service.currency)
        self.breaker = Breaker(f"service {service.name} at {service.host}")
        self.troubles: Counter[str] = Counter()  # why requests were sent again, with how often
        self._patience = {True: Patience(), False: Patience()}  # for handing in, and for all else
        self._rng = Random(seed)
        self.submits = self._rate(service.submits_per_second, handing_in=True)
        self.polls = self._rate(service.polls_per_second)
        self.rest = self._rate(0.0)  # no rate, only the pauses of a throttled account
        self.slots = threading.BoundedSemaphore(service.running)
        self._downloads: dict[str, threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()
        self._of_thread = threading.local()

    @cached_property
    def key(self) -> str:
        """The key; raises ``MissingPart`` or ``InputError`` as ``Service.key`` does."""
        return self.service.key()

    def clean(self, text: str, most_characters: int = 500) -> str:
        """A text of the server in one line, shortened, without controls and without any part of the key."""
        return clean(text, self.key, most_characters)

    def request(self, method: str, path: str, timeout_seconds: float = 0.0, **more: Any) -> Answer | Trouble:
        """One request of ``path`` under the service's address, with its key; ``more`` as ``http.request`` takes it."""
        url = self.service.base_url.rstrip("/") + path
        seconds = timeout_seconds or self.service.timeout_seconds
        paid = method == "POST"
        more |= {"key": self.key, "key_header": self.service.key_header, "key_prefix": self.service.key_prefix}
        return http.request(method, url, timeout_seconds=seconds, stop=self.stop, patient=paid, **more)

    def call(self, send: Callable[[], Result | Trouble], pace: Rate | None = None) -> Result:
        """Send until there is a result or no hope, waiting as each trouble asks.

        Args:
            send: one HTTP request; returns its result, or the trouble that it met.
            pace: ``self.submits``, for what hands in a job, or ``self.polls``; None: only the pauses of a throttled
                account are kept.

        Raises:
            Declined: the content was refused. GenerationFailed: the request was rejected, or failed too often; it is
            ``Unanswered`` where nothing answered. OutOfBudget: a job may have been paid, and no money is left for
            another (see ``paying``).
            TicketLost: there is no such job. ServiceStopped: the service is given up. Interrupted, OutOfResources: the
            run ends.
        """
        handing_in = pace is self.submits
        payment: Payment | None = getattr(self._of_thread, "payment", None) if handing_in else None

        def once() -> Result | Trouble:
            self.breaker.check(handing_in)
            with (pace or self.rest).turn():
                return send()

        def gives_up(came: Trouble, tries: Tries) -> bool:
            if came.kind == troubles.SHORT:
                if payment is not None and came.fate == troubles.UNANSWERED:
                    payment.perhaps(came.reason)  # it was sent before this machine ran out
                raise OutOfResources(came.reason)
            self._raise_if_final(self._patience[handing_in].ended_by(came) or came, handing_in)
            self._stop_if_nothing_is_there(came, tries.failures)
            if payment is not None and came.fate == troubles.UNANSWERED:
                self._paid_perhaps(payment, came, tries)
            if self.stop.is_set():
                raise Interrupted("stopped")
            if tries.failures > self.service.max_retries or tries.throttled > troubles.THROTTLED_TRIES:
                error = GenerationFailed if came.fate == troubles.ANSWERED else Unanswered
                raise error(f"{came.whole} ({tries.sent} times)")
            return False

        def wait_out(came: Trouble, tries: Tries) -> None:
            self.note(came.reason)
            self._wait_out(came, tries, pace or self.rest)

        came = persist(once, gives_up, wait_out)
        assert not isinstance(came, Trouble)  # ``gives_up`` raises
        self._came_through(handing_in)
        return came

    @contextmanager
    def paying(self, cost: float, note: Callable[[str], None]) -> Iterator[None]:
        """The block hands in one job in this thread: its cost is held, then spent, or free again after an error.

        A request by ``self.submits`` that was sent and not answered may have created the job. It is noted, counts as
        paid at once, and is repeated ``UNANSWERED_REPEATS`` times at most, as long as the budget allows another.

        Args:
            cost: of the job.
            note: stores that the job may have been paid, with the reason; raises ``OutOfResources`` for a full disk.

        Raises:
            OutOfBudget: the cost is more than is left.
        """
        payment = self._of_thread.payment = Payment(self.spending, cost, note)
        paid = False
        try:
            yield
            paid = True
        finally:
            self._of_thread.payment = None
            payment.end(paid)

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

    def _rate(self, per_second: float, handing_in: bool = False) -> Rate:
        check = partial(self.breaker.check, handing_in)
        return Rate(per_second, self.service.backoff_seconds, self._rng, self.stop, check)

    def _paid_perhaps(self, payment: Payment, came: Trouble, tries: Tries) -> None:
        """Note it, and hold the money for another; raises ``Unanswered`` where nothing has answered too often."""
        payment.perhaps(came.reason)
        if tries.unanswered > UNANSWERED_REPEATS:
            self.breaker.failed(came.reason, answered=False)
            raise Unanswered(f"{came.reason}, {tries.unanswered} times: the job may have been made and paid")
        payment.hold()

    def _raise_if_final(self, came: Trouble, handing_in: bool) -> None:
        if came.kind == troubles.FATAL:
            self.breaker.stop(came.whole, handing_in)
            self.breaker.check(handing_in)
        if came.kind in (troubles.REFUSED, troubles.REJECTED, troubles.LOST):
            self._came_through(handing_in)
            error = {troubles.REFUSED: Declined, troubles.LOST: TicketLost}.get(came.kind, GenerationFailed)
            raise error(came.whole)

    def _came_through(self, handing_in: bool) -> None:
        self.breaker.succeeded()
        self._patience[handing_in].came_through()

    def _stop_if_nothing_is_there(self, came: Trouble, failures: int) -> None:
        """Where this run never had an answer, a few failures of the connection mean a wrong address, or no server."""
        if came.fate == troubles.UNREACHED and failures >= UNREACHED_TRIES and not self.breaker.has_answered:
            self.breaker.stop(f"{came.reason.removeprefix('the server ')}: {CURE}")
            self.breaker.check()

    def _wait_out(self, came: Trouble, tries: Tries, pace: Rate) -> None:
        wait = came.retry_after_seconds
        if came.kind == troubles.THROTTLED:
            self._wait_throttled(wait, tries.throttled, pace)
            return
        if self.breaker.failed(came.reason, came.fate == troubles.ANSWERED):
            self.breaker.check()
            for every in (self.submits, self.polls, self.rest):
                every.pause(REST_SECONDS * self.service.backoff_seconds)
        pace.sleep(pace.backoff(tries.failures) if wait is None else wait)

    def _wait_throttled(self, wait: float | None, throttled: int, pace: Rate) -> None:
        """With all others when the server names a time, or says it again and again."""
        if wait is not None:
            pace.pause(wait)
        elif throttled <= THROTTLED_ALONE:
            pace.sleep(pace.backoff(throttled))
        else:
            pace.pause(pace.backoff(throttled - THROTTLED_ALONE))
