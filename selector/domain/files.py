"""Files that are either whole or not there: temporary file in the same folder, fsync, rename.

A temporary file or folder is locked (``flock``) for as long as its writer lives: the system takes the lock back when
the process dies, however it dies, and every process that sees the disk, in whatever container, sees the lock. So
``sweep`` tells what a dead process has left from what a living one is writing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO
from uuid import uuid4

from selector.domain.errors import InputError
from selector.domain.resources import DISK_FULL, raise_shortage

try:
    import fcntl
except ImportError:  # Windows, which refuses to remove what another process has open: ``sweep`` needs no lock there
    fcntl = None  # type: ignore[assignment]

_MARK = ".bestshot-tmp-"
_OURS = re.compile(
    r"\.(bestshot-tmp-([0-9a-f]{8}|[0-9a-f]{32})|tmp-\d+-([0-9a-f]{32}|campaign\.db.*)|unchecked-.+\.zip)"
)  # old ones too
_STALE_SECONDS = 86_400.0  # where the disk knows no locks
_SYNCING = 8  # threads: the disk answers them together
_LEFT_AFTER = 0.8  # the share of a bounded folder that is left when it becomes too much


@contextlib.contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """A stream (readable too) that becomes ``path`` when the block ends, and vanishes when it raises.

    A kill at any instant leaves the old file, or none, or the whole new one, and so does a loss of power.
    ``durable=False`` spares the fsync for what can be made again: a loss of power may leave anything under the name,
    which ``outlasted`` tells, or ``move_in`` sees to it. Raises ``OSError`` as it comes.
    """
    _sweep_once(path.parent)
    temporary, stream = _open_locked(path.parent)
    try:
        with stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
            if fcntl is None:
                stream.close()  # Windows renames no open file
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_atomically(path: Path, data: bytes, durable: bool = True) -> None:
    """Write ``data`` to ``path``, making its folder, as ``replacing`` does.

    Raises:
        InputError: the folder cannot be written. OutOfResources: the disk is full.
    """
    try:
        make_folder(path.parent)
        with replacing(path, durable) as stream:
            stream.write(data)
    except OSError as error:
        raise_shortage(error)
        raise InputError(describe_write_error(path, error)) from error


def expanded(path: str | Path) -> Path:
    """The path with a ``~`` at its start replaced; that of a user who is not there stays, where ``Path`` raises."""
    return Path(os.path.expanduser(path))  # noqa: PTH111


def followed(path: str | Path) -> Path:
    """The absolute path with its links followed; of a loop of links as far as it goes, where ``Path`` raises."""
    return Path(os.path.realpath(path))


def make_folder(folder: Path) -> None:
    """Make a folder with those above it, and see that they outlast a loss of power. Raises ``OSError``."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


@contextlib.contextmanager
def scratch_folder(parent: Path | None = None, short: bool = False) -> Iterator[Path]:
    """A folder that is gone afterwards, in ``parent`` or where the system keeps temporary files; raises ``OSError``.

    ``short``: its name is, for sockets inside, whose paths have about 100 characters.
    What killed processes left there of the same kind is removed first.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    _sweep_once(place)
    folder, handle = _make_locked_folder(place, 8 if short else 32)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def publish(made: Path, path: Path) -> bool:
    """Give a finished file its name, unless something has that name: then it stays, and False is returned."""
    _sync(made)
    try:
        os.link(made, path)
        with contextlib.suppress(OSError):
            made.unlink()
    except FileExistsError:
        return False
    except OSError:  # a disk without hard links
        if path.exists():
            return False
        made.replace(path)
    sync_folder(path.parent)
    return True


def move_in(scratch: Path, folder: Path, names: Sequence[str]) -> None:
    """Give files in a scratch folder their names below ``folder``, in the place of what has them.

    When this returns, bytes and names outlast a loss of power. Raises ``OSError``.
    """
    from concurrent.futures import ThreadPoolExecutor  # most processes move nothing

    with ThreadPoolExecutor(_SYNCING) as pool:
        for _ in pool.map(_sync, [scratch / name for name in names]):
            pass
    targets = [folder / name for name in names]
    for name, target in zip(names, targets, strict=True):
        make_folder(target.parent)
        (scratch / name).replace(target)
    for place in {target.parent for target in targets}:
        sync_folder(place)


def outlasted(path: Path) -> bool:
    """Whether a picture that was written with ``durable=False`` is there, and has not lost its end with the power."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\0"  # neither a JPEG nor a PNG ends so
    return False


