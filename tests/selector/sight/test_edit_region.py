"""Where the task asks for a change: faces, words and colours of real and drawn pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data
from sklearn.datasets import load_sample_image

from selector.domain import InputError, Picture, Task, TaskInputs, TaskType, encode_final
from selector.domain.reading import Reading, SceneEdit, TextEdit
from selector.sight.edit_region import edit_region, named_operations, subject_mask

Array = np.ndarray[Any, np.dtype[Any]]


def inputs(kind: TaskType, prompt: str, rgb: Array) -> TaskInputs:
    return TaskInputs(Task("1", kind, prompt, "a.png", None, 0), Picture(encode_final(rgb, "png")))


@pytest.fixture(scope="module")
def sign() -> Array:
    rgb = np.full((240, 480, 3), (240, 235, 220), np.uint8)
    cv2.putText(rgb, "GRAND SALE", (40, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (30, 30, 120), 5, cv2.LINE_AA)
    cv2.putText(rgb, "open today", (80, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (10, 90, 30), 4, cv2.LINE_AA)
    return rgb


def test_face_swap_names_the_face_and_little_else() -> None:
    mask = edit_region(inputs(TaskType.DEEPFAKE, "", data.astronaut()))
    assert mask is not None
    assert mask[90:170, 195:250].mean() > 0.98  # eyes to chin of the portrait
    assert 0.02 < mask.mean() < 0.1
    assert not mask.flags.writeable


def test_face_swap_without_a_face_is_unknown() -> None:
    assert edit_region(inputs(TaskType.DEEPFAKE, "", data.coffee())) is None


def test_text_edit_names_the_old_text_and_not_the_other_line(sign: Array) -> None:
    mask = edit_region(inputs(TaskType.VTTIE, "change 'open today' to 'shut today'", sign))
    assert mask is not None
    ink = sign.min(axis=2) < 150
    assert mask[140:][ink[140:]].all()
    assert not mask[:100][ink[:100]].any()


def test_longer_new_text_needs_more_room(sign: Array) -> None:
    same, longer = (
        edit_region(inputs(TaskType.VTTIE, f"change 'SALE' to '{new}'", sign)) for new in ("MART", "MARKET")
    )
    assert same is not None
    assert longer is not None
    assert same.sum() < longer.sum()
    assert (same & ~longer).sum() == 0


def test_text_to_be_added_or_not_found_is_unknown(sign: Array) -> None:
    assert edit_region(inputs(TaskType.VTTIE, "add the text 'NEW'", sign)) is None
    assert edit_region(inputs(TaskType.VTTIE, "change 'zebra quiz' to 'NEW'", sign)) is None


def test_tone_and_geometry_name_the_whole_picture() -> None:
    for prompt in ("make the image brighter", "flip the image horizontally"):
        mask = edit_region(inputs(TaskType.TIE, prompt, data.coffee()))
        assert mask is not None
        assert mask.all()


def test_background_is_what_is_not_the_subject() -> None:
    task = inputs(TaskType.TIE, "blur the background", data.astronaut())
    assert task.source is not None
    background, subject = edit_region(task), subject_mask(task.source)
    assert background is not None
    assert subject is not None
    assert np.array_equal(background, ~subject)
    assert subject[90:170, 195:250].all()  # the face
    assert not subject[:80, 430:].any()  # the rocket behind


def test_cup_without_a_face_is_found_by_its_colours() -> None:
    subject = subject_mask(Picture(encode_final(data.coffee())))
    assert subject is not None
    assert subject[120:250, 220:350].mean() > 0.9
    assert not subject[:60, :60].any()


def test_named_colour_is_found_in_the_picture() -> None:
    flower = load_sample_image("flower.jpg")
    mask = edit_region(inputs(TaskType.TIE, "change the red flower to blue", flower))
    assert mask is not None
    assert mask[200:230, 260:300].mean() > 0.9  # its heart
    assert not mask[:60].any()
    assert edit_region(inputs(TaskType.TIE, "change the purple flower to blue", flower)) is None


def test_instruction_that_is_not_understood_is_unknown() -> None:
    task = inputs(TaskType.TIE, "add a dog that reads a newspaper", data.coffee())
    assert edit_region(task) is None
    assert named_operations(task) == ()


def test_task_without_a_source_has_no_region() -> None:
    assert edit_region(TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))) is None


def test_damaged_source_is_an_input_error() -> None:
    broken = TaskInputs(Task("1", TaskType.DEEPFAKE, "", "a", "b", 0), Picture(b"broken"))
    with pytest.raises(InputError):
        edit_region(broken)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (40, 60)])
def test_flat_and_tiny_pictures_have_no_subject(shape: tuple[int, int]) -> None:
    assert subject_mask(Picture(encode_final(np.full((*shape, 3), 90, np.uint8), "png"))) is None


def test_a_reading_names_the_region_where_it_can_be_found_without_guessing(sign: Array) -> None:
    portrait = inputs(TaskType.TIE, "something with the picture", data.astronaut())

    def region(edit: SceneEdit) -> Array | None:
        return edit_region(replace(portrait, reading=Reading("m", edit=edit)))

    assert edit_region(portrait) is None
    face, background = region(SceneEdit("face", "face")), region(SceneEdit("背景", "background"))
    assert face is not None and face[90:170, 195:250].mean() > 0.98
    assert background is not None and not background[120, 220]
    assert region(SceneEdit("helmet", "helmet")) is None
    words = inputs(TaskType.VTTIE, "they closed", sign)
    text = Reading("m", text_edit=TextEdit("replace", "open today", "shut"))
    mask = edit_region(replace(words, reading=text))
    assert mask is not None and mask.any() and not mask[:60].any()
