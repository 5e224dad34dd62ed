"""Resizing as all of us do it, so that the same picture has the same small copy everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


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