def is_disk_full(error: OSError) -> bool:
    """Whether the disk, or the user's share of it, is used up."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def describe_write_error(path: Path, error: OSError) -> str:
    """One line that says what to do."""
    if is_disk_full(error):
        return DISK_FULL
    if error.errno in (errno.EEXIST, errno.ENOENT, errno.ENOTDIR):
        for place in (path, *path.parents):
            if os.path.islink(place) and not os.path.exists(place):  # noqa: PTH110, PTH114 - Path's raise for odd names
                return f"cannot write {path}: {place} is a link that leads nowhere: mend it, or choose another place"
    return f"cannot write {path} ({error.strerror or error}): check that the folder exists and is writable"


def sweep(folder: Path, deep: bool = False) -> int:
    """Remove what killed processes left in ``folder``, with ``deep`` also below it; returns how much.

    A folder that is not there, or may not be read or changed, is left as it is.
    """
    removed = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _OURS.fullmatch(entry.name):
                removed += _remove_abandoned(Path(entry.path))
            elif deep and entry.is_dir(follow_symlinks=False):
                removed += sweep(Path(entry.path), deep=True)
    return removed


def trim(folder: Path, most_bytes: int, pattern: str) -> None:
    """Remove the oldest files of these names below a folder until they take four fifths of what they may.

    Nothing is removed where they take less, nor a file dated in the future: that is one in use.
    """
    found = []
    for path in folder.rglob(pattern):
        with contextlib.suppress(OSError):
            facts = path.stat()
            found.append((facts.st_mtime, facts.st_size, path))
    size = sum(one[1] for one in found)
    if size <= most_bytes:
        return
    now = time.time()
    for when, own, path in sorted(found, key=lambda one: one[0]):
        if size <= _LEFT_AFTER * most_bytes or when > now:
            break
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            size -= own


_swept: set[Path] = set()


def _sweep_once(folder: Path) -> None:
    """Where this process writes for the first time: a run clears up behind the killed one before it."""
    if folder not in _swept:
        _swept.add(folder)
        sweep(folder)


def _open_locked(folder: Path) -> tuple[Path, IO[bytes]]:
    """A new temporary file that no sweep removes."""
    while True:
        path = folder / f"{_MARK}{uuid4().hex}"
        stream = path.open("x+b")
        _lock(stream.fileno(), wait=True)
        if path.exists():  # a sweep may have come between the two lines
            return path, stream
        stream.close()


def _make_locked_folder(place: Path, digits: int) -> tuple[Path, int | None]:
    """The same of a folder; Windows opens none, and leaves them to the user."""
    while True:
        folder = place / f"{_MARK}{uuid4().hex[:digits]}"
        folder.mkdir(mode=0o700)
        if fcntl is None:
            return folder, None
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(folder, os.O_RDONLY)
            _lock(handle, wait=True)
            if folder.exists():
                return folder, handle
            os.close(handle)


def _lock(handle: int, wait: bool) -> None:
    """Raises ``OSError`` where it may not wait: another holds the lock, or the disk knows none."""
    if fcntl is None:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        if not wait:
            raise


def _remove_abandoned(path: Path) -> bool:
    """Remove a temporary file or folder unless its writer lives; whether it was removed."""
    with contextlib.suppress(OSError):
        if fcntl is None:
            path.unlink()
            return True
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)  # it may be anybody's pipe or link
        try:
            if _is_abandoned(handle):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                return True
        finally:
            os.close(handle)
    return False


def _is_abandoned(handle: int) -> bool:
    """Whether nobody writes it any more; then it is locked until ``handle`` is closed."""
    try:
        _lock(handle, wait=False)
    except BlockingIOError:
        return False
    except OSError:
        return time.time() - os.fstat(handle).st_mtime > _STALE_SECONDS
    return True


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can open folders."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
