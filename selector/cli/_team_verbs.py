"""Verbs of a team: merge, backup, and the restoring that `init --from` does; who is at work, for `status`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import emit, progress_bar, table, verb
from selector.domain.errors import InputError
from selector.domain.words import n_of, size_words

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.store.presence import AtWork
    from selector.team.backup import Backup
    from selector.team.merging import MergeSummary
    from selector.team.restoring import Restored

INCOMPLETE = 1  # exit status of a backup that lacks pictures which the campaign has lost
_AT_ONCE = 500  # pictures in one command
_NAMES = {  # of tables, for people
    "candidate": "candidates",
    "attempt": "attempts",
    "score": "scores, unscored too",
    "judgement": "judgements",
    "judge_reply": "replies",
    "decision": "decisions",
    "comparison": "comparisons",
    "task_reading": "readings",
    "prompt_text": "rewritten",
    "embedding": "vectors",
    "submission": "submissions",
    "observation": "totals",
}


@verb(
    "merge",
    "Take over what another campaign of the same contest holds. Its candidates with their pictures, scores, "
    "judgements, readings, comparisons and decisions with who, when and why; team and seed may differ. Only this "
    "campaign is written, and twice adds nothing. Of two decisions or judgements about one thing the later one counts. "
    "The ledger of one campaign counts: this one's, or with --ledger theirs the other's, where this one has none.",
    "bestshot merge ../campaign-of-ann",
)
@click.argument("other", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--ledger",
    type=click.Choice(["ours", "theirs"]),
    default="ours",
    show_default=True,
    help="Whose submissions, totals and picks count.",
)
def merge(campaign: Campaign, other: Path, ledger: str) -> tuple[Any, str]:
    found = campaign.merge(other, ledger, progress_bar())
    return {**vars(found), "new": found.new}, _describe_merge(found)


def _describe_merge(found: MergeSummary) -> str:
    rows = [(_NAMES[name], rows.new, rows.same) for name, rows in found.rows.items() if name in _NAMES]
    left = found.left_there
    nothing = "" if found.new else "; nothing was new"
    lines = [f"{found.source}, team {found.team}: {n_of(found.pictures, 'picture')} copied{nothing}"]
    lines += [table([row for row in rows if row[1] or row[2]], ("what", "new", "here")), ""]
    if found.ledger == "ours":
        counts = n_of(left.submissions, "submission"), n_of(left.totals, "total")
        picks = n_of(left.picks, "set of picks", "sets of picks")
        lines.append(f"ledger: that of this campaign; left there: {counts[0]}, {counts[1]}, {picks}")
    else:
        lines.append("ledger: that of the other campaign, whose submissions are this one's now")
    if left.open_jobs:
        jobs = n_of(left.open_jobs, "job")
        lines.append(f"{jobs} open at services stay there: `bestshot generate` there collects them, then merge again")
    if found.lost:
        lost = n_of(found.lost, "picture")
        lines.append(f"{lost} lost there: what is known of them did not come; merge again when they are restored")
    if found.deleted_there:
        gone = n_of(found.deleted_there, "picture")
        lines.append(f"{gone} deleted there by people and still here; these commands delete them here too:")
        lines += [line for reason, names in found.delete_here.items() for line in _prune_commands(reason, names)]
    return "\n".join([*lines, *(f"note: {note}" for note in found.notes)])


def _prune_commands(reason: str, names: Sequence[str]) -> list[str]:
    """Commands that delete these, so many in each as a shell takes."""
    parts = [names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE)]
    pictures = [[word for name in part for word in ("--picture", name)] for part in parts]
    return [shlex.join(["bestshot", "prune", *words, "--delete", "--reason", reason]) for words in pictures]


@verb(
    "backup",
    "Write the campaign into one file, while others work on it. Its records, whatever database they lie in, the "
    "configuration without the database's address, inputs, tables and manifests; with --images all pictures of "
    "candidates. Programs and models of your own that campaign.toml names are not in it, and are listed. It is read "
    "back before it has its name, and replaces nothing. `bestshot init FOLDER --from FILE` restores it. Exits with 1 "
    "when pictures that the campaign has lost are not in it.",
    "bestshot backup ../monday.zip --images",
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--images", is_flag=True, help="With the candidates' pictures.")
def backup(campaign: Campaign, file: Path, images: bool) -> tuple[Any, str, int]:
    found = campaign.backup(file, images, progress_bar())
    return found, _describe_backup(found), INCOMPLETE if found.images_lost else 0


def _describe_backup(found: Backup) -> str:
    lines = [
        f"{found.path}: {n_of(found.rows, 'row')} of all tables, {n_of(found.files, 'file')}, "
        f"{n_of(found.images, 'picture')}, {size_words(found.bytes)}, read back"
    ]
    if found.images_left:
        lines.append(f"{n_of(found.images_left, 'picture')} not in it: --images takes them along")
    lines += [f"not in it: {path}, which {key} names: keep a copy" for path, key in found.left_out.items()]
    if found.images_lost:
        lost = n_of(found.images_lost, "picture")
        lines.append(f"{lost} missing in it, lost or damaged in the campaign: `bestshot doctor` names them")
    return "\n".join(lines)


def restore(folder: Path, backup_file: Path, store: str, as_json: bool, others: object = None) -> None:
    """What `init --from` does; ``others``: options that have no meaning with it."""
    from selector.campaign import Campaign

    if others:
        raise InputError(
            "--from brings the tasks, their images, the seed and the team: leave --tasks, --images, --seed and "
            "--team away"
        )
    found = Campaign.restore(folder, backup_file, store, progress_bar())
    lines = [f"{folder}: campaign {found.campaign} as it was at {found.made_at}, {n_of(found.images, 'picture')}"]
    if found.joined:
        lines.append("joined: the database held it already, with whatever came since")
    if found.images_left:
        lines.append(f"{n_of(found.images_left, 'picture')} not in the backup: {_where_images_are(found)}")
    emit(found, "\n".join(lines), as_json)


def _where_images_are(found: Restored) -> str:
    if found.images:
        return "they were lost when it was made; `bestshot generate` makes again what it can"
    if found.images_at and found.images_at == found.images_from:
        return f"they are those of the original, at {found.images_at}; what one of the two deletes, the other loses"
    place = found.images_at or str(found.folder / "images")
    if not found.images_from:
        return f"copy those of the original to {place}; `bestshot generate` makes again what it can"
    return (
        f"they are those of the original, at {found.images_from}; copy them to {place}, or `bestshot generate` makes "
        "again what it can"
    )


def describe_created(campaign: Campaign) -> list[str]:
    """What `init` found at the address of a store, and what a team should know of it."""
    found, lines = campaign.created, []
    if found.joined:
        n = sum(counts.candidates for counts in campaign.status().types.values())
        lines.append(f"joined campaign {campaign.id}: {n_of(n, 'candidate')}")
    lines += [
        f"warning: the database holds another campaign of this contest, {one.id} (team {one.team or '?'}, "
        f"{n_of(one.candidates, 'candidate')}): the same --team and --seed join it, `bestshot merge` unites two"
        for one in found.others
    ]
    if campaign.shares_store and not campaign.config.store.images and not campaign.already_there:
        lines.append(
            "warning: each folder of this database keeps the images that it makes, and others do not see them: set "
            "`images` in [store] of campaign.toml to a folder or bucket that all see, before the first is made, or "
            "give --store-images"
        )
    return lines


def describe_at_work(one: AtWork) -> str:
    """A line of `status`."""
    what = one.what or "bestshot"
    alone = f", alone at {', '.join(one.alone_at)}" if one.alone_at else ""
    silent = "" if one.alive else f"; no sign of life for {one.silent_seconds:.0f} s"
    since = one.since
    with suppress(ValueError):
        since = f"{datetime.fromisoformat(one.since).astimezone():%Y-%m-%d %H:%M:%S}"
    if one.by:
        return f"  {what} by {one.by} on {one.host}, process {one.pid}, since {since}{alone}{silent}"
    return f"  {what} on {one.host}, process {one.pid}, since {since}{alone}{silent}"
