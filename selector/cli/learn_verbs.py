"""Verbs that learn: judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import verb

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.runs.judging import JudgeSummary


@verb(
    "judge",
    "Take scores that a judge gave to single candidates: a vision-language model, or people where the contest allows "
    "it. FILE is CSV or TSV with the columns task, candidate (its id, or at least 6 characters of it), and sc and pq "
    "or their sub-scores as the profile names them, all 0 to 10; for face swaps also cosine, -1 to 1. Empty means not "
    "judged. All rows are taken or none; running it twice changes nothing.",
    "bestshot judge scores.csv --by qwen2.5-vl-72b",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--by", required=True, metavar="NAME", help="Who judged. The calibration learns how far to trust each.")
@click.option("--rating", is_flag=True, help="These are ratings by people (the contest must allow them).")
@click.option("--reason", default=None, help="Why scores differ from what this judge said before.")
def judge(campaign: Campaign, file: Path, by: str, rating: bool, reason: str | None) -> tuple[Any, str]:
    summary = campaign.judge(file, by, rating, reason)
    return summary, _describe(summary)


def _describe(summary: JudgeSummary) -> str:
    corrected = f" ({summary.corrected} of them corrections)" if summary.corrected else ""
    words = "ratings" if summary.kind == "rating" else "judgements"
    lines = [f"{summary.judge}: {summary.new} new {words} stored{corrected}, {summary.known} known already"]
    if summary.types:
        lines[0] += f"; by type: {', '.join(f'{n} {name}' for name, n in summary.types.items())}"
    if summary.unjudged:
        lines.append(f"rows without a score: {summary.unjudged}")
    if summary.ignored:
        lines.append(f"columns passed over: {', '.join(summary.ignored)}")
    return "\n".join(lines)


VERBS = (judge,)
