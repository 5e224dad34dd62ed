from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from PIL import Image

from generators._photo.outlines import step_along
from generators._photo.styles import combinations, styles_of
from generators._photo.subject import mask_methods, subject_mask
from generators.retouch import Retouch
from selector.domain import Declined, GenerationFailed, Picture, Recipe, Task, TaskInputs, TaskType
from selector.prompts.edits.instruction import parse_edit_instruction


def picture(pixels: np.ndarray[Any, Any], name: str = "drawn", side: int = 320) -> Picture:
    image = Image.fromarray(pixels[..., :3])
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return Picture(buffer.getvalue(), name)


@lru_cache(maxsize=8)
def photograph(name: str) -> Picture:
    import skimage.data
    from sklearn.datasets import load_sample_image

    pixels = load_sample_image(f"{name}.jpg") if name in ("china", "flower") else getattr(skimage.data, name)()
    return picture(pixels, name)


def inputs(prompt: str, source: Picture | None) -> TaskInputs:
    return TaskInputs(Task("1", TaskType.TIE, prompt, "source.png", None, 0), source)


def made(prompt: str, source: Picture, index: int = 0) -> np.ndarray[Any, Any]:
    task = inputs(prompt, source)
    image: np.ndarray[Any, Any] = Retouch().generate(task, Retouch().recipes(task, 20, 3)[index]).image
    return image


def lightness(rgb: np.ndarray[Any, Any]) -> float:
    return float(rgb.mean())


def chroma(rgb: np.ndarray[Any, Any]) -> float:
    return float((rgb.max(axis=2).astype(int) - rgb.min(axis=2)).mean())


