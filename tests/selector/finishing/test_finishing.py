"""Finishes on real photographs: each step does what it says, in numbers, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from scorers.technical import measures
from selector.contest.profile import load_profile
from selector.domain import (
    Declined,
    GenerationFailed,
    InputError,
    MissingPart,
    Picture,
    Task,
    TaskInputs,
    TaskType,
    encode_final,
)
from selector.finishing import STEPS, Finishing, steps_of
from selector.finishing.detail import noise_levels
from selector.generate.finalize import finalize
from selector.sight.colour_spaces import to_floats, to_lab

Array = np.ndarray[Any, np.dtype[Any]]
NAMES = ("astronaut", "chelsea", "coffee", "rocket")


@lru_cache(maxsize=8)
def photograph(name: str) -> Array:
    found = cv2.resize(getattr(data, name)(), (400, 300), interpolation=cv2.INTER_AREA)
    found.setflags(write=False)
    return found


def noisy(rgb: Array, sd: float) -> Array:
    noise = np.random.default_rng(3).normal(0, sd, rgb.shape)
    return np.clip(np.round(rgb + noise), 0, 255).astype(np.uint8)


def text_task() -> TaskInputs:
    return TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))


def edit_task(source: Array, prompt: str = "replace the thing in the middle") -> TaskInputs:
    return TaskInputs(Task("1", TaskType.TIE, prompt, "s.png", None, 0), Picture(encode_final(source, "png"), "s.png"))


def finished(rgb: Array, name: str, inputs: TaskInputs | None = None, seed: int = 1, **settings: Any) -> Array:
    return Finishing(**settings).apply(inputs or text_task(), rgb, name, seed).image


def notes_of(rgb: Array, name: str, inputs: TaskInputs | None = None) -> dict[str, Any]:
    return Finishing().apply(inputs or text_task(), rgb, name, 1).notes["finish"][0]


def rmse(one: Array, other: Array) -> float:
    return float(np.sqrt(np.mean((one.astype(float) - other) ** 2)))


def luma(rgb: Array) -> Array:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


# --- denoise ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_denoise_takes_noise_away_and_keeps_what_is_there(name):
    clean = photograph(name)
    given = noisy(clean, 6)
    came = finished(given, "denoise")
    assert noise_levels(came) < 0.65 * noise_levels(given)
    assert rmse(came, clean) < 0.85 * rmse(given, clean)  # nearer to the truth, not only smoother
    assert measures(came)["sharpness"] > 0.95 * measures(given)["sharpness"]


def test_denoise_keeps_edges():
    step = np.full((80, 80, 3), 60, np.uint8)
    step[:, 40:] = 180
    came = finished(noisy(step, 6), "denoise").astype(float).mean(axis=(0, 2))
    assert came[41] - came[38] > 110


def test_denoise_leaves_a_clean_picture_as_it_is():
    clean = cv2.GaussianBlur(photograph("astronaut"), (0, 0), 2)
    assert np.array_equal(finished(clean, "denoise"), clean)
    assert notes_of(clean, "denoise")["left_as_it_was"]


def test_denoise_strength_is_the_share_that_goes():
    given = noisy(photograph("coffee"), 6)
    half, whole = (finished(given, "denoise", denoise_strength=s).astype(float) - given for s in (0.5, 1.0))
    assert np.abs(half - whole / 2).max() <= 1


# --- sharpen ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("strength", [0.5, 1.5])
def test_sharpen_sharpens_and_its_halos_stay_within_the_clamp(name, strength):
    soft = cv2.GaussianBlur(photograph(name), (0, 0), 1.0)
    came = finished(soft, "sharpen", sharpen_strength=strength)
    assert measures(came)["sharpness"] > 1.05 * measures(soft)["sharpness"]
    before, after = (to_lab(to_floats(rgb))[..., 0] for rgb in (soft, came))
    kernel = np.ones((3, 3), np.uint8)  # the radius is below 1 px at this size
    over = np.maximum(after - cv2.dilate(before, kernel), cv2.erode(before, kernel) - after)
    assert over.max() <= 4 * strength + 0.5  # and a rounding


def test_sharpen_moves_lightness_and_hardly_any_colour():
    soft = cv2.GaussianBlur(photograph("astronaut"), (0, 0), 1.0)
    before, after = (to_lab(to_floats(rgb)) for rgb in (soft, finished(soft, "sharpen", sharpen_strength=1.5)))
    change = np.abs(after - before).mean(axis=(0, 1))
    assert change[0] > 0.5 and change[1:].max() < change[0] / 3  # of colour: rounding, and what leaves the gamut


def test_sharpen_does_not_bring_out_noise_in_flat_parts():
    flat = noisy(np.full((120, 120, 3), 128, np.uint8), 1.0)
    assert noise_levels(finished(flat, "sharpen")) < 1.4 * noise_levels(flat)


# --- grain -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [1.5, 4.0])
def test_grain_is_as_strong_as_it_says_and_has_no_colour(levels):
    grey = np.full((400, 400, 3), 128, np.uint8)
    came = finished(grey, "grain", grain_strength=levels)
    added = came.astype(float) - 128
    assert added.std() == pytest.approx(levels, rel=0.05) and abs(added.mean()) < 0.05
    assert (np.ptp(came, axis=2) == 0).all()


def test_grain_leaves_black_and_white_alone_and_no_tone_brighter():
    ramp = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (200, 1))[..., None], 3, axis=2)
    added = finished(ramp, "grain").astype(float) - ramp
    assert (added[:, [0, 255]] == 0).all()
    assert np.abs(added[:, 8:248].mean(axis=0)).max() < 0.7  # 5 standard errors of a column
    assert added[:, 128].std() > 2 * added[:, 4].std()


def test_grain_is_another_for_another_seed_and_the_same_in_another_process():
    rgb = photograph("coffee")
    assert not np.array_equal(finished(rgb, "grain", seed=1), finished(rgb, "grain", seed=2))
    code = (
        "import hashlib, numpy as np; from selector.finishing import Finishing;"
        "from selector.domain import Task, TaskInputs, TaskType;"
        "t = TaskInputs(Task('1', TaskType.T2I, '', None, None, 0));"
        "x = (np.arange(90 * 70 * 3) % 251).astype(np.uint8).reshape(90, 70, 3);"
        "print(hashlib.sha256(Finishing().apply(t, x, 'denoise+sharpen+grain', 5).image.tobytes()).hexdigest())"
    )
    runs = {subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(2)}
    assert len(runs) == 1


# --- colours ---------------------------------------------------------------------------------------------------------


def edited(name: str) -> tuple[Array, Array]:
    """(the photograph with another one in a central ellipse, where)."""
    source = photograph(name)
    mask = np.zeros(source.shape[:2], np.uint8)
    cv2.ellipse(mask, (200, 150), (80, 75), 0, 0, 360, 1, -1)
    other = photograph(NAMES[NAMES.index(name) - 1])
    return np.where(mask[..., None] > 0, other, source), mask > 0


CASTS = {
    "shift": lambda x: x + np.array([6, -3, -7]),
    "gain": lambda x: x * np.array([1.06, 1, 0.92]) + np.array([0, 2, 4]),
    "pale": lambda x: x.mean(axis=2, keepdims=True) + 0.85 * (x - x.mean(axis=2, keepdims=True)),
    "slope": lambda x: x + np.linspace(-6, 6, x.shape[0])[:, None, None] * np.array([1, 0, -1]),
}


def smooth(rgb: Array) -> Array:
    return cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), 3)


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("name", NAMES)
def test_colours_removes_a_cast_to_within_a_level_and_keeps_the_edit(name, cast):
    wanted, inside = edited(name)
    shifted = np.clip(np.round(CASTS[cast](wanted.astype(float))), 0, 255).astype(np.uint8)
    made = Picture(encode_final(shifted, quality=90)).rgb
    came = finished(made, "colours", edit_task(photograph(name)))
    clear = cv2.erode((~inside).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    off = np.abs(smooth(came) - smooth(wanted))
    assert off[clear].mean() < 1.0
    assert np.abs((came.astype(float) - wanted)[clear].mean(axis=0)).max() < 0.5
    inner = cv2.erode(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert off[inner].mean() < 2.0  # the edit is there, and without the cast
    assert rmse(came[inner], photograph(name)[inner]) > 20


def test_colours_of_a_picture_without_a_cast_stay(name="coffee"):
    wanted, _ = edited(name)
    came = finished(wanted, "colours", edit_task(photograph(name)))
    assert np.abs(came.astype(int) - wanted).mean() < 0.3
    assert notes_of(wanted, "colours", edit_task(photograph(name)))["cast_levels"] < 0.3


def test_colours_of_a_larger_and_of_a_moved_picture_are_matched_too():
    wanted, _ = edited("chelsea")
    shifted = np.clip(CASTS["shift"](wanted.astype(float)), 0, 255).astype(np.uint8)
    for made in (cv2.resize(shifted, (800, 600), interpolation=cv2.INTER_CUBIC), np.roll(shifted, (4, 7), (0, 1))):
        came = finished(made, "colours", edit_task(photograph("chelsea")))
        assert came.shape == made.shape
        moved = (came.astype(float) - made).mean(axis=(0, 1))
        assert np.abs(moved - [-6, 3, 7]).max() < 1.0


def test_colours_of_a_face_swap_are_matched_outside_of_the_face():
    source = np.ascontiguousarray(data.astronaut()[:300, 60:380])
    swapped = source.copy()
    swapped[70:170, 120:210] = cv2.GaussianBlur(swapped[70:170, 120:210], (0, 0), 6)[:, ::-1]
    made = np.clip(swapped + np.array([8, 0, -8]), 0, 255).astype(np.uint8)
    task = Task("1", TaskType.DEEPFAKE, "", "s.png", "r.png", 0)
    picture = Picture(encode_final(source, "png"), "s.png")
    came = finished(made, "colours", TaskInputs(task, picture, picture))
    outside = np.ones(source.shape[:2], bool)
    outside[60:180, 110:220] = False
    unclipped = outside & (made.min(axis=2) > 0) & (made.max(axis=2) < 255)
    assert np.abs((came.astype(float) - source)[unclipped].mean(axis=0)).max() < 1.0


def test_half_the_strength_takes_half_the_cast():
    wanted, _ = edited("coffee")
    made = np.clip(wanted + np.array([8, 0, -8]), 0, 255).astype(np.uint8)
    task = edit_task(photograph("coffee"))
    half, whole = (finished(made, "colours", task, colour_strength=s).astype(float) - made for s in (0.5, 1.0))
    assert np.abs(half - whole / 2).mean() < 0.5


@pytest.mark.parametrize(
    ("made", "prompt", "reason"),
    [
        (lambda x: x * np.array([0.4, 0.45, 0.6]), "let it be midnight", "an edit and no cast"),
        (lambda x: x * 1.05, "make the image brighter", "a change of the whole picture"),
        (lambda _: photograph("rocket").astype(float), "replace the thing", "colours: "),
        (lambda x: np.random.default_rng(0).uniform(0, 255, x.shape), "replace the thing", "colours: "),
    ],
)
def test_colours_declines_what_is_no_cast(made, prompt, reason):
    source = photograph("chelsea")
    with pytest.raises(Declined, match=reason):
        finished(np.clip(made(source.astype(float)), 0, 255).astype(np.uint8), "colours", edit_task(source, prompt))


def test_colours_declines_a_task_from_text():
    with pytest.raises(Declined, match="without a source"):
        finished(photograph("coffee"), "colours")


# --- size, chains, settings ------------------------------------------------------------------------------------------


def test_upscale_keeps_proportions_and_the_bound_of_the_contest():
    assert finished(photograph("coffee"), "upscale").shape == (600, 800, 3)
    assert finished(photograph("coffee"), "upscale", upscale_factor=1.5).shape == (450, 600, 3)
    assert finished(np.zeros((30, 3000, 3), np.uint8), "upscale").shape == (41, 4096, 3)
    with pytest.raises(Declined, match="4096 px a side is the limit"):
        finished(np.zeros((10, 4096, 3), np.uint8), "upscale")


def test_upscale_by_lanczos_is_declined_for_edits_because_the_contest_undoes_it():
    source = photograph("coffee")
    with pytest.raises(Declined, match="keeps its source's size"):
        finished(source, "upscale", edit_task(source))
    profile = load_profile("tianchi-532389")
    assert finalize(np.zeros((600, 800, 3), np.uint8), edit_task(source), profile).size_px == (400, 300)
    assert finalize(np.zeros((600, 800, 3), np.uint8), text_task(), profile).size_px == (800, 600)


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 3), (7, 9), (20, 16)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_small_and_plain_pictures_pass_through_every_step(shape, level):
    rgb = np.full((*shape, 3), level, np.uint8)
    for step in ("denoise", "sharpen", "grain"):
        came = finished(rgb, step)
        assert came.shape == rgb.shape and came.dtype == np.uint8
        assert step == "grain" or np.abs(came.astype(int) - rgb).max() <= 1
    assert finished(rgb, "upscale").shape == (2 * shape[0], 2 * shape[1], 3)
    if rgb.size < 3 * 200 or level != 128:
        with pytest.raises(Declined, match="too few unclipped pixels"):
            finished(rgb, "colours", edit_task(rgb))


def test_a_grey_photograph_stays_grey():
    grey = np.repeat(luma(photograph("chelsea")).astype(np.uint8)[..., None], 3, axis=2)
    came = finished(grey, "denoise+sharpen+grain")
    assert np.ptp(came.astype(int), axis=2).max() <= 1
    shifted = np.clip(grey.astype(int) + 6, 0, 255).astype(np.uint8)
    came = finished(shifted, "colours", edit_task(grey))
    assert np.abs((came.astype(float) - grey).mean()) < 0.5


def test_a_chain_is_its_steps_from_left_to_right():
    rgb = noisy(photograph("coffee"), 5)
    chain = Finishing().apply(text_task(), rgb, "denoise+sharpen+grain", 4)
    one_by_one = finished(finished(finished(rgb, "denoise", seed=4), "sharpen", seed=4), "grain", seed=4)
    assert np.array_equal(chain.image, one_by_one)
    assert [step["step"] for step in chain.notes["finish"]] == ["denoise", "sharpen", "grain"]
    json.dumps(chain.notes, allow_nan=False)
    assert not np.array_equal(chain.image, finished(rgb, "sharpen+denoise+grain", seed=4))


def test_threads_get_the_same_and_the_input_stays():
    rgb = photograph("coffee").copy()
    before, finishing = rgb.copy(), Finishing()
    wanted = finishing.apply(text_task(), rgb, "denoise+sharpen+grain", 1).image
    with ThreadPoolExecutor(4) as pool:
        for _, made in pool.map(lambda _: (0, finishing.apply(text_task(), rgb, "denoise+sharpen+grain", 1)), range(4)):
            assert np.array_equal(made.image, wanted)
    assert np.array_equal(rgb, before)
    untouched = finished(cv2.GaussianBlur(before, (0, 0), 2), "denoise")
    untouched[0, 0] = 1  # what comes back is the caller's own, also where nothing was done


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sharpn", "unknown step 'sharpn' .did you mean 'sharpen'"),
        ("zzz", "known: upscale, denoise, sharpen, grain, colours"),
        ("", "unknown step ''"),
        ("sharpen+", "unknown step ''"),
        ("grain+grain", "a step twice"),
    ],
)
def test_an_unknown_chain_is_an_error_that_names_the_known_steps(name, message):
    for call in (Finishing().check, lambda n: finished(photograph("coffee"), n)):
        with pytest.raises(InputError, match=message):
            call(name)


def test_every_step_is_checked_and_spaces_do_not_matter():
    for step in STEPS:
        Finishing().check(step)
    assert steps_of("denoise + sharpen") == ("denoise", "sharpen")


def test_a_missing_model_is_told_by_check(tmp_path):
    finishing = Finishing(upscale_model_path=str(tmp_path / "no.onnx"))
    finishing.check("sharpen")
    with pytest.raises(MissingPart, match=r"no\.onnx: set \[finish\] upscale_model_path"):
        finishing.check("sharpen+upscale")


@pytest.mark.parametrize(
    "settings", [{"grain_strength": 0}, {"denoise_strength": 1.5}, {"upscale_factor": float("nan")}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InputError, match=r"\[finish\] \w+ must be a number above"):
        Finishing(**settings)


def test_the_version_follows_the_settings_and_the_models_content(tmp_path):
    assert Finishing().version == Finishing(denoise_strength=0.7).version != Finishing(denoise_strength=0.6).version
    one, other = tmp_path / "a.onnx", tmp_path / "b.onnx"
    one.write_bytes(b"a")
    other.write_bytes(b"a")
    same = {Finishing(upscale_model_path=str(p)).version for p in (one, other)}
    assert len(same) == 1 and Finishing().version not in same
    other.write_bytes(b"other")
    assert Finishing(upscale_model_path=str(other)).version not in same


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8), "x"])
def test_what_is_no_picture_is_refused(image):
    with pytest.raises(GenerationFailed, match=r"to be finished is empty|needs an RGB array"):
        Finishing().apply(text_task(), image, "sharpen", 1)
