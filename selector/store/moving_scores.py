"""Rows of scores become files by column, and small files become large ones.

A move happens while the writers' lock is held: the file, then the row that names it and the end of what it replaces.
It removes no file, for its transaction may not come to its end. What no row names, because a kill came before the
commit or because it was put together with others, goes later and apart from it: ``sweep_scores``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select

from selector.domain.files import sweep
from selector.domain.progress import Progress, silent
from selector.domain.reading import TAGGED
from selector.store import schema
from selector.store.database import Database
from selector.store.score_files import (
    KEYS,
    REASON,
    ScoreFiles,
    counts_of,
    need_parquet,
    score_files,
    score_table,
    value_columns,
)
from selector.store.score_shards import Shard, shard_tables, shards, together

if TYPE_CHECKING:
    import pyarrow as pa

GATHERED = 100_000  # rows that make it worth to write files: 5,000 candidates with 20 scores
MOVED_AT_ONCE = 50_000  # rows in one transaction, for which other writers wait; but no task is split
SMALL, TOO_MANY = 65_536, 16  # rows of a file that is put together with others, once there are so many of a scorer's
_TASKS = 500  # in one question to the database
KEPT = timedelta(minutes=15)  # that a file stays which no row names: for whoever began to read before, or writes it


def move_if_many(connection: Connection, added: int) -> None:
    """Where scores are kept in columns: make files of the rows that wait, once they are many. Within a transaction."""
    files = score_files(connection)
    if not files.writing:
        return
    if files.rows is None:
        files.rows = connection.execute(select(func.count()).select_from(schema.score)).scalar_one()
    else:
        files.rows += added
    if files.rows >= GATHERED:
        _move(connection, files)
        files.rows = None


@dataclass(frozen=True)
class ScoresMoved:
    """Rows that were moved, and the files that the campaign has now."""

    moved: int
    files: int
    size_bytes: int


def move_scores(db: Database, progress: Progress = silent) -> ScoresMoved:
    """Make files of all rows that are there, a part in a transaction.

    A kill loses nothing, and the next call goes on.

    Raises:
        MissingPart: without pyarrow.
    """
    need_parquet()
    moved = 0
    with db.read() as connection:
        total = connection.execute(select(func.count()).select_from(schema.score)).scalar_one()
    while True:
        with db.write() as connection:
            rows = _move(connection, score_files(connection))
        if not rows:
            break
        moved += rows
        progress("move", moved, max(total, moved))
    sweep_scores(db)
    with db.read() as connection:
        sizes = connection.execute(select(schema.score_shard.c.size_bytes)).scalars().all()
    return ScoresMoved(moved, len(sizes), sum(sizes))


def sweep_scores(db: Database) -> int:
    """Remove files that no row names and nobody can need any more; returns how many. Not within a transaction.

    What killed processes were writing goes at once. A whole file is older than ``KEPT``, and so is the newest that is
    named beside it: that one may hold what this one held. Where no row names any, no whole one is looked for: most
    campaigns have none, and an address would be asked for a list.
    """
    with db.read() as connection:
        files = score_files(connection)
        removed = sweep(files.root, deep=True) if isinstance(files.root, Path) else 0
        if not shards(connection):
            return removed
    # Before the rows are asked: what is named by then, and was not there at this look, is not among them.
    there = files.sizes()
    with db.read() as connection:
        t = schema.score_shard.c
        rows = connection.execute(select(t.path, t.at)).all()
    named = {path for path, _ in rows}
    newest: dict[str, datetime] = {}
    for path, at in rows:
        folder, moment = path.rpartition("/")[0], datetime.fromisoformat(at)
        newest[folder] = max(moment, newest.get(folder, moment))
    before = datetime.now(timezone.utc) - KEPT
    for path in sorted(there.keys() - named):
        if newest.get(path.rpartition("/")[0], before) <= before and files.modified(path) <= before:
            files.remove(path)
            removed += 1
    return removed


def lost_files(connection: Connection, bring: bool = True) -> list[Shard]:
    """Those that rows name and that are not there, or are not whole.

    ``bring``: what lies where it lay before is put to where it belongs; else it counts as there, nothing is copied, and
    no address is asked.
    """
    found, t = shards(connection), schema.score_shard.c
    sizes = {row.path: row.size_bytes for row in connection.execute(select(t.path, t.size_bytes))}
    files = score_files(connection)

    def lost(there: Mapping[str, int]) -> list[Shard]:
        return [shard for shard in found if there.get(shard.path) != sizes[shard.path]]

    if not found or not (bring or isinstance(files.root, Path)):
        return []
    lacking = lost(files.sizes())
    if not bring:
        here = files.before.sizes() if lacking and files.before else {}
        return [shard for shard in lacking if here.get(shard.path) != sizes[shard.path]]
    return lost(files.sizes()) if sum(files.bring(shard.path) for shard in lacking) else lacking


@dataclass(frozen=True)
class ScoresForgotten:
    """Files whose rows went, the scores that were in them, and of which scorers."""

    files: int
    scores: int
    scorers: tuple[str, ...]


def forget_lost(db: Database) -> ScoresForgotten:
    """Take the rows of lost files out of the store, so that what they held is due again."""
    with db.read() as connection:
        lost = lost_files(connection)  # which may copy gigabytes: not while others wait to write
    with db.write() as connection:
        t = schema.score_shard.c
        for shard in lost:
            connection.execute(delete(schema.score_shard).where(t.id == shard.id))
    scores = sum(n for shard in lost for of in shard.counts.values() for by in of.values() for n in by.values())
    return ScoresForgotten(len(lost), scores, tuple(sorted({shard.scorer for shard in lost})))


def add_columns(
    connection: Connection,
    scorer: str,
    version: str,
    task_ids: Sequence[str],
    candidate_ids: Sequence[str],
    columns: Mapping[str, tuple[Any, Any]],
) -> None:
    """Store the scores of a scorer as a file at once, without the way over rows: for what comes in bulk.

    Args:
        connection: within ``Database.write``.
        scorer: its name.
        version: of its scores.
        task_ids, candidate_ids: (n,) of candidates that are in the store, none twice; sorted, a look at one task is
            fast.
        columns: name to (n,) values, NaN without one, and (n,) reasons, None where there is a value; or None for no
            reason at all, and then nothing is said of a candidate without a value.
    """
    need_parquet()
    table = score_table(task_ids, candidate_ids, version, columns)
    _add_table(connection, score_files(connection), scorer, version.partition(TAGGED)[0], table)


def _move(connection: Connection, files: ScoreFiles) -> int:
    """Make files of the rows of as many tasks as one transaction takes; returns how many rows that were."""
    task_ids, moved = _tasks_to_move(connection), 0
    if not task_ids:
        return 0
    s = schema.score.c
    rows: list[Any] = []
    for part in (task_ids[i : i + _TASKS] for i in range(0, len(task_ids), _TASKS)):
        rows += connection.execute(select(schema.score).where(s.task_id.in_(part))).all()
    rows.sort(
        key=lambda row: (row.scorer, row.version.partition(TAGGED)[0], row.task_id, row.candidate_id, row.version)
    )
    for (scorer, version), of in groupby(rows, key=lambda row: (row.scorer, row.version.partition(TAGGED)[0])):
        mine = list(of)
        _add_table(connection, files, scorer, version, _wide(mine))
        for part in (task_ids[i : i + _TASKS] for i in range(0, len(task_ids), _TASKS)):
            gone = s.task_id.in_(part), s.scorer == scorer, s.version.in_({row.version for row in mine})
            connection.execute(delete(schema.score).where(*gone))
        moved += len(mine)
    return moved


def _add_table(connection: Connection, files: ScoreFiles, scorer: str, version: str, table: pa.Table) -> None:
    """Make a file of what no file says yet, ``version`` without the tag of a reading."""
    _write(connection, files, scorer, version, _without_known(connection, scorer, version, table))
    _put_together(connection, files, scorer, version)


def _tasks_to_move(connection: Connection) -> list[str]:
    s = schema.score.c
    found, total = [], 0
    query = select(s.task_id, func.count()).group_by(s.task_id).order_by(s.task_id)
    for task_id, count in connection.execute(query):
        found.append(task_id)
        total += count
        if total >= MOVED_AT_ONCE:
            break
    return found


def _wide(rows: Sequence[Any]) -> pa.Table:
    """Rows of one scorer, sorted by candidate, as a table."""
    import numpy as np

    keys = [(row.task_id, row.candidate_id, row.version) for row in rows]
    firsts = [i for i, key in enumerate(keys) if i == 0 or key != keys[i - 1]]
    line_of = np.zeros(len(rows), dtype=np.intp)
    line_of[firsts[1:]] = 1
    line_of = np.cumsum(line_of)
    columns: dict[str, tuple[Any, Any]] = {}
    for name in sorted({row.column for row in rows}):
        columns[name] = np.full(len(firsts), np.nan), np.full(len(firsts), None, dtype=object)
    for line, row in zip(line_of.tolist(), rows, strict=True):
        values, reasons = columns[row.column]
        if row.value is None:
            reasons[line] = row.reason
        else:
            values[line] = row.value
    task_ids, candidate_ids, versions = zip(*(keys[i] for i in firsts), strict=True)
    return score_table(task_ids, candidate_ids, versions, columns)


def _without_known(connection: Connection, scorer: str, version: str, table: pa.Table) -> pa.Table:
    """The table without what files of the scorer say already: two processes may have measured the same."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    tasks = pc.unique(pc.cast(table["task_id"], pa.string())).to_pylist()
    mine = _joined_keys(table)
    for known in shard_tables(connection, scorer, version, value_columns(table), tasks):
        places = pc.index_in(mine, value_set=_joined_keys(known))
        hit = np.flatnonzero(places.is_valid().to_numpy(zero_copy_only=False))
        if not len(hit):
            continue
        at = known.take(places.drop_null())
        for name in value_columns(at):
            said = np.zeros(len(table), dtype=bool)
            said[hit] = at[name].is_valid().to_numpy() | at[f"{name}{REASON}"].is_valid().to_numpy()
            for one in (name, f"{name}{REASON}"):
                column = pc.if_else(pa.array(said), pa.scalar(None, table[one].type), table[one])
                table = table.set_column(table.column_names.index(one), one, column)
    says = np.zeros(len(table), dtype=bool)
    for name in table.column_names[len(KEYS) :]:
        says |= table[name].is_valid().to_numpy()
    return table if says.all() else table.filter(pa.array(says))


