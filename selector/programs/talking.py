"""A program that is kept alive: lines to its stdin, lines from its stdout, each within bounds.

A thread of ours reads what it says, so that neither side waits for the other with a full pipe; of what it says no more
is held than a few hundred lines, and then it has to wait for us.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO

from selector.domain import BestshotError
from selector.programs.process import Tail, end, start

MOST_LINE_BYTES = 65_536
MOST_BYTES = 16_000_000  # said to one question
_MOST_WAITING = 256  # lines
_POLL_SECONDS = 0.2


class TooSlow(BestshotError):
    """The time is up."""


class TooMuch(BestshotError):
    """It says more than anyone needs."""


class Talker:
    """One program under way; one thread at a time talks to it, and any may ``end`` it.

    Raises:
        MissingPart, OSError: as ``selector.programs.process.start``.
    """

    def __init__(self, arguments: Sequence[str], cwd: str | None, environment: Mapping[str, str]) -> None:
        self._process = start(arguments, cwd, environment, talks=True)
        self._tail = Tail(self._process)
        self._lines: queue.Queue[bytes | None] = queue.Queue(_MOST_WAITING)
        self._heard_bytes = 0
        self._ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def tell(self, text: str) -> None:
        """Hand it text, without waiting until it is read."""
        self._heard_bytes = 0
        threading.Thread(target=self._write, args=(text.encode(),), daemon=True).start()

    def line(self, deadline: float) -> str | None:
        """Its next line, or None where it has ended or closed its stdout.

        Raises:
            TooSlow: none came until ``deadline``, on the monotonic clock. TooMuch: one line of over 64 kB, or 16 MB
                since it was told something.
        """
        line = self._next(deadline)
        if line is None:
            return None
        self._heard_bytes += len(line)
        if len(line) > MOST_LINE_BYTES:
            raise TooMuch(f"wrote a line of over {MOST_LINE_BYTES // 1000} kB to stdout: only answers belong there")
        if self._heard_bytes > MOST_BYTES:
            raise TooMuch(f"wrote over {MOST_BYTES // 1_000_000} MB to stdout: only answers belong there")
        return line.decode("utf-8", errors="replace")

    def _next(self, deadline: float) -> bytes | None:
        while not self._ended.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TooSlow
            with contextlib.suppress(queue.Empty):
                return self._lines.get(timeout=min(_POLL_SECONDS, left))
        return None

    def end(self, grace_seconds: float = 0.0) -> tuple[int | None, str]:
        """End it with all that it started, once its stdin has ended and it had a moment to end by itself.

        Returns:
            Its exit status, None where it had to be killed, and the end of its stderr.
        """
        self._ended.set()
        self._end_stdin()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_seconds)
        status = self._process.poll()
        end(self._process)
        return status, self._tail.text()

    def _end_stdin(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        threading.Thread(target=_closed, args=(stdin,), daemon=True).start()  # a writer may hold it

    def _write(self, data: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it has ended, which its stdout tells
            stdin.write(data)
            stdin.flush()

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        with contextlib.suppress(OSError, ValueError), stdout:
            while line := stdout.readline(MOST_LINE_BYTES + 1):
                self._put(line)
        self._put(None)

    def _put(self, line: bytes | None) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(queue.Full):
                self._lines.put(line, timeout=_POLL_SECONDS)
                return


def _closed(stream: IO[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.close()
