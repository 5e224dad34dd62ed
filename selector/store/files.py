"""Files that are either whole or not there: temporary file in the same folder, fsync, rename."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from uuid import uuid4

from selector.domain import DISK_FULL, InputError, raise_shortage

_MARK = ".tmp-"


@contextlib.contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """A stream (readable too) that becomes ``path`` when the block ends, and vanishes when it raises.

    A kill at any instant leaves the old file, or none, or the whole new one. ``durable=False`` spares the fsync for
    what can be made again. Raises ``OSError`` as it comes.
    """
    temporary = path.parent / f"{_MARK}{os.getpid()}-{uuid4().hex}"
    try:
        with temporary.open("w+b") as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def write_atomically(path: Path, data: bytes, durable: bool = True) -> None:
    """Write ``data`` to ``path``, making its folder, as ``replacing`` does.

    Raises:
        InputError: the folder cannot be written. OutOfResources: the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable) as stream:
            stream.write(data)
    except OSError as error:
        raise_shortage(error)
        raise InputError(describe_write_error(path, error)) from error


def is_disk_full(error: OSError) -> bool:
    """Whether the disk, or the user's share of it, is used up."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def describe_write_error(path: Path, error: OSError) -> str:
    """One line that says what to do."""
    if is_disk_full(error):
        return DISK_FULL
    return f"cannot write {path} ({error.strerror or error}): check that the folder exists and is writable"


def remove_stale_temporaries(root: Path) -> int:
    """Remove temporary files below ``root`` whose process no longer runs on this machine; returns how many."""
    removed = 0
    for path in root.rglob(f"{_MARK}*") if root.is_dir() else ():
        pid = path.name[len(_MARK) :].split("-")[0]
        if pid.isdigit() and not _is_running(int(pid)):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can open folders."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
