"""The catalogue of weights names, for every scorer, the models that it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selector.config import ScoreConfig
from selector.domain import BestshotError
from selector.registry import BUILTIN_SCORERS, create_scorer
from selector.weights import all_models, place

MORE_SETTINGS: dict[str, list[dict[str, Any]]] = {
    "hf_detector": [{"model": "sdxl-detector"}],
    "preference": [{"model": "pickscore"}],
    "spatial": [{"grounding": "owlv2"}],
    **{
        name: [
            {"model": "ViT-B-32", "pretrained": "openai"},
            {"model": "xlm-roberta-base-ViT-B-32", "pretrained": "laion5b_s13b_b90k"},
        ]
        for name in ("clip_direction", "clip_similarity", "prompt_contrast", "realism")
    },
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[set[str]]:
    """Names of models that are asked for, while files of the right sizes, all holes, stand for every model."""
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path))
    for model in all_models():
        for file in model.files:
            path = place.folder_of(model) / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as stream:
                stream.truncate(file.expected_bytes or 1)
    found: set[str] = set()
    real = place.presence
    monkeypatch.setattr(place, "presence", lambda model: (found.add(model.name), real(model))[1])
    yield found


def ask(name: str, settings: dict[str, Any]) -> None:
    """Let a scorer look for its models."""
    pytest.importorskip("open_clip")
    pytest.importorskip("transformers")
    try:
        create_scorer(name, settings).check()
    except BestshotError:  # there is nothing but holes in the files
        return


def listed(name: str) -> set[str]:
    return {model.name for model in all_models() if name in model.scorers and model.files}


@pytest.mark.parametrize("name", BUILTIN_SCORERS)
def test_every_model_that_a_scorer_asks_for_is_listed_as_its_own(name: str, asked: set[str]) -> None:
    for settings in [{}, *MORE_SETTINGS.get(name, [])]:
        ask(name, settings)
    assert asked <= listed(name)
    more = {"clip-vit-b-32", "clip-multilingual"} if name == "spatial" else set()  # by settings that realism has, too
    assert asked | more == listed(name)


def test_what_is_not_optional_is_what_the_default_scorers_need(asked: set[str]) -> None:
    for name in ScoreConfig().scorers:
        ask(name, {})
    assert asked == {model.name for model in all_models() if not model.optional}
