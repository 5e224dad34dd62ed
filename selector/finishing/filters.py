"""Steps that need the picture alone: denoise, sharpen, grain. Each gives pixels and what it measured (JSON values)."""

from __future__ import annotations

import numpy as np

from selector.domain.types import JSONValue
from selector.finishing import detail
from selector.sight.colour_spaces import Pixels, to_floats, to_pixels

Notes = dict[str, JSONValue]

PATCH_PX, SEARCH_PX = 5, 15
LEAST_NOISE_LEVELS = 0.5  # below it there is nothing to take away: rounding to levels alone makes 0.3
GRAIN_BLUR_PX = 0.5  # film's grain is not white; and white noise is what JPEG spends most bytes on
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def noise_levels(rgb: Pixels) -> float:
    """Standard deviation of the noise of a channel, in levels of 255, at most 7.6: the mean over the channels."""
    srgb = to_floats(rgb)
    return float(np.mean([255 * detail.noise_level(srgb[..., c : c + 1]) for c in range(3)]))


def denoise(rgb: Pixels, strength: float) -> tuple[Pixels, Notes]:
    """Mean of similar patches (non-local means; Buades, Coll and Morel, CVPR 2005), as strong as the measured noise.

    A ``strength`` below 1 leaves that much less of the noise out: what remains hides the steps of 8-bit levels. What
    differs from its surroundings by clearly more than the noise, such as edges and texture, finds no similar patch
    and stays. A picture without measurable noise comes back as it was.
    """
    import cv2

    noise = noise_levels(rgb)
    if noise < LEAST_NOISE_LEVELS or min(rgb.shape[:2]) < SEARCH_PX:
        return rgb, {"noise_levels": round(noise, 2), "left_as_it_was": True}
    smooth = cv2.fastNlMeansDenoising(np.ascontiguousarray(rgb), None, noise, PATCH_PX, SEARCH_PX)
    mixed = rgb + np.float32(strength) * (smooth.astype(np.float32) - rgb)
    return np.round(mixed).astype(np.uint8), {"noise_levels": round(noise, 2)}


def sharpen(rgb: Pixels, strength: float) -> tuple[Pixels, Notes]:
    """Unsharp mask on L* where there are edges, halos held to 4 x ``strength`` of L* beyond the local range."""
    return to_pixels(detail.sharpen(to_floats(rgb), "edges", strength)), {}


def grain(rgb: Pixels, levels: float, seed: int) -> tuple[Pixels, Notes]:
    """Grain of luma with a standard deviation of ``levels`` in the middle tones, fading towards black and white.

    The three channels of a pixel move together, so that no colour noise appears. The same seed, the same grain.
    """
    import cv2

    white = np.random.default_rng(seed).standard_normal(rgb.shape[:2]).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(white, (0, 0), GRAIN_BLUR_PX, borderType=cv2.BORDER_REFLECT))
    luma = rgb @ _LUMA / 255
    room = 2 * np.sqrt(np.clip(luma * (1 - luma), 0, None))  # 1 in the middle, 0 at black and white
    noise = (levels / _blurred_sd()) * soft * room
    return np.round(np.clip(rgb + noise[..., None], 0, 255)).astype(np.uint8), {"seed": seed}


def _blurred_sd() -> float:
    """Standard deviation that ``GRAIN_BLUR_PX`` leaves of white noise of 1."""
    import cv2

    size_px = round(GRAIN_BLUR_PX * 8 + 1) | 1  # what OpenCV takes for floats when it is told no size
    return float((cv2.getGaussianKernel(size_px, GRAIN_BLUR_PX).astype(np.float64) ** 2).sum())  # a root for each axis
