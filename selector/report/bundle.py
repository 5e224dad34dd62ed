"""A report that can be given away: one folder or ZIP with its pictures inside, and no path outside."""

from __future__ import annotations

import os
import shutil
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from selector.decide.context import Context
from selector.domain import InputError
from selector.domain.files import make_folder, replacing, scratch_folder
from selector.domain.names import name_fault
from selector.domain.progress import Progress, silent
from selector.domain.resources import raise_shortage
from selector.report._contact_sheet import write_contact_sheet
from selector.report.from_campaign import Cover, whole_sheet
from selector.submit.ledger import Ledger

_OURS = ("index.html", "tasks.js", "sheet.js")  # what tells an earlier bundle from a folder of somebody's
_TOP = "report"  # the one folder in a ZIP: unpacking strews nothing
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that a ZIP can express: no clock in the bytes
_UNIX, _PLAIN_FILE = 3, 0o100644 << 16


@dataclass(frozen=True)
class Bundle:
    """A bundle as it was written: the folder or ZIP, the number of files in it, and its bytes on the disk."""

    path: Path
    files: int
    size_bytes: int


@dataclass(frozen=True)
class Packing:
    """What goes into a bundle: ``full`` every picture at its full size, ``with_submission`` the newest ZIP."""

    full: bool = False
    with_submission: bool = False


def write_bundle(
    path: Path, context: Context, ledger: Ledger, cover: Cover, packing: Packing, progress: Progress = silent
) -> Bundle:
    """Write the report to ``path``, a ZIP if it ends in ``.zip``, else a folder; the campaign is only read.

    All is made beside ``path`` and gets its name when it is whole. The same campaign gives the same bytes.

    Raises:
        InputError: something is there that is no earlier bundle, or it cannot be written.
    """
    is_zip = path.suffix.lower() == ".zip"
    _check_free(path, is_zip)
    try:
        make_folder(path.absolute().parent)
        with scratch_folder(path.absolute().parent) as scratch:
            pages = scratch / _TOP
            _write_pages(pages, context, ledger, cover, packing, progress)
            names = sorted(file.relative_to(pages).as_posix() for file in pages.rglob("*") if file.is_file())
            if is_zip:
                _pack(path, pages, names, progress)
                return Bundle(path, len(names), path.stat().st_size)
            size_bytes = sum((pages / name).stat().st_size for name in names)
            _put(pages, path, scratch / "old")
            return Bundle(path, len(names), size_bytes)
    except OSError as error:
        raise_shortage(error)
        raise InputError(f"the bundle cannot be written to {path}: {error.strerror or error}") from error


def _check_free(path: Path, is_zip: bool) -> None:
    if is_zip and path.is_dir():
        raise InputError(f"{path} is a folder: give another name for the ZIP")
    if is_zip or not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path} is a file: give a folder, or a name that ends in .zip")
    if any(path.iterdir()) and not all((path / name).is_file() for name in _OURS):
        raise InputError(f"{path} holds other things: give a new folder, or that of an earlier bundle")


def _write_pages(
    folder: Path, context: Context, ledger: Ledger, cover: Cover, packing: Packing, progress: Progress
) -> None:
    sheet = whole_sheet(context, ledger, cover, folder, progress)
    source, submission = sheet.zip_file, None
    if source is not None and packing.with_submission:
        name = "submission.zip" if name_fault(source.name, written=True) else source.name
        submission = folder / name
        make_folder(folder)
        shutil.copyfile(source, submission)
    write_contact_sheet(folder, replace(sheet, zip_file=submission), copied=True, whole=packing.full)


def _pack(path: Path, pages: Path, names: list[str], progress: Progress) -> None:
    """Nothing is compressed, as compressed bytes differ between versions of zlib, and pictures are already."""
    with replacing(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        progress("zip", 0, len(names))
        for done, name in enumerate(names, start=1):
            info = zipfile.ZipInfo(f"{_TOP}/{name}", date_time=_EARLIEST)
            info.create_system, info.external_attr = _UNIX, _PLAIN_FILE
            info.file_size = (pages / name).stat().st_size
            with (pages / name).open("rb") as file, archive.open(info, "w") as member:
                shutil.copyfileobj(file, member)
            progress("zip", done, len(names))


def _put(made: Path, path: Path, old: Path) -> None:
    """Give the folder its name; an earlier one of that name goes when the new one is there."""
    target = Path(os.path.realpath(path))
    if not target.exists():
        made.rename(target)
        return
    target.rename(old)
    try:
        made.rename(target)
    except BaseException:
        old.rename(target)
        raise
