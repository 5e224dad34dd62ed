"""The example programs keep the protocol of the scorer ``command``; packages that are not here are played by stubs."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import noise_jpeg
from skimage import data

from scorers.command import Command
from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "scorers"
NAMES = sorted(path.name for path in EXAMPLES.glob("score_*.py"))
EDITSCORE = """
import random

class EditScore:
    def __init__(self, backbone, model_name_or_path, enable_lora, lora_path, score_range, num_pass):
        assert (score_range, num_pass, enable_lora) == (25, 1, True)
        print("Loading checkpoint shards")

    def evaluate(self, pictures, instruction):
        assert [picture.mode for picture in pictures] == ["RGB", "RGB"]
        if instruction == "unreadable" or (instruction == "half" and self.seed % 2):
            guess = random.random() * 10
            said = f"guess_if_cannot_parse | {instruction}"
            return dict(prompt_following=guess, consistency=guess, perceptual_quality=5.0, overall=guess,
                        SC_reasoning=said, PQ_reasoning="fine")
        return dict(prompt_following=8.0, consistency=6.0 + self.seed % 2, perceptual_quality=7.0, overall=6.5,
                    SC_reasoning="fine", PQ_reasoning="fine")
"""
HPSV3 = """
class HPSv3RewardInferencer:
    def __init__(self, device, checkpoint_path):
        assert (device, checkpoint_path) == ("cuda", None)

    def reward(self, prompts, image_paths):
        assert all(open(path, "rb").read() for path in image_paths)
        return [[float(len(prompt)), 0.5] for prompt in prompts]
"""


def settings_in(name: str) -> Mapping[str, Any]:
    """The table of ``campaign.toml`` that the program's own docstring shows."""
    text = ast.get_docstring(ast.parse((EXAMPLES / name).read_text(encoding="utf-8"))) or ""
    found = re.search(r"^\[scorers\..*?(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{name} shows no table"
    (table,) = tomllib.loads(found[0])["scorers"].values()
    assert table.pop("kind") == "command" and table["command"][1] == name
    return table


@pytest.fixture
def scorer_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    made: list[Command] = []

    def make(name: str, stub: str = "", package: str = "") -> Command:
        if package:
            (tmp_path / f"{package}.py").write_text(stub, encoding="utf-8")
            monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        settings = dict(settings_in(name))
        settings["command"] = [sys.executable, *settings["command"][1:]]
        made.append(Command(**settings, cwd_folder=str(EXAMPLES), timeout_seconds=60.0))
        return made[-1]

    yield make
    for scorer in made:
        scorer.close()


def item(prompt: str, picture: Picture, source: Picture | None = None) -> Item:
    kind = TaskType.T2I if source is None else TaskType.TIE
    return Item(TaskInputs(Task("1", kind, prompt, source and "s.jpg", None, 0), source), picture)


@pytest.mark.parametrize("name", NAMES)
def test_the_table_that_a_program_shows_is_a_scorer(name: str) -> None:
    assert Command(**settings_in(name)).columns


def test_sharpness_falls_with_blur_and_damage_is_unscored(scorer_of: Any) -> None:
    sharp = data.chelsea()
    pictures = [Picture(encode_final(np.asarray(cv2.GaussianBlur(sharp, (0, 0), sigma)))) for sigma in (0.1, 2, 5)]
    items = [item("a cat", picture) for picture in (*pictures, Picture(b"\xff\xd8 none"))]
    *found, damaged = (result["sharpness"] for result in scorer_of("score_sharpness.py").score(items))
    values = [score.value for score in found]
    assert values == sorted(values, reverse=True) and values[0] > 2 * values[-1] > 0
    assert damaged.reason == "the picture cannot be read (UnidentifiedImageError)"


def test_editscore_is_the_mean_of_looks_and_a_guess_of_the_package_counts_for_nothing(scorer_of: Any) -> None:
    source, picture = Picture(noise_jpeg(1)), Picture(noise_jpeg(2))
    asked = [item(prompt, picture, source) for prompt in ("make it red", "half", "unreadable")]
    read, half, unread = scorer_of("score_editscore.py", EDITSCORE, "editscore").score(asked)
    assert (read["sc"].value, read["pq"].value) == (6.5, 7.0)
    assert (half["sc"].value, half["pq"].value) == (6.0, 7.0)
    assert {score.reason for score in unread.values()} == {"no reply of the model could be read"}


def test_hpsv3_gives_each_picture_the_mean_of_its_own_prompt(scorer_of: Any) -> None:
    asked = [item(prompt, Picture(noise_jpeg(2))) for prompt in ("a fox", " ", "a red fox")]
    found = [result["preference"] for result in scorer_of("score_hpsv3.py", HPSV3, "hpsv3").score(asked)]
    assert [score.value for score in found] == [5.0, None, 9.0]
    assert found[1].reason == "the task has no prompt"
