"""Brings a candidate back onto its source: diffusion edit pipelines return another size, shifted or slightly zoomed.

The candidate is resized to the source's size, then a scale per axis and a translation are estimated on locally
normalised luminance (so that a change of tone does not matter): phase correlation for the start, Gauss-Newton with
Tukey weights on a pyramid for the rest, so that an edited region counts as outliers and does not pull the fit. The
result is used only if it improves the match clearly; otherwise the resized candidate stays as it is.

Sources: phase correlation, Kuglin and Hines 1975; inverse search on a pyramid, Lucas and Kanade 1981; biweight, Beaton
and Tukey 1974. Estimated at a long side of at most 512 px: about 10 ms without a shift, 0.1 s with one (1024 px).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from selector.domain import Picture
from selector.perception.memory import RecentResults

Array = np.ndarray[Any, np.dtype[Any]]

ESTIMATE_PX = 512  # long side on which the fit is made
MAX_ZOOM = 1.2  # a larger zoom or shift is another composition and not a displaced copy
MAX_SHIFT = 0.15  # of the long side
CLEARLY_BETTER = 0.85  # the mismatch must fall to this share, else the fit is noise
ALREADY_MATCHED_LEVELS = 2.0  # median luminance difference on textured pixels; JPEG at quality 75 makes 1 to 2
CHANGE_PX = 1024
VISIBLE_LEVELS = 10.0  # of 255, after smoothing over about 3 px
_REMEMBERED_BYTES = 256 << 20


@dataclass(frozen=True)
class Registered:
    """A candidate on the pixel grid of its source.

    Attributes:
        image: (H, W, 3) uint8, H and W those of the source; read-only.
        valid: (H, W) bool, False where the candidate shows nothing of this part of the source.
        shift_px: where the candidate's content lay, relative to the source (x right, y down), in px of the source.
        scale: zoom of the candidate's content per axis (x, y) after resizing; 1.0 is none.
    """

    image: Array
    valid: Array
    shift_px: tuple[float, float]
    scale: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class _Warp:
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


def registered(source: Picture, candidate: Picture) -> Registered:
    """``register`` of two pictures, remembered by their ids, so that several scorers share one fit.

    Raises:
        InputError: when one of the pictures cannot be decoded.
    """
    return _registered.get((source.id, candidate.id), lambda: register(source.rgb, candidate.rgb))


def changed(source: Picture, candidate: Picture) -> Array:
    """``changed_mask`` of two pictures, remembered by their ids: (H, W) bool on the source's grid, read-only."""
    return _changed.get((source.id, candidate.id), lambda: changed_mask(source.rgb, registered(source, candidate)))


def register(source_rgb: Array, candidate_rgb: Array) -> Registered:
    """Bring ``candidate_rgb`` (h, w, 3) to the size and position of ``source_rgb`` (H, W, 3), both uint8."""
    resized = resize_rgb(candidate_rgb, source_rgb.shape[:2])
    small_source, small_candidate = shrink(source_rgb, ESTIMATE_PX), shrink(resized, ESTIMATE_PX)
    same_size = source_rgb.shape == candidate_rgb.shape
    warp = None if same_size and _lies_still(small_source, small_candidate) else _fit(small_source, small_candidate)
    if warp is None:
        return _frozen(resized, np.ones(source_rgb.shape[:2], bool), (0.0, 0.0), (1.0, 1.0))
    return _apply(resized, warp)


