"""The old ink, straightened: turned and cut out of the picture so that its line runs level at a fixed height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selector.sight.text_boxes import Floats

PLANE_HEIGHT_PX = 56
_MARGIN_PX = 14


@dataclass(frozen=True)
class Plane:
    """The old ink, straightened: ``ink`` (h, w) with a margin, ``to_picture`` (3, 3), ``extent`` of the ink."""

    ink: NDArray[np.float32]
    to_picture: Floats
    extent: tuple[float, float, float, float]
    softness_px: float  # sigma: small letters were enlarged, and so was the blur of their pixels


def straighten(alpha: Floats, box: Floats) -> Plane | None:
    """Bring the quad to a rectangle of ``PLANE_HEIGHT_PX`` with a margin, then find the extent of the ink in it."""
    import cv2

    across = float(np.linalg.norm(box[3] - box[0]) + np.linalg.norm(box[2] - box[1])) / 2.0
    along = float(np.linalg.norm(box[1] - box[0]) + np.linalg.norm(box[2] - box[3])) / 2.0
    if across < 3 or along < 3:
        return None
    high, margin = PLANE_HEIGHT_PX, _MARGIN_PX
    wide = int(np.clip(along / across * high, 12, 3000))
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], dtype=np.float64) + margin
    to_picture = cv2.getPerspectiveTransform(corners.astype(np.float32), box.astype(np.float32)).astype(np.float64)
    size = (wide + 2 * margin, high + 2 * margin)
    ink = cv2.warpPerspective(alpha.astype(np.float32), to_picture, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    extent = _extent(ink)
    return None if extent is None else Plane(ink, to_picture, extent, max(0.6, 0.6 * high / across))


def usual_extent(plane: Plane) -> tuple[float, float, float, float]:
    """Where letters usually lie in a reader's box: it is about an eighth higher than they are, at either side."""
    height, width = plane.ink.shape
    inset = 0.12 * PLANE_HEIGHT_PX
    return float(_MARGIN_PX), _MARGIN_PX + inset, float(width - _MARGIN_PX), height - _MARGIN_PX - inset


def _extent(ink: NDArray[np.float32]) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom of what is more ink than ground."""
    rows, columns = np.flatnonzero((ink > 0.5).any(axis=1)), np.flatnonzero((ink > 0.5).any(axis=0))
    if rows.size == 0 or np.ptp(columns) < 4 or np.ptp(rows) < 4:
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
