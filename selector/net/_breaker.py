"""Stops asking a service that is dead or does not let us in, instead of failing a thousand tasks one by one."""

from __future__ import annotations

import logging
import threading
import time

from selector.domain.remote import ServiceStopped

_log = logging.getLogger("bestshot.net")
FAILURES_IN_A_ROW = 12  # of all workers together, without any answer between them
TRIPS = 3  # so often a silent service is given a rest before it is given up
SILENT_SECONDS = 60.0  # without any answer, an error neither, a service is given up however few workers ask it
SILENT_LEAST = 6  # requests in that time: a single slow one says nothing
CURE = "check base_url, the network and that the server is running"


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
        self._silent = 0  # requests without any answer, in a row
        self._silent_since = 0.0
        self.has_answered = False  # whether anything came in this run: the address is right
        self.why: str | None = None  # the cure, once the service is given up
        self.why_no_jobs: str | None = None  # the same, where only new jobs are not taken: no money, say

    def check(self, handing_in: bool = False) -> None:
        """Raise ``ServiceStopped`` once the service is given up; ``handing_in``: or takes no new jobs."""
        why = self.why or (self.why_no_jobs if handing_in else None)
        if why is not None:
            raise ServiceStopped(why)

    def succeeded(self) -> None:
        """Any answer that shows a working service, also one that refuses a prompt."""
        with self._lock:
            self._failures = self._trips = self._silent = 0
            self.has_answered = True

    def failed(self, reason: str, answered: bool = True) -> bool:
        """Note a failure of the server (``answered``: it said so) or the way to it.

        Returns True when all workers should rest before going on.
        """
        silent_seconds = self._note_silence(answered)
        if self._silent >= SILENT_LEAST and silent_seconds >= SILENT_SECONDS:
            self.stop(f"nothing has answered for {silent_seconds:.0f} s ({reason}): {CURE}, then run the command again")
            return True
        with self._lock:
            self._failures += 1
            if self._failures < FAILURES_IN_A_ROW:
                return False
            self._failures = 0
            self._trips += 1
            given_up = self._trips > TRIPS
        if given_up:
            cure = "run the command again later" if answered else f"{CURE}, then run the command again"
            self.stop(f"{reason}, {FAILURES_IN_A_ROW * (TRIPS + 1)} times in a row: {cure}")
        return True

    def _note_silence(self, answered: bool) -> float:
        with self._lock:
            if answered:
                self._silent, self.has_answered = 0, True
                return 0.0
            now = time.monotonic()
            self._silent_since = self._silent_since if self._silent else now
            self._silent += 1
            return now - self._silent_since

    def stop(self, cure: str, handing_in: bool = False) -> None:
        """Give the service up for this run, or only hand in no more; the first reason stays.

        An answer to a job that was to be handed in says nothing of those that run: they are asked for, and tell for
        themselves.
        """
        _log.warning("%s takes no more %s: %s", self._who, "jobs" if handing_in else "requests", cure)
        with self._lock:
            if handing_in:
                self.why_no_jobs = self.why_no_jobs or f"{self._who}: {cure}"
            else:
                self.why = self.why or f"{self._who}: {cure}"
