"""Files of scores by column ("shards"): Parquet below ``scores/SCORER/VERSION/``, and how one is written and read.

The schema, of every file: ``task_id``, ``candidate_id`` and ``version`` (of the scores, with the tag of a reading where
they rest on one), then for each column of the scorer ``NAME`` (float64, null without a value) and ``NAME__reason``
(why there is none, null where there is a value). Both are null where nothing was said of a candidate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import Connection

from selector.domain import InputError, MissingPart, raise_shortage
from selector.domain.files import write_atomically
from selector.domain.words import some_of

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from selector.store.database import Database

OPTION = "bestshot_scores"  # of an engine: where its connections find the files
KEYS = ("task_id", "candidate_id", "version")
REASON = "__reason"
_GROUP_ROWS = 16_384  # in a row group: what a look at one task reads
Counts = dict[str, dict[str, dict[str, int]]]  # version to column to {reason: candidates}, "" for those with a value


class MissingFile(InputError):
    """A file that a row names is not there, or several."""

    @classmethod
    def of(cls, root: Path | str, paths: Sequence[str]) -> MissingFile:
        """Those below the place of a campaign's scores, all that are lost."""
        which = f"{root}/{paths[0]}" if len(paths) == 1 else f"{len(paths)} files of {root} ({some_of(paths, 3)})"
        return cls(
            f"the scores in {which} are not here: put back what you have, or run `bestshot scores --forget-lost` and "
            "measure them again; machines that share a database need `images` in [store] to be a place that all of "
            "them see"
        )


@dataclass
class ScoreFiles:
    """The place of a campaign's files of scores: a folder, or an address that fsspec knows.

    Args:
        root: the folder, or the address.
        writing: whether scores go into such files; those that are there are read either way.
        before: where files lay before the campaign got this place; what is missing here is read there.
    """

    root: Path | str
    writing: bool = False
    before: ScoreFiles | None = None
    rows: int | None = field(default=None, compare=False)  # about how many wait in the table ``score``; None: unknown
    seen: int | None = field(default=None, compare=False)  # the newest file when ``note_files`` was called
    own: set[str] = field(default_factory=set, compare=False)  # paths of what was written and stored from here
    brought: set[str] = field(default_factory=set, compare=False)  # of what was put here from where it lay before

    def write(self, scorer: str, version: str, table: pa.Table) -> tuple[str, int]:
        """Write a file that is on the disk when this returns: its path below the root, and its bytes."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = f"{folder_of(scorer, version)}/part-{uuid4().hex}.parquet"
        out = pa.BufferOutputStream()
        texts = [f.name for f in table.schema if pa.types.is_dictionary(f.type)]
        pq.write_table(table, out, row_group_size=_GROUP_ROWS, compression="zstd", use_dictionary=texts)
        data = out.getvalue()
        self._put(path, data)
        return path, data.size

    def bring(self, path: str) -> bool:
        """Put a file to the root from where it lay before; returns whether it was there."""
        try:
            with _plain(self.root, path):
                data = self.before._bytes(path) if self.before else None
        except MissingFile:
            return False
        if data is not None:
            self._put(path, data)
            self.brought.add(path)
        return data is not None

    def _put(self, path: str, data: pa.Buffer | bytes) -> None:
        if isinstance(self.root, Path):
            write_atomically(self.root / path, data)
        else:
            with _plain(self.root, path):
                self._fs.pipe_file(self._at(path), bytes(data))

    def _bytes(self, path: str) -> bytes:
        found: bytes = (
            (self.root / path).read_bytes() if isinstance(self.root, Path) else self._fs.cat_file(self._at(path))
        )
        return found

    def read(self, path: str, columns: Sequence[str], task_ids: Sequence[str] | None = None) -> pa.Table:
        """Columns of a file, of these tasks or of all.

        Raises:
            MissingFile: there is no such file.
        """
        try:
            with _plain(self.root, path):
                return _checked(self._table(path, columns, task_ids))
        except MissingFile:
            if self.before is None:
                raise
        return self.before.read(path, columns, task_ids)

    def _table(self, path: str, columns: Sequence[str], task_ids: Sequence[str] | None) -> pa.Table:
        """Not by pyarrow's scanner of data sets, which waits for ever for some damaged files."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        read = list(columns) if task_ids is None else list(dict.fromkeys([*columns, "task_id"]))
        is_far = self._fs is not None  # many small reads of an object store take long
        with pq.ParquetFile(self._at(path), filesystem=self._fs, pre_buffer=is_far) as file:
            there = file.schema_arrow.names
            for name in read:
                if there.count(name) != 1:
                    raise ValueError(f"it has the column {name} {there.count(name)} times")
            if task_ids is None:
                return file.read(read).select(columns)
            # What a row group says of itself would tell the same, and ends the process where it is damaged.
            wanted = pa.array(task_ids, pa.string())
            tasks = _checked(file.read(["task_id"]))["task_id"]
            asked = pc.is_in(tasks.cast("string"), wanted)
            table = file.read_row_groups(_groups_of(file, asked), read)
        return table.filter(pc.is_in(table["task_id"].cast("string"), wanted)).select(columns)

    def sizes(self) -> dict[str, int]:
        """Paths below the root of all files that are there, some hundreds, to their bytes."""
        if isinstance(self.root, Path):
            sizes = {}
            for path in self.root.glob("*/*/part-*.parquet"):
                with suppress(FileNotFoundError):  # another process is tidying
                    sizes[path.relative_to(self.root).as_posix()] = path.stat().st_size
            return sizes
        with _plain(self.root):
            start = self._at("")
            self._fs.invalidate_cache()  # others write there too
            return {name.removeprefix(start): info["size"] for name, info in self._fs.find(start, detail=True).items()}

    def modified(self, path: str) -> datetime:
        """When a file was written; now, of one that is gone."""
        try:
            if isinstance(self.root, Path):
                return datetime.fromtimestamp((self.root / path).stat().st_mtime, timezone.utc)
            moment: datetime = self._fs.modified(self._at(path))
            return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        except FileNotFoundError:
            return datetime.now(timezone.utc)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        try:
            if isinstance(self.root, Path):
                (self.root / path).unlink()
            else:
                self._fs.rm_file(self._at(path))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise_shortage(error)

    def _at(self, path: str) -> str:
        if isinstance(self.root, Path):
            return str(self.root / path)
        return f"{self._fs._strip_protocol(self.root).rstrip('/')}/{path}"

    @cached_property
    def _fs(self) -> Any:
        """None for a folder."""
        if isinstance(self.root, Path):
            return None
        import fsspec

        try:
            return fsspec.core.url_to_fs(self.root)[0]
        except ImportError as error:
            raise MissingPart(f"scores at an address need {error.name}: pip install 'bestshot[s3]'") from error


