"""Compares texts as a reader would: width and kind of punctuation do not count, case counts a little, spaces hardly.

Pure functions. Similarity is 1 - (edit distance) / (length of the wanted text), from 0 to 1, over the best window of
the text that was read; the window comes from Sellers' approximate matching (J. Algorithms 1980): O(n x m), exact.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selector.sight.ocr import TextLine

Ints = NDArray[np.int64]

CASE_COST = 0.25  # "Open" for "OPEN" is a smaller fault than a wrong letter
_STEP = 4  # what a wrong letter costs in whole numbers
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
    # A cell is cost x size + start, so that the least one is the cheapest and, of such, the one that starts first.
    size, columns = len(hay) + 1, np.arange(len(hay) + 1)
    step, swaps, cells = _STEP * size, _swap_costs(needle, hay), columns
    for row, char in enumerate(needle, 1):
        best = np.minimum(cells[:-1] + swaps[char] * size, cells[1:] + step)
        cells = _run_on(np.concatenate([[row * step], best]), step, columns)
    cost = cells // size / _STEP
    end = int(np.argmin(cost))
    start = int(cells[end] % size)
    similarity = max(0.0, 1.0 - float(cost[end]) / len(needle))
    if end == 0 or start >= end:
        return similarity, 0, 0
    return similarity, places[start], places[end - 1] + 1


def similarity(one: str, other: str) -> float:
    """Likeness of two whole texts, 0 to 1: 1 - edit distance / length of the longer one."""
    a, b = sorted((plain(one), plain(other)), key=len)
    if not a or not b:
        return 1.0 if a == b else 0.0
    columns, swaps = np.arange(len(b) + 1), _swap_costs(a, b)
    row = columns * _STEP
    for i, char in enumerate(a, 1):
        best = np.minimum(row[:-1] + swaps[char], row[1:] + _STEP)
        row = _run_on(np.concatenate([[i * _STEP], best]), _STEP, columns)
    return max(0.0, 1.0 - float(row[-1]) / _STEP / max(len(a), len(b)))


def _swap_costs(needle: str, hay: str) -> dict[str, Ints]:
    """For every character of ``needle``, what each of ``hay`` costs in its place, (len(hay),) in steps."""
    exact, folded = np.array(list(hay)), np.array([char.casefold() for char in hay])
    return {
        char: np.where(exact == char, 0, np.where(folded == char.casefold(), int(CASE_COST * _STEP), _STEP))
        for char in {*needle}
    }


def _run_on(cells: Ints, step: int, columns: Ints) -> Ints:
    """Each cell, or one left of it and a step for each column between, whichever is less."""
    return np.minimum.accumulate(cells - step * columns) + step * columns


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
