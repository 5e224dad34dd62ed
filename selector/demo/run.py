"""The whole loop on the demo contest: what a newcomer sees first."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selector.campaign import Campaign
from selector.demo.contest import SAMPLERS, SAMPLES, SHOWN, make_demo_contest
from selector.domain.campaign_folder import CONFIG_NAME
from selector.domain.embedding import ContestContext, EmbeddingSettings
from selector.domain.progress import Progress, silent
from selector.language import spoken
from selector.registry import create_generator, create_scorer
from selector.sight.embedded import CORRELATIONS, NAME

# What reads the embedding of words and pictures, and needs nothing else.
EMBEDDED_SCORERS = ("clip_similarity", "prompt_contrast", "spatial")
# The demo is the same on every machine and needs nothing fetched: no scorer that asks for weights.
WITHOUT_WEIGHTS = (
    "artefacts",
    "gate",
    "identity",
    "lettering",
    "ocr_text",
    "preservation",
    "seams",
    "technical",
)


@dataclass(frozen=True)
class DemoResult:
    """What the demo made. ``values`` and ``unscored`` count all scores of the campaign; ``folder`` holds it."""

    tasks: int
    candidates: int
    values: int
    unscored: int
    fallbacks: int
    valid: bool
    zip_path: Path
    sheet: Path
    seconds: float
    folder: Path


def run_demo(folder: Path, progress: Progress = silent) -> DemoResult:
    """Make the contest and a campaign in ``folder`` (or go on with those there), and run every verb once."""
    started = time.perf_counter()
    place = folder / "campaign"
    begun = (place / CONFIG_NAME).exists()
    with Campaign(place) if begun else _new_campaign(folder / "contest", place) as campaign:
        campaign.generate(progress=progress)
        campaign.score(progress=progress)
        picks = campaign.pick()
        exported = campaign.export(allow_fallbacks=True)
        verdict = campaign.submissions.verify(exported.zip_path, allow_fallbacks=True)
        sheet = campaign.report("bestshot demo", progress=progress, language=spoken(os.environ))
        status = campaign.status()
    return DemoResult(
        tasks=len(picks),
        candidates=sum(t.candidates for t in status.types.values()),
        values=status.scores,
        unscored=sum(status.unscored.values()),
        fallbacks=sum(p.fallback for p in picks),
        valid=verdict.valid,
        zip_path=exported.zip_path,
        sheet=sheet,
        seconds=time.perf_counter() - started,
        folder=place,
    )


def _new_campaign(contest_folder: Path, place: Path) -> Campaign:
    contest = make_demo_contest(contest_folder, SHOWN)
    settings: dict[str, Any] = {
        "generate": {"t2i": dict.fromkeys(SAMPLERS, SAMPLES)},
        "generators": {name: {"kind": "diffusers", "preset": NAME, **given} for name, given in SAMPLERS.items()},
        "score": {"scorers": sorted({*WITHOUT_WEIGHTS, *EMBEDDED_SCORERS})},
        "embedding": {"model": NAME},
        "calibrate": {"scores": dict(CORRELATIONS)},
    }
    return Campaign.init(place, contest.table, contest.images, team="demo", **settings)


def check_drawing() -> None:
    """Raises ``MissingPart`` when a model that draws or scores is not here. Loads nothing heavy."""
    create_generator("diffusers", {"preset": NAME}).check()
    scorer: Any = create_scorer("clip_similarity")
    scorer.meet(ContestContext((), Path(), EmbeddingSettings(model=NAME), {}))
    scorer.check()
