"""Where every pixel of the new face comes from: maps from the scene's pixels to the reference's.

A map is an array (H, W, 2) float32 of (x, y) positions in the reference, one for each pixel of the scene's crop, as
``cv2.remap`` takes it. All functions are pure; points are (N, 2) float64 in px, in the order of the 68 iBUG landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from selector.sight.face_align import similarity_matrix
from selector.sight.faces import INNER_LIPS, JAW, forehead_points

Floats = NDArray[np.float64]
Map = NDArray[np.float32]
Warp = Literal["similarity", "affine", "outline", "triangles", "plain_triangles"]

GRID_PX = 6  # thin-plate splines are evaluated on this grid and interpolated: smooth, and 36 times cheaper
CLOSED_LIPS = 0.02  # gap of the inner lips, in face widths, under which a mouth counts as closed
LEAST_TRIANGLE = 0.02  # of the usual ratio of areas: a triangle shrunk further is degenerate, its texture a smear


@dataclass(frozen=True)
class Fit:
    """A map and where it puts the reference's 78 points (68 landmarks, 10 of the forehead) in the scene."""

    map_xy: Map
    placed: Floats


def face_width_px(landmarks: Floats) -> float:
    """Distance between the ends of the jaw line: the unit in which blending is measured."""
    return float(np.linalg.norm(landmarks[16] - landmarks[0]))


def with_forehead(landmarks: Floats) -> Floats:
    """The 68 landmarks and 10 points of the forehead, (78, 2)."""
    return np.vstack([landmarks, forehead_points(landmarks)])


def affine_matrix(points: Floats, onto: Floats) -> Floats:
    """The least-squares affine map (2, 3) of points onto others: it also fits the proportions of the face."""
    design = np.column_stack([points, np.ones(len(points))])
    return np.asarray(np.linalg.lstsq(design, onto, rcond=None)[0].T)


def transform(matrix: Floats, points: Floats) -> Floats:
    """Apply a (2, 3) matrix to points."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def fit_face(warp: Warp, reference: Floats, scene: Floats, shape: tuple[int, int], pose: float = 0.0) -> Fit:
    """Fit the reference's landmarks (68, 2) onto the scene's (68, 2) in a crop of ``shape`` (H, W).

    ``similarity`` and ``affine`` keep the reference's proportions (wholly, nearly). ``outline`` keeps them for the
    features and bends the jaw line onto the scene's, so that no second jaw shows; ``pose`` 0 to 1 moves its features
    towards the scene's. ``triangles`` brings every landmark onto the scene's, ``plain_triangles`` without a guard.
    """
    if warp == "triangles":
        return Fit(_triangle_map(reference, scene, shape), with_forehead(scene))
    matrix = (affine_matrix if warp == "affine" else similarity_matrix)(reference, scene)
    if warp == "plain_triangles":  # the 68 landmarks alone, degenerate ones included, as the contest's baseline does
        return Fit(_piecewise(reference, scene, shape, _matrix_map(matrix, shape), least=-np.inf), with_forehead(scene))
    placed = transform(matrix, with_forehead(reference))
    if warp != "outline":
        return Fit(_matrix_map(matrix, shape), placed)
    pull = np.full(len(placed), pose)
    pull[JAW] = 1.0
    pull[68:] = 0.5  # the forehead has no landmarks of its own; between the brows' and the temples' pull
    placed = placed + pull[:, None] * (with_forehead(scene) - placed)
    return Fit(_spline_map(placed, with_forehead(reference), shape), placed)


def _triangle_map(reference: Floats, scene: Floats, shape: tuple[int, int]) -> Map:
    """Triangles with the forehead; degenerate ones, and all outside the points, follow the similarity."""
    rough = _matrix_map(similarity_matrix(reference, scene), shape)
    ours, theirs = with_forehead(reference), with_forehead(scene)

    def lips_closed(face: Floats) -> bool:
        gap = np.linalg.norm(face[61:64] - face[67:64:-1], axis=1).mean()
        return bool(gap < CLOSED_LIPS * face_width_px(face))

    if lips_closed(reference) != lips_closed(scene):
        # A closed mouth has no inside that could fill an open one: warp the mouth as a whole, by its outer lips.
        ours, theirs = np.delete(ours, INNER_LIPS, axis=0), np.delete(theirs, INNER_LIPS, axis=0)
    return _piecewise(ours, theirs, shape, rough, least=LEAST_TRIANGLE)


def _piecewise(reference: Floats, scene: Floats, shape: tuple[int, int], rough: Map, least: float) -> Map:
    """Affine map of each Delaunay triangle of the scene's points; ``rough`` where there is no sound triangle."""
    from scipy.spatial import Delaunay

    net = Delaunay(scene)
    target, origin = scene[net.simplices], reference[net.simplices]  # (T, 3, 2)
    share = _areas(origin) / _areas(target)
    sound = share > least * np.median(share)  # negative: the triangle is folded over
    pixels = _pixel_grid(shape).reshape(-1, 2)
    which = net.find_simplex(pixels)
    inside = (which >= 0) & sound[which]
    weights = net.transform[which[inside]]  # barycentric: (P, 3, 2)
    first = np.einsum("pij,pj->pi", weights[:, :2], pixels[inside] - weights[:, 2])
    bary = np.column_stack([first, 1.0 - first.sum(axis=1)])
    found = rough.reshape(-1, 2).copy()
    found[inside] = np.einsum("pi,pij->pj", bary, origin[which[inside]])
    return np.asarray(found.reshape(rough.shape))


def _areas(triangles: Floats) -> Floats:
    a, b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _matrix_map(matrix: Floats, shape: tuple[int, int]) -> Map:
    back = np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2]
    return transform(back, _pixel_grid(shape).reshape(-1, 2)).reshape(*shape, 2).astype(np.float32)


def _spline_map(placed: Floats, reference: Floats, shape: tuple[int, int]) -> Map:
    """Thin-plate spline from where the points are placed back to the reference (Bookstein, IEEE TPAMI 11(6), 1989)."""
    import cv2
    from scipy.interpolate import RBFInterpolator

    spline: Any = RBFInterpolator(placed, reference, kernel="thin_plate_spline", smoothing=1.0)
    rows, columns = (max(2, -(-side // GRID_PX) + 1) for side in shape)
    knots = _pixel_grid((rows, columns)).reshape(-1, 2) * GRID_PX
    coarse = spline(knots).reshape(rows, columns, 2).astype(np.float32)
    at = (_pixel_grid(shape) / GRID_PX).astype(np.float32)
    return np.asarray(cv2.remap(coarse, at[..., 0], at[..., 1], cv2.INTER_LINEAR), dtype=np.float32)


def _pixel_grid(shape: tuple[int, int]) -> Floats:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.stack([x, y], axis=-1).astype(np.float64)
