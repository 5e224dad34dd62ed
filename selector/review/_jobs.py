"""Runs of the program's own verbs for the page: processes beside the server, one that writes at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

from selector.domain import InputError

VERBS = ("plan", "pick", "export", "score", "generate")
RUNNING, STOPPING, DONE, FAILED, STOPPED = "running", "stopping", "done", "failed", "stopped"
_KEPT = 20  # lines of a run, and runs
_TOLD = ("id", "verb", "at", "state", "stage", "done", "total", "left_seconds", "words", "result", "error", "needs")
_MOST_BYTES = 16 << 20  # of a verb's JSON
_MOST_LISTED = 50  # entries of a list in a result: a plan names a pick for each of 1,000 tasks
_WAIT_SECONDS = 10.0  # for a run to end once it was interrupted, before it is told more firmly
_IDLE = "an interrupted run is stored, run it again to go on"


class Busy(InputError):
    """Another run is on its way: wait for it, or stop it."""


@dataclass
class Job:
    """One run. ``result`` is the verb's JSON, ``words`` its text; ``stage``, ``done``, ``total`` as it tells them.

    ``needs``: the option with which a run that failed would go on. A run that is stopped is ``stopping`` for as long as
    its process lives.
    """

    id: int
    verb: str
    began: float
    at: str
    process: subprocess.Popen[str]
    state: str = RUNNING
    stage: str = ""
    done: int = 0
    total: int = 0
    left_seconds: float | None = None
    ended: float | None = None
    ended_at: str = ""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))
    words: str = ""
    result: Any = None
    error: str | None = None
    needs: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As the page has it; ``seconds`` since it began."""
        seconds = round((self.ended or time.monotonic()) - self.began, 1)
        return {**{name: getattr(self, name) for name in _TOLD}, "seconds": seconds, "lines": list(self.lines)}


