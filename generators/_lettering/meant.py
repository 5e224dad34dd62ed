"""Which of several equal texts a place means: by a side of the picture, a row of text, or a neighbour's words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from generators._lettering.canvas import Canvas
from selector.domain import JSONValue
from selector.domain.reading import Place, Spot
from selector.sight.ocr import TextLine, span_box
from selector.sight.text_boxes import Floats
from selector.sight.text_match import Span, find_spans

Spans = tuple[Span, ...]
Choice = tuple[list[Spans], dict[str, JSONValue]]
_LEVEL = 0.05  # of the picture's size, that two places may differ and count as equally far to one side
_NUMBERS = (
    "first one 一 首", "second two 二", "third three 三", "fourth four 四", "fifth five 五", "sixth six 六",
    "seventh seven 七", "eighth eight 八", "ninth nine 九", "tenth ten 十",
)  # fmt: skip
_NUMBER = {word: number for number, words in enumerate(_NUMBERS, 1) for word in words.split()}
_ROW = re.compile(r"\b(?:line|row)s?\b|[行排]", re.I)
_FROM_END = re.compile(r"\blast\b|\bbottom\b|from the end|倒数|最后|末", re.I)
_NUMERAL = re.compile(r"\d+|[a-z]+|[一二三四五六七八九十首]+", re.I)


def meant(canvas: Canvas, every: list[Spans], place: Place) -> Choice:
    """The places that the wish tells; all of them, noted, where it cannot be followed or does not tell them apart."""
    lines, said = canvas.lines, place.words or place.of
    centres = np.array([span_box(lines[one[0].line], one[0].start, one[0].end).mean(axis=0) for one in every])
    unknown = f"which of them is '{said}' is not known"
    if place.is_text:
        chosen = _by_text(canvas, every, centres, place)
    elif place.spot is not None:
        chosen = _on_side(every, centres / np.array(canvas.size_px, dtype=float), place.spot)
        unknown = f"{len(chosen)} of them are equally far '{said}'"
        if place.of and len(chosen) == 1 and not _alone(canvas):
            return chosen, {"place": f"read in {len(every)} places; '{said}' is taken as of the picture"}
    else:
        row = _row(said, lines)
        chosen = [one for one in every if one[0].line in row]
    if len(chosen) == 1:
        return chosen, {}
    changed = f"{len(chosen)}" if chosen else "all"
    return chosen or every, {"place": f"read in {len(every)} places; {unknown}: {changed} were changed"}


def _alone(canvas: Canvas) -> bool:
    """Whether no more than one thing that bears text is seen, so that its sides are those of the picture."""
    return len(canvas.scene.objects) <= 1


def _by_text(canvas: Canvas, every: list[Spans], centres: Floats, place: Place) -> list[Spans]:
    """Those on what bears the named text, or the one nearest to it on the asked side; () where there is none."""
    anchor = find_spans(canvas.lines, place.of)
    if not anchor:
        return []
    if place.side in ("in", "on"):
        mask = canvas.scene.bearer(anchor[0].line)
        inside = [] if mask is None else [bool(mask[y, x]) for x, y in centres.astype(int)]
        return [one for one, held in zip(every, inside, strict=False) if held]
    off = centres - canvas.lines[anchor[0].line].box.mean(axis=0)
    sides = {"left": off[:, 0] < 0, "right": off[:, 0] > 0, "above": off[:, 1] < 0, "below": off[:, 1] > 0}
    right = sides.get(place.side or "", np.ones(len(off), dtype=bool))
    far = np.where(right, np.linalg.norm(off, axis=1), np.inf)
    return [every[int(np.argmin(far))]] if right.any() else []


def _on_side(every: list[Spans], centres: Floats, spot: Spot) -> list[Spans]:
    """Those that lie farthest to the side (``centres`` in shares of the picture): "left" does not ask how high."""
    x, y = centres.T
    far = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y}
    words = [word for word in spot.split() if word in far]
    away = sum((far[word] for word in words), np.zeros(len(x))) if words else np.linalg.norm(centres - 0.5, axis=1)
    return [one for one, value in zip(every, away, strict=True) if value <= away.min() + _LEVEL]


def _row(words: str, lines: Sequence[TextLine]) -> set[int]:
    """The lines of text that stand in the named row of the picture, by their indexes; none where no row is named."""
    if not _ROW.search(words):
        return set()
    rows: list[list[int]] = []
    height = {index: float(line.box[:, 1].mean()) for index, line in enumerate(lines)}
    for index in sorted(height, key=lambda index: height[index]):
        level = bool(rows) and height[index] - height[rows[-1][-1]] < 0.5 * lines[index].height_px
        rows = [*rows[:-1], [*rows[-1], index]] if level else [*rows, [index]]
    number = next((n for word in _NUMERAL.findall(words) if (n := _numbered(word))), 1)
    if _FROM_END.search(words):
        rows.reverse()
    return set(rows[number - 1]) if number <= len(rows) else set()


def _numbered(word: str) -> int:
    return int(word) if word.isdecimal() else _NUMBER.get(word.lower(), 0)
