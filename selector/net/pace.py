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
