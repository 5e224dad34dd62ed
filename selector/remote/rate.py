"""So many requests in any second, counted the way a server counts them: when they arrive."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from selector.remote.pace import Interrupted, Pace

_LEAST_SPACING = 0.5  # of even intervals: a late request may be caught up, a second's share never comes at once
_WAIT_SECONDS = 0.2
_LOOK_SECONDS = 0.005


class Rate(Pace):
    """A ``Pace`` that also never lets a server see more than ``per_second`` requests in any second.

    Even intervals alone do not: requests that leave 50 ms apart arrive 40 or 60 ms apart. So a request's place is free
    again a second after its *reply*, which is surely a second after its arrival; with a reply in 20 ms that costs 2% of
    the rate. Safe for threads.

    Args:
        per_second: the most in any second; below 1 one request in so much longer; 0 for no limit.
        backoff_seconds, rng, stop: as for ``Pace``.
    """

    def __init__(self, per_second: float, backoff_seconds: float, rng: Random, stop: threading.Event) -> None:
        super().__init__(60.0 * per_second / _LEAST_SPACING, backoff_seconds, rng, stop)
        self._most = max(1, int(per_second)) if per_second else 0
        self._seconds = max(1.0, 1.0 / per_second) if per_second else 0.0
        self._gate = threading.Lock()  # held by the worker whose turn is next: the others need not look
        self._counts = threading.Lock()
        self._under_way = 0
        self._answered: deque[float] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may go out; the block sends it. Raises ``Interrupted``."""
        if not self._most:
            self.wait_for_turn()
            yield
            return
        self._take()
        try:
            yield
        finally:
            with self._counts:
                self._under_way -= 1
                self._answered.append(time.monotonic())

    def _take(self) -> None:
        while not self._gate.acquire(timeout=_WAIT_SECONDS):
            if self._stop.is_set():
                raise Interrupted("stopped")
        try:
            while (wait := self._seconds_to_wait()) > 0:
                self.sleep(wait)
            self.wait_for_turn()
            with self._counts:
                self._under_way += 1
        finally:
            self._gate.release()

    def _seconds_to_wait(self) -> float:
        now = time.monotonic()
        with self._counts:
            while self._answered and self._answered[0] + self._seconds <= now:
                self._answered.popleft()
            if self._under_way + len(self._answered) < self._most:
                return 0.0
            return self._answered[0] + self._seconds - now + 0.001 if self._answered else _LOOK_SECONDS
