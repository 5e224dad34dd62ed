"""Differences between two pictures of one size, pixel by pixel: what several scorers are made of.

SSIM: Wang, Bovik, Sheikh and Simoncelli 2004, as scikit-image computes it. CIEDE2000: Sharma, Wu and Dalal 2005.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def luma(rgb: Array) -> Array:
    """Luminance (H, W) float32 in levels of (H, W, 3) uint8."""
    import cv2

    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), dtype=np.float32)


def ssim_map(one: Array, other: Array, levels: float = 255.0) -> Array:
    """SSIM at every pixel of two planes (H, W), in [-1, 1]; windows of 7 px, smaller for pictures under 7 px."""
    from skimage.metrics import structural_similarity

    side = min(7, (min(one.shape) - 1) // 2 * 2 + 1)
    if side < 3:
        return np.where(one == other, 1.0, 0.0)
    return np.asarray(structural_similarity(one, other, win_size=side, data_range=levels, full=True)[1])  # type: ignore[no-untyped-call]


def structure_similarity(source_rgb: Array, candidate_rgb: Array) -> float:
    """SSIM, [0, 1], of luminance without its local mean and contrast: tone curves and tints leave it near 1."""
    one, other = (_local_structure(luma(rgb)) for rgb in (source_rgb, candidate_rgb))
    return float(np.clip(ssim_map(one, other, levels=4.0).mean(), 0.0, 1.0))


def _local_structure(plane: Array) -> Array:
    import cv2

    detail = cv2.GaussianBlur(plane, (0, 0), 1.0) - cv2.GaussianBlur(plane, (0, 0), 8.0)
    return np.asarray(detail / (np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 8.0)) + 2.0))


def ciede2000(one_rgb: Array, other_rgb: Array) -> Array:
    """Colour difference (H, W), 0 to about 100; 1 is just noticeable side by side."""
    import cv2
    from skimage.color import deltaE_ciede2000

    floats = (np.ascontiguousarray(rgb).astype(np.float32) / 255 for rgb in (one_rgb, other_rgb))
    one, other = (cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB) for rgb in floats)
    return np.asarray(deltaE_ciede2000(one, other))  # type: ignore[no-untyped-call]


def weighted_mean(values: Array, weight: Array) -> float:
    """Mean of ``values`` under ``weight`` of the same shape; 0 when nothing weighs."""
    return float((values * weight).sum() / max(float(weight.sum()), 1e-9))


def disc(radius_px: int) -> Array:
    """Round structuring element for OpenCV's morphology, of at least 1 px radius."""
    import cv2

    side = 2 * max(1, radius_px) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
