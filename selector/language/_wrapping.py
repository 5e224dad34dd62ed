"""Lines for a terminal from text without blanks: Chinese may be broken between any two characters, words not."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

NOT_FIRST, NOT_LAST = "，。；：、？！）》”’…", "（《“‘"  # of a line


def display_width(text: str) -> int:
    """Columns of a terminal that the text takes: a Chinese character takes two, a combining mark none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if _is_wide(c) else 1 for c in text)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` columns; what cannot be broken (an address) is longer."""
    lines, line = [], ""
    for piece in _unbreakable(text):
        if line.strip() and display_width((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _unbreakable(text: str) -> Iterator[str]:
    """Pieces between which a line may end: words with the blanks after them, Chinese characters with their marks."""
    piece = ""
    for before, here in zip(" " + text, text, strict=False):
        if piece and _may_break(before, here):
            yield piece
            piece = ""
        piece += here
    if piece:
        yield piece


def _may_break(before: str, here: str) -> bool:
    if here.isspace() or here in NOT_FIRST or before in NOT_LAST:
        return False
    return before.isspace() or _is_wide(before) or _is_wide(here)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
