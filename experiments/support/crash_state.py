"""What a campaign holds, read without the code under test: rows by content, files by name, and what is broken in it."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from experiments.support.crash_loop import BACKUP, CAMPAIGN, OLDER, OLDEST, RESTORED, TEMPORARY
from experiments.support.crash_store import PREFIX, FileStore, opened_file

# What must not depend on kills: no row ids, no clock, no seconds, no address of a server. A job that was handed in and
# never answered is no work: "perhaps" is counted as money. Of judgements the newest counts: a run that goes on may
# first store what half of the answers said.
ROWS = {
    "tasks": "SELECT id, position, type, prompt, source, reference FROM task",
    "candidates": "SELECT task_id, id, width_px, height_px, size_bytes FROM candidate",
    "plannings": "SELECT task_id, generator, build, asked, recipes, outcome FROM planning",
    "attempts": "SELECT task_id, generator, build, recipe_key, ordinal, outcome, candidate_id, reason FROM attempt",
    "scores": 'SELECT task_id, candidate_id, scorer, version, "column", value, reason FROM score',
    "pick sets": "SELECT count(*) FROM pick_set",  # their digests hold the id of a decision
    "picks": "SELECT task_id, candidate_id, round(overall, 9), fallback, reason FROM pick",
    "file versions": "SELECT task_id, generator, file, candidate_id, keep FROM file_version",
    "submissions": "SELECT id, zip_name, zip_sha256, fallbacks FROM submission",
    "submission picks": "SELECT submission_id, task_id, candidate_id, fallback FROM submission_pick",
    "submission events": "SELECT submission_id, state, slot, reason FROM submission_event",
    "decisions": 'SELECT kind, task_id, candidate_id, generator, reason, "by" FROM decision',
    "decisions to hold": "SELECT hold, hold_below, remaining FROM plan_decision",
    "observations": "SELECT submission_id, kind, scope, value, reason FROM observation",
    "judgements": """SELECT task_id, candidate_id, judge, kind, sc, pq, parts, passes, reason FROM judgement
        WHERE id IN (SELECT max(id) FROM judgement GROUP BY task_id, candidate_id, judge)""",
    "judgements twice": """SELECT task_id, candidate_id, judge, sc, pq, count(*) FROM judgement
        GROUP BY task_id, candidate_id, judge, kind, sc, pq, parts, passes, reason HAVING count(*) > 1""",
    "judge replies": "SELECT judge, model, prompt_hash, images, repeat, ask, outcome, scores, text FROM judge_reply",
    "readings": 'SELECT task_id, "by", reading FROM task_reading',
    "pruned": 'SELECT picture_id, name, gone, reason, "by" FROM pruned',
    "prompt texts": "SELECT style, form, original, text, writer, ask, outcome FROM prompt_text",
    "jobs": """SELECT task_id, generator, build, service, value FROM job, json_each(job.recipe_keys)
        WHERE job.id NOT IN (SELECT job_id FROM job_end WHERE outcome = 'perhaps')""",
    "job ends": """SELECT task_id, generator, job_end.recipe_key, outcome FROM job_end JOIN job ON job.id = job_id
        WHERE outcome != 'perhaps'""",
}
FILES = "SELECT path, size_bytes, scorer FROM score_shard"  # of scores, below SCORES
SCORES = Path(CAMPAIGN, "scores")
CONFIG, DATABASE = "campaign.toml", "campaign.db"
_SQLITE = (".db", ".db-journal", ".db-wal", ".db-shm")
_CONTENT = (".zip", ".json", ".toml", ".csv")  # files whose bytes must be those of the quiet run; images have hashes
_ADDRESS = re.compile(rb"127\.0\.0\.1:\d+(/%s[0-9a-f]+)?" % PREFIX.encode())  # of a server, or a database there
_PROBE = re.compile(rf"{TEMPORARY}/[a-z0-9_]{{8}}")  # by which Python tries a folder for temporary files, gone at once
_ROW_ID = re.compile(rb'"decisions": \d+')  # the newest heeded one, in a manifest: PostgreSQL's ids have gaps
_MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:[0-9:.]+(Z|[+-]\d\d:\d\d)?")  # when something was done
Rows = dict[str, Counter[tuple[object, ...]]]


def rows_of(place: Path, store: FileStore) -> Rows:
    """All rows by content, with how often each stands there: of the campaign and of those beside it."""
    with store.opened(place) as connection:
        found = _rows_in(connection, place / SCORES)
    for name in (RESTORED, OLDER):
        if (place / name / CONFIG).is_file() and (name == RESTORED or _is_new(place / name)):
            with opened_file(place / name / DATABASE) as connection:
                rows = _rows_in(connection, place / name / "scores")
            found |= {f"{name}: {table}": of for table, of in rows.items()}
    return found


def _rows_in(connection: sqlite3.Connection, scores: Path) -> Rows:
    found = {name: Counter(map(tuple, connection.execute(query))) for name, query in ROWS.items()}
    for path, _, scorer in connection.execute(FILES):
        found["scores"].update(_scores_in(scores / path, scorer))
    return found


def _is_new(folder: Path) -> bool:
    with opened_file(folder / DATABASE) as connection:
        found = connection.execute("SELECT value FROM fact WHERE key = 'format'").fetchone()
    return found is not None and int(found[0]) > OLDEST


def _scores_in(file: Path, scorer: str) -> Iterator[tuple[object, ...]]:
    """The scores of a file by column, as the table of scores has them."""
    import pyarrow.parquet as pq

    for row in pq.read_table(file, partitioning=None).to_pylist():
        key = row.pop("task_id"), row.pop("candidate_id"), scorer, row.pop("version")
        for column in (name for name in row if not name.endswith("__reason")):
            told = row[column], row[f"{column}__reason"]
            if told != (None, None):
                yield (*key, column, *told)


def tickets_of(place: Path, store: FileStore) -> frozenset[str]:
    """Ids of the jobs that are stored; none where there is no database yet."""
    if not store.holds(place):
        return frozenset()
    with store.opened(place) as connection:
        return frozenset(row[0] for row in connection.execute("SELECT ticket FROM job"))


def files_of(place: Path) -> dict[str, str]:
    """Every file below ``place``, and every empty folder, to a hash of what must not depend on kills."""
    found = {}
    for path in sorted(place.rglob("*")):
        if path.suffix.endswith(_SQLITE) and not path.name.startswith("."):
            continue  # its rows are compared, and the files beside it belong to SQLite
        if "scores" in path.relative_to(place).parts and not path.name.startswith("."):
            continue  # what rows name is compared; what they do not stays some minutes for those who read
        name = str(path.relative_to(place))
        if path.is_file() and _PROBE.fullmatch(name) and path.stat().st_size <= len("blat"):
            continue
        if path.is_file():
            told = path.suffix in _CONTENT and path.name != BACKUP  # which says when it was made
            found[name] = _digest(path.read_bytes()) if told else ""
        elif not any(path.iterdir()):
            found[f"{name}/"] = ""
    return found


def _digest(data: bytes) -> str:
    return hashlib.sha256(_ROW_ID.sub(b"", _MOMENT.sub(b"", _ADDRESS.sub(b"", data)))).hexdigest()


def faults_of(place: Path, store: FileStore) -> list[str]:
    """What must hold at any instant: whole databases, every candidate with its bytes, no half file under its name."""
    faults = [f"{p.relative_to(place)} is half a file" for p in _named_files(place) if not _is_whole(p)]
    if store.holds(place):
        with store.opened(place) as connection:
            faults += _faults_in(connection, place / CAMPAIGN)
    for folder in (place / RESTORED, place / OLDER):
        if (folder / DATABASE).is_file():
            with opened_file(folder / DATABASE) as connection:
                faults += _faults_in(connection, folder, pictures=folder.name == RESTORED)
    return faults


def _faults_in(connection: sqlite3.Connection, folder: Path, pictures: bool = True) -> list[str]:
    """Of a campaign in a folder; ``pictures``: it has those that its rows name."""
    verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    files = connection.execute(FILES).fetchall() if "score_shard" in tables else []
    gone = "WHERE id NOT IN (SELECT picture_id FROM pruned)" if "pruned" in tables else ""
    candidates = sorted(connection.execute(f"SELECT task_id, id FROM candidate {gone}")) if pictures else []
    faults = [
        f"the file of scores {path} is missing or cut"
        for path, size, _ in files
        if not _has(folder / "scores" / path, size)
    ]
    faults += [] if verdict == "ok" else [f"the database is damaged: {verdict}"]
    return faults + [
        f"task {task_id}: the image {image_id[:8]} is missing or damaged"
        for task_id, image_id in candidates
        if not _has_image(folder, image_id)
    ]


def _has(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _has_image(folder: Path, image_id: str) -> bool:
    path = folder / "images" / image_id[:2] / f"{image_id}.jpg"
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == image_id


def _named_files(place: Path) -> Iterator[Path]:
    """Files under their final name: what begins with a dot, or lies among temporary files, is on its way."""
    for path in sorted(place.rglob("*")):
        parts = path.relative_to(place).parts
        if path.is_file() and parts[0] != TEMPORARY and not any(part.startswith(".") for part in parts):
            yield path


def _is_whole(path: Path) -> bool:
    """Whether a file of a kind that says where it ends has its end."""
    try:
        if path.suffix == ".zip":
            return zipfile.ZipFile(path).testzip() is None
        if path.suffix == ".json":
            json.loads(path.read_bytes())
    except (ValueError, zipfile.BadZipFile):
        return False
    ends = {".jpg": b"\xff\xd9", ".png": b"IEND\xaeB`\x82", ".html": b"</html>", ".csv": b"\n", ".toml": b"\n"}
    end = ends.get(path.suffix, b"")
    return path.read_bytes().rstrip(b"" if end == b"\n" else b"\n").endswith(end)
