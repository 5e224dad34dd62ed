"""The verb ``prune``: what pictures take, and the deletion of those that nothing needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from selector.cli._decide_verbs import by_option
from selector.cli.common import progress_bar, table, verb
from selector.domain.errors import InputError
from selector.domain.words import n_of, size_words, some_of

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.prune import Pruning


@verb(
    "prune",
    "Say what the pictures take on disk or bucket, what is still to come and what nothing needs; with --delete delete "
    "what is chosen. Rows, scores and totals stay and go on teaching; a deleted candidate is not picked, judged or "
    "made again. What a submission holds, what is picked, pinned or noted stays, unless it is named with --picture or "
    "--person-of. Without --delete nothing changes.",
    'bestshot prune --keep 5 --delete --reason "the disk is full"',
)
@click.option("--keep", type=click.IntRange(min=0), default=None, metavar="N", help="All but the N best of each task.")
@click.option("--losers", is_flag=True, help="All that nothing needs; the same as --keep 0.")
@click.option("--task", "tasks", multiple=True, help="Only of this task (may be repeated).")
@click.option(
    "--picture",
    "pictures",
    multiple=True,
    metavar="NAME",
    help="This one, whatever needs it: a candidate's short id, or inputs/NAME and all that was made from it.",
)
@click.option("--person-of", multiple=True, metavar="TASK", help="This task's input pictures, in the same way.")
@click.option("--delete", is_flag=True, help="Do it; it cannot be taken back.")
@click.option("--reason", default="", help="Why; it is kept.")
@by_option
def prune(
    campaign: Campaign,
    keep: int | None,
    losers: bool,
    tasks: tuple[str, ...],
    pictures: tuple[str, ...],
    person_of: tuple[str, ...],
    delete: bool,
    reason: str,
    by: str | None,
) -> tuple[Any, str]:
    if losers and keep is not None:
        raise InputError("give --keep N or --losers, not both")
    if reason and not delete:
        raise click.UsageError("--reason has an effect with --delete only: add it, or leave the reason away.")
    found = campaign.prune(keep, losers, tasks, pictures, person_of, reason, by, delete, progress_bar())
    chooses = losers or keep is not None or bool(tasks or pictures or person_of)
    return found, _told(found, chooses)


def _told(found: Pruning, chooses: bool) -> str:
    blocks = []
    if found.holds:
        rows = [(one.task_type, one.generator, one.pictures, size_words(one.bytes)) for one in found.holds]
        blocks.append(table(rows, ("type", "generator", "pictures", "size")))
    beside = [f"{name} takes {size_words(size)} on disk" for name, size in found.beside.items()]
    blocks.append("\n".join([f"images lie at {found.place}", *beside]))
    coming = []
    if found.to_make:
        coming.append(f"{n_of(found.to_make, 'picture')} to be made, about {size_words(found.to_make_bytes)}")
    coming.append(f"{size_words(found.free_bytes)} free on this disk")
    blocks.append("\n".join(coming))
    blocks.append("\n".join(_going(found, chooses)))
    if found.warnings:
        blocks.append("\n".join(f"warning: {line}" for line in found.warnings))
    return "\n\n".join(blocks)


def _going(found: Pruning, chooses: bool) -> list[str]:
    lines = []
    if found.gone:
        lines.append(f"deleted so far: {n_of(found.gone, 'picture')} of candidates, whose scores stay")
    if found.gone_inputs:
        lines.append(f"deleted so far: {n_of(found.gone_inputs, 'input picture')}")
    if found.unfinished:
        lines.append(f"of {found.unfinished} the bytes may still be there: `bestshot prune --delete` completes it")
    if not chooses:
        if not found.deleted:
            lines.append(
                f"no submission, pick or decision needs {found.spare} of them ({size_words(found.spare_bytes)})"
            )
        return lines
    what, size = n_of(found.chosen, "picture"), size_words(found.chosen_bytes)
    if found.inputs:
        what = f"{what} and {n_of(len(found.inputs), 'input picture')}"
    lines.append(f"deleted now: {what} ({size})" if found.deleted else f"would be deleted: {what} ({size})")
    if found.inputs:
        lines.append(f"input pictures, with all that was made from them: {some_of(found.inputs)}")
    if found.stays:
        lines.append(f"{found.stays} more would be, were they not needed")
    if not found.deleted:
        lines.append('nothing was changed: add --delete --reason "…" to do it')
    return lines
