"""What several scorers of pixels are made of: differences between two pictures of one size, windows, shapes.

SSIM: Wang, Bovik, Sheikh and Simoncelli 2004, as scikit-image computes it. CIEDE2000: Sharma, Wu and Dalal 2005.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from selector.sight.colour_spaces import luma_of
from selector.sight.warp_fit import local_structure

Array = np.ndarray[Any, np.dtype[Any]]


def ssim_map(one: Array, other: Array, levels: float = 255.0) -> Array:
    """SSIM at every pixel of two planes (H, W), in [-1, 1]; windows of 7 px, smaller for pictures under 7 px."""
    from skimage.metrics import structural_similarity

    side = min(7, (min(one.shape) - 1) // 2 * 2 + 1)
    if side < 3:
        return np.where(one == other, 1.0, 0.0)
    return np.asarray(structural_similarity(one, other, win_size=side, data_range=levels, full=True)[1])  # type: ignore[no-untyped-call]


def structure_similarity(source_rgb: Array, candidate_rgb: Array) -> float:
    """SSIM, [0, 1], of luminance without its local mean and contrast: tone curves and tints leave it near 1."""
    one, other = (local_structure(luma_of(rgb), 2.0) for rgb in (source_rgb, candidate_rgb))
    return float(np.clip(ssim_map(one, other, levels=4.0).mean(), 0.0, 1.0))


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


def central(image: Array, side_px: int) -> Array:
    """A window of at most ``side_px`` a side about the centre, its corner on the 8 px grid of a JPEG."""
    top, left = (max(0, size - side_px) // 16 * 8 for size in image.shape[:2])
    return image[top : top + side_px, left : left + side_px]
