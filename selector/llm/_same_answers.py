"""One answer to texts that have nothing in common is no answer: a server's error, or a model that lost the thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from selector.llm._replies import UNREADABLE, WRITTEN, Reading

SAME_FOR_ALL = "the same reply came for texts that have nothing in common"

UNLIKE_TEXTS = 5  # with one answer: a few may say the same in other words, five that differ so much hardly do
_ALIKE = 0.5  # of difflib's ratio, 0 to 1


@dataclass
class SameAnswers:
    """What one run answered to which texts. Safe for threads."""

    _texts: dict[str, list[str]] = field(default_factory=dict)  # by the answer: those of which none is like another
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def are_for_all(self, answer: str) -> bool:
        """Whether this answer was given to texts that have nothing in common."""
        with self._lock:
            return len(self._texts.get(_folded(answer), ())) >= UNLIKE_TEXTS

    def checked(self, original: str, reading: Reading) -> Reading:
        """The reading, or why it is none: its text came for too many others."""
        if reading.outcome != WRITTEN:
            return reading
        with self._lock:
            texts = self._texts.setdefault(_folded(reading.text), [])
            if len(texts) < UNLIKE_TEXTS and not any(_are_alike(original, other) for other in texts):
                texts.append(original)
        return Reading(UNREADABLE, reason=SAME_FOR_ALL) if self.are_for_all(reading.text) else reading


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _are_alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one.casefold(), other.casefold(), autojunk=False).ratio() >= _ALIKE
