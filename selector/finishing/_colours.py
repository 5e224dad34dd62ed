"""Colours of an edited picture brought back to its source's, judged by what the edit left alone.

Pipelines that encode and decode a whole picture shift its colours everywhere by some levels; a judge of over-editing
compares it with the source. The unchanged part is found together with the shift: a colour map is fitted robustly to
everything outside of the region that the task names, what still differs visibly is taken out, and the map is fitted
again. The map (affine in sRGB and in the place, so that a slope across the picture is not taken for a matter of colour)
goes over the whole picture, so that the edit keeps its place among its surroundings; a slow field takes what the map
leaves, fading out inside of the edit. Cost: about 1 s at 512 px on one core.
Declined: tasks without a source; edits of the whole picture's tones; pictures in which nothing is unchanged, or whose
colours are so far off that it must have been meant.
Fails: a tone edit in words that are not understood, and too slight to be told from a shift, is taken back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import Declined, TaskInputs
from selector.domain.types import JSONValue
from selector.sight.colour_spaces import Pixels
from selector.sight.edit_region import edit_region
from selector.sight.registration import Registered, changed_mask, register
from selector.sight.resize import shrink

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Map = NDArray[Any]  # (6, 3): what ``_features`` add to (r, g, b), in levels

FIT_PX = 512
ROUNDS = 3  # of fitting and finding what is unchanged
REWEIGHTINGS = 10
LEAST_SPREAD_LEVELS = 1.5  # of the residuals: JPEG alone makes as much
TUKEY = 4.685
RIDGE_LEVELS = 6.0  # colours that spread less than this do not tell a slope
LEAST_PIXELS = 200
LEAST_UNCHANGED = 0.15  # of the picture
LEAST_LIKENESS = 0.5  # correlation of detail in what counts as unchanged: flat areas of any two pictures may agree
MAX_CAST_LEVELS = 15.0  # on average; what pipelines do is below 10
MAX_CHANGE_LEVELS = 30.0  # of the 5% of pixels that change most
PLACE_LEVELS = 50.0  # a place from -1 to 1 is spread as colours are, so that one ridge serves both
FIELD_PX = 256
FIELD_SIGMA = 0.03  # of the longer side
MAX_FIELD_LEVELS = 12.0
ROOM_LEVELS = 4.0  # the map's change may go so much beyond what was seen on unchanged pixels


def match_colours(inputs: TaskInputs, rgb: Pixels, strength: float) -> tuple[Pixels, dict[str, JSONValue]]:
    """The picture with its source's colours, and how far off they were.

    Args:
        inputs: the task; its source is what is compared with.
        rgb: (H, W, 3) uint8, of any size; what was shifted or slightly zoomed is registered first.
        strength: 0 (as it was) to 1.

    Raises:
        Declined: see the module. MissingPart: the face detector or the reader is not here.
    """
    if inputs.source is None:
        raise Declined("colours: a task without a source picture has no colours to match")
    source = inputs.source.rgb
    placed = register(source, rgb)
    region = edit_region(replace(inputs, reading=None))  # a finish is known by its version alone
    open_part = placed.valid if region is None else placed.valid & ~region
    if open_part.mean() < LEAST_UNCHANGED:
        raise Declined("colours: the task asks for a change of the whole picture, so there is nothing to match")
    colour_map, unchanged = _fitted(source, placed, open_part)
    seen = _change(placed.image, colour_map)
    cast = float(np.abs(seen[unchanged].mean(axis=0)).max())
    _check(source, placed.image + seen, unchanged, cast, seen[unchanged])
    low, high = np.quantile(seen[unchanged], [0.005, 0.995], axis=0)
    limits = low - ROOM_LEVELS, high + ROOM_LEVELS
    change = np.clip(_change(rgb, colour_map), *limits)
    if _lies_still(placed):
        change = change + _field(source - (placed.image + np.clip(seen, *limits)), unchanged, rgb.shape)
    notes = {"cast_levels": round(cast, 2), "unchanged_share": round(float(unchanged.mean()), 3)}
    return np.round(np.clip(rgb + strength * change, 0, 255)).astype(np.uint8), notes


def _fitted(source: Pixels, placed: Registered, open_part: Mask) -> tuple[Map, Mask]:
    """The colour map, and the part that is unchanged but for it, (H, W) on the source's grid."""
    unchanged = open_part
    colour_map: Map = np.zeros((6, 3))
    for _ in range(ROUNDS):
        colour_map = _robust_map(*_samples(source, placed.image, unchanged))
        moved = np.clip(placed.image + _change(placed.image, colour_map), 0, 255)
        corrected = replace(placed, image=np.round(moved).astype(np.uint8))
        unchanged = open_part & ~changed_mask(source, corrected)
        if unchanged.mean() < LEAST_UNCHANGED:
            share = f"{100 * float(unchanged.mean()):.0f}%"
            raise Declined(f"colours: only {share} of the picture are as they were, too little to match colours by")
    return colour_map, unchanged


