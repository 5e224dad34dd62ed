"""Scores, wherever they are: as rows of the table ``score``, as files by column (``score_files``), or as both.

A score comes as a row, which is on the disk when its transaction ends. In a campaign that keeps its scores in columns
``move_scores`` makes files of the rows that have gathered: the file first, then in one transaction its row in
``score_shard`` and the end of the rows that it holds. All readers here unite the two. What two processes measured at
once is stored once; where it is there several times all the same, one counts, and the next move drops the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, exists, false, func, or_, select

from selector.domain import Score
from selector.store import schema
from selector.store._copying import can_copy, copy_missing
from selector.store.database import STREAMED, Database
from selector.store.moving_scores import move_if_many
from selector.store.readings import PresentVersions
from selector.store.score_files import REASON, counts_of, score_files, value_columns
from selector.store.score_shards import shard_tables, shards, without_news

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from selector.store.key_index import KeyIndex

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Ints = np.ndarray[Any, np.dtype[np.intp]]
    Codes = np.ndarray[Any, np.dtype[np.int32]]

ScoreColumn = tuple[str, str, str]  # scorer, version, column
Key = tuple[str, str]  # task id, candidate id
_KEYS_STREAMED = {"yield_per": 1_000}  # as ``STREAMED``, where a run begins, which is to be small as long as it lasts


def add_scores(db: Database, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add rows of the table ``score`` and return how many were not there; what has gathered may become files."""
    new = without_news(connection, rows)
    insert = copy_missing if can_copy(connection, new) else db.insert_missing
    added = insert(connection, schema.score, new)
    move_if_many(connection, added)
    return added


@contextmanager
def adding(db: Database) -> Iterator[Connection]:
    """``Database.write`` for ``add_scores``. What it wrote may be there although it fails, and its rows come again."""
    with db.read() as connection:
        files = score_files(connection)
    try:
        with db.write() as connection:
            yield connection
    except BaseException:
        files.own.clear()
        raise


def scored_candidates(
    connection: Connection, versions: Mapping[str, str], reading: Collection[str] = ()
) -> tuple[KeyIndex, Bools]:
    """All candidates, those of a task together, and (n, scorers) whether each scorer has scored it in its version.

    ``reading``: those whose scores rest on the task's reading, here and below.
    """
    import numpy as np

    from selector.store.key_index import KeyIndex

    c, s = schema.candidate.c, schema.score.c
    keys = connection.execute(select(c.task_id, c.id).order_by(c.task_id, c.id), execution_options=_KEYS_STREAMED)
    index = KeyIndex(([row[0] for row in rows], [row[1] for row in rows]) for rows in keys.partitions())
    present, scored = PresentVersions(connection, versions, reading), np.zeros((len(index), len(versions)), dtype=bool)
    is_any = _has_rows(connection)
    for j, name in enumerate(versions):
        if is_any:
            query = select(s.task_id, s.candidate_id).where(present.of(name)).distinct()
            for rows in connection.execute(query, execution_options=_KEYS_STREAMED).partitions():
                places = index.places(rows)
                scored[places[places >= 0], j] = True
        for table in _tables(connection, present, name, ()):
            places = index.places_in(table)
            scored[places[places >= 0], j] = True
    return index, scored


def wide_scores(
    connection: Connection,
    task_ids: Sequence[str],
    candidate_ids: Sequence[str],
    columns: Sequence[ScoreColumn | None],
    reading: Collection[str] = (),
    counted: Sequence[ScoreColumn] = (),
) -> tuple[Floats, Bools]:
    """All scores of ``n`` candidates as one table.

    Args:
        connection: to the store.
        task_ids, candidate_ids: (n,) of the candidates, in any order, none twice.
        columns: what is wanted; None leaves a column without a value.
        reading: scorers whose scores rest on the task's reading.
        counted: those of ``columns`` of which is asked whether there is any score.

    Returns:
        Values (n, columns), NaN where unscored; and (n, counted) whether there is a score, an unscored one included.
    """
    import numpy as np

    from selector.store.key_index import keys_of

    index = keys_of(task_ids, candidate_ids)
    # By column in memory: each is filled by itself.
    values = np.full((len(columns), len(task_ids)), np.nan).T
    there = np.zeros((len(columns), len(task_ids)), dtype=bool).T
    place = {column: j for j, column in enumerate(columns) if column is not None}
    present = PresentVersions(connection, {scorer: version for scorer, version, _ in place}, reading)
    if _has_rows(connection):
        _fill_from_rows(connection, present, place, counted, index, values, there)
    by_scorer: dict[str, dict[str, int]] = {}
    for (scorer, _, name), j in place.items():
        by_scorer.setdefault(scorer, {})[name] = j
    for scorer, wanted in by_scorer.items():
        for table in _tables(connection, present, scorer, wanted):
            _fill_from_table(table, index.places_in(table), wanted, values, there)
    return values, there[:, [place[column] for column in counted]]


