"""Makes a submission again in a copy of its campaign, from the manifest alone: the same ZIP, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from selector.decide.revision import DECISIONS
from selector.domain import InputError, Pick, Recipe, Task
from selector.store.attempts import Attempt, add_attempt, tries_of
from selector.store.candidates import Candidate, candidate_keys
from selector.store.picks import basis_of, newest_picks, save_picks
from selector.submit._entry import Place, enter, write_zip
from selector.submit._manifest import contest_facts, profile_facts
from selector.submit._manifest_file import ManifestFile, PickedTask, read_manifest
from selector.submit.export import Export
from selector.submit.ledger import Ledger
from selector.workspace.workspace import Workspace


def reproduce(ws: Workspace, tasks: Sequence[Task], ledger: Ledger, path: Path) -> Export:
    """Write the ZIP of a manifest, verify it, and enter it in the ledger, if it is not there already.

    The newest picks stay the newest, be they a plan that is not exported yet: what is made again is no choice.

    Raises:
        InputError: no manifest, or one of another contest, profile or team. SubmissionError: an image is missing, or
            the ZIP would have other bytes.
    """
    manifest, data = read_manifest(path)
    picks = [Pick(p.task, p.candidate, None, p.fallback, p.reason) for p in manifest.picks]
    place = Place.of(ws, picks)
    _check(ws, tasks, manifest, place, path)
    sha256 = write_zip(ws, tasks, picks, place, manifest.zip.sha256)

    def stored(connection: Connection) -> int:
        _add_candidates(ws, connection, manifest.picks)
        # Decisions are numbered by each store: those of this one are looked at anew by the next export.
        basis = {what: value for what, value in manifest.basis.items() if what != DECISIONS}
        before = newest_picks(connection)
        save_picks(connection, picks, basis, ws.now())
        newest = newest_picks(connection)
        assert newest is not None
        if before is not None and before[0] != newest[0]:
            save_picks(connection, before[1], basis_of(connection, before[0]), ws.now(), before[0])
        return newest[0]

    enter(ws, ledger, place, sha256, stored, lambda _connection, _set_id: data)
    return Export(ledger.get(place.id), place.zip, place.manifest, place.zip.stat().st_size, ())


def _check(ws: Workspace, tasks: Sequence[Task], manifest: ManifestFile, place: Place, path: Path) -> None:
    """Raise ``InputError`` where the manifest is not of this contest, or does not agree with itself."""
    own_profile, own_contest = profile_facts(ws), contest_facts(ws)
    if manifest.profile.name != own_profile["name"]:
        raise InputError(
            f"{path} is of the profile '{manifest.profile.name}', this campaign of '{own_profile['name']}': reproduce "
            "it in a copy of its own campaign"
        )
    if manifest.profile.hash != own_profile["hash"]:
        raise InputError(
            f"{path} was made with another version of the profile '{manifest.profile.name}' (hash "
            f"{manifest.profile.hash}, here {own_profile['hash']}): use the bestshot or the profile file of then"
        )
    for what, theirs, own in (
        ("task table", manifest.contest.table, own_contest["table"]),
        ("set of input pictures", manifest.contest.inputs, own_contest["inputs"]),
    ):
        if theirs != own:
            raise InputError(f"{path} was made from another {what}: reproduce it in a copy of its own campaign")
    if [p.task for p in manifest.picks] != [task.id for task in tasks]:
        raise InputError(f"{path} does not pick exactly the tasks of this campaign, in their order: was it changed?")
    if manifest.submission != place.id:
        raise InputError(f"{path} was changed: its picks are submission {place.id}, and it says {manifest.submission}")
    if manifest.zip.name != place.zip.name:
        raise InputError(
            f"{path} is of a ZIP called {manifest.zip.name}, this campaign's are called {place.zip.name}: set `team` "
            "in campaign.toml as it was"
        )


def _add_candidates(ws: Workspace, connection: Connection, picked: Sequence[PickedTask]) -> None:
    """Candidates that this store does not know, with the attempts that made them as far as the manifest tells."""
    known = {(task_id, candidate_id) for task_id, candidate_id, _ in candidate_keys(connection)}
    for pick in picked:
        if (pick.task, pick.candidate) in known or pick.made_by is None:
            continue
        maker, picture = pick.made_by, ws.images.picture(pick.candidate)
        recipe = Recipe(maker.variant, maker.seed, maker.params)
        attempt = Attempt(
            pick.task,
            maker.generator,
            maker.build,
            recipe,
            None,
            "made",
            pick.candidate,
            notes={"from_manifest": True},
            fallback=pick.fallback,
        )
        tries = tries_of(connection, pick.task, maker.generator, maker.build).get(recipe.key, ())
        candidate = Candidate(pick.task, pick.candidate, *picture.size, len(picture.data))
        add_attempt(ws.db, connection, attempt, candidate, len(tries) + 1, ws.now())
