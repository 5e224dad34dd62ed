"""Exact places: a network that gives back its target must give back the scene, whatever the face's size and turn."""

from __future__ import annotations

from dataclasses import asdict

import cv2
import matplotlib
import numpy as np
import pytest
import tiny_onnx_faces as tiny
from skimage import data
from skimage.registration import phase_cross_correlation

from generators._face.paste import (
    RESTORE_PLACES,
    SWAP_PLACES,
    Aligned,
    Paste,
    alpha_on,
    crop_of,
    face_grid,
    paste,
    redraw,
    region_under,
)
from generators.inswapper import InSwapper
from selector.domain import Declined, Picture, Recipe, Task, TaskInputs, TaskType, encode_final
from selector.sight.face_align import FIVE_PLACES, five_points
from selector.sight.faces import main_face

ASTRONAUT = data.astronaut()
LADY = cv2.cvtColor(cv2.imread(f"{matplotlib.get_data_path()}/sample_data/grace_hopper.jpg"), cv2.COLOR_BGR2RGB)
IN_PLACE = FIVE_PLACES + np.array([8, 0])  # of the swapper's crop of 128 px
WHOLE = Paste("box", inset=0.0, feather=0.0)  # the crop without any transition


def picture(rgb):
    return Picture(encode_final(np.ascontiguousarray(rgb), "png"), "p.png")


def task(source, reference):
    return TaskInputs(Task("7", TaskType.DEEPFAKE, "", "a.jpg", "b.jpg", 0), source, reference)


def turned(rgb, degrees, zoom):
    """A photograph turned about its face and enlarged, on a canvas that holds all of it."""
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 3), degrees, zoom)
    size = (round(width * zoom), round(height * zoom))
    matrix[:, 2] += (np.array(size) - [width, height]) / 2
    return cv2.warpAffine(rgb, matrix, size, flags=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)


def displacement_px(one, other):
    """Shift between two pictures of the same place, in px, by cross-correlation to a fiftieth.

    Not of the phase alone: that listens to the noise that a small crop has smoothed away.
    """
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(float) for p in (one, other)]
    window = np.outer(np.hanning(grey[0].shape[0]), np.hanning(grey[0].shape[1]))
    ready = [(g - g.mean()) * window for g in grey]
    shift, *_ = phase_cross_correlation(*ready, upsample_factor=50, normalization=None)
    return float(np.hypot(*shift))


def psnr(one, other):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    paths = {side: tiny.identity_swapper(folder / f"{side}.onnx", side) for side in (128, 256, 512)}
    return paths | {"embedder": tiny.embedder(folder / "e.onnx"), "restorer": tiny.restorer(folder / "r.onnx")}


@pytest.mark.parametrize("degrees, zoom", [(0, 1.0), (15, 0.7), (-20, 1.5), (8, 2.3)])
@pytest.mark.parametrize("scene", [ASTRONAUT, LADY], ids=["astronaut", "lady"])
@pytest.mark.parametrize("side", [128, 256])
def test_a_network_that_changes_nothing_moves_nothing(models, scene, degrees, zoom, side):
    source = picture(turned(scene, degrees, zoom))
    swapper = InSwapper(models[side], models["embedder"])
    image = swapper.generate(task(source, picture(LADY)), Recipe("swap", 0, asdict(WHOLE))).image
    x0, y0, x1, y1 = main_face(source).box
    changed, original = image[y0:y1, x0:x1], source.rgb[y0:y1, x0:x1]
    assert (image != source.rgb).any()  # it went through the network
    assert displacement_px(changed, original) <= 0.06
    # What is left of the difference is what a crop of this size cannot hold.
    scale = face_grid(five_points(main_face(source).landmarks), SWAP_PLACES, side).scale
    assert psnr(changed, original) > (39 if scale > 1 else 28)


def test_a_large_enough_crop_gives_the_scene_back(models):
    source = picture(turned(ASTRONAUT, 12, 1.0))
    image = (
        InSwapper(models[512], models["embedder"])
        .generate(task(source, picture(LADY)), Recipe("swap", 0, asdict(WHOLE)))
        .image
    )
    assert psnr(image, source.rgb) > 45


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_restorer_that_changes_nothing_moves_nothing(models, share):
    source = picture(turned(LADY, -10, 1.3))
    swapper = InSwapper(models[256], models["embedder"], restorer_path=models["restorer"])
    how = Paste("box", inset=0.0, feather=0.0, restore=share)
    image = swapper.generate(task(source, picture(LADY)), Recipe("restored", 0, asdict(how))).image
    x0, y0, x1, y1 = main_face(source).box
    assert displacement_px(image[y0:y1, x0:x1], source.rgb[y0:y1, x0:x1]) <= 0.06


def test_the_measure_sees_half_a_pixel():
    face = ASTRONAUT[60:220, 150:310]
    moved = cv2.warpAffine(face, np.array([[1, 0, 0.5], [0, 1, 0.0]]), face.shape[1::-1], flags=cv2.INTER_CUBIC)
    assert displacement_px(face, moved) == pytest.approx(0.5, abs=0.1)