def _groups_of(file: pq.ParquetFile, is_asked: Any) -> list[int]:
    """The row groups with rows that are asked for; ``is_asked``: (rows,) of the file."""
    import numpy as np

    facts = file.metadata
    ends = np.cumsum([facts.row_group(group).num_rows for group in range(facts.num_row_groups)])
    found: list[int] = np.unique(np.searchsorted(ends, np.flatnonzero(is_asked), side="right")).tolist()
    return found


def folder_of(scorer: str, version: str) -> str:
    """The folder below the root of a scorer's files: names that do on every disk, and stay inside."""
    # With "~" for "%", which object stores and web addresses would read as theirs.
    parts = (quote(name, safe="").replace("~", "%7E").replace("%", "~") for name in (scorer, version))
    return "/".join(f"~2E{part[1:]}" if part.startswith(".") else part for part in parts)


def keep_scores_in(db: Database, files: ScoreFiles) -> None:
    """Tell a database where its files of scores are."""
    for engine in ("engine", "_reads", "_writes"):
        setattr(db, engine, getattr(db, engine).execution_options(**{OPTION: files}))


def score_files(connection: Connection) -> ScoreFiles:
    """Where the files of scores are: as ``keep_scores_in`` said, else beside a SQLite file."""
    found = connection.get_execution_options().get(OPTION)
    if isinstance(found, ScoreFiles):
        return found
    file = connection.engine.url.database if connection.dialect.name == "sqlite" else None
    return ScoreFiles(Path(file or ".").parent / "scores")


