"""Encodings, extreme sizes, another process, monotone series: a check passes an honest scorer and catches a fault."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from scorer_cases.pictures import inputs_of, items_of, jpeg, png
from skimage import data

from selector.conformance import (
    check_another_process,
    check_encodings,
    check_extremes,
    check_monotone,
    check_scorer,
    encodings_of,
)
from selector.domain import Axis, BestshotError, Column, Item, Score, TaskType

T2I = frozenset({TaskType.T2I})


class Brightness:
    """The smallest honest scorer; the broken ones below differ from it in one thing each."""

    name = "brightness"
    version = "1"
    task_types = T2I
    columns = (Column("level", 0.0, 255.0, True, Axis.PQ, "mean level"),)

    def check(self) -> None:
        """Needs nothing."""

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        return [{"level": self.one(item)} for item in items]

    def one(self, item: Item) -> Score:
        try:
            return Score.of(self.level(item))
        except BestshotError as error:
            return Score.unscored(str(error))

    def level(self, item: Item) -> float:
        return float(item.picture.rgb.mean())


class ReadsTheFileItself(Brightness):
    """It forgets EXIF, alpha and the depth of the pixels, and looks at the left half only."""

    def level(self, item: Item) -> float:
        from PIL import Image

        stored = np.asarray(Image.open(io.BytesIO(item.picture.data)))
        return float(stored[:, : max(1, stored.shape[1] // 2)].mean())


class NeedsEightPixels(Brightness):
    def level(self, item: Item) -> float:
        tiles = item.picture.rgb[: item.picture.rgb.shape[0] // 8 * 8].reshape(-1, 8, item.picture.rgb.shape[1] * 3)
        return float(tiles[0].mean())


class DividesByContrast(Brightness):
    def one(self, item: Item) -> Score:
        contrast = np.float64(item.picture.rgb.std())
        with np.errstate(invalid="ignore", divide="ignore"):
            return Score.of(float(np.clip(contrast / contrast, 0, 1)))


class HashesText(Brightness):
    """Python's hash of a text differs from process to process."""

    def level(self, item: Item) -> float:
        return float(hash(item.inputs.task.prompt + item.picture.id) % 256)


class KnowsItsProcess(Brightness):
    def level(self, item: Item) -> float:
        del item
        return 255.0 * os.getpid() / 2**22  # no two processes share it


class Configured(Brightness):
    def __init__(self, add: float = 0.0) -> None:
        self._add = add

    def level(self, item: Item) -> float:
        return min(255.0, super().level(item) + self._add)


class Darkness(Brightness):
    """The right number under the wrong direction."""

    columns = (Column("level", 0.0, 255.0, False, Axis.PQ, "mean level"),)


class Constant(Brightness):
    def level(self, item: Item) -> float:
        del item
        return 7.0


class States(Brightness):
    """Rounds by batch size, and says so."""

    tolerance = 0.01

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        scores = [self.one(item) for item in items]
        return [{"level": s if s.value is None else Score.of(s.value - 0.1 * len(items))} for s in scores]


def pair() -> list[Item]:
    return [Item(inputs_of(TaskType.T2I), jpeg(rgb[::4, ::4])) for rgb in (data.chelsea(), data.astronaut())]


def darker(*levels: int) -> list[Item]:
    return [Item(inputs_of(TaskType.T2I), png(np.full((20, 30, 3), level, np.uint8))) for level in levels]


def test_honest_scorer_passes_all_checks() -> None:
    scorer = Brightness()
    check_scorer(scorer, pair())
    check_encodings(scorer, pair()[0])
    check_extremes(scorer, pair()[0], huge_px=[(3000, 2000)])
    check_another_process(scorer, pair())
    check_monotone(scorer, darker(250, 100, 0), "level", least=0.9)


