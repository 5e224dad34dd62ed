"""Processes of their own for the verbs of the crash test, forked from one that has imported the program already.

A real process that really dies; only the second that starting Python and importing takes is saved, so that signals meet
verbs at their work.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from experiments.support.crash_loop import TASKS, TEMPORARY
from experiments.support.killed_at import Moment, Watch, watch_database, watch_files
from experiments.support.reading_server import ReadingServer
from experiments.support.remote_campaign import KEY, KEY_ENV
from experiments.support.servers import Behaviour, DashScopeServer, JudgeBehaviour, JudgeServer

AT_ONCE = 2  # jobs and questions that the campaign has on their way: no more can be lost
ON_ITS_WAY_SECONDS = 3.0  # a reply sent so long before a process ended may not be stored yet, on a busy machine
IMAGE_SECONDS, ANSWER_SECONDS = 0.2, 0.4  # while a verb is disturbed; afterwards nothing takes time
Bill = Counter[tuple[str, ...]]
LONGEST_SECONDS = 120.0  # of one process; what takes longer hangs
HUNG = -1000  # exit status of what did
_TELL = signal.SIGUSR2  # has a process write where each of its threads is
_GATHERED, _TOO_MANY = 24, 2  # where scores are in columns: rows that become files, files that become one
_PRELOADED = (
    "experiments.support.crash_process",
    "selector.campaign",
    "selector.cli.main",
    "generators.dashscope",
    "generators.faceswap",
    "generators.retouch",
    "generators.textedit",
    "scorers.artefacts",
    "scorers.gate",
    "scorers.preservation",
    "scorers.technical",
    "cv2",
    "jinja2",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "openai",
    "pyarrow.parquet",
    "selector.review._routes",
    "uvicorn",
)
_context = multiprocessing.get_context("forkserver")


class Servers:
    """All three, running. A bill counts images by ("image", prompt, seed), answers by ("answer", question) and readings
    by ("reading", prompt)."""

    def __init__(self, service: DashScopeServer, chat: JudgeServer, reader: ReadingServer) -> None:
        self._service, self._chat, self._reader = service, chat, reader
        self.service_url, self.chat_url, self.reading_url = service.url, chat.url, reader.url

    def take_time(self, takes: bool) -> None:
        """Let images and answers take their time, so that a signal can meet one on its way."""
        self._service.state.behaviour.job_seconds = IMAGE_SECONDS if takes else 0.0
        self._chat.behaviour.latency_seconds = ANSWER_SECONDS if takes else 0.0
        self._reader.latency_seconds = ANSWER_SECONDS if takes else 0.0

    def bill(self) -> Bill:
        """All that was made and answered so far."""
        return self._images(frozenset(), 0.0) + self._answers(0.0) + self._readings()

    def on_their_way(self, tickets: Set[str], ended_at: float) -> Bill:
        """What a process that ended then (seconds since 1970) paid for and could not have stored.

        Args:
            tickets: ids of the jobs that are stored.
            ended_at: when it ended.
        """
        if self._chat.first_seconds:
            time.sleep(1.5 * ANSWER_SECONDS)  # until what was asked last is answered, to nobody
        since = ended_at - ON_ITS_WAY_SECONDS
        return self._images(tickets, since) + self._answers(since) + self._readings(AT_ONCE)

    def _images(self, known: Set[str], since: float) -> Bill:
        lately = [
            job
            for job in self._service.state.listing()
            if job["id"] not in known and (job["lost"] or not job["told"] or job["told"] >= since)
        ]
        bill: Bill = Counter()
        for job in lately[-AT_ONCE:] if since else lately:
            seeds = range(job["seed"], job["seed"] + job["n"])
            bill.update(("image", job["prompt"], str(seed)) for seed in seeds)
        return bill

    def _answers(self, since: float) -> Bill:
        with self._chat.lock:
            log = list(self._chat.log)
        lately = [("answer", a.text, *a.images) for a in log if a.at >= since]
        return Counter(lately[-AT_ONCE:] if since else lately)

    def _readings(self, newest: int = 0) -> Bill:
        with self._reader.lock:
            return Counter(("reading", prompt) for prompt in self._reader.asked[-newest:])


@contextmanager
def serving() -> Iterator[Servers]:
    """Start them; they end with the block."""
    painting = Behaviour(key=KEY, job_seconds=0.0, picture_px=64)
    nothing: dict[str, dict[str, list[str]]] = {
        prompt: {"things": [], "relations": [], "texts": []} for _, _, prompt, _ in TASKS
    }
    with (
        DashScopeServer(painting) as service,
        JudgeServer(JudgeBehaviour()) as chat,
        ReadingServer(nothing) as reader,
    ):
        yield Servers(service, chat, reader)


_context.set_forkserver_preload(list(_PRELOADED))


@dataclass(frozen=True)
class Ended:
    """How a process ended; a signal's number is negative. ``said``: the end of its standard error."""

    status: int
    said: str