def changed_mask(source_rgb: Array, registered: Registered) -> Array:
    """What was visibly changed, as (H, W) bool: robust to JPEG noise and to the haze that an autoencoder leaves.

    A pixel counts when its smoothed colour difference exceeds ``VISIBLE_LEVELS``, plus what resampling alone does at an
    edge of that contrast, plus the difference that is typical of the whole picture (bounded, so that a change of
    everything is still a change). Regions grow from clear to faint pixels; specks of a few pixels are dropped. Found at
    a long side of at most ``CHANGE_PX``: in a larger picture, what is lost then is not seen either.
    """
    import cv2

    small = _changed_at(*(shrink(array, CHANGE_PX) for array in (source_rgb, registered.image, registered.valid)))
    size = (source_rgb.shape[1], source_rgb.shape[0])
    mask = np.asarray(cv2.resize(small.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)
    mask.setflags(write=False)
    return mask


def _changed_at(source_rgb: Array, candidate_rgb: Array, valid: Array) -> Array:
    import cv2

    source, candidate = (cv2.GaussianBlur(rgb, (0, 0), 1.2).astype(np.float32) for rgb in (source_rgb, candidate_rgb))
    difference = np.abs(candidate - source).max(axis=2)
    tolerance = 0.35 * _edge_contrast(source).max(axis=2)  # per channel: subsampled chroma moves most at red edges
    typical = min(float(np.median(difference[valid])) if valid.any() else 0.0, 5.0)
    excess = np.where(valid, difference - tolerance - 2 * typical, 0.0)
    strong = cv2.morphologyEx((excess > VISIBLE_LEVELS).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    faint = (excess > VISIBLE_LEVELS / 2).astype(np.uint8)
    return _grow_from(strong, faint, least_px=max(9, strong.size // 100_000))


def resize_rgb(rgb: Array, shape: tuple[int, ...]) -> Array:
    """``rgb`` resized to ``shape`` (H, W): area average when it shrinks, bicubic when it grows."""
    import cv2

    if rgb.shape[:2] == tuple(shape[:2]):
        return rgb
    shrinks = rgb.shape[0] * rgb.shape[1] > shape[0] * shape[1]
    return cv2.resize(rgb, (shape[1], shape[0]), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def shrink(image: Array, long_side_px: int) -> Array:
    """``image`` with a long side of at most ``long_side_px``; never enlarged. Masks (bool) shrink to "any" pixels."""
    import cv2

    factor = long_side_px / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    if image.dtype == bool:
        return cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _frozen(image: Array, valid: Array, shift_px: tuple[float, float], scale: tuple[float, float]) -> Registered:
    image = image.view()  # the flag is set on a view: the caller's own array stays as it was
    image.setflags(write=False)
    valid.setflags(write=False)
    return Registered(image, valid, shift_px, scale)


def _apply(resized: Array, warp: _Warp) -> Registered:
    import cv2

    height, width = resized.shape[:2]
    matrix, flags = warp.matrix(resized.shape), cv2.WARP_INVERSE_MAP
    size = (width, height)
    image = cv2.warpAffine(resized, matrix, size, flags=flags | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    valid = cv2.warpAffine(np.ones((height, width), np.uint8), matrix, size, flags=flags | cv2.INTER_NEAREST)
    valid = cv2.erode(valid, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    shift = warp.shift * max(height, width) / 2
    return _frozen(image, valid, (float(shift[0]), float(shift[1])), (float(warp.scale[0]), float(warp.scale[1])))


def _luma(rgb: Array) -> Array:
    import cv2

    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _lies_still(source: Array, candidate: Array) -> bool:
    source_luma, candidate_luma = _luma(source), _luma(candidate)
    textured = _textured(source_luma)
    return bool(np.median(np.abs(source_luma - candidate_luma)[textured]) <= ALREADY_MATCHED_LEVELS)


def _textured(luma: Array) -> Array:
    """The half of the pixels with the larger contrast: only they tell where a picture lies."""
    contrast = _edge_contrast(luma)
    return contrast >= np.median(contrast)


def _edge_contrast(luma: Array) -> Array:
    """Morphological gradient over 3 x 3 px, in levels: how much a displacement of a pixel could change a pixel."""
    import cv2

    return cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))


def _normalised(luma: Array) -> Array:
    """Luminance without its local mean and contrast: tone edits, fog and darkening leave it nearly unchanged."""
    import cv2

    detail = cv2.GaussianBlur(luma, (0, 0), 1.0) - cv2.GaussianBlur(luma, (0, 0), 8.0)
    return detail / (np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 8.0)) + 4.0)  # 4 levels: flat areas stay flat


def _fit(source_rgb: Array, candidate_rgb: Array) -> _Warp | None:
    """The warp from source to candidate, or None when resizing alone is as good."""
    source_luma, candidate_luma = _luma(source_rgb), _luma(candidate_rgb)
    warp = _start(_normalised(shrink(source_luma, 128)), _normalised(shrink(candidate_luma, 128)))
    source, candidate = source_luma, candidate_luma
    for long_side_px, rounds in ((128, 10), (256, 6), (ESTIMATE_PX, 5)):
        source = _normalised(shrink(source_luma, long_side_px))
        candidate = _normalised(shrink(candidate_luma, long_side_px))
        for _ in range(rounds):
            warp = _improved(source, candidate, warp)
    still = _Warp(np.ones(2), np.zeros(2))
    textured = _textured(shrink(source_luma, ESTIMATE_PX))
    before, after = (_mismatch(source, candidate, textured, w) for w in (still, warp))
    return warp if warp.is_plausible() and after < CLEARLY_BETTER * before else None


def _start(source: Array, candidate: Array) -> _Warp:
    """The best of a few zooms, each with the shift that phase correlation finds."""
    window = np.outer(np.hanning(source.shape[0]), np.hanning(source.shape[1])).astype(np.float32)
    textured = np.ones(source.shape, bool)
    zooms = [_Warp(np.full(2, zoom), np.zeros(2)) for zoom in (1.0, 0.9, 0.95, 1.05, 1.1)]
    starts = [zooms[0], *(_phase_shifted(source, candidate, zoom, window) for zoom in zooms)]
    return min(starts, key=lambda warp: _mismatch(source, candidate, textured, warp))


def _phase_shifted(source: Array, candidate: Array, warp: _Warp, window: Array) -> _Warp:
    import cv2

    (dx, dy), _ = cv2.phaseCorrelate(source, _warped(candidate, warp), window)
    return _Warp(warp.scale, np.array([dx, dy]) * 2 / max(source.shape) * warp.scale)


def _warped(candidate: Array, warp: _Warp) -> Array:
    import cv2

    size = (candidate.shape[1], candidate.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(candidate, warp.matrix(candidate.shape), size, flags=flags, borderValue=(np.nan,) * 4)


def _mismatch(source: Array, candidate: Array, textured: Array, warp: _Warp) -> float:
    """Median difference of normalised luminance where there is texture; a warp without overlap is infinitely bad."""
    difference = np.abs(_warped(candidate, warp) - source)[textured]
    difference = difference[np.isfinite(difference)]
    return float(np.median(difference)) if difference.size > textured.sum() / 2 else float("inf")


def _improved(source: Array, candidate: Array, warp: _Warp) -> _Warp:
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
    return _Warp(warp.scale - step[:2], warp.shift - step[2:])


def _grow_from(strong: Array, faint: Array, least_px: int) -> Array:
    """Connected areas of ``faint`` that hold a ``strong`` pixel and at least ``least_px`` px."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(faint | strong, connectivity=8)
    keep = np.zeros(count, bool)
    keep[np.unique(labels[strong > 0])] = True
    keep &= stats[:, cv2.CC_STAT_AREA] >= least_px
    keep[0] = False
    return keep[labels]


_registered: RecentResults[Registered] = RecentResults(_REMEMBERED_BYTES, lambda r: r.image.nbytes + r.valid.nbytes)
_changed: RecentResults[Array] = RecentResults(_REMEMBERED_BYTES // 4, lambda mask: mask.nbytes)
