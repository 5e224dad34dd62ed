"""Generators of this machine: batches, one model after the other, faults of plug-ins."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ToyGenerator
from toy_services import Files, Make, attempts, outcomes, reopened, toy_campaigns

from selector.domain import (
    BestshotError,
    Declined,
    GenerationFailed,
    Made,
    MissingPart,
    Recipe,
    TaskInputs,
)
from selector.registry import BUILTIN_GENERATORS


class ToyBatches(ToyGenerator):
    """Makes two at a time on a device that holds one model; notes when each model was at work."""

    lane = "toy device"
    passes: list[tuple[str, str, int]] = []  # noqa: RUF012 - (model, task, size of the batch)
    at_work: list[str] = []  # noqa: RUF012
    most_at_work = 0
    script: Any = None
    guard = threading.Lock()

    def __init__(self, model: str = "one") -> None:
        self.model = model

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        return [recipes[at : at + 2] for at in range(0, len(recipes), 2)]

    def generate_batch(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Sequence[Made | BestshotError]:
        cls = ToyBatches
        with cls.guard:
            cls.at_work.append(self.model)
            cls.most_at_work = max(cls.most_at_work, len(cls.at_work))
            cls.passes.append((self.model, inputs.task.id, len(recipes)))
        time.sleep(0.005)
        try:
            if cls.script is not None:
                return cls.script(recipes)
            return [Made(self._pixels(inputs, recipe), {"model": self.model}) for recipe in recipes]
        finally:
            with cls.guard:
                cls.at_work.remove(self.model)

    def _pixels(self, inputs: TaskInputs, recipe: Recipe) -> Any:
        assert inputs.source is not None
        tint = recipe.params["add"] + (5 if self.model == "two" else 0)
        return np.clip(inputs.source.rgb.astype(int) + tint, 0, 255).astype(np.uint8)


@pytest.fixture
def make(toys: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, contest_files: Files) -> Make:  # noqa: ARG001
    monkeypatch.setitem(BUILTIN_GENERATORS, "toy_batches", f"{__name__}:ToyBatches")
    monkeypatch.setattr(ToyBatches, "passes", [])
    monkeypatch.setattr(ToyBatches, "most_at_work", 0)
    monkeypatch.setattr(ToyBatches, "script", None)
    return toy_campaigns(monkeypatch, tmp_path, contest_files)


TWO_MODELS = {"one": {"kind": "toy_batches"}, "two": {"kind": "toy_batches", "model": "two"}}


def test_recipes_are_made_in_the_batches_that_the_generator_asks_for(make: Make) -> None:
    campaign = make({"toy_batches": 5}, ["a"])
    assert campaign.generate().made == 5
    assert [size for *_, size in ToyBatches.passes] == [2, 2, 1]
    assert {a.ordinal for a in attempts(campaign)} == {None}  # seeds are no order of guesses


def test_a_batch_holds_recipes_of_one_wording(make: Make) -> None:
    campaign = make({"toy_batches": {"n": 6, "prompts": ["as_is", "suffix"]}}, ["red"])
    assert campaign.generate().made == 6
    assert [size for *_, size in ToyBatches.passes] == [2, 1, 2, 1]


def test_models_of_one_lane_run_one_after_the_other_each_over_all_its_tasks(make: Make) -> None:
    campaign = make({"one": 2, "two": 2}, [f"p{i}" for i in range(5)], generators=TWO_MODELS)
    assert campaign.generate().made == 20
    assert ToyBatches.most_at_work == 1
    order = [model for model, *_ in ToyBatches.passes]
    assert sum(before != after for before, after in pairwise(order)) == 1


def test_other_generators_work_while_a_lane_is_busy(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, other_is_done = threading.Event(), threading.Event()
    honest = ToyGenerator.generate

    def script(recipes: Sequence[Recipe]) -> Sequence[BestshotError]:
        begun.set()
        assert other_is_done.wait(20)
        return [GenerationFailed("x")] * len(recipes)

    def generate(self: ToyGenerator, inputs: TaskInputs, recipe: Recipe) -> Made:
        assert begun.wait(20)
        other_is_done.set()
        return honest(self, inputs, recipe)

    ToyBatches.script = staticmethod(script)
    monkeypatch.setattr(ToyGenerator, "generate", generate)
    assert make({"toy_batches": 1, "toy": 1}).generate().reasons == {"toy_batches: x": 1}


def test_each_recipe_of_a_batch_has_its_own_end(make: Make) -> None:
    grey = np.full((80, 96, 3), 9, np.uint8)
    ToyBatches.script = staticmethod(lambda recipes: [Made(grey), Declined("black picture")][: len(recipes)])
    campaign = make({"toy_batches": 2, "toy": 1})
    summary = campaign.generate()
    assert (outcomes(campaign)["toy_batches", "made"], summary.declined) == (1, 1)
    assert outcomes(campaign)["toy", "made"] == 2


@pytest.mark.parametrize(
    ("script", "outcome", "reason"),
    [
        (lambda _recipes: [], "failed", "a batch of 2 gave 0 results"),
        (lambda _recipes: 1 / 0, "failed", "ZeroDivisionError"),
        (lambda _recipes: None, "failed", "TypeError"),
    ],
)
def test_a_batch_that_breaks_fails_with_its_reason_and_ends_no_run(
    make: Make, script: Any, outcome: str, reason: str
) -> None:
    ToyBatches.script = staticmethod(script)
    campaign = make({"toy_batches": 2, "toy": 1}, ["a", "b"])
    summary = campaign.generate()
    assert outcomes(campaign)["toy_batches", outcome] == 4
    assert reason in next(iter(summary.reasons))
    assert outcomes(campaign)["toy", "made"] == 6


def test_a_batch_whose_model_is_missing_is_made_by_a_later_run(make: Make) -> None:
    def script(_recipes: Sequence[Recipe]) -> Sequence[BestshotError]:
        raise MissingPart("fetch the weights first")

    ToyBatches.script = staticmethod(script)
    campaign = make({"toy_batches": 2, "toy": 1})
    assert campaign.generate().missing == 2
    assert outcomes(campaign)["toy", "made"] == 1  # what may be mended falls to nobody
    ToyBatches.script = None
    assert reopened(campaign).generate().made == 2


@pytest.mark.parametrize("split", [lambda _r: [], lambda r: [r, r], lambda _r: 1 / 0], ids=["few", "many", "breaks"])
def test_a_wrong_split_into_batches_fails_the_recipes_and_ends_no_run(
    make: Make, monkeypatch: pytest.MonkeyPatch, split: Any
) -> None:
    monkeypatch.setattr(ToyBatches, "batches", lambda _self, recipes: split(recipes))
    campaign = make({"toy_batches": 2, "toy": 1}, ["a", "b"])
    summary = campaign.generate()
    assert outcomes(campaign)["toy_batches", "failed"] == 4
    assert summary.made == 6
