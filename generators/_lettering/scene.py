"""The lines of a picture in their surroundings: their slant, what bears them, and how they are aligned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generators._lettering.bearer import find_bearer
from generators._lettering.layout import Align
from selector.sight.ocr import TextLine
from selector.sight.text_boxes import Floats, Mask

_ALIGNS: tuple[Align, ...] = ("left", "centre", "right")
_LEVEL, _LEVEL_SHORT = np.radians(2.0), np.radians(3.5)  # below, a box's slant is the reader's error
_SHORT = 4.0  # length over height
_CENTRED = 0.06  # of the extent of what bears a line, that a centred one may be off
_SAME = 0.8  # intersection over union of two masks of one object


@dataclass(frozen=True)
class Frame:
    """Directions along and across a slant."""

    radians: float

    @property
    def axes(self) -> Floats:
        cos, sin = np.cos(self.radians), np.sin(self.radians)
        return np.array([[cos, sin], [-sin, cos]])

    def extent(self, points: Floats) -> tuple[float, float, float, float]:
        """From and to along, from and to across."""
        turned = points @ self.axes.T
        (left, top), (right, bottom) = turned.min(axis=0), turned.max(axis=0)
        return float(left), float(right), float(top), float(bottom)

    def point(self, along: float, across: float) -> Floats:
        return np.asarray(np.array([along, across]) @ self.axes)


class Scene:
    """A picture's lines and what bears them."""

    def __init__(self, rgb: NDArray[np.uint8], lines: Sequence[TextLine]) -> None:
        self.rgb, self.lines = rgb, tuple(lines)
        self._bearers: dict[int, Mask | None] = {}

    @property
    def size_px(self) -> Floats:
        """(width, height)."""
        return np.array([self.rgb.shape[1], self.rgb.shape[0]], dtype=np.float64)

    def bearer(self, line: int) -> Mask | None:
        """What bears the line; None where that cannot be seen."""
        if line not in self._bearers:
            self._bearers[line] = find_bearer(self.rgb, [one.box for one in self.lines], line)
        return self._bearers[line]

    def outside(self, line: int) -> Mask | None:
        """What lies beyond the border of what bears the line; None where that cannot be seen."""
        import cv2

        mask = self.bearer(line)
        if mask is None:
            return None
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return np.asarray(cv2.drawContours(np.ones(mask.shape, np.uint8), outlines, -1, 0, cv2.FILLED).astype(bool))

    @cached_property
    def objects(self) -> list[tuple[Mask, list[int]]]:
        """Each object that bears text, with its lines; the picture's ground is none."""
        found: list[tuple[Mask, list[int]]] = []
        for index in range(len(self.lines)):
            mask = self.bearer(index)
            if mask is None or _is_ground(mask):
                continue
            same = next((lines for other, lines in found if _overlap(mask, other) > _SAME), None)
            if same is None:
                found.append((mask, [index]))
            else:
                same.append(index)
        return found

    def radians(self, line: int) -> float:
        """The line's slant, clockwise; 0 where it is no more than the reader's error."""
        box = self.lines[line].box
        along = box[1] + box[2] - box[0] - box[3]
        slant = float(np.arctan2(along[1], along[0]))
        short = float(np.linalg.norm(along)) / 2 < _SHORT * self.lines[line].height_px
        return 0.0 if abs(slant) < (_LEVEL_SHORT if short else _LEVEL) else slant

    def companions(self, line: int) -> list[int]:
        """Other lines on what bears the line."""
        mask = self.bearer(line)
        if mask is None:
            return [index for index in range(len(self.lines)) if index != line]
        centres = [np.clip(one.box.mean(axis=0), 0, self.size_px - 1).astype(int) for one in self.lines]
        return [index for index, (x, y) in enumerate(centres) if index != line and mask[y, x]]

    def align(self, line: int) -> Align:
        """How the line is aligned with its companions, or in what bears it."""
        frame = Frame(self.radians(line))
        own = frame.extent(self.lines[line].box)
        others = np.array([frame.extent(self.lines[index].box)[:2] for index in self.companions(line)])
        edges = np.array([own[0], (own[0] + own[1]) / 2, own[1]])
        slack = 0.35 * self.lines[line].height_px
        mask = self.bearer(line)
        left, right, *_ = frame.extent(points_of(mask)) if mask is not None else (0.0, self.size_px[0])
        middle = abs((left + right) / 2 - edges[1]) < _CENTRED * (right - left)
        if len(others):
            columns = np.stack([others[:, 0], others.mean(axis=1), others[:, 1]], axis=1)
            shared = (np.abs(columns - edges) <= slack).sum(axis=0)
            if shared.any():  # lines of one length share all three
                return _ALIGNS[int(np.argmax(shared + np.array([0.1, 0.2 * middle, 0.0])))]
        return "centre" if middle else "left"


def points_of(mask: Mask) -> Floats:
    """Pixels (n, 2), x and y, of a mask."""
    y, x = np.nonzero(mask)
    return np.stack([x, y], axis=1).astype(np.float64)


def _is_ground(mask: Mask) -> bool:
    """Whether it runs along three sides of the picture: it is then its ground, and no object."""
    sides = (mask[2], mask[-3], mask[:, 2], mask[:, -3])
    return sum(bool(side.mean() > 0.5) for side in sides) >= 3


def _overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum()) / max(float((one | other).sum()), 1.0)
