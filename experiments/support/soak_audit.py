"""What a soak has lost or doubled: the store, read without the code under test, against what was promised and paid."""

from __future__ import annotations

import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.support.crash_loop import CAMPAIGN
from experiments.support.crash_process import Bill
from experiments.support.crash_state import faults_of, rows_of
from experiments.support.crash_store import FileStore
from experiments.support.soak_work import Ran

# Rows that are there once, whatever runs beside each other. Plannings, picks and decisions to hold may be said again.
ONCE = (
    "tasks",
    "candidates",
    "attempts",
    "scores",
    "submissions",
    "submission picks",
    "decisions",
    "jobs",
    "job ends",
    "observations",
)
SCORERS = ("artefacts", "gate", "technical")  # of all candidates
_IMAGES = "SELECT count(*) FROM attempt WHERE generator = 'first' AND outcome = 'made'"
_ANSWERS = "SELECT count(*) FROM judge_reply WHERE outcome IN ('scored', 'written')"
_REPLIES = "SELECT judge, key, ask, count(*) FROM judge_reply GROUP BY judge, key, ask HAVING count(*) > 1"
_NOTES = "SELECT reason FROM decision WHERE kind = 'note'"
_EXCLUDED = "SELECT reason FROM decision WHERE kind = 'exclude'"
_IMPORTED = """SELECT generator, json_extract(params, '$.file') FROM attempt JOIN candidate
    ON candidate.task_id = attempt.task_id AND candidate.id = candidate_id WHERE generator LIKE 'folder:%'"""
_TOTALS = "SELECT submission_id, value FROM observation WHERE kind = 'total'"
_UNSCORED = """SELECT task_id, id FROM candidate WHERE NOT EXISTS (SELECT 1 FROM score
    WHERE score.task_id = candidate.task_id AND candidate_id = candidate.id AND scorer = ?)"""


@dataclass
class Audit:
    """What is amiss, a line each."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


def audited(place: Path, store: FileStore, ran: Sequence[Ran], notes: Iterable[str], bill: Bill) -> Audit:
    """The campaign in ``place`` after its last ``generate`` and ``score``.

    Args:
        ran: all verbs with what they promised.
        notes: what the page said is stored.
        bill: all that the two servers have charged for.
    """
    found = Audit(lost=faults_of(place, store))
    for table, rows in rows_of(place, store).items():
        if table in ONCE:
            found.doubled += [f"{n} x {table}: {row}"[:200] for row, n in rows.items() if n > _times(row, rows)]
    found.doubled += [f"{n} x paid: {' '.join(what)[-80:]}" for what, n in bill.items() if n > 1]
    with store.opened(place) as connection:
        _compare_promises(connection, ran, notes, found)
        _compare_bill(connection, bill, found)
        for scorer in SCORERS:
            unscored = connection.execute(_UNSCORED, [scorer]).fetchall()
            found.lost += [f"task {task}: {one[:8]} has no score of {scorer}" for task, one in unscored]
    for one in ran:
        if "backup" in one.promise and not _is_whole(place / one.promise["backup"]):
            found.lost.append(f"the backup {one.promise['backup']} is not whole")
    return found


def _times(row: tuple[object, ...], rows: Counter[tuple[object, ...]]) -> int:
    """How often the row may be there: what was excluded several times may be included as often."""
    if row[0] != "include":
        return 1
    return sum(n for other, n in rows.items() if other[:4] == ("exclude", *row[1:4]))


def _compare_promises(connection: sqlite3.Connection, ran: Sequence[Ran], notes: Iterable[str], found: Audit) -> None:
    wanted = [*notes, *(one.promise["note"] for one in ran if "note" in one.promise)]
    stored = Counter(row[0] for row in connection.execute(_NOTES))
    found.lost += [f"the note '{text}'" for text in wanted if not stored[text]]
    found.doubled += [f"{stored[text]} x the note '{text}'" for text in wanted if stored[text] > 1]
    excluded = {row[0] for row in connection.execute(_EXCLUDED)}
    imported = Counter(map(tuple, connection.execute(_IMPORTED)))
    totals = set(map(tuple, connection.execute(_TOTALS)))
    for promise in (one.promise for one in ran):
        if "excluded" in promise and promise["excluded"] not in excluded:
            found.lost.append(f"the exclusion '{promise['excluded']}'")
        label, *files = promise.get("imported", [""])
        found.lost += [f"the imported {name}" for name in files if not imported[label, name]]
        found.doubled += [f"the imported {name}" for name in files if imported[label, name] > 1]
        if "total" in promise and tuple(promise["total"]) not in totals:
            found.lost.append(f"the total {promise['total']}")


def _compare_bill(connection: sqlite3.Connection, bill: Bill, found: Audit) -> None:
    """Each image and answer that was charged for once is stored once."""
    images = sum(n for what, n in bill.items() if what[0] == "image")
    answers = sum(n for what, n in bill.items() if what[0] == "answer")
    made = connection.execute(_IMAGES).fetchone()[0]
    stored = connection.execute(_ANSWERS).fetchone()[0]
    found.doubled += [f"{n} x the answer {key[:8]} of {judge}" for judge, key, _, n in connection.execute(_REPLIES)]
    for what, paid, kept in (("images", images, made), ("answers", answers, stored)):
        if paid > kept:
            found.lost.append(f"{paid} {what} paid for and {kept} stored")
        if paid < kept:
            found.doubled.append(f"{paid} {what} paid for and {kept} stored")


def _is_whole(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def temporary_files(place: Path) -> list[str]:
    """What a process that is gone has left beside its targets."""
    folder = place / CAMPAIGN
    return sorted(str(p.relative_to(place)) for p in folder.rglob(".*") if p.is_file() and p.suffix != ".lock")