def need_parquet() -> None:
    """Raise ``MissingPart`` without pyarrow."""
    if find_spec("pyarrow") is None:
        raise MissingPart("scores in columns are Parquet and need pyarrow: pip install 'bestshot[parquet]'")


def counts_of(table: pa.Table) -> Counts:
    """What is in a file, for its row in the store."""
    import pyarrow.compute as pc

    found: Counts = {}
    versions = table["version"].cast("string")
    for version in pc.unique(versions).to_pylist():
        part = table.filter(pc.equal(versions, version))
        found[version] = {}
        for name in value_columns(table):
            counts = {"": len(part) - part[name].null_count}
            reasons = part[f"{name}{REASON}"].drop_null().cast("string")
            if len(reasons):
                told = pc.value_counts(reasons).to_pylist()
                counts |= {one["values"]: one["counts"] for one in sorted(told, key=lambda one: str(one["values"]))}
            found[version][name] = {reason: n for reason, n in counts.items() if n}
    return found


def _checked(table: pa.Table) -> pa.Table:
    """The table; raises ``ValueError`` where a column is of another kind than in the files that are written here."""
    import pyarrow as pa

    for one in table.schema:
        kind = one.type.value_type if pa.types.is_dictionary(one.type) else one.type
        is_text = one.name in KEYS or one.name.endswith(REASON)
        if not (pa.types.is_string(kind) if is_text else pa.types.is_float64(kind)):
            raise ValueError(f"its column {one.name[:60]} is of the kind {kind}")
    table.validate(full=True)
    for name in KEYS:
        if name in table.column_names and table[name].null_count:
            raise ValueError(f"its column {name} has rows without a value")
        if name in ("task_id", "version") and name in table.column_names:  # as other programs may write it
            table = table.set_column(table.column_names.index(name), name, table[name].dictionary_encode())
    return table


def value_columns(table: pa.Table) -> list[str]:
    """Names of the scorer's columns."""
    reasons = {name for name in table.column_names if name.endswith(REASON)}
    return [name for name in table.column_names if f"{name}{REASON}" in reasons]


def score_table(
    task_ids: Sequence[str],
    candidate_ids: Sequence[str],
    versions: str | Sequence[str],
    columns: Mapping[str, tuple[Any, Any]],
) -> pa.Table:
    """A table in the schema of the files.

    Args:
        task_ids, candidate_ids: (n,) of the rows, whose order stays.
        versions: one of all, or (n,).
        columns: name to (n,) values, NaN without one, and (n,) reasons or None for no reason at all.
    """
    import pyarrow as pa

    n = len(task_ids)
    made = {
        "task_id": _texts(task_ids),
        "candidate_id": pa.array(candidate_ids, pa.string()),
        "version": _texts([versions] * n if isinstance(versions, str) else versions),
    }
    for name, (values, reasons) in columns.items():
        if f"{name}{REASON}" in columns:
            raise InputError(f"a score's column cannot be called '{name}{REASON}' beside '{name}': rename one")
        made[name] = pa.array(values, pa.float64(), from_pandas=True)
        made[f"{name}{REASON}"] = _texts([None] * n if reasons is None else reasons)
    return pa.table(made)


def _texts(values: Any) -> pa.Array:
    import pyarrow as pa

    if isinstance(values, (pa.DictionaryArray, pa.ChunkedArray)):
        return values
    return pa.array(values, pa.string()).dictionary_encode()


class _plain:
    """Errors of the disk or the object store in one line."""

    def __init__(self, root: Path | str, path: str = "") -> None:
        self._root, self._path = root, path

    def __enter__(self) -> None:
        need_parquet()

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise MissingFile.of(self._root, [self._path]) from error
        import pyarrow as pa

        if isinstance(error, (OSError, ValueError, pa.ArrowException)) and not isinstance(error, InputError):
            raise_shortage(error)
            place = f"{self._root}/{self._path}".rstrip("/")
            of_disk = isinstance(error, OSError) and (error.errno is not None or not isinstance(self._root, Path))
            if not of_disk:  # a damaged schema may also ask for what pyarrow does not know
                raise InputError(
                    f"the scores in {place} are damaged ({error}): put the file back, or run `bestshot scores "
                    "--forget-lost` and measure them again"
                ) from error
            raise InputError(f"the scores in {place} cannot be read or written ({error})") from error
