"""When a run asks no further: ten questions that end alike at its start, twenty without an answer later.

A server that wraps its JSON, a model that refuses every face, a context that is too small: each ends every question
alike, and is paid for each. So the first questions go out ten at a time, and what ended so is asked again by the next
run.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from selector.llm._replies import (
    BESIDE,
    CUT_AGAIN,
    EMPTY,
    NO_NUMBER,
    NO_OBJECT,
    NOTHING_LEFT,
    REFUSED,
    SCORED,
    TOO_MANY,
    TRUNCATED,
    TWICE,
    WRITTEN,
    WRONG_FORM,
    WRONG_PARTS,
)
from selector.net.errors import cure_of

if TYPE_CHECKING:
    from selector.llm._asking import Reply

FIRST = 10  # questions under way at once until as many were read; so many that end alike are no chance
IN_A_ROW = 20  # without one that was read between them
_RARE = 10  # one in so many was read: at the start that is as good as none
_OF_THE_FORM = 'choose a model that keeps to a form; response_format = "json_schema" helps where the server heeds it'
_OF_THE_LENGTH = "raise max_tokens: models that think need some thousands"
_CURES = {
    EMPTY: _OF_THE_LENGTH,
    TRUNCATED: _OF_THE_LENGTH,
    CUT_AGAIN: _OF_THE_LENGTH,
    **dict.fromkeys((BESIDE, NO_OBJECT, NO_NUMBER, TOO_MANY, WRONG_FORM, WRONG_PARTS, TWICE), _OF_THE_FORM),
    NOTHING_LEFT: "choose a larger model: it must copy words as they are",
    REFUSED: "choose a model that takes such pictures and words",
    "the server did not answer in time": "raise timeout_seconds, or lower concurrency",
    "the connection failed": "see that the server runs, and lower concurrency",
    "the server's reply was damaged": "see that base_url is a chat API that answers without streaming",
}


def cure_for(reason: str) -> str:
    """What would help against a reason for which a question has no answer; "" where nobody knows.

    Example:
        >>> cure_for("refused")
        'choose a model that takes such pictures and words'
    """
    return cure_of(reason) or _CURES.get(reason, "")


class Course:
    """How the questions of a run have ended so far, noted by the workers at once. Safe for threads.

    Attributes:
        ended, read: questions; ``read`` of them have scores or a text.
        is_stopped: whether it makes no sense to ask on. What ends later is noted, and changes nothing.

    Args:
        has_read: whether this model ever answered readably. Then what it refuses again, after a run that stopped with
            refusals, is its answer to that question: it stops no run, and is final.
    """

    def __init__(self, has_read: bool = False) -> None:
        self._has_read = has_read
        self.ended = self.read = 0
        self.is_stopped = False
        self._lock = threading.Lock()
        self._unread: list[Reply] = []  # of the start, later of those since the last that was read
        self._in_a_row = 0

    def room(self, under_way: int) -> int:
        """How many more questions may go out now."""
        with self._lock:
            if self.is_stopped:
                return 0
            if self.read >= FIRST:
                return 1 << 30
            return FIRST - under_way - (0 if self.read else self._most_alike())

    def note(self, last: Reply) -> None:
        """A question has ended with this reply."""
        with self._lock:
            self.ended += 1
            if last.reading.outcome in (SCORED, WRITTEN):
                self._note_read()
                return
            if self._is_settled(last):
                return
            self._unread.append(last)
            self._in_a_row += 1
            self.is_stopped = self.is_stopped or self._in_a_row >= IN_A_ROW or self._starts_badly()

    def _is_settled(self, last: Reply) -> bool:
        outcome = last.reading.outcome
        return self._has_read and outcome == REFUSED and last.question.withdrawn == outcome

    def _note_read(self) -> None:
        self.read += 1
        self._has_read = True
        if self.is_stopped:
            return
        self._in_a_row = 0
        if self.read >= FIRST:
            self._unread.clear()

    def _starts_badly(self) -> bool:
        return self.read < FIRST and self._most_alike() >= FIRST and self.read * _RARE <= self.ended

    def _most_alike(self) -> int:
        return max(Counter(reply.reading.outcome for reply in self._unread).values(), default=0)

    @property
    def doubted(self) -> Sequence[Reply]:
        """Once stopped, the last replies to all that ended so."""
        return self._unread if self.is_stopped else ()

    def why(self) -> str:
        """In one line: what ended how, one sample, and what would cure it."""
        outcomes = Counter(reply.reading.outcome for reply in self._unread)
        outcome, count = outcomes.most_common(1)[0]
        alike = [reply for reply in self._unread if reply.reading.outcome == outcome]
        reason = Counter(reply.reading.reason or outcome for reply in alike).most_common(1)[0][0]
        sample = next((reply.shown for reply in alike if reply.reading.reason == reason and reply.shown), "")
        named = outcome if outcome in reason else f"{outcome}: {reason}"
        told = f"of {self.ended} questions {count} ended alike ({named}), {self.read} were read"
        shown, cure = sample and f"; one of them: {sample!r}", cure_for(reason)
        return f"{told}{shown}. None of these results is final" + (f". {cure[0].upper()}{cure[1:]}" if cure else "")
