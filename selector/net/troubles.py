"""What a failed request means, in the few kinds that the retry loop tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

THROTTLED = "throttled"  # too much at once: all who share the account wait
BUSY = "busy"  # the server or the way to it failed: wait, then again
REFUSED = "refused"  # the content: final for this prompt and this service
REJECTED = "rejected"  # the request: no second try will be taken
LOST = "lost"  # there is no such job (any more)
SHORT = "short"  # this machine ran out of file handles, ports or memory: the run ends
FATAL = "fatal"  # no request will be taken: key, rights, money, address

ANSWERED = "answered"  # by the server, whatever it said
UNANSWERED = "unanswered"  # sent, and nobody knows what came of it: a job may have been created, and be paid
UNREACHED = "unreached"  # no connection was made, so nothing was sent

LONGEST_RETRY_AFTER_SECONDS = 600.0
ABSURD_SECONDS = 7 * 86400.0  # also infinity: nobody waits for that, however long it is


@dataclass(frozen=True)
class Trouble:
    """``kind`` is one of the first seven words above; ``reason`` goes to the user (for ``FATAL`` with the cure).

    ``fate``: what became of the request, one of the other three words.
    """

    kind: str
    reason: str
    retry_after_seconds: float | None = None
    fate: str = ANSWERED


def retry_after(headers: Mapping[str, Any], now: datetime | None = None) -> float | None:
    """Seconds that the server asks to wait: ``retry-after-ms``, or Retry-After as a number or a date; None if neither.

    A date in the past is 0; a number below 0 and NaN are none; infinity is kept.

    Args:
        headers: of the reply; looked up in lower case, which the mappings of HTTP clients do not mind.
        now: the present, for a date.
    """
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / scale
        except (TypeError, ValueError):
            continue
        if seconds >= 0:  # also leaves NaN out
            return seconds
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, (moment - (now or datetime.now(timezone.utc))).total_seconds())
    except (TypeError, ValueError, OverflowError):  # a year of five digits, a zone of days
        return None
