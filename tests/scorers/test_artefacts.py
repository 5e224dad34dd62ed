"""Every column of ``artefacts`` follows the trace it is named for, through the final JPEG, on real photographs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from scorers._spectrum import enlarging_lines, power_slope
from scorers._unevenness import foreign_grid, noise_spread
from scorers.artefacts import Artefacts, central_luma, measures, slope_deviation
from scorers.technical import Technical
from selector.demo.shipped import photograph
from selector.domain import InputError, Item, Picture, Score, Task, TaskInputs, TaskType, encode_final
from selector.learn.estimates import prior_estimates
from selector.learn.pool import Pool

Array = np.ndarray[Any, np.dtype[Any]]
Damage = Callable[[Array], Array]
COLUMNS = {column.name: column for column in Artefacts.columns}
PHOTOGRAPHS = ["astronaut", "chelsea", "coffee", "rocket", "hubble", "motorcycle", "china", "flower", "hopper"]
TEXTURES = ["brick", "grass", "gravel"]
INPUTS = TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))


def levels(values: Array) -> Array:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def final(rgb: Array) -> Picture:
    """What a campaign scores: JPEG of quality 95."""
    return Picture(encode_final(np.ascontiguousarray(rgb)))


def jpeg(rgb: Array, quality: int) -> Array:
    return Picture(encode_final(np.ascontiguousarray(rgb), quality=quality)).rgb.copy()


def scores(rgb: Array) -> dict[str, Score]:
    return dict(Artefacts().score([Item(INPUTS, final(rgb))])[0])


def value(rgb: Array, column: str) -> float:
    """One column; the measure of lines takes four fifths of the time, so the other columns go without it."""
    with pytest.MonkeyPatch.context() as patch:
        if column != "upsampling_peaks":
            patch.setattr("scorers._spectrum.enlarging_lines", lambda _: None)
        measured = scores(rgb)[column].value
    assert measured is not None
    return measured


def enlarged(factor: float, how: int) -> Damage:
    return lambda rgb: cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=how)


def blurred(rgb: Array, sigma_px: float) -> Array:
    return cv2.GaussianBlur(rgb, (0, 0), sigma_px) if sigma_px else rgb


def sharpened(rgb: Array, strength: float) -> Array:
    return levels(rgb + strength * (rgb.astype(float) - cv2.GaussianBlur(rgb, (0, 0), 1)))


def middle(rgb: Array) -> tuple[slice, slice]:
    """Two fifths of each side, on JPEG's grid."""
    height, width = (side * 2 // 5 // 8 * 8 for side in rgb.shape[:2])
    top, left = (side * 3 // 10 // 8 * 8 for side in rgb.shape[:2])
    return slice(top, top + height), slice(left, left + width)


def with_grainy_part(rgb: Array, sigma: float) -> Array:
    made = rgb.astype(float)
    made[middle(rgb)] += sigma * np.random.default_rng(2).normal(size=made[middle(rgb)].shape)
    return levels(made)


def with_moved_part(rgb: Array, down_px: int, right_px: int) -> Array:
    rows, columns = middle(rgb)
    made = rgb.copy()
    made[rows, columns] = rgb[
        rows.start + down_px : rows.stop + down_px, columns.start + right_px : columns.stop + right_px
    ]
    return made


def checkered(rgb: Array, amplitude: float) -> Array:
    return levels(rgb + amplitude * (np.indices(rgb.shape[:2]).sum(axis=0) % 2 * 2 - 1)[..., None])


@pytest.mark.parametrize("name", [*PHOTOGRAPHS, *TEXTURES])
def test_photographs_lie_in_the_good_half_of_every_column(name: str) -> None:
    for column, score in scores(photograph(name)).items():
        assert score.value is not None, column
        assert score.value > 0.5 if COLUMNS[column].higher_is_better else score.value < 0.5, column


def test_a_shipped_photograph_that_was_doubled_by_repetition_is_found() -> None:
    moon = data.moon()
    assert (moon[::2] == moon[1::2]).all()  # it has really been doubled
    assert value(np.repeat(moon[..., None], 3, axis=2), "upsampling_peaks") > 0.8


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "hubble", "china", "flower", "brick"])
def test_enlarging_raises_the_peaks_the_more_the_cruder_it_is(name: str) -> None:
    rgb = photograph(name)
    ways = [cv2.INTER_LANCZOS4, cv2.INTER_LINEAR, cv2.INTER_NEAREST]
    course = [value(rgb, "upsampling_peaks"), *(value(enlarged(2, way)(rgb), "upsampling_peaks") for way in ways)]
    assert course == sorted(course)
    assert course[1] > course[0] + 0.25
    assert course[2] > 0.6
    assert course[3] > 0.8


@pytest.mark.parametrize(("factor", "how"), [(3, cv2.INTER_LINEAR), (4, cv2.INTER_NEAREST), (1.5, cv2.INTER_CUBIC)])
@pytest.mark.parametrize("name", ["astronaut", "china"])
def test_other_factors_of_enlarging_are_found(name: str, factor: float, how: int) -> None:
    rgb = photograph(name)
    assert value(enlarged(factor, how)(rgb), "upsampling_peaks") > value(rgb, "upsampling_peaks") + 0.25