class Started:
    """A verb that runs in ``place``."""

    def __init__(self, process: BaseProcess, log: Path) -> None:
        self._process, self._log = process, log

    def send_after(self, seconds: float, sign: str) -> None:
        """Send a signal, unless the process ends before."""
        self._process.join(seconds)
        if self._process.exitcode is None and self._process.pid is not None:
            os.kill(self._process.pid, signal.Signals[f"SIG{sign}"])

    def ended(self) -> Ended:
        """Wait for the end."""
        self._process.join(LONGEST_SECONDS)
        if self._process.exitcode is None and self._process.pid is not None:
            os.kill(self._process.pid, _TELL)
            time.sleep(1.0)
            self._process.kill()
            self._process.join()
            return Ended(HUNG, f"it did not end within {LONGEST_SECONDS:.0f} s: {self._said()}")
        status = self._process.exitcode
        self._process.close()
        return Ended(status or 0, self._said().strip()[-300:])

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.is_file() else ""


def start(
    place: Path, words: Sequence[str], moment: Moment | None = None, sign: str = "KILL", count: Path | None = None
) -> Started:
    """Run a verb in ``place``.

    Args:
        moment: the event at which it sends itself ``sign``.
        count: gets the number of its events, as JSON.
    """
    log = place.with_name(f"{place.name}.log")
    process = _context.Process(target=_run, args=(place, list(words), log, moment, sign, count))
    process.start()
    return Started(process, log)


def _run(place: Path, words: list[str], log: Path, moment: Moment | None, sign: str, count: Path | None) -> None:
    """In the new process: what a shell would set, then the verb."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background would have it ignored
    faulthandler.register(_TELL)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w", encoding="utf-8")
    os.chdir(place)
    os.environ |= {KEY_ENV: KEY, "TMPDIR": str(place / TEMPORARY), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    tempfile.tempdir = None
    watch = Watch(moment, signal.Signals[f"SIG{sign}"])
    if moment is not None or count is not None:
        watch_files(watch)
        watch_database(watch)
    from selector.cli.main import program

    move_few()
    if words[0] == "review":
        threading.Thread(target=_visit, args=(log,), daemon=True).start()
    try:
        with threadpool_limits(1):
            program(words)
    finally:
        if count is not None:
            events = dict(watch.counts)
            count.write_text(json.dumps(events), encoding="ascii")


def move_few() -> None:
    """Let a few scores become a file by column, and a few files a larger one, in this process."""
    from selector.store import moving_scores

    moving_scores.GATHERED, moving_scores.TOO_MANY, moving_scores.MOVED_AT_ONCE = _GATHERED, _TOO_MANY, _GATHERED


def _visit(log: Path) -> None:
    """Decide on the page that this process serves, and end it as a user does."""
    end = time.monotonic() + LONGEST_SECONDS / 2
    while "http://" not in (said := log.read_text(encoding="utf-8")) and time.monotonic() < end:
        time.sleep(0.01)
    url = said.partition("\n")[0]
    for decision in (
        {"kind": "exclude", "task": "2", "generator": "retouch", "reason": "seen"},
        {"kind": "note", "task": "2", "reason": "seen"},
    ):
        headers = {"x-bestshot": "1", "content-type": "application/json"}
        request = urllib.request.Request(f"{url}api/decide", json.dumps(decision).encode(), headers)
        urllib.request.urlopen(request, timeout=30).close()
    os.kill(os.getpid(), signal.SIGINT)
