"""Draws text in a font as coverage of pixels: in the text's own plane first, then by a homography onto the picture.

The text plane has its origin on the baseline at the text's left end, x along the baseline, y downwards, and ``EM_PX``
units an em. Strokes can be made thicker or thinner, which stands in for weights that a font family lacks.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from selector.sight.fonts import Font

Floats = NDArray[np.float64]

EM_PX = 128
_MARGIN_PX = 24  # room for thicker strokes around the letters
_SUPERSAMPLING = 3
_drawing = threading.Lock()  # FreeType faces must not be used by two threads at once


@lru_cache(maxsize=64)
def _face(font: Font) -> object:
    from PIL import ImageFont

    return ImageFont.truetype(font.path, EM_PX, index=font.index, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=64)
def drawn(font: Font, text: str) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Signed distance (h, w) in plane px to the edge of the letters, positive inside, and the plane position (x, y) of
    its pixel (0, 0)."""
    import cv2
    from PIL import Image, ImageDraw

    with _drawing:
        face = _face(font)
        left, top, right, bottom = face.getbbox(text, anchor="ls")  # type: ignore[attr-defined]
        size = (int(right - left) + 2 * _MARGIN_PX, int(bottom - top) + 2 * _MARGIN_PX)
        image = Image.new("L", size)
        ImageDraw.Draw(image).text((_MARGIN_PX - left, _MARGIN_PX - top), text, font=face, fill=255, anchor="ls")  # type: ignore[arg-type]
    coverage = np.asarray(image, dtype=np.float32) / 255.0
    inside = (coverage > 0.5).astype(np.uint8)
    far_in = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    far_out = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    # next to the edge the coverage itself says where the edge runs; farther away the distance does
    distance = np.where(inside == 1, far_in - 0.5, 0.5 - far_out)
    distance = np.where(np.abs(distance) <= 1.0, coverage - 0.5, distance).astype(np.float32)
    distance.setflags(write=False)
    return distance, (float(left - _MARGIN_PX), float(top - _MARGIN_PX))


def ink_extent(font: Font, text: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the letters in plane units; zeros for a text without ink."""
    distance, (x, y) = drawn(font, text)
    rows, columns = np.flatnonzero((distance > 0).any(axis=1)), np.flatnonzero((distance > 0).any(axis=0))
    if rows.size == 0:
        return 0.0, 0.0, 0.0, 0.0
    return x + columns[0], y + rows[0], x + columns[-1] + 1.0, y + rows[-1] + 1.0


def coverage(font: Font, text: str, weight_px: float = 0.0) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Coverage (h, w), 0 to 1, with strokes ``weight_px`` plane units thicker on each side, and its origin (x, y)."""
    distance, origin = drawn(font, text)
    return np.clip(distance + (0.5 + weight_px), 0.0, 1.0).astype(np.float32), origin


def render(
    font: Font, text: str, to_picture: Floats, shape: tuple[int, int], weight_px: float = 0.0, blur_px: float = 0.0
) -> Floats:
    """Coverage (H, W), 0 to 1, of the text in the picture.

    ``to_picture`` (3, 3) takes text plane coordinates to picture px. Supersampled, so edges are smooth at any size.
    ``blur_px`` is the sigma of a Gaussian that stands for the softness of the picture.
    """
    import cv2

    image, (x, y) = coverage(font, text, weight_px)
    area = np.array(
        [[x, y], [x + image.shape[1], y], [x + image.shape[1], y + image.shape[0]], [x, y + image.shape[0]]]
    )
    corners = apply(to_picture, area)
    # only the part of the picture that the text can touch is worth sampling
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 2, 0, [shape[1], shape[0]])
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 3, 0, [shape[1], shape[0]])
    result = np.zeros(shape)
    width, height = int(high[0] - low[0]), int(high[1] - low[1])
    if width <= 0 or height <= 0:
        return result
    scale = _SUPERSAMPLING
    shrink = float(np.linalg.norm(corners[1] - corners[0])) / image.shape[1] * scale
    if shrink < 0.5:  # linear sampling would skip pixels of the letters
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / shrink)
    place = np.array([[1.0, 0.0, x + 0.5], [0.0, 1.0, y + 0.5], [0.0, 0.0, 1.0]])
    zoom = np.array([[scale, 0.0, -scale * low[0] - 0.5], [0.0, scale, -scale * low[1] - 0.5], [0.0, 0.0, 1.0]])
    fine = cv2.warpPerspective(
        image, zoom @ to_picture @ place, (width * scale, height * scale), flags=cv2.INTER_LINEAR
    )
    result[low[1] : high[1], low[0] : high[0]] = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(result, (0, 0), blur_px) if blur_px >= 0.2 else result)


def apply(homography: Floats, points: Floats) -> Floats:
    """Points (n, 2) through a homography (3, 3)."""
    mapped = np.hstack([points, np.ones((len(points), 1))]) @ homography.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])
