"""When a request may go out: a rate, and one pause for all workers when the server says that it is too much."""

from __future__ import annotations

import threading
import time
from random import Random

from selector.domain import BestshotError

LONGEST_BACKOFF_SECONDS = 60.0
_STAGGER = 0.2  # share of a pause over which the workers start again, so that they do not come all at once


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

    def wait_for_turn(self) -> None:
        """Return when a request may go out; raises ``Interrupted``."""
        with self._lock:
            turn = max(self._next_slot, time.monotonic())
            self._next_slot = turn + self._interval_seconds
        self._sleep_until(turn)
        while (resume := self._after_pause()) > time.monotonic():
            self._sleep_until(resume)

    def pause(self, seconds: float) -> None:
        """Let no request of any worker out for so long."""
        with self._lock:
            resume = time.monotonic() + seconds
            if resume > self._resume:
                self._resume, self._stagger_seconds = resume, seconds * _STAGGER

    def backoff(self, failures: int) -> float:
        """Seconds to wait after a request failed so many times (1 or more): doubling, with jitter."""
        longest = min(LONGEST_BACKOFF_SECONDS, self._backoff_seconds * 2.0 ** (failures - 1))
        with self._lock:
            return longest * self._rng.uniform(0.5, 1.0)

    def sleep(self, seconds: float) -> None:
        """Wait in this worker only; raises ``Interrupted``."""
        self._sleep_until(time.monotonic() + seconds)

    def _after_pause(self) -> float:
        """When this worker may go on: 0 when there is no pause now."""
        with self._lock:
            if self._resume <= time.monotonic():
                return 0.0
            return self._resume + self._rng.uniform(0.0, self._stagger_seconds)

    def _sleep_until(self, moment: float) -> None:
        if self._stop.wait(max(0.0, moment - time.monotonic())):
            raise Interrupted("stopped")
