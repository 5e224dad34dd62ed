"""Text of the plots: lines that fit, and for each text a font that has its characters.

Fonts are given to texts as files, so that neither a global font list nor a user's matplotlib settings matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from selector.domain import MissingPart
from selector.sight.fonts import Font, all_fonts, covers, fonts_for

_CJK = "\u2e80-\uffef"
_WORDS = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+\s*|\s+")
_PARTS = re.compile(r"[^._/:-]{1,12}[._/:-]{0,4}|[._/:-]{1,4}")  # of a name without spaces


def columns(text: str) -> float:
    """Width in average letters of a proportional font."""
    return sum(_char_columns(char) for char in text)


def _char_columns(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.75
    if char in "mwMW@%—…":
        return 1.6
    return 1.2 if char.isupper() else 1.0


def wrap(text: str, width: float, most_lines: int = 60) -> str:
    """``text`` in lines of at most ``width`` columns, broken at spaces, in long names after ``. _ - / :``.

    What does not fit into ``most_lines`` is replaced by an ellipsis.
    """
    lines = [""]
    for piece in _pieces(" ".join(text.split()), width):
        if lines[-1] and columns(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    if len(lines) > most_lines:
        lines = [*lines[: most_lines - 1], lines[most_lines - 1].rstrip()[:-1] + "…"]
    return "\n".join(line.rstrip() for line in lines)


def _pieces(text: str, width: float) -> Iterator[str]:
    for word in _WORDS.findall(text):
        if columns(word.rstrip()) <= width:
            yield word
        else:
            yield from _PARTS.findall(word)


def drawable(text: str, bold: bool = False) -> tuple[str, str]:
    """``text`` as it can be drawn, and the font file for it; characters that no font here has become "?"."""
    clean = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    latin = _latin(bold)
    if covers(latin, clean):
        return clean, latin.path
    try:
        return clean, fonts_for(clean)[0].path
    except MissingPart:
        best = max(all_fonts(), key=lambda font: sum(covers(font, char) for char in clean))
        return "".join(char if covers(best, char) else "?" for char in clean), best.path


@lru_cache(maxsize=2)
def _latin(bold: bool) -> Font:
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Font(name, str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name))
