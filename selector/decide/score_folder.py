"""A folder of Parquet tables: candidates, their scores by scorer, estimates and picks, for DuckDB and other tools.

Written in row groups, a part of the candidates at a time, so that what is held beside the pool does not grow with it.
The schema is in ``docs/scoring.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from selector.decide._beliefs import JUDGE_PREFIX
from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.domain import InputError, raise_shortage
from selector.domain.files import describe_write_error, make_folder, replacing
from selector.domain.progress import Progress, silent
from selector.store.picks import newest_picks
from selector.store.readings import PresentVersions
from selector.store.score_files import REASON, need_parquet
from selector.store.scores import ScoreColumn, wide_reasons

if TYPE_CHECKING:
    import pyarrow as pa

    from selector.learn.pool import Ints

_ROWS = 65_536  # in a row group
_JUDGES = "judges.parquet"


@dataclass(frozen=True)
class FolderWritten:
    """What lies below ``path``: ``files`` with ``size_bytes`` in all, of ``candidates`` of ``tasks``."""

    path: Path
    files: int
    size_bytes: int
    candidates: int
    tasks: int


def write_score_folder(
    context: Context, folder: Path, task_ids: Collection[str], progress: Progress = silent
) -> FolderWritten:
    """Write the tables; each file is whole or not there, and files of scorers that are gone are removed.

    Raises:
        InputError: there is no candidate yet, or the folder cannot be written. MissingPart: without pyarrow.
    """
    need_parquet()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder, or a file with the suffix of a table")
    known = context.need_candidates()
    wanted = set(task_ids)
    rows = np.flatnonzero([task_id in wanted for task_id in known.pool.task_ids])
    by_scorer = _columns_of(context, known)
    written: list[Path] = []
    for name, parts in _tables(context, known, rows, by_scorer):
        written.append(_write(folder / name, parts))
        progress("write", len(written), max(len(by_scorer) + 3, len(written)), name)
    for old in [*folder.glob("scores/scorer=*/part-*.parquet"), folder / _JUDGES]:
        if old not in written:
            old.unlink(missing_ok=True)
    sizes = [path.stat().st_size for path in written]
    tasks = len({known.pool.task_ids[i] for i in rows.tolist()})
    return FolderWritten(folder, len(written), sum(sizes), len(rows), tasks)


def _columns_of(context: Context, known: Knowledge) -> dict[str, list[str]]:
    """Scorer to its columns in the pool."""
    there = set(known.pool.columns)
    found = {
        name: [column.name for column in scorer.columns if f"{name}.{column.name}" in there]
        for name, scorer in context.scorers.items()
    }
    return {name: columns for name, columns in sorted(found.items()) if columns}


def _tables(
    context: Context, known: Knowledge, rows: Ints, by_scorer: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, Iterator[pa.Table]]]:
    """Name of each file, and its parts."""
    pool, estimates = known.pool, known.estimates
    yield (
        "candidates.parquet",
        _parts(
            known,
            rows,
            {
                "type": pool.task_types,
                "generator": pool.generators,
                "variant": pool.variants,
                "style": pool.styles,
                "finish": pool.finishes,
                "origin": pool.origins,
                "eligible": pool.eligible,
                "excluded": pool.excluded,
                "pinned": pool.pinned,
            },
        ),
    )
    numbers = ("overall", "overall_sd", "sc", "sc_sd", "pq", "pq_sd", "merit")
    measured = {"sc_measured": estimates.sc_informed, "pq_measured": estimates.pq_informed}
    yield "estimates.parquet", _parts(known, rows, {name: getattr(estimates, name) for name in numbers} | measured)
    yield "picks.parquet", _picks(context, {pool.task_ids[i] for i in rows.tolist()})
    for scorer, columns in by_scorer.items():
        yield f"scores/scorer={quote(scorer, safe='')}/part-0.parquet", _scores(context, known, rows, scorer, columns)
    judged = {name: pool.values[:, j] for j, name in enumerate(pool.columns) if name.startswith(JUDGE_PREFIX)}
    if judged:
        yield _JUDGES, _parts(known, rows, judged)


def _parts(known: Knowledge, rows: Ints, columns: Mapping[str, Any]) -> Iterator[pa.Table]:
    import pyarrow as pa

    for part in _chunks(rows):
        made = _keys(known, part)
        for name, values in columns.items():
            if isinstance(values, np.ndarray):
                made[name] = pa.array(values[part], from_pandas=True)
            else:
                made[name] = _texts([values[i] for i in part.tolist()])
        yield pa.table(made)


def _scores(context: Context, known: Knowledge, rows: Ints, scorer: str, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Rows of the candidates of which the scorer says anything."""
    import pyarrow as pa

    pool, version = known.pool, context.versions[scorer]
    task_ids, candidate_ids = ([of[i] for i in rows.tolist()] for of in (pool.task_ids, pool.candidate_ids))
    asked: list[ScoreColumn] = [(scorer, version, column) for column in columns]
    with context.ws.db.read() as connection:
        codes, reasons = wide_reasons(connection, task_ids, candidate_ids, asked, context.reading)
        present = PresentVersions(connection, {scorer: version}, context.reading)
    told = pa.array(reasons, pa.string())
    places = [pool.columns.index(f"{scorer}.{column}") for column in columns]
    for part in _chunks(np.arange(len(rows))):
        values, why = pool.values[rows[part]][:, places], codes[part]
        why = np.where(np.isnan(values), why, -1)
        says = (~np.isnan(values) | (why >= 0)).any(axis=1)
        values, why, part = values[says], why[says], part[says]
        made = _keys(known, rows[part])
        made["version"] = _texts(present.for_tasks(scorer, [task_ids[i] for i in part.tolist()]))
        for j, column in enumerate(columns):
            made[column] = pa.array(values[:, j], from_pandas=True)
            indices = pa.array(why[:, j], mask=why[:, j] < 0)
            made[f"{column}{REASON}"] = pa.DictionaryArray.from_arrays(indices, told)
        yield pa.table(made)


