"""Compares texts as a reader would: width and kind of punctuation do not count, case counts a little, spaces hardly.

Pure functions. Similarity is 1 - (edit distance) / (length of the wanted text), from 0 to 1, over the best window of
the text that was read; the window comes from Sellers' approximate matching (J. Algorithms 1980): O(n x m), exact.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

from selector.sight.ocr import TextLine

CASE_COST = 0.25  # "Open" for "OPEN" is a smaller fault than a wrong letter
MIN_SIMILARITY = 0.6  # below this, a found text is another text
_AS_GOOD = 0.02  # of similarity: below the best by more is another text
_SAME = str.maketrans(
    {
        "‘": "'", "’": "'", "＇": "'", "`": "'", "“": '"', "”": '"', "「": '"', "」": '"', "『": '"', "』": '"',
        "。": ".", "、": ",", "—": "-", "–": "-", "―": "-", "−": "-", "·": ".", "•": ".", "…": "...",
        "【": "[", "】": "]", "《": "<", "》": ">", "〈": "<", "〉": ">", "〜": "~", "×": "x",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` of ``lines[line].text`` hold the wanted text with this similarity (0 to 1)."""

    line: int
    start: int
    end: int
    similarity: float


def plain(text: str) -> str:
    """Half-width, one form of each quote and dash, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text).translate(_SAME).split())


def _plain_with_places(text: str) -> tuple[str, list[int]]:
    """``plain(text)`` and, for each of its characters, the position in ``text`` that it came from."""
    chars, places = [], []
    for place, char in enumerate(text):
        for kept in plain(char):
            chars.append(kept)
            places.append(place)
    return "".join(chars), places


def best_window(wanted: str, read: str) -> tuple[float, int, int]:
    """Similarity (0 to 1) of the window of ``read`` that is nearest to ``wanted``, and its start and end in ``read``.

    ``("", 0, 0)``-like input gives similarity 0. Among equal windows the longest that starts first wins.
    """
    needle = plain(wanted)
    hay, places = _plain_with_places(read)
    if not needle or not hay:
        return 0.0, 0, 0
    cost = np.zeros(len(hay) + 1)
    start = np.arange(len(hay) + 1)
    for row, char in enumerate(needle, 1):
        above, above_start = cost, start
        cost, start = np.empty_like(above), np.empty_like(above_start)
        cost[0], start[0] = row, 0
        for column in range(1, len(hay) + 1):
            options = (
                (above[column - 1] + _swap_cost(char, hay[column - 1]), above_start[column - 1]),
                (above[column] + 1.0, above_start[column]),
                (cost[column - 1] + 1.0, start[column - 1]),
            )
            cost[column], start[column] = min(options)
    end = int(np.argmin(cost))
    similarity = max(0.0, 1.0 - float(cost[end]) / len(needle))
    if end == 0 or int(start[end]) >= end:
        return similarity, 0, 0
    return similarity, places[int(start[end])], places[end - 1] + 1


def similarity(one: str, other: str) -> float:
    """Likeness of two whole texts, 0 to 1: 1 - edit distance / length of the longer one."""
    a, b = plain(one), plain(other)
    if not a or not b:
        return 1.0 if a == b else 0.0
    row = np.arange(len(b) + 1, dtype=float)
    for i, char in enumerate(a, 1):
        above, row = row, np.empty_like(row)
        row[0] = i
        for j in range(1, len(b) + 1):
            row[j] = min(above[j - 1] + _swap_cost(char, b[j - 1]), above[j] + 1.0, row[j - 1] + 1.0)
    return max(0.0, 1.0 - float(row[-1]) / max(len(a), len(b)))


def _swap_cost(a: str, b: str) -> float:
    if a == b:
        return 0.0
    return CASE_COST if a.casefold() == b.casefold() else 1.0


def find_spans(lines: tuple[TextLine, ...], wanted: str) -> tuple[Span, ...]:
    """Where ``wanted`` stands: one span, or one for each of several neighbouring lines; ``()`` when it is not there.

    A window inside one line wins over a text that runs over lines unless the latter fits clearly better.
    """
    windows = [(index, best_window(wanted, line.text)) for index, line in enumerate(lines)]
    single = [Span(index, start, end, value) for index, (value, start, end) in windows if end > start]
    best = max(single, key=lambda span: (span.similarity, _is_whole_word(lines[span.line].text, span)), default=None)
    joined = _over_lines(lines, wanted)
    if joined and (best is None or joined[0].similarity > best.similarity + 0.05):
        return joined
    return (best,) if best is not None and best.similarity >= MIN_SIMILARITY else ()


def find_every(lines: tuple[TextLine, ...], wanted: str) -> list[tuple[Span, ...]]:
    """What ``find_spans`` finds, and every other place, of whole words in one line, that is as much like ``wanted``."""
    best = find_spans(lines, wanted)
    if len(best) != 1:
        return [best] if best else []
    at, least = best[0], best[0].similarity - _AS_GOOD
    found = [span for index, line in enumerate(lines) for span in _windows(line.text, index, wanted, least, 0)]
    return [best, *((span,) for span in found if (span.line, span.start) != (at.line, at.start))]


def _windows(text: str, line: int, wanted: str, least: float, shift: int) -> list[Span]:
    value, start, end = best_window(wanted, text)
    if end <= start or value < least:
        return []
    before = _windows(text[:start], line, wanted, least, shift)
    after = _windows(text[end:], line, wanted, least, shift + end)
    whole = _is_whole_word(text, Span(line, start, end, value))
    return [*before, *([Span(line, shift + start, shift + end, value)] if whole else []), *after]


def _is_whole_word(text: str, span: Span) -> bool:
    """ "art" is meant as a word and not as a part of "party"."""
    beside = text[max(span.start - 1, 0) : span.start] + text[span.end : span.end + 1]
    return not any(char.isascii() and char.isalnum() for char in beside)


def _over_lines(lines: tuple[TextLine, ...], wanted: str, most: int = 4) -> tuple[Span, ...]:
    """The best run of two to ``most`` successive lines that together are the wanted text, whole lines only."""
    best: tuple[float, int, int] = (0.0, 0, 0)
    for first in range(len(lines)):
        for count in range(2, min(most, len(lines) - first) + 1):
            value = similarity(wanted, " ".join(line.text for line in lines[first : first + count]))
            best = max(best, (value, -first, -count))
    value, first, count = best[0], -best[1], -best[2]
    if value < MIN_SIMILARITY:
        return ()
    return tuple(Span(index, 0, len(lines[index].text), value) for index in range(first, first + count))
