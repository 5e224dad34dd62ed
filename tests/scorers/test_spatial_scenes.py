"""The experiment on drawn scenes: prompts are true of the right picture, a stub is called one, a model plugs in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_backbone import tiny_clip

from experiments import spatial_scenes
from experiments.support.scene_stub import patches
from experiments.support.scenes import Drawn, examples, render
from selector.perception.scene import parse_scene


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("swap", ["relation", "attribute", "count"])
def test_prompt_of_a_scene_is_fully_read_and_true_of_the_right_picture_only(swap: str, language: str) -> None:
    for case in examples(swap, 20, seed=1, language=language):
        scene = parse_scene(case.prompt)
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


def test_stub_run_says_that_it_shows_the_arithmetic_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert spatial_scenes.main(["--scenes", "3", "--json", str(tmp_path / "out.json")]) == 0
    assert "not how well a real model does" in capsys.readouterr().out
    results = json.loads((tmp_path / "out.json").read_text())["results"]
    assert results["grounding"] == "stub"
    assert set(results["accuracy"]) == {"en", "zh"}
    assert results["accuracy"]["en"]["spatial, detector"]["count"]["mean"] >= 0.5
    assert results["parser"]["tuned"]["exact"] == results["parser"]["tuned"]["prompts"]


def test_model_plugs_in_by_its_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A random network: only the plumbing is tested."""
    made = tiny_clip(tmp_path, 16)
    options = ["--model", made.model, "--weights", made.weights_path, "--config", made.config_path]
    assert spatial_scenes.main([*options, "--scenes", "2", "--json", str(tmp_path / "out.json")]) == 0
    assert "stub" not in capsys.readouterr().out
    results = json.loads((tmp_path / "out.json").read_text())["results"]
    assert results["grounding"] == "model"
    assert set(results["accuracy"]) == {"en"}, "this backbone reads English"
    assert set(results["accuracy"]["en"]) == {"whole-image similarity", "spatial, grid"}
