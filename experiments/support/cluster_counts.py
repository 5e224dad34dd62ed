"""What parts of ``experiments.cluster`` that kill something count, and how they wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

_STORED_SECONDS = 2.0  # after the service's reply: a job whose number is not stored by then was forgotten


@dataclass
class Counts:
    """Over all trials. ``kills``: those that met the verb at work; ``unanswered``: images of jobs that a kill met
    between their being handed in and their number being stored."""

    kills: int = 0
    lost: int = 0
    duplicated: int = 0
    paid_beyond_needed: int = 0
    unanswered: int = 0


def unanswered(jobs: Sequence[dict[str, Any]], stored: Collection[str], killed_at: float, in_flight: int) -> int:
    """Images of the service's jobs that nobody could have stored the number of.

    Args:
        jobs: as ``Service.jobs`` gives them.
        stored: numbers that the store knows.
        killed_at: seconds since 1970.
        in_flight: jobs that may have been handed in at once.
    """
    late = [job for job in jobs if not job["told"] or job["told"] > killed_at - _STORED_SECONDS]
    return sum(sorted((job["n"] for job in late if job["id"] not in stored), reverse=True)[:in_flight])


def wait(until: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    over = time.monotonic() + seconds
    while not (found := until()) and time.monotonic() < over:
        time.sleep(0.05)
    return found
