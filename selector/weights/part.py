"""A file that is being fetched: ``FILE.part``, hashed as it grows; it becomes ``FILE`` when it is whole and right."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from selector.domain import InputError
from selector.weights.sidecar import write_sidecar

SUFFIX = ".part"
_BLOCK_BYTES = 1 << 20


class Part:
    """An unfinished file. Made by ``open_part``, which locks it against another process.

    ``identity`` is what the server said of the bytes so far; it decides whether a later answer may be appended.
    """

    def __init__(self, target: Path, stream: io.FileIO) -> None:
        self.target = target
        self.path = target.with_name(target.name + SUFFIX)
        self._note = target.with_name(target.name + SUFFIX + ".json")
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self.identity = ""

    def take_in(self) -> None:
        """Hash what an earlier run left, and recall of what it is."""
        self._stream.seek(0)
        while block := self._stream.read(_BLOCK_BYTES):
            self._hash.update(block)
            self.size_bytes += len(block)
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            self.identity = str(json.loads(self._note.read_text(encoding="utf-8"))["identity"])

    def append(self, block: bytes) -> None:
        """Write and hash. Raises ``InputError`` when the disk is full or cannot be written."""
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[self._stream.write(rest) :]  # a raw stream may take a part only
        except OSError as error:
            raise InputError(describe_write_error(self.path, error)) from error
        self._hash.update(block)
        self.size_bytes += len(block)

    def begin(self, identity: str) -> None:
        """Throw away what is there and remember of what the next bytes are."""
        try:
            self._stream.seek(0)
            self._stream.truncate()
            self._note.write_text(json.dumps({"identity": identity}), encoding="utf-8")
        except OSError as error:
            raise InputError(describe_write_error(self.path, error)) from error
        self._hash, self.size_bytes, self.identity = hashlib.sha256(), 0, identity

    def need_room(self, total_bytes: int | None) -> None:
        """Raise ``InputError`` at once when the rest cannot fit on the disk."""
        rest = (total_bytes or 0) - self.size_bytes
        free = shutil.disk_usage(self.target.parent).free
        if rest > free:
            raise InputError(
                f"{self.target.name} needs {megabytes(rest)} more and {megabytes(free)} are free in "
                f"{self.target.parent}: free some space, or set BESTSHOT_WEIGHTS to a folder on another disk"
            )

    @property
    def sha256(self) -> str:
        """Of what is there now."""
        return self._hash.hexdigest()

    def git_sha1(self) -> str:
        """Of what is there now, as a git blob; reads the file again."""
        digest = hashlib.sha1(f"blob {self.size_bytes}\0".encode(), usedforsecurity=False)
        with self.path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def finish(self) -> None:
        """Make it the file, durably, with its hash noted beside it."""
        try:
            os.fsync(self._stream.fileno())
            facts = os.fstat(self._stream.fileno())  # which the rename keeps
            write_sidecar(self.target, self.sha256, facts)  # first: the file is never there without its note
            self.path.replace(self.target)
        except OSError as error:
            raise InputError(describe_write_error(self.target, error)) from error
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what is there: it is wrong."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


@contextlib.contextmanager
def open_part(target: Path) -> Iterator[Part]:
    """The unfinished file of ``target``, with what an earlier run left of it.

    Raises:
        InputError: the folder cannot be written, or another process fetches the same file now.
    """
    path = target.with_name(target.name + SUFFIX)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        stream = path.open("r+b", buffering=0)  # so that a full disk is met by the write, and never by the close
    except OSError as error:
        raise InputError(describe_write_error(path, error)) from error
    with stream:
        _lock(stream, target)
        part = Part(target, stream)
        part.take_in()
        yield part


def describe_write_error(path: Path, error: OSError) -> str:
    """One line that says what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {path.parent} is full: free some space and run the same command again; nothing is lost"
    return (
        f"cannot write {path} ({error.strerror or error}): check the folder, "
        "or set BESTSHOT_WEIGHTS to one that can be written"
    )


def megabytes(size_bytes: int) -> str:
    """ "605 MB", "4 kB"."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1e3)) if size_bytes else 0} kB"
    return f"{size_bytes / 1e6:,.0f} MB"


def _lock(stream: io.FileIO, target: Path) -> None:
    """Where the system has such locks; the kernel lets go of one when its process ends, however it ends."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"another process is fetching {target.name} now: wait for it, or stop it") from error
    except OSError:
        return  # a network file system without locks
