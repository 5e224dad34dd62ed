"""Aligned crops of a face and the way back into the scene: mask, restoration, colour, sharpness, blending.

Every picture in play is a grid of pixels over the scene: a similarity from the scene's px to its own, and a size. So
cropping, pasting back and going from one crop to another are one function, and the way there is the exact inverse of
the way back. Pasting is done at the scene's resolution, and only where the mask is: every other pixel stays as it is,
bit by bit. Lengths are shares of the swapper's crop, whose side is about 3.6 distances between the eyes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from generators._face import blend
from selector.domain import Declined
from selector.sight.face_align import FIVE_PLACES, redrawn, similarity_matrix
from selector.sight.faces import forehead_points, hull_mask

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

SWAP_PLACES: Floats = (FIVE_PLACES + np.array([8.0, 0.0])) / 128  # shares of the crop's side
_FFHQ_PX = ((192.98138, 239.94708), (318.90277, 240.1936), (256.63416, 314.01935), (201.26117, 371.41043),
            (313.08905, 371.15118))  # fmt: skip
RESTORE_PLACES: Floats = np.array(_FFHQ_PX) / 512
MARGIN_PX = 3  # what cubic interpolation looks at beyond a border
LEAST_EYES_PX = 4.0  # between the eyes: under it nothing is left of a face
Pixels = NDArray[np.uint8]
MaskKind = Literal["box", "ellipse", "hull"]
ELLIPSE = (0.5, 0.57, 0.37, 0.40)  # centre and half axes, shares of the crop: brows to chin, ear to ear
LEAST_PX = 30  # under this no statistics of colour or detail


@dataclass(frozen=True, eq=False)
class Grid:
    """``matrix`` (2, 3) leads from px of the scene to px of the grid; the grid has ``width`` x ``height`` px."""

    matrix: Floats
    width: int
    height: int

    @property
    def scale(self) -> float:
        """Px of the grid for one of the scene."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    def points(self, xy: Floats) -> Floats:
        """Points (..., 2) of the scene in px of the grid."""
        return np.asarray(xy @ self.matrix[:, :2].T + self.matrix[:, 2])

    def shares_on(self, other: Grid) -> tuple[Image, Image]:
        """Where another grid's pixels lie on this one, x and y (height, width): 0 to 1 from edge to edge."""
        matrix = _chained(self.matrix, _inverse(other.matrix))
        x, y = np.arange(other.width), np.arange(other.height)[:, None]
        across, down = (row[0] * x + row[1] * y + row[2] + 0.5 for row in matrix)
        return np.asarray(across / self.width, np.float32), np.asarray(down / self.height, np.float32)

    def border(self) -> Floats:
        """Its four corners (4, 2) in the scene."""
        right, bottom = self.width - 0.5, self.height - 0.5
        corners = np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])
        back = _inverse(self.matrix)
        return np.asarray(corners @ back[:, :2].T + back[:, 2])


def face_grid(points: Floats, places: Floats, side_px: int) -> Grid:
    """The crop of ``side_px`` in which the five points (5, 2) of a face lie nearest to ``places`` (shares of its side).

    A share s of the side lies at s * side_px px, as in the preparation that such networks are trained with.

    Raises:
        Declined: the points lie on top of each other.
    """
    if not np.isfinite(points).all() or np.linalg.norm(points[1] - points[0]) < LEAST_EYES_PX:
        raise Declined(f"the face is too small to swap: its eyes are under {LEAST_EYES_PX:g} px apart")
    return Grid(similarity_matrix(points, places * side_px), side_px, side_px)


def region_under(grid: Grid, width: int, height: int) -> tuple[Grid, tuple[slice, slice]]:
    """The part of a scene that a crop covers, at the scene's own px, as a grid and as rows and columns.

    Raises:
        Declined: the crop lies outside of the scene.
    """
    corners = grid.border()
    low, high = corners.min(axis=0), corners.max(axis=0)
    if (high <= 0).any() or (low >= [width - 1, height - 1]).any():
        raise Declined("the scene's face lies outside of the picture: nothing to swap")
    left, top = np.clip(np.floor(low) - MARGIN_PX, 0, [width, height]).astype(int).tolist()
    right, bottom = np.clip(np.ceil(high) + MARGIN_PX + 1, 0, [width, height]).astype(int).tolist()
    moved = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top]])
    return Grid(moved, right - left, bottom - top), (slice(top, bottom), slice(left, right))


def crop_of(scene: NDArray[np.uint8], grid: Grid) -> Image:
    """What a crop shows of the scene (H, W, 3), float32 on 0 to 255; the scene's border is continued."""
    region, window = region_under(grid, scene.shape[1], scene.shape[0])
    return redraw(scene[window], region, grid)


def redraw(image: NDArray[Any], here: Grid, there: Grid) -> Image:
    """An image (H, W, 3) on the grid ``here`` as it looks on ``there``, float32 on 0 to 255; borders are continued."""
    matrix = _chained(there.matrix, _inverse(here.matrix))
    drawn = redrawn(np.asarray(image, np.float32), matrix, (there.width, there.height), cubic=True)
    return np.asarray(np.clip(drawn, 0, 255), dtype=np.float32)


def _inverse(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2])


def _chained(second: Floats, first: Floats) -> Floats:
    """The map that does ``first``, then ``second``."""
    return np.asarray(second @ np.vstack([first, [0.0, 0.0, 1.0]]))


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
        crop, restore = restoring  # the new face in its scene, composed at the restorer's own resolution
        around, weight = crop_of(scene, crop), alpha_on(crop, swapped, how)[..., None]
        composed = around + weight * (redraw(swapped.face, swapped.crop, crop) - around)
        face = face + how.restore * (redraw(restore(np.asarray(composed, np.float32)), crop, region) - face)
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
