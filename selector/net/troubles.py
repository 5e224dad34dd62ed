"""What a failed request means, in a few kinds, the tables that say it, and the loop that sends it again.

Every service has one table of rules by its codes, its words and the status; the first that fits decides.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Rule:
    """Fits an error of one of the ``statuses`` (any if empty) that one of the other three fits (any if all are empty).

    Attributes:
        kind: of the trouble.
        reason: with ``{status}``, ``{code}`` and the names that ``meaning`` was given, in its places.
        codes: beginnings of the code. words: parts of message, code and type. pattern: searched there. In lower case.
    """

    kind: str
    reason: str
    statuses: Container[int] = ()
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    pattern: str = ""

    def fits(self, status: int, code: str, told: str) -> bool:
        """``code`` and ``told`` in lower case."""
        if self.statuses != () and status not in self.statuses:
            return False
        if not (self.codes or self.words or self.pattern):
            return True
        return (
            code.startswith(self.codes or ("\0",))
            or any(word in told for word in self.words)
            or bool(self.pattern and re.search(self.pattern, told))
        )


def meaning(
    rules: Sequence[Rule],
    status: int,
    code: str,
    told: str,
    headers: Mapping[str, str],
    names: Mapping[str, str] | None = None,
) -> Trouble | None:
    """What the first rule that fits makes of an HTTP error; None where none does.

    Args:
        status: 400 or more. code: of the error, as ``{code}`` shows it.
        told: all the words in which the rules may look.
        headers: of the reply, for the seconds that a busy server asks to wait.
        names: what further ``{names}`` in reasons stand for.
    """
    code_in_lower_case, words = code.lower(), told.casefold()
    for rule in rules:
        if rule.fits(status, code_in_lower_case, words):
            wait = retry_after(headers) if rule.kind in (THROTTLED, BUSY) else None
            return Trouble(rule.kind, rule.reason.format(status=status, code=code, **(names or {})), wait)
    return None


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
