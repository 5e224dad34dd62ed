"""Brings the files of a model here, from a hub, ModelScope, a URL or a folder, and checks every one."""

from __future__ import annotations

import dataclasses
import logging
import re
from pathlib import Path

from selector.domain import InputError
from selector.weights.address import HUB, MODELSCOPE, address_of, check_source
from selector.weights.catalogue import model_named
from selector.weights.folder import copy_from
from selector.weights.hub import download
from selector.weights.model import Model, ModelFile
from selector.weights.part import Progress
from selector.weights.place import folder_of, need_model, path_of
from selector.weights.refusals import NotThere

_log = logging.getLogger("bestshot.weights")


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
    choices = list(file.choices())
    for choice in choices:
        try:
            return _fetch_choice(model, choice, source, progress)
        except NotThere:
            if choice is choices[-1]:
                raise
    return None


def _fetch_choice(model: Model, file: ModelFile, source: str | Path, progress: Progress) -> None:
    target = folder_of(model) / file.name
    if isinstance(source, Path):
        copy_from(source, model, file, target, progress)
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
    if isinstance(source, Path) or Path(source).expanduser().is_dir():
        folder = Path(source).expanduser()
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
