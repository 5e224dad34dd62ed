"""Fills a hole with patches copied from its neighbourhood, most certain first, in bounded time.

After Criminisi, Perez and Toyama (IEEE TIP 2004), without their edge term, which thin strokes do not need. The time
grows with the hole, so a large one is matched on a smaller copy; only *where* each pixel comes from is taken from
there, and the pixels themselves are copied at full size, as sharp as their texture is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_HALF_PX = 5
_SEARCH_PX = 64
_MOST_HOLE_PX = 5000  # of the copy that is matched: about 1.5 s
_LEAST_SOURCES = 30


def copied_ground(crop: Floats, hole: Mask, avoid: Mask) -> Floats | None:
    """The crop (H, W, 3) with ``hole`` filled; None where too little ground is there to copy from.

    ``avoid`` (H, W) is never copied.
    """
    step = int(np.ceil(np.sqrt(hole.sum() / _MOST_HOLE_PX)))
    blocks = [_blocks(mask, step) for mask in (hole, avoid)]
    sources = _sources(_means(crop, step), blocks[0], blocks[1])
    if sources is None:
        return None
    y, x = np.nonzero(hole)
    from_y, from_x = (sources[axis][y // step, x // step] * step + at % step for axis, at in ((0, y), (1, x)))
    filled = crop.copy()
    filled[y, x] = crop[np.minimum(from_y, crop.shape[0] - 1), np.minimum(from_x, crop.shape[1] - 1)]
    return np.asarray(filled)


def _blocks(mask: Mask, step: int) -> Mask:
    """Whether any pixel of each block of ``step`` px is set."""
    padded = np.pad(mask, [(0, -side % step) for side in mask.shape])
    return np.asarray(padded.reshape(padded.shape[0] // step, step, -1, step).any(axis=(1, 3)))


def _means(crop: Floats, step: int) -> NDArray[np.float32]:
    padded = np.pad(crop, [(0, -crop.shape[0] % step), (0, -crop.shape[1] % step), (0, 0)], mode="edge")
    return np.asarray(padded.reshape(padded.shape[0] // step, step, -1, step, 3).mean(axis=(1, 3)), dtype=np.float32)


def _sources(crop: NDArray[np.float32], hole: Mask, avoid: Mask) -> NDArray[np.intp] | None:
    """(2, H, W): row and column that each pixel's colour comes from; its own outside the hole."""
    import cv2

    half, side = _HALF_PX, 2 * _HALF_PX + 1
    around = (half, half, half, half, cv2.BORDER_REFLECT_101)
    canvas = cv2.copyMakeBorder(crop, *around)
    missing, other = (cv2.copyMakeBorder(mask.astype(np.uint8), *around).astype(bool) for mask in (hole, avoid))
    # centres of patches without any hole; copied patches never serve as sources, so errors do not spread
    whole = cv2.dilate((missing | other).astype(np.uint8), np.ones((side, side), np.uint8)) == 0
    inner = (slice(half, -half), slice(half, -half))
    whole[:half], whole[-half:], whole[:, :half], whole[:, -half:] = False, False, False, False
    if whole.sum() < _LEAST_SOURCES:
        return None
    places = [cv2.copyMakeBorder(axis.astype(np.int32), *around) for axis in np.indices(hole.shape)]
    certainty = (~missing).astype(np.float32)
    while missing[inner].any():
        support = np.full(missing.shape, -1.0, dtype=np.float32)
        known = cv2.boxFilter(certainty, -1, (side, side), normalize=True)
        support[inner] = np.where(missing[inner], known[inner], -1.0)
        y, x = (int(v) for v in np.unravel_index(int(np.argmax(support)), support.shape))
        here = _patch(y, x)
        there = _patch(*_best_source(canvas, ~missing[here], whole, y, x))
        unknown = missing[here].copy()
        for plane in (canvas, *places):
            plane[here][unknown] = plane[there][unknown]
        certainty[here][unknown] = 0.95 * max(float(support[y, x]), 0.01)
        missing[here] = False
    return np.stack([plane[inner] for plane in places]).astype(np.intp)


def _patch(y: int, x: int) -> tuple[slice, slice]:
    return slice(y - _HALF_PX, y + _HALF_PX + 1), slice(x - _HALF_PX, x + _HALF_PX + 1)


def _best_source(canvas: NDArray[np.float32], known: Mask, whole: Mask, y: int, x: int) -> tuple[int, int]:
    """Centre of the hole-free patch, near by if there is one, that is most like the known part of the one at (y, x)."""
    import cv2

    half, patch = _HALF_PX, np.ascontiguousarray(canvas[_patch(y, x)])
    mask = np.repeat(known[..., None], 3, axis=2).astype(np.float32)
    for reach in (_SEARCH_PX, 3 * _SEARCH_PX, max(canvas.shape)):
        top, left = max(half, y - reach), max(half, x - reach)
        bottom, right = min(canvas.shape[0] - half, y + reach), min(canvas.shape[1] - half, x + reach)
        free = whole[top:bottom, left:right]
        if free.any():
            window = np.ascontiguousarray(canvas[top - half : bottom + half, left - half : right + half])
            cost = cv2.matchTemplate(window, patch, cv2.TM_SQDIFF, mask=mask)
            best = int(np.argmin(np.where(free, cost, np.inf)))
            return top + best // free.shape[1], left + best % free.shape[1]
    raise AssertionError("the caller made sure that there is a hole-free patch")
