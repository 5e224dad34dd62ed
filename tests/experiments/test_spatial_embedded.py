"""The experiment on swaps with the shipped model, and the paired difference between two ways of scoring."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments import spatial_scenes
from experiments.spatial_scenes import LANGUAGES, SWAPS, WHOLE, ahead_of_whole


def test_the_shipped_model_is_asked_about_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    assert spatial_scenes.main(["--model", "embedded", "--scenes", "3", "--json", str(out)]) == 0
    found = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert set(found["accuracy"]) == set(found["ahead_of_whole"]) == set(LANGUAGES)
    for language in LANGUAGES:
        rows, ahead = found["accuracy"][language], found["ahead_of_whole"][language]["spatial, grid"]
        for swap in SWAPS:
            difference = rows["spatial, grid"][swap]["mean"] - rows[WHOLE][swap]["mean"]
            assert ahead[swap]["mean"] == pytest.approx(difference)
            assert ahead[swap]["n"] == 3
    assert f"ahead of {WHOLE}" in capsys.readouterr().out


def test_ways_are_compared_scene_by_scene() -> None:
    found = ahead_of_whole({WHOLE: {"count": [1, 0, 0.5, 0]}, "grid": {"count": [1, 1, 0.5, 1]}})
    assert found["grid"]["count"].mean == 0.5
    same = ahead_of_whole({WHOLE: {"count": [1, 0]}, "grid": {"count": [1, 0]}})["grid"]["count"]
    assert (same.mean, same.low, same.high) == (0, 0, 0)
    assert ahead_of_whole({"detector": {"count": [1]}}) == {}


@pytest.mark.parametrize("wrong", [["--model", "nosuch"], ["--model", "embedded", "--scenes", "0"]])
def test_what_is_wrong_is_told_in_one_line(capsys: pytest.CaptureFixture[str], wrong: list[str]) -> None:
    assert spatial_scenes.main(wrong) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