@pytest.mark.parametrize("name", ["astronaut", "coffee", "china"])
def test_enlarging_is_found_at_any_phase_and_in_either_direction(name: str) -> None:
    doubled = enlarged(2, cv2.INTER_LINEAR)(photograph(name))
    for made in (doubled[1:, 3:], doubled.transpose(1, 0, 2), doubled[::2]):
        assert value(made, "upsampling_peaks") > 0.5


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "china"])
def test_a_checkerboard_of_one_level_is_found_under_the_final_jpeg(name: str) -> None:
    assert value(checkered(photograph(name), 1.0), "upsampling_peaks") > 0.7


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "hubble", "china", "hopper"])
def test_the_grid_of_a_strong_jpeg_is_not_taken_for_enlarging(name: str) -> None:
    for made in (jpeg(photograph(name), 50), jpeg(photograph(name), 50)[3:, 5:]):
        assert value(made, "upsampling_peaks") < 0.3


def test_a_straight_edge_is_no_peak() -> None:
    half = np.full((256, 256, 3), 40, np.uint8)
    half[:, 128:] = 200
    assert value(half, "upsampling_peaks") < 0.1


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_blur_moves_the_slope_away_from_natural(name: str) -> None:
    course = [value(blurred(photograph(name), sigma), "spectral_slope") for sigma in (0, 0.7, 1, 2, 3, 5)]
    assert (np.diff(course) > -0.01).all()  # one of them is a little too sharp to begin with
    assert course[-1] > course[0] + 0.4


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "china", "flower", "grass"])
def test_sharpening_beyond_nature_moves_the_slope_too(name: str) -> None:
    course = [value(sharpened(photograph(name), strength), "spectral_slope") for strength in (0, 2, 4, 8)]
    assert course == sorted(course)
    assert course[-1] > course[0] + 0.1


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_slope_is_that_of_noise_made_with_it(exponent: float) -> None:
    frequency = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512)[None])
    frequency[0, 0] = 1.0
    white = np.fft.rfft2(np.random.default_rng(0).normal(size=(512, 512)))
    plane = np.fft.irfft2(white / frequency ** (exponent / 2))
    made = (128 + 40 * (plane - plane.mean()) / plane.std()).astype(np.float32)
    assert power_slope(made) == pytest.approx(exponent, abs=0.15)


def test_deviation_of_a_slope_by_hand() -> None:
    assert [slope_deviation(slope) for slope in (2.0, 2.6, 3.2)] == [0.0, 0.0, 0.0]
    assert slope_deviation(4.7) == pytest.approx(1 - np.exp(-1))  # 1.5 above the natural range
    assert slope_deviation(0.5) == pytest.approx(slope_deviation(4.7))


@pytest.mark.parametrize("name", ["astronaut", "motorcycle", "hopper", "brick"])
def test_grain_in_a_part_breaks_the_consistency(name: str) -> None:
    rgb = photograph(name)
    course = [value(with_grainy_part(rgb, sigma), "noise_consistency") for sigma in (0, 4, 8, 15)]
    assert course == sorted(course, reverse=True)
    assert course[-1] < course[0] - 0.1


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_strong_grain_in_a_part_shows_even_between_textures(name: str) -> None:
    rgb = photograph(name)
    assert value(with_grainy_part(rgb, 12), "noise_consistency") < value(rgb, "noise_consistency") - 0.02


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_grain_all_over_is_consistent(name: str) -> None:
    grainy = levels(photograph(name) + 8 * np.random.default_rng(1).normal(size=photograph(name).shape))
    assert value(grainy, "noise_consistency") > value(photograph(name), "noise_consistency") - 0.05


def test_noise_that_brightness_explains_is_no_inconsistency() -> None:
    rng = np.random.default_rng(4)
    level = cv2.resize(rng.uniform(60, 200, (5, 5)), (512, 512), interpolation=cv2.INTER_CUBIC)
    by_light, by_place = np.sqrt(level) / 2, np.full(level.shape, 3.0)
    by_place[150:330, 150:330] = 9.0
    even, uneven = (
        noise_spread((level + s * rng.normal(size=s.shape)).astype(np.float32)) for s in (by_light, by_place)
    )
    assert even is not None and even < 0.1
    assert uneven is not None and uneven > 4 * even


