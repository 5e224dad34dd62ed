"""The experiment on drawn scenes: prompts are true of the right picture; no accuracy without a model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from scene_stub import StubBackbone, patches, stub_detector
from tiny_backbone import tiny_clip

from experiments import spatial_scenes
from experiments.support.scenes import Drawn, examples, render
from scorers._scene import questions_of, scene_scores
from selector.domain import Item
from selector.prompts.scene import read_scene


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("swap", ["relation", "attribute", "count"])
def test_prompt_of_a_scene_is_fully_read_and_true_of_the_right_picture_only(swap: str, language: str) -> None:
    for case in examples(swap, 20, seed=1, language=language):
        scene = read_scene(case.prompt)[0]
        assert len(scene.objects) == (1 if swap == "count" else 2)
        assert all(len(thing.attributes) == 1 for thing in scene.objects)
        assert len(scene.relations) == (swap == "relation")
        if swap == "count":
            assert scene.objects[0].count == len(case.right) != len(case.wrong)
        for relation in scene.relations:
            assert _holds(relation.kind, *case.right)
            assert not _holds(relation.kind, *case.wrong)


def _holds(kind: str, first: Drawn, second: Drawn) -> bool:
    return {
        "left": first.x < second.x,
        "right": first.x > second.x,
        "above": first.y < second.y,
        "below": first.y > second.y,
    }[kind]


@pytest.mark.parametrize("swap", ["relation", "attribute", "count"])
def test_picture_shows_what_was_drawn(swap: str) -> None:
    for case in examples(swap, 5, seed=2):
        for shapes in (case.right, case.wrong):
            seen = sorted((patch.colour, patch.shape) for patch in patches(render(shapes, 0)))
            assert seen == sorted((drawn.colour, drawn.shape) for drawn in shapes)


def test_examples_are_the_same_for_a_seed_and_differ_between_seeds() -> None:
    assert examples("relation", 5, seed=1) == examples("relation", 5, seed=1)
    assert examples("relation", 5, seed=1) != examples("relation", 5, seed=2)
    assert examples("relation", 3, seed=1) == examples("relation", 5, seed=1)[:3]


def test_without_a_model_there_is_no_accuracy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert spatial_scenes.main(["--scenes", "3", "--json", str(tmp_path / "out.json")]) == 0
    said = capsys.readouterr().out
    assert "No accuracy on scenes: that takes a trained model." in said
    assert "swapped" not in said
    results = json.loads((tmp_path / "out.json").read_text())["results"]
    assert results["accuracy"] is None


def stub_detected(items: Sequence[Item]) -> list[float | None]:
    scenes = [read_scene(item.inputs.task.prompt)[0] for item in items]
    asked = [questions_of(scene) for scene in scenes]
    seen = [stub_detector(item.picture.rgb, q.phrases, 0.15) for item, q in zip(items, asked, strict=True)]
    return [scene_scores(*one)["coherence"].value for one in zip(scenes, asked, seen, strict=True)]


def test_arithmetic_is_right_for_a_stub_that_sees_colour_and_shape() -> None:
    """No evidence about pictures: the stub is told what is drawn, with noise. It is a bag of words to the whole."""
    backbone: Any = StubBackbone(0.15)
    ways = spatial_scenes.ways_of(backbone, stub_detected)
    right = spatial_scenes.accuracies(ways, "en", 8, seed=0)
    for way, swaps in {"spatial, grid": ("relation", "attribute"), "spatial, detector": spatial_scenes.SWAPS}.items():
        assert [right[way][swap].mean for swap in swaps] == [pytest.approx(1.0, abs=0.13)] * len(swaps)
    assert right["whole-image similarity"]["relation"].mean < 0.9


def test_model_plugs_in_by_its_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A random network: only the plumbing is tested."""
    made = tiny_clip(tmp_path, 16)
    options = ["--model", made.model, "--weights", made.weights_path, "--config", made.config_path]
    assert spatial_scenes.main([*options, "--scenes", "2", "--json", str(tmp_path / "out.json")]) == 0
    assert "relation swapped" in capsys.readouterr().out
    results = json.loads((tmp_path / "out.json").read_text())["results"]
    assert set(results["accuracy"]) == {"en"}, "this backbone reads English"
    assert set(results["accuracy"]["en"]) == {"whole-image similarity", "spatial, grid"}
