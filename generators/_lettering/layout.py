"""Where a new text goes in the plane of the old one: alignment, the room up to the neighbours, squeezing to fit.

All lengths are in the text plane of the lettering (``EM_PX`` units an em), so turn and perspective play no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from generators._lettering.fit import Lettering
from generators._lettering.render import EM_PX, apply, ink_extent
from selector.sight.ocr import TextLine
from selector.sight.text_match import Span

Floats = NDArray[np.float64]
Align = Literal["left", "centre", "right", "fill"]
_LEAST_WIDTH = 0.8  # narrower letters than this look wrong; smaller letters look better
_MOST_STRETCH = 1.12


@dataclass(frozen=True)
class Room:
    """Free interval of the baseline, in plane units: up to the neighbours or the edge of the picture."""

    left: float
    right: float


def place_text(lettering: Lettering, old: str, new: str, room: Room, align: Align) -> Floats:
    """Movement (3, 3) in the text plane that puts ``new`` where ``old`` stood, inside ``room``."""
    old_left, _, old_right, _ = ink_extent(lettering.font, old)
    left, _, right, _ = ink_extent(lettering.font, new)
    width = max(right - left, 1.0)
    scale = 1.0
    if align == "fill":  # words on both sides: keep the gaps as they were, as far as letters may be stretched
        scale = float(np.clip((old_right - old_left) / width, 1.0, _MOST_STRETCH))
    available = max(room.right - room.left, 0.4 * EM_PX)
    scale = min(scale, available / width)
    height = min(1.0, scale / _LEAST_WIDTH)
    middle = (old_left + old_right) / 2.0
    start = {
        "left": old_left,
        "right": old_right - scale * width,
        "centre": middle - scale * width / 2.0,
        "fill": middle - scale * width / 2.0,
    }[align]
    start = min(max(start, room.left), max(room.right - scale * width, room.left))
    return np.array([[scale, 0.0, start - scale * left], [0.0, height, 0.0], [0.0, 0.0, 1.0]])


def find_room(
    lettering: Lettering, old: str, lines: Sequence[TextLine], span: Span, size_px: tuple[int, int], offset: Floats
) -> Room:
    """The room around ``span``: up to the nearest other text on the same baseline, or to the picture's edge.

    ``offset`` (2,) px is where the lettering's picture lies in the full one of ``size_px`` (width, height).
    """
    to_plane = np.linalg.inv(lettering.to_picture)
    old_left, top, old_right, bottom = ink_extent(lettering.font, old)
    left, right = _edges(lettering.to_picture, (old_left + old_right) / 2.0, size_px, offset)
    gap = 0.3 * EM_PX
    for box in _others(lines, span):
        corners = apply(np.asarray(to_plane, dtype=np.float64), box - offset)
        if corners[:, 1].max() < top + 0.2 * (bottom - top) or corners[:, 1].min() > bottom - 0.2 * (bottom - top):
            continue
        if corners[:, 0].mean() > (old_left + old_right) / 2.0:
            right = min(right, max(float(corners[:, 0].min()) - gap, old_right))
        else:
            left = max(left, min(float(corners[:, 0].max()) + gap, old_left))
    return Room(left, right)


def _others(lines: Sequence[TextLine], span: Span) -> list[Floats]:
    """Quads of all other text: other lines whole, and the words of the span's own line outside the span."""
    boxes = [line.box for index, line in enumerate(lines) if index != span.line]
    own, position = lines[span.line], 0
    for word in own.words:
        position = own.text.find(word.text, position)
        for shift, char in enumerate(word.words):
            if not span.start <= position + shift < span.end:
                boxes.append(char.box)
        position += len(word.text)
    return boxes


def _edges(to_picture: Floats, middle: float, size_px: tuple[int, int], offset: Floats) -> tuple[float, float]:
    """How far the baseline runs to both sides before it leaves the picture less a margin of 2%."""
    width, height = size_px
    margin = 0.02 * min(width, height)
    reach = []
    for direction in (-1.0, 1.0):
        steps = middle + direction * np.linspace(0, 40 * EM_PX, 800)
        points = apply(to_picture, np.stack([steps, np.zeros_like(steps)], axis=1)) + offset
        inside = (points > margin).all(axis=1) & (points < np.array([width, height]) - margin).all(axis=1)
        outside = np.flatnonzero(~inside)
        reach.append(float(steps[max(outside[0] - 1, 0)] if outside.size else steps[-1]))
    return reach[0], reach[1]


def choose_align(lines: Sequence[TextLine], span: Span, width_px: int) -> Align:
    """The alignment that the other lines, or the words around the span, suggest; centre when nothing speaks against it.

    Inside a line: "fill" between words, "left" at its end, "right" at its beginning.
    """
    line = lines[span.line]
    before, after = line.text[: span.start].strip(), line.text[span.end :].strip()
    if before or after:
        return "fill" if before and after else ("left" if before else "right")
    edges = np.array([[box[:, 0].min(), box[:, 0].mean(), box[:, 0].max()] for box in (one.box for one in lines)])
    others = np.delete(edges, span.line, axis=0)
    if len(others) == 0:
        return "centre"
    off = np.median(np.abs(others - edges[span.line]), axis=0)
    near = 0.35 * line.height_px
    if off[1] <= near or min(off[0], off[2]) > near or abs(edges[span.line, 1] - width_px / 2) < 0.02 * width_px:
        return "centre"
    return "left" if off[0] <= off[2] else "right"
