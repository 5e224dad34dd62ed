"""A file of a model from a folder of the user's own: found by its name, or by its hash under any name."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from selector.domain import InputError
from selector.domain.digest import sha256_of
from selector.weights.hub import NotThere
from selector.weights.model import Model, ModelFile, megabytes
from selector.weights.part import Progress, open_part
from selector.weights.place import has_size
from selector.weights.safe_load import PICKLES

_BLOCK_BYTES = 1 << 20
_MOST_HASHED = 200  # files whose size is not known beforehand are hashed one by one: a home folder would take hours


def copy_from(folder: Path, model: Model, file: ModelFile, target: Path, progress: Progress) -> None:
    """Copy a file out of ``folder`` and check it.

    Raises:
        NotThere: the folder has it under no name.
        InputError: what bears its name has another hash, or (where none is published) another size or is no plain file
            of weights.
        OutOfResources: the disk is full.
    """
    source = _named(folder, model, file)
    if source is not None and file.sha256 is not None and sha256_of(source) != file.sha256:
        wrong, source = source, _by_hash(folder, file)
        if source is None:
            raise InputError(f"{wrong} is not {file.name}: its SHA-256 is not {file.sha256[:12]}…; copy it again")
    source = source or _by_hash(folder, file)
    if source is None:
        raise NotThere(
            f"{folder} does not have {file.name} of '{model.name}', and no file with its hash: "
            "name the folder that holds it"
        )
    if file.sha256 is None:
        _refuse_unlikely(source, file)
    _copy(source, file, target, progress)


def _refuse_unlikely(source: Path, file: ModelFile) -> None:
    """All that can be said of a file for which no hash is published: its size, and what it begins with."""
    if not has_size(source, file):
        raise InputError(
            f"{source} has {megabytes(source.stat().st_size)}, expected about {megabytes(file.expected_bytes)}: "
            "copy it again, or give its hash with --sha256"
        )
    suffix = Path(file.name).suffix
    if suffix == ".safetensors" and not _begins_as_safetensors(source):
        raise InputError(f"{source} is no safetensors file: copy it again")
    if suffix in PICKLES and not zipfile.is_zipfile(source):
        raise InputError(f"{source} is no file of weights that PyTorch wrote (a zip archive): copy it again")


def _begins_as_safetensors(path: Path) -> bool:
    """A length in eight bytes, then that many bytes of JSON."""
    with path.open("rb") as stream:
        length, first = int.from_bytes(stream.read(8), "little"), stream.read(1)
    return first == b"{" and 2 <= length <= path.stat().st_size - 8


def _named(folder: Path, model: Model, file: ModelFile) -> Path | None:
    names = dict.fromkeys((file.name, file.path or file.name, Path(file.name).name))
    for parent in (folder / model.name, folder):
        for name in names:
            if (parent / name).is_file():
                return parent / name
    return None


def _by_hash(folder: Path, file: ModelFile) -> Path | None:
    if file.sha256 is None:
        return None
    return next((path for path in _alike(folder, file) if sha256_of(path) == file.sha256), None)


def _alike(folder: Path, file: ModelFile) -> Iterator[Path]:
    """Files below the folder that may be it: of its size, or about its size."""
    hashed = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        size, expected = path.stat().st_size, file.expected_bytes
        exact = file.size_bytes is not None
        if size == expected if exact else 0.9 * expected <= size <= 1.1 * expected:
            hashed += 1
            if hashed > _MOST_HASHED:
                return
            yield path


def _copy(source: Path, file: ModelFile, target: Path, progress: Progress) -> None:
    with open_part(target, progress) as part, source.open("rb") as stream:
        part.resume("", source.stat().st_size)
        while block := stream.read(_BLOCK_BYTES):
            part.write(block)
        found = part.sha256()
        if file.sha256 is not None and found != file.sha256:
            part.discard()
            raise InputError(f"{source} changed while it was copied, or the copy failed: run the same command again")
        part.finish(found)
