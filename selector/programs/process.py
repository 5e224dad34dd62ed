"""Runs one program to its end, or to its time limit, and leaves no process of it behind.

The program gets a process group of its own. When it has ended, and when it is stopped, the whole group is killed:
helpers that it started would otherwise hold the GPU. A helper that makes a session of its own (a daemon) escapes that.
Ctrl-C: an interrupt of the thread that waits kills the group; for programs under way in other threads there is
``stop``; and what is left is killed when the interpreter exits. Only SIGKILL of ours leaves a program alone.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from selector.domain import MissingPart, raise_shortage
from selector.domain.files import expanded
from selector.net import Interrupted

GRACE_SECONDS = 2.0  # between the polite signal and the other one
STDERR_BYTES = 8192  # of its end
KILLED = (-9, 137)  # by SIGKILL, and how a shell or a container tells it of its own program
_POLL_SECONDS = 0.1
_READ_SECONDS = 1.0  # for the rest of stderr; a process that escaped may hold it open for ever
_NO_PROGRAM = (errno.ENOENT, errno.EACCES, errno.ENOEXEC)

_running: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True)
class Ended:
    """``status``: the exit status, negative for a signal's number; None where the time was up. ``stderr``: its end."""

    status: int | None
    stderr: str


def program_at(name: str, cwd: str | None) -> str:
    """Where a program lies; with a path of its own it is seen from ``cwd``, as the system does it.

    Raises:
        MissingPart: ``cwd`` is no folder, or the program is not there.
    """
    if cwd and not Path(cwd).is_dir():
        raise MissingPart(f"command: cwd_folder {cwd} is not a folder: make it, or mend the setting")
    wanted = str(expanded(name)) if name.startswith("~") else name
    found = shutil.which(str(Path(cwd or ".", wanted).absolute()) if os.sep in wanted else wanted)
    if found is None:
        raise MissingPart(
            f"command: the program {name} is not found or cannot be executed: install it, write its whole path, or "
            "chmod +x it"
        )
    return found


def start(
    arguments: Sequence[str], cwd: str | None, environment: Mapping[str, str], talks: bool = False
) -> subprocess.Popen[bytes]:
    """Start a program without a shell; whoever starts it calls ``end``.

    Args:
        talks: its stdin and stdout are pipes, else there are none. stderr is always one.

    Raises:
        MissingPart: it cannot be executed. OSError: it cannot be started. OutOfResources: the machine lacks something.
    """
    pipe = subprocess.PIPE if talks else subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            list(arguments),
            cwd=cwd,
            env=dict(environment),
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.PIPE,
            bufsize=-1 if talks else 0,
            start_new_session=True,
        )
    except OSError as error:
        raise_shortage(error)
        if error.errno not in _NO_PROGRAM:
            raise
        what = f"command: {arguments[0]} cannot be started ({error.strerror or error})"
        cure = "is it executable, and does a script begin with a #! line that names its interpreter?"
        raise MissingPart(f"{what}: {cure}") from error
    _running.add(process)
    return process


def end(process: subprocess.Popen[bytes]) -> int:
    """Kill the whole group, also when its leader has ended; the leader's exit status."""
    _signal(process, "SIGKILL")
    status = process.wait()
    _running.discard(process)
    return status


def run(
    arguments: Sequence[str],
    cwd: str | None,
    environment: Mapping[str, str],
    timeout_seconds: float,
    stop: threading.Event,
) -> Ended:
    """Start the program without a shell, and wait.

    Raises:
        MissingPart, OSError: as ``start``. Interrupted: ``stop`` was set, and the program was killed.
    """
    process = start(arguments, cwd, environment)
    try:
        tail = Tail(process)
        status = _wait(process, time.monotonic() + timeout_seconds, stop)
        if status is None:
            _signal(process, "SIGTERM")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
    finally:
        end(process)
    return Ended(status, tail.text())


def _wait(process: subprocess.Popen[bytes], deadline: float, stop: threading.Event) -> int | None:
    """The exit status, or None when the time is up."""
    while time.monotonic() < deadline:
        if stop.is_set():
            raise Interrupted("stopped: the program was killed")
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(max(0.0, min(_POLL_SECONDS, deadline - time.monotonic())))
    return process.poll()


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


class Tail:
    """Reads a program's stderr in a thread, so that it never blocks, and keeps the end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        self._kept = b""
        self._thread = threading.Thread(target=self._read, args=(process.stderr,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while block := os.read(stream.fileno(), STDERR_BYTES):
                self._kept = (self._kept + block)[-STDERR_BYTES:]

    def text(self) -> str:
        """What came last; to be asked once the program is dead."""
        self._thread.join(_READ_SECONDS)
        return self._kept.decode("utf-8", errors="replace")