def _joined_keys(table: pa.Table) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    joined = pc.binary_join_element_wise(*(pc.cast(table[name], pa.string()) for name in KEYS), "\x1f")
    return joined.combine_chunks()


def _write(connection: Connection, files: ScoreFiles, scorer: str, version: str, table: pa.Table) -> None:
    if not len(table):
        return
    path, size = files.write(scorer, version, table)
    files.own.add(path)
    row = {"scorer": scorer, "version": version, "path": path, "rows": len(table), "size_bytes": size}
    at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    connection.execute(insert(schema.score_shard).values(**row, counts=counts_of(table), at=at))


def _put_together(connection: Connection, files: ScoreFiles, scorer: str, version: str) -> None:
    """Make one file of a scorer's small ones, where there are many. The old files go later."""
    small = [shard for shard in shards(connection, scorer, version) if shard.rows < SMALL]
    if len(small) < TOO_MANY:
        return
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = together([files.read(shard.path, shard.fields()) for shard in small])
    keys = pa.table({"task": whole["task_id"].cast(pa.string()), "candidate": whole["candidate_id"]})
    order = pc.sort_indices(keys, sort_keys=[("task", "ascending"), ("candidate", "ascending")])
    _write(connection, files, scorer, version, whole.take(order))
    t = schema.score_shard.c
    connection.execute(delete(schema.score_shard).where(t.id.in_([shard.id for shard in small])))
