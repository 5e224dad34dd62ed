"""The verb ``scores``: everything that is known of every candidate, as a table for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import Output, need_writable, progress_bar, type_option, verb
from selector.domain import InputError
from selector.domain.words import n_of, size_words

if TYPE_CHECKING:
    from selector.campaign import Campaign


@verb(
    "scores",
    "Write what is known of every candidate as one table: ids, what made it, decisions, every score, estimates, picks "
    "and submissions. The suffix says the form: .csv (a spreadsheet opens it), .tsv, .json, .jsonl or .parquet; a name "
    "without one is a folder of Parquet tables (candidates, scores by scorer, estimates, picks), which takes a million "
    "candidates. `import-scores` takes such a table back.",
    "bestshot scores --out scores.parquet",
)
@click.option(
    "--out",
    type=Output(),
    default=None,
    help="The file, or a folder for tables in Parquet.  [default: scores.csv in the campaign's folder]",
)
@click.option("--wide/--long", "wide", default=True, help="A row a candidate, or a row a score.  [default: wide]")
@click.option("--task", "tasks", multiple=True, metavar="TASK", help="Only this task (may be repeated).")
@click.option("--move", is_flag=True, help="Only move the scores of the database into files by column.")
@click.option("--forget-lost", "forget", is_flag=True, help="Only give up scores whose files are gone or damaged.")
@type_option
def scores(
    campaign: Campaign,
    out: Path | None,
    wide: bool,
    tasks: tuple[str, ...],
    move: bool,
    forget: bool,
    types: tuple[str, ...],
) -> tuple[Any, str]:
    if (move or forget) and (out is not None or tasks or types or not wide):
        raise click.UsageError("--move and --forget-lost write no table: leave --out, --long, --task and --type away.")
    if forget:
        lost = campaign.forget_lost_scores()
        if not lost.files:
            return lost, "no file of scores is lost"
        told = f"{n_of(lost.scores, 'score')} in {n_of(lost.files, 'lost file')} given up ({', '.join(lost.scorers)})"
        from selector.config import IMPORTED

        if IMPORTED in lost.scorers:
            return lost, f"{told}: `bestshot score` measures again, `bestshot import-scores` brings what was imported"
        return lost, f"{told}: `bestshot score` measures again"
    if move:
        moved = campaign.move_scores(progress_bar())
        files, size = n_of(moved.files, "file"), size_words(moved.size_bytes)
        return moved, f"{n_of(moved.moved, 'score')} moved into files: {files}, {size} in all"
    if out is None:
        need_writable(campaign.folder, "--out")
    if out is not None and (out.is_dir() or not out.suffix):
        if not wide:
            raise InputError("a folder of tables is wide: leave out --long, or name a file such as scores.parquet")
        folder = campaign.write_score_folder(out, types or None, tasks or None, progress_bar())
        what = f"{n_of(folder.candidates, 'candidate')} of {n_of(folder.tasks, 'task')}"
        return folder, f"{folder.path}: {what}, {folder.files} tables with {size_words(folder.size_bytes)}"
    done = campaign.write_scores(out, types or None, tasks or None, long=not wide)
    what = n_of(done.candidates, "candidate") if wide else f"{n_of(done.rows, 'value')} of {done.candidates} candidates"
    return done, f"{done.path}: {what} of {n_of(done.tasks, 'task')}, {done.columns} columns"
