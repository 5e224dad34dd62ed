"""Adds a text where it is asked, in the manner of the text that is there; where nothing is asked, where it is calm."""

from __future__ import annotations

import numpy as np

from generators._lettering.canvas import Canvas
from generators._lettering.fit import Lettering
from generators._lettering.layout import LEAST_WIDTH, SCALES, Block, Room, Wish
from generators._lettering.place import Option, options
from generators._lettering.render import EM_PX, apply
from generators._lettering.scene import Frame
from generators._lettering.style import Settings, Style, is_writing, style_like
from selector.domain import Declined, JSONValue
from selector.domain.reading import Place
from selector.sight.text_boxes import Floats, Mask, grown, polygon

_MOST_LINES = 3
_SHORT = 12  # characters, Chinese ones counting twice: a shorter text is not wrapped
_LEAST_EM_PX = 12.0  # smaller letters are not read
_ASKED, _CALM = 0.3, 3.0  # cost of detail under the letters, as a share of their size
_EXACT = 0.15  # cost of a move by an em, where a spot is asked for
_HARD = 0.3  # detail that is an edge of something
_CROSSING, _CROSSING_ON_OBJECT = 0.3, 1.0  # cost of letters across such an edge: on even ground it may be text unread
_PADDING = 0.12  # of a line's height, round it and along the border of what bears the text


def add_text(
    canvas: Canvas, new: str, place: Place | None, font: int, rank: int, settings: Settings
) -> dict[str, JSONValue]:
    """Letter ``new`` in the ``font``-th best font at the ``rank``-th best place that meets the wish.

    Raises:
        Declined: when the place is not in the picture, or has no room.
    """
    tried: list[tuple[Option, Style, Block]] = []
    styles: dict[tuple[int, ...], Style] = {}
    for option in options(canvas.scene, place):
        if option.like not in styles:
            styles[option.like] = style_like(canvas, option.like, new, font, settings)
        block = _fit(canvas, option, styles[option.like], new, place)
        if block is not None:
            tried.append((option, styles[option.like], block))
        if place is not None and len(tried) > rank:
            break
    if not tried:
        raise Declined(f"textedit: no room for '{new}' {_told(place)}")
    if place is None:
        tried.sort(key=lambda one: one[2].cost)
    option, style, block = tried[min(rank, len(tried) - 1)]
    _draw(canvas, option, style, block)
    notes: dict[str, JSONValue] = {"font": style.lettering.font.name, "place": option.note or option.name}
    return notes


def _told(place: Place | None) -> str:
    if place is None:
        return "in the picture"
    if place.words:
        return place.words
    where = place.spot or place.side or "in"
    return f"{where} '{place.of}' in what bears it" if place.of else where


def _fit(canvas: Canvas, option: Option, style: Style, new: str, place: Place | None) -> Block | None:
    """The text laid out at the place; edges of things are crossed only where it cannot be helped."""
    lettering = _lettering(option, style)
    detail, scale = canvas.detail, lettering.scale
    across, down = (tuple(side / scale for side in reach) for reach in option.reach_px)
    cost = 0.02 if place is None else _EXACT
    wish = Wish(0.0, option.align, 0.0, option.upright, across, down, cost, cost)  # type: ignore[arg-type]
    free = _free(canvas, option.area, 0.5 * EM_PX * scale)
    scales = [size for size in SCALES if min(1.0, size / LEAST_WIDTH) * EM_PX * scale >= _LEAST_EM_PX]
    most_lines = 1 if len(new) + sum(not char.isascii() for char in new) < _SHORT else _MOST_LINES
    tried = []
    for mask, penalty in (
        (free & (detail <= _HARD), 0.0),
        (free, _CROSSING if option.area is None else _CROSSING_ON_OBJECT),
    ):
        room = Room(mask, lettering.to_picture, detail)
        block = room.fit(lettering.font, new, wish, most_lines, scales, _CALM if place is None else _ASKED)
        if block is not None:
            tried.append((block.cost + penalty, block))
    return min(tried, key=lambda one: one[0])[1] if tried else None


def _lettering(option: Option, style: Style) -> Lettering:
    """The style's letters at the place; on the imitated line's baseline where that is asked."""
    point, frame = option.point, Frame(option.radians)
    if option.upright == "baseline" and style.baseline is not None:
        point = frame.point(float(frame.axes[0] @ point), float(frame.axes[1] @ style.baseline))
    return style.at(point, option.radians, option.size)


def _free(canvas: Canvas, area: Mask | None, text_px: float) -> Mask:
    """Where nothing is written, inside the area and off its border."""
    import cv2

    shape = canvas.source.shape[:2]
    border = max(3, round(_PADDING * text_px))
    free = np.ones(shape, dtype=np.uint8) if area is None else area.astype(np.uint8)
    free = cv2.erode(free, np.ones((2 * border + 1,) * 2, np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    for line in filter(is_writing, canvas.lines):
        free[polygon(grown(line.box, 2 * _PADDING * line.height_px, _PADDING * line.height_px), shape)] = 0
    return np.asarray(free.astype(bool))


def _draw(canvas: Canvas, option: Option, style: Style, block: Block) -> None:
    lettering, shape = _lettering(option, style), canvas.source.shape[:2]
    ground: Floats = canvas.source[polygon(apply(lettering.to_picture, block.quad), shape)].astype(np.float64)
    style.look.over(ground, EM_PX * lettering.scale * block.scale).draw(canvas, lettering, block)
