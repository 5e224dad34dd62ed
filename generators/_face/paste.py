"""How an aligned, swapped face comes back into its scene: mask, restoration, colour, sharpness, blending.

All at the scene's own resolution, and only where the mask is: every other pixel stays as it is, bit by bit.
Lengths are shares of the swapper's crop, whose side is about 3.6 distances between the eyes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from generators._face import blend
from generators._face.grids import Grid, crop_of, redraw, region_under
from selector.sight.faces import forehead_points, hull_mask

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
Pixels = NDArray[np.uint8]
MaskKind = Literal["box", "ellipse", "hull"]

ELLIPSE = (0.5, 0.57, 0.37, 0.40)  # centre and half axes, shares of the crop: brows to chin, ear to ear
LEAST_PX = 30  # under this no statistics of colour or detail


@dataclass(frozen=True)
class Paste:
    """How one swap is brought in; strengths from 0 (off) to 1."""

    mask: MaskKind = "box"
    inset: float = 0.06  # what is left out along the border of the crop (box), or of the face (ellipse, hull)
    feather: float = 0.12  # width of the transition, inwards
    restore: float = 0.0  # share of the restorer's picture
    colour: float = 0.0  # mean and spread of the scene's colours
    sharpness: float = 0.0  # fine detail as strong as the scene's


@dataclass(frozen=True, eq=False)
class Aligned:
    """A swapped face (side, side, 3) float32, the crop that it fills, and the scene's 68 landmarks or None."""

    face: Image
    crop: Grid
    landmarks: Floats | None


def paste(
    scene: Pixels, swapped: Aligned, how: Paste, restoring: tuple[Grid, Callable[[Image], Image]] | None = None
) -> Pixels:
    """The scene (H, W, 3) with the swapped face; ``restoring`` is the restorer's crop and what it does to it.

    Raises:
        Declined: the face lies outside of the scene. GenerationFailed: the restorer gave nothing.
    """
    height, width = scene.shape[:2]
    region, window = region_under(swapped.crop, width, height)
    part = np.ascontiguousarray(scene[window])
    face = redraw(swapped.face, swapped.crop, region)
    if restoring is not None and how.restore > 0:
        restored = _restored(scene, swapped, how, *restoring)
        face = face + how.restore * (redraw(restored, restoring[0], region) - face)
    alpha = alpha_on(region, swapped, how)
    face = _matched(face, part.astype(np.float32), region, swapped, how)
    result: Pixels = scene.copy()
    result[window] = blend.mix(part, face, alpha)
    return result


def alpha_on(grid: Grid, swapped: Aligned, how: Paste) -> Image:
    """Weight of the new face for every pixel of a grid, (H, W) float32 on 0 to 1, 0 outside of the crop."""
    x, y = swapped.crop.shares_on(grid)
    to_border = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    if how.mask == "box":
        return _risen(to_border, how.inset, how.feather)
    inside = (to_border > 0).astype(np.float32)
    if how.mask == "ellipse" or swapped.landmarks is None:
        centre_x, centre_y, half_width, half_height = ELLIPSE
        radius = np.hypot((x - centre_x) / half_width, (y - centre_y) / half_height)
        return inside * _risen((1 - radius) * half_width, how.inset, how.feather)
    points = np.vstack([swapped.landmarks, forehead_points(swapped.landmarks)])
    side_px = swapped.crop.width * grid.scale / swapped.crop.scale
    hull = hull_mask(grid.points(points), (grid.height, grid.width), -2 * how.inset)
    return inside * blend.feather(hull, how.feather * side_px)


def _restored(scene: Pixels, swapped: Aligned, how: Paste, crop: Grid, restore: Callable[[Image], Image]) -> Image:
    """The restorer's picture of the new face in its scene, composed at the restorer's own resolution."""
    around = crop_of(scene, crop)
    alpha = alpha_on(crop, swapped, how)[..., None]
    return restore(np.asarray(around + alpha * (redraw(swapped.face, swapped.crop, crop) - around), np.float32))


def _matched(face: Image, scene: Image, region: Grid, swapped: Aligned, how: Paste) -> Image:
    """The face with the scene's colours and sharpness, both measured between brows and chin."""
    if how.colour == 0 and how.sharpness == 0:
        return face
    core = alpha_on(region, swapped, Paste("ellipse", 0.0, 0.0)) > 0.5
    if core.sum() < LEAST_PX:
        return face
    if how.colour > 0:
        face = blend.match_colour(face, scene, core, how.colour)
    return blend.match_sharpness(face, scene, core, how.sharpness)


def _risen(distance: Image, inset: float, feather: float) -> Image:
    """Smoothly from 0 at ``inset`` to 1 at ``inset`` + ``feather``."""
    rise = np.clip((distance - inset) / max(feather, 1e-6), 0, 1)
    return np.asarray(rise * rise * (3 - 2 * rise), dtype=np.float32)
