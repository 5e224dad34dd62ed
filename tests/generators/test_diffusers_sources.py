"""The way of a source to the size of a pipeline and of the result back, and the gate for what is no picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage.data import chelsea

from generators._pipelines.call import at_size, back_onto, canvas_of, region_of
from generators._pipelines.passes import usable
from selector.domain import GenerationFailed, Picture, Task, TaskInputs, TaskType, encode_final


@pytest.fixture(scope="module")
def source() -> Any:
    return np.ascontiguousarray(cv2.resize(chelsea(), (451, 300), interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("size", [(250, 250), (640, 480), (480, 640), (3000, 1000), (33, 500)])
@pytest.mark.parametrize("multiple", [8, 16, 32])
def test_a_canvas_has_the_sources_proportions_and_the_models_area(size: tuple[int, int], multiple: int) -> None:
    width, height = canvas_of(size, 1024 * 1024, multiple)
    assert width % multiple == height % multiple == 0
    ratio = width / height * size[1] / size[0]
    assert abs(ratio - 1) <= multiple / min(width, height) + multiple / 1024
    assert 0.85 < width * height / 1024**2 < 1.15


def test_a_source_that_is_not_changed_comes_back_where_it_was(source: Any) -> None:
    canvas = canvas_of((451, 300), 512 * 512, 32)
    assert canvas != (451, 300)
    back, notes = back_onto(source, np.asarray(at_size(source, canvas)), None)
    assert back.shape == source.shape and "registered" not in notes
    assert np.abs(back.astype(int) - source).mean() < 3


def test_a_small_shift_and_zoom_are_undone(source: Any) -> None:
    moved = cv2.warpAffine(
        source,
        np.array([[1.02, 0, -3.0], [0, 1.02, 2.0]]),
        (451, 300),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    canvas = canvas_of((451, 300), 512 * 512, 16)
    back, notes = back_onto(source, np.asarray(at_size(moved, canvas)), None)
    assert notes["registered"] is True
    inner = np.s_[15:-15, 15:-15]
    before = np.abs(moved[inner].astype(int) - source[inner]).mean()
    assert np.abs(back[inner].astype(int) - source[inner]).mean() < 0.5 * before


def test_another_composition_is_left_as_it_is(source: Any) -> None:
    far = np.roll(source, 40, axis=1)
    back, notes = back_onto(source, far, None)
    assert notes.get("registered") is not True
    assert np.array_equal(back, far)


def test_outside_of_the_mask_is_the_sources_own_and_inside_the_new_with_a_soft_border() -> None:
    source, new = np.full((200, 300, 3), 100, np.uint8), np.full((100, 150, 3), 200, np.uint8)
    mask = np.zeros((200, 300), bool)
    mask[50:150, 100:200] = True
    image, notes = back_onto(source, new, mask)
    assert (image[~mask] == 100).all() and (image[60:140, 110:190] == 200).all()
    assert notes == {"masked": round(100 * 100 / (200 * 300), 4)}
    across = image[100, 95:115, 0].astype(int)
    assert (np.diff(across) >= 0).all() and len(set(across)) > 3


@pytest.mark.parametrize(
    "image, dtype, reason",
    [
        (np.full((8, 8, 3), np.nan), "fp16", "^diffusers: 100% .* NaN; fp16 overflows .*bf16"),
        (np.where(np.arange(192).reshape(8, 8, 3) < 96, np.inf, 0.5), "bf16", '50% .* set dtype = "fp32"'),
        (np.zeros((8, 8, 3)), "bf16", "black"),
        (np.full((8, 8, 3), 0.5), "fp32", "of one colour"),
        (np.zeros((8, 8)), "fp32", "expected a picture"),
    ],
)
def test_what_is_no_picture_does_not_pass(image: Any, dtype: str, reason: str) -> None:
    with pytest.raises(GenerationFailed, match=reason):
        usable(image, dtype)


def test_a_dark_and_a_pale_picture_pass() -> None:
    ramp = np.linspace(0, 0.1, 192).reshape(8, 8, 3)
    assert usable(ramp, "bf16").dtype == np.uint8
    assert usable(1 - ramp, "bf16").min() > 225
    assert np.array_equal(usable(np.full((2, 1, 3), 0.5) * [[[1]], [[2]]], "fp32"), [[[128] * 3], [[255] * 3]])


def test_a_mask_is_a_file_of_its_folder(source: Any, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for file in (tmp_path / "outside.png", tmp_path / "masks" / "1.png"):
        file.write_bytes(encode_final(np.full_like(source, 255), "png"))
    inputs = [
        TaskInputs(Task(one, TaskType.TIE, "?", "a.png", None, 0), Picture(encode_final(source)))
        for one in ("1", "../outside")
    ]
    assert region_of(inputs[0], str(tmp_path / "masks")) is not None
    assert region_of(inputs[1], str(tmp_path / "masks")) is None