def test_the_swappers_crop_is_arcfaces_moved_by_8_px_and_scaled_by_its_side():
    assert np.allclose(SWAP_PLACES * 128, IN_PLACE)
    assert np.allclose(face_grid(IN_PLACE, SWAP_PLACES, 128).matrix, [[1, 0, 0], [0, 1, 0]])
    assert np.allclose(face_grid(FIVE_PLACES, SWAP_PLACES, 128).matrix, [[1, 0, 8], [0, 1, 0]])
    assert np.allclose(face_grid(FIVE_PLACES, SWAP_PLACES, 256).matrix, [[2, 0, 16], [0, 2, 0]])
    eyes = RESTORE_PLACES[:2] * 512
    assert np.allclose(eyes, [[193, 240], [319, 240]], atol=1)


def test_a_crop_of_a_face_in_its_place_is_the_picture_itself():
    rgb = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    assert np.abs(crop_of(rgb, face_grid(IN_PLACE, SWAP_PLACES, 128)) - rgb).max() < 1e-3


def test_going_to_a_crop_and_back_keeps_a_point_in_its_place():
    scene = np.zeros((300, 300, 3), np.uint8)
    cv2.circle(scene, (140, 160), 6, (255, 255, 255), -1)
    points = (FIVE_PLACES - 60) @ np.array([[0.9, 0.4], [-0.4, 0.9]]) + [150, 150]
    grid = face_grid(points, SWAP_PLACES, 256)
    region, window = region_under(grid, 300, 300)
    back = np.zeros((300, 300))
    back[window] = redraw(crop_of(scene, grid), grid, region)[..., 0]
    y, x = np.mgrid[:300, :300]
    weight = back[130:190, 110:170] / back[130:190, 110:170].sum()
    assert (weight * x[130:190, 110:170]).sum() == pytest.approx(140, abs=0.05)
    assert (weight * y[130:190, 110:170]).sum() == pytest.approx(160, abs=0.05)


def test_masks_know_where_the_pixels_of_another_grid_lie():
    crop, large = (face_grid(IN_PLACE, SWAP_PLACES, side) for side in (128, 256))
    x, y = crop.shares_on(crop)
    assert np.allclose(x[0], (np.arange(128) + 0.5) / 128, atol=1e-6) and np.allclose(y[:, 5], x[0], atol=1e-6)
    region, window = region_under(crop, 200, 200)
    x, y = crop.shares_on(region)
    top, left = window[0].start, window[1].start
    assert (x[0, 50], y[70, 0]) == pytest.approx(((left + 50.5) / 128, (top + 70.5) / 128))
    assert crop.shares_on(large)[0][0, 0] == pytest.approx(0.5 / 128)  # the template's own convention: x 2, from 0


@pytest.mark.parametrize("kind", ["box", "ellipse", "hull"])
def test_masks_lie_inside_the_crop_and_rise_to_one_in_the_middle_of_the_face(kind):
    face = main_face(picture(ASTRONAUT))
    crop = face_grid(five_points(face.landmarks), SWAP_PLACES, 128)
    swapped = Aligned(np.zeros((128, 128, 3), np.float32), crop, face.landmarks)
    region, window = region_under(crop, 512, 512)
    alpha = np.zeros((512, 512), np.float32)
    alpha[window] = alpha_on(region, swapped, Paste(kind))
    x, y = np.round(face.landmarks[30]).astype(int)
    assert alpha[y, x] == 1.0
    corner = np.round(crop.border()).astype(int)
    assert all(alpha[cy, cx] == 0 for cx, cy in corner if 0 <= cx < 512 and 0 <= cy < 512)
    assert ((alpha > 0) & (alpha < 1)).mean() > 0
    on_crop = alpha_on(crop, swapped, Paste(kind))  # the same mask, seen in the crop
    assert on_crop.mean() == pytest.approx(alpha.sum() * crop.scale**2 / 128**2, rel=0.03)


def test_a_face_at_the_border_is_pasted_as_far_as_the_picture_goes():
    scene = np.full((80, 90, 3), 90, np.uint8)
    grid = face_grid(FIVE_PLACES - [50, 30], SWAP_PLACES, 128)
    face = np.full((128, 128, 3), 200, np.float32)
    image = paste(scene, Aligned(face, grid, None), WHOLE)
    assert image.shape == scene.shape
    assert (image[:50, :50] == 200).all() and (image[-1] == 200)[:50].all() and (image[:, -10:] == 90).all()


def test_faces_beside_the_picture_or_without_size_are_declined_in_words():
    scene = np.zeros((80, 90, 3), np.uint8)
    with pytest.raises(Declined, match="outside of the picture"):
        crop_of(scene, face_grid(FIVE_PLACES - [400, 0], SWAP_PLACES, 128))
    with pytest.raises(Declined, match="too small"):
        face_grid(FIVE_PLACES * 0.05, SWAP_PLACES, 128)
