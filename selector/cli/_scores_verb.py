"""The verb ``scores``: everything that is known of every candidate, as a table for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import type_option, verb
from selector.domain.words import n_of

if TYPE_CHECKING:
    from selector.campaign import Campaign


@verb(
    "scores",
    "Write what is known of every candidate as one table: ids, what made it, decisions, every score, estimates, picks "
    "and submissions. The suffix says the form: .csv (a spreadsheet opens it), .tsv, .json, .jsonl or .parquet. "
    "`import-scores` takes such a table back.",
    "bestshot scores --out scores.parquet",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The file.  [default: scores.csv in the campaign's folder]",
)
@click.option("--wide/--long", "wide", default=True, help="A row a candidate, or a row a score.  [default: wide]")
@click.option("--task", "tasks", multiple=True, metavar="TASK", help="Only this task (may be repeated).")
@type_option
def scores(
    campaign: Campaign, out: Path | None, wide: bool, tasks: tuple[str, ...], types: tuple[str, ...]
) -> tuple[Any, str]:
    done = campaign.write_scores(out, types or None, tasks or None, long=not wide)
    what = n_of(done.candidates, "candidate") if wide else f"{n_of(done.rows, 'value')} of {done.candidates} candidates"
    return done, f"{done.path}: {what} of {n_of(done.tasks, 'task')}, {done.columns} columns"
