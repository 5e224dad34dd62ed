"""Finds what bears a line of text: the sign, label or panel whose even ground runs around it.

The ground is flooded from the edge of the line's box over a small, smoothed copy, each step to a pixel of nearly the
same colour, so that shading passes and a border does not. Text on the ground belongs to it. It fails, with None, on
textured ground and on grounds that run into one another softly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from selector.sight.text_boxes import Floats, Mask, grown, height_px, polygon

_LONG_SIDE_PX = 512
_STEP = 4  # 8-bit levels between neighbouring pixels of one ground, smoothed
_ALIKE = 36.0  # levels off the median along the line's edge: beyond, a place of the edge is not on the ground
_LEAST_AROUND = 0.7  # share of a line's edge that its ground must cover


def find_bearer(rgb: NDArray[np.uint8], lines: Sequence[Floats], own: int) -> Mask | None:
    """Mask (H, W) of what bears the line with the quad ``lines[own]``; None where no even ground surrounds it."""
    import cv2

    scale = min(1.0, _LONG_SIDE_PX / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(cv2.medianBlur(small, 3), (0, 0), 0.8)
    quads = [box * scale for box in lines]
    edge = _edge(quads[own], small.shape)
    colours = small[edge[:, 1], edge[:, 0]].astype(np.float64)
    usual = np.median(colours, axis=0)
    alike = np.linalg.norm(colours - usual, axis=1) < _ALIKE
    flooded = np.zeros((small.shape[0] + 2, small.shape[1] + 2), dtype=np.uint8)
    for x, y in edge[alike]:
        if not flooded[y + 1, x + 1]:
            cv2.floodFill(small, flooded, (int(x), int(y)), (0, 0, 0), (_STEP,) * 3, (_STEP,) * 3, _FLAGS)
    ground = flooded[1:-1, 1:-1] > 0
    if ground[edge[:, 1], edge[:, 0]].mean() < _LEAST_AROUND:
        return None
    whole = _closed(ground, height_px(quads[own]))
    for index, quad in enumerate(quads):
        around = _edge(quad, small.shape)
        if index == own or ground[around[:, 1], around[:, 0]].mean() >= _LEAST_AROUND:
            whole |= polygon(grown(quad, 0.2 * height_px(quad), 0.1 * height_px(quad)), small.shape)
    full = cv2.resize(whole.astype(np.uint8), rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(full.astype(bool))


_FLAGS = 4 | (255 << 8) | (1 << 17)  # four neighbours, mask value 255, the mask only


def _edge(box: Floats, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Points (n, 2), x and y, along a quad's edge, on the picture."""
    share = np.linspace(0.0, 1.0, 24, endpoint=False)[:, None]
    sides = [box[k] + share * (box[(k + 1) % 4] - box[k]) for k in range(4)]
    points = np.round(np.concatenate(sides)).astype(np.intp)
    return np.clip(points, 0, np.array([shape[1] - 1, shape[0] - 1]))


def _closed(ground: Mask, line_px: float) -> Mask:
    """The ground with holes filled that are no larger than letters, and without its thin arms."""
    import cv2

    size = 2 * max(1, round(0.15 * line_px)) + 1
    kernel = np.ones((size, size), np.uint8)
    closed = cv2.morphologyEx(ground.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel).astype(bool))
