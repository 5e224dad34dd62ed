"""Files that are either whole or not there: temporary file in the same folder, fsync, rename."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from uuid import uuid4

from selector.domain import InputError

_MARK = ".tmp-"


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that a kill at any instant leaves the old file, or none, or the whole new one.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    temporary = path.parent / f"{_MARK}{os.getpid()}-{uuid4().hex}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(describe_write_error(path, error)) from error


def describe_write_error(path: Path, error: OSError) -> str:
    """One line that says what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: free some space and run the same command again; nothing is lost"
    return f"cannot write {path} ({error.strerror or error}): check that the folder exists and is writable"


def remove_stale_temporaries(root: Path) -> int:
    """Remove temporary files below ``root`` whose process no longer runs on this machine."""
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
    # The rename itself is durable only when the folder is synced; not every platform can open a folder.
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)
