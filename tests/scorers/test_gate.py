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


def columns(inputs: TaskInputs, candidate: Picture, **settings: Any) -> dict[str, float | None]:
    """Every column but ``differs``."""
    result = Gate(**settings).score([Item(inputs, candidate)])[0]
    return {name: score.value for name, score in result.items() if name != "differs"}


def right_shape(inputs: TaskInputs, candidate: Picture) -> float | None:
    return columns(inputs, candidate)["right_shape"]


def differs(inputs: TaskInputs, candidate: Picture) -> float | None:
    return Gate().score([Item(inputs, candidate)])[0]["differs"].value


def missing_bottom() -> Array:
    rgb = SOURCE.copy()
    rgb[400:] = 128
    return rgb


FAULTS = {
    "black": (picture(np.zeros((512, 512, 3), np.uint8)), {"not_plain"}),
    "nearly black": (picture((SOURCE // 64).astype(np.uint8)), {"not_plain"}),
    "white": (picture(np.full((512, 512, 3), 255, np.uint8)), {"not_plain"}),
    "grey": (picture(np.full((512, 512, 3), 128, np.uint8)), {"not_plain"}),
    "grey with a speck": (
        picture(cv2.circle(np.full((512, 512, 3), 90, np.uint8), (200, 200), 5, (255, 0, 0), -1)),
        {"not_plain"},
    ),
    "tiny": (picture(SOURCE[:63, :63]), {"large_enough"}),
    "missing bottom": (picture(missing_bottom()), {"readable"}),
    "wide": (picture(SOURCE[:450]), {"right_shape"}),
    "a strip": (picture(cv2.resize(SOURCE, (1000, 40))), {"right_shape", "large_enough"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_a_column_of_its_own(name: str) -> None:
    candidate, faults = FAULTS[name]
    found = columns(edit(), candidate)
    assert found == {column: float(column not in faults) for column in found}


@pytest.mark.parametrize("data", [picture(SOURCE).data[:9000], b"<html>504 Gateway Time-out</html>", b""])
def test_a_damaged_picture_is_not_readable_and_never_an_exception(data: bytes) -> None:
    result = Gate().score([Item(edit(), Picture(data))])[0]
    assert result["readable"].value == 0.0
    assert result["not_plain"].reason
    assert result["differs"].reason


def test_shape_and_size_of_a_truncated_picture_are_known_from_its_header() -> None:
    found = columns(edit(), Picture(picture(SOURCE).data[:9000]))
    assert (found["large_enough"], found["right_shape"]) == (1.0, 1.0)


def test_the_text_of_every_column_completes_a_sentence() -> None:
    assert all(" must " in column.what for column in Gate.columns)


@pytest.mark.parametrize("photograph", [data.astronaut, data.chelsea, data.coffee, data.rocket, data.hubble_deep_field])
def test_photographs_pass(photograph: Any) -> None:
    assert set(columns(edit(source=photograph()), picture(photograph(), 80)).values()) == {1.0}


def test_line_of_text_on_white_is_not_plain() -> None:
    sign = cv2.putText(np.full((300, 600, 3), 255, np.uint8), "OPEN", (150, 170), 0, 2, (0, 0, 0), 3, cv2.LINE_AA)
    assert columns(edit(kind=TaskType.VTTIE, source=sign), picture(sign))["not_plain"] == 1.0


def test_another_size_of_the_same_shape_is_right() -> None:
    assert right_shape(edit(), picture(cv2.resize(SOURCE, (1024, 1000)))) == 1.0


@pytest.mark.parametrize("prompt", ["crop the image to a square", "zoom out and show more of the room", "将图片裁剪"])
def test_shape_may_change_when_the_instruction_asks_for_it(prompt: str) -> None:
    assert right_shape(edit(prompt), picture(SOURCE[:400])) == 1.0


def test_text_edits_and_face_swaps_never_change_the_shape() -> None:
    for kind in (TaskType.VTTIE, TaskType.DEEPFAKE):
        assert right_shape(edit("crop", kind), picture(SOURCE[:400])) == 0.0


def test_a_flip_keeps_the_shape() -> None:
    assert right_shape(edit("flip the image horizontally"), picture(SOURCE[:400])) == 0.0


def test_shape_says_nothing_where_the_contest_fixes_the_size() -> None:
    assert columns(edit(), picture(SOURCE[:400]), fixed_size_types=["tie"])["right_shape"] == 1.0
    assert columns(edit(), picture(SOURCE[:400]), fixed_size_types=["t2i"])["right_shape"] == 0.0
    with pytest.raises(ValueError, match="tea"):
        Gate(["tea"])


def test_the_middle_of_the_source_does_not_differ_unless_a_crop_was_asked_for() -> None:
    middle = picture(SOURCE[64:448])
    assert differs(edit(), middle) == 0.0
    assert differs(edit("crop the image to 4:3"), middle) == 1.0
    assert differs(edit("crop 10% off every side"), picture(SOURCE[51:461, 51:461])) == 1.0
    assert differs(edit("rotate 90 degrees clockwise"), picture(np.rot90(SOURCE))) == 1.0
    assert differs(edit("rotate 90 degrees clockwise"), picture(SOURCE, 80)) == 0.0


def test_shape_of_a_text_to_image_is_free() -> None:
    inputs = TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))
    result = Gate().score([Item(inputs, picture(SOURCE[:300]))])[0]
    assert result["right_shape"].value == 1.0
    assert result["differs"].reason == "not applicable: there is no source to differ from"


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
    assert result["readable"].value == 1.0
    assert result["right_shape"].reason is not None
    assert result["differs"].reason is not None
