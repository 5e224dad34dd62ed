"""The contract over every built-in generator, and the proof that it catches broken generators and scorers.

Scorers pass it in ``tests/scorers/test_conformance_of_all_scorers.py``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scorer_cases.pictures import inputs_of, jpeg
from skimage import data

from scorers.gate import Gate
from scorers.technical import Technical
from selector.conformance import check_generator, check_scorer
from selector.domain import (
    Declined,
    Generator,
    Item,
    Made,
    Recipe,
    Score,
    TaskInputs,
    TaskType,
    encode_final,
)
from selector.registry import BUILTIN_GENERATORS, create_generator


def doable(inputs: TaskInputs) -> TaskInputs:
    """A task that a classical editor can do as well."""
    if inputs.task.type is not TaskType.TIE:
        return inputs
    return TaskInputs(dataclasses.replace(inputs.task, prompt="make the image brighter"), inputs.source)


def generator_of(name: str, folder: Path) -> Generator:
    """A generator with what it needs: the folder generator gets finished images for every task."""
    if name != "folder":
        return create_generator(name)
    for task in ("t", "v", "s", "d"):
        (folder / f"{task}.jpg").write_bytes(encode_final(data.chelsea()))
        (folder / f"{task}_2.png").write_bytes(encode_final(data.coffee(), "png"))
    return create_generator(name, {"path": str(folder)})


# What needs a server, a model or a program passes the contract where its tests have one.
ELSEWHERE = {
    "dashscope": "test_dashscope.py",
    "openai_images": "test_openai_images.py",
    "gemini_images": "test_hosted_services.py",
    "fal": "test_hosted_services.py",
    "replicate": "test_hosted_services.py",
    "diffusers": "test_diffusers_pipeline.py",
    "inswapper": "test_inswapper.py",
    "command": "test_command.py",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_generator_with_needs_conforms_in_its_own_tests(name: str) -> None:
    tests = Path(__file__).parents[2] / "generators" / ELSEWHERE[name]
    assert "check_generator(" in tests.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(BUILTIN_GENERATORS) - set(ELSEWHERE)))
def test_builtin_generator_conforms(name: str, tmp_path: Path) -> None:
    generator = generator_of(name, tmp_path)
    for kind in sorted(generator.task_types):
        check_generator(generator, doable(inputs_of(kind)))


class Brightness:
    """The smallest honest scorer; the broken ones below differ from it in one thing each."""

    name = "brightness"
    version = "1"
    task_types = frozenset({TaskType.T2I})
    columns: tuple[Any, ...] = (dataclasses.replace(Technical.columns[0], name="brightness"),)

    def check(self) -> None:
        """Nothing is needed."""

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        return [{"brightness": self.one(item)} for item in items]

    def one(self, item: Item) -> Score:
        from selector.domain import InputError

        try:
            return Score.of(float(item.picture.rgb.mean()) / 255)
        except InputError as error:
            return Score.unscored(str(error))


class WrongOrder(Brightness):
    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        return sorted(super().score(items), key=lambda result: result["brightness"].value or 0.0)


class NotANumber(Brightness):
    def one(self, item: Item) -> Score:
        del item
        score = Score.of(0.5)
        object.__setattr__(score, "value", float("nan"))
        return score


class MissingColumn(Brightness):
    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        return [{} for _ in items]


class OutOfRange(Brightness):
    def one(self, item: Item) -> Score:
        del item
        return Score.of(255.0)


class TooFew(Brightness):
    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        return super().score(items)[:-1]


class RaisesOnDamage(Brightness):
    def one(self, item: Item) -> Score:
        return Score.of(float(item.picture.rgb.mean()) / 255)


class InventsOnDamage(Brightness):
    def one(self, item: Item) -> Score:
        return Score.of(super().one(item).value or 0.0)


class RelativeToBatch(Brightness):
    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        results = super().score(items)
        best = max((result["brightness"].value or 0.0 for result in results), default=1.0)
        return [
            result
            if result["brightness"].value is None
            else {"brightness": Score.of(result["brightness"].value / best)}
            for result in results
        ]


class Forgetful(Brightness):
    calls = 0

    def one(self, item: Item) -> Score:
        Forgetful.calls += 1
        score = super().one(item)
        return score if score.value is None else Score.of(score.value / Forgetful.calls)


class TwoOfAName(Brightness):
    columns = Brightness.columns * 2


class NoTypes(Brightness):
    task_types = frozenset()


SCORER_FAULTS = [
    (WrongOrder, "order"),
    (NotANumber, "no float in"),
    (MissingColumn, "exactly the columns"),
    (OutOfRange, "no float in"),
    (TooFew, "must give"),
    (RaisesOnDamage, "raised InputError"),
    (InventsOnDamage, "damaged picture got the value"),
    (RelativeToBatch, "other items of the batch"),
    (Forgetful, "second call"),
    (TwoOfAName, "unique"),
    (NoTypes, "task_types"),
]


def two_items() -> list[Item]:
    inputs = inputs_of(TaskType.T2I)
    return [Item(inputs, jpeg(data.chelsea())), Item(inputs, jpeg(data.astronaut()))]


def test_honest_scorer_passes() -> None:
    check_scorer(Brightness(), two_items())
    check_scorer(Gate(), two_items())


@pytest.mark.parametrize(("broken", "message"), SCORER_FAULTS)
def test_broken_scorer_is_caught_with_its_name_and_fault(broken: type[Brightness], message: str) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        check_scorer(broken(), two_items())
    assert "brightness" in str(caught.value)


class Plain:
    """The smallest honest generator: a picture of one colour, by the seed."""

    name = "plain"
    version = "1"
    task_types = frozenset({TaskType.T2I})

    def check(self) -> None:
        """Nothing is needed."""

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        if inputs.task.type not in self.task_types:
            raise Declined("plain makes pictures from nothing only")
        return [Recipe("colour", seed + index) for index in range(n)]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        del inputs
        return Made(np.full((64, 64, 3), recipe.seed % 256, np.uint8), {"colour": recipe.seed % 256})


class Unrepeatable(Plain):
    made = 0

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        del inputs, recipe
        Unrepeatable.made += 1
        return Made(np.full((64, 64, 3), self.made % 256, np.uint8))


class NoPrefix(Plain):
    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        return list(reversed(super().recipes(inputs, n, seed)))


class SameKeys(Plain):
    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        return super().recipes(inputs, 1, seed) * n if n > 1 else super().recipes(inputs, n, seed)


class TakesAll(Plain):
    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        del inputs
        return [Recipe("colour", seed + index) for index in range(n)]


class Floats(Plain):
    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        return Made(super().generate(inputs, recipe).image / 255.0)


class Notes(Plain):
    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        return Made(super().generate(inputs, recipe).image, {"font": Path("a.ttf")})


GENERATOR_FAULTS = [
    (Unrepeatable, "other pixels"),
    (NoPrefix, "beginning"),
    (SameKeys, "same variant, seed and parameters"),
    (TakesAll, "must be Declined"),
    (Floats, "uint8"),
    (Notes, "JSON"),
]


def test_honest_generator_passes() -> None:
    check_generator(Plain(), inputs_of(TaskType.T2I))


@pytest.mark.parametrize(("broken", "message"), GENERATOR_FAULTS)
def test_broken_generator_is_caught_with_its_name_and_fault(broken: type[Plain], message: str) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        check_generator(broken(), inputs_of(TaskType.T2I))
    assert "plain" in str(caught.value)
