"""Replaces or deletes text on a canvas, in the manner of the text that stood there.

The new text is laid out in the plane of the old one, inside what bears it and off other text: narrower first, then
smaller, or over several lines where there is height for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from generators._lettering.canvas import Canvas, Found, erase, locate
from generators._lettering.fit import Lettering, choose_lettering, rank_fonts
from generators._lettering.layout import SCALES, Block, Room, Wish, split_text
from generators._lettering.render import EM_PX, ink_extent
from generators._lettering.style import Settings, look_of
from selector.domain import Declined, JSONValue
from selector.sight.fonts import Font
from selector.sight.ocr import TextLine
from selector.sight.text_boxes import Floats, Mask, grown, height_px, polygon
from selector.sight.text_match import Span, plain

Align = Literal["left", "centre", "right", "fill"]
_MOST_STRETCH = 1.12
_MOST_LINES = 3
_REACH = 40.0 * EM_PX  # along the line: as far as there is room
_BORDER = 0.12  # of the line's height, between letters and the border of what bears them
_NOTED = 0.75  # smaller letters than this share are noted


def delete_text(canvas: Canvas, spans: Sequence[Span], mask: str, method: str) -> dict[str, JSONValue]:
    """Erase one text with its outline and shadow."""
    for found in [locate(canvas, span, mask) for span in spans]:
        erase(canvas, found, method)
    return {"erased": [_read(canvas, span) for span in spans]}


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
    """Erase the old text and letter the new one in its manner, over as many lines as the old one had, or more.

    Raises:
        Declined: when the letters cannot be imitated, or the new ones find no room.
    """
    founds = [locate(canvas, span, mask) for span in spans]
    shown = [_as_shown(_read(canvas, span), old, len(spans)) for span in spans]
    wanted = _in_case(new, old, "".join(shown))
    parts = split_text(wanted, [len(text) for text in shown])
    letterings = _letterings(founds, shown, settings.fonts_for("".join(shown) + wanted), font, exact)
    blocks = _laid_out(canvas, founds, letterings, shown, parts, align)
    for found in founds:
        erase(canvas, found, fill)
    for found, lettering, block in zip(founds, letterings, blocks, strict=True):
        placed = replace(lettering, to_picture=found.to_picture @ lettering.to_picture)
        look_of(canvas, found).draw(canvas, placed, block)
    best = letterings[0]
    notes: dict[str, JSONValue] = {"font": best.font.name, "likeness": round(best.likeness, 3), "read": list(shown)}
    notes["drawn"] = [line for block in blocks for line in block.lines]
    smallest, most = min(block.scale for block in blocks), max(len(block.lines) for block in blocks)
    if smallest < _NOTED or most > 1:
        notes["fit"] = f"over {most} line{'s' * (most > 1)} at {smallest:.0%} of the width of the old letters"
    return notes


def _read(canvas: Canvas, span: Span) -> str:
    return canvas.lines[span.line].text[span.start : span.end]


def _letterings(
    founds: Sequence[Found], shown: Sequence[str], fonts: tuple[Font, ...], font: int, exact: bool
) -> list[Lettering]:
    """One of each part; one text over several lines is in one font."""
    letterings: list[Lettering] = []
    for found, text in zip(founds, shown, strict=True):
        if letterings:
            fonts, font = (letterings[0].font,), 0
        ranked = rank_fonts(found.ink.alpha, found.box, text, fonts, exact)
        if not ranked:
            raise Declined(f"textedit: the letters of '{text}' are too faint or too small to be imitated")
        letterings.append(choose_lettering(ranked, font, text, found.ink.alpha))
    return letterings


def _laid_out(
    canvas: Canvas,
    founds: Sequence[Found],
    letterings: Sequence[Lettering],
    shown: Sequence[str],
    parts: Sequence[str],
    align: Align | None,
) -> list[Block]:
    """A block for each part, all of the smallest one's size."""
    most = _MOST_STRETCH if len(founds) == 1 else 1.0
    scales = tuple(scale for scale in (_MOST_STRETCH, 1.06, *SCALES) if scale <= most)
    blocks: list[Block] = []
    for _ in range(2):
        blocks = []
        for found, lettering, old, new in zip(founds, letterings, shown, parts, strict=True):
            blocks.append(_block(canvas, found, lettering, old, new, align, scales, len(founds) == 1))
        smallest = min(block.scale for block in blocks)
        if len(blocks) == 1 or smallest >= scales[0]:
            break
        scales = tuple(scale for scale in scales if scale <= smallest)
    return blocks


def _block(
    canvas: Canvas, found: Found, lettering: Lettering, old: str, new: str, align: Align | None,
    scales: Sequence[float], alone: bool,
) -> Block:  # fmt: skip
    """Where the new part stands: on the old baseline, or about the old middle where it is wrapped."""
    span, line = found.span, canvas.lines[found.span.line]
    align = align or _align(canvas, span)
    left, top, right, bottom = ink_extent(lettering.font, old)
    width = max(ink_extent(lettering.font, new)[2], 1.0)
    if align != "fill" or width * scales[0] > right - left:
        scales = [scale for scale in scales if scale <= 1.0]
    side: Literal["left", "centre", "right"] = "centre" if align == "fill" else align
    x = {"left": left, "centre": (left + right) / 2, "right": right}[side]
    to_picture = found.to_picture @ lettering.to_picture
    room = Room(_free(canvas, found), to_picture)
    still = Wish(x, side, 0.0, "baseline", (-_REACH, _REACH), (0.0, 0.0))
    blocks = [room.fit(lettering.font, new, still, 1, scales)]
    whole = span.start == 0 and span.end >= len(line.text.rstrip())
    if alone and whole:
        free = Wish(x, side, (top + bottom) / 2, "middle", (-_REACH, _REACH), (-EM_PX, EM_PX))
        blocks.append(room.fit(lettering.font, new, free, _MOST_LINES, scales))
    best = min((block for block in blocks if block is not None), key=lambda block: block.cost, default=None)
    if best is None:
        raise Declined(
            f"textedit: '{new}' finds no room where '{old}' stands, not even at {min(scales):.0%} of its size"
        )
    return best


def _free(canvas: Canvas, found: Found) -> Mask:
    """Inside what bears the old text and off other text; where the old text stood is always free."""
    import cv2

    line, shape = canvas.lines[found.span.line], canvas.source.shape[:2]
    bearer = canvas.scene.bearer(found.span.line)
    free = np.ones(shape, dtype=np.uint8) if bearer is None else bearer.astype(np.uint8)
    border = max(2, round(_BORDER * line.height_px))
    free = cv2.erode(free, np.ones((2 * border + 1,) * 2, np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    free[polygon(found.box + found.offset, shape)] = 1
    for box in _others(canvas.lines, found.span):
        free[polygon(grown(box, 0.25 * line.height_px, -0.22 * height_px(box)), shape)] = 0
    return np.asarray(free.astype(bool))


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


def _align(canvas: Canvas, span: Span) -> Align:
    """As the other lines are aligned; inside a line "fill" between words, "left" at its end, "right" at its start."""
    line = canvas.lines[span.line]
    before, after = line.text[: span.start].strip(), line.text[span.end :].strip()
    if before or after:
        return "fill" if before and after else ("left" if before else "right")
    return canvas.scene.align(span.line)
