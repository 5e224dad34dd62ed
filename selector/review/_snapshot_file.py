"""What was estimated of a campaign, as one small SQLite file: written by a process of its own, read by the server.

So the server carries no arithmetic: it holds a number or two a candidate in memory, and looks up the rest by task.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from selector.domain.files import make_folder, scratch_folder
from selector.domain.json_text import parse_json

FORMAT = 1  # raise it when the file holds something else: one of another format is made anew
_TABLES = (
    "CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE task (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE candidate (task_id TEXT, id TEXT, value TEXT NOT NULL, PRIMARY KEY (task_id, id)) WITHOUT ROWID",
    "CREATE TABLE detail (task_id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE reply (candidate_id TEXT, id INTEGER, PRIMARY KEY (candidate_id, id)) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class CandidateEstimate:
    """What is estimated of a candidate, on 0 to 10; ``p_best``: the chance that it is the best of its task.

    ``merit``: overall before it is cut to 0..10, by which picks are ranked; ``lot`` orders equals, the lowest first.
    ``refused``: why a gate, or that nothing has measured it, keeps it from being picked; "" where it may be.
    """

    overall: float
    sd: float
    sc: float
    pq: float
    sc_measured: bool
    pq_measured: bool
    p_best: float
    merit: float
    lot: int
    refused: str = ""


@dataclass(frozen=True, slots=True)
class TaskEstimate:
    """``best``: expected overall of the best candidate, None where none may be picked; ``refused``: of gates."""

    best: float | None = None
    disagreement: float | None = None
    refused: int = 0


@dataclass(frozen=True)
class SnapshotFacts:
    """What concerns the whole campaign. ``key``: what it was made from; ``at``: when, ISO 8601.

    ``columns`` are facts of scores by "scorer.column"; ``versions`` of scorers and ``reading`` (those that read words)
    say which scores count; ``told`` and ``pending`` what was expected of submissions; ``stale``: why picks are.
    """

    key: Mapping[str, Any] = field(default_factory=dict)
    at: str = ""
    basis: str = ""
    calibrated: bool = False
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    reading: Sequence[str] = ()
    told: Sequence[Mapping[str, Any]] = ()
    pending: Mapping[str, Sequence[float]] = field(default_factory=dict)
    stale: Sequence[str] = ()


@dataclass(frozen=True)
class Snapshot:
    """A snapshot in memory; ``path`` is where ``detail`` looks the rest up. An empty one knows nothing yet."""

    facts: SnapshotFacts = field(default_factory=SnapshotFacts)
    tasks: Mapping[str, TaskEstimate] = field(default_factory=dict)
    candidates: Mapping[tuple[str, str], CandidateEstimate] = field(default_factory=dict)
    path: Path | None = None

    def detail(self, task_id: str) -> Mapping[str, Any]:
        """What only the view of one task needs: reading, places of its scores, why its pick leads, what declined."""
        rows = self._rows("SELECT value FROM detail WHERE task_id = ?", task_id)
        found: Mapping[str, Any] = parse_json(rows[0][0]) if rows else {}
        return found

    def replies(self, candidate_id: str) -> list[int]:
        """Row numbers of judges' replies about a candidate, oldest first."""
        return [row[0] for row in self._rows("SELECT id FROM reply WHERE candidate_id = ? ORDER BY id", candidate_id)]

    def _rows(self, query: str, value: str) -> list[Any]:
        if self.path is None:
            return []
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                return connection.execute(query, (value,)).fetchall()
        except sqlite3.Error:  # the cache may be deleted at any time: it is made again soon
            return []


def write_snapshot(
    path: Path,
    facts: SnapshotFacts,
    tasks: Mapping[str, TaskEstimate],
    candidates: Mapping[tuple[str, str], CandidateEstimate],
    details: Iterable[tuple[str, Mapping[str, Any]]],
    replies: Iterable[tuple[str, int]],
) -> None:
    """Write the file as a whole: who reads the older one goes on with it. Raises ``OSError``."""
    make_folder(path.parent)
    with scratch_folder(path.parent) as folder:
        made = folder / path.name
        with closing(sqlite3.connect(made)) as connection, connection:
            for table in _TABLES:
                connection.execute(table)
            connection.execute("INSERT INTO fact VALUES ('format', ?)", (str(FORMAT),))
            connection.execute("INSERT INTO fact VALUES ('facts', ?)", (_text(asdict(facts)),))
            connection.executemany("INSERT INTO task VALUES (?, ?)", ((k, _text(_row(v))) for k, v in tasks.items()))
            rows = ((*key, _text(_row(value))) for key, value in candidates.items())
            connection.executemany("INSERT INTO candidate VALUES (?, ?, ?)", rows)
            connection.executemany("INSERT INTO detail VALUES (?, ?)", ((k, _text(v)) for k, v in details))
            connection.executemany("INSERT OR IGNORE INTO reply VALUES (?, ?)", replies)
        made.replace(path)


def read_snapshot(path: Path) -> Snapshot | None:
    """The snapshot of a file; None where there is none that can be read, or one of another format."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            told = dict(connection.execute("SELECT key, value FROM fact").fetchall())
            if told.get("format") != str(FORMAT):
                return None
            facts = SnapshotFacts(**parse_json(told["facts"]))
            rows = connection.execute("SELECT id, value FROM task")
            tasks = {key: TaskEstimate(*parse_json(value)) for key, value in rows}
            rows = connection.execute("SELECT task_id, id, value FROM candidate")
            candidates = {(task, key): CandidateEstimate(*parse_json(value)) for task, key, value in rows}
    except (sqlite3.Error, ValueError, TypeError, KeyError):
        return None
    return Snapshot(facts, tasks, candidates, path)


def _row(record: TaskEstimate | CandidateEstimate) -> list[Any]:
    return [getattr(record, name) for name in record.__slots__]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