def local_contrast(rgb: np.ndarray[Any, Any]) -> float:
    grey = rgb.mean(axis=2)
    return float(grey.reshape(grey.shape[0] // 16, 16, -1, 16).std(axis=(1, 3)).mean())


def redness(rgb: np.ndarray[Any, Any]) -> float:
    return float(rgb[..., 0].mean() - rgb[..., 2].mean())


@pytest.mark.parametrize(
    ("prompt", "measure", "sign"),
    [
        ("make the image brighter", lightness, 1),
        ("make the image darker", lightness, -1),
        ("increase the contrast", local_contrast, 1),
        ("reduce the contrast", np.std, -1),
        ("make it warmer", redness, 1),
        ("make it cooler", redness, -1),
        ("increase the saturation", chroma, 1),
        ("reduce the saturation", chroma, -1),
        ("让图片更亮一些", lightness, 1),
    ],
)
def test_every_recipe_goes_the_way_that_was_asked(prompt: str, measure: Callable[..., float], sign: int) -> None:
    source = photograph("astronaut")
    task = inputs(prompt, source)
    recipes = Retouch().recipes(task, 50, 0)
    assert len(recipes) >= 6
    for recipe in recipes:
        change = measure(Retouch().generate(task, recipe).image) - measure(source.rgb)
        assert change * sign > 0.02 * measure(source.rgb), recipe.variant


def test_more_is_more_and_less_is_less() -> None:
    source = photograph("coffee")
    wordings = ("slightly brighten the image", "brighten the image", "make the image much brighter")
    changes = [lightness(made(prompt, source)) for prompt in wordings]
    assert lightness(source.rgb) < changes[0] < changes[1] < changes[2]


def test_brightening_burns_no_highlights() -> None:
    source = photograph("china")
    task = inputs("make the image brighter", source)
    burnt = [
        float((Retouch().generate(task, r).image == 255).all(axis=2).mean()) for r in Retouch().recipes(task, 9, 0)
    ]
    assert max(burnt) <= float((source.rgb == 255).all(axis=2).mean()) + 0.03


@pytest.mark.parametrize(
    "prompt",
    [
        "make the image brighter", "increase the contrast", "reduce the contrast", "make it warmer", "less saturated",
        "black and white", "sepia", "add a vignette", "sharpen the image", "pencil sketch", "blur the background",
        "blur the image", "make the background black and white", "crop the image", "make the orange flower purple",
    ],
)  # fmt: skip
def test_at_least_six_recipes_give_different_pictures(prompt: str) -> None:
    task = inputs(prompt, photograph("flower"))
    recipes = Retouch().recipes(task, 6, 0)
    pictures = {Retouch().generate(task, recipe).image.tobytes() for recipe in recipes}
    assert len({recipe.key for recipe in recipes}) == len(pictures) == 6


@pytest.mark.parametrize("prompt", ["黑白照片", "convert to grayscale"])
def test_black_and_white_has_no_colour(prompt: str) -> None:
    assert chroma(made(prompt, photograph("coffee"))) == 0


def test_sepia_is_brown() -> None:
    mean = made("sepia", photograph("china")).reshape(-1, 3).mean(axis=0)
    assert mean[0] > mean[1] > mean[2] + 15


def test_vignette_darkens_corners_and_not_the_centre() -> None:
    grey = picture(np.full((200, 300, 3), 160, np.uint8))
    result = made("add a vignette", grey)
    assert abs(int(result[100, 150, 0]) - 160) <= 2
    assert result[0, 0, 0] < 120


def test_sketch_is_grey_lines_on_light_paper() -> None:
    result = made("pencil sketch", photograph("china"))
    assert chroma(result) == 0
    assert np.median(result) > 150 > np.quantile(result, 0.02)


def test_flips_and_quarter_turns_are_exact_and_have_one_recipe() -> None:
    source = photograph("rocket")
    exact = {
        "flip horizontally": source.rgb[:, ::-1],
        "上下翻转": source.rgb[::-1],
        "rotate the image 90 degrees clockwise": np.rot90(source.rgb, -1),
        "rotate the image 90 degrees to the left": np.rot90(source.rgb),
        "rotate 180 degrees": source.rgb[::-1, ::-1],
    }
    for prompt, expected in exact.items():
        assert len(Retouch().recipes(inputs(prompt, source), 6, 0)) == 1
        assert np.array_equal(made(prompt, source), expected), prompt


def test_rotation_without_a_direction_offers_both() -> None:
    source = photograph("rocket")
    assert np.array_equal(made("旋转90度", source, 0), np.rot90(source.rgb, -1))
    assert np.array_equal(made("旋转90度", source, 1), np.rot90(source.rgb))


def test_oblique_rotation_shows_no_empty_corner() -> None:
    white = picture(np.full((120, 200, 3), 255, np.uint8))
    assert made("rotate the image 20 degrees clockwise", white).min() == 255


def test_crop_has_the_ratio_and_only_source_pixels() -> None:
    source = photograph("china")
    square = made("crop to a square", source)
    assert square.shape[0] == square.shape[1] == min(source.rgb.shape[:2])
    wide = made("裁剪成16:9", source)
    assert abs(wide.shape[1] / wide.shape[0] - 16 / 9) < 0.02


def test_blurred_background_leaves_the_heart_of_the_subject_untouched() -> None:
    source = photograph("astronaut")
    result = made("blur the background", source)
    mask = subject_mask(source, "person")
    assert mask is not None
    assert np.array_equal(result[mask == 1], source.rgb[mask == 1])
    sharp, soft = (np.abs(np.diff(rgb.mean(axis=2), axis=1))[mask[:, 1:] == 0].mean() for rgb in (source.rgb, result))
    assert soft < 0.7 * sharp


def test_subject_outlines_follow_edges_or_are_not_offered() -> None:
    assert mask_methods(photograph("astronaut"))[0] == "person"
    assert mask_methods(photograph("flower"))[0] == "salient"
    assert mask_methods(photograph("rocket")) == ("soft",)  # nothing closed stands out of that sky


def test_subject_of_a_drawing_is_found() -> None:
    drawn = np.full((200, 300, 3), (60, 110, 60), np.uint8)
    y, x = np.mgrid[:200, :300]
    disc = np.hypot(x - 160, y - 100) < 55
    drawn[disc] = (220, 90, 40)
    mask = subject_mask(picture(drawn), "salient")
    assert mask is not None
    found = mask > 0.5
    assert (found & disc).sum() / (found | disc).sum() > 0.95


def test_step_along_is_the_colour_difference_of_the_two_sides() -> None:
    from skimage.color import rgb2lab

    srgb = np.full((60, 60, 3), 0.2, np.float32)
    srgb[:, 30:] = (0.8, 0.4, 0.2)
    outline = np.zeros((60, 60), np.float32)
    outline[:, 30:] = 1
    expected = np.linalg.norm(rgb2lab(srgb[0, 0]) - rgb2lab(srgb[0, -1]))
    assert step_along(outline, srgb) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(
    "prompt", ["make the orange flower purple", "把橙色的花变成蓝色", "make the orange flower white"]
)
def test_recolouring_changes_the_region_and_nothing_else(prompt: str) -> None:
    source = photograph("flower")
    result = made(prompt, source)
    changed = (result != source.rgb).any(axis=2)
    orange = (source.rgb[..., 0] > 150) & (source.rgb[..., 2] < 120)
    assert 0.1 < changed.mean() < 0.35
    assert not changed[:20].any()
    assert changed[orange].mean() > 0.8
    assert result[orange & changed][:, 2].mean() > source.rgb[orange & changed][:, 2].mean() + 60


def test_recolouring_keeps_shading() -> None:
    ramp = np.zeros((120, 160, 3), np.uint8)
    ramp[:] = (90, 140, 90)
    ramp[30:90, 40:120] = np.linspace(90, 230, 80)[None, :, None] * np.array([1, 0.15, 0.15])
    result = made("make the red box blue", picture(ramp))[60, 50:110].astype(int)
    assert (result[:, 2] > result[:, 0]).all()
    assert (np.diff(result.sum(axis=1)) >= -3).all()
    assert result[-1].sum() > 1.5 * result[0].sum()


def test_colour_that_is_not_there_is_declined() -> None:
    with pytest.raises(Declined, match="no green region"):
        Retouch().recipes(inputs("make the green car blue", photograph("coffee")), 6, 0)


def test_scattered_colour_is_declined() -> None:
    dots = np.full((200, 200, 3), 200, np.uint8)
    for top in range(10, 190, 40):
        for left in range(10, 190, 40):
            dots[top : top + 16, left : left + 16] = (200, 30, 30)
    with pytest.raises(Declined, match="scattered"):
        Retouch().recipes(inputs("make the red car blue", picture(dots)), 6, 0)
    assert Retouch().recipes(inputs("make the red cars blue", picture(dots)), 6, 0)


def test_vignette_follows_the_crop() -> None:
    grey = picture(np.full((200, 300, 3), 160, np.uint8))
    result = made("add a vignette and crop to a square", grey).astype(int)
    assert abs(result[0, 0, 0] - result[-1, -1, 0]) <= 1 < result[100, 100, 0] - result[0, 0, 0]


def test_recipes_are_stable_and_longer_lists_start_with_shorter_ones() -> None:
    task = inputs("brighten and add a vignette", photograph("chelsea"))
    short, long = Retouch().recipes(task, 4, 7), Retouch().recipes(task, 30, 7)
    assert [r.key for r in long[:4]] == [r.key for r in short]
    assert len({r.key for r in long}) == len(long) == 30
    assert Retouch().recipes(task, 0, 7) == []


@pytest.mark.parametrize("prompt", ["blur the background", "pencil sketch", "make the orange suit blue"])
def test_same_recipe_gives_the_same_pixels_whatever_the_random_state(prompt: str) -> None:
    import cv2

    from generators._photo import subject as module

    source = photograph("astronaut")
    first = made(prompt, source)
    module._masks = type(module._masks)(module.MEMORY_BYTES, lambda _: 1)
    cv2.setRNGSeed(99)
    np.random.seed(99)
    assert np.array_equal(made(prompt, Picture(source.data, "again")), first)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (17, 9), (64, 64)])
