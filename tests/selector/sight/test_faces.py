"""Faces on the two portraits that installed packages ship, whole, damaged, side by side and cut by the border."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from skimage import data

from selector.domain import InputError, MissingPart, Picture, encode_final
from selector.sight import faces
from selector.sight.faces import (
    MEAN_DESCRIPTOR,
    centred_cosine,
    descriptor,
    face_mask,
    find_faces,
    forehead_points,
    hull_mask,
    main_face,
)

HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def picture(rgb, quality=95):
    return Picture(encode_final(np.ascontiguousarray(rgb), quality=quality))


@pytest.fixture(scope="module")
def astronaut():
    return data.astronaut()


@pytest.fixture(scope="module")
def hopper():
    return Picture(HOPPER.read_bytes()).rgb


def test_box_lies_on_the_face_and_landmarks_in_its_order(astronaut):
    face = main_face(picture(astronaut))
    x0, y0, x1, y1 = face.box
    assert x0 < 224 < x1 and y0 < 125 < y1  # the tip of her nose, read off the picture
    assert face.landmarks.shape == (68, 2) and face.landmarks.dtype == np.float64
    left_eye, right_eye, mouth = (
        face.landmarks[part].mean(axis=0) for part in (slice(36, 42), slice(42, 48), [62, 66])
    )
    assert left_eye[0] < right_eye[0] and mouth[1] > left_eye[1] + 20


def test_false_face_on_the_space_suit_is_not_kept(astronaut):
    assert len(find_faces(picture(astronaut))) == 1


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_pictures_without_a_person_have_no_face(name):
    assert find_faces(picture(getattr(data, name)())) == ()
    assert main_face(picture(getattr(data, name)())) is None


def test_face_at_the_edge_is_found_after_padding(hopper):
    cut = np.ascontiguousarray(hopper[167:326, 180:385])  # from her brows to her chin: no margin for the detector
    assert faces._detect(cut) == []
    face = main_face(picture(cut))
    assert face is not None
    x0, y0, x1, y1 = face.box
    assert 0 <= x0 < x1 <= cut.shape[1] and 0 <= y0 < y1 <= cut.shape[0]
    whole = main_face(picture(hopper))
    assert np.abs(face.landmarks + np.array([180, 167]) - whole.landmarks)[27:].mean() < 6  # of a face 190 px wide


@pytest.mark.parametrize(
    "damage",
    [
        lambda rgb: rgb[:, ::-1],
        lambda rgb: rgb[::3, ::3],
        lambda rgb: (rgb * 0.35).astype(np.uint8),
        lambda rgb: picture(rgb, quality=12).rgb,
        lambda rgb: np.repeat(rgb.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2),
    ],
    ids=["mirrored", "a third of the size", "darkened", "jpeg 12", "grey"],
)
def test_damaged_portrait_is_still_the_same_person(hopper, damage):
    whole, damaged = picture(hopper), picture(damage(hopper))
    distance = np.linalg.norm(descriptor(whole, main_face(whole)) - descriptor(damaged, main_face(damaged)))
    assert distance < 0.5


def test_small_picture_gives_landmarks_at_fractions_of_a_pixel(hopper):
    small = picture(hopper[::4, ::4])
    large = main_face(picture(hopper)).landmarks / 4
    assert np.abs(main_face(small).landmarks - large).mean() < 1.0


def test_main_face_is_the_large_central_one_and_not_the_sharper_bystander(astronaut, hopper):
    scene = np.full((600, 900, 3), 120, np.uint8)
    scene[:, 200:712] = hopper
    scene[20:220, 700:] = astronaut[30:230, 130:330]
    found = find_faces(picture(scene))
    assert len(found) == 2
    assert 350 < found[0].box[0] < 410  # hers, moved by 200 px
    assert found[1].box[0] > 700


def test_two_people_differ_and_the_centred_cosine_shows_it(astronaut, hopper):
    one, other = picture(astronaut), picture(hopper)
    a, b = descriptor(one, main_face(one)), descriptor(other, main_face(other))
    assert a.shape == (128,)
    assert np.linalg.norm(a - b) > 0.6
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.8  # why the raw cosine is not used
    assert centred_cosine(a, b) < 0.45
    assert centred_cosine(a, a) == pytest.approx(1.0)


def test_centred_cosine_by_hand():
    east, north = np.eye(128)[0], np.eye(128)[1]
    assert centred_cosine(MEAN_DESCRIPTOR + east, MEAN_DESCRIPTOR + east + north) == pytest.approx(2**-0.5)
    assert centred_cosine(MEAN_DESCRIPTOR + east, MEAN_DESCRIPTOR - 3 * east) == pytest.approx(-1.0)
    assert centred_cosine(MEAN_DESCRIPTOR, MEAN_DESCRIPTOR + east) == 0.0


def test_face_mask_covers_the_landmarks_and_the_forehead_and_grows(astronaut):
    face = main_face(picture(astronaut))
    mask = face_mask(face, astronaut.shape[:2])
    assert mask.dtype == bool and mask.shape == astronaut.shape[:2]
    inner = np.round(face.landmarks[27:]).astype(int)
    assert mask[inner[:, 1], inner[:, 0]].all()
    assert np.flatnonzero(mask.any(axis=1))[0] < face.landmarks[:, 1].min() - 5
    assert face_mask(face, astronaut.shape[:2], 0.2).sum() == pytest.approx(1.44 * mask.sum(), rel=0.03)


def test_hull_of_a_square_by_hand():
    corners = np.array([[2.0, 2.0], [7.0, 2.0], [7.0, 7.0], [2.0, 7.0], [4.0, 4.0]])
    assert hull_mask(corners, (10, 10)).sum() == 36
    assert hull_mask(corners, (10, 10)).any(axis=0).nonzero()[0].tolist() == [2, 3, 4, 5, 6, 7]


def test_forehead_follows_the_tilt_of_the_head():
    upright = np.zeros((68, 2))
    upright[17:27, 0], upright[33] = np.arange(10), [4.5, 10.0]
    assert forehead_points(upright)[:, 1].tolist() == pytest.approx([-6 * a for a in (0.7, 0.9, *[1] * 6, 0.9, 0.7)])
    turned = upright @ np.array([[0.0, 1.0], [-1.0, 0.0]])  # 90 degrees
    assert np.allclose(forehead_points(turned), forehead_points(upright) @ np.array([[0.0, 1.0], [-1.0, 0.0]]))


def test_many_threads_see_the_same_faces(hopper):
    pictures = [picture(hopper, quality=60 + i % 4) for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda p: descriptor(p, main_face(p)), pictures))
    faces._found, faces._described = type(faces._found)(9), type(faces._described)(9)
    alone = [descriptor(p, main_face(p)) for p in pictures]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


def test_results_cannot_be_changed_by_who_gets_them(hopper):
    face = main_face(picture(hopper))
    with pytest.raises(ValueError, match="read-only"):
        face.landmarks[0] = 0


def test_damaged_file_is_an_input_error():
    with pytest.raises(InputError):
        find_faces(Picture(HOPPER.read_bytes()[:2000], "cut.jpg"))


def test_missing_weights_are_named_with_the_cure(monkeypatch):
    monkeypatch.setattr(faces.importlib.util, "find_spec", lambda name: None if "models" in name else object())
    with pytest.raises(MissingPart, match="pip install face_recognition_models"):
        faces.check_face_models()


def test_import_loads_no_heavy_package():
    heavy = "import sys, selector.sight.faces; print([m for m in ('dlib', 'cv2', 'PIL', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True).stdout.strip() == "[]"
