"""Pastes into real photographs: the harder the edge and the stranger the grain, the higher the score."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from scorers.seams import Seams
from selector.domain import Item, Picture, Score, Task, TaskInputs, TaskType, encode_final

Array = np.ndarray[Any, np.dtype[Any]]
PHOTOGRAPHS = [pytest.param(f, id=f.__name__) for f in (data.astronaut, data.chelsea, data.coffee)]


def scores(source: Array, *candidates: Array) -> list[dict[str, Score]]:
    task = TaskInputs(Task("1", TaskType.TIE, "an edit", "a.jpg", None, 0), Picture(encode_final(source)))
    return [dict(r) for r in Seams().score([Item(task, Picture(encode_final(rgb))) for rgb in candidates])]


def values(source: Array, column: str, *candidates: Array) -> list[float]:
    found = [result[column].value for result in scores(source, *candidates)]
    assert all(value is not None for value in found)
    return [float(value) for value in found if value is not None]


def blended(source: Array, patch: Array, feather_px: float) -> Array:
    height, width = source.shape[:2]
    side = min(height, width) // 4
    mask = np.zeros((height, width), np.float32)
    cv2.circle(mask, (width // 3 + side // 2, height // 3 + side // 2), side // 2, 1, -1)  # no fur: it hides grain
    if feather_px:
        mask = cv2.GaussianBlur(mask, (0, 0), feather_px)
    return np.clip(np.round(source * (1 - mask[..., None]) + patch * mask[..., None]), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_boundary_gradient_falls_with_the_feather(photograph: Any) -> None:
    source = photograph()
    donor = cv2.resize(data.rocket(), (source.shape[1], source.shape[0])) * 0.7 + 40
    for patch in (donor, source * 0.8 + 30):
        steps = values(source, "boundary_gradient", *(blended(source, patch, feather) for feather in (0, 2, 5, 10)))
        assert steps == sorted(steps, reverse=True)
        assert steps[0] > steps[3] + 0.05


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_added_and_removed_grain_is_a_noise_mismatch(photograph: Any) -> None:
    source = photograph()
    patch = source * 0.8 + 30.0
    grain = np.random.default_rng(0).normal(0, 8, source.shape)
    smooth = cv2.GaussianBlur(patch, (0, 0), 2)
    clean, noisy, denoised = values(
        source, "noise_mismatch", *(blended(source, other, 5) for other in (patch, patch + grain, smooth))
    )
    assert clean < 0.2
    assert noisy > 0.6
    assert denoised > 0.35


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_cloned_patch_is_found_and_an_own_one_is_not(photograph: Any) -> None:
    source = photograph()
    row, column, side = source.shape[0] // 3, source.shape[1] // 3, source.shape[0] // 4
    cloned = source.copy()
    cloned[row : row + side, column : column + side] = source[10 : 10 + side, 10 : 10 + side]
    clone, tone = values(source, "copy_paste", cloned, blended(source, source * 0.8 + 30.0, 2))
    assert clone > 0.4
    assert tone < 0.1


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_nothing_edited_is_unscored(photograph: Any) -> None:
    source = photograph()
    for result in scores(source, source, cv2.resize(source, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)):
        assert {score.reason for score in result.values()} == {"nothing was edited"}


def test_edit_of_the_whole_picture_is_unscored() -> None:
    (result,) = scores(data.astronaut(), 255 - data.astronaut())
    assert all(score.reason is not None and "whole picture" in score.reason for score in result.values())


def test_tiny_edit_has_no_noise_estimate_but_a_boundary() -> None:
    edited = data.astronaut()
    edited[300:306, 300:306] = 255
    (result,) = scores(data.astronaut(), edited)
    assert result["boundary_gradient"].value is not None
    assert result["noise_mismatch"].reason is not None
    assert "too small" in result["noise_mismatch"].reason


def test_edit_at_the_border_has_no_seam_there() -> None:
    source = data.chelsea()
    strip = source.copy()
    strip[:, :40] = 255 - strip[:, :40]
    inner = source.copy()
    inner[:, 200:240] = 255 - inner[:, 200:240]
    for value in values(source, "boundary_gradient", strip, inner):
        assert 0.2 < value <= 1.0


def test_damaged_candidate_is_unscored() -> None:
    task = TaskInputs(Task("1", TaskType.TIE, "x", "a.jpg", None, 0), Picture(encode_final(data.chelsea())))
    assert all(score.reason for score in Seams().score([Item(task, Picture(b"broken"))])[0].values())


def test_letters_are_no_copies() -> None:
    blank = np.full((160, 420, 3), (240, 235, 220), np.uint8)
    written = cv2.putText(blank.copy(), "EEEE", (30, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (30, 30, 120), 5, cv2.LINE_AA)
    task = TaskInputs(Task("1", TaskType.VTTIE, "add 'EEEE'", "a.jpg", None, 0), Picture(encode_final(blank)))
    result = Seams().score([Item(task, Picture(encode_final(written)))])[0]
    assert result["copy_paste"].reason is not None
    assert result["boundary_gradient"].value is not None
