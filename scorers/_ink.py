"""The ink of one line of text, on a strip that lies along the line: what ``lettering`` measures letters on.

A strip shows the line upright, its box ``BOX_PX`` high, so lengths on it are in 1 / ``BOX_PX`` of the old text's line,
whatever the picture's size. The same strip is cut from the source and from the registered candidate: what moved, grew
or turned on it did so in the picture. Cost: about 15 ms a strip of ten letters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from selector.sight.text_boxes import height_px, ink_colour, ink_share, two_means, unit

Array = np.ndarray[Any, np.dtype[Any]]

BOX_PX = 48
PAD_PX = 18  # above and below the box: descenders and accents run out of it
LEAST_INK_PX = 20
_SPECK_PX = 6
_UPRIGHT_DEGREES = 35.0
_SLANT_SMOOTHING_PX = 1.0
_GROUND_PX = 0.4 * BOX_PX  # smoothing of the ground under the letters


@dataclass(frozen=True, eq=False)
class Frame:
    """Where a line of text lies: its quad ``box`` (4, 2) px."""

    box: Array

    @cached_property
    def centre(self) -> Array:
        return np.asarray(self.box.mean(axis=0))

    @cached_property
    def right(self) -> Array:
        """Unit vector (2,) along the reading direction."""
        return np.asarray(unit(self.box[1] - self.box[0] + self.box[2] - self.box[3]))

    @cached_property
    def down(self) -> Array:
        """Unit vector (2,) across it."""
        return np.array([-self.right[1], self.right[0]])

    @cached_property
    def height_px(self) -> float:
        return max(height_px(self.box), 1.0)

    def columns(self, box: Array) -> tuple[int, int]:
        """First and last column of a quad, counted on strips from the line's centre."""
        along = (box - self.centre) @ self.right * (BOX_PX / self.height_px)
        return int(np.floor(along.min())), int(np.ceil(along.max()))

    def strip(self, rgb: Array, first: int, last: int) -> Array:
        """Columns ``first`` to ``last`` of the picture along the line, (BOX_PX + 2 PAD_PX, last - first, 3) float64."""
        import cv2

        step_px = self.height_px / BOX_PX
        corner = self.centre + step_px * (first * self.right - (BOX_PX / 2 + PAD_PX) * self.down)
        matrix = np.column_stack([step_px * self.right, step_px * self.down, corner])
        picture = rgb if step_px <= 1.5 else cv2.GaussianBlur(rgb, (0, 0), 0.4 * step_px)  # no aliases of large letters
        size, flags = (max(last - first, 1), BOX_PX + 2 * PAD_PX), cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        shown = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(shown, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Ink:
    """Ink on a strip or drawn: ``alpha`` (H, W), the share of ink, 0 to 1, and the ``first`` column's place.

    ``everything`` bool (H, W): all that is no ground, other words included. ``colour`` (3,) RGB, 0 to 255.
    """

    alpha: Array
    first: int
    everything: Array
    colour: Array

    @cached_property
    def rows(self) -> tuple[float, float]:
        """Upper and lower edge in px of the strip, where half a pixel is ink."""
        return _extent(self.alpha.max(axis=1))

    @cached_property
    def columns(self) -> tuple[float, float]:
        """Left and right edge in px of the strip, counted as ``first`` is."""
        left, right = _extent(self.alpha.max(axis=0))
        return left + self.first, right + self.first

    @cached_property
    def slope(self) -> float:
        """Rows that the ink falls a column: of its regression line, so descenders at the end count as well."""
        rows, columns = np.mgrid[: self.alpha.shape[0], : self.alpha.shape[1]]
        mean_row, mean_column = np.average(rows, weights=self.alpha), np.average(columns, weights=self.alpha)
        off = self.alpha * (columns - mean_column)
        return float((off * (rows - mean_row)).sum() / max(float((off * (columns - mean_column)).sum()), 1e-9))

    def levelled(self, slope: float) -> Ink:
        """The ink sheared so that a line with this slope becomes level; its middle stays where it is."""
        import cv2

        middle = sum(self.columns) / 2 - self.first
        matrix = np.array([[1.0, 0.0, 0.0], [slope, 1.0, -slope * middle]])
        size, flags = self.alpha.shape[::-1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return replace(self, alpha=cv2.warpAffine(self.alpha, matrix, size, flags=flags))

    @property
    def height(self) -> float:
        return self.rows[1] - self.rows[0]

    @property
    def width(self) -> float:
        return self.columns[1] - self.columns[0]

    @cached_property
    def stroke(self) -> float:
        """Mean stroke width: four times the mean distance to the edge, which is exact for long bars."""
        import cv2

        fine = cv2.resize(self.alpha.astype(np.float32), None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC) >= 0.5
        distance = cv2.distanceTransform(fine.astype(np.uint8), cv2.DIST_L2, 5)
        return 4.0 / 3.0 * float(distance[fine].mean())

    @cached_property
    def edge(self) -> float:
        """Steepness of the edges: mean gradient, weighted by itself, in shares of ink a px."""
        slope = np.hypot(*np.gradient(self.alpha))
        return float((slope**2).sum() / slope.sum())

    @cached_property
    def slant(self) -> float:
        """Mean lean of the upright edges against the strip's columns in degrees, positive to the right as italics."""
        import cv2

        smooth = cv2.GaussianBlur(self.alpha, (0, 0), _SLANT_SMOOTHING_PX)  # an edge that leans is a flight of steps
        along, across = np.gradient(smooth, axis=1), np.gradient(smooth, axis=0)
        lean = np.degrees(np.arctan2(across * np.sign(along), np.abs(along)))
        weight = np.hypot(along, across) * (np.abs(lean) < _UPRIGHT_DEGREES)
        return float((lean * weight).sum() / max(float(weight.sum()), 1e-9))


def find_ink(strip: Array, first: int, start: int, end: int) -> Ink | None:
    """Ink of the letters between columns ``start`` and ``end`` of a strip that begins at ``first``; None without."""
    start, end = max(start - first, 0), min(end - first, strip.shape[1])
    split = two_means(strip, *_areas(strip.shape[:2], start, end))
    if split is None:
        return None
    mask = _between(split, start, end)
    if int(mask.sum()) < LEAST_INK_PX:
        return None
    ground = _ground(strip, split)
    colour = ink_colour(strip, ground, mask)
    alpha = np.where(grown(mask, 2), ink_share(strip, ground, colour), 0.0)
    return None if alpha.max() < 0.5 else Ink(alpha, first, split, colour)


def grown(mask: Array, radius_px: int) -> Array:
    """The mask (H, W) bool with ``radius_px`` more on every side."""
    import cv2

    side = 2 * radius_px + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def line_area(shape: tuple[int, ...], start: int, end: int, margin_px: int = 0) -> Array:
    """Columns ``start`` to ``end`` of the box's rows, and a margin, as bool of ``shape``."""
    area = np.zeros(shape[:2], bool)
    area[PAD_PX - margin_px : PAD_PX + BOX_PX + margin_px, max(start - margin_px, 0) : end + margin_px] = True
    return area


def _areas(shape: tuple[int, ...], start: int, end: int) -> tuple[Array, Array, Array]:
    """Where to sample ink and ground, where ink may lie, and rows above and below that are nearly all ground."""
    sample = line_area(shape, start - BOX_PX // 3, end + BOX_PX // 3)
    reach, edge = line_area(shape, start - BOX_PX // 2, end + BOX_PX // 2, PAD_PX - 2), line_area(shape, start, end, 7)
    return sample, reach, edge & ~line_area(shape, start - 8, end + 8, 1)


def _between(split: Array, start: int, end: int) -> Array:
    """Pieces of ink whose middle lies in the box; specks and pieces of other lines and words are left out."""
    import cv2

    _, labels, stats, middles = cv2.connectedComponentsWithStats(split.astype(np.uint8), connectivity=8)
    x, y = middles.T
    kept = (x > start) & (x < end) & (np.abs(y - PAD_PX - BOX_PX / 2) < BOX_PX / 2 + 2)
    kept &= stats[:, cv2.CC_STAT_AREA] >= _SPECK_PX
    kept[0] = False
    return np.asarray(kept[labels])


def _ground(strip: Array, split: Array) -> Array:
    """The ground (H, W, 3) as it runs on smoothly under all ink."""
    import cv2

    weight = (~grown(split, 3)).astype(np.float32)
    near = cv2.GaussianBlur(strip.astype(np.float32) * weight[..., None], (0, 0), _GROUND_PX)
    return np.asarray(near / np.maximum(cv2.GaussianBlur(weight, (0, 0), _GROUND_PX), 1e-6)[..., None])


def _extent(profile: Array) -> tuple[float, float]:
    """Where a profile first and last crosses one half, between pixels."""
    inside = np.flatnonzero(profile >= 0.5)
    padded = np.concatenate([[0.0], profile, [0.0]])
    first, last = int(inside[0]) + 1, int(inside[-1]) + 1
    before = (padded[first] - 0.5) / max(padded[first] - padded[first - 1], 1e-9)
    after = (padded[last] - 0.5) / max(padded[last] - padded[last + 1], 1e-9)
    return first - 1 - before, last - 1 + after
