"""Tables as files: CSV, TSV, JSON records, JSON lines and, by the extra ``parquet``, Parquet."""

from __future__ import annotations

import codecs
import io
import json
import sys
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from selector.contest.table_rows import Record, csv_text, delimiter_of, read_records, unharmed
from selector.contest.table_text import text_of
from selector.domain import InputError, MissingPart
from selector.domain.files import write_atomically
from selector.domain.words import n_of

if TYPE_CHECKING:
    import pandas as pd

STDIN = Path("-")
LINES, PARQUET = (".jsonl", ".ndjson"), ".parquet"
WRITTEN = (".csv", ".tsv", ".json", *LINES, PARQUET)
UNSCORED = ["", "-", "na", "NA", "N/A", "n/a", "nan", "NaN", "NAN", "null", "NULL", "None", "none"]
_DECIMALS = 4  # of numbers in CSV: a thousandth of a point is far below what is known of it
_AT_ONCE = 5_000  # rows: what is written is held once, and not as cells beside it


def read_table(path: Path, what: str, names: Collection[str]) -> pd.DataFrame:
    """A table, by the suffix of its file; ``-`` is CSV on standard input.

    Args:
        path: the file; what is neither JSON nor Parquet is read as CSV, with tabs if its header has one.
        what: it is called in messages.
        names: columns that hold names: in CSV "007" and "NA" stay as they are there, elsewhere they are a number and
            *unscored*.

    Raises:
        InputError: unreadable, not UTF-8, no table, no rows, rows of unequal length, a column without a name or twice.
        MissingPart: Parquet without pyarrow.
    """
    if path.suffix == PARQUET:
        table = _read_parquet(path)
    elif path.suffix in (".json", *LINES):
        table = _read_json(path, text_of(_bytes(path, what), path, what))
    else:
        table = _read_csv(path, text_of(_bytes(path, what), path, what), names)
    if table.empty:
        raise InputError(f"{path} holds no row: a header and one row a candidate are expected")
    return table


def check_writable(path: Path) -> None:
    """Raise at once where ``write_table`` would after the work: an unknown suffix, Parquet without pyarrow."""
    if path.suffix not in WRITTEN:
        raise InputError(f"{path} has the suffix '{path.suffix}': a table is written as {', '.join(WRITTEN)}")
    if path.suffix == PARQUET:
        _check_parquet()


def write_table(path: Path, table: pd.DataFrame, exactly: bool = False) -> None:
    """Write a table by the suffix of ``path``, whole or not at all.

    ``exactly``: CSV has all digits of its numbers, and a mark by which spreadsheets know that it is UTF-8.

    Raises:
        InputError: the suffix is none of ``WRITTEN``, or the folder cannot be written.
    """
    check_writable(path)
    stream = io.BytesIO()
    if path.suffix == PARQUET:
        _plain_names(table).to_parquet(stream, engine="pyarrow", index=False)
    elif path.suffix in (".json", *LINES):
        _write_json(stream, table, path.suffix in LINES)
    else:
        stream.write(codecs.BOM_UTF8 if exactly else b"")
        separator = "\t" if path.suffix == ".tsv" else ","
        _write_csv(stream, table if exactly else table.round(_DECIMALS), separator)
    write_atomically(path, stream.getvalue())


def _write_csv(stream: IO[bytes], table: pd.DataFrame, separator: str) -> None:
    stream.write(csv_text([list(table.columns)], separator).encode())
    for part in _parts(table):
        stream.write(csv_text(part.to_numpy().tolist(), separator).encode())


def _write_json(stream: IO[bytes], table: pd.DataFrame, lines: bool) -> None:
    """Records, not by pandas: it writes "1\\/2", and numbers with ten digits."""
    stream.write(b"" if lines else b"[\n")
    between = ""
    for part in _parts(table):
        for record in part.to_dict("records"):
            stream.write(f"{between}{json.dumps(record, ensure_ascii=False)}".encode())
            between = "\n" if lines else ",\n"
    stream.write(b"\n" if lines else b"\n]\n")


