"""Stops asking a service that is dead or does not let us in, instead of failing a thousand tasks one by one."""

from __future__ import annotations

import threading

from selector.domain.remote import ServiceStopped

FAILURES_IN_A_ROW = 12  # of all workers together, without any answer between them
TRIPS = 3  # so often a silent service is given a rest before it is given up


class Breaker:
    """Shared by the workers of an account; safe for threads.

    Args:
        who: the service as messages name it.
    """

    def __init__(self, who: str) -> None:
        self._who = who
        self._lock = threading.Lock()
        self._failures = 0
        self._trips = 0
        self.why: str | None = None  # the cure, once the service is given up

    def check(self) -> None:
        """Raise ``ServiceStopped`` once the service is given up."""
        if self.why is not None:
            raise ServiceStopped(self.why)

    def succeeded(self) -> None:
        """Any answer that shows a working service, also one that refuses a prompt."""
        with self._lock:
            self._failures = self._trips = 0

    def failed(self, reason: str) -> bool:
        """Note a failure of the server or the way to it; True when all workers should rest before going on."""
        with self._lock:
            self._failures += 1
            if self._failures < FAILURES_IN_A_ROW:
                return False
            self._failures = 0
            self._trips += 1
            given_up = self._trips > TRIPS
        if given_up:
            self.stop(f"{reason}, {FAILURES_IN_A_ROW * (TRIPS + 1)} times in a row: run the command again later")
        return True

    def stop(self, cure: str) -> None:
        """Give the service up for this run; the first reason stays."""
        with self._lock:
            self.why = self.why or f"{self._who}: {cure}"