def _fill_from_rows(
    connection: Connection,
    present: PresentVersions,
    place: Mapping[ScoreColumn, int],
    counted: Sequence[ScoreColumn],
    index: KeyIndex,
    values: Floats,
    there: Bools,
) -> None:
    """The database turns columns of scorers into columns of the result."""
    import numpy as np

    s = schema.score.c

    def is_of(column: ScoreColumn) -> Any:
        scorer, _, name = column
        return and_(s.column == name, present.of(scorer))

    # With FILTER, not CASE: an aggregate is then called for its own rows only, a quarter less at 22 columns.
    maxima = [func.max(s.value).filter(is_of(column)) for column in place]
    counts = [func.count().filter(is_of(column)) for column in counted]
    query = select(s.task_id, s.candidate_id, *maxima, *counts).group_by(s.task_id, s.candidate_id)
    of_values, of_counts = (np.array(of, dtype=np.intp) for of in (list(place.values()), [place[c] for c in counted]))
    for rows in connection.execute(query, execution_options=STREAMED).partitions():
        rows_at = index.places(row[:2] for row in rows)
        wide = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), len(place) + len(counted))
        wide, rows_at = wide[rows_at >= 0], rows_at[rows_at >= 0]
        values[np.ix_(rows_at, of_values)] = wide[:, : len(place)]
        there[np.ix_(rows_at, of_values)] = ~np.isnan(wide[:, : len(place)])
        there[np.ix_(rows_at, of_counts)] = wide[:, len(place) :] > 0


def _fill_from_table(table: pa.Table, places: Ints, wanted: Mapping[str, int], values: Floats, there: Bools) -> None:
    """Each cell by the first that says anything of it."""
    import numpy as np

    known = np.flatnonzero(places >= 0)[::-1]  # backwards: of two rows of one candidate the first is written last
    rows = places[known]
    for name in wanted.keys() & set(table.column_names):
        j = wanted[name]
        value = table[name].to_numpy()[known]
        says = ~np.isnan(value) | table[f"{name}{REASON}"].is_valid().to_numpy()[known]
        new = says & ~there[rows, j]
        values[rows[new], j] = value[new]
        there[rows[new], j] = True


def wide_reasons(
    connection: Connection,
    task_ids: Sequence[str],
    candidate_ids: Sequence[str],
    columns: Sequence[ScoreColumn],
    reading: Collection[str] = (),
) -> tuple[Codes, list[str]]:
    """Why scores are missing, as ``wide_scores`` gives values: (n, columns) places in the list of reasons, or -1."""
    import numpy as np

    from selector.store.key_index import keys_of

    index, place = keys_of(task_ids, candidate_ids), {column: j for j, column in enumerate(columns)}
    found = np.full((len(columns), len(task_ids)), -1, dtype=np.int32).T
    code: dict[str, int] = {}
    present = PresentVersions(connection, {scorer: version for scorer, version, _ in columns}, reading)
    s = schema.score.c

    def fill(column: int, places: Ints, told: Sequence[str]) -> None:
        codes = np.array([code.setdefault(reason, len(code)) for reason in told], dtype=np.int32)
        found[places[places >= 0], column] = codes[places >= 0]

    by_scorer: dict[str, list[str]] = {}
    for (scorer, _, name), j in place.items():
        by_scorer.setdefault(scorer, []).append(name)
        query = select(s.task_id, s.candidate_id, s.reason).where(s.column == name, s.reason.is_not(None))
        rows = connection.execute(query.where(present.of(scorer))).all()
        fill(j, index.places(rows), [row[2] for row in rows])
    column_of = {(scorer, name): j for (scorer, _, name), j in place.items()}
    for scorer, names in by_scorer.items():
        for table in _tables(connection, present, scorer, names):
            places = index.places_in(table)
            for name in value_columns(table):
                reasons = table[f"{name}{REASON}"]
                fill(column_of[scorer, name], places[reasons.is_valid().to_numpy()], reasons.drop_null().to_pylist())
    return found, list(code)


