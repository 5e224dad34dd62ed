"""Tables as files: CSV, TSV, JSON records, JSON lines and, by the extra ``parquet``, Parquet."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from selector.contest.table_numbers import are_decimal_commas, takes_decimal_commas, with_point
from selector.contest.table_rows import Record, csv_text, delimiter_of, read_records, unharmed
from selector.contest.table_text import text_of
from selector.domain import InputError, MissingPart, raise_shortage
from selector.domain.files import write_atomically
from selector.domain.json_text import parse_json
from selector.domain.visible import escaped_json
from selector.domain.words import n_of, size_words

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

STDIN = Path("-")
LINES, PARQUET = (".jsonl", ".ndjson"), ".parquet"
WRITTEN = (".csv", ".tsv", ".json", *LINES, PARQUET)
UNSCORED = ["", "-", "na", "NA", "N/A", "n/a", "nan", "NaN", "NAN", "null", "NULL", "None", "none"]
MAX_TEXT_BYTES = 1_000_000_000  # of CSV and JSON: a million candidates with 20 scores have some 400 MB
MAX_CELLS = 100_000_000  # that million has 22; records without a cell would take 25 times the bytes of their text
MAX_PARQUET_CELLS = 10 * MAX_CELLS
_BLOCK_BYTES = 1 << 20
_HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)  # of a surrogate pair, or both
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
        InputError: unreadable, too large, not UTF-8, no table, no rows, rows of unequal length, a column without a
            name or twice.
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

    ``exactly``: CSV has all digits of its numbers, and a mark by which spreadsheets know that it is UTF-8; names are
    as people may see them. Else names are kept, for it is read back by them.

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
        _write_csv(stream, table if exactly else table.round(_DECIMALS), separator, keeps_names=not exactly)
    write_atomically(path, stream.getvalue())


def _write_csv(stream: IO[bytes], table: pd.DataFrame, separator: str, keeps_names: bool) -> None:
    stream.write(csv_text([list(table.columns)], separator, exactly=keeps_names).encode())
    for part in _parts(table):
        stream.write(csv_text(part.to_numpy().tolist(), separator, exactly=keeps_names).encode())


def _write_json(stream: IO[bytes], table: pd.DataFrame, lines: bool) -> None:
    """Records, not by pandas: it writes "1\\/2", and numbers with ten digits."""
    stream.write(b"" if lines else b"[\n")
    between = ""
    for part in _parts(table):
        for record in part.to_dict("records"):
            stream.write(f"{between}{escaped_json(json.dumps(record, ensure_ascii=False))}".encode())
            between = "\n" if lines else ",\n"
    stream.write(b"\n" if lines else b"\n]\n")


def _parts(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows, some at once, as objects; None where there is none."""
    for start in range(0, len(table), _AT_ONCE):
        part = table.iloc[start : start + _AT_ONCE]
        yield part.astype(object).where(part.notna(), None)


def _bytes(path: Path, what: str) -> bytes:
    try:
        if path == STDIN:
            found = _bounded(sys.stdin.buffer)
        else:
            with path.open("rb") as stream:
                found = None if os.fstat(stream.fileno()).st_size > MAX_TEXT_BYTES else _bounded(stream)
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder; give the file of the {what}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{what} {path} cannot be read ({reason}); give the path of a CSV, JSON or Parquet") from error
    if found is None:
        raise _too_large(path, size_words(MAX_TEXT_BYTES))
    return found


def _bounded(stream: IO[bytes]) -> bytes | None:
    """All of a stream, None where that is too much: a device may have no end. In blocks: a small file takes little."""
    read = io.BytesIO()
    while block := stream.read(min(_BLOCK_BYTES, MAX_TEXT_BYTES + 1 - read.tell())):
        read.write(block)
    return read.getvalue() if read.tell() <= MAX_TEXT_BYTES else None


def _check_cells(path: Path, text: str, marks: Iterable[str]) -> None:
    """Refuse what would take far more memory than its text; beside each cell stands one of ``marks``."""
    if sum(text.count(mark) for mark in marks) > MAX_CELLS:
        raise _too_large(path, f"{MAX_CELLS // 1_000_000} million cells")


