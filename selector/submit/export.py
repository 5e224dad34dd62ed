"""Exports the newest picks as a submission: ZIP and manifest first, then the rows that name them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from selector.decide.context import Context
from selector.decide.picking import staleness
from selector.domain import InputError, Pick, SubmissionError, Task, stable_hash
from selector.domain.digest import sha256_of
from selector.domain.files import make_folder, sweep, write_atomically
from selector.domain.words import n_of
from selector.store import schema
from selector.store.picks import basis_of, newest_picks, picks_of
from selector.submit._archive import write_archive
from selector.submit._manifest import manifest_bytes
from selector.submit.ledger import Ledger, SubmissionRecord
from selector.submit.submissions import image_hashes
from selector.submit.verify import verify_archive
from selector.workspace.workspace import Workspace

_log = logging.getLogger("bestshot.submit")
_MOST_NAMED = 5


@dataclass(frozen=True)
class Export:
    """What an export wrote; ``warnings`` tell why the picks no longer follow from what is known."""

    submission: SubmissionRecord
    zip_path: Path
    manifest_path: Path
    size_bytes: int
    warnings: tuple[str, ...]


def export(context: Context, ledger: Ledger, allow_fallbacks: bool = False) -> Export:
    """Write the newest picks as ZIP and manifest, verify the ZIP, and enter it in the ledger.

    The submission's id follows from its picks: exporting the same picks again gives the same id and the same bytes.

    Raises:
        SubmissionError: nothing was picked yet, the picks are incomplete or hold fallbacks (unless allowed), or the
            written ZIP does not verify; an image is missing or damaged.
    """
    ws, tasks = context.ws, context.tasks
    with ws.db.read() as connection:
        newest = newest_picks(connection)
    if newest is None:
        raise SubmissionError("nothing has been picked yet: run `bestshot pick` first")
    set_id, picks = newest
    _check_complete(picks, allow_fallbacks)
    _check_files(ws, picks)
    submission_id = submission_id_of(ws.profile.name, picks)
    folder = ws.folder / "submissions" / submission_id
    zip_path = folder / ws.profile.export.archive_file(ws.config.team)
    manifest_path = folder / "manifest.json"
    make_folder(folder)
    sweep(folder.parent, deep=True)
    with ws.db.read() as connection:
        known = _known(connection, submission_id)
    if known is None or not (zip_path.is_file() and sha256_of(zip_path) == known.zip_sha256):
        check = partial(_check_zip, ws, tasks, picks, known)
        files = {p.task_id: ws.images.path(p.candidate_id) for p in picks if p.candidate_id}
        sha256 = write_archive(zip_path, ws.profile, tasks, files, check)
    else:
        sha256 = known.zip_sha256
    _log.info("%s is written and verified", zip_path)
    _enter(ws, ledger, submission_id, set_id, zip_path.name, sha256, manifest_path)
    return Export(ledger.get(submission_id), zip_path, manifest_path, zip_path.stat().st_size, staleness(context))


def submission_id_of(profile: str, picks: Sequence[Pick]) -> str:
    """What the same picks, in the table's order, are always called."""
    return stable_hash([profile, [[p.task_id, p.candidate_id] for p in picks]], 8)


def _check_complete(picks: Sequence[Pick], allow_fallbacks: bool) -> None:
    missing = [p.task_id for p in picks if p.candidate_id is None]
    if missing:
        raise SubmissionError(
            f"{len(missing)} of {len(picks)} tasks have no image at all: {_some(missing)}; run `bestshot status`"
        )
    fallbacks = [p.task_id for p in picks if p.fallback]
    if fallbacks and not allow_fallbacks:
        raise SubmissionError(
            f"{len(fallbacks)} of {len(picks)} tasks have only a fallback: {_some(fallbacks)}; "
            "make candidates for them (and score and pick those), or export with --allow-fallbacks"
        )


def _check_files(ws: Workspace, picks: Sequence[Pick]) -> None:
    """Each picked image is there and whole: the ZIP names no candidates, so its check cannot say which is not."""
    problems: dict[str, str] = {}
    for pick in picks:
        try:
            if pick.candidate_id is not None:
                ws.images.picture(pick.candidate_id)
        except InputError as error:
            problems[pick.task_id] = str(error)
    if problems:
        first, *others = problems
        also = f"; the same for {len(others)} more (tasks {_some(others)})" if others else ""
        elsewhere = "".join(f"; or copy images/ from {place}" for place in ws.other_folders()[:1])
        raise SubmissionError(
            f"the image that is picked for task {first} cannot be exported: {problems[first]}{elsewhere}{also}"
        )


def _check_zip(
    ws: Workspace, tasks: Sequence[Task], picks: Sequence[Pick], known: Any, path: Path, sha256: str
) -> None:
    """Only a good ZIP takes its place: valid, of the images that were scored, and the bytes that it had before."""
    verdict = verify_archive(path, ws.profile, tasks)
    if not verdict.valid:
        raise SubmissionError(f"the ZIP breaks the contest's rules, so it was removed: {verdict.problems[0]}")
    found = image_hashes(path, ws.profile, tasks)
    changed = [p.task_id for p in picks if found[p.task_id] != p.candidate_id]
    if changed:
        raise SubmissionError(
            f"{n_of(len(changed), 'image was', 'images were')} changed on the disk (tasks {_some(changed)}): "
            "delete them from images/ and run `bestshot generate`"
        )
    if known is not None and known.zip_sha256 != sha256:
        raise SubmissionError(
            f"submission {path.parent.name} was exported before with other bytes (another version of bestshot or of "
            "the profile?): the ZIP from then was kept"
        )


def _known(connection: Connection, submission_id: str) -> Any:
    """The ledger's row of a submission (zip_sha256, pick_set_id), None before it was exported."""
    s = schema.submission.c
    return connection.execute(select(s.zip_sha256, s.pick_set_id).where(s.id == submission_id)).first()


def _some(ids: Sequence[str]) -> str:
    more = len(ids) - _MOST_NAMED
    return ", ".join(ids[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _enter(
    ws: Workspace, ledger: Ledger, submission_id: str, set_id: int, zip_name: str, sha256: str, manifest_path: Path
) -> None:
    """Manifest and ledger in one transaction: what the ledger knows keeps the manifest that it was exported with."""
    with ws.db.write() as connection:
        known = _known(connection, submission_id)
        set_id = set_id if known is None else known.pick_set_id
        picks = picks_of(connection, set_id)
        if known is None or not manifest_path.is_file():
            basis = basis_of(connection, set_id)
            write_atomically(
                manifest_path, manifest_bytes(ws, connection, submission_id, zip_name, sha256, basis, picks)
            )
        submission = {
            "id": submission_id,
            "pick_set_id": set_id,
            "zip_name": zip_name,
            "zip_sha256": sha256,
            "fallbacks": sum(p.fallback for p in picks),
            "at": ws.now(),
        }
        rows = [
            {
                "submission_id": submission_id,
                "task_id": p.task_id,
                "candidate_id": p.candidate_id,
                "fallback": p.fallback,
            }
            for p in picks
        ]
        ws.db.insert_missing(connection, schema.submission, [submission])
        ws.db.insert_missing(connection, schema.submission_pick, rows)
        ledger.exported(connection, submission_id)
