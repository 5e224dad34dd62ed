"""A short tag of a file of weights, for a scorer's version and for keys of what was computed with it."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from pathlib import Path

from selector.domain import MissingPart, raise_shortage
from selector.domain.digest import sha256_of
from selector.weights.sidecar import fresh_sidecar, read_sidecar, write_sidecar

ABSENT = "absent"
_LENGTH = 8


def content_tag(path: Path) -> str:
    """Eight hex digits of the SHA-256 of a file: the same on every machine, another one for other weights.

    A file that ``weights fetch`` brought has its hash beside it, which is taken while the file has the size and time
    that were noted with it. Any other file is read, once a process (about a second a gigabyte).

    Raises:
        MissingPart: the file is not there or cannot be read. OutOfResources: no more files can be opened.
    """
    try:
        found = path.stat()
        return (fresh_sidecar(path, found) or _hash(path, found.st_size, found.st_mtime_ns))[:_LENGTH]
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
    if read_sidecar(path) == found:  # a copied folder: the same bytes with another time
        with contextlib.suppress(OSError):  # a folder that only reads: each process hashes, nothing worse
            write_sidecar(path, found, before)
    return found
