"""Aligned crops against scipy's interpolation and a fit of the similarity by linear equations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from skimage import data

from selector.domain import Picture, encode_final
from selector.sight.face_align import CROP_PX, FIVE_PLACES, aligned_crop, five_points, similarity_matrix
from selector.sight.faces import main_face

ASTRONAUT = Picture(encode_final(data.astronaut()))


def landmarks_at(five):
    """68 landmarks of which only those that matter are placed."""
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[30], points[48], points[54] = five
    return points


def fit_by_equations(points, onto):
    """x' = a x - b y + c, y' = b x + a y + d, least squares."""
    rows = [[[x, -y, 1, 0], [y, x, 0, 1]] for x, y in points]
    a, b, c, d = np.linalg.lstsq(np.reshape(rows, (-1, 4)), np.ravel(onto), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])


def test_five_points_are_eyes_nose_and_mouth_from_left_to_right():
    (left, right, nose, *mouth) = five_points(main_face(ASTRONAUT).landmarks)
    assert left[0] < nose[0] < right[0]
    assert mouth[0][0] < nose[0] < mouth[1][0]
    assert max(left[1], right[1]) < nose[1] < min(mouth[0][1], mouth[1][1])


def test_a_face_that_is_in_place_stays_as_it_is():
    rgb = np.random.default_rng(0).integers(0, 256, (CROP_PX, CROP_PX, 3), dtype=np.uint8)
    assert np.array_equal(aligned_crop(rgb, landmarks_at(FIVE_PLACES)), rgb)


def test_fit_agrees_with_linear_equations():
    five = five_points(main_face(ASTRONAUT).landmarks)
    assert similarity_matrix(five, FIVE_PLACES) == pytest.approx(fit_by_equations(five, FIVE_PLACES), abs=1e-9)


@pytest.mark.parametrize(("scale", "degrees"), [(1.0, 0.0), (0.9, 20.0), (2.5, -35.0)])
def test_small_faces_are_sampled_where_the_fit_says(scale, degrees):
    """Faces of up to crop size are drawn without averaging: one bilinear sample a pixel."""
    turn = np.deg2rad(degrees)
    onto_crop = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    five = (FIVE_PLACES - [56, 72]) @ np.linalg.inv(onto_crop).T + [120, 130]
    smooth = np.add.outer(np.arange(256), 0.5 * np.arange(256)) % 256
    rgb = np.repeat(np.minimum(smooth, 255 - smooth)[:, :, None], 3, axis=2).astype(np.uint8)
    back = np.linalg.inv(np.vstack([fit_by_equations(five, FIVE_PLACES), [0, 0, 1]]))
    x, y = np.meshgrid(np.arange(CROP_PX), np.arange(CROP_PX))
    at = np.tensordot(back[:2], np.stack([x, y, np.ones_like(x)]), 1)
    wanted = map_coordinates(rgb[:, :, 0].astype(float), [at[1], at[0]], order=1, mode="constant")
    got = aligned_crop(rgb, landmarks_at(five))[:, :, 0]
    assert np.abs(got - wanted).max() < 4.5  # OpenCV rounds places to 1/32 px


def test_a_large_face_is_averaged_and_not_sampled():
    """A checkerboard of single pixels, eight times too large: its mean, and no pattern of samples."""
    side = 8 * CROP_PX
    board = np.indices((side, side)).sum(axis=0) % 2 * 255
    rgb = np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8)
    crop = aligned_crop(rgb, landmarks_at((FIVE_PLACES + 0.5) * 8 - 0.5))
    assert np.abs(crop.astype(float) - 127.5).max() <= 1


def test_a_large_picture_gives_the_crop_of_the_small_one():
    small = ASTRONAUT.rgb[20:220, 120:320]
    points = main_face(ASTRONAUT).landmarks - [120, 20]
    large = np.kron(small, np.ones((4, 4, 1), np.uint8))
    one, other = aligned_crop(small, points), aligned_crop(large, (points + 0.5) * 4 - 0.5)
    assert np.abs(one.astype(float) - other).mean() < 3


def test_what_lies_outside_of_the_picture_is_black():
    rgb = np.full((CROP_PX, CROP_PX, 3), 200, np.uint8)
    crop = aligned_crop(rgb, landmarks_at(FIVE_PLACES - [40, 0]))
    assert not crop[:, :39].any()
    assert (crop[:, 41:] == 200).all()
