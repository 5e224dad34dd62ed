"""Exports the newest picks as a submission: ZIP and manifest first, then the rows that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from selector.domain import InputError, SubmissionError, Task, stable_hash
from selector.domain.words import n_of
from selector.ranking import Pick
from selector.runs.picking import newest_picks
from selector.runs.workspace import Workspace
from selector.store import schema
from selector.store.files import remove_stale_temporaries, write_atomically
from selector.submission.archive import write_archive
from selector.submission.ledger import Ledger, SubmissionRecord
from selector.submission.manifest import manifest_bytes
from selector.submission.origin import image_hashes
from selector.submission.verify import verify_archive

_MOST_NAMED = 5


@dataclass(frozen=True)
class Export:
    """What an export wrote."""

    submission: SubmissionRecord
    zip_path: Path
    manifest_path: Path
    size_bytes: int
    warnings: tuple[str, ...] = ()


def export(ws: Workspace, tasks: Sequence[Task], ledger: Ledger, allow_fallbacks: bool = False) -> Export:
    """Write the newest picks as ZIP and manifest, verify the ZIP, and enter it in the ledger.

    The submission's id follows from its picks: exporting the same picks again gives the same id and the same bytes.

    Raises:
        SubmissionError: nothing was picked yet, the picks are incomplete or hold fallbacks (unless allowed), or the
            written ZIP does not verify; an image is missing or damaged.
    """
    with ws.db.read() as connection:
        newest = newest_picks(connection)
    if newest is None:
        raise SubmissionError("nothing has been picked yet: run `bestshot pick` first")
    set_id, picks = newest
    _check_complete(picks, allow_fallbacks)
    _check_files(ws, picks)
    submission_id = stable_hash([ws.profile.name, [[p.task_id, p.candidate_id] for p in picks]], 8)
    folder = ws.folder / "submissions" / submission_id
    zip_path = folder / ws.profile.export.archive_file(ws.config.team)
    folder.mkdir(parents=True, exist_ok=True)
    remove_stale_temporaries(folder)
    sha256 = _write_zip(ws, tasks, picks, submission_id, zip_path)
    manifest_path = folder / "manifest.json"
    write_atomically(manifest_path, _manifest(ws, submission_id, zip_path.name, sha256, set_id, picks))
    _enter(ws, ledger, submission_id, set_id, zip_path.name, sha256, picks)
    return Export(ledger.get(submission_id), zip_path, manifest_path, zip_path.stat().st_size)


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
        raise SubmissionError(f"the image that is picked for task {first} cannot be exported: {problems[first]}{also}")


def _write_zip(ws: Workspace, tasks: Sequence[Task], picks: Sequence[Pick], submission_id: str, zip_path: Path) -> str:
    """Write the ZIP beside its place and check it; only a good one takes the place. Returns its SHA-256."""
    files = {p.task_id: ws.images.path(p.candidate_id) for p in picks if p.candidate_id}
    unchecked = zip_path.with_name(f".unchecked-{zip_path.name}")
    try:
        sha256 = write_archive(unchecked, ws.profile, tasks, files)
        verdict = verify_archive(unchecked, ws.profile, tasks)
        if not verdict.valid:
            raise SubmissionError(f"the ZIP breaks the contest's rules, so it was removed: {verdict.problems[0]}")
        _check_images(unchecked, ws, tasks, picks)
        _check_unchanged(ws, submission_id, sha256)
        unchecked.replace(zip_path)
    finally:
        unchecked.unlink(missing_ok=True)
    return sha256


def _check_images(path: Path, ws: Workspace, tasks: Sequence[Task], picks: Sequence[Pick]) -> None:
    """What was scored is what is exported: each image's hash is its candidate's id."""
    found = image_hashes(path, ws.profile, tasks)
    changed = [p.task_id for p in picks if found[p.task_id] != p.candidate_id]
    if changed:
        raise SubmissionError(
            f"{n_of(len(changed), 'image was', 'images were')} changed on the disk (tasks {_some(changed)}): "
            "delete them from images/ and run `bestshot generate`"
        )


def _check_unchanged(ws: Workspace, submission_id: str, sha256: str) -> None:
    """A submission's bytes never change: its ZIP may have been uploaded."""
    with ws.db.read() as connection:
        query = select(schema.submission.c.zip_sha256).where(schema.submission.c.id == submission_id)
        known = connection.execute(query).scalar_one_or_none()
    if known not in (None, sha256):
        raise SubmissionError(
            f"submission {submission_id} was exported before with other bytes (another version of bestshot or of the "
            "profile?): the ZIP from then was kept"
        )


def _some(ids: Sequence[str]) -> str:
    more = len(ids) - _MOST_NAMED
    return ", ".join(ids[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _manifest(
    ws: Workspace, submission_id: str, zip_name: str, sha256: str, set_id: int, picks: Sequence[Pick]
) -> bytes:
    with ws.db.read() as connection:
        query = select(schema.pick_set.c.basis).where(schema.pick_set.c.id == set_id)
        basis: Mapping[str, Any] = connection.execute(query).scalar_one()
        makers = _makers(connection)
    rows = [
        {
            "task": p.task_id,
            "candidate": p.candidate_id,
            "fallback": p.fallback,
            "reason": p.reason,
            "made_by": makers.get((p.task_id, p.candidate_id)),
        }
        for p in picks
    ]
    contest = {"table": ws.db.fact("table"), "inputs": stable_hash(ws.db.facts("input:"), 64)}
    return manifest_bytes(submission_id, zip_name, sha256, ws.profile, ws.config, contest, basis, rows)


def _makers(connection: Connection) -> dict[tuple[str, str | None], dict[str, Any]]:
    """(task, candidate) to the first attempt, in an order that does not depend on who finished first."""
    a = schema.attempt.c
    query = select(a.task_id, a.candidate_id, a.generator, a.build, a.variant, a.seed, a.params)
    query = query.where(a.outcome == "made").order_by(a.task_id, a.candidate_id, a.generator, a.build, a.recipe_key)
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    for row in connection.execute(query):
        found.setdefault(
            (row.task_id, row.candidate_id),
            {
                "generator": row.generator,
                "build": row.build,
                "variant": row.variant,
                "seed": row.seed,
                "params": row.params,
            },
        )
    return found


def _enter(
    ws: Workspace, ledger: Ledger, submission_id: str, set_id: int, zip_name: str, sha256: str, picks: Sequence[Pick]
) -> None:
    submission = {
        "id": submission_id,
        "pick_set_id": set_id,
        "zip_name": zip_name,
        "zip_sha256": sha256,
        "fallbacks": sum(p.fallback for p in picks),
        "at": ws.now(),
    }
    rows = [
        {"submission_id": submission_id, "task_id": p.task_id, "candidate_id": p.candidate_id, "fallback": p.fallback}
        for p in picks
    ]
    with ws.db.write() as connection:
        ws.db.insert_missing(connection, schema.submission, [submission])
        ws.db.insert_missing(connection, schema.submission_pick, rows)
        ledger.exported(connection, submission_id)
