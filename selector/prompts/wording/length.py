"""Prompts cut as services cut them: where it happens here, it happens between words, and other wordings can know."""

from __future__ import annotations

import re

_BREAK = re.compile(r"[\s,.;:!?，。；：！？、]+")
_LEAST_KEPT = 0.8  # of what fits: further back there is no word boundary worth going to


def cut(text: str, most_characters: int) -> str:
    """``text``, or the beginning that a service with this limit would read, without half a word at its end.

    Example:
        >>> cut("a cat on the garden wall", 20)
        'a cat on the garden'
    """
    if len(text) <= most_characters:
        return text
    kept = text[:most_characters]
    if _BREAK.match(text, most_characters):
        return kept.rstrip()
    breaks = [found.start() for found in _BREAK.finditer(kept) if found.start() >= _LEAST_KEPT * most_characters]
    return kept[: breaks[-1]] if breaks else kept
