"""technical: what is wrong with the pixels themselves, whatever the task was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scorers._compare import central
from scorers._item_scorer import ItemScorer
from selector.domain import Axis, Column, Item, Score, TaskType
from selector.sight.resize import shrink

Array = np.ndarray[Any, np.dtype[Any]]

WINDOW_PX = 1024
SHARP_LEVELS = 12.0
NOISE_LEVELS = 8.0
CAST_DEGREES = 25.0
FULL_RESOLUTION_PX = 1024


class Technical(ItemScorer):
    """technical: what is wrong with the pixels themselves, whatever the task was.

    Estimates: seven faults or virtues that a judge of perceptual quality sees, from the candidate alone.
    Range and direction: all [0, 1]; sharpness and resolution up, noise, blocking, clipping, banding, colour_cast down.
    Axis: PQ. Tasks: all.
    Input: the candidate's pixels.
    Model and licence: none.
    Cost: about 40 ms a 1024 px image on one core. Larger pictures are measured on a 1024 px window from their centre,
        at native pixels, because resizing removes noise and the JPEG grid; colour_cast and clipping see the whole
        picture.

    Measures (each mapping is strictly monotone until it saturates):
    - sharpness: standard deviation s of the Laplacian (Pech-Pacheco et al. 2000) in the sharpest quarter of 32 px
      tiles, so that a blurred background is no fault; s / (s + 12).
    - noise: sigma by Immerkaer (CVIU 1996) in the quietest quarter of 16 px tiles, which leaves edges out (after Tai
      and Yang 2008); 1 - exp(-sigma / 8).
    - blocking: steps across the best-fitting 8 px grid beyond steps elsewhere (after Wang, Bovik and Evans 2000), small
      steps only; excess / (excess + rest).
    - clipping: share of pixels whose luminance is under 3 or over 252.
    - banding: share of pixels that are flat where the smoothed picture slopes (false contours), at strides of 1, 4 and
      8 px, away from edges of over 64 levels. Clean photographs have 0.1 to 0.3.
    - colour_cast: angle between grey and the mean unclipped colour (grey world, Buchsbaum 1980), / 25 degrees.
    - resolution: side of the square picture that would hold the resolved detail, / 1024 px: sqrt(pixels) x the share of
      the frequencies that hold 98% of the spectrum, whitened by f because natural spectra fall so.

    Fails: drawn graphics and text pages look clipped and banded; a sunset looks like a cast; fine regular texture looks
        like noise. Compare candidates of one task, whose content is the same, rather than pictures of different tasks.
    Source: the papers named above; the mappings to [0, 1] are our own.

    Example:
        >>> from skimage import data
        >>> from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_scorer
        >>> portrait = Picture(encode_final(data.astronaut()))
        >>> item = Item(TaskInputs(Task("7", TaskType.T2I, "an astronaut", None, None, 0)), portrait)
        >>> (scores,) = create_scorer("technical").score([item])
        >>> scores["sharpness"].value > 0.5 > scores["noise"].value
        True
    """

    name = "technical"
    version = "1"
    task_types = frozenset(TaskType)
    columns = (
        Column("sharpness", 0.0, 1.0, True, Axis.PQ, "edge strength in the sharpest quarter of the picture"),
        Column("noise", 0.0, 1.0, False, Axis.PQ, "grain in the quietest quarter of the picture"),
        Column("blocking", 0.0, 1.0, False, Axis.PQ, "visible 8 px grid of JPEG"),
        Column("clipping", 0.0, 1.0, False, Axis.PQ, "share of pure black and white pixels"),
        Column("banding", 0.0, 1.0, False, Axis.PQ, "false contours instead of smooth tones"),
        Column("colour_cast", 0.0, 1.0, False, Axis.PQ, "distance of the estimated light from grey"),
        Column("resolution", 0.0, 1.0, True, Axis.PQ, "resolved detail, 1.0 is 1024 x 1024 px or more"),
    )

    def measure(self, item: Item) -> Mapping[str, Score]:
        return {name: Score.of(value) for name, value in measures(item.picture.rgb).items()}


def measures(rgb: Array) -> dict[str, float]:
    """All columns of one picture (H, W, 3) uint8, each in [0, 1]."""
    import cv2

    luma8 = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    window = central(luma8, WINDOW_PX)
    luma = window.astype(np.float32)
    return {
        "sharpness": sharpness(luma),
        "noise": noise(luma),
        "blocking": blocking(luma),
        "clipping": clipping(luma8),
        "banding": banding(central(rgb[:, :, 1], WINDOW_PX)),  # green: each channel has its own steps
        "colour_cast": colour_cast(rgb),
        "resolution": resolution(luma, luma8.size),
    }


def sharpness(luma: Array) -> float:
    """Edge strength, [0, 1], of luminance (H, W) float32 in levels."""
    import cv2

    strength = np.sqrt(_tile_means(cv2.Laplacian(luma, cv2.CV_32F) ** 2, 32))
    value = float(np.mean(strength[strength >= np.percentile(strength, 75)]))
    return value / (value + SHARP_LEVELS)


def noise(luma: Array) -> float:
    """Grain, [0, 1], of luminance (H, W) float32 in levels."""
    return 1.0 - float(np.exp(-noise_levels(luma) / NOISE_LEVELS))


def noise_levels(luma: Array) -> float:
    """Standard deviation of the noise in levels: Immerkaer's operator, averaged over the quietest quarter of tiles."""
    import cv2

    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    sigma = _tile_means(np.abs(cv2.filter2D(luma, cv2.CV_32F, kernel)), 16) * np.sqrt(np.pi / 2) / 6
    level = _tile_means(luma, 16)
    sigma = sigma[(level > 8) & (level < 247)]  # clipped tiles show no noise, however much there was
    return float(np.mean(sigma[sigma <= np.percentile(sigma, 25)])) if sigma.size else 0.0


