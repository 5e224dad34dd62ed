"""The verb that takes scores of other tools: import-scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import verb
from selector.domain.words import n_of

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.measure.importing import ImportedSummary

_SHOWN = 20  # rows that named no candidate


@verb(
    "import-scores",
    "Take scores that any other tool computed: they count like all others, as imported.NAME. TABLE is a CSV, TSV, "
    "JSON, JSON lines or Parquet file, one row a candidate, named by a column candidate (its id, or at least 4 "
    "characters of it), file (as it was imported, stored or exported), or task and generator; all that a row says must "
    "fit. Say once with --column what a score means. An empty cell says nothing; rows that name no candidate are "
    "listed; a wrong table is not stored at all. Running it twice changes nothing.",
    "bestshot import-scores hpsv3.csv --column hpsv3:-30:30:up:sc",
)
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME:LOW:HIGH:up|down:sc|pq",
    help="A score (may be repeated): the range that the tool can give, which end is better, and whether it informs how "
    "well the prompt is followed (sc) or how good the picture looks (pq).",
)
@click.option("--redeclare", is_flag=True, help="Let --column change what an earlier import said of a score.")
def import_scores(campaign: Campaign, table: Path, columns: tuple[str, ...], redeclare: bool) -> tuple[Any, str]:
    summary = campaign.import_scores(table, columns, redeclare)
    return summary, _told(summary)


def _told(summary: ImportedSummary) -> str:
    lines = [f"{n_of(summary.new, 'new value')}, {summary.changed} changed, {summary.known} known already"]
    lines[0] += f", of {n_of(summary.matched, 'candidate row')}"
    lines += [f"  imported.{name}: {what}" for name, what in summary.columns.items()]
    if summary.repeated:
        lines.append(f"rows of a candidate that an earlier row names: {summary.repeated}")
    if summary.empty:
        lines.append(f"empty cells: {summary.empty}")
    if summary.passed_over:
        lines.append(f"columns passed over: {', '.join(summary.passed_over)}")
    if summary.unmatched:
        lines.append(f"{n_of(len(summary.unmatched), 'row names', 'rows name')} no candidate:")
        lines += [f"  {line}" for line in summary.unmatched[:_SHOWN]]
        more = len(summary.unmatched) - _SHOWN
        lines += [f"  … and {n_of(more, 'more row')} (all with --json)"] if more > 0 else []
    lines += [
        f"warning: {n_of(one.candidates, 'candidate')} of {n_of(one.tasks, 'task')} without imported.{name}: where "
        "others of the task have it, each counts as the worst of them; give it for all of a task, or for none"
        for name, one in summary.lacking.items()
    ]
    return "\n".join(lines)