def _samples(source: Pixels, image: Pixels, where: Mask) -> tuple[Floats, Floats]:
    """(the picture's features (N, 5), the source's colours (N, 3)), smoothed, where neither of them is clipped."""
    import cv2

    small = [cv2.GaussianBlur(shrink(rgb, FIT_PX), (0, 0), 1.2).astype(np.float32) for rgb in (image, source)]
    use = ~shrink(np.asarray(~where), FIT_PX)
    for pixels in small:
        use &= (pixels.min(axis=2) > 3) & (pixels.max(axis=2) < 252)
    if use.sum() < LEAST_PIXELS:
        raise Declined("colours: too few unclipped pixels outside of the edit to match colours by")
    return _features(small[0])[use], small[1][use]


def _features(rgb: NDArray[Any]) -> Floats:
    """Colour in levels and place of every pixel, (H, W, 5)."""
    y, x = (np.linspace(-PLACE_LEVELS, PLACE_LEVELS, n, dtype=np.float32) for n in rgb.shape[:2])
    return np.dstack([rgb, *np.broadcast_arrays(x[None, :], y[:, None])]).astype(np.float32)


def _robust_map(have: Floats, want: Floats) -> Map:
    """Affine map by least squares with Tukey's biweight (Beaton and Tukey 1974), from the median difference on."""
    colour_map: Map = np.zeros((6, 3))
    goal = want - have[:, :3]
    colour_map[5] = np.median(goal, axis=0)
    for _ in range(REWEIGHTINGS):
        residual = np.abs(goal - _mapped(have, colour_map)).max(axis=1)
        spread = TUKEY * max(1.4826 * float(np.median(residual)), LEAST_SPREAD_LEVELS)
        weight = np.clip(1 - (residual / spread) ** 2, 0, None) ** 2
        if weight.sum() < LEAST_PIXELS / 4:
            break
        colour_map = _weighted_map(have.astype(np.float64), goal.astype(np.float64), weight)
    return colour_map


def _weighted_map(have: NDArray[Any], change: NDArray[Any], weight: NDArray[Any]) -> Map:
    """About the weighted means, with a ridge towards no slope: grey pictures do not tell what becomes of red."""
    total = weight.sum()
    mean, shift = weight @ have / total, weight @ change / total
    centred = have - mean
    normal = (centred * weight[:, None]).T @ centred / total + RIDGE_LEVELS**2 * np.eye(have.shape[1])
    slopes = np.linalg.solve(normal, (centred * weight[:, None]).T @ (change - shift) / total)
    return np.vstack([slopes, shift - mean @ slopes])


def _change(rgb: NDArray[Any], colour_map: Map) -> Floats:
    """What the map adds to each pixel, (H, W, 3) in levels."""
    return _mapped(_features(rgb), colour_map)


def _mapped(features: Floats, colour_map: Map) -> Floats:
    return np.asarray(features @ colour_map[:5].astype(np.float32) + colour_map[5], dtype=np.float32)


def _check(source: Pixels, corrected: Floats, unchanged: Mask, cast: float, changes: Floats) -> None:
    """Raise ``Declined`` when the part called unchanged shows another thing, or is a deliberately other tone."""
    largest = float(np.quantile(np.abs(changes).max(axis=1), 0.95))
    if cast > MAX_CAST_LEVELS or largest > MAX_CHANGE_LEVELS:
        raise Declined(f"colours: they are up to {largest:.0f} levels from the source's: that is an edit and no cast")
    one, other = _detail(source)[unchanged], _detail(corrected)[unchanged]
    if min(one.std(), other.std()) > 1.0 and np.corrcoef(one, other)[0, 1] < LEAST_LIKENESS:
        raise Declined("colours: the picture does not show what its source shows, so no part counts as unchanged")


def _detail(rgb: NDArray[Any]) -> Floats:
    import cv2

    grey = rgb.astype(np.float32).mean(axis=2)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0) - cv2.GaussianBlur(grey, (0, 0), 4.0), dtype=np.float32)


def _lies_still(placed: Registered) -> bool:
    return bool(placed.valid.all()) and placed.shift_px == (0.0, 0.0) and placed.scale == (1.0, 1.0)


def _field(residual: Floats, unchanged: Mask, shape: tuple[int, ...]) -> Floats:
    """Slow part of what is left on unchanged pixels, (H, W, 3) of ``shape``; fades out where none are near."""
    import cv2

    height, width = residual.shape[:2]
    factor = min(1.0, FIELD_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    known = np.dstack([np.clip(residual, -MAX_FIELD_LEVELS, MAX_FIELD_LEVELS) * unchanged[..., None], unchanged])
    small = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], 4)
    sigma = max(0.5, FIELD_SIGMA * max(size))
    spread = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    slow = spread[..., :3] / np.maximum(spread[..., 3:], 1e-3) * np.clip(spread[..., 3:] / 0.3, 0, 1)
    return np.asarray(cv2.resize(slow, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR))
