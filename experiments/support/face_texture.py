"""A second look at identity that shares nothing with dlib's net: local binary patterns of the aligned face.

Ahonen, Hadid and Pietikainen, "Face Description with Local Binary Patterns", IEEE TPAMI 28(12), 2006: the face is cut
into a grid, each cell gives a histogram of uniform patterns, and faces are compared by the chi-square distance. It is
a weaker judge than a net and shares the landmarks with it, but not its features.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import Picture
from selector.sight.faces import main_face

SIDE_PX = 128
GRID = 8
INNER = (slice(2, 7), slice(1, 7))  # rows, columns of the grid between brows, jaw and cheeks: no hair, no background
POINTS, RADIUS_PX = 8, 5
BLUR_PX = 2.5  # features, not grain: sharpness is matched to the scene by a swap and says nothing of identity

Floats = NDArray[np.float64]


def texture(picture: Picture) -> Floats | None:
    """Histograms (cells, POINTS + 2), each summing to 1, of the inner main face; None when there is none."""
    import cv2
    from skimage.feature import local_binary_pattern

    face = main_face(picture)
    if face is None:
        return None
    left, right, mouth = (face.landmarks[s].mean(axis=0) for s in (slice(36, 42), slice(42, 48), slice(48, 60)))
    wanted = np.array([[0.32, 0.38], [0.68, 0.38], [0.5, 0.75]], np.float32) * SIDE_PX
    warp = cv2.getAffineTransform(np.array([left, right, mouth], np.float32), wanted)
    grey = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY)
    chip: Any = cv2.warpAffine(grey, warp, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(cv2.equalizeHist(chip), (0, 0), BLUR_PX)
    pattern = local_binary_pattern(  # type: ignore[no-untyped-call]
        soft, POINTS, RADIUS_PX, method="uniform"
    )
    cell = SIDE_PX // GRID
    cells = pattern.reshape(GRID, cell, GRID, cell).swapaxes(1, 2)[INNER].reshape(-1, cell * cell)
    return np.array([np.histogram(c, bins=POINTS + 2, range=(0, POINTS + 2))[0] / c.size for c in cells])


def chi_square(a: Floats, b: Floats) -> float:
    """Mean chi-square distance of two textures, 0 (equal) to 1."""
    return float((0.5 * (a - b) ** 2 / np.maximum(a + b, 1e-9)).sum(axis=1).mean())
