"""Whether all parts of a picture have one history: the level of their noise, and the phase of their JPEG grid.

Pure functions of luminance, (h, w) float32 in levels of 0 to 255; each gives None where there is too little to compare.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CELL_PX = 4
TILE_PX = 16
LEAST_TILES = 16
SMOOTH = 3.0  # levels a px: texture above it hides noise
NOISE_SLOPE = 0.2  # levels a px for each level of noise, in pure noise 0.23: else grain would pass for texture
NOISE_FLOOR = 1.0  # levels: rounding and a JPEG of quality 95 leave about half of it
CLIPPED = (12.0, 243.0)  # levels between which noise can show

GRID_PX = 8
STRIDE_PX = 16
WINDOW_STRIDES = 4  # windows of 64 px, every 16 px
LEAST_WINDOWS = 16
MARGIN = 1.0  # levels: a step must exceed its neighbours by this to vote
EDGES = 3  # of the 8 grid lines through a window: as many may be straight edges of the scene
SURE = 2.5  # standard deviations
SHARE = 0.05  # of the windows: the most suspicious ones speak for the picture


def noise_spread(luma: Array) -> float | None:
    """Spread of log noise over the smooth parts beyond what brightness and texture explain, 0 and up.

    0.1: neighbourhoods of 48 px differ by a tenth. None when fewer than ``LEAST_TILES`` tiles are smooth and unclipped.
    """
    import cv2

    if min(luma.shape) < TILE_PX:
        return None
    noise, slope, level = _noise_tiles(luma)
    usable = (level > CLIPPED[0]) & (level < CLIPPED[1])
    if np.count_nonzero(usable) < LEAST_TILES:
        return None
    usable &= slope <= max(SMOOTH, float(np.percentile(slope[usable], 25)))
    if np.count_nonzero(usable) < LEAST_TILES:
        return None
    residual = np.zeros(noise.shape, np.float32)
    residual[usable] = _unexplained(noise[usable], slope[usable], level[usable])
    near, count = (cv2.blur(p, (3, 3), borderType=cv2.BORDER_CONSTANT) for p in (residual, usable.astype(np.float32)))
    return float(np.sqrt(np.mean((near[usable] / np.maximum(count[usable], 0.2)) ** 2)))


def _noise_tiles(luma: Array) -> tuple[Array, Array, Array]:
    """(noise in levels, slope in levels a px, mean level) of each tile: noise and slope from its quieter half."""
    import cv2

    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) * np.float32(np.sqrt(np.pi / 2) / 6)
    response = np.abs(cv2.filter2D(luma, cv2.CV_32F, kernel))
    smooth = cv2.GaussianBlur(luma, (0, 0), 1.0)
    slope = cv2.magnitude(*(cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0)))
    cells = [_cells(plane) for plane in (response, slope, luma)]
    quiet = np.argsort(cells[0], axis=-1, kind="stable")[..., : cells[0].shape[-1] // 2]
    noise, steep = (np.take_along_axis(cell, quiet, -1).mean(axis=-1) for cell in cells[:2])
    return noise, np.sqrt(np.maximum(0.0, steep**2 - (NOISE_SLOPE * noise) ** 2)), cells[2].mean(axis=-1)


def _cells(plane: Array) -> Array:
    """Means of the cells of each whole tile, (tile rows, tile columns, cells)."""
    rows, columns = (length // TILE_PX for length in plane.shape)
    n = TILE_PX // CELL_PX
    means = _block_means(plane[: rows * TILE_PX, : columns * TILE_PX], CELL_PX, CELL_PX)
    cells = means.reshape(rows, n, columns, n).transpose(0, 2, 1, 3).reshape(rows, columns, n * n)
    return np.asarray(cells, dtype=np.float64)


def _block_means(plane: Array, height: int, width: int) -> Array:
    import cv2

    size = (plane.shape[1] // width, plane.shape[0] // height)
    return np.asarray(cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_AREA))


def _unexplained(noise: Array, slope: Array, level: Array) -> Array:
    """Log noise less a smooth function of texture and brightness, fitted so that a deviating minority has no say."""
    x, b = np.log(slope + 0.3), level / 128
    design = np.stack([np.ones_like(x), x, x * x, b, b * b], axis=-1)
    wanted = np.log(noise + NOISE_FLOOR)
    weight = np.ones_like(wanted)
    for _ in range(6):  # iteratively reweighted least squares, Cauchy weights
        root = np.sqrt(weight)
        residual = wanted - design @ np.linalg.lstsq(design * root[:, None], wanted * root, rcond=None)[0]
        scale = 1.4826 * float(np.median(np.abs(residual))) + 1e-3
        weight = 1 / (1 + (residual / (1.5 * scale)) ** 2)
    return np.asarray(residual)


def foreign_grid(luma: Array) -> float | None:
    """How clearly the most suspicious windows show another 8 px grid than the picture does, [0, 1].

    0.1: there, a tenth more of the steps lie on another phase than on the picture's own. None for small pictures.
    """
    across, down = (_line_votes(plane) for plane in (luma, luma.T))
    if across is None or down is None:
        return None
    rows, columns = min(across.shape[0], down.shape[1]), min(across.shape[1], down.shape[0])
    if rows * columns < LEAST_WINDOWS:
        return None
    both = _foreign(across)[:rows, :columns] + _foreign(down).T[:rows, :columns]
    evidence = np.sort((both / 2).ravel())
    return float(evidence[-max(1, round(SHARE * evidence.size)) :].mean())


def _line_votes(luma: Array) -> Array | None:
    """Votes of the horizontal steps of each window for its grid lines, (rows, columns, 8 lines, 8 phases).

    A step votes when it is larger than both its neighbours: a count does not care how strong an edge is. None when the
    plane has no whole window.
    """
    import cv2

    rows, columns = luma.shape[0] // STRIDE_PX, (luma.shape[1] - GRID_PX - 1) // STRIDE_PX
    if rows < WINDOW_STRIDES or columns < WINDOW_STRIDES:
        return None
    plane = np.ascontiguousarray(luma)
    step = cv2.absdiff(plane[:, 1:], plane[:, :-1])
    vote = (step[:, 1:-1] > cv2.max(step[:, :-2], step[:, 2:]) + np.float32(MARGIN)).astype(np.float32)
    vote = vote[: rows * STRIDE_PX, 6 : 6 + columns * STRIDE_PX]  # from the step into column 8 on
    strips = np.round(_block_means(vote, STRIDE_PX, 1) * STRIDE_PX)
    above = np.vstack([np.zeros((1, strips.shape[1])), strips.cumsum(axis=0, dtype=np.float64)])
    side = WINDOW_STRIDES * STRIDE_PX
    windows = np.lib.stride_tricks.sliding_window_view(above[WINDOW_STRIDES:] - above[:-WINDOW_STRIDES], side, axis=1)
    return windows[:, ::STRIDE_PX].reshape(rows - WINDOW_STRIDES + 1, -1, side // GRID_PX, GRID_PX)


def _foreign(votes: Array) -> Array:
    """By how much a foreign phase's share of the votes surely exceeds that of the rightful ones, (rows, columns).

    Rightful are the phase that most of the picture votes for and phase 0, the grid of the final JPEG, which shows where
    the picture is smooth. The lines of a phase with the most votes are left out: a grid is on all of them, a straight
    edge of the scene on one.
    """
    own = int(np.argmax(votes.sum(axis=(0, 1, 2))))
    kept = np.sort(votes, axis=2)[:, :, : votes.shape[2] - EDGES].sum(axis=2)
    total = kept.sum(axis=-1) + GRID_PX
    share = (kept + 1) / total[..., None]
    base = np.maximum(np.maximum(share[..., own], share[..., 0]), np.median(share, axis=-1))
    other = np.delete(share, [0, own], axis=-1).max(axis=-1)
    return np.asarray(np.maximum(0.0, other - base - SURE * np.sqrt((other + base) / total)))
