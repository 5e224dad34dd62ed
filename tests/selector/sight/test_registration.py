"""Registration on real photographs: known displacements must come back, and edits must not pull the fit."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from selector.domain import InputError, Picture, encode_final
from selector.sight.memory import RecentResults
from selector.sight.registration import changed_mask, register, registered
from selector.sight.resize import centre_window, resize_rgb, shrink

Array = np.ndarray[Any, np.dtype[Any]]


def jpeg(rgb: Array, quality: int) -> Array:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def displaced(rgb: Array, zoom: float = 1.0, dx: float = 0.0, dy: float = 0.0) -> Array:
    height, width = rgb.shape[:2]
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    matrix = np.array([[zoom, 0, (1 - zoom) * centre_x + dx], [0, zoom, (1 - zoom) * centre_y + dy]])
    return cv2.warpAffine(rgb, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


PHOTOGRAPHS = [pytest.param(f, id=f.__name__) for f in (data.astronaut, data.chelsea, data.coffee, data.rocket)]


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_shift_is_found_to_a_tenth_of_a_pixel(photograph: Any) -> None:
    result = register(photograph(), displaced(photograph(), dx=5.5, dy=-3.0))
    assert result.shift_px == pytest.approx((5.5, -3.0), abs=0.1)
    assert result.scale == pytest.approx((1.0, 1.0), abs=0.001)
    assert not result.valid.all()


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_zoom_of_an_enlarged_and_edited_candidate_is_found(photograph: Any) -> None:
    source = photograph()
    candidate = displaced(source, zoom=1.06, dx=4.0)
    candidate[100:200, 100:220] = (200, 30, 60)
    size = (round(source.shape[1] * 1.7), round(source.shape[0] * 1.7))
    result = register(source, jpeg(cv2.resize(candidate, size, interpolation=cv2.INTER_CUBIC), 90))
    assert result.scale == pytest.approx((1.06, 1.06), abs=0.002)
    assert result.shift_px == pytest.approx((4.0, 0.0), abs=0.2)
    assert result.image.shape == source.shape
    mask = changed_mask(source, result)
    assert mask[110:190, 110:200].mean() > 0.85
    outside = np.ones(mask.shape, bool)
    outside[80:220, 80:240] = False
    assert mask[outside].mean() < 0.001


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_darkened_copy_is_registered_all_the_same(photograph: Any) -> None:
    candidate = (displaced(photograph(), dx=-6, dy=4) * 0.55).astype(np.uint8)
    assert register(photograph(), candidate).shift_px == pytest.approx((-6.0, 4.0), abs=0.2)


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_what_did_not_move_is_not_moved(photograph: Any) -> None:
    source = photograph()
    half = cv2.resize(source, (source.shape[1] // 2, source.shape[0] // 2), interpolation=cv2.INTER_AREA)
    for candidate in (source.copy(), jpeg(source, 40), half, source[::-1, ::-1].copy()):
        result = register(source, candidate)
        assert result.shift_px == (0.0, 0.0)
        assert result.scale == (1.0, 1.0)
        assert result.valid.all()


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_jpeg_noise_is_no_change_and_a_tiny_text_is(photograph: Any) -> None:
    source = photograph()
    assert not changed_mask(source, register(source, jpeg(source, 90))).any()
    assert changed_mask(source, register(source, jpeg(source, 60))).mean() < 0.001
    written = source.copy()
    cv2.putText(written, "hi", (source.shape[1] // 2, source.shape[0] // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3)
    rows, columns = np.nonzero(changed_mask(source, register(source, jpeg(written, 95))))
    assert 9 <= len(rows) < 600
    assert abs(rows.mean() - source.shape[0] // 2) < 15
    assert 0 <= columns.mean() - source.shape[1] // 2 < 25


def test_change_of_everything_is_a_change_of_nearly_everything() -> None:
    source = data.astronaut()
    other = cv2.resize(data.chelsea(), (512, 512))
    assert changed_mask(source, register(source, other)).mean() > 0.9


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 1, 3), (100, 150, 3), (200, 300, 3)])
def test_pictures_without_texture_are_only_resized(shape: tuple[int, ...]) -> None:
    flat, source = np.full(shape, 90, np.uint8), data.chelsea()
    for one, other in ((flat, source), (source, flat), (flat, np.full((200, 300, 3), 7, np.uint8))):
        result = register(one, other)
        assert result.image.shape == one.shape
        assert result.shift_px == (0.0, 0.0)


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_a_crop_is_laid_on_the_middle_and_not_stretched(photograph: Any, scale: float) -> None:
    source = photograph()
    width = source.shape[1]
    middle = source[:, width // 5 : width - width // 5]
    result = register(source, jpeg(cv2.resize(middle, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), 90))
    assert result.valid[:, width // 4 : width - width // 4].all()
    assert not result.valid[:, : width // 6].any()
    assert changed_mask(source, result).mean() < 0.005


def test_what_a_crop_does_not_show_is_no_change_and_what_it_shows_is() -> None:
    source = data.coffee()
    middle = source[:, 100:500].copy()
    middle[100:160, 100:160] = (0, 90, 250)
    mask = changed_mask(source, register(source, middle))
    assert mask[105:155, 205:255].all()
    assert not mask[:, :100].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1)])
def test_the_most_extreme_proportions_still_have_a_window(shape: tuple[int, int]) -> None:
    rows, columns = centre_window((30, 20, 3), shape)
    assert 0 <= rows.start < rows.stop <= 30
    assert 0 <= columns.start < columns.stop <= 20
    assert register(data.coffee(), np.zeros((*shape, 3), np.uint8)).image.shape == data.coffee().shape


def test_inputs_stay_writable_and_unchanged() -> None:
    source, candidate = data.chelsea(), data.chelsea()
    result = register(source, candidate)
    candidate[0, 0] = 1
    assert not result.image.flags.writeable
    assert candidate.flags.writeable


def test_pictures_are_registered_once_by_their_ids() -> None:
    source, candidate = Picture(encode_final(data.chelsea())), Picture(encode_final(data.chelsea(), quality=80))
    again = Picture(candidate.data)
    assert registered(source, candidate) is registered(Picture(source.data), again)
    with pytest.raises(InputError, match="not a picture"):
        registered(source, Picture(b"no picture"))


def test_masks_shrink_to_any_and_pictures_to_the_long_side() -> None:
    mask = np.zeros((100, 200), bool)
    mask[50, 100] = True
    assert shrink(mask, 50).shape == (25, 50)
    assert np.count_nonzero(shrink(mask, 50)) == 1
    assert shrink(mask, 400) is mask
    assert resize_rgb(np.zeros((10, 20, 3), np.uint8), (5, 5)).shape == (5, 5, 3)


def test_memory_forgets_the_least_recently_used_beyond_its_limit() -> None:
    memory: RecentResults[int] = RecentResults(10, cost=lambda value: value)
    made: list[int] = []

    def ask(value: int) -> int:
        return memory.get(value, lambda: made.append(value) or value)  # type: ignore[func-returns-value]

    for value in (4, 5, 4, 3, 4, 5, 99, 4):
        assert ask(value) == value
    assert made == [4, 5, 3, 5, 99, 4]  # 3 pushes 5 out, since 4 was used later; 99 alone exceeds the limit
    assert len(memory) == 1
