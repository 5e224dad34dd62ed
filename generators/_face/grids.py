"""Aligned crops of a face and the way back: every picture in play is a grid of pixels over the scene.

A grid is a similarity from the scene's px to its own, and a size; pixel centres lie at whole numbers in all of them.
So cropping, pasting back and going from one crop to another are one function, and the way there is the exact inverse
of the way back.

Crops: an inswapper-type network sees the face in the 128 px frame of ``arcface_128``: the five places of the 112 px
crop, 8 px further right and no further down, times side / 128. A restorer sees it as FFHQ's 512 px crops have it, whose
five places (those of GFPGAN's and CodeFormer's preparation) are times side / 512.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import Declined
from selector.sight.face_align import FIVE_PLACES, redrawn, similarity_matrix

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

SWAP_PLACES: Floats = (FIVE_PLACES + np.array([8.0, 0.0])) / 128  # shares of the crop's side
RESTORE_PLACES: Floats = (
    np.array(
        [
            [192.98138, 239.94708],
            [318.90277, 240.19360],
            [256.63416, 314.01935],
            [201.26117, 371.41043],
            [313.08905, 371.15118],
        ]
    )
    / 512
)
MARGIN_PX = 3  # what cubic interpolation looks at beyond a border
LEAST_EYES_PX = 4.0  # between the eyes: under it nothing is left of a face


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