def zeros(connection: Connection, task_ids: Collection[str]) -> set[Key]:
    """(task id, candidate id) of those of these tasks with any score of 0, of whatever scorer and version."""
    if not task_ids:
        return set()
    s = schema.score.c
    query = select(s.task_id, s.candidate_id).where(s.task_id.in_(task_ids), s.value == 0.0).distinct()
    found = {(row[0], row[1]) for row in connection.execute(query)}
    for table in _all_tables(connection, sorted(task_ids)):
        found |= _keys_of_zeros(table, value_columns(table))
    return found


def refused_by(connection: Connection, gates: Sequence[ScoreColumn], reading: Collection[str] = ()) -> set[Key]:
    """(task id, candidate id) of those of which one of the gates is 0."""
    s = schema.score.c
    present = PresentVersions(connection, {scorer: version for scorer, version, _ in gates}, reading)
    is_of = or_(false(), *(and_(present.of(scorer), s.column == column) for scorer, _, column in gates))
    query = select(s.task_id, s.candidate_id).where(s.value == 0.0, is_of).distinct()
    found = {(row[0], row[1]) for row in connection.execute(query)}
    for scorer, _, column in gates:
        for table in _tables(connection, present, scorer, [column]):
            found |= _keys_of_zeros(table, value_columns(table))
    return found


def _keys_of_zeros(table: pa.Table, columns: Iterable[str]) -> set[Key]:
    import numpy as np

    is_zero = np.zeros(len(table), dtype=bool)
    for name in columns:
        is_zero |= table[name].to_numpy() == 0.0
    return set(_keys(table.filter(is_zero)))


def score_counts(connection: Connection) -> dict[tuple[str, str, str, str | None], int]:
    """(scorer, version, column, reason; None of a value) to how many scores there are."""
    s = schema.score.c
    of = (s.reason, s.scorer, s.version, s.column)
    rows = connection.execute(select(*of, func.count()).group_by(*of)).all()
    found = {(scorer, version, column, reason): count for reason, scorer, version, column, count in rows}
    for shard in shards(connection):
        for version, by_column in shard.counts.items():
            for column, by_reason in by_column.items():
                for reason, count in by_reason.items():
                    key = shard.scorer, version, column, reason or None
                    found[key] = found.get(key, 0) + count
    return found


def present_counts(
    connection: Connection, versions: Mapping[str, str], reading: Collection[str] = ()
) -> dict[tuple[str, str, str | None], int]:
    """(scorer, column, reason; None of a value) to how many scores of the present there are."""
    s = schema.score.c
    present = PresentVersions(connection, versions, reading)
    of = (s.scorer, s.column, s.reason)
    query = select(*of, func.count()).where(or_(false(), *map(present.of, versions))).group_by(*of)
    found: dict[tuple[str, str, str | None], int] = {
        (row[0], row[1], row[2]): row[3] for row in connection.execute(query)
    }
    for scorer, version in versions.items():
        only = present.only(scorer)
        for by_column in (
            _counts(connection, present, scorer)
            if only is None
            else (shard.counts.get(only, {}) for shard in shards(connection, scorer, version))
        ):
            for column, by_reason in by_column.items():
                for reason, count in by_reason.items():
                    key = scorer, column, reason or None
                    found[key] = found.get(key, 0) + count
    return found


def _counts(connection: Connection, present: PresentVersions, scorer: str) -> list[dict[str, dict[str, int]]]:
    """Of the files of a scorer whose present version is another for some tasks: these have to be read."""
    found: list[dict[str, dict[str, int]]] = []
    for table in _tables(connection, present, scorer, anew=found.clear):
        found += counts_of(table).values()
    return found


def unscored_reasons(
    connection: Connection, versions: Mapping[str, str], reading: Collection[str] = ()
) -> dict[tuple[str, str, str], str]:
    """(task id, candidate id, "scorer.column") to why there is no value, of the given scorer versions."""
    s = schema.score.c
    present = PresentVersions(connection, versions, reading)
    query = select(s.task_id, s.candidate_id, s.scorer, s.column, s.reason).where(s.reason.is_not(None))
    query = query.where(or_(false(), *(present.of(scorer) for scorer in versions)))
    found = {
        (task_id, candidate_id, f"{scorer}.{column}"): reason
        for task_id, candidate_id, scorer, column, reason in connection.execute(query)
    }
    for scorer in versions:
        for table in _tables(connection, present, scorer):
            for column in value_columns(table):
                part = table.filter(table[f"{column}{REASON}"].is_valid())
                for key, reason in zip(_keys(part), part[f"{column}{REASON}"].to_pylist(), strict=True):
                    found.setdefault((*key, f"{scorer}.{column}"), reason)
    return found


