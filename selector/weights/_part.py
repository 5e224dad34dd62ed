"""A file that is being fetched: ``FILE.part``; it becomes ``FILE`` when it is whole and right."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from selector.domain import InputError, raise_shortage
from selector.domain.digest import sha256_of
from selector.domain.json_text import parse_json
from selector.domain.words import size_words
from selector.weights.hashes import write_note

Progress = Callable[[str, int, int | None], None]  # (file, bytes so far, bytes in all or None)

_SUFFIX = ".part"
_MOST_BYTES = 64_000_000_000  # of a file of which nobody says how large it is
_PAGE = (b"<!doctype html", b"<html")


class WebPage(Exception):
    """The bytes are a web page, which no file of a model is."""


class TooMuch(Exception):
    """More bytes came than the file has."""


class Part:
    """An unfinished file, at whose end is written; as much of a binary stream as a download needs.

    Made by ``open_part``, which locks it against another process. ``fresh_at`` is the monotonic time when it last grew
    beyond what it had been: to come as far again after a new start is no progress.
    """

    def __init__(self, target: Path, stream: io.FileIO, progress: Progress) -> None:
        self.target, self.path = target, target.with_name(target.name + _SUFFIX)
        self.name = str(self.path)
        self.total_bytes: int | None = None
        self.fresh_at = time.monotonic()
        self._note = target.with_name(target.name + _SUFFIX + ".json")
        self._stream, self._progress = stream, progress
        self.tell, self.seek, self.truncate = stream.tell, stream.seek, stream.truncate
        self.seek(0, io.SEEK_END)
        self._most_bytes = self.tell()

    def resume(self, identity: str, total_bytes: int | None) -> None:
        """Keep what an earlier run left if it is of the same file, else begin anew; see that the rest has room.

        Args:
            identity: what the file is known by, a hash; "" where it is known by nothing, and so never gone on with.
            total_bytes: of the whole file; None if not known.
        """
        noted = ""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            noted = str(parse_json(self._note.read_text(encoding="utf-8"))["identity"])
        if not identity or noted != identity or self.tell() > (total_bytes or _MOST_BYTES):
            with _writing(self.path):
                self.begin()
                self._note.write_text(json.dumps({"identity": identity}), encoding="utf-8")
        self.total_bytes, self.fresh_at = total_bytes, time.monotonic()
        rest, free = (total_bytes or 0) - self.tell(), shutil.disk_usage(self.target.parent).free
        if rest > free:
            raise InputError(
                f"{self.target.name} needs {size_words(rest)} more and {size_words(free)} are free in "
                f"{self.target.parent}: free some space, or set BESTSHOT_WEIGHTS to a folder on another disk"
            )

    @property
    def closed(self) -> bool:
        return self._stream.closed

    def begin(self) -> None:
        """Throw away what is there."""
        self.seek(0)
        self.truncate()

    def write(self, block: bytes) -> int:
        """Append.

        Raises:
            OutOfResources: the disk is full. InputError: it cannot be written.
            WebPage, TooMuch: what came cannot be the file; it is not written.
        """
        if not self.tell() and block.lstrip()[:14].lower().startswith(_PAGE):
            raise WebPage
        if self.tell() + len(block) > (self.total_bytes or _MOST_BYTES):
            raise TooMuch
        rest = memoryview(block)
        with _writing(self.path):
            while rest:
                rest = rest[self._stream.write(rest) :]  # a raw stream may take a part only
        if self.tell() > self._most_bytes:
            self.fresh_at, self._most_bytes = time.monotonic(), self.tell()
        self._progress(self.target.name, self.tell(), self.total_bytes)
        return len(block)

    def sha256(self) -> str:
        """Of what is there now; reads it."""
        return sha256_of(self.path)

    def finish(self, sha256: str) -> None:
        """Make it the file, durably, with its hash noted beside it."""
        with _writing(self.target):
            os.fsync(self._stream.fileno())
            # First the note: the file is never there without it.
            write_note(self.target, sha256, os.fstat(self._stream.fileno()))
            self._stream.close()  # Windows renames no open file
            self.path.replace(self.target)
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what is there: it is wrong."""
        self._stream.close()
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


@contextlib.contextmanager
def open_part(target: Path, progress: Progress) -> Iterator[Part]:
    """The unfinished file of ``target``, with what an earlier run left of it.

    Raises:
        InputError: the folder cannot be written, or another process fetches the same file now.
    """
    path = target.with_name(target.name + _SUFFIX)
    with _writing(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        stream = path.open("r+b", buffering=0)  # so that a full disk is met by the write, and never by the close
    with stream:
        _lock(stream, target)
        yield Part(target, stream, progress)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise_shortage(error)
        raise InputError(
            f"cannot write {path} ({error.strerror or error}): check the folder, "
            "or set BESTSHOT_WEIGHTS to one that can be written"
        ) from error


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