FAULTS: list[tuple[type[Brightness], Callable[[Brightness], None], str]] = [
    (ReadsTheFileItself, lambda scorer: check_encodings(scorer, pair()[0]), "stored as .* otherwise than its pixels"),
    (NeedsEightPixels, lambda scorer: check_extremes(scorer, pair()[0], ()), "1 x 1 px .* raised IndexError"),
    (DividesByContrast, lambda scorer: check_extremes(scorer, pair()[0], ()), "raised ValueError"),
    (HashesText, lambda scorer: check_another_process(scorer, pair()), "another process gives other scores"),
    (KnowsItsProcess, lambda scorer: check_another_process(scorer, pair()), "another process gives other scores"),
    (Darkness, lambda scorer: check_monotone(scorer, darker(250, 100, 0), "level"), "lower is better.*wrong at step 1"),
    (Brightness, lambda scorer: check_monotone(scorer, darker(250, 90, 100, 0), "level"), "wrong at step 2"),
    (Constant, lambda scorer: check_monotone(scorer, darker(250, 100, 0), "level"), "hardly changes"),
]


def test_sizes_that_are_left_out_are_not_tried() -> None:
    check_extremes(NeedsEightPixels(), pair()[0], huge_px=[(90, 60)], small=False)
    with pytest.raises(AssertionError, match="90 x 6 px"):
        check_extremes(NeedsEightPixels(), pair()[0], huge_px=[(90, 6)], small=False)


@pytest.mark.parametrize(("broken", "check", "message"), FAULTS)
def test_broken_scorer_is_caught_with_its_name_and_fault(
    broken: type[Brightness], check: Callable[[Brightness], None], message: str
) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        check(broken())
    assert "brightness" in str(caught.value)


def test_every_encoding_decodes_and_one_of_them_lies_on_its_side_in_the_file() -> None:
    from PIL import Image

    rgb = data.chelsea()[:40, :60]
    stored = encodings_of(rgb)
    assert all(picture.rgb.shape == rgb.shape for picture in stored.values())
    modes = {Image.open(io.BytesIO(picture.data)).mode for picture in stored.values()}
    assert {"L", "1", "RGBA", "P", "CMYK", "I;16", "RGB"} <= modes
    turned = stored["EXIF-turned JPEG"]
    assert Image.open(io.BytesIO(turned.data)).size == (40, 60)
    assert np.abs(turned.rgb.astype(int) - rgb).mean() < 5


def test_another_process_makes_the_scorer_that_the_arguments_say() -> None:
    check_another_process(Configured(add=20.0), pair(), {"add": 20.0})
    with pytest.raises(AssertionError, match="other scores"):
        check_another_process(Configured(add=20.0), pair())


def test_another_process_gets_tasks_with_all_their_pictures() -> None:
    target = "selector.registry:create_scorer"
    from selector.registry import create_scorer

    gate = create_scorer("gate")
    check_another_process(gate, items_of(gate.task_types), {"name": "gate"}, target)


def test_failure_of_the_other_process_is_told_by_its_last_words() -> None:
    with pytest.raises(AssertionError, match=r"exit status 1.*no_such_module"):
        check_another_process(Brightness(), pair(), target="no_such_module:X")


def test_class_of_a_function_cannot_be_imported_elsewhere() -> None:
    class Local(Brightness):
        pass

    with pytest.raises(AssertionError, match="cannot import"):
        check_another_process(Local(), pair())


def test_series_needs_three_items_a_known_column_and_values() -> None:
    for items, column, message in (
        (darker(250, 0), "level", "at least three"),
        (darker(250, 100, 0), "lvl", "no column 'lvl'; there are level"),
        ([*darker(250, 100), Item(inputs_of(TaskType.T2I), type(pair()[0].picture)(b"no"))], "level", "must be scored"),
    ):
        with pytest.raises(AssertionError, match=message):
            check_monotone(Brightness(), items, column)


def test_slack_allows_a_small_step_the_wrong_way() -> None:
    check_monotone(Brightness(), darker(250, 90, 100, 0), "level", slack=0.05)


def test_stated_tolerance_is_a_share_of_the_range_and_a_given_one_goes_before_it() -> None:
    check_scorer(States(), pair())
    with pytest.raises(AssertionError, match=r"other items of the batch.*allowed: 0.0255"):
        check_scorer(States(), pair(), tolerance=1e-4)


@pytest.mark.parametrize("tolerance", [-0.1, 1.0, "much"])
def test_tolerance_that_allows_anything_is_refused(tolerance: float) -> None:
    with pytest.raises(AssertionError, match="tolerance must be a share"):
        check_scorer(Brightness(), pair(), tolerance)
