"""Finds a line of another colour around letters, as posters have it, so that it can be erased and drawn again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generators._lettering.fill import smooth_ground
from selector.sight.text_boxes import Floats, Mask

_FIRST_PX, _LAST_PX = 1.2, 2.5  # distance from the ink where an outline shows and the soft edge of plain ink is over
_DIFFERENT = 30.0  # 8-bit levels (Euclidean) off the colours that a soft edge runs through
_MOST_HEIGHTS = 0.15  # thickest outline, in heights of the line


@dataclass(frozen=True)
class Outline:
    """Width in px of the picture, measured from the ink outwards, and colour (3,), 0 to 255."""

    width_px: float
    colour: Floats


def find_outline(crop: Floats, mask: Mask, avoid: Mask, ink_colour: Floats, height_px: float) -> Outline | None:
    """The outline of the ink ``mask`` in ``crop`` (H, W, 3); None when the ink borders on the ground itself."""
    import cv2

    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    most = max(3.0, _MOST_HEIGHTS * height_px)
    ring = (away > _FIRST_PX) & (away <= _LAST_PX) & ~avoid
    if ring.sum() < 30:
        return None
    ground = smooth_ground(crop, (away <= most + 2.0) | avoid)
    colour = np.median(crop[ring], axis=0)
    under = np.median(ground[ring], axis=0)
    if _off_the_way(colour, under, ink_colour) < _DIFFERENT:
        return None
    near = np.linalg.norm(crop - colour, axis=2) < np.linalg.norm(crop - ground, axis=2)
    width = 0.0
    for distance in np.arange(2.0, most + 1.0):
        here = (np.abs(away - distance) <= 0.5) & ~avoid
        if not here.any() or near[here].mean() < 0.6:
            break
        width = float(distance)
    return Outline(width, np.asarray(colour)) if width else None


def _off_the_way(colour: Floats, ground: Floats, ink: Floats) -> float:
    """Distance of a colour from the straight way between ground and ink, where soft edges lie."""
    way = ink - ground
    share = float(np.clip((colour - ground) @ way / max(float(way @ way), 1e-9), 0.0, 1.0))
    return float(np.linalg.norm(colour - ground - share * way))
