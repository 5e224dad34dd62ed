"""Resizing as all of us do it, so that the same picture has the same small copy everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


ASPECT_TOLERANCE = 0.05  # pipelines round sides to multiples of 16 or 64 px


def same_aspect(shape: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two shapes (H, W, ...) have the same proportions, but for ``ASPECT_TOLERANCE``."""
    return abs(math.log(shape[0] * other[1] / (shape[1] * other[0]))) <= math.log1p(ASPECT_TOLERANCE)


def centre_window(shape: Sequence[int], other: Sequence[int]) -> tuple[slice, slice]:
    """(rows, columns) of the largest part in the middle of ``shape`` (H, W, ...) with the proportions of ``other``.

    All of it when they have the ``same_aspect``.
    """
    height, width = shape[:2]
    if same_aspect(shape, other):
        return slice(0, height), slice(0, width)
    rows = min(height, max(1, round(width * other[0] / other[1])))
    columns = min(width, max(1, round(height * other[1] / other[0])))
    top, left = (height - rows) // 2, (width - columns) // 2
    return slice(top, top + rows), slice(left, left + columns)


def resize_rgb(rgb: Array, shape: tuple[int, ...]) -> Array:
    """``rgb`` resized to ``shape`` (H, W): area average when it shrinks, bicubic when it grows."""
    import cv2

    if rgb.shape[:2] == tuple(shape[:2]):
        return rgb
    shrinks = rgb.shape[0] * rgb.shape[1] > shape[0] * shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (shape[1], shape[0]), interpolation=how))


def shrink(image: Array, long_side_px: int) -> Array:
    """``image`` with a long side of at most ``long_side_px``; never enlarged. Masks (bool) shrink to "any" pixels."""
    import cv2

    factor = long_side_px / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    if image.dtype == bool:
        return np.asarray(cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
