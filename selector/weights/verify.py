"""The thorough look at fetched files: every byte is read and hashed."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from selector.domain.digest import sha256_of
from selector.weights.hashes import fresh_note, read_note, write_note
from selector.weights.model import Model, ModelFile
from selector.weights.place import folder_of, has_size


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
    for choice in file.choices():
        path = folder_of(model) / choice.name
        if path.is_file():
            return _hash_check(model, choice, path)
    return FileCheck(model.name, folder_of(model) / file.name, Verdict.MISSING, file.sha256)


def _hash_check(model: Model, file: ModelFile, path: Path) -> FileCheck:
    before = path.stat()
    if not has_size(path, file):
        return FileCheck(model.name, path, Verdict.DAMAGED, file.sha256, sha256_of(path))
    expected, found = file.sha256 or read_note(path), sha256_of(path)
    if expected is None:
        return FileCheck(model.name, path, Verdict.UNKNOWN, None, found)
    if found != expected:
        return FileCheck(model.name, path, Verdict.DAMAGED, expected, found)
    if fresh_note(path, before) != found:
        with contextlib.suppress(OSError):  # a folder that only reads: each process hashes, nothing worse
            write_note(path, found, before)
    verdict = Verdict.RIGHT if file.sha256 else Verdict.AS_NOTED
    return FileCheck(model.name, path, verdict, expected, found)
