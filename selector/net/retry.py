"""The loop that sends a request again, for jobs, questions and downloads alike."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result

from selector.net import troubles
from selector.net.troubles import Trouble

_log = logging.getLogger("bestshot.net")
Result = TypeVar("Result")


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
        self.throttled += trouble.kind == troubles.THROTTLED
        self.failures += trouble.kind != troubles.THROTTLED
        self.unanswered += trouble.fate == troubles.UNANSWERED


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
