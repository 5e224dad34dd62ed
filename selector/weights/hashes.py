"""Hashes of files of weights: the note beside a fetched file, and a scorer's short tag of what it reads.

The note is ``FILE.sha256``, as ``sha256sum`` writes and checks it. A second line, a comment to ``sha256sum``, says of
which file the hash is: its size and time of change. They must be equal for the note to be trusted without reading the
file: one that was put there by ``cp -p`` may well be older.
"""

from __future__ import annotations

import contextlib
import os
import re
from functools import lru_cache
from pathlib import Path

from selector.domain import MissingPart, raise_shortage
from selector.domain.digest import sha256_of
from selector.domain.files import replacing

ABSENT = "absent"
_TAG_LENGTH = 8
_SUFFIX = ".sha256"
_NOTE = re.compile(r"\A([0-9a-f]{64}) [ *].*\n(?:# (\d+ bytes, changed at \d+ ns)\n)?")


def write_note(path: Path, sha256: str, hashed: os.stat_result) -> None:
    """Note the hash of ``path`` (which need not exist yet) beside it. Raises ``OSError`` as it comes.

    Args:
        hashed: facts of the file as they were before its bytes were read, so that a later change shows.
    """
    with replacing(path.with_name(path.name + _SUFFIX), durable=False) as stream:
        stream.write(f"{sha256}  {path.name}\n# {_facts(hashed)}\n".encode())


def read_note(path: Path) -> str | None:
    """The hash that was noted for ``path``, or None; the file may have been changed since."""
    found = _read(path)
    return found.group(1) if found else None


def fresh_note(path: Path, now: os.stat_result) -> str | None:
    """The noted hash if it is that of the file as it is now, by size and time; else None."""
    found = _read(path)
    return found.group(1) if found and found.group(2) == _facts(now) else None


def content_tag(path: Path) -> str:
    """Eight hex digits of the SHA-256 of a file: the same on every machine, another one for other weights.

    A file that ``weights fetch`` brought has its hash beside it, which is taken while the file has the size and time
    that were noted with it. Any other file is read, once a process (about a second a gigabyte).

    Raises:
        MissingPart: the file is not there or cannot be read. OutOfResources: no more files can be opened.
    """
    try:
        found = path.stat()
        return (fresh_note(path, found) or _hash(path, found.st_size, found.st_mtime_ns))[:_TAG_LENGTH]
    except OSError as error:
        raise_shortage(error)
        raise MissingPart(f"the weights at {path} cannot be read ({error.strerror or error}): mend the path") from error


def tag_or_absent(path: Path) -> str:
    """As ``content_tag``; ``absent`` for a file that is not there, which is for ``check`` to complain of."""
    try:
        return content_tag(path)
    except MissingPart:
        return ABSENT


@lru_cache(maxsize=64)
def _hash(path: Path, size_bytes: int, mtime_ns: int) -> str:  # noqa: ARG001 - a changed file is another key
    before = path.stat()
    found = sha256_of(path)
    if read_note(path) == found:  # a copied folder: the same bytes with another time
        with contextlib.suppress(OSError):  # a folder that only reads: each process hashes, nothing worse
            write_note(path, found, before)
    return found


def _read(path: Path) -> re.Match[str] | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return _NOTE.match(path.with_name(path.name + _SUFFIX).read_text(encoding="utf-8"))
    return None


def _facts(found: os.stat_result) -> str:
    return f"{found.st_size} bytes, changed at {found.st_mtime_ns} ns"