@pytest.mark.parametrize(
    "prompt",
    ["brighten", "blur the background", "pencil sketch", "crop the image", "rotate 30 degrees", "sharpen", "sepia"],
)
def test_tiny_and_plain_pictures_are_no_trouble(prompt: str, size: tuple[int, int]) -> None:
    source = picture(np.full((*size, 3), 90, np.uint8))
    result = made(prompt, source)
    assert result.dtype == np.uint8
    assert result.ndim == 3
    assert min(result.shape[:2]) >= 1


def test_task_without_a_source_is_declined() -> None:
    with pytest.raises(Declined, match="source"):
        Retouch().recipes(inputs("brighten", None), 6, 0)


def test_recipe_of_another_instruction_fails_with_a_reason() -> None:
    task = inputs("brighten", photograph("chelsea"))
    with pytest.raises(GenerationFailed, match="does not fit"):
        Retouch().generate(task, Recipe("x", 0, {"styles": []}))


def test_first_guesses_vary_the_method_before_the_strength() -> None:
    (operation,) = parse_edit_instruction("brighten the image")
    styles = styles_of(operation, ())
    assert [style.method for style in styles[:3]] == ["exposure", "gamma", "curve"]
    assert {style.strength for style in styles[:3]} == {1.0}
    assert combinations([styles])[0] == (styles[0],)