def _too_large(path: Path, most: str) -> InputError:
    return InputError(f"{path} has more than {most}, too much for CSV or JSON: give Parquet, or split the table")


def _read_csv(path: Path, text: str, names: Collection[str]) -> pd.DataFrame:
    import pandas as pd

    delimiter, text = delimiter_of(text)
    _check_cells(path, text, (delimiter, "\n", "\r"))
    text = _without_empty_end(text, delimiter)
    header = _checked_shape(path, text, delimiter)
    # Numbers as JSON reads them, so that equal tables get equal picks; newer versions of pandas always do that.
    exactly = {"float_precision": "round_trip"} if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1) else {}
    try:
        table = pd.read_csv(
            io.BytesIO(text.encode()),  # StringIO would take four bytes a letter
            encoding="utf-8",
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
    except pd.errors.ParserError as error:  # it counts a row of empty cells, where we do not
        raise InputError(f"{path} is no table with the same cells in each row ({str(error).strip()})") from error
    return _with_points(_unharmed(table), names) if takes_decimal_commas(delimiter) else _unharmed(table)


def _with_points(table: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    """The table with columns of numbers like ``0,31`` as numbers; one that has points as well stays as it is."""
    import pandas as pd

    for name in table.columns:
        if name in names or pd.api.types.is_numeric_dtype(table[name]):
            continue
        if are_decimal_commas(cell for cell in table[name] if isinstance(cell, str)):
            table[name] = [float(with_point(cell)) if isinstance(cell, str) else float("nan") for cell in table[name]]
    return table


def _without_empty_end(text: str, delimiter: str) -> str:
    """Without the last rows if their cells are empty, which spreadsheets leave where something was deleted."""
    end = len(text)
    while (start := text.rfind("\n", 0, end)) >= 0 and not text[start + 1 : end].strip(f"{delimiter} \t\r"):
        end = start
    return text[:end]


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
    if "" in header:
        raise InputError(f"{path} has a column without a name: the first line names all columns")
    for name, count in Counter(header).items():
        if count > 1:
            raise InputError(f"{path} has two columns '{name}': rename one of them")


def _read_json(path: Path, text: str) -> pd.DataFrame:
    import pandas as pd

    _check_cells(path, text, ",{[\n")
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
        found = parse_json(text)
        if _HALF.search(text):
            json.dumps(found, ensure_ascii=False).encode()  # half of a letter has no bytes
        return found
    except ValueError as error:
        raise InputError(f"{place} is no JSON ({error})") from error


def _read_parquet(path: Path) -> pd.DataFrame:
    _check_parquet()
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            cells = file.metadata.num_rows * file.metadata.num_columns
            table = _frame(file.read()) if cells <= MAX_PARQUET_CELLS else None
    except Exception as error:  # a damaged file has pyarrow and pandas raise of every kind
        raise_shortage(error)
        raise InputError(f"{path} cannot be read as Parquet ({error})") from error
    if table is None:  # equal cells are packed: a few bytes can be billions of rows
        raise InputError(f"{path} has {cells:,} cells, at most {MAX_PARQUET_CELLS:,} are read: split the table")
    return table if table.index.names == [None] else table.reset_index()


def _frame(table: pa.Table) -> pd.DataFrame:
    """Raises for text that is none: pandas would, where it is looked at."""
    table.validate(full=True)
    return table.to_pandas()


def _check_parquet() -> None:
    if find_spec("pyarrow") is None:
        raise MissingPart("Parquet needs pyarrow: pip install 'bestshot[parquet]', or give a CSV or JSON file")


def _plain_names(table: pd.DataFrame) -> pd.DataFrame:
    """The same, with columns that mix text and numbers as text: a column of Parquet has one type."""
    mixed = [name for name in table.columns if table[name].dtype == object]
    return table.assign(**{name: table[name].map(str, na_action="ignore") for name in mixed})
