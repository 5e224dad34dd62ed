"""A submission's files and its entry in the ledger: the ZIP first, then manifest and rows in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from selector.domain import InputError, Pick, SubmissionError, Task
from selector.domain.campaign_folder import SUBMISSIONS_NAME
from selector.domain.digest import sha256_of
from selector.domain.files import make_folder, sweep, write_atomically
from selector.domain.words import n_of, tasks_named
from selector.store import schema
from selector.store.decisions import newest_decision
from selector.store.picks import picks_of, submission_id
from selector.store.pruned import load_gone
from selector.submit._archive import write_archive
from selector.submit.ledger import Ledger
from selector.submit.verify import image_hashes, verify_archive
from selector.workspace.workspace import Workspace

_log = logging.getLogger("bestshot.submit")
_MOST_NAMED = 5
_AT_ONCE = 8  # images that are read, or fetched


@dataclass(frozen=True)
class Place:
    """A submission's id, and where its files lie."""

    id: str
    zip: Path
    manifest: Path

    @classmethod
    def of(cls, ws: Workspace, picks: Sequence[Pick]) -> Place:
        """The place of these picks, in the table's order."""
        own = submission_id(ws.profile.name, picks)
        folder = ws.folder / SUBMISSIONS_NAME / own
        return cls(own, folder / ws.profile.export.archive_file(ws.config.team), folder / "manifest.json")


def write_zip(ws: Workspace, tasks: Sequence[Task], picks: Sequence[Pick], place: Place, sha256: str = "") -> str:
    """Write the verified ZIP, unless it is there with the bytes that the ledger knows; returns its SHA-256.

    ``sha256``: the bytes that it must have where the ledger does not know it, "" for whatever comes.

    Raises:
        SubmissionError: an image is missing or damaged, or the ZIP does not verify or has other bytes.
    """
    _check_files(ws, picks)
    make_folder(place.zip.parent)
    sweep(place.zip.parent.parent, deep=True)
    with ws.db.read() as connection:
        known = _known(connection, place.id)
    wanted = known.zip_sha256 if known is not None else sha256
    if not (wanted and place.zip.is_file() and sha256_of(place.zip) == wanted):
        check = partial(_check_zip, ws, tasks, picks, wanted)
        ids = {p.task_id: p.candidate_id for p in picks if p.candidate_id}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            files = dict(zip(ids, pool.map(ws.images.file, ids.values()), strict=True))
        wanted = write_archive(place.zip, ws.profile, tasks, files, check)
    _log.info("%s is written and verified", place.zip)
    return wanted


def enter(
    ws: Workspace,
    ledger: Ledger,
    place: Place,
    sha256: str,
    picks_now: Callable[[Connection], int],
    manifest: Callable[[Connection, int], bytes],
    respects: int | None = None,
) -> bool:
    """Manifest and ledger in one transaction: what the ledger knows keeps the manifest that it was exported with.

    Args:
        ws: the campaign.
        ledger: its ledger.
        place: of the submission.
        sha256: of its ZIP.
        picks_now: the id of the stored set of its picks, where the ledger does not know the submission.
        manifest: the manifest of such a set.
        respects: the newest decision of people that the picks respect, None where later ones do not matter.

    Returns:
        Whether it was entered: not where people have decided something since. A ZIP that no ledger knows goes then.
    """
    with ws.db.write() as connection:
        known = _known(connection, place.id)
        if respects is not None and newest_decision(connection) > respects:
            if known is None:
                place.zip.unlink(missing_ok=True)
            return False
        set_id = picks_now(connection) if known is None else known.pick_set_id
        picks = picks_of(connection, set_id)
        if known is None or not place.manifest.is_file():
            write_atomically(place.manifest, manifest(connection, set_id))
        submission = {
            "id": place.id,
            "pick_set_id": set_id,
            "zip_name": place.zip.name,
            "zip_sha256": sha256,
            "fallbacks": sum(p.fallback for p in picks),
            "at": ws.now(),
        }
        rows = [
            {"submission_id": place.id, "task_id": p.task_id, "candidate_id": p.candidate_id, "fallback": p.fallback}
            for p in picks
        ]
        ws.db.insert_missing(connection, schema.submission, [submission])
        ws.db.insert_missing(connection, schema.submission_pick, rows)
        ledger.exported(connection, place.id)
    return True


def _check_files(ws: Workspace, picks: Sequence[Pick]) -> None:
    """Each picked image is there and whole: the ZIP names no candidates, so its check cannot say which is not."""
    ids = {pick.task_id: pick.candidate_id for pick in picks if pick.candidate_id is not None}
    with ws.db.read() as connection:
        gone = load_gone(connection, list(ids.values()))

    def problem(candidate_id: str) -> str:
        try:
            ws.images.picture(candidate_id)
        except InputError as error:
            if candidate_id in gone:
                return f"it was {gone[candidate_id].words} (`bestshot pick` picks another)"
            return str(error)
        return ""

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = dict(zip(ids, pool.map(problem, ids.values()), strict=True))
    problems = {task_id: why for task_id, why in found.items() if why}
    if problems:
        first, *others = problems
        also = f"; the same for {len(others)} more ({tasks_named(others, some(others))})" if others else ""
        elsewhere = "".join(f"; or copy images/ from {place}" for place in ws.other_folders()[:1])
        raise SubmissionError(
            f"the image that is picked for task {first} cannot be exported: {problems[first]}{elsewhere}{also}"
        )


def _check_zip(
    ws: Workspace, tasks: Sequence[Task], picks: Sequence[Pick], wanted: str, path: Path, sha256: str
) -> None:
    """Only a good ZIP takes its place: valid, of the images that were scored, and the bytes that it had before."""
    verdict = verify_archive(path, ws.profile, tasks)
    if not verdict.valid:
        raise SubmissionError(f"the ZIP breaks the contest's rules, so it was removed: {verdict.problems[0]}")
    found = image_hashes(path, ws.profile, tasks)
    changed = [p.task_id for p in picks if found[p.task_id] != p.candidate_id]
    if changed:
        raise SubmissionError(
            f"{n_of(len(changed), 'image was', 'images were')} changed on the disk "
            f"({tasks_named(changed, some(changed))}): delete them from images/ and run `bestshot generate`"
        )
    if wanted not in ("", sha256):
        raise SubmissionError(
            f"submission {path.parent.name} was exported before with other bytes (another version of bestshot or of "
            "the profile?): the ZIP from then was kept"
        )


def _known(connection: Connection, submission_id: str) -> Any:
    """The ledger's row of a submission (zip_sha256, pick_set_id), None before it was exported."""
    s = schema.submission.c
    return connection.execute(select(s.zip_sha256, s.pick_set_id).where(s.id == submission_id)).first()


def some(ids: Sequence[str]) -> str:
    more = len(ids) - _MOST_NAMED
    return ", ".join(ids[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
