"""The measurement of speed on a tiny model: what it writes, and that a scored campaign is not scored again.

Its ratios mean nothing here: they are of a model that costs less than opening a picture.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from tiny_backbone import tiny_clip

from experiments import throughput
from experiments.support.throughput_parts import photo_campaign, write_shaped
from selector import Campaign
from selector.store.images import ImageFolder

RATIOS = ("fraction_of_forward", "speedup_over_habit", "speedup_over_habit_with_crops")
CANDIDATES = 8


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a tiny model that open_clip knows while the test runs."""
    place = tmp_path / "architectures"
    place.mkdir()
    settings = tiny_clip(place, dim=64)
    # Architectures are read from open_clip's own folder, so that nothing need be imported for them.
    monkeypatch.setattr("selector.sight.embedding.loading._folder_of_open_clip", lambda: place)
    return settings.model


def test_run_writes_the_ratios_and_the_agreement_that_a_bar_is_held_to(tiny: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ["--models", tiny, "--candidates", str(CANDIDATES), "--repeats", "1", "--device", "cpu"]
    assert throughput.main([*arguments, "--json", str(out)]) == 0
    results = json.loads(out.read_text(encoding="utf-8"))["results"]
    for key in RATIOS:
        assert results[key] == results["models"][tiny][key]["median"]
        assert math.isfinite(results[key]) and results[key] > 0
    assert results["models"][tiny]["candidates"] == CANDIDATES
    assert results["spearman_with_habit"] == min(results["models"][tiny]["spearman_with_habit"].values())
    assert -1 <= results["spearman_with_habit"] <= 1


def test_scored_candidates_are_scored_again_without_image_and_model(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shaped = write_shaped(tiny, tmp_path, 0)
    names = ("aesthetic", "clip_similarity", "fake_universal", "technical")
    heads = {"aesthetic": shaped.aesthetic_head, "fake_universal": shaped.fake_head}
    with photo_campaign(
        tmp_path,
        CANDIDATES,
        0,
        score={"scorers": list(names)},
        scorers={name: {"head_path": str(path)} for name, path in heads.items()},
        embedding={"model": tiny, "weights_path": str(shaped.weights), "device": "cpu"},
    ) as campaign:
        first = campaign.score()
    assert first.candidates == CANDIDATES and not first.failures and not first.left_out
    assert first.values > 3 * CANDIDATES

    def touched(*_: object, **__: object) -> None:
        raise AssertionError("a scored candidate was touched")

    monkeypatch.setattr(ImageFolder, "picture", touched)
    for part in ("embed_crops", "embed_texts", "_load"):
        monkeypatch.setattr(f"selector.sight.embedding.openclip.OpenClip.{part}", touched)
    shutil.rmtree(tmp_path / "campaign" / "images")
    with Campaign(tmp_path / "campaign") as again:
        second = again.score()
    assert (second.candidates, second.values, second.unscored) == (0, 0, 0)
    assert not second.failures and not second.left_out and not second.reasons
