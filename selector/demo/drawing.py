"""The demo's text-to-image part: whether it can run here, and what the campaign is configured with for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selector.demo.script import SAMPLERS, SAMPLES
from selector.domain import MissingPart
from selector.domain.embedding import ContestContext, EmbeddingSettings
from selector.registry import create_generator, create_scorer
from selector.sight.embedded import CORRELATIONS, NAME

# What reads the embedding of words and pictures, and needs nothing else.
EMBEDDED_SCORERS = ("clip_similarity", "prompt_contrast", "spatial")


def check_drawing() -> None:
    """Raises ``MissingPart`` when a model that draws or scores, or its package, is not here. Loads nothing heavy."""
    scorer: Any = create_scorer("clip_similarity")
    try:
        create_generator("diffusers", {"preset": NAME}).check()
        scorer.meet(ContestContext((), Path(), EmbeddingSettings(model=NAME), {}))
        scorer.check()
    except MissingPart as error:
        lacking, to_install, _ = str(error).partition(": pip install")
        cure = ": pip install 'bestshot[demo]'" if to_install else ""
        raise MissingPart(lacking + cure) from error


def without_drawing() -> str:
    """Why there are no text-to-image tasks, with the cure, in one line; "" where there are."""
    try:
        check_drawing()
    except MissingPart as error:
        return f"Left out: the text-to-image tasks. {error}"
    return ""


def drawing_config() -> dict[str, Any]:
    """Keys of ``campaign.toml``: a generator for each way to draw, the backbone that scores them, and its worth."""
    return {
        "generate": {"t2i": dict.fromkeys(SAMPLERS, SAMPLES)},
        "generators": {name: {"kind": "diffusers", "preset": NAME, **given} for name, given in SAMPLERS.items()},
        "embedding": {"model": NAME},
        "calibrate": {"scores": dict(CORRELATIONS)},
    }
