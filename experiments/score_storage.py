"""What storing and reading scores costs as rows and in columns: seconds, bytes, peak memory.

    python -m experiments.score_storage --candidates 100000 --json out.json

Tasks have 100 candidates each, and four scorers five columns each; one score in 33 is unscored. No picture is made.
`ingest`: through ``add_scores``, as a scoring run stores what it measured, in batches of 64 candidates. `bulk`: through
``add_columns``, as `import-scores` stores a large table, a scorer at a time (columns only). `wide`: the read that
`pick` and `plan` begin with, of all candidates and columns. `due`: what a scoring run asks first. Each storage works in
a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, insert, select

from experiments.support.outcome import finish, parser
from experiments.support.process_cost import peak_mb
from selector.store import Database, schema
from selector.store.moving_scores import add_columns, move_scores
from selector.store.score_files import ScoreFiles, keep_scores_in
from selector.store.scores import add_scores, score_counts, scored_candidates, wide_scores

STORAGES = ("rows", "columns", "bulk")
SCORERS, COLUMNS, EACH = 4, 5, 100
_BATCH, _UNSCORED, _PART = 64, 33, 100_000


def main(arguments: list[str] | None = None) -> int:
    options = parser("score_storage", __doc__ or "")
    options.add_argument("--candidates", type=int, default=20_000, help="how many (default 20,000)")
    options.add_argument("--storages", nargs="+", choices=STORAGES, default=list(STORAGES), help="default: all")
    options.add_argument("--url", default="", help="a fresh PostgreSQL database instead of a SQLite file")
    options.add_argument("--child", default="", help=argparse_suppressed())
    chosen = options.parse_args(arguments)
    if chosen.child:
        print(json.dumps(measure(Path(chosen.child), chosen.storages[0], chosen.candidates, chosen.seed, chosen.url)))
        return 0
    results: dict[str, Any] = {"candidates": chosen.candidates, "scores": chosen.candidates * SCORERS * COLUMNS}
    lines = [f"{'':>8}  {'ingest s':>8}  {'scores/s':>8}  {'MB':>7}  {'wide s':>7}  {'due s':>6}  {'peak MB':>7}"]
    for storage in chosen.storages:
        with tempfile.TemporaryDirectory(prefix="bestshot-scores-") as place:
            command = [sys.executable, "-m", "experiments.score_storage", "--child", place, "--storages", storage]
            command += ["--candidates", str(chosen.candidates), "--seed", str(chosen.seed), "--url", chosen.url]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        one = results[storage] = json.loads(done.stdout)
        rate = results["scores"] / one["ingest_seconds"]
        lines.append(
            f"{storage:>8}  {one['ingest_seconds']:>8.1f}  {rate:>8.0f}  {one['bytes'] / 1e6:>7.1f}  "
            f"{one['wide_seconds']:>7.2f}  {one['due_seconds']:>6.2f}  {one['peak_mb']:>7.0f}"
        )
    finish(results, lines, chosen.json)
    return 0


def argparse_suppressed() -> str:
    import argparse

    return argparse.SUPPRESS


def measure(place: Path, storage: str, n: int, seed: int, url: str = "") -> dict[str, float]:
    """What one storage costs, by name; ``bytes`` are those of the scores, without the candidates' rows."""
    db = Database(url or place / "campaign.db", create=True)
    keep_scores_in(db, ScoreFiles(place / "scores", writing=storage != "rows"))
    tasks = [f"{i // EACH:06d}" for i in range(n)]
    ids = [f"{word:064x}" for word in _words(n, seed)]
    with db.write() as connection:
        sizes = {"width_px": 1, "height_px": 1, "size_bytes": 1, "at": ""}
        for start in range(0, n, _PART):
            part = zip(tasks[start : start + _PART], ids[start : start + _PART], strict=True)
            connection.execute(insert(schema.candidate), [{"task_id": t, "id": c, **sizes} for t, c in part])
    before = _bytes(db, place)
    values = np.random.default_rng(seed).random((n, SCORERS * COLUMNS))
    values[values < 1 / _UNSCORED] = np.nan
    found: dict[str, float] = {"ingest_seconds": _seconds(lambda: _ingest(db, storage, tasks, ids, values))}
    found["bytes"] = _bytes(db, place) - before
    columns = [(f"s{k}", "1", f"c{j}") for k in range(SCORERS) for j in range(COLUMNS)]
    with db.read() as connection:
        found["base_mb"] = peak_mb()
        found["wide_seconds"] = _seconds(lambda: _check(values, wide_scores(connection, tasks, ids, columns)[0]))
        found["peak_mb"] = peak_mb()
        versions = {f"s{k}": "1" for k in range(SCORERS)}
        found["due_seconds"] = _seconds(lambda: scored_candidates(connection, versions))
        found["counts_seconds"] = _seconds(lambda: score_counts(connection))
        found["rows_left"] = connection.execute(select(func.count()).select_from(schema.score)).scalar_one()
    found["move_seconds"] = _seconds(lambda: move_scores(db)) if storage == "rows" and not url else 0.0
    db.close()
    return found


def _ingest(db: Database, storage: str, tasks: list[str], ids: list[str], values: Any) -> None:
    if storage == "bulk":
        for k in range(SCORERS):
            for start in range(0, len(ids), _PART):
                part = slice(start, start + _PART)
                of = values[part, k * COLUMNS : (k + 1) * COLUMNS]
                told = np.full(of.shape, None, dtype=object)
                told[np.isnan(of)] = "no face was found"
                columns = {f"c{j}": (of[:, j], told[:, j]) for j in range(COLUMNS)}
                with db.write() as connection:
                    add_columns(connection, f"s{k}", "1", tasks[part], ids[part], columns)
        return
    for start in range(0, len(ids), _BATCH):
        rows = []
        for i in range(start, min(start + _BATCH, len(ids))):
            for j, value in enumerate(values[i].tolist()):
                key = {"task_id": tasks[i], "candidate_id": ids[i], "scorer": f"s{j // COLUMNS}", "version": "1"}
                scored = {"value": value, "reason": None} if value == value else {"value": None, "reason": _REASON}
                rows.append({**key, "column": f"c{j % COLUMNS}", **scored})
        with db.write() as connection:
            add_scores(db, connection, rows)


_REASON = "no face was found"


def _check(stored: Any, read: Any) -> None:
    if not np.array_equal(stored, read, equal_nan=True):
        raise RuntimeError("what was read is not what was stored")


def _words(n: int, seed: int) -> list[int]:
    words = np.random.default_rng(seed + 1).integers(0, 2**63, (n, 4)).tolist()
    return [a << 192 | b << 128 | c << 64 | d for a, b, c, d in words]


def _bytes(db: Database, place: Path) -> int:
    files = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    if db.engine.dialect.name == "sqlite":
        return files
    with db.read() as connection:
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    return files + int(size)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    raise SystemExit(main())