class Jobs:
    """The runs of this server, newest last. Safe for threads.

    Args:
        folder: of the campaign.
        changed: called whenever a run has something new to tell.
    """

    def __init__(self, folder: Path, changed: Callable[[], None]) -> None:
        self._folder, self._changed = folder, changed
        self._lock, self._jobs = threading.Lock(), deque[Job](maxlen=_KEPT)
        self._count, self._ended = 0, False

    def all(self) -> list[Job]:
        with self._lock:
            return list(self._jobs)

    def run(self, verb: str, options: Mapping[str, Any]) -> Job:
        """Start a verb; raises ``InputError`` for one that there is not, and ``Busy`` while another runs."""
        arguments = arguments_of(verb, options)
        with self._lock:
            busy = next((job for job in self._jobs if job.process.poll() is None), None)
            if self._ended:  # a request that was on its way
                raise InputError("the page has ended")
            if busy is not None:
                ends = busy.state == STOPPING
                raise Busy(
                    f"`bestshot {busy.verb}` is being stopped: wait until it has ended"
                    if ends
                    else f"`bestshot {busy.verb}` is running: wait for it, or stop it"
                )
            self._count += 1
            job = Job(self._count, verb, time.monotonic(), _now(), _started(arguments, self._folder))
            self._jobs.append(job)
        threading.Thread(target=self._follow, args=(job,), daemon=True).start()
        return job

    def stop(self, number: int) -> Job:
        """Interrupt a run as Ctrl-C does; what it has made is stored. It goes on until it says that it has ended.

        One that has not ended after ten seconds, or is stopped once more, is terminated.
        """
        job = next((job for job in self.all() if job.id == number), None)
        if job is None:
            raise InputError(f"there is no run {number}")
        self._stop(job)
        return job

    def _stop(self, job: Job) -> None:
        with self._lock:
            if job.process.poll() is not None:
                return
            again, job.state = job.state == STOPPING, STOPPING
        if again:
            job.process.terminate()
            return
        _interrupt(job.process)
        later = threading.Timer(_WAIT_SECONDS, job.process.terminate)  # which does nothing to one that has ended
        later.daemon = True
        later.start()
        self._changed()

    def close(self) -> None:
        """Interrupt what runs and wait for it; what does not end is terminated, and killed at last."""
        with self._lock:
            self._ended = True
        for job in self.all():
            if job.process.poll() is not None:
                continue
            self._stop(job)
            for end in (job.process.terminate, job.process.kill):
                try:
                    job.process.wait(_WAIT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    end()
            job.process.wait()

    def _follow(self, job: Job) -> None:
        assert job.process.stdout is not None and job.process.stderr is not None
        told: list[str] = []
        reading = threading.Thread(target=_read_all, args=(job.process.stdout, told), daemon=True)
        reading.start()
        for line in job.process.stderr:
            _hear(job, line.rstrip("\n"))
            self._changed()
        code = job.process.wait()
        reading.join()
        _end(job, code, "".join(told))
        self._changed()


def arguments_of(verb: str, options: Mapping[str, Any]) -> list[str]:
    """The verb's command line with its options; raises ``InputError`` for one that it does not have."""
    if verb not in VERBS:
        raise InputError(f"the page runs {', '.join(VERBS)}, not '{str(verb)[:40]}'")
    known: dict[str, dict[str, str]] = {
        "plan": {"remaining": "--remaining"},
        "pick": {"replace": "--replace"},
        "export": {"allow_fallbacks": "--allow-fallbacks"},
    }
    words = [verb]
    for name, value in options.items():
        flag = known.get(verb, {}).get(name)
        if flag is None:
            raise InputError(f"`bestshot {verb}` has no option '{str(name)[:40]}' here")
        if name == "remaining":
            if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10_000:
                raise InputError("'remaining' is a number of submissions above 0")
            words += [flag, str(value)]
        elif value:
            words.append(flag)
    return words


def _started(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "selector.cli", arguments[0], "-C", str(folder), "--json", *arguments[1:]]
    environment = {**os.environ, "BESTSHOT_PROGRESS": "json", "BESTSHOT_LANG": "en", "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # Ctrl-C ends the server, which then interrupts its runs in order
    )


def _interrupt(process: subprocess.Popen[str]) -> None:
    # A shell starts what runs in its background with interrupts ignored, and so do its children: a run would not hear.
    hears = os.name == "posix" and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    with suppress(ProcessLookupError, ValueError):
        process.send_signal(signal.SIGINT) if hears else process.terminate()


def _read_all(stream: IO[str], told: list[str]) -> None:
    size = 0
    for line in stream:
        size += len(line)
        if size <= _MOST_BYTES:
            told.append(line)


def _hear(job: Job, line: str) -> None:
    """A line of progress, the words of the result, or a plain line."""
    try:
        said = json.loads(line) if line.startswith("{") else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        if line.strip():
            job.lines.append(line[:2000])
        return
    if "said" in said:
        job.words = str(said["said"])
        return
    job.stage = str(said.get("stage", job.stage))
    job.done, job.total = (_whole(said.get(name)) for name in ("done", "total"))
    left = said.get("left")
    job.left_seconds = float(left) if isinstance(left, (int, float)) else None


def _end(job: Job, code: int, told: str) -> None:
    job.ended, job.ended_at = time.monotonic(), _now()
    try:
        document = json.loads(told) if told.strip() else None
    except ValueError:
        document = None
    if code == 0:  # even if it was stopped just as it came to its end
        job.result, job.state = _shortened(document), DONE
        return
    if job.state == STOPPING:
        job.error, job.state = _IDLE, STOPPED
        return
    facts = document if isinstance(document, dict) else {}
    error, job.needs = facts.get("error"), facts.get("needs")
    lines = [line.removeprefix("bestshot: ") for line in job.lines]
    job.error, job.state = str(error or (lines[-1] if lines else f"it ended with {code}")), FAILED


def _shortened(value: Any) -> Any:
    """The result without the ends of its long lists and tables: the page names what is in the store itself."""
    if isinstance(value, dict):
        kept = value if len(value) <= _MOST_LISTED else dict(list(value.items())[:_MOST_LISTED])
        return {key: _shortened(one) for key, one in kept.items()}
    if isinstance(value, list):
        return [_shortened(one) for one in value[:_MOST_LISTED]]
    return value


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, (int, float)) else 0


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
