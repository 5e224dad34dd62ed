"""Runs one program to its end, or to its time limit, and leaves no process of it behind.

The program gets a process group of its own. When it has ended, and when it is stopped, the whole group is killed:
helpers that it started would otherwise hold the GPU. A helper that makes a session of its own (a daemon) escapes that.
Ctrl-C: an interrupt of the thread that waits kills the group; for programs under way in other threads there is
``stop``; and what is left is killed when the interpreter exits. Only SIGKILL of ours leaves a program alone.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from selector.net import Interrupted

GRACE_SECONDS = 2.0  # between the polite signal and the other one
STDERR_BYTES = 8192  # of its end
_POLL_SECONDS = 0.1
_READ_SECONDS = 1.0  # for the rest of stderr; a process that escaped may hold it open for ever

_running: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True)
class Ended:
    """``status``: the exit status, negative for a signal's number; None where the time was up. ``stderr``: its end."""

    status: int | None
    stderr: str


def run(
    arguments: Sequence[str],
    cwd: str | None,
    environment: Mapping[str, str],
    timeout_seconds: float,
    stop: threading.Event,
) -> Ended:
    """Start the program without a shell, and wait.

    Raises:
        OSError: it cannot be started. Interrupted: ``stop`` was set, and the program was killed.
    """
    process = subprocess.Popen(
        list(arguments),
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    _running.add(process)
    try:
        tail = _Tail(process)
        status = _wait(process, time.monotonic() + timeout_seconds, stop)
        if status is None:
            _signal(process, "SIGTERM")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
    finally:
        _kill(process)
        _running.discard(process)
    return Ended(status, tail.text())


def _wait(process: subprocess.Popen[bytes], deadline: float, stop: threading.Event) -> int | None:
    """The exit status, or None when the time is up."""
    while time.monotonic() < deadline:
        if stop.is_set():
            raise Interrupted("stopped: the program was killed")
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(max(0.0, min(_POLL_SECONDS, deadline - time.monotonic())))
    return process.poll()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the group, also when its leader has ended, and collect the leader."""
    _signal(process, "SIGKILL")
    process.wait()


def _signal(process: subprocess.Popen[bytes], name: str) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, getattr(signal, name))  # the leader's id is the group's
        else:
            process.kill()


@atexit.register
def _kill_all() -> None:
    for process in list(_running):
        _signal(process, "SIGKILL")


class _Tail:
    """Reads a program's stderr in a thread, so that it never blocks, and keeps the end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        self._kept = b""
        self._thread = threading.Thread(target=self._read, args=(process.stderr,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while block := stream.read(STDERR_BYTES):
                self._kept = (self._kept + block)[-STDERR_BYTES:]

    def text(self) -> str:
        """What came last; to be asked once the program is dead."""
        self._thread.join(_READ_SECONDS)
        return self._kept.decode("utf-8", errors="replace")
