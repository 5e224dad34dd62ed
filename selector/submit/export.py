"""Exports the newest picks as a submission: ZIP and manifest first, then the rows that name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from selector.decide.context import Context
from selector.decide.picking import staleness
from selector.decide.revising import Replaced, revise
from selector.domain import Pick, SubmissionError
from selector.store.picks import basis_of, newest_picks, picks_of
from selector.submit._entry import Place, enter, some, write_zip
from selector.submit._manifest import manifest_bytes
from selector.submit.ledger import Ledger, SubmissionRecord


@dataclass(frozen=True)
class Export:
    """What an export wrote; ``warnings`` tell why the picks no longer follow from what is known.

    ``replaced``: the picks that gave way to decisions of people since they were chosen.
    """

    submission: SubmissionRecord
    zip_path: Path
    manifest_path: Path
    size_bytes: int
    warnings: tuple[str, ...]
    replaced: tuple[Replaced, ...] = ()


def export(context: Context, ledger: Ledger, allow_fallbacks: bool = False) -> Export:
    """Write the newest picks as ZIP and manifest, verify the ZIP, and enter it in the ledger.

    Picks that decisions of people touch since are replaced first. The submission's id follows from its picks: exporting
    the same picks again gives the same id and the same bytes.

    Raises:
        SubmissionError: nothing was picked yet, the picks are incomplete or hold fallbacks (unless allowed), or the
            written ZIP does not verify; an image is missing or damaged.
    """
    replaced: dict[str, Replaced] = {}
    while True:
        for one in revise(context):
            first = replaced.get(one.task_id, one)
            replaced[one.task_id] = replace(one, before=first.before)
        place = _enter(context, ledger, allow_fallbacks)
        if place is not None:
            break
        context = Context(context.ws, context.tasks)  # a look at what was decided while the ZIP was written
    size = place.zip.stat().st_size
    changed = tuple(one for one in replaced.values() if one.before != one.now)
    return Export(ledger.get(place.id), place.zip, place.manifest, size, staleness(context), changed)


def _enter(context: Context, ledger: Ledger, allow_fallbacks: bool) -> Place | None:
    """Write the newest picks and enter them; None where people decided something meanwhile, and nothing is entered."""
    ws = context.ws
    with ws.db.read() as connection:
        newest = newest_picks(connection)
    if newest is None:
        raise SubmissionError("nothing has been picked yet: run `bestshot pick` first")
    set_id, picks = newest
    _check_complete(picks, allow_fallbacks)
    place = Place.of(ws, picks)
    sha256 = write_zip(ws, context.tasks, picks, place)

    def manifest(connection: Connection, stored: int) -> bytes:
        picks, basis = picks_of(connection, stored), basis_of(connection, stored)
        return manifest_bytes(ws, connection, place.id, place.zip.name, sha256, basis, picks)

    entered = enter(ws, ledger, place, sha256, lambda _: set_id, manifest, context.decisions.newest)
    return place if entered else None


def _check_complete(picks: Sequence[Pick], allow_fallbacks: bool) -> None:
    missing = [p.task_id for p in picks if p.candidate_id is None]
    if missing:
        raise SubmissionError(
            f"{len(missing)} of {len(picks)} tasks have no image at all: {some(missing)}; run `bestshot status`"
        )
    fallbacks = [p.task_id for p in picks if p.fallback]
    if fallbacks and not allow_fallbacks:
        raise SubmissionError(
            f"{len(fallbacks)} of {len(picks)} tasks have only a fallback: {some(fallbacks)}; "
            "make candidates for them (and score and pick those), or export with --allow-fallbacks"
        )
