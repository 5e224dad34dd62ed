"""Takes over what another campaign of the same contest holds: pictures first, then the rows that speak of them.

Only this campaign is written. A second run adds nothing, and one that was killed goes on. The other campaign is read as
it stood when the run began. Each campaign has a ledger of what its team uploaded: only one of the two can count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from selector.config import IMPORTED
from selector.create import INPUT_FACT, open_workspace
from selector.domain import InputError, raise_shortage, stable_hash
from selector.domain.files import followed
from selector.domain.progress import Progress, silent
from selector.store import is_image_id, schema
from selector.store.attempts import load_tasks
from selector.store.copying import batches
from selector.store.imported import imported_columns
from selector.store.jobs import load_jobs
from selector.store.presence import present
from selector.store.pruned import gone_inputs, load_gone
from selector.team._ledger import OWN, has_ledger, take_ledger
from selector.team._rows import HISTORIES, KEYED, Taken, take_attempts, take_history, take_keyed
from selector.team._scores import take_scores
from selector.workspace.workspace import Workspace

OURS, THEIRS = "ours", "theirs"  # whose ledger counts
_COPYING = 8  # threads: disks and object stores answer them together


@dataclass
class LeftThere:
    """What of the other campaign did not come, and is not to."""

    submissions: int = 0
    totals: int = 0
    picks: int = 0  # sets of picks
    open_jobs: int = 0


@dataclass
class MergeSummary:
    """What a merge took over from ``source``, a folder, with the campaign's id and team.

    ``rows``: by table what was new, what was here, and what was left; ``pictures``: files copied; ``lost``: pictures
    that the other campaign names and lacks; ``deleted_there``: those that people deleted there, and that are still
    here, and ``delete_here``: for each reason what `prune --picture` takes to delete them here;
    ``ledger``: whose counts; ``notes``: what else one should know.
    """

    source: str
    campaign: str
    team: str
    ledger: str = OURS
    rows: dict[str, Taken] = field(default_factory=dict)
    pictures: int = 0
    lost: int = 0
    deleted_there: int = 0
    delete_here: dict[str, list[str]] = field(default_factory=dict)
    left_there: LeftThere = field(default_factory=LeftThere)
    notes: list[str] = field(default_factory=list)

    @property
    def new(self) -> int:
        """Rows that are new here."""
        return sum(taken.new for taken in self.rows.values())


def merge(
    ws: Workspace, folder: Path, clock: Callable[[], datetime], ledger: str = OURS, progress: Progress = silent
) -> MergeSummary:
    """Take over what the campaign in ``folder`` holds.

    Args:
        ws: the campaign that is written.
        folder: of the other one, which is only read.
        clock: gives the present.
        ledger: ``theirs`` takes over submissions, totals and picks, too, where there are none here.
        progress: hears how it goes.

    Raises:
        InputError: the other is no campaign of this contest, is this one, has an older format, or both have a ledger.
    """
    if folder.is_file():
        raise InputError(
            f"{folder} is a file: if it is a backup, make a campaign of it by `bestshot init FOLDER --from {folder}`, "
            "and merge that FOLDER"
        )
    if not folder.exists():
        raise InputError(f"there is no {folder}: name the folder of a campaign")
    other = open_workspace(folder, clock, guest=True)
    with closing(other.db), other.db.read() as theirs:
        _check_same_contest(ws, other)
        if ledger == THEIRS:
            _check_ledgers(ws, theirs)
        with present(ws.db, f"merge {folder}", ws.now()):
            return _Merge(ws, other, theirs, folder, progress).carry_out(ledger)


class _Merge:
    def __init__(self, ws: Workspace, other: Workspace, theirs: Connection, folder: Path, progress: Progress) -> None:
        self._ws, self._other, self._theirs, self._progress = ws, other, theirs, progress
        self._lacking: set[tuple[str, str]] = set()
        self._found = MergeSummary(str(folder), other.db.campaign or "", other.config.team)

    def carry_out(self, ledger: str) -> MergeSummary:
        found, db, theirs = self._found, self._ws.db, self._theirs
        found.rows["pruned"] = self._take_pruned()
        self._take_candidates()
        self._progress("scores", 0, 1)
        found.rows["score"] = take_scores(db, theirs)
        self._progress("scores", 1, 1)
        steps = len(HISTORIES) + len(KEYED)
        decisions: dict[int, int] = {}
        for done, history in enumerate(HISTORIES):
            self._progress("rows", done, steps, history.table.name)
            found.rows[history.table.name], places = take_history(db, theirs, history, self._lacking)
            decisions |= places
        for done, table in enumerate(KEYED, len(HISTORIES)):
            self._progress("rows", done, steps, table.name)
            found.rows[table.name] = take_keyed(db, theirs, table, self._lacking)
        self._progress("rows", steps, steps)
        self._take_imported()
        if ledger == THEIRS:
            found.rows |= take_ledger(self._ws, self._other, theirs, decisions, self._lacking)
            found.ledger = THEIRS
        else:
            found.left_there = _ledger_of(theirs)
        self._note_jobs()
        return found

    def _take_pruned(self) -> Taken:
        """That pictures were deleted there, of those that were never here."""
        taken, p, c = Taken(), schema.pruned.c, schema.candidate.c
        gone: dict[str, dict[str, Any]] = {}  # by picture and name: the newest row
        with self._ws.db.write() as connection:
            rows = [dict(row) for row in self._theirs.execute(select(schema.pruned).order_by(p.id)).mappings()]
            known = set(connection.execute(select(p.picture_id).distinct()).scalars())
            for row in rows:
                row.pop("id")
                picture_id = row["picture_id"]
                gone[row["name"] or picture_id] = row
                here = connection.execute(select(c.id).where(c.id == picture_id).limit(1)).first() is not None
                if not is_image_id(picture_id):
                    taken.left += 1
                elif row["name"] is not None or here or picture_id in known:
                    taken.same += 1
                else:
                    connection.execute(schema.pruned.insert().values(**row))
                    taken.new += 1
            self._note_deleted(connection, [row for row in gone.values() if row["gone"]])
        return taken

    def _note_deleted(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """What is here of what people deleted there."""
        ours, inputs, found = load_gone(connection), gone_inputs(connection), self._found
        here = set(connection.execute(select(schema.candidate.c.id)).scalars()) if rows else set()
        pinned = {key.removeprefix(INPUT_FACT) for key in self._ws.db.facts_in(connection, INPUT_FACT)}
        for row in rows:
            picture_id, name = row["picture_id"], row["name"]
            if name in pinned - inputs.keys() if name else picture_id in here - ours.keys():
                found.deleted_there += 1
                found.delete_here.setdefault(row["reason"], []).append(f"inputs/{name}" if name else picture_id[:12])

    def _take_candidates(self) -> None:
        """Pictures, the candidates that they are, and how they were made, a task at a time."""
        db, c = self._ws.db, schema.candidate.c
        with db.read() as connection:
            tasks, gone = load_tasks(connection), load_gone(connection)
        candidates, attempts = Taken(), Taken()
        with ThreadPoolExecutor(_COPYING) as pool:
            for done, task in enumerate(tasks):
                self._progress("candidates", done, len(tasks), f"task {task.id}")
                rows = [row for some in batches(self._theirs, schema.candidate, c.task_id == task.id) for row in some]
                with db.read() as connection:
                    here = set(connection.execute(select(c.id).where(c.task_id == task.id)).scalars())
                fresh = [row for row in rows if row["id"] not in here]
                wanted = [row["id"] for row in fresh if row["id"] not in gone]
                copied = list(pool.map(self._copy, wanted))
                lost = {key for key, way in zip(wanted, copied, strict=True) if way is None}
                self._found.pictures += copied.count(True)
                self._lacking |= {(task.id, key) for key in lost}
                with db.write() as connection:
                    kept = [row for row in fresh if row["id"] not in lost]
                    candidates.new += db.insert_missing(connection, schema.candidate, kept)
                    attempts += take_attempts(db, connection, self._theirs, task.id, self._lacking)
                candidates.same += len(rows) - len(fresh)
                candidates.left += len(lost)
        self._progress("candidates", len(tasks), len(tasks))
        self._found.lost = len({candidate_id for _, candidate_id in self._lacking})
        self._found.rows |= {"candidate": candidates, "attempt": attempts}

    def _copy(self, image_id: str) -> bool | None:
        """Copy a picture; False where it lies here, None where it is lost there."""
        if self._ws.images.size_of(image_id):
            return False
        try:
            data = self._other.images.picture(image_id).data
        except InputError as error:
            raise_shortage(error)
            return None
        self._ws.images.put(data)
        return True

    def _take_imported(self) -> None:
        """What the columns of scores from tables mean, where nothing says it here."""
        db = self._ws.db
        with db.write() as connection:
            told = self._other.db.facts_in(self._theirs, f"{IMPORTED}:")
            ours, theirs = imported_columns(db, connection), imported_columns(self._other.db, self._theirs)
            if ours is None:
                db.set_facts(connection, {f"{IMPORTED}:{key}": value for key, value in told.items()})
        if ours is not None and theirs is not None and ours.version != theirs.version:
            self._found.notes.append(
                "both campaigns have imported scores, and those of this one count: import the other table here too"
            )

    def _note_jobs(self) -> None:
        jobs = load_jobs(self._theirs)
        self._found.left_there.open_jobs = sum(any(job.collectable(key) for key in job.recipe_keys) for job in jobs)


def _ledger_of(theirs: Connection) -> LeftThere:
    tables = schema.submission, schema.observation, schema.pick_set
    return LeftThere(*(theirs.execute(select(func.count()).select_from(table)).scalar_one() for table in tables))


def _check_same_contest(ws: Workspace, other: Workspace) -> None:
    ours, theirs = ws.db.facts(""), other.db.facts("")
    if ws.db.campaign == other.db.campaign and _place(ws) == _place(other):
        raise InputError("the two folders work on one store already: there is nothing to merge")
    profiles = [_profile_hash(of, facts) for of, facts in ((ws, ours), (other, theirs))]
    pictures = [{key: value for key, value in of.items() if key.startswith(INPUT_FACT)} for of in (ours, theirs)]
    different = (
        (ours.get("profile") != theirs.get("profile"), "another profile"),
        (profiles[0] != profiles[1], "other facts in its profile"),
        (ours.get("table") != theirs.get("table"), "another task table"),
        (pictures[0] != pictures[1], "other input pictures"),
    )
    for differs, what in different:
        if differs:
            raise InputError(f"the other campaign has {what}: only campaigns of one contest can be merged")


def _profile_hash(ws: Workspace, facts: Mapping[str, str]) -> str:
    """Campaigns of old formats did not store it."""
    return facts.get("profile_hash") or stable_hash(ws.profile.model_dump(mode="json"), 64)


def _place(ws: Workspace) -> str:
    url = ws.db.engine.url
    if url.get_backend_name() == "sqlite":
        return str(followed(url.database or ""))
    return f"{url.host}:{url.port}/{url.database}"


def _check_ledgers(ws: Workspace, theirs: Connection) -> None:
    with ws.db.read() as connection:
        if has_ledger(connection, besides=theirs):
            raise InputError(OWN)
