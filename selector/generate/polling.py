"""When to ask for a running job: not before it can have ended, often around its usual time, then more and more rarely.

A job's place in the account is free again only when its end was noticed, so late questions cost throughput, and early
ones cost the account's rate of questions.
"""

from __future__ import annotations

import threading
from collections import deque

KEPT = 64  # durations of jobs, the newest
_EARLY = 0.9  # of the shortest usual duration: the first question
_STEP = 0.04  # of the usual duration: between questions around its time
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.1, 15.0
_UNKNOWN_FIRST_SECONDS, _UNKNOWN_STEP = 0.5, 0.15  # before any job has ended: questions grow with the time waited
_LATE = 0.1  # of the time waited, once a job takes longer than is usual


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
