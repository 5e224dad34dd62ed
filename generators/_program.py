"""Runs one program to its end, or to its time limit, with the files it is handed, and leaves no process of it behind.

The program gets a process group of its own. When it has ended, and when it is stopped, the whole group is killed:
helpers that it started would otherwise hold the GPU. A helper that makes a session of its own (a daemon) escapes that.
Ctrl-C: an interrupt of the thread that waits kills the group; for programs under way in other threads there is
``stop``; and what is left is killed when the interpreter exits. Only SIGKILL of ours leaves a program alone.

Its environment is ours without what looks like a secret, unless the user names it; of what it says the end is kept,
short enough for a reason or a note.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import re
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from selector.domain import DISK_FULL, GenerationFailed, InputError, OutOfResources, Picture, raise_shortage
from selector.domain.files import scratch_folder
from selector.net import Interrupted
from selector.net.redact import redacted

GRACE_SECONDS = 2.0  # between the polite signal and the other one
STDERR_BYTES = 8192  # of its end
_POLL_SECONDS = 0.1
_READ_SECONDS = 1.0  # for the rest of stderr; a process that escaped may hold it open for ever

_running: set[subprocess.Popen[bytes]] = set()
_SECRET_NAME = re.compile(
    r"(^|_)(API_?KEY|ACCESS_?KEY|KEY|TOKEN|SECRET|PASS|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH|COOKIE)S?(_|$)",
    re.IGNORECASE,
)
_ENDS_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)  # MYTOKEN, without an underscore
_PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
LONGEST, LONGEST_LINE = 400, 200  # characters of a note, of a reason
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
MOST_OUTPUT_BYTES = 64_000_000
_SUFFIXES = ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"GIF8", ".gif"), (b"BM", ".bmp"), (b"RIFF", ".webp"))


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
        _signal(process, "SIGKILL")  # the whole group, also when its leader has ended
        process.wait()
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


def is_secret(name: str, value: str) -> bool:
    """Whether a variable looks like a secret: by a word of its name, or as an address with a password."""
    return bool(_SECRET_NAME.search(name) or _ENDS_SECRET.search(name) or _PASSWORD_IN_URL.search(value))


def environment_for(named: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without secrets that are not ``named``."""
    allowed = set(named)
    return {name: value for name, value in environment.items() if name in allowed or not is_secret(name, value)}


def last_words(stderr: str, secrets: Iterable[str]) -> str:
    """The end of stderr in one line: no colours, of a progress bar its last state, no part of a secret."""
    text = _clean(" ".join(_lines(stderr)), secrets)
    return text if len(text) <= LONGEST else "..." + text[-LONGEST:]


def last_line(stderr: str, secrets: Iterable[str]) -> str:
    """The last line that says something: a reason that is the same for all tasks is counted as one."""
    said = [line for line in _lines(stderr) if line.strip()]
    text = _clean(said[-1], secrets) if said else ""
    return text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "..."


def _lines(stderr: str) -> list[str]:
    ends = _ANSI.sub("", stderr).replace("\r\n", "\n").rstrip().split("\n")
    return [line.rstrip("\r").rsplit("\r", 1)[-1] for line in ends]


def _clean(text: str, secrets: Iterable[str]) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for secret in secrets:
        text = redacted(text, secret)
    return text


def how_it_ended(status: int) -> str:
    """ "ended with status 3", "was killed by SIGSEGV"."""
    if status >= 0:
        return f"ended with status {status}"
    known = {one.value: one.name for one in signal.Signals}
    return f"was killed by {known.get(-status, f'signal {-status}')}"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, with all that a program left in it."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder())
        except OSError as error:
            raise_shortage(error)
            raise GenerationFailed(f"command: no temporary folder can be made ({error.strerror or error})") from error
        yield folder


def write(path: Path, data: bytes) -> str:
    """The path of a file that now holds ``data``. Raises ``GenerationFailed``; ``OutOfResources`` for a full disk."""
    try:
        path.write_bytes(data)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfResources(f"{DISK_FULL}; or set TMPDIR to a folder on another disk") from error
        raise GenerationFailed(f"command: {path.name} cannot be written ({error.strerror or error})") from error
    return str(path)


def write_picture(folder: Path, role: str, picture: Picture) -> str:
    """The original bytes under a name of ours: the picture's own may hold anything."""
    suffix = next((ending for start, ending in _SUFFIXES if picture.data.startswith(start)), ".jpg")
    return write(folder / f"{role}{suffix}", picture.data)


def read_picture(output: Path, said: str) -> bytes:
    """The program's picture. Raises ``GenerationFailed``."""
    also = f" (it said: {said})" if said else ""
    try:
        facts = output.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise GenerationFailed(f"command: {{output}} is no file{also}")
        if facts.st_size > MOST_OUTPUT_BYTES:
            raise GenerationFailed(f"command: the program wrote over {MOST_OUTPUT_BYTES // 1_000_000} MB")
        data = output.read_bytes()
    except FileNotFoundError as error:
        raise GenerationFailed(f"command: the program wrote no picture to {{output}}{also}") from error
    except OSError as error:
        raise GenerationFailed(f"command: {{output}} cannot be read ({error.strerror or error}){also}") from error
    if not data:
        raise GenerationFailed(f"command: the program wrote an empty file to {{output}}{also}")
    try:
        _ = Picture(data, "command: {output}").rgb
    except InputError as error:
        raise GenerationFailed(f"{error}{also}") from error
    return data
