"""What the English and the Chinese rules of text edits have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from selector.domain.reading import Action

QUOTE = "[\ue000-\uf8ff]"  # private use: one character stands for one quoted text


@dataclass(frozen=True)
class Rule:
    """A pattern for a whole instruction; its groups "old", "new" and "part" (of the old text) hold the texts.

    ``alike``: old and new must share a character. Without quotes 周一 to 周二 is a text; 开门 to 小猫 may be a picture.
    """

    action: Action
    pattern: str
    alike: bool = False

    def match(self, instruction: str) -> re.Match[str] | None:
        """Match the whole instruction, case ignored. The pattern is compiled when its number of quotes first fits."""
        quotes = len(re.findall(QUOTE, instruction))
        if not self.pattern.count(f">{QUOTE})") <= quotes <= self.pattern.count(QUOTE):
            return None
        return _compiled(self.pattern).fullmatch(instruction)


def without(frame: Sequence[re.Pattern[str]], text: str) -> str:
    """The text without what the patterns match, taken away again and again until nothing more goes."""
    while True:
        shorter = text
        for pattern in frame:
            shorter = pattern.sub("", shorter).strip()
        if shorter == text:
            return text
        text = shorter


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)
