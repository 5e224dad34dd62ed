"""Every column of ``technical`` follows the damage it is named for, on real photographs, in the declared direction."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr
from skimage import data

from scorers.technical import Technical, measures, noise_levels
from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final

Array = np.ndarray[Any, np.dtype[Any]]
PHOTOGRAPHS = [pytest.param(f, id=f.__name__) for f in (data.astronaut, data.chelsea, data.coffee)]
COLUMNS = {column.name: column for column in Technical.columns}


def levels(values: Array) -> Array:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def jpeg(rgb: Array, quality: float) -> Array:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=int(quality))
    return np.asarray(Image.open(buffer))


def blurred(rgb: Array, sigma_px: float) -> Array:
    return cv2.GaussianBlur(rgb, (0, 0), sigma_px) if sigma_px else rgb


def noisy(rgb: Array, sigma: float) -> Array:
    return levels(rgb + sigma * np.random.default_rng(1).normal(size=rgb.shape))


def stretched(rgb: Array, contrast: float) -> Array:
    return levels((rgb.astype(float) - 128) * contrast + 128)


def posterised(rgb: Array, step: float) -> Array:
    return levels((np.floor(rgb / step) + 0.5) * step) if step > 1 else rgb


def tinted(rgb: Array, strength: float) -> Array:
    grey = rgb * (rgb.mean() / rgb.mean(axis=(0, 1)))  # balanced first: a tint against a cast would first mend it
    return levels(0.8 * grey * np.array([1 + strength, 1.0, 1 - strength]))


def smaller(rgb: Array, factor: float) -> Array:
    return cv2.resize(rgb, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)


def enlarged_again(rgb: Array, factor: float) -> Array:
    return cv2.resize(smaller(rgb, factor), (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_CUBIC)


DAMAGES: list[tuple[str, Callable[[Array, float], Array], list[float]]] = [
    ("sharpness", blurred, [0, 0.5, 0.8, 1.2, 2, 3, 5]),
    ("noise", noisy, [0, 2, 4, 8, 12, 20, 30]),
    ("blocking", lambda rgb, loss: jpeg(rgb, 100 - loss), [5, 15, 25, 40, 55, 70, 80, 90]),
    ("clipping", stretched, [1, 1.3, 1.7, 2.2, 3, 4]),
    ("banding", posterised, [1, 4, 8, 16, 24, 32]),
    ("colour_cast", tinted, [0, 0.05, 0.1, 0.2, 0.3, 0.4]),
    ("resolution", smaller, [1, 1.5, 2, 3, 4]),
    ("resolution", enlarged_again, [1, 1.5, 2, 3, 4, 6]),
]


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize(("column", "damage", "amounts"), DAMAGES)
def test_column_follows_its_damage_in_the_declared_direction(
    photograph: Any, column: str, damage: Callable[[Array, float], Array], amounts: list[float]
) -> None:
    values = [measures(np.ascontiguousarray(damage(photograph(), amount)))[column] for amount in amounts]
    worse = -1 if COLUMNS[column].higher_is_better else 1
    assert worse * spearmanr(amounts, values).statistic > 0.97
    assert worse * (values[-1] - values[0]) > 0.1


def test_noise_is_estimated_in_levels() -> None:
    smooth = np.tile(np.linspace(60, 180, 512), (512, 1))
    for sigma in (2.0, 5.0, 10.0):
        plane = (smooth + np.random.default_rng(3).normal(0, sigma, smooth.shape)).astype(np.float32)
        assert noise_levels(plane) == pytest.approx(sigma, rel=0.15)  # the quietest quarter lies a little below


def test_smooth_gradient_has_no_bands_and_its_posterised_copy_has() -> None:
    gradient = np.repeat(np.tile(np.linspace(20, 120, 600), (300, 1))[..., None], 3, axis=2)
    assert measures(levels(gradient))["banding"] < 0.01
    assert measures(levels(np.floor(gradient / 8) * 8))["banding"] > 0.5
    assert measures(jpeg(levels(np.floor(gradient / 8) * 8), 95))["banding"] > 0.5


def test_grid_is_found_at_any_phase() -> None:
    damaged = jpeg(data.astronaut(), 20)
    straight, cut = (measures(np.ascontiguousarray(rgb))["blocking"] for rgb in (damaged, damaged[3:, 5:]))
    assert cut == pytest.approx(straight, abs=0.05)


def test_known_shares_and_angles() -> None:
    half_white = np.full((100, 100, 3), 128, np.uint8)
    half_white[:50] = 255
    assert measures(half_white)["clipping"] == 0.5
    assert measures(np.full((100, 100, 3), 128, np.uint8))["colour_cast"] == pytest.approx(0.0, abs=1e-6)
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 0] = 200
    assert measures(red)["colour_cast"] == 1.0  # 54.7 degrees from grey


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (17, 40), (2, 900)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_tiny_and_flat_pictures_have_values_in_range(shape: tuple[int, int], value: int) -> None:
    for name, measured in measures(np.full((*shape, 3), value, np.uint8)).items():
        assert COLUMNS[name].low <= measured <= COLUMNS[name].high


def test_damaged_picture_is_unscored_with_the_reason() -> None:
    inputs = TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))
    cut = Picture(encode_final(data.chelsea())[:2000], name="cut.jpg")
    scores = Technical().score([Item(inputs, cut)])[0]
    assert set(scores) == set(COLUMNS)
    assert all(score.reason and "cut.jpg" in score.reason for score in scores.values())


def test_a_megapixel_costs_less_than_a_tenth_of_a_second() -> None:
    picture = cv2.resize(data.astronaut(), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    measures(picture)  # imports and FFT plans
    seconds = []
    for _ in range(5):
        start = time.process_time()
        measures(picture)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.1 * max(1, cv2.getNumThreads())  # processor time of all threads
