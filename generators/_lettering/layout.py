"""Lays out a text where there is room: over how many lines, how large, and where, in the text's own plane.

What is free is a mask of the picture. It is brought into the text plane, ``CELL`` units a cell, so that turn and
perspective play no part; every place, size and number of lines is then tried by a summed-area table (Crow 1984).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from generators._lettering.render import EM_PX, apply, ink_extent
from selector.sight.fonts import Font
from selector.sight.text_boxes import Floats, Mask

CELL = EM_PX / 16
PITCH = 1.25 * EM_PX  # from baseline to baseline
LEAST_WIDTH = 0.8  # narrower letters than this look wrong; smaller letters look better
SCALES = (1.0, 0.93, 0.87, 0.8, 0.74, 0.68, 0.62, 0.56, 0.5, 0.45, 0.4)
_SMALL = 0.75
_FIRM = 0.004  # share of a block that may lie on what is not free
_LINE_COST = 0.2  # of one more line, as much as this share of the size
Align = Literal["left", "centre", "right"]
Upright = Literal["top", "middle", "bottom", "baseline"]


@dataclass(frozen=True)
class Wish:
    """Where a block should stand in the text plane: its ``align`` edge at ``x``, its ``upright`` edge at ``y``.

    ``reach_x`` and ``reach_y``: how far it may be moved, (from, to); ``cost_x``, ``cost_y``: of a move by one em.
    """

    x: float
    align: Align
    y: float
    upright: Upright
    reach_x: tuple[float, float]
    reach_y: tuple[float, float]
    cost_x: float = 0.02
    cost_y: float = 0.05


@dataclass(frozen=True)
class Block:
    """A laid out text: its ``lines``, the movement (3, 3) in the text plane of each, the quad (4, 2) of the block.

    ``scale``: width of letters against the lettering's own; ``cost``: 0 is as wished; ``moved``: (x, y) in ems.
    """

    lines: tuple[str, ...]
    moves: tuple[Floats, ...]
    quad: Floats
    scale: float
    cost: float
    moved: tuple[float, float]


class Room:
    """The free part of a picture and how busy it is, seen from the text plane ``to_picture`` (3, 3)."""

    def __init__(self, free: Mask, to_picture: Floats, busy: Floats | None = None) -> None:
        import cv2

        height, width = free.shape
        corners = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
        seen = np.clip(apply(_affine(to_picture), corners), -60 * EM_PX, 60 * EM_PX)
        self._origin = seen.min(axis=0)
        size = tuple(int(n) for n in np.ceil((seen.max(axis=0) - self._origin) / CELL).astype(int) + 1)
        cells = to_picture @ np.array([[CELL, 0, self._origin[0]], [0, CELL, self._origin[1]], [0, 0, 1.0]])
        how = cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST
        shown = cv2.warpPerspective(free.astype(np.uint8), cells, size, flags=how, borderValue=0)
        self._taken = cv2.integral(1 - shown)
        self._busy = None
        if busy is not None:
            self._busy = cv2.integral(cv2.warpPerspective(busy.astype(np.float32), cells, size, flags=how))

    def fit(
        self,
        font: Font,
        text: str,
        wish: Wish,
        most_lines: int,
        scales: Sequence[float] = SCALES,
        busy_cost: float = 0.0,
    ) -> Block | None:
        """The block of least cost; None where it finds no room at any of the ``scales``."""
        best: Block | None = None
        for count in range(1, most_lines + 1):
            lines = split_text(text, [1] * count)
            if not all(lines):
                break
            for scale in scales:
                cost = _LINE_COST * (count - 1) + _size_cost(scale)
                if best is not None and best.cost <= cost:
                    break
                found = self._place(_Shape(font, tuple(lines), scale), wish, cost, busy_cost)
                if found is not None and (best is None or found.cost < best.cost):
                    best = found
        return best

    def _place(self, shape: _Shape, wish: Wish, cost: float, busy_cost: float) -> Block | None:
        """The block at the best free place within reach."""
        left, top = shape.corner(wish)
        (x0, x1), (y0, y1) = (
            self._range(at, reach, axis) for axis, at, reach in ((0, left, wish.reach_x), (1, top, wish.reach_y))
        )
        wide, high = (max(1, int(np.ceil(extent / CELL))) for extent in (shape.width, shape.height))
        rows, columns = self._taken.shape
        x1, y1 = min(x1, columns - 1 - wide), min(y1, rows - 1 - high)
        if x0 > x1 or y0 > y1:
            return None
        window = (slice(y0, y1 + 1), slice(x0, x1 + 1), wide, high)
        taken = _sums(self._taken, *window) > _FIRM * wide * high
        x = (np.arange(x0, x1 + 1) * CELL + self._origin[0] - left) / EM_PX
        y = (np.arange(y0, y1 + 1) * CELL + self._origin[1] - top) / EM_PX
        costs = cost + wish.cost_x * np.abs(x)[None, :] + wish.cost_y * np.abs(y)[:, None]
        if self._busy is not None and busy_cost:
            costs = costs + busy_cost * _sums(self._busy, *window) / (wide * high)
        costs = np.where(taken, np.inf, costs)
        row, column = np.unravel_index(int(np.argmin(costs)), costs.shape)
        if not np.isfinite(costs[row, column]):
            return None
        moved = (_snapped(float(x[column])), _snapped(float(y[row])))
        return shape.block(
            left + moved[0] * EM_PX, top + moved[1] * EM_PX, wish.align, float(costs[row, column]), moved
        )

    def _range(self, at: float, reach: tuple[float, float], axis: int) -> tuple[int, int]:
        low, high = ((at + side - self._origin[axis]) / CELL for side in reach)
        return max(0, round(low)), max(0, round(high))


def _size_cost(scale: float) -> float:
    """Small letters cost more than another line."""
    return 1.0 - scale + max(0.0, _SMALL - scale)


def _snapped(ems: float) -> float:
    """A move of no more than half a cell is none: the block stands exactly as wished."""
    return 0.0 if abs(ems) * EM_PX <= CELL / 2 + 1e-6 else ems


@dataclass(frozen=True)
class _Shape:
    """Lines of text in a size; widths and heights in the text plane."""

    font: Font
    lines: tuple[str, ...]
    scale: float

    @property
    def height_scale(self) -> float:
        return min(1.0, self.scale / LEAST_WIDTH)

    @property
    def _extents(self) -> Floats:
        return np.array([ink_extent(self.font, line) for line in self.lines])

    @property
    def width(self) -> float:
        extents = self._extents
        return float((extents[:, 2] - extents[:, 0]).max()) * self.scale

    @property
    def top(self) -> float:
        """Of the first line's letters, from its baseline."""
        return float(self._extents[0, 1]) * self.height_scale

    @property
    def height(self) -> float:
        last = float(self._extents[-1, 3]) * self.height_scale
        return PITCH * self.height_scale * (len(self.lines) - 1) + last - self.top

    def corner(self, wish: Wish) -> tuple[float, float]:
        """Left and top of the block when it stands as wished."""
        left = wish.x - {"left": 0.0, "centre": 0.5, "right": 1.0}[wish.align] * self.width
        up = {"top": 0.0, "middle": 0.5 * self.height, "bottom": self.height, "baseline": -self.top}[wish.upright]
        return left, wish.y - up

    def block(self, left: float, top: float, align: Align, cost: float, moved: tuple[float, float]) -> Block:
        moves = []
        share = {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
        for row, (ink_left, _, ink_right, _) in enumerate(self._extents):
            start = left + share * (self.width - self.scale * (ink_right - ink_left)) - self.scale * ink_left
            baseline = top - self.top + PITCH * self.height_scale * row
            moves.append(np.array([[self.scale, 0.0, start], [0.0, self.height_scale, baseline], [0.0, 0.0, 1.0]]))
        right, bottom = left + self.width, top + self.height
        quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        return Block(self.lines, tuple(moves), quad, self.scale, cost, moved)


def _sums(table: Floats, rows: slice, columns: slice, wide: int, high: int) -> Floats:
    """Sums over the windows of ``wide`` by ``high`` cells whose top left cells are those rows and columns."""

    def corner(down: int, right: int) -> Floats:
        return table[rows.start + down : rows.stop + down, columns.start + right : columns.stop + right].astype(float)

    return np.asarray(corner(high, wide) - corner(0, wide) - corner(high, 0) + corner(0, 0))


def _affine(to_picture: Floats) -> Floats:
    """From the picture to the text plane (3, 3), without perspective, as it is at the plane's origin."""
    origin, along, down = apply(to_picture, np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    matrix = np.eye(3)
    matrix[:2] = np.stack([along - origin, down - origin, origin], axis=1)
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def split_text(text: str, lengths: Sequence[int]) -> list[str]:
    """The text cut, between words where it has spaces, into parts in proportion to ``lengths``; a part may be empty."""
    if len(lengths) == 1 or not text.strip():
        return [text, *[""] * (len(lengths) - 1)]
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
