"""What the English and the Chinese rules of text edits have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Action = Literal["replace", "add", "delete"]

QUOTE = "[\ue000-\uf8ff]"  # private use: one character stands for one quoted text


@dataclass(frozen=True)
class Rule:
    """A pattern for a whole instruction; its groups "old", "new" and "part" (of the old text) hold the texts.

    ``alike``: old and new must share a character. Without quotes 周一 to 周二 is a text; 开门 to 小猫 may be a picture.
    """

    action: Action
    pattern: re.Pattern[str]
    alike: bool = False


def rule(action: Action, pattern: str, alike: bool = False) -> Rule:
    """A rule that ignores case."""
    return Rule(action, re.compile(pattern, re.I), alike)
