"""Quads (4, 2) px, clockwise from the text's own top left: sides, directions, growing, filling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def polygon(box: Floats, shape: tuple[int, ...]) -> Mask:
    """Filled quad as a mask of ``shape``."""
    import cv2

    canvas = np.zeros(shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(canvas, np.round(box).astype(np.int32), 1)
    return canvas.astype(bool)


def grown(box: Floats, along_px: float, across_px: float) -> Floats:
    """The quad moved outwards along and across its reading direction."""
    right = unit(box[1] - box[0] + box[2] - box[3])
    down = unit(box[3] - box[0] + box[2] - box[1])
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float64)
    return np.asarray(box + signs[:, :1] * right * along_px + signs[:, 1:] * down * across_px)


def unit(vector: Floats) -> Floats:
    """The vector at length 1; zero stays zero."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


def height_px(box: Floats) -> float:
    """Mean length of the two sides that cross the direction of reading."""
    return float(np.linalg.norm(box[3] - box[0]) + np.linalg.norm(box[2] - box[1])) / 2.0
