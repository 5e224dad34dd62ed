"""What surrounds letters besides their outline: a shadow to one side, a glow all round.

All that differs from the ground and hangs together with the letters is theirs. It is described as the letters
themselves, moved, thickened and blurred, which is how it is drawn again under other letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from generators._lettering.fill import smooth_ground
from selector.sight.text_boxes import Floats, Mask

_REACH = 0.3  # heights of the line, that a halo reaches
_LEAST_DIFFERENCE = 9.0  # 8-bit levels (Euclidean) off the ground
_USUAL = 0.97  # quantile of the ground's own differences, which are no halo
_LEAST_AREA = 0.12  # of the letters' own area
_SMALL_PX = 26.0  # line height of the copy on which the halo's shape is looked for
_MOST_SHIFT_PX = 5  # on that copy
_LEAST_LIKENESS = 0.55  # correlation


@dataclass(frozen=True)
class Halo:
    """A copy of the letters under them: moved by ``shift_px`` (x, y), thicker by ``width_px``, with this blur (sigma)
    and colour (3,)."""

    shift_px: tuple[float, float]
    width_px: float
    blur_px: float
    colour: Floats


def find_halo(crop: Floats, hole: Mask, avoid: Mask, line_px: float) -> tuple[Mask, Halo | None]:
    """Pixels around ``hole`` (letters with their soft edge and outline) that are theirs too, and how to draw them.

    ``avoid`` is other text and what lies outside the bearer; it is not looked at. No halo is described where it cannot
    be told from the ground's texture.
    """
    import cv2

    reach = _grow(hole, round(_REACH * line_px) + 2) & ~avoid
    around = _grow(reach, max(4, round(0.25 * line_px))) & ~reach & ~avoid
    none = np.zeros_like(hole)
    if around.sum() < 50:
        return none, None
    ground = smooth_ground(crop, reach | hole | avoid)
    error = np.linalg.norm(cv2.GaussianBlur(crop - ground, (0, 0), 0.8), axis=2)
    limit = max(_LEAST_DIFFERENCE, float(np.quantile(error[around], _USUAL)))
    different = (error > limit) & reach
    _, labels = cv2.connectedComponents((different | hole).astype(np.uint8), connectivity=8)
    theirs = np.unique(labels[hole])
    halo = np.isin(labels, theirs[theirs > 0]) & ~hole & reach
    if halo.sum() < _LEAST_AREA * hole.sum():
        return none, None
    return _grow(halo, 2) & ~avoid & ~hole, _shape(
        crop, ground, hole, avoid | ~reach, np.where(halo, error, 0.0), line_px
    )


def _shape(crop: Floats, ground: Floats, hole: Mask, avoid: Mask, strength: Floats, line_px: float) -> Halo | None:
    """The move, thickness and blur of the letters that look most like the halo, seen where no letter covers it."""
    import cv2

    scale = min(1.0, _SMALL_PX / line_px)
    small: list[Any] = [
        cv2.resize(one.astype(np.float32), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for one in (hole, avoid, strength)
    ]
    letters, away, seen = small
    shown = (letters < 0.1) & (away < 0.5)
    best: float = _LEAST_LIKENESS
    found: tuple[int, int, float, float] | None = None
    for width, blur in product((0.0, 1.0, 2.0), (0.6, 1.2, 2.2)):
        thick = cv2.dilate(letters, np.ones((2 * int(width) + 1,) * 2, np.uint8)) if width else letters
        soft = cv2.GaussianBlur(thick, (0, 0), blur)
        for dx, dy in product(range(-_MOST_SHIFT_PX, _MOST_SHIFT_PX + 1), repeat=2):
            likeness = _correlation(np.roll(soft, (dy, dx), axis=(0, 1))[shown], seen[shown])
            if likeness > best + 0.01:
                best, found = likeness, (dx, dy, width, blur)
    if found is None:
        return None
    right, down, wider, sigma = (value / scale for value in found)
    moved = np.roll(hole.astype(np.float32), (round(down), round(right)), axis=(0, 1))
    moved = cv2.dilate(moved, np.ones((2 * round(wider) + 1,) * 2, np.uint8))
    thickness = cv2.GaussianBlur(moved, (0, 0), max(sigma, 0.5)).astype(np.float64)
    core = (thickness > 0.4) & ~hole & ~avoid & (strength > 0)
    if core.sum() < 20:
        return None
    off = (crop[core] - ground[core]) / thickness[core][:, None]  # where it is thin, the ground shines through
    return Halo((right, down), wider, sigma, np.clip(np.median(ground[core] + off, axis=0), 0.0, 255.0))


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / max(float(np.sqrt((one**2).sum() * (other**2).sum())), 1e-9))


def _grow(mask: Mask, radius_px: int) -> Mask:
    import cv2

    kernel: Any = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel).astype(bool))
