"""A short tag of a file of weights, for a scorer's version and for keys of what was computed with it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from selector.domain import MissingPart
from selector.domain.digest import sha256_of
from selector.perception.model_files.sidecar import is_fresh, read_sidecar

_LENGTH = 8


def content_tag(path: Path) -> str:
    """Eight hex digits of the SHA-256 of a file: the same on every machine, another one for other weights.

    A file that ``weights fetch`` brought has its hash beside it, which is taken while it is not older than the file.
    Any other file is read, once a process (about a second a gigabyte).

    Raises:
        MissingPart: the file is not there or cannot be read.
    """
    noted = read_sidecar(path) if is_fresh(path) else None
    if noted is not None and path.is_file():
        return noted[:_LENGTH]
    try:
        found = path.stat()
        return _hash(path, found.st_size, found.st_mtime_ns)[:_LENGTH]
    except OSError as error:
        raise MissingPart(f"the weights at {path} cannot be read ({error.strerror or error}): mend the path") from error


@lru_cache(maxsize=64)
def _hash(path: Path, size_bytes: int, mtime_ns: int) -> str:  # noqa: ARG001 - a changed file is another key
    return sha256_of(path)