def _picks(context: Context, task_ids: Collection[str]) -> Iterator[pa.Table]:
    """The newest set; a task whose pick is a last resort's has no candidate here."""
    import pyarrow as pa

    with context.ws.db.read() as connection:
        newest = newest_picks(connection)
    picks = [pick for pick in newest[1] if pick.task_id in task_ids] if newest else []
    yield pa.table(
        {
            "task_id": _texts([pick.task_id for pick in picks]),
            "candidate_id": pa.array([pick.candidate_id for pick in picks], pa.string()),
            "fallback": pa.array([pick.fallback for pick in picks], pa.bool_()),
            "reason": _texts([pick.reason for pick in picks]),
        }
    )


def _keys(known: Knowledge, rows: Ints) -> dict[str, Any]:
    import pyarrow as pa

    at = rows.tolist()
    return {
        "task_id": _texts([known.pool.task_ids[i] for i in at]),
        "candidate_id": pa.array([known.pool.candidate_ids[i] for i in at], pa.string()),
    }


def _texts(values: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string()).dictionary_encode()


def _chunks(rows: Ints) -> Iterator[Ints]:
    return (rows[start : start + _ROWS] for start in range(0, max(len(rows), 1), _ROWS))


def _write(path: Path, parts: Iterator[pa.Table]) -> Path:
    """Write a file in row groups: all parts have the first one's schema."""
    import pyarrow.parquet as pq

    try:
        make_folder(path.parent)
        with replacing(path, durable=False) as stream, ExitStack() as stack:
            writer = None
            for part in parts:
                if writer is None:
                    writer = stack.enter_context(pq.ParquetWriter(stream, part.schema, compression="zstd"))
                writer.write_table(part)
    except OSError as error:
        raise_shortage(error)
        raise InputError(describe_write_error(path, error)) from error
    return path
