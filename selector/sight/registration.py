"""Brings a candidate back onto its source: diffusion edit pipelines return another size, shifted or slightly zoomed.

The candidate is resized to the source's size, or, where its proportions differ, to the largest window in the source's
middle that has them: it may be a crop, but nothing is ever stretched. Then a scale per axis and a shift are fitted
(``warp_fit``) and used only if they improve the match clearly. Cost at 512 px: 5 ms when nothing moved, 0.1 s
otherwise, 20 ms for the changed mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from selector.domain import Picture
from selector.sight.memory import RecentResults
from selector.sight.resize import centre_window, resize_rgb, shrink
from selector.sight.warp_fit import ESTIMATE_PX, Warp, edge_contrast, fit_warp, lies_still

__all__ = ["Registered", "changed", "changed_mask", "register", "registered"]

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_PX = 32  # a shorter side shows too little to fit anything to
CHANGE_PX = 1024
VISIBLE_LEVELS = 10.0  # of 255, after smoothing over about 3 px
_REMEMBERED_BYTES = 48 << 20  # what the scorers of one pass hold at once: 8 candidates a worker of 1 MP


@dataclass(frozen=True)
class Registered:
    """A candidate on the pixel grid of its source.

    Attributes:
        image: (H, W, 3) uint8, H and W those of the source; read-only. The source's own pixels outside a window.
        valid: (H, W) bool, False where the candidate shows nothing of this part of the source.
        shift_px: where the candidate's content lay, relative to the source (x right, y down), in px of the source.
        scale: zoom of the candidate's content per axis (x, y) after resizing; 1.0 is none.
    """

    image: Array
    valid: Array
    shift_px: tuple[float, float]
    scale: tuple[float, float] = (1.0, 1.0)


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
    window = centre_window(source_rgb.shape, candidate_rgb.shape)
    part = np.ascontiguousarray(source_rgb[window])
    if part.shape == source_rgb.shape:
        return _fitted(source_rgb, candidate_rgb)
    inner = _fitted(part, candidate_rgb)
    image, valid = source_rgb.copy(), np.zeros(source_rgb.shape[:2], bool)
    image[window], valid[window] = inner.image, inner.valid
    return _frozen(image, valid, inner.shift_px, inner.scale)


def _fitted(source_rgb: Array, candidate_rgb: Array) -> Registered:
    resized = resize_rgb(candidate_rgb, source_rgb.shape[:2])
    small_source, small_candidate = shrink(source_rgb, ESTIMATE_PX), shrink(resized, ESTIMATE_PX)
    still = source_rgb.shape == candidate_rgb.shape and lies_still(small_source, small_candidate)
    warp = None if still or min(small_source.shape[:2]) < LEAST_PX else fit_warp(small_source, small_candidate)
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
    tolerance = 0.35 * edge_contrast(source).max(axis=2)  # per channel: subsampled chroma moves most at red edges
    typical = min(float(np.median(difference[valid])) if valid.any() else 0.0, 5.0)
    excess = np.where(valid, difference - tolerance - 2 * typical, 0.0)
    strong = cv2.morphologyEx((excess > VISIBLE_LEVELS).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    faint = (excess > VISIBLE_LEVELS / 2).astype(np.uint8)
    return _grow_from(strong, faint, least_px=max(9, strong.size // 100_000))


def _frozen(image: Array, valid: Array, shift_px: tuple[float, float], scale: tuple[float, float]) -> Registered:
    image = image.view()  # the flag is set on a view: the caller's own array stays as it was
    image.setflags(write=False)
    valid.setflags(write=False)
    return Registered(image, valid, shift_px, scale)


def _apply(resized: Array, warp: Warp) -> Registered:
    import cv2

    height, width = resized.shape[:2]
    matrix, flags = warp.matrix(resized.shape), cv2.WARP_INVERSE_MAP
    size = (width, height)
    image = cv2.warpAffine(resized, matrix, size, flags=flags | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    valid = cv2.warpAffine(np.ones((height, width), np.uint8), matrix, size, flags=flags | cv2.INTER_NEAREST)
    valid = cv2.erode(valid, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    shift = warp.shift * max(height, width) / 2
    return _frozen(image, valid, (float(shift[0]), float(shift[1])), (float(warp.scale[0]), float(warp.scale[1])))


def _grow_from(strong: Array, faint: Array, least_px: int) -> Array:
    """Connected areas of ``faint`` that hold a ``strong`` pixel and at least ``least_px`` px."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(faint | strong, connectivity=8)
    keep = np.zeros(count, bool)
    keep[np.unique(labels[strong > 0])] = True
    keep &= stats[:, cv2.CC_STAT_AREA] >= least_px
    keep[0] = False
    return np.asarray(keep[labels])


_registered: RecentResults[Registered] = RecentResults(_REMEMBERED_BYTES, lambda r: r.image.nbytes + r.valid.nbytes)
_changed: RecentResults[Array] = RecentResults(_REMEMBERED_BYTES // 4, lambda mask: mask.nbytes)
