"""Text of a CSV or TSV to records and back: Excel's first line ``sep=;``, and cells that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from selector.contest.table_text import read_table_text
from selector.domain import InputError
from selector.domain.visible import visible
from selector.domain.words import did_you_mean

# Excel reads it and shows no such row. A program that pads rows may have added delimiters, or quotes around it.
_SEP_LINE = re.compile(r'"?sep=([^\w\r\n"])"?[,;\t ]*(?=\r|\n|\Z)', re.IGNORECASE)
# What a spreadsheet takes for the start of a formula (OWASP, "CSV Injection"), after the quotes that we put before it.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def harmless(cell: str) -> str:
    """The cell as we write it: with a ``'`` before what a spreadsheet would run as a formula. Numbers stay numbers."""
    return "'" + cell if _is_formula(cell) else cell


def unharmed(cell: str) -> str:
    """The cell as it was before ``harmless``: ``unharmed(harmless(cell)) == cell`` for every text."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(cell: str) -> bool:
    return bool(_FORMULA.match(cell)) and not _NUMBER.fullmatch(cell.lstrip("'"))


@dataclass(frozen=True)
class Record:
    """One record that is not empty. ``line``: 1-based, of the file, on which it begins; ``cells``: as written."""

    line: int
    cells: list[str]


def split_sep_line(text: str) -> tuple[str | None, str]:
    """The delimiter that a first line ``sep=;`` names, None without one, and the text with that line emptied."""
    found = _SEP_LINE.match(text)
    return (found[1], text[found.end() :]) if found else (None, text)


def delimiter_of(text: str) -> tuple[str, str]:
    """The delimiter, and the text without its ``sep=`` line: what that says, else a tab if the header has one, else a
    comma."""
    said, rest = split_sep_line(text)
    header = re.split(r"[\r\n]", rest.lstrip("\r\n"), maxsplit=1)[0]
    return said or ("\t" if "\t" in header else ","), rest


def read_records(text: str, delimiter: str, path: Path) -> Iterator[Record]:
    """The records that hold anything, header first; an empty ``sep=`` line still counts as a line.

    Raises:
        InputError: a double quote is never closed, or text follows a closing one.
    """
    # Not StringIO, which takes four bytes a letter: tables of scores have gigabytes.
    lines = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Record(line, cells)
                number += 1
            line = reader.line_num + 1
    except csv.Error as error:
        _explain(error, f"row {number - 1} (line {line})" if number > 1 else f"header (line {line})", path)


def _explain(error: csv.Error, place: str, path: Path) -> NoReturn:
    if "unexpected end of data" in str(error):
        why = "a double quote is opened and never closed; close or double it"
    else:
        why = f"not readable as CSV ({error}); a double quote within quotes is written twice"
    raise InputError(f"{path}: {place}: {why}") from error


def read_columns(path: Path, what: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """These columns of a table that we wrote, and that a person may have corrected, a row each; short rows have "".

    Cells are stripped of outer white space and *unharmed*. A spreadsheet may have put semicolons for our commas, as it
    does where a comma is the decimal mark.

    Raises:
        InputError: no readable CSV or TSV in UTF-8, or a column is missing. ``what`` the table is called in messages.
    """
    return [row for _, row in read_lines(path, what, columns)]


def read_lines(path: Path, what: str, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """As ``read_columns``, each row with the line of the file on which it begins, from 1."""
    delimiter, text = delimiter_of(read_table_text(path, what))
    if delimiter == "," and re.match(r"\s*[^,\r\n]*;[^,\r\n]*(?:[\r\n]|$)", text):
        delimiter = ";"
    records = list(read_records(text, delimiter, path))
    header = [unharmed(cell.strip()) for cell in records[0].cells] if records else []
    missing = [name for name in columns if name not in header]
    if missing:
        hint = did_you_mean(missing[0], header)
        raise InputError(f"{path} needs the columns {', '.join(columns)}: '{missing[0]}' is missing{hint}")
    found = []
    for one in records[1:]:
        row = dict(zip(header, (unharmed(cell.strip()) for cell in one.cells), strict=False))
        found.append((one.line, {name: row.get(name, "") for name in columns}))
    return found


def csv_text(rows: Iterable[Iterable[object]], delimiter: str = ",", *, exactly: bool = False) -> str:
    """Rows, header first, as a table of harmless and ``visible`` cells; None is an empty cell.

    For a spreadsheet encode it as "utf-8-sig": without a BOM it takes Chinese for another encoding. ``exactly``: cells
    keep characters that steer, because the table is read back by them.
    """
    cleaned = harmless if exactly else lambda cell: harmless(visible(cell))
    written = [[cleaned(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    # A writer quotes what its line ends are made of, and a bare "\r" would end a line for every reader.
    returns = any(isinstance(cell, str) and "\r" in cell for row in written for cell in row)
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n" if returns else "\n").writerows(written)
    return text.getvalue()
