"""Bytes of a table to text: what is no UTF-8 table is recognised and told how to become one."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from selector.domain import InputError
from selector.domain.words import size_words

MAX_TABLE_BYTES = 64_000_000  # a thousand rows take some 200 kB
_SAMPLE_BYTES = 1 << 20

_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document (xls, doc)"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)


def read_table_text(path: Path, what: str = "task table") -> str:
    """The text of a UTF-8 table, its BOM removed. ``what`` it is called in messages.

    Raises:
        InputError: no such file, unreadable, above 64 MB, binary, or in another encoding (GBK is recognised).
    """
    return text_of(_read_bounded(path, what), path, what)


def text_of(data: bytes, path: Path, what: str) -> str:
    """The text of a UTF-8 table whose bytes were read from ``path``; raises ``InputError`` as ``read_table_text``."""
    for signature, found in _SIGNATURES:
        if data.startswith(signature):
            if b"[Content_Types].xml" in data[:4096] or b"xl/" in data:
                found = "an Excel workbook (xlsx)"
            raise InputError(f"{path} is {found}, not a {what}; save the table as CSV in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: {_wrong_encoding(data, error.start, path)}") from error
    if "\0" in text:
        raise InputError(f"{path} holds NUL bytes: it is binary or UTF-16, not a {what}; save it as CSV in UTF-8")
    return text


def _read_bounded(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_TABLE_BYTES + 1)
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder; give the CSV file of the {what}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{what} {path} cannot be read ({reason}); give the path of a CSV file") from error
    if len(data) > MAX_TABLE_BYTES:
        raise InputError(f"{path} is larger than {size_words(MAX_TABLE_BYTES)}, hardly a {what}; give the CSV")
    return data


def _wrong_encoding(data: bytes, start: int, path: Path) -> str:
    line = data.count(b"\n", 0, start) + 1
    if _looks_like_gbk(data if len(data) <= MAX_TABLE_BYTES else _lines_at(data, start)):
        converted = quote(str(path.with_name(f"{path.stem}-utf8.csv")))
        cure = f"convert it: iconv -f GB18030 -t UTF-8 {quote(str(path))} > {converted}"
        return f"line {line} is not UTF-8, it looks like GBK; {cure}"
    return f"line {line} is not UTF-8 (byte 0x{data[start]:02X}); save the table as CSV in UTF-8"


def _lines_at(data: bytes, start: int) -> bytes:
    """Whole lines from that of byte ``start``, some thousands: a table of a gigabyte is not decoded for a guess."""
    begin = data.rfind(b"\n", 0, start) + 1
    return data[begin : max(data.rfind(b"\n", begin, begin + _SAMPLE_BYTES), start + 1)]


def _looks_like_gbk(data: bytes) -> bool:
    """Decodes as GB18030, the superset of GBK, to mostly the 6,763 everyday characters of GB2312 (Latin-1 does not)."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    foreign = [char for char in text if ord(char) > 127]
    common = sum(bool(char.encode("gb2312", "ignore")) for char in foreign)
    return common >= 0.8 * len(foreign)