def scores_of(
    connection: Connection, versions: Mapping[str, str], task_id: str, reading: Collection[str] = ()
) -> dict[str, dict[str, Score]]:
    """Candidate id to {"scorer.column": Score} for one task, of the given scorer versions."""
    s = schema.score.c
    present = PresentVersions(connection, versions, reading)
    query = select(s.candidate_id, s.scorer, s.column, s.value, s.reason)
    query = query.where(s.task_id == task_id, or_(false(), *(present.of(scorer) for scorer in versions)))
    found: dict[str, dict[str, Score]] = {}
    for row in connection.execute(query.order_by(s.task_id, s.candidate_id)):
        key = f"{row.scorer}.{row.column}"
        found.setdefault(row.candidate_id, {})[key] = Score(value=row.value, reason=row.reason)
    for scorer in versions:
        for table in _tables(connection, present, scorer, task_ids=[task_id]):
            for candidate_id, column, value, reason in _cells(table):
                of = found.setdefault(candidate_id, {})
                of.setdefault(f"{scorer}.{column}", Score(value, reason))
    return dict(sorted(found.items()))


def stored_values(connection: Connection, scorer: str, version: str) -> dict[tuple[str, str, str], float]:
    """(task id, candidate id, column) to the value, of a scorer whose scores rest on no reading."""
    s = schema.score.c
    query = select(s.task_id, s.candidate_id, s.column, s.value)
    query = query.where(s.scorer == scorer, s.version == version, s.value.is_not(None))
    found = {(task, candidate, column): value for task, candidate, column, value in connection.execute(query)}
    for table in _tables(connection, PresentVersions(connection, {scorer: version}, ()), scorer):
        for column in value_columns(table):
            part = table.filter(table[column].is_valid())
            for key, value in zip(_keys(part), part[column].to_pylist(), strict=True):
                found.setdefault((*key, column), value)
    return found


def _keys(table: pa.Table) -> Iterator[Key]:
    return zip(table["task_id"].to_pylist(), table["candidate_id"].to_pylist(), strict=True)


def _cells(table: pa.Table) -> Iterator[tuple[str, str, float | None, str | None]]:
    """(candidate id, column, value, reason) of every score."""
    for column in value_columns(table):
        values, reasons = table[column].to_pylist(), table[f"{column}{REASON}"].to_pylist()
        for candidate_id, value, reason in zip(table["candidate_id"].to_pylist(), values, reasons, strict=True):
            if value is not None or reason is not None:
                yield candidate_id, column, value, reason


def _has_rows(connection: Connection) -> bool:
    return bool(connection.execute(select(exists().where(schema.score.c.task_id.is_not(None)))).scalar_one())


def _all_tables(connection: Connection, task_ids: Sequence[str]) -> Iterator[pa.Table]:
    """What is known of these tasks, of any version, file by file."""
    for scorer in sorted({shard.scorer for shard in shards(connection)}):
        yield from shard_tables(connection, scorer, None, None, task_ids)


def _tables(
    connection: Connection,
    present: PresentVersions,
    scorer: str,
    columns: Collection[str] | None = None,
    task_ids: Sequence[str] | None = None,
    anew: Callable[[], None] | None = None,
) -> Iterator[pa.Table]:
    """Rows of a scorer's files that are of the present, some files at once, the older first.

    ``columns``: those that are wanted, None for all; ``task_ids``: None for all tasks; ``anew``: see ``shard_tables``.
    """
    only = present.only(scorer)
    version = only if only is not None else present.for_tasks(scorer, [""])[0]
    for table in shard_tables(connection, scorer, version, columns, task_ids, only, anew):
        yield _of_present(table, present, scorer, only)


def _of_present(table: pa.Table, present: PresentVersions, scorer: str, only: str | None) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    if only is not None:
        return table.filter(pc.equal(table["version"], only))
    tasks = table["task_id"].unify_dictionaries().combine_chunks()
    of_tasks = pa.array(present.for_tasks(scorer, tasks.dictionary.to_pylist()), pa.string())
    return table.filter(pc.equal(pc.cast(table["version"], pa.string()), of_tasks.take(tasks.indices)))
