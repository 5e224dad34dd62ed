"""The whole loop on the demo contest: what a newcomer sees first."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from selector.campaign import Campaign
from selector.create import CONFIG_NAME
from selector.demo.contest import make_demo_contest
from selector.demo.script import NO_TEXT_TO_IMAGE
from selector.runs.progress import Progress, silent

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
    """What the demo made. ``values`` and ``unscored`` count all scores of the campaign."""

    tasks: int
    candidates: int
    values: int
    unscored: int
    fallbacks: int
    valid: bool
    zip_path: Path
    sheet: Path
    seconds: float


def run_demo(folder: Path, progress: Progress = silent) -> DemoResult:
    """Make the contest and a campaign in ``folder`` (or go on with those there), and run every verb once."""
    started = time.perf_counter()
    place = folder / "campaign"
    if (place / CONFIG_NAME).exists():
        campaign = Campaign(place)
    else:
        contest = make_demo_contest(folder / "contest")
        campaign = Campaign.init(
            place, contest.table, contest.images, team="demo", score={"scorers": list(WITHOUT_WEIGHTS)}
        )
    with campaign:
        campaign.generate(progress=progress)
        campaign.score(progress=progress)
        picks = campaign.pick()
        exported = campaign.export(allow_fallbacks=True)
        verdict = campaign.verify(exported.zip_path, allow_fallbacks=True)
        sheet = campaign.report("bestshot demo", (NO_TEXT_TO_IMAGE,), progress)
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
    )
