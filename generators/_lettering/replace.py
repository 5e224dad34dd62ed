"""Replaces or deletes text on a canvas, in the manner of the text that stood there.

The new text's place is found in the plane of the old one (``EM_PX`` units an em), so turn and perspective play no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from generators._lettering.canvas import Canvas, Found, erase, ink_noise, locate
from generators._lettering.fit import Lettering, fit_strokes, rank_fonts
from generators._lettering.render import EM_PX, apply, ink_extent
from selector.domain import Declined, JSONValue
from selector.sight.fonts import fonts_for
from selector.sight.ocr import TextLine
from selector.sight.text_boxes import Floats
from selector.sight.text_match import Span, plain

_WEIGHT_STEP_PX = 0.008 * EM_PX
Align = Literal["left", "centre", "right", "fill"]
_LEAST_WIDTH = 0.8  # narrower letters than this look wrong; smaller letters look better
_MOST_STRETCH = 1.12


@dataclass(frozen=True)
class Settings:
    """Where fonts come from."""

    fonts_folder: str | None = None
    exclude_fonts: tuple[str, ...] = ()


def delete_texts(canvas: Canvas, spans: Sequence[Span], mask: str, method: str) -> dict[str, JSONValue]:
    """Erase every span; a span without visible letters is skipped when others remain."""
    for span in spans:
        erase(canvas, locate(canvas, span, mask), method)
    return {"erased": [canvas.lines[span.line].text[span.start : span.end] for span in spans]}


def replace_text(
    canvas: Canvas,
    spans: Sequence[Span],
    old: str | None,
    new: str,
    settings: Settings,
    *,
    mask: str,
    fill: str,
    font: int,
    align: Align | None,
    exact: bool,
) -> dict[str, JSONValue]:
    """Erase the old text and letter the new one in its manner, over as many lines as the old one had."""
    founds = [locate(canvas, span, mask) for span in spans]
    shown = [_as_shown(canvas.lines[span.line].text[span.start : span.end], old, len(spans)) for span in spans]
    wanted = _in_case(new, old, "".join(shown))
    parts = split_text(wanted, [len(text) for text in shown])
    letterings: list[Lettering] = []
    for found, text in zip(founds, shown, strict=True):
        fonts = fonts_for("".join(shown) + wanted, settings.fonts_folder, settings.exclude_fonts)
        if letterings:  # one text over several lines is in one font
            fonts, font = (letterings[0].font,), 0
        ranked = rank_fonts(found.ink.alpha, found.box, text, fonts, exact)
        if not ranked:
            raise Declined(f"textedit: the letters of '{text}' are too faint or too small to be imitated")
        letterings.append(choose_lettering(ranked, font, text, found.ink.alpha))
    for found in founds:
        erase(canvas, found, fill)
    for found, lettering, text, part in zip(founds, letterings, shown, parts, strict=True):
        if part:
            _letter(canvas, found, lettering, text, part, align)
    best = letterings[0]
    return {"font": best.font.name, "likeness": round(best.likeness, 3), "drawn": parts, "read": shown}


def choose_lettering(ranked: list[Lettering], rank: int, text: str, alpha: Floats) -> Lettering:
    """The lettering of that rank, fitted; past the last one, the last with strokes lighter and bolder in turn."""
    past = max(0, rank - len(ranked) + 1)
    fitted = fit_strokes(ranked[min(rank, len(ranked) - 1)], text, alpha)
    step = _WEIGHT_STEP_PX * ((past + 1) // 2) * (-1 if past % 2 else 1)
    return replace(fitted, weight_px=fitted.weight_px + step)


def _letter(canvas: Canvas, found: Found, lettering: Lettering, old: str, new: str, align: Align | None) -> None:
    align = align or choose_align(canvas.lines, found.span, canvas.size_px[0])
    room = find_room(lettering, old, canvas.lines, found.span, canvas.size_px, found.offset)
    move = place_text(lettering, old, new, room, align)
    placed = replace(lettering, to_picture=found.to_picture @ lettering.to_picture)
    noise, shape, outline = ink_noise(canvas, found), canvas.source.shape[:2], found.ink.outline
    if outline is not None:
        canvas.paint(placed.draw(new, shape, move, outline.width_px), outline.colour, noise)
    canvas.paint(placed.draw(new, shape, move), found.ink.colour, noise)


def _as_shown(read: str, old: str | None, parts: int) -> str:
    """The old text as it stands in the picture: the instruction's spelling unless only the picture's case differs."""
    if old is None or parts > 1:
        return read
    if plain(old) == plain(read) or plain(old).casefold() != plain(read).casefold():
        return old
    return read


def _in_case(new: str, old: str | None, shown: str) -> str:
    """In capitals when the picture shows capitals that the instruction did not write: it then ignores case."""
    careless = old is not None and shown.isupper() and not old.isupper() and any(char.islower() for char in old)
    return new.upper() if careless else new


def split_text(text: str, lengths: Sequence[int]) -> list[str]:
    """The text cut, between words where it has spaces, into parts in proportion to ``lengths``; a part may be empty."""
    if len(lengths) == 1:
        return [text]
    glue = " " if text.isascii() or " " in text.strip() else ""
    words = text.split() if glue else list(text)
    ends = np.cumsum([len(word) + len(glue) for word in words])
    targets = np.cumsum(lengths) / max(sum(lengths), 1) * ends[-1]
    parts, start = [], 0
    for target in targets[:-1]:
        stop = max(int(np.argmin(np.abs(np.concatenate([[0], ends]) - target))), start)
        parts.append(glue.join(words[start:stop]))
        start = stop
    return [*parts, glue.join(words[start:])]


def place_text(lettering: Lettering, old: str, new: str, room: tuple[float, float], align: Align) -> Floats:
    """Movement (3, 3) in the text plane that puts ``new`` where ``old`` stood, inside ``room`` (from, to)."""
    old_left, _, old_right, _ = ink_extent(lettering.font, old)
    left, _, right, _ = ink_extent(lettering.font, new)
    width = max(right - left, 1.0)
    scale = 1.0
    if align == "fill":  # words on both sides: keep the gaps as they were, as far as letters may be stretched
        scale = float(np.clip((old_right - old_left) / width, 1.0, _MOST_STRETCH))
    available = max(room[1] - room[0], 0.4 * EM_PX)
    scale = min(scale, available / width)
    height = min(1.0, scale / _LEAST_WIDTH)
    middle = (old_left + old_right) / 2.0
    start = {
        "left": old_left,
        "right": old_right - scale * width,
        "centre": middle - scale * width / 2.0,
        "fill": middle - scale * width / 2.0,
    }[align]
    start = min(max(start, room[0]), max(room[1] - scale * width, room[0]))
    return np.array([[scale, 0.0, start - scale * left], [0.0, height, 0.0], [0.0, 0.0, 1.0]])


def find_room(
    lettering: Lettering, old: str, lines: Sequence[TextLine], span: Span, size_px: tuple[int, int], offset: Floats
) -> tuple[float, float]:
    """The free interval of the baseline around ``span``, in plane units: up to other text on it, or the picture's edge.

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
    return left, right


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
