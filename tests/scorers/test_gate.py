"""What the gate lets pass and what it stops."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from scorers.gate import Gate
from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final

Array = np.ndarray[Any, np.dtype[Any]]
SOURCE = data.astronaut()


def edit(prompt: str = "add a dog", kind: TaskType = TaskType.TIE, source: Array = SOURCE) -> TaskInputs:
    return TaskInputs(Task("1", kind, prompt, "a.jpg", None, 0), Picture(encode_final(source)))


def picture(rgb: Array, quality: int = 95) -> Picture:
    return Picture(encode_final(np.ascontiguousarray(rgb), quality=quality))


def usable(inputs: TaskInputs, candidate: Picture) -> float | None:
    return Gate().score([Item(inputs, candidate)])[0]["usable"].value


def differs(inputs: TaskInputs, candidate: Picture) -> float | None:
    return Gate().score([Item(inputs, candidate)])[0]["differs"].value


def missing_bottom() -> Array:
    rgb = SOURCE.copy()
    rgb[400:] = 128
    return rgb


UNUSABLE = {
    "black": picture(np.zeros((512, 512, 3), np.uint8)),
    "nearly black": picture((SOURCE // 64).astype(np.uint8)),
    "white": picture(np.full((512, 512, 3), 255, np.uint8)),
    "grey with a speck": picture(cv2.circle(np.full((512, 512, 3), 90, np.uint8), (200, 200), 5, (255, 0, 0), -1)),
    "tiny": picture(SOURCE[:63, :63]),
    "missing bottom": picture(missing_bottom()),
    "truncated": Picture(picture(SOURCE).data[:9000]),
    "no picture": Picture(b"<html>504 Gateway Time-out</html>"),
    "empty": Picture(b""),
    "wide": picture(SOURCE[:450]),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_pictures_get_a_zero_and_never_an_exception(name: str) -> None:
    assert usable(edit(), UNUSABLE[name]) == 0.0


@pytest.mark.parametrize("photograph", [data.astronaut, data.chelsea, data.coffee, data.rocket, data.hubble_deep_field])
def test_photographs_are_usable(photograph: Any) -> None:
    assert usable(edit(source=photograph()), picture(photograph(), 80)) == 1.0


def test_line_of_text_on_white_is_usable() -> None:
    sign = cv2.putText(np.full((300, 600, 3), 255, np.uint8), "OPEN", (150, 170), 0, 2, (0, 0, 0), 3, cv2.LINE_AA)
    assert usable(edit(kind=TaskType.VTTIE, source=sign), picture(sign)) == 1.0


def test_another_size_of_the_same_shape_is_usable() -> None:
    assert usable(edit(), picture(cv2.resize(SOURCE, (1024, 1000)))) == 1.0


@pytest.mark.parametrize("prompt", ["crop the image to a square", "zoom out and show more of the room", "将图片裁剪"])
def test_shape_may_change_when_the_instruction_asks_for_it(prompt: str) -> None:
    assert usable(edit(prompt), picture(SOURCE[:400])) == 1.0


def test_text_edits_and_face_swaps_never_change_the_shape() -> None:
    for kind in (TaskType.VTTIE, TaskType.DEEPFAKE):
        assert usable(edit("crop", kind), picture(SOURCE[:400])) == 0.0


def test_shape_of_a_text_to_image_is_free() -> None:
    inputs = TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))
    result = Gate().score([Item(inputs, picture(SOURCE[:300]))])[0]
    assert result["usable"].value == 1.0
    assert result["differs"].reason == "there is no source to differ from"


@pytest.mark.parametrize("photograph", [data.astronaut, data.chelsea, data.coffee])
def test_source_in_other_bytes_does_not_differ(photograph: Any) -> None:
    source = photograph()
    inputs = edit(source=source)
    assert inputs.source is not None
    assert differs(inputs, inputs.source) == 0.0
    for quality in (95, 80):
        assert differs(inputs, picture(source, quality)) == 0.0
    assert differs(inputs, picture(cv2.resize(source, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC))) == 0.0


def test_small_text_in_a_large_picture_differs() -> None:
    large = cv2.resize(SOURCE, (1536, 1536), interpolation=cv2.INTER_CUBIC)
    written = cv2.putText(large.copy(), "hi", (1200, 700), 0, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
    assert np.abs(large.astype(int) - written).mean() < 0.01
    assert differs(edit(source=large), picture(written)) == 1.0


def test_faint_change_of_tone_differs() -> None:
    assert differs(edit(), picture(np.clip(SOURCE.astype(int) + 3, 0, 255).astype(np.uint8))) == 1.0


def test_damaged_source_leaves_the_shape_unjudged() -> None:
    inputs = TaskInputs(Task("1", TaskType.TIE, "add a dog", "a.jpg", None, 0), Picture(b"broken"))
    result = Gate().score([Item(inputs, picture(SOURCE))])[0]
    assert result["usable"].value == 1.0
    assert result["differs"].reason is not None