@pytest.mark.parametrize("shift", [(4, 3), (0, 4), (5, 0)])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "hubble"])
def test_a_part_moved_off_the_grid_of_a_jpeg_is_found_and_one_moved_on_it_is_not(
    name: str, shift: tuple[int, int]
) -> None:
    whole = jpeg(photograph(name), 40)
    clean, on_grid, off_grid = (
        value(made, "jpeg_grid") for made in (whole, with_moved_part(whole, 8, 16), with_moved_part(whole, *shift))
    )
    assert off_grid > clean + 0.15
    assert off_grid > on_grid + 0.15
    assert clean < 0.05


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "flower"])
def test_a_worse_jpeg_shows_its_moved_part_more(name: str) -> None:
    course = [value(with_moved_part(jpeg(photograph(name), q), 4, 3), "jpeg_grid") for q in (95, 60, 40, 25)]
    assert course == sorted(course)
    assert course[-1] > course[0] + 0.3


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_one_grid_at_another_phase_is_no_inconsistency(name: str) -> None:
    assert value(jpeg(photograph(name), 50)[3:, 5:], "jpeg_grid") < 0.25


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_blurred_part_which_shows_the_grid_of_the_final_jpeg_is_no_inconsistency(name: str) -> None:
    made = photograph(name)[3:, 5:].copy()
    made[:, : made.shape[1] // 2] = blurred(made, 4)[:, : made.shape[1] // 2]
    assert value(made, "jpeg_grid") < 0.25


def test_flat_and_tiny_pictures_are_unscored_with_the_reason() -> None:
    assert {score.reason for score in scores(np.full((300, 300, 3), 90, np.uint8)).values()} == {
        "the picture is flat: it shows no trace of how it was made"
    }
    small = np.ascontiguousarray(data.astronaut()[100:108, 100:108])
    assert all(score.reason and "too" in score.reason for score in scores(small).values())


@pytest.mark.parametrize("side", [1, 2, 15, 16, 31, 32, 63, 64, 65, 72, 73, 111, 112, 113, 127, 250])
@pytest.mark.parametrize("other", [3, 64, 200])
def test_any_size_gives_values_in_range_or_reasons(side: int, other: int) -> None:
    rng = np.random.default_rng(side)
    for shape in ((side, other, 3), (other, side, 3)):
        for rgb in (rng.integers(0, 256, shape).astype(np.uint8), cv2.resize(data.coffee(), shape[1::-1])):
            for name, score in measures(rgb).items():
                assert score.value is None or COLUMNS[name].low <= score.value <= COLUMNS[name].high


def test_grey_picture_scores_as_its_pixels_in_three_channels() -> None:
    grey = data.camera()
    buffer = cv2.imencode(".png", grey)[1].tobytes()
    alone = Artefacts().score([Item(INPUTS, Picture(buffer))])[0]
    assert alone == measures(np.repeat(grey[..., None], 3, axis=2))
    assert all(score.value is not None for score in alone.values())


def test_huge_picture_is_measured_on_its_middle_at_its_own_pixels() -> None:
    tile = photograph("china")[:400, :640]
    huge = np.tile(tile, (8, 5, 1))
    middle_px = huge[(3200 - 1024) // 16 * 8 :, (3200 - 1024) // 16 * 8 :][:1024, :1024]
    assert measures(huge) == measures(middle_px)


def test_damaged_picture_is_unscored_with_the_reason() -> None:
    cut = Picture(encode_final(data.chelsea())[:2000], name="cut.jpg")
    with pytest.raises(InputError):
        _ = cut.rgb
    result = Artefacts().score([Item(INPUTS, cut)])[0]
    assert set(result) == set(COLUMNS)
    assert all(score.reason and "cut.jpg" in score.reason for score in result.values())


def test_pure_measures_of_a_plane_without_room_are_none() -> None:
    plane = np.random.default_rng(0).normal(128, 20, (12, 12)).astype(np.float32)
    assert [measure(plane) for measure in (power_slope, enlarging_lines, noise_spread, foreign_grid)] == [None] * 4


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_blur_and_noise_still_lower_the_estimate_although_they_make_grain_even(name: str) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=photograph(name).shape)
    ladders = {
        "blur": [blurred(photograph(name), sigma) for sigma in (0, 2, 5, 8)],
        "noise": [levels(photograph(name) + noise * sigma) for sigma in (0, 10, 25, 50)],
    }
    for damage, ladder in ladders.items():
        items = [Item(INPUTS, final(step)) for step in ladder]
        results = {s.name: s.score(items) for s in (Artefacts(), Technical())}
        columns = sorted(f"{s}.{column}" for s, result in results.items() for column in result[0])
        values = [[results[c.split(".")[0]][i][c.split(".")[1]].value for c in columns] for i in range(len(items))]
        ids = tuple(map(str, range(len(items))))
        n = len(items)
        pool = Pool(("1",) * n, ids, ("t2i",) * n, ("m",) * n, tuple(columns), np.array(values, float))
        assert (np.diff(prior_estimates(pool).pq) < 0).all(), damage


def test_a_megapixel_costs_little() -> None:
    picture = cv2.resize(data.astronaut(), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    measures(picture)  # imports and FFT plans
    seconds = []
    for _ in range(5):
        start = time.process_time()
        measures(picture)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.12 * max(1, cv2.getNumThreads())  # measured: 0.045 on one quiet core
    assert central_luma(picture).shape == (1024, 1024)
