"""The demo's text-to-image part: whether it can run here, and what the campaign is configured with for it."""

from __future__ import annotations

from typing import Any

from selector.demo.script import SAMPLERS, SAMPLES
from selector.domain import MissingPart
from selector.domain.embedding import ContestContext, EmbeddingSettings
from selector.perception.embedded import NAME
from selector.registry import create_generator

# What reads the embedding of words and pictures, and needs nothing else.
EMBEDDED_SCORERS = ("clip_similarity", "prompt_contrast", "spatial")


def without_drawing() -> str:
    """Why there are no text-to-image tasks, with the cure, in one line; "" where there are. Loads nothing heavy."""
    try:
        create_generator("diffusers", {"preset": NAME}).check()
        _backbone_check()
    except MissingPart as error:
        said = str(error)
        cure = "" if "pip install" not in said else ": pip install 'bestshot[demo]'"
        return f"Left out: the text-to-image tasks ({said.partition(': pip install')[0]}){cure}"
    return ""


def _backbone_check() -> None:
    from pathlib import Path

    from selector.registry import create_scorer

    scorer: Any = create_scorer("clip_similarity")
    scorer.meet(ContestContext((), Path(), EmbeddingSettings(model=NAME), {}))
    scorer.check()


def drawing_config() -> dict[str, Any]:
    """Keys of ``campaign.toml``: a generator for each way to draw, and the backbone that scores them."""
    return {
        "generate": {"t2i": dict.fromkeys(SAMPLERS, SAMPLES)},
        "generators": {name: {"kind": "diffusers", "preset": NAME, **given} for name, given in SAMPLERS.items()},
        "embedding": {"model": NAME},
    }
