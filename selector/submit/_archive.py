"""The writer of submissions: the same picks give the same ZIP, byte for byte, or no ZIP at all."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from selector.contest.profile import ContestProfile
from selector.domain import SubmissionError, Task
from selector.domain.files import is_disk_full, replacing
from selector.domain.words import n_of

CHUNK_BYTES = 1 << 20
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that a ZIP can express: no clock in the bytes
_UNIX = 3
_PLAIN_FILE = 0o100644 << 16

Source = bytes | Path


def write_archive(
    path: Path,
    profile: ContestProfile,
    tasks: Sequence[Task],
    files: Mapping[str, Source],
    check: Callable[[Path, str], None] = lambda _path, _sha256: None,
) -> str:
    """Write the contest's ZIP to ``path`` and return its SHA-256 in hex.

    ``files`` maps each task's id to its final image, as bytes or as the path of a file; they are copied unchanged, one
    block at a time. Members are stored without compression (compressed bytes differ between versions of zlib), the
    manifest first, then the images in the order of the table. The ZIP is built beside ``path`` and renamed when it is
    complete and on the disk, so ``path`` never holds half a submission.

    Args:
        check: is shown the complete file and its SHA-256 before it gets its name; what it raises ends all.

    Raises:
        SubmissionError: an image is missing, unreadable or of no task, the ZIP would exceed the contest's limit, or it
            cannot be written (full disk, no permission). Whatever stood at ``path`` is then still there.
    """
    _check_complete(tasks, files)
    images = [(profile.export.image_path.replace("{id}", task.id), files[task.id]) for task in tasks]
    members: list[tuple[str, Source]] = [(profile.export.manifest, _manifest(profile, tasks)), *images]
    _check_size(sum(_size_of(source) for _, source in members), profile)
    try:
        with replacing(path) as stream:
            _write_members(stream, members)
            _check_size(stream.seek(0, os.SEEK_END), profile)
            sha256 = _sha256(stream)
            check(Path(stream.name), sha256)
            return sha256
    except OSError as error:
        raise SubmissionError(f"{path} cannot be written: {_reason(error)}") from error


def _check_complete(tasks: Sequence[Task], files: Mapping[str, Source]) -> None:
    missing = [task.id for task in tasks if task.id not in files]
    if not tasks:
        raise SubmissionError("a submission needs at least one task, the table has none")
    if missing:
        raise SubmissionError(f"{len(missing)} of {len(tasks)} tasks have no image: {_listed(missing)}")
    unknown = sorted(files.keys() - {task.id for task in tasks})
    if unknown:
        raise SubmissionError(
            f"{n_of(len(unknown), 'image belongs', 'images belong')} to no task of the table: {_listed(unknown)}"
        )


def _check_size(size: int, profile: ContestProfile) -> None:
    limit = profile.export.max_bytes
    if size > limit:
        raise SubmissionError(f"the ZIP would have {size:,} bytes, the contest takes {limit:,}; make smaller images")


def _manifest(profile: ContestProfile, tasks: Iterable[Task]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header for header, _ in profile.export.manifest_columns)
    for task in tasks:
        writer.writerow(template.replace("{id}", task.id) for _, template in profile.export.manifest_columns)
    return text.getvalue().encode(profile.export.manifest_encoding)


def _write_members(stream: IO[bytes], members: Iterable[tuple[str, Source]]) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, source in members:
            info = zipfile.ZipInfo(name, date_time=_EARLIEST)
            info.create_system, info.external_attr = _UNIX, _PLAIN_FILE
            info.file_size = _size_of(source)  # known before writing, it decides alone about ZIP64
            with archive.open(info, "w") as member:
                for block in _blocks(source):
                    member.write(block)


def _size_of(source: Source) -> int:
    if isinstance(source, bytes):
        return len(source)
    try:
        return source.stat().st_size
    except OSError as error:
        raise _unreadable(source, error) from error


def _blocks(source: Source) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    try:
        stream = source.open("rb")
    except OSError as error:
        raise _unreadable(source, error) from error
    with stream:
        while True:
            try:
                block = stream.read(CHUNK_BYTES)
            except OSError as error:
                raise _unreadable(source, error) from error
            if not block:
                return
            yield block


def _unreadable(source: Path, error: OSError) -> SubmissionError:
    return SubmissionError(f"image {source} cannot be read: {_reason(error)}; export nothing until it is back")


def _sha256(stream: IO[bytes]) -> str:
    """Of the whole file, read back: the ZIP writer returns to each header, so no running digest can be right."""
    digest = hashlib.sha256()
    stream.seek(0)
    while block := stream.read(CHUNK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _reason(error: OSError) -> str:
    return "the disk is full; free some space and export again" if is_disk_full(error) else error.strerror or str(error)


def _listed(ids: Sequence[str], most: int = 5) -> str:
    return ", ".join(ids[:most]) + (", ..." if len(ids) > most else "")
