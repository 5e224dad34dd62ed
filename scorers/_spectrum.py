"""What a picture's spectrum tells about how it was made: the slope of its power, and lines that enlarging leaves.

Pure functions of luminance, (h, w) float32 in levels of 0 to 255; each gives None for a tiny picture.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

TILE_PX = 256
LEAST_TILE_PX = 32
BAND = (0.03, 0.45)  # cycles a pixel: below it the tile's window rules, above it the corners of the spectrum begin
BANDS = 8
FLOOR_LEVELS = 1.0

LEAST_LINE_PX = 64
STEP_CAP = (24.0, 16.0, 24.0)  # levels, of the first to third difference: edges and letters do not count for more
ROUNDING = 0.25  # levels: what a response is measured against at least
FOLD_PX = 24  # holds whole periods of 2, 3, 4, 6 and 8 px


def power_slope(luma: Array) -> float | None:
    """The exponent a of the best fit of ``power ~ 1 / f^a`` over nine tiles at most; None for tiny pictures.

    Fitted as a line through the means of ``BANDS`` rings of equal width on the logarithmic axis, so that the many
    high frequencies do not outvote the low ones. Rings count the less the nearer they are to ``FLOOR_LEVELS`` of white
    noise: under strong blur, what rounding and JPEG leave is flat, and would make the slope look natural again.
    """
    side = min(TILE_PX, *luma.shape)
    if side < LEAST_TILE_PX:
        return None
    frequency, power = _ring_power(luma, side)
    edges = np.geomspace(*BAND, BANDS + 1)
    rings = [(frequency >= low) & (frequency < high) for low, high in pairwise(edges)]
    rings = [ring for ring in rings if ring.any()]
    means = np.array([power[ring].mean() for ring in rings])
    weight = (means / (means + FLOOR_LEVELS**2 * float(np.hanning(side) @ np.hanning(side)) ** 2)) ** 2 + 1e-6
    x, y = np.array([np.log(frequency[ring]).mean() for ring in rings]), np.log(means + 1e-3)
    x = x - np.average(x, weights=weight)
    return -float((weight * x * y).sum() / (weight * x * x).sum())


def _ring_power(luma: Array, side: int) -> tuple[Array, Array]:
    """(frequency in cycles a pixel, mean power) of the rings of a tile, the mean over tiles."""
    window = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    corners = [sorted({0, (length - side) // 2, length - side}) for length in luma.shape]
    power = np.zeros((side, side // 2 + 1))
    for top in corners[0]:
        for left in corners[1]:
            tile = luma[top : top + side, left : left + side]
            power += np.abs(np.fft.rfft2((tile - tile.mean()) * window)) ** 2
    power /= len(corners[0]) * len(corners[1])
    radius = np.hypot(np.fft.fftfreq(side)[:, None] * side, np.arange(side // 2 + 1)[None, :])
    ring = np.minimum(np.round(radius).astype(int), side // 2 + 1).ravel()
    total, count = np.bincount(ring, power.ravel()), np.bincount(ring)
    return np.arange(side // 2 + 1) / side, total[: side // 2 + 1] / count[: side // 2 + 1]


def enlarging_lines(luma: Array) -> float | None:
    """Strength of what repeats every 2, 3 or 4 px and is not JPEG's grid, 0 and up; None for tiny pictures.

    0.1: detail is a tenth stronger on some columns (or rows) than on the others between them. The larger of the
    periodic strength of detail (interpolated columns are smoother) and the periodic mean of detail (checkerboards).
    """
    if min(luma.shape) < LEAST_LINE_PX:
        return None
    profiles = [p for axis in (0, 1) for p in _detail_profiles(luma, axis)]
    return max(0.0, _lattice(luma), *(_beyond_jpeg(profile) for profile in profiles))


def _detail_profiles(luma: Array, axis: int) -> list[Array]:
    """Mean size of the first, second and third difference along ``axis`` at each place, each about its local mean.

    All three: a filter as long as the interpolation's symmetry allows is blind to it (the second difference to a
    doubling by repetition, the first to a linear one that keeps the old pixels).
    """
    import cv2

    profiles, response = [], luma
    for cap in STEP_CAP:
        response = np.diff(response, axis=axis)
        size = np.minimum(np.abs(response), np.float32(cap))
        profiles.append(cv2.reduce(size, 1 - axis, cv2.REDUCE_AVG).ravel())
    return [(profile / (profile.mean() + ROUNDING)).astype(np.float64) for profile in profiles]


def _beyond_jpeg(profile: Array) -> float:
    """The strongest line at 1/2, 1/3 or 1/4 cycles a pixel, less what JPEG's 8 px grid gives there.

    The grid's own lines at 1/8 to 4/8 fall with frequency, so that 3/8 bounds its part of 1/2, and 1/8 that of 1/4.
    """
    eighth, quarter, third, three_eighths, half = (_line(profile, f) for f in (1 / 8, 1 / 4, 1 / 3, 3 / 8, 1 / 2))
    return max(third, half - max(0.0, three_eighths), quarter - max(0.0, eighth))


def _line(profile: Array, frequency: float) -> float:
    """Amplitude at a frequency beyond twice the median of the neighbouring frequencies."""
    away = np.array([0, *(sign * step for step in range(4, 16, 2) for sign in (-1, 1))]) / len(profile)
    frequencies = (frequency + away)[(frequency + away) <= 0.5 + 1e-9]
    window = np.hanning(len(profile) + 2)[1:-1]
    waves = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(len(profile))))
    amplitude = np.abs(waves @ ((profile - profile.mean()) * window)) * 2 / window.sum()
    return float(amplitude[0] - 2 * np.median(amplitude[1:]))


def _lattice(luma: Array) -> float:
    """Strength of a fixed pattern with a period of 2, 3 or 4 px in both directions, less what JPEG's grid gives."""
    import cv2

    detail = np.clip(cv2.Laplacian(luma, cv2.CV_32F), -16, 16)
    size = float(np.abs(detail).mean()) + ROUNDING
    rows, columns = (length // FOLD_PX for length in luma.shape)
    folded = detail[: rows * FOLD_PX, : columns * FOLD_PX].reshape(rows, FOLD_PX, columns, FOLD_PX).mean(axis=(0, 2))
    amplitude = np.abs(np.fft.fft2(folded)) * 2 / FOLD_PX**2 / size
    beyond = amplitude - 4 * _off_lattice(amplitude)
    jpeg = amplitude[::3, ::3].copy()
    jpeg[::2, ::2] = 0.0  # the lines at 1/2 and 1/4, which the grid shares with what is looked for
    thirds, halves = beyond[::8, ::8], np.minimum(beyond, amplitude - jpeg.max())[::6, ::6]
    return max(float(thirds.ravel()[1:].max()), float(halves.ravel()[1:].max()))


def _off_lattice(amplitude: Array) -> Array:
    """What each line would have without a pattern: the median of its row's or its column's other lines, the larger.

    By row and column, because a straight upright or level edge fills a whole one.
    """
    place = np.arange(FOLD_PX)
    off = (place % 3 != 0) & (place % 8 != 0)
    return np.asarray(
        np.maximum(np.median(amplitude[:, off], axis=1)[:, None], np.median(amplitude[off], axis=0)[None, :])
    )
