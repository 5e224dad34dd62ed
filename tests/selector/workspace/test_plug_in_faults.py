"""What a careless plug-in hands back fails with its reason and ends no run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from conftest import ToyGenerator, ToyScorer

from selector import Campaign
from selector.domain import InputError, Item, Made, MissingPart, Recipe, Score, TaskInputs

NO_JSON = [np.int64(1), np.float32(0.5), float("nan"), "\udc8f"]


@pytest.mark.parametrize("value", NO_JSON, ids=repr)
def test_parameters_that_are_no_json_fail_the_generator_and_end_no_run(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    def recipes(self: ToyGenerator, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:  # noqa: ARG001
        return [Recipe("tint", seed, {"add": value})]

    monkeypatch.setattr(ToyGenerator, "recipes", recipes)
    summary = campaign.generate()
    assert (summary.made, summary.failed) == (0, 3)
    assert "parameters must be JSON" in next(iter(summary.reasons))


@pytest.mark.parametrize("value", NO_JSON, ids=repr)
def test_notes_that_are_no_json_fail_the_candidate_and_end_no_run(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    honest = ToyGenerator.generate

    def generate(self: ToyGenerator, inputs: TaskInputs, recipe: Recipe) -> Made:
        made = honest(self, inputs, recipe)
        return Made(made.image, {"fit": value}) if recipe.variant == "tint0" else made

    monkeypatch.setattr(ToyGenerator, "generate", generate)
    summary = campaign.generate()
    assert (summary.made, summary.failed) == (6, 3)
    assert "notes must be JSON" in next(iter(summary.reasons))


@pytest.mark.parametrize("image", [5, None, np.zeros((4, 4)), b"", np.zeros((8, 8, 3))], ids=lambda i: type(i).__name__)
def test_an_image_that_is_none_fails_the_candidate_and_ends_no_run(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, image: Any
) -> None:
    def generate(self: ToyGenerator, inputs: TaskInputs, recipe: Recipe) -> Made:  # noqa: ARG001
        return Made(image)

    monkeypatch.setattr(ToyGenerator, "generate", generate)
    assert campaign.generate().failed == 9


@pytest.mark.parametrize("result", [None, 0.5, {"sharpness": 0.5}, {"sharpness": None}, [Score.of(0.5)]], ids=repr)
def test_scores_that_are_none_fail_the_candidate_and_end_no_run(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, result: Any
) -> None:
    monkeypatch.setattr(ToyScorer, "score", lambda self, items: [result] * len(items))  # noqa: ARG005
    campaign.generate()
    summary = campaign.score()
    assert (summary.values, summary.unscored, sum(summary.failures.values())) == (0, 0, 9)
    assert "technical: TypeError: " in next(iter(summary.failures))


def test_one_senseless_result_costs_no_other_candidate_its_scores(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign.generate()
    honest = ToyScorer.score
    odd = sorted((campaign.folder / "images").rglob("*.jpg"))[0].stem

    def score(self: ToyScorer, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        scored = zip(items, honest(self, items), strict=True)
        return [5 if item.picture.id == odd else result for item, result in scored]  # type: ignore[misc]

    monkeypatch.setattr(ToyScorer, "score", score)
    summary = campaign.score()
    assert (summary.values, sum(summary.failures.values())) == (8, 1)
    monkeypatch.setattr(ToyScorer, "score", honest)
    assert campaign.score().values == 1


@pytest.mark.parametrize("error", [InputError, MissingPart])
def test_a_scorer_whose_model_does_not_fit_is_left_out_and_every_verb_goes_on(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def check(_: ToyScorer) -> None:
        raise error("this file is no network: mend model_path")

    campaign.generate()
    monkeypatch.setattr(ToyScorer, "check", check)
    summary = campaign.score()
    assert (summary.values, summary.left_out) == (0, {"technical": "this file is no network: mend model_path"})
    assert campaign.status().scores == 0


def test_a_setting_that_there_is_not_ends_a_run(campaign: Campaign) -> None:
    with (campaign.folder / "campaign.toml").open("a") as file:
        file.write("\n[scorers.technical]\nsharpnes = 1\n")
    with pytest.raises(InputError, match="'technical' has no setting 'sharpnes'"):
        Campaign(campaign.folder).score()
