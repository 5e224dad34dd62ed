"""Hashes of files of weights: the note beside a fetched file, a scorer's short tag of it, and ``verify`` of every byte.

The note is ``FILE.sha256``, as ``sha256sum`` writes and checks it. A second line, a comment to ``sha256sum``, says of
which file the hash is: its size and time of change. They must be equal for the note to be trusted without reading the
file: one that was put there by ``cp -p`` may well be older.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

from selector.domain import MissingPart, raise_shortage
from selector.domain.digest import sha256_of
from selector.domain.files import replacing
from selector.weights.catalogue import Model, ModelFile
from selector.weights.place import folder_of, has_size

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


class Verdict(str, Enum):
    """What hashing a file showed."""

    RIGHT = "right"
    AS_NOTED = "right as far as known: no published hash"
    DAMAGED = "damaged"
    MISSING = "missing"
    UNKNOWN = "no hash known"


@dataclass(frozen=True)
class FileCheck:
    """One file: where it is or would be, what was expected of it, what it is."""

    model: str
    path: Path
    verdict: Verdict
    expected_sha256: str | None = None
    found_sha256: str | None = None

    @property
    def is_bad(self) -> bool:
        return self.verdict is Verdict.DAMAGED


def verify(model: Model) -> list[FileCheck]:
    """Hash every file of a model against the catalogue, else against the note made when it was fetched.

    A file that nobody has a hash of is "no hash known": it was copied by hand and the catalogue has none. One that is
    as it came, but whose hash nobody published, is "right as far as known". Raises ``OSError`` for a file that cannot
    be read.
    """
    return [_check(model, file) for file in model.files]


def _check(model: Model, file: ModelFile) -> FileCheck:
    folder = folder_of(model)
    file = next((choice for choice in file.choices() if (folder / choice.name).is_file()), file)
    path = folder / file.name
    if not path.is_file():
        return FileCheck(model.name, path, Verdict.MISSING, file.sha256)
    before, found = path.stat(), sha256_of(path)
    if not has_size(path, file):
        return FileCheck(model.name, path, Verdict.DAMAGED, file.sha256, found)
    expected = file.sha256 or read_note(path)
    if expected is None:
        return FileCheck(model.name, path, Verdict.UNKNOWN, None, found)
    if found != expected:
        return FileCheck(model.name, path, Verdict.DAMAGED, expected, found)
    if fresh_note(path, before) != found:
        _try_to_note(path, found, before)
    return FileCheck(model.name, path, Verdict.RIGHT if file.sha256 else Verdict.AS_NOTED, expected, found)


@lru_cache(maxsize=64)
def _hash(path: Path, size_bytes: int, mtime_ns: int) -> str:  # noqa: ARG001 - a changed file is another key
    before = path.stat()
    found = sha256_of(path)
    if read_note(path) == found:  # a copied folder: the same bytes with another time
        _try_to_note(path, found, before)
    return found


def _try_to_note(path: Path, sha256: str, hashed: os.stat_result) -> None:
    with contextlib.suppress(OSError):  # a folder that only reads: each process hashes, nothing worse
        write_note(path, sha256, hashed)


def _read(path: Path) -> re.Match[str] | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return _NOTE.match(path.with_name(path.name + _SUFFIX).read_text(encoding="utf-8"))
    return None


def _facts(found: os.stat_result) -> str:
    return f"{found.st_size} bytes, changed at {found.st_mtime_ns} ns"
