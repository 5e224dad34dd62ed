"""The rows of ``score_shard``, and what the files that they name hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, func, select

from selector.domain.reading import TAGGED
from selector.store import schema
from selector.store.database import WRITING, Database
from selector.store.score_files import KEYS, REASON, Counts, MissingFile, score_files, value_columns

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 1 << 19  # rows that are given as one table
_LOOKS = 5  # for files that another process is putting together meanwhile


class Shard(NamedTuple):
    """A row of ``score_shard``."""

    id: int
    scorer: str
    version: str  # without the tag of a reading
    path: str
    rows: int
    counts: Counts

    def fields(self, wanted: Collection[str] | None = None) -> list[str]:
        """Names in the file: the keys, and of the scorer's columns those that are wanted, or all."""
        names = sorted({column for of in self.counts.values() for column in of})
        return [*KEYS, *(f"{c}{end}" for c in names if wanted is None or c in wanted for end in ("", REASON))]


def shards(connection: Connection, scorer: str | None = None, version: str | None = None) -> list[Shard]:
    """The files of scores, of a scorer and version if given, oldest first."""
    t = schema.score_shard.c
    query = select(t.id, t.scorer, t.version, t.path, t.rows, t.counts).order_by(t.id)
    if scorer is not None:
        query = query.where(t.scorer == scorer)
    if version is not None:
        query = query.where(t.version == version.partition(TAGGED)[0])
    return [Shard(*row) for row in connection.execute(query)]


def shard_tables(
    connection: Connection,
    scorer: str,
    version: str | None = None,
    columns: Collection[str] | None = None,
    task_ids: Sequence[str] | None = None,
    only: str | None = None,
    anew: Callable[[], None] | None = None,
) -> Iterator[pa.Table]:
    """Tables of a scorer's files, the oldest first, several in one up to a size.

    ``columns`` and ``task_ids``: those that are wanted, None for all. ``only``: files without this very version are
    left out.

    A file that is gone was put together with others by another process: what it held is in theirs, which are looked up
    anew, in a state of the store that is newer than that of ``connection``. What was given before may come again then;
    with ``anew``, which is told of it, all of it does.
    A writer's state is the newest, and the file is lost.

    Raises:
        MissingFile: a file is lost.
    """
    files, found = score_files(connection), shards(connection, scorer, version)
    given: set[str] = set()
    for look in range(_LOOKS):
        part: list[pa.Table] = []
        try:
            for shard in found:
                if shard.path in given or (only is not None and only not in shard.counts):
                    continue
                part.append(files.read(shard.path, shard.fields(columns), task_ids))
                given.add(shard.path)
                if sum(map(len, part)) >= _AT_ONCE:
                    yield together(part)
                    part = []
        except MissingFile as error:
            if look == _LOOKS - 1 or connection.get_execution_options().get(WRITING):
                raise _all_missing(connection, error) from error
            if anew is not None:
                given.clear()
                anew()
            elif part:
                yield together(part)
            with connection.engine.connect() as newer:
                found = shards(newer, scorer, version)
            continue
        if part:
            yield together(part)
        return


def _all_missing(connection: Connection, error: MissingFile) -> MissingFile:
    """The same of all files that are lost, where they are several: who puts one back need not run into the next."""
    files = score_files(connection)
    there = files.sizes() | (files.before.sizes() if files.before else {})
    lost = [shard.path for shard in shards(connection) if shard.path not in there]
    return MissingFile.of(files.root, lost) if len(lost) > 1 else error


def file_rows(scorer: str, table: pa.Table) -> list[dict[str, Any]]:
    """What a table of a scorer says, as rows of the table ``score``."""
    columns = [(name, table[name].to_pylist(), table[f"{name}{REASON}"].to_pylist()) for name in value_columns(table)]
    found: list[dict[str, Any]] = []
    for i, (task_id, candidate_id, version) in enumerate(zip(*(table[k].to_pylist() for k in KEYS), strict=True)):
        key = {"task_id": task_id, "candidate_id": candidate_id, "scorer": scorer, "version": version}
        for name, values, reasons in columns:
            if values[i] is not None or reasons[i] is not None:
                found.append({**key, "column": name, "value": values[i], "reason": reasons[i]})
    return found


def not_in_files(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those rows of the table ``score`` of which no file says anything."""
    kinds = {(row["scorer"], row["version"].partition(TAGGED)[0]) for row in rows}
    known = set()
    for scorer, version in kinds & {(shard.scorer, shard.version) for shard in shards(connection)}:
        mine = [row for row in rows if (row["scorer"], row["version"].partition(TAGGED)[0]) == (scorer, version)]
        tasks = sorted({row["task_id"] for row in mine})
        for table in shard_tables(connection, scorer, version, {row["column"] for row in mine}, tasks):
            known |= {_key(row) for row in file_rows(scorer, table)}
    return [row for row in rows if _key(row) not in known]


def note_files(db: Database) -> None:
    """Say that what is due is asked from now on: of files that others add later, ``without_news`` looks into each."""
    with db.read() as connection:
        newest = connection.execute(select(func.max(schema.score_shard.c.id))).scalar_one()
        score_files(connection).seen = newest or 0


def without_news(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Rows without those that another process has measured too and made files of, since ``note_files`` was called."""
    files, t = score_files(connection), schema.score_shard.c
    if files.seen is None:
        return rows
    new = set(connection.execute(select(t.path).where(t.id > files.seen)).scalars())
    return not_in_files(connection, rows) if new - files.own else rows


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["task_id"], row["candidate_id"], row["scorer"], row["version"], row["column"]


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """One table of several; a column that one lacks is null there."""
    import pyarrow as pa

    return pa.concat_tables(tables, promote_options="default").unify_dictionaries()
