"""Brings the files of a model here, from a hub, ModelScope, a URL or a folder, and checks every one."""

from __future__ import annotations

import dataclasses
import logging
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from selector.domain import InputError
from selector.domain.digest import sha256_of
from selector.domain.files import expanded
from selector.domain.words import size_words
from selector.weights._part import Progress, open_part
from selector.weights._refusals import NotThere
from selector.weights.address import HUB, MODELSCOPE, address_of, check_source
from selector.weights.catalogue import Model, ModelFile, model_named
from selector.weights.hub import download
from selector.weights.place import folder_of, has_size, need_model, path_of
from selector.weights.safe_load import PICKLES

_log = logging.getLogger("bestshot.weights")
_BLOCK_BYTES = 1 << 20
_MOST_HASHED = 200  # files whose size is not known beforehand are hashed one by one: a home folder would take hours


def quiet(name: str, done_bytes: int, total_bytes: int | None) -> None:
    """Shows no progress."""


def fetch(
    model: Model | str,
    source: str | Path = HUB,
    progress: Progress = quiet,
    *,
    sha256: str | None = None,
    again: bool = False,
) -> Path:
    """Bring the files of a model that are not here yet; returns what ``need`` returns.

    An interrupted fetch goes on where it stopped. A file appears under its name only when it is whole and its hash is
    right: the catalogue's, else the one that the server states, else (for a hub that states none) the one that came,
    which is noted beside the file for ``verify``.

    Args:
        model: an entry of the catalogue, or its name.
        source: "hub" (or the mirror in ``HF_ENDPOINT``), "modelscope", an http(s) URL, or a folder.
        progress: called with (file name, bytes so far, bytes in all or None).
        sha256: the wanted hash of a model of one file, where the catalogue has none.
        again: fetch what is here already, too.

    Raises:
        InputError: no such model or source, a wrong hash, no checksum for a plain URL.
        MissingPart: the source does not have it, cannot be reached, or wants a login.
        OutOfResources: the disk is full.
    """
    entry = model_named(model) if isinstance(model, str) else model
    if not entry.files:
        return need_model(entry)
    folder = _folder(source)
    for file in _with_hash(entry, sha256):
        if again or path_of(entry, file) is None:
            _fetch_file(entry, file, folder or str(source), progress)
    return need_model(entry)


def _fetch_file(model: Model, file: ModelFile, source: str | Path, progress: Progress) -> None:
    """The file, or what stands in for it where the source does not have it."""
    try:
        _fetch_choice(model, file, source, progress)
    except NotThere:
        if file.or_else is None:
            raise
        _fetch_file(model, file.or_else, source, progress)


def _fetch_choice(model: Model, file: ModelFile, source: str | Path, progress: Progress) -> None:
    target = folder_of(model) / file.name
    if isinstance(source, Path):
        _copy_from(source, model, file, target, progress)
        return
    if file.sha256 is None and source not in (HUB, MODELSCOPE):
        raise InputError(
            f"no SHA-256 is published for {file.name} of '{model.name}', so a plain URL proves nothing: "
            "give the hash with --sha256, or fetch from the hub"
        )
    address = address_of(model, file, source)
    _log.info("fetching %s of '%s' from %s", file.name, model.name, address.host)
    download(address, file, target, progress)
    _log.info("%s is here and whole", target)


def _folder(source: str | Path) -> Path | None:
    """The folder that is meant; None for a source by name."""
    if source in (HUB, MODELSCOPE):
        return None
    if isinstance(source, Path) or expanded(source).is_dir():
        folder = expanded(source)
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder} to fetch from")
        return folder
    check_source(source)
    return None


def _with_hash(model: Model, sha256: str | None) -> tuple[ModelFile, ...]:
    if sha256 is None:
        return model.files
    if len(model.files) != 1:
        raise InputError(f"'{model.name}' has {len(model.files)} files: one hash cannot check them all")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256.lower()):
        raise InputError(f"'{sha256}' is no SHA-256: expected 64 hex digits")
    known = model.files[0].sha256
    if known is not None and known != sha256.lower():
        raise InputError(f"the published SHA-256 of '{model.name}' is {known}, not {sha256}")
    return (dataclasses.replace(model.files[0], sha256=sha256.lower()),)


def _copy_from(folder: Path, model: Model, file: ModelFile, target: Path, progress: Progress) -> None:
    """Copy a file out of ``folder``, found by its name, or by its hash under any name, and check it.

    Raises:
        NotThere: the folder has it under no name.
        InputError: what bears its name has another hash, or (where none is published) another size or is no plain file
            of weights.
        OutOfResources: the disk is full.
    """
    names = dict.fromkeys((file.name, file.path or file.name, Path(file.name).name))
    named = (parent / name for parent in (folder / model.name, folder) for name in names)
    source = next((path for path in named if path.is_file()), None)
    if file.sha256 is None:
        if source is not None:
            _refuse_unlikely(source, file)
    elif source is None or sha256_of(source) != file.sha256:
        wrong = source
        source = next((path for path in _alike(folder, file) if sha256_of(path) == file.sha256), None)
        if source is None and wrong is not None:
            raise InputError(f"{wrong} is not {file.name}: its SHA-256 is not {file.sha256[:12]}…; copy it again")
    if source is None:
        raise NotThere(
            f"{folder} does not have {file.name} of '{model.name}', and no file with its hash: "
            "name the folder that holds it"
        )
    with open_part(target, progress) as part, source.open("rb") as stream:
        part.resume("", source.stat().st_size)
        while block := stream.read(_BLOCK_BYTES):
            part.write(block)
        found = part.sha256()
        if file.sha256 is not None and found != file.sha256:
            part.discard()
            raise InputError(f"{source} changed while it was copied, or the copy failed: run the same command again")
        part.finish(found)


def _refuse_unlikely(source: Path, file: ModelFile) -> None:
    """All that can be said of a file for which no hash is published: its size, and what it begins with."""
    if not has_size(source, file):
        raise InputError(
            f"{source} has {size_words(source.stat().st_size)}, expected about {size_words(file.expected_bytes)}: "
            "copy it again, or give its hash with --sha256"
        )
    suffix = Path(file.name).suffix
    if suffix == ".safetensors":
        with source.open("rb") as stream:  # a length in eight bytes, then that many bytes of JSON
            length, first = int.from_bytes(stream.read(8), "little"), stream.read(1)
        if first != b"{" or not 2 <= length <= source.stat().st_size - 8:
            raise InputError(f"{source} is no safetensors file: copy it again")
    if suffix in PICKLES and not zipfile.is_zipfile(source):
        raise InputError(f"{source} is no file of weights that PyTorch wrote (a zip archive): copy it again")


def _alike(folder: Path, file: ModelFile) -> Iterator[Path]:
    """Files below the folder that may be it: of its size, or about its size."""
    exact, expected, hashed = file.size_bytes is not None, file.expected_bytes, 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        size = path.stat().st_size
        if size == expected if exact else 0.9 * expected <= size <= 1.1 * expected:
            hashed += 1
            if hashed > _MOST_HASHED:
                return
            yield path
