"""What a failed request means, in a few kinds, and the loop that sends it again; ``errors`` tells the kinds apart."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result

_log = logging.getLogger("bestshot.net")
Result = TypeVar("Result")

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

SERVER_FAILED = range(500, 1000)  # statuses, also those that no standard knows
LONGEST_RETRY_AFTER_SECONDS = 600.0
THROTTLED_TRIES = 50  # of one request, while others come through; the pause between them is the server's
PATIENCE_SECONDS = 900.0  # as long as a server may throttle everybody without letting one request through
ABSURD_SECONDS = 7 * 86400.0  # also infinity: nobody waits for that, however long it is


@dataclass(frozen=True)
class Trouble:
    """``kind`` is one of the first seven words above; ``reason`` goes to the user, equal for equal troubles.

    ``fate``: what became of the request, one of the other three words. ``cause``: its name in ``errors.toml``.
    ``cure``: what would help, where ``reason`` does not say it. ``said``: the server's own sentence, cleaned.
    """

    kind: str
    reason: str
    retry_after_seconds: float | None = None
    fate: str = ANSWERED
    cause: str = ""
    cure: str = ""
    said: str = ""

    @property
    def whole(self) -> str:
        """All of it in one line: for who can do something, or will see it once.

        Example:
            >>> Trouble(FATAL, "no money", cure="top it up", said="Arrearage").whole
            'no money: top it up (the server says: Arrearage)'
        """
        cure, says = self.cure and f": {self.cure}", self.said and f" (the server says: {self.said})"
        return f"{self.reason}{cure}{says}"


def waiting_time(seconds: float) -> str:
    """In words.

    Example:
        >>> waiting_time(3600.0), waiting_time(float("inf"))
        ('60 minutes', 'more than a week')
    """
    return f"{seconds / 60:.0f} minutes" if seconds < ABSURD_SECONDS else "more than a week"


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


@dataclass
class Tries:
    """How a request has gone so far: how often it was throttled, failed in another way, and was not answered."""

    throttled: int = 0
    failures: int = 0
    unanswered: int = 0

    @property
    def sent(self) -> int:
        return self.throttled + self.failures

    def count(self, trouble: Trouble) -> None:
        self.throttled += trouble.kind == THROTTLED
        self.failures += trouble.kind != THROTTLED
        self.unanswered += trouble.fate == UNANSWERED


class Patience:
    """How long all who share a limit wait for it; safe for threads."""

    def __init__(self) -> None:
        self._throttled_since: float | None = None  # nothing has come through since then

    def came_through(self) -> None:
        """A request was taken, whatever was said of its content."""
        self._throttled_since = None

    def ended_by(self, trouble: Trouble) -> Trouble | None:
        """The trouble as the end of the run, where the server asks for too long a wait or lets nothing through."""
        wait, now = trouble.retry_after_seconds, time.monotonic()
        if wait is not None and wait > LONGEST_RETRY_AFTER_SECONDS:
            why = f"the server asks to wait for {waiting_time(wait)}"
            return replace(trouble, kind=FATAL, reason=why, cure="run the command again then")
        if trouble.kind != THROTTLED:
            return None
        since = self._throttled_since or now
        self._throttled_since = since
        if now - since <= PATIENCE_SECONDS:
            return None
        why = f"the server has let nothing through for {waiting_time(now - since)}"
        return replace(trouble, kind=FATAL, reason=why, cure="its limit is no short one, see the console")


def persist(
    send: Callable[[], Result | Trouble],
    gives_up: Callable[[Trouble, Tries], bool],
    wait_out: Callable[[Trouble, Tries], None],
) -> Result | Trouble:
    """Send until something comes that is no ``Trouble``, or until ``gives_up``, which gets the last one returned.

    Whatever the three raise ends it, too. Waiting is the caller's: a pause often is for all who share an account.
    """
    tries, last = Tries(), list[Trouble]()

    def stop(state: RetryCallState) -> bool:
        assert state.outcome is not None
        trouble = state.outcome.result()
        last[:] = [trouble]
        tries.count(trouble)
        return gives_up(trouble, tries)

    def sleep(_: float) -> None:
        _log.info("tried %d times, will be again: %s", tries.sent, last[0].reason)
        wait_out(last[0], tries)

    return Retrying(
        retry=retry_if_result(lambda came: isinstance(came, Trouble)),
        stop=stop,
        sleep=sleep,
        retry_error_callback=lambda _: last[0],
        reraise=True,
    )(send)