def blocking(luma: Array) -> float:
    """Visibility of an 8 px grid at any phase, [0, 1]; the mean of both directions."""
    return (_grid_excess(luma) + _grid_excess(luma.T)) / 2


def _grid_excess(luma: Array) -> float:
    # The step beyond what its neighbours on both sides explain; capped, so that real edges do not drown the grid.
    step = np.abs(np.diff(luma, axis=1))
    beyond = np.clip(step[:, 1:-1] - (step[:, :-2] + step[:, 2:]) / 2, 0.0, 8.0).mean(axis=0)
    if beyond.size < 16:
        return 0.0
    phases = np.array([beyond[phase::8].mean() for phase in range(8)])
    rest = float(np.median(phases))
    excess = float(phases.max()) - rest
    return max(0.0, excess / (excess + rest + 0.1))


def clipping(luma8: Array) -> float:
    """Share of pixels, [0, 1], at either end of luminance (H, W) uint8."""
    return float(np.mean((luma8 < 3) | (luma8 > 252)))


def banding(plane8: Array) -> float:
    """Share of flat pixels where the picture slopes, [0, 1]; one channel (H, W) uint8."""
    import cv2

    smooth = cv2.medianBlur(plane8, 5)  # takes JPEG's and the sensor's grain away and leaves steps as they are
    counts = np.zeros(2)
    for stride in (1, 4, 8):  # points, not averages: a slow gradient becomes steep and its steps stay sharp
        counts += _flat_on_slopes(np.ascontiguousarray(smooth[::stride, ::stride]))
    return float(counts[0] / max(counts[1], plane8.size / 200))  # a picture with hardly any slope has no bands


def _flat_on_slopes(plane8: Array) -> Array:
    """Numbers of pixels (flat although on a slope, on a slope) along both axes."""
    import cv2

    blurred = cv2.GaussianBlur(plane8.astype(np.float32), (0, 0), 2.5)
    contrast = cv2.morphologyEx(plane8, cv2.MORPH_GRADIENT, np.ones((17, 17), np.uint8))  # as far as the blur reaches
    counts = np.zeros(2)
    for axis in (0, 1):
        step = np.abs(np.diff(plane8.astype(np.int16), axis=axis))
        slope = np.abs(np.diff(blurred, axis=axis))
        on_slope = (slope >= 1.0) & (np.delete(contrast, 0, axis) <= 64)
        counts += np.count_nonzero(on_slope & (step <= slope / 3)), np.count_nonzero(on_slope)
    return counts


def colour_cast(rgb: Array) -> float:
    """Angle of the estimated light from grey over ``CAST_DEGREES``, [0, 1]; (H, W, 3) uint8."""
    pixels = shrink(rgb, 256).reshape(-1, 3).astype(np.float64) / 255
    pixels = pixels[(pixels.max(axis=1) < 0.99) & (pixels.max(axis=1) > 0.03)]  # clipped pixels have lost their hue
    if not len(pixels):
        return 0.0
    light = pixels.mean(axis=0)
    cosine = float(light.sum() / (np.sqrt(3) * np.linalg.norm(light)))
    return min(1.0, float(np.degrees(np.arccos(min(1.0, cosine)))) / CAST_DEGREES)


def resolution(luma: Array, pixels: int) -> float:
    """Resolved detail of luminance (h, w), [0, 1]; ``pixels``: size of the whole picture that ``luma`` is part of."""
    return min(1.0, float(np.sqrt(pixels)) * _used_bandwidth(luma) / FULL_RESOLUTION_PX)


def _used_bandwidth(luma: Array) -> float:
    """Share of the frequencies up to Nyquist that hold 98% of the whitened energy, over nine tiles at most."""
    side = min(256, *luma.shape)
    energy = np.zeros(side // 2 + 1)
    for top in {0, (luma.shape[0] - side) // 2, luma.shape[0] - side}:
        for left in {0, (luma.shape[1] - side) // 2, luma.shape[1] - side}:
            energy += _radial_energy(luma[top : top + side, left : left + side])
    share = np.cumsum(energy) / max(float(energy.sum()), 1e-9)
    return float(np.searchsorted(share, 0.98) + 1) / len(share)


def _radial_energy(tile: Array) -> Array:
    side = tile.shape[0]
    window = np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.rfft2((tile - tile.mean()) * window)) ** 2
    fy, fx = np.fft.fftfreq(side)[:, None] * side, np.arange(side // 2 + 1)[None, :]
    radius = np.hypot(fy, fx)
    ring = np.minimum(np.round(radius).astype(int), side // 2 + 1)
    return np.bincount(ring.ravel(), (power * radius).ravel(), minlength=side // 2 + 2)[:-1]


def _tile_means(plane: Array, side_px: int) -> Array:
    """Means over whole square tiles (rows, columns); one mean when the plane is smaller than a tile."""
    rows, columns = plane.shape[0] // side_px, plane.shape[1] // side_px
    if not rows or not columns:
        return np.array([[float(plane.mean())]])
    tiles = plane[: rows * side_px, : columns * side_px].reshape(rows, side_px, columns, side_px)
    return np.asarray(tiles.mean(axis=(1, 3)), dtype=np.float64)
