"""The rows of ``score_shard``, and what the files that they name hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select

from selector.domain.reading import TAGGED
from selector.store import schema
from selector.store.score_files import KEYS, REASON, Counts, MissingFile, score_files

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
        except MissingFile:
            if look == _LOOKS - 1:
                raise
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


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """One table of several; a column that one lacks is null there."""
    import pyarrow as pa

    return pa.concat_tables(tables, promote_options="default").unify_dictionaries()