def _parts(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows, some at once, as objects; None where there is none."""
    for start in range(0, len(table), _AT_ONCE):
        part = table.iloc[start : start + _AT_ONCE]
        yield part.astype(object).where(part.notna(), None)


def _bytes(path: Path, what: str) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder; give the file of the {what}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{what} {path} cannot be read ({reason}); give the path of a CSV, JSON or Parquet") from error


def _read_csv(path: Path, text: str, names: Collection[str]) -> pd.DataFrame:
    import pandas as pd

    delimiter, text = delimiter_of(text)
    header = _checked_shape(path, text, delimiter)
    # Numbers as JSON reads them, so that equal tables get equal picks; newer versions of pandas always do that.
    exactly = {"float_precision": "round_trip"} if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1) else {}
    table = pd.read_csv(
        io.StringIO(text, newline=""),
        sep=delimiter,
        header=0,
        names=header,
        index_col=False,
        dtype={name: str for name in header if name in names},
        keep_default_na=False,
        na_values={name: UNSCORED for name in header if name not in names},
        low_memory=False,  # else a column's type may change on its way
        **exactly,
    )
    return _unharmed(table)


def _checked_shape(path: Path, text: str, delimiter: str) -> list[str]:
    """The header of a CSV, once every row is known to be as long: pandas would fill a short one up in silence."""
    records = read_records(text, delimiter, path)
    header = [unharmed(cell.strip()) for cell in next(records, Record(1, [])).cells]
    if len(header) == 1 and ";" in header[0]:
        raise InputError(f"{path} is separated by semicolons: save it with commas or tabs, or put sep=; on top")
    _check_header(header, path)
    for row, record in enumerate(records, 1):
        if len(record.cells) != len(header):
            raise InputError(
                f"{path}: row {row} has {n_of(len(record.cells), 'cell')} where the header has {len(header)}: was the "
                "file cut, or is there a comma in a cell without quotes?"
            )
    return header


def _unharmed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its texts as they were before they were made harmless; numbers, and what is missing, stay."""
    import pandas as pd

    changed = table.copy()
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            cells = [unharmed(cell) if isinstance(cell, str) else cell for cell in table[name]]
            changed[name] = pd.Series(cells, index=table.index, dtype=table[name].dtype)
    return changed


def _check_header(header: list[str], path: Path) -> None:
    if not header:
        raise InputError(f"{path} is empty: a line with the names of the columns and one row a candidate are expected")
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{path} has two columns '{name}': rename one of them")
        if not name:
            raise InputError(f"{path} has a column without a name: the first line names all columns")


def _read_json(path: Path, text: str) -> pd.DataFrame:
    import pandas as pd

    records: Any
    if path.suffix in LINES:
        lines = enumerate(text.split("\n"), 1)
        records = [_parsed(line, f"{path}: line {number}") for number, line in lines if line.strip()]
    else:
        records = _parsed(text, str(path))
        if isinstance(records, dict):  # as `bestshot select --json` prints it
            records = records.get("picks")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise InputError(f'{path}: expected a list of records, as in [{{"task": "a", "candidate": "1", "judge": 7}}]')
    return pd.DataFrame(records)


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is no JSON ({error})") from error


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    _check_parquet()
    try:
        table = pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:  # ArrowInvalid is a ValueError
        raise InputError(f"{path} cannot be read as Parquet ({error})") from error
    return table if table.index.names == [None] else table.reset_index()


def _check_parquet() -> None:
    if find_spec("pyarrow") is None:
        raise MissingPart("Parquet needs pyarrow: pip install 'bestshot[parquet]', or give a CSV or JSON file")


def _plain_names(table: pd.DataFrame) -> pd.DataFrame:
    """The same, with columns that mix text and numbers as text: a column of Parquet has one type."""
    mixed = [name for name in table.columns if table[name].dtype == object]
    return table.assign(**{name: table[name].map(str, na_action="ignore") for name in mixed})
