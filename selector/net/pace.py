"""When a request may go out: a rate, and one pause for all workers when the server says that it is too much.

``Pace`` spreads requests evenly as they leave; ``Rate`` also counts them the way a server does: when they arrive.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from random import Random

from selector.domain import BestshotError

LONGEST_BACKOFF_SECONDS = 60.0
_STAGGER = 0.2  # share of a pause over which the workers start again, so that they do not come all at once
_LEAST_SPACING = 0.5  # of even intervals: a late request may be caught up, a second's share never comes at once
_WAIT_SECONDS = 0.2
_WAY_SECONDS = 0.25  # from a request's last byte being sent to its arrival, at most; more than half a bad round trip


class Interrupted(BestshotError):
    """The run is being stopped: the request was not sent."""


class Pace:
    """Shared by the workers of a run; safe for threads.

    Args:
        requests_per_minute: the most that may go out, evenly spread; 0 for no limit.
        backoff_seconds: first wait after a failure; it doubles with each further one of the same request.
        rng: gives the jitter.
        stop: set when the run ends; every wait then ends with ``Interrupted``.
    """

    def __init__(self, requests_per_minute: float, backoff_seconds: float, rng: Random, stop: threading.Event) -> None:
        self._interval_seconds = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._backoff_seconds = backoff_seconds
        self._rng = rng
        self._stop = stop
        self._lock = threading.Lock()
        self._next_slot = 0.0
        self._resume = 0.0
        self._stagger_seconds = 0.0
        self._pauses = 0

    def wait_for_turn(self) -> None:
        """Return when a request may go out; raises ``Interrupted``."""
        while True:
            with self._lock:
                pauses, turn = self._pauses, self._after_pause()
                if self._interval_seconds:
                    turn = max(turn, self._next_slot)
                    self._next_slot = turn + self._interval_seconds
            self._sleep_until(turn)
            with self._lock:
                if pauses == self._pauses:
                    return

    def pause(self, seconds: float) -> None:
        """Let no request of any worker out for so long."""
        with self._lock:
            now = time.monotonic()
            if now + seconds <= self._resume:
                return
            self._resume, self._stagger_seconds = now + seconds, seconds * _STAGGER
            # Turns that were promised are void: kept, all that fall into the pause would be taken at its end at once.
            self._pauses += 1
            self._next_slot = min(self._next_slot, now + self._interval_seconds)

    def backoff(self, failures: int) -> float:
        """Seconds to wait after a request failed so many times (1 or more): doubling, with jitter."""
        longest = min(LONGEST_BACKOFF_SECONDS, self._backoff_seconds * 2.0 ** (failures - 1))
        with self._lock:
            return longest * self._rng.uniform(0.5, 1.0)

    def sleep(self, seconds: float) -> None:
        """Wait in this worker only; raises ``Interrupted``."""
        self._sleep_until(time.monotonic() + seconds)

    def _after_pause(self) -> float:
        """When a worker may go on: now, or after the pause; without a rate not all of them at once."""
        now = time.monotonic()
        if self._resume <= now:
            return now
        return self._resume + (0.0 if self._interval_seconds else self._rng.uniform(0.0, self._stagger_seconds))

    def _sleep_until(self, moment: float) -> None:
        if self._stop.wait(max(0.0, moment - time.monotonic())):
            raise Interrupted("stopped")


def all_sent() -> None:
    """Told by whoever sends: the request of this thread's turn has left in full. Without a turn nothing happens."""
    turn = _turn_here.get()
    if turn is not None:
        turn.sent = time.monotonic()


class Rate(Pace):
    """A ``Pace`` that also never lets a server see more than ``per_second`` requests in any second.

    Even intervals alone do not: requests that leave 50 ms apart arrive 40 or 60 ms apart. So a request's place is free
    again a second after it has surely arrived: it has when its reply is here, or ``_WAY_SECONDS`` after ``all_sent``,
    whichever comes first. With a reply in 20 ms that costs 2% of the rate, with one in 5 s a fifth. A sender that never
    tells ``all_sent`` holds its place until the reply. Safe for threads.

    Args:
        per_second: the most in any second; below 1 one request in so much longer; 0 for no limit.
        backoff_seconds, rng, stop: as for ``Pace``.
        check: called while a worker waits, and last before its request; what it raises ends the wait.
    """

    def __init__(
        self,
        per_second: float,
        backoff_seconds: float,
        rng: Random,
        stop: threading.Event,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(60.0 * per_second / _LEAST_SPACING, backoff_seconds, rng, stop)
        self._most = max(1, int(per_second)) if per_second else 0
        self._seconds = max(1.0, 1.0 / per_second) if per_second else 0.0
        self._check = check
        self._gate = threading.Lock()  # held by the worker whose turn is next: the others need not look
        self._turns: list[_Turn] = []  # changed by who holds the gate

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may go out; the block sends it. Raises ``Interrupted`` and what ``check`` raises."""
        if not self._most:
            self.wait_for_turn()
            self._check()
            yield
            return
        ours = self._take()
        here = _turn_here.set(ours)
        try:
            yield
        finally:
            _turn_here.reset(here)
            ours.answered = time.monotonic()

    def _take(self) -> _Turn:
        while not self._gate.acquire(timeout=_WAIT_SECONDS):
            self._check()
            if self._stop.is_set():
                raise Interrupted("stopped")
        try:
            while (wait := self._seconds_to_wait()) > 0:
                self.sleep(wait)
            self.wait_for_turn()
            self._check()
            self._turns.append(_Turn())
            return self._turns[-1]
        finally:
            self._gate.release()

    def _seconds_to_wait(self) -> float:
        """0 when a place is free, else how long none can become free."""
        now = time.monotonic()
        self._turns = [turn for turn in self._turns if turn.arrived_by(now) + self._seconds > now]
        if len(self._turns) < self._most:
            return 0.0
        return min(turn.arrived_by(now) for turn in self._turns) + self._seconds - now + 0.001

    def _sleep_until(self, moment: float) -> None:
        """In short sleeps, because nobody wakes us when ``check`` begins to raise."""
        while moment - time.monotonic() > _WAIT_SECONDS:
            super()._sleep_until(time.monotonic() + _WAIT_SECONDS)
            self._check()
        super()._sleep_until(moment)


class _Turn:
    """One request; monotonic seconds of when it had left and when its reply was here."""

    def __init__(self) -> None:
        self.sent = self.answered = math.inf

    def arrived_by(self, now: float) -> float:
        """When it has surely arrived; the present where that is not known yet, because it may be known any moment."""
        return min(self.answered, self.sent + _WAY_SECONDS, now)


_turn_here: ContextVar[_Turn | None] = ContextVar("turn", default=None)
