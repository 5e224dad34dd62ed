"""Over-editing is told from editing, on real photographs, also when the candidate was resized and zoomed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from scorers.preservation import Preservation
from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
from selector.sight.edit_region import subject_mask

Array = np.ndarray[Any, np.dtype[Any]]


def task(kind: TaskType, prompt: str, rgb: Array) -> TaskInputs:
    return TaskInputs(Task("1", kind, prompt, "a.jpg", None, 0), Picture(encode_final(rgb)))


def levels(values: Array) -> Array:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def measured(inputs: TaskInputs, *pictures: Array) -> list[dict[str, float]]:
    items = [Item(inputs, Picture(encode_final(np.ascontiguousarray(rgb)))) for rgb in pictures]
    results = Preservation().score(items)
    return [{name: score.value for name, score in result.items() if score.value is not None} for result in results]


@pytest.fixture(scope="module")
def face_edit() -> tuple[TaskInputs, Array]:
    edited = data.astronaut()
    edited[70:190, 170:270] = edited[70:190, 170:270][:, ::-1]
    return task(TaskType.DEEPFAKE, "", data.astronaut()), edited


def test_unchanged_source_preserves_all_and_shows_no_edit(face_edit: tuple[TaskInputs, Array]) -> None:
    (same,) = measured(face_edit[0], data.astronaut())
    assert same["outside_ssim"] > 0.99
    assert same["outside_delta_e"] < 0.5
    assert same["edit_visible"] < 0.02


def test_recompression_is_no_edit(face_edit: tuple[TaskInputs, Array]) -> None:
    worse = Picture(encode_final(data.astronaut(), quality=75))
    result = Preservation().score([Item(face_edit[0], worse)])[0]
    assert result["edit_visible"].value == pytest.approx(0.0, abs=0.1)


def test_change_inside_the_face_is_free_and_outside_it_costs(face_edit: tuple[TaskInputs, Array]) -> None:
    inputs, edited = face_edit
    more = edited.copy()
    more[300:500, 300:500] //= 2
    inside, outside = measured(inputs, edited, more)
    assert inside["edit_visible"] > 0.9
    assert inside["outside_ssim"] > 0.98
    assert outside["outside_ssim"] < inside["outside_ssim"] - 0.02
    assert outside["outside_delta_e"] > inside["outside_delta_e"] + 1


def test_zoomed_and_enlarged_candidate_is_judged_as_if_it_lay_still(face_edit: tuple[TaskInputs, Array]) -> None:
    inputs, edited = face_edit
    matrix = np.array([[1.05, 0, -10.0], [0, 1.05, -13.0]])
    moved = cv2.warpAffine(edited, matrix, (512, 512), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    still, zoomed = measured(inputs, edited, cv2.resize(moved, (1024, 1024), interpolation=cv2.INTER_CUBIC))
    assert zoomed["outside_ssim"] > 0.95
    assert zoomed["outside_delta_e"] < 1.5
    assert zoomed["edit_visible"] == pytest.approx(still["edit_visible"], abs=0.05)


def test_unknown_region_is_the_largest_change_but_not_the_whole_picture() -> None:
    inputs = task(TaskType.TIE, "put a small dragon beside her", data.astronaut())
    local = data.astronaut()
    local[50:170, 350:470] = data.chelsea()[50:170, 100:220]
    other = cv2.resize(data.chelsea(), (512, 512))
    restyled = levels(data.astronaut()[..., ::-1] * 0.7 + 30)
    one, all_of_it, style = measured(inputs, local, other, restyled)
    assert one["outside_ssim"] > 0.97
    assert one["edit_visible"] > 0.9
    assert all_of_it["outside_ssim"] < 0.4
    assert style["outside_delta_e"] > 10


def test_faint_text_edit_is_visible_in_a_large_picture() -> None:
    large = cv2.resize(data.astronaut(), (1280, 1280), interpolation=cv2.INTER_CUBIC)
    written = large.copy()
    cv2.putText(written, "hi", (1000, 600), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
    same, edited = measured(task(TaskType.TIE, "sign it with hi", large), large, written)
    assert same["edit_visible"] == 0.0
    assert edited["edit_visible"] > 0.3


def test_tone_edit_is_judged_by_structure() -> None:
    inputs = task(TaskType.TIE, "make the image brighter", data.coffee())
    brighter = levels(data.coffee() * 1.15 + 8)
    painted = brighter.copy()
    painted[100:300, 200:400] = 128
    good, damaged, other = measured(inputs, brighter, painted, cv2.resize(data.chelsea(), (600, 400)))
    assert good["outside_ssim"] > 0.9
    assert good["outside_ssim"] > damaged["outside_ssim"] > other["outside_ssim"]
    assert good["edit_visible"] > 0.5
    assert "outside_delta_e" not in good


def test_blurred_background_must_keep_the_subject() -> None:
    inputs = task(TaskType.TIE, "blur the background", data.astronaut())
    assert inputs.source is not None
    subject = subject_mask(inputs.source)
    assert subject is not None
    everything = cv2.GaussianBlur(data.astronaut(), (0, 0), 6)
    background = np.where(subject[..., None], data.astronaut(), everything)
    good, bad = measured(inputs, background, everything)
    assert good["outside_ssim"] > 0.95
    assert bad["outside_ssim"] < 0.7
    assert good["edit_visible"] > 0.4


@pytest.mark.parametrize(
    ("prompt", "right", "wrong"),
    [
        ("flip the image horizontally", lambda a: a[:, ::-1], lambda a: a[::-1]),
        ("rotate the image 90 degrees clockwise", lambda a: np.rot90(a, -1), lambda a: np.rot90(a, 1)),
    ],
)
def test_flips_and_quarter_turns_are_followed(prompt: str, right: Any, wrong: Any) -> None:
    source = data.coffee()
    good, bad, nothing = measured(task(TaskType.TIE, prompt, source), right(source), wrong(source), source)
    assert good["outside_ssim"] > 0.97
    assert good["edit_visible"] > 0.9
    assert bad["outside_ssim"] < 0.5
    assert nothing["edit_visible"] < 0.02


def test_a_quarter_turn_that_was_squashed_into_the_source_frame_is_damage() -> None:
    scene = data.coffee()
    turned = np.ascontiguousarray(np.rot90(scene, k=-1))
    squashed = cv2.resize(turned, (scene.shape[1], scene.shape[0]))
    right, wrong = measured(task(TaskType.TIE, "rotate 90 degrees clockwise", scene), turned, squashed)
    assert right["outside_ssim"] > 0.95
    assert wrong["outside_ssim"] < 0.5


def test_a_candidate_of_other_proportions_is_judged_by_what_it_shows() -> None:
    scene = data.coffee()
    middle = np.ascontiguousarray(scene[:, 100:500])
    darker, warmer = levels(middle * 0.6), levels(middle * (1.15, 1.0, 0.8))
    for picture in measured(task(TaskType.TIE, "make it darker", scene), darker, warmer):
        assert picture["outside_ssim"] > 0.9


def test_crop_is_unscored_with_the_reason() -> None:
    inputs = task(TaskType.TIE, "crop the image to a square", data.coffee())
    result = Preservation().score([Item(inputs, Picture(encode_final(data.coffee()[:, 100:500])))])[0]
    assert all(score.reason is not None and "crop" in score.reason for score in result.values())


def test_task_without_source_and_damaged_source_are_unscored() -> None:
    candidate = Picture(encode_final(data.chelsea()))
    for source in (None, Picture(b"broken", name="a.jpg")):
        inputs = TaskInputs(Task("1", TaskType.TIE, "make the image brighter", "a.jpg", None, 0), source)
        assert all(score.value is None for score in Preservation().score([Item(inputs, candidate)])[0].values())
