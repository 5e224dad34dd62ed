"""Estimates how a candidate lies on its source: a scale per axis and a shift, robust to the edit itself.

Phase correlation (Kuglin and Hines 1975) gives the start; Gauss-Newton on a pyramid (Lucas and Kanade 1981) with
Tukey's biweight (Beaton and Tukey 1974) refines it, so that an edited region counts as outliers and does not pull. All
on locally normalised luminance, so that a change of tone does not matter. About 0.1 s at a long side of 512 px.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from selector.sight.colour_spaces import luma_of
from selector.sight.resize import shrink

Array = np.ndarray[Any, np.dtype[Any]]

ESTIMATE_PX = 512
PYRAMID = ((128, 10), (256, 6), (ESTIMATE_PX, 5))  # long side in px, rounds of Gauss-Newton
MAX_ZOOM = 1.2  # a larger zoom or shift is another composition and not a displaced copy
MAX_SHIFT = 0.15  # of the long side
CLEARLY_BETTER = 0.85  # the mismatch must fall to this share, else the fit is noise
ALREADY_MATCHED_LEVELS = 2.0  # median luminance difference on textured pixels; JPEG at quality 75 makes 1 to 2


@dataclass(frozen=True)
class Warp:
    """From source to candidate: scale about the centre, then shift, in units of half the long side."""

    scale: Array  # (2,) x, y
    shift: Array  # (2,)

    def matrix(self, shape: tuple[int, ...]) -> Array:
        """(2, 3) for ``cv2.warpAffine`` with ``WARP_INVERSE_MAP`` on a grid of ``shape``."""
        centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
        offset = centre * (1 - self.scale) + self.shift * max(shape[:2]) / 2
        return np.array([[self.scale[0], 0, offset[0]], [0, self.scale[1], offset[1]]])

    def is_plausible(self) -> bool:
        zoom = np.maximum(self.scale, 1 / np.maximum(self.scale, 1e-6))
        return bool(zoom.max() <= MAX_ZOOM and np.abs(self.shift).max() <= 2 * MAX_SHIFT)


def lies_still(source: Array, candidate: Array) -> bool:
    source_luma, candidate_luma = luma_of(source), luma_of(candidate)
    textured = _textured(source_luma)
    return bool(np.median(np.abs(source_luma - candidate_luma)[textured]) <= ALREADY_MATCHED_LEVELS)


def _textured(luma: Array) -> Array:
    """The half of the pixels with the larger contrast: only they tell where a picture lies."""
    contrast = edge_contrast(luma)
    return np.asarray(contrast >= np.median(contrast))


def edge_contrast(luma: Array) -> Array:
    """Morphological gradient over 3 x 3 px, in levels: how much a displacement of a pixel could change a pixel."""
    import cv2

    return np.asarray(cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))


def local_structure(luma: Array, floor_levels: float) -> Array:
    """Luminance without its local mean and contrast: tone edits, fog and darkening leave it nearly unchanged.

    ``floor_levels``: contrast below which an area counts as flat and stays so.
    """
    import cv2

    detail = cv2.GaussianBlur(luma, (0, 0), 1.0) - cv2.GaussianBlur(luma, (0, 0), 8.0)
    return np.asarray(detail / (np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 8.0)) + floor_levels))


def _normalised(luma: Array, long_side_px: int) -> Array:
    return local_structure(shrink(luma, long_side_px), 4.0)


def fit_warp(source_rgb: Array, candidate_rgb: Array) -> Warp | None:
    """The warp from source to candidate, or None when resizing alone is as good."""
    source_luma, candidate_luma = luma_of(source_rgb), luma_of(candidate_rgb)
    warp = _start(_normalised(source_luma, 128), _normalised(candidate_luma, 128))
    source, candidate = source_luma, candidate_luma
    for long_side_px, rounds in PYRAMID:
        source, candidate = (_normalised(luma, long_side_px) for luma in (source_luma, candidate_luma))
        for _ in range(rounds):
            warp = _improved(source, candidate, warp)
    still = Warp(np.ones(2), np.zeros(2))
    textured = _textured(shrink(source_luma, ESTIMATE_PX))
    before, after = (_mismatch(source, candidate, textured, w) for w in (still, warp))
    return warp if warp.is_plausible() and after < CLEARLY_BETTER * before else None


def _start(source: Array, candidate: Array) -> Warp:
    """The best of a few zooms, each with the shift that phase correlation finds."""
    window = np.outer(np.hanning(source.shape[0]), np.hanning(source.shape[1])).astype(np.float32)
    textured = np.ones(source.shape, bool)
    zooms = [Warp(np.full(2, zoom), np.zeros(2)) for zoom in (1.0, 0.9, 0.95, 1.05, 1.1)]
    starts = [zooms[0], *(_phase_shifted(source, candidate, zoom, window) for zoom in zooms)]
    return min(starts, key=lambda warp: _mismatch(source, candidate, textured, warp))


def _phase_shifted(source: Array, candidate: Array, warp: Warp, window: Array) -> Warp:
    import cv2

    (dx, dy), _ = cv2.phaseCorrelate(source, _warped(candidate, warp), window)
    return Warp(warp.scale, np.array([dx, dy]) * 2 / max(source.shape) * warp.scale)


def _warped(candidate: Array, warp: Warp) -> Array:
    import cv2

    size = (candidate.shape[1], candidate.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(candidate, warp.matrix(candidate.shape), size, flags=flags, borderValue=(np.nan,) * 4)
    )


def _mismatch(source: Array, candidate: Array, textured: Array, warp: Warp) -> float:
    """Median difference of normalised luminance where there is texture; a warp without overlap is infinitely bad."""
    difference = np.abs(_warped(candidate, warp) - source)[textured]
    difference = difference[np.isfinite(difference)]
    return float(np.median(difference)) if difference.size > textured.sum() / 2 else float("inf")


def _improved(source: Array, candidate: Array, warp: Warp) -> Warp:
    """One Gauss-Newton step on scale and shift, with Tukey's biweight against what the edit changed."""
    moved = _warped(candidate, warp)
    residual = moved - source
    seen = np.isfinite(residual)
    if seen.sum() < residual.size / 2:
        return warp
    half = max(source.shape) / 2
    gy, gx = np.gradient((np.where(seen, moved, source) + source) / 2)  # the mean of both converges faster than either
    y, x = np.mgrid[: source.shape[0], : source.shape[1]]
    u, v = (x - (source.shape[1] - 1) / 2) / half, (y - (source.shape[0] - 1) / 2) / half
    spread = 4.685 * 1.4826 * float(np.median(np.abs(residual[seen]))) + 1e-6
    weight = np.where(seen, np.clip(1 - (np.nan_to_num(residual) / spread) ** 2, 0, None) ** 2, 0.0)
    columns = np.stack([gx * u, gy * v, gx, gy]).reshape(4, -1) * half
    normal = (columns * weight.ravel()) @ columns.T
    damping = (1e-6 * float(np.trace(normal)) + 1e-6) * np.eye(4)  # a picture without texture has no normal equations
    step = np.linalg.solve(normal + damping, columns @ (weight * np.nan_to_num(residual)).ravel())
    return Warp(warp.scale - step[:2], warp.shift - step[2:])
