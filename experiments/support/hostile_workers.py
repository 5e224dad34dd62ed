"""Processes that read inputs, batch by batch; one that hangs is ended, and one that dies is noticed, at its input.

All their files lie below one folder, which goes with the process that gives them their work; or with the next such
process, where that one was killed.
"""

from __future__ import annotations

import faulthandler
import math
import multiprocessing
import os
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from experiments.support.hostile_trial import Outcome, bound_memory, try_once
from selector.domain.files import scratch_folder

HANG_SECONDS = 60.0  # without a sign of the end of an input; what it waited for a processor does not count
_STARTING_SECONDS = 90.0  # the first input of a reader imports what it needs
FILES = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None  # where the folder of all processes is
_MOST_TIMES = 20  # of these bounds by the clock alone, whatever it waited for
_GOOD = ("value", "error")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Batch:
    """Inputs of one reader, by their numbers."""

    reader: str
    seed: int
    first: int
    count: int


@dataclass
class Result:
    """What came of some inputs: counts by kind, the worst, and what went wrong as (number, kind, why)."""

    reader: str
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)  # seconds of the processor, number
    largest: tuple[float, int] = (0.0, 0)  # MB by which the most memory rose, number
    bytes: int = 0

    def add(self, number: int, outcome: Outcome, size: int) -> None:
        self.counts[outcome.kind] += 1
        self.slowest = max(self.slowest, (outcome.seconds, number))
        self.largest = max(self.largest, (outcome.mb, number))
        self.bytes += size
        if outcome.kind not in _GOOD:
            self.findings.append((number, outcome.kind, outcome.why))

    def join(self, other: Result) -> None:
        self.counts += other.counts
        self.findings += other.findings
        self.slowest, self.largest = max(self.slowest, other.slowest), max(self.largest, other.largest)
        self.bytes += other.bytes


def read_all(batches: Sequence[Batch], jobs: int, seconds: float = math.inf) -> Iterator[Result]:
    """What came of each batch, in no order; a batch whose process ended is gone on with by another one.

    No batch is begun after so many ``seconds``.
    """
    left, ends = list(reversed(batches)), time.monotonic() + seconds
    with scratch_folder(FILES) as place:
        yield from _read_all(left, ends, [_Worker(place) for _ in range(min(jobs, len(batches)))])


def _read_all(left: list[Batch], ends: float, workers: Sequence[_Worker]) -> Iterator[Result]:
    try:
        while left or any(worker.batch for worker in workers):
            if time.monotonic() > ends:
                left.clear()
            for worker in workers:
                if worker.batch is None and left:
                    worker.begin(left.pop())
            wait([worker.end for worker in workers if worker.batch], timeout=1.0)
            for worker in workers:
                result, rest = worker.look()
                if rest is not None and rest.count:
                    left.append(rest)
                if result is not None:
                    yield result
    finally:
        for worker in workers:
            worker.close()


def read_here(batch: Batch) -> Result:
    """The same in this process, without an end for what hangs."""
    from experiments.support.hostile_readers import READERS

    reader, result = READERS[batch.reader], Result(batch.reader)
    for number in range(batch.first, batch.first + batch.count):
        data = reader.input(batch.seed, number)
        result.add(number, try_once(reader, data), len(data))
    return result


class _Worker:
    """One process at a time, with what it has been given."""

    def __init__(self, place: Path) -> None:
        self.batch: Batch | None = None
        self._place = place
        self._process: BaseProcess | None = None
        self.end: Connection
        self._part: Result | None = None
        self._next, self._bound = 0, _STARTING_SECONDS

    def begin(self, batch: Batch) -> None:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self.end, other = context.Pipe()
            self._process = context.Process(target=_work, args=(other, self._place), daemon=True)
            self._process.start()
            other.close()
        self.batch, self._part, self._next = batch, Result(batch.reader), batch.first
        self._begin_input(_STARTING_SECONDS)
        self.end.send(batch)

    def look(self) -> tuple[Result | None, Batch | None]:
        """The batch's result once it has one, and what is left of a batch whose process is gone."""
        if self.batch is None or self._part is None:
            return None, None
        try:
            while self.end.poll():
                number, outcome, size = self.end.recv()
                if outcome is None:
                    return self._ended(None)
                self._part.add(number, outcome, size)
                self._next = number + 1
                self._begin_input(HANG_SECONDS)
        except (EOFError, OSError):
            return self._ended(self._how_it_died())
        if self._hangs():
            return self._ended(Outcome("hangs", f"{self._where()}: over {self._bound:g} s", self._bound, 0.0))
        return None, None

    def _begin_input(self, bound: float) -> None:
        self._bound, self._since, self._starved = bound, time.monotonic(), self._queued_seconds()

    def _hangs(self) -> bool:
        """Whether an input's time is over: on a busy machine most of it may be spent waiting for a processor."""
        passed = time.monotonic() - self._since
        if passed <= self._bound:
            return False
        before = self._starved
        starved = sum(seconds - before.get(thread, 0.0) for thread, seconds in self._queued_seconds().items())
        return passed - starved > self._bound or passed > _MOST_TIMES * self._bound

    def _queued_seconds(self) -> dict[str, float]:
        """How long each thread of the process has been ready to run and was not let."""
        found = {}
        for path in Path(f"/proc/{self._process.pid if self._process else 0}/task").glob("*/schedstat"):
            with suppress(OSError):  # a thread that has ended meanwhile
                found[path.parent.name] = int(path.read_text(encoding="ascii").split()[1]) / 1e9
        return found

    def _where(self) -> str:
        """Of a process that is told to write where each of its threads is: the deepest of our frames."""
        assert self._process is not None and self._process.pid is not None
        file = self._place / f"{self._process.pid}-stacks"
        os.kill(self._process.pid, signal.SIGUSR1)
        self._process.join(1.0)
        return where_of(file.read_text(encoding="utf-8", errors="replace") if file.is_file() else "")

    def _ended(self, last: Outcome | None) -> tuple[Result | None, Batch | None]:
        part, batch, rest = self._part, self.batch, None
        assert part is not None and batch is not None
        self.batch = self._part = None
        if last is not None:
            part.add(self._next, last, 0)
            done = self._next + 1 - batch.first
            rest = Batch(batch.reader, batch.seed, self._next + 1, batch.count - done)
            self.close()
        return part, rest

    def _how_it_died(self) -> Outcome:
        assert self._process is not None
        self._process.join(5.0)
        code = self._process.exitcode or 0
        name = signal.Signals(-code).name if code < 0 else f"status {code}"
        return Outcome("ends the process", name, 0.0, 0.0)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()
            self.end.close()


def where_of(stacks: str) -> str:
    """Of ``faulthandler``'s words the main thread's deepest frames: a library's, and the program's own."""
    frames = re.findall(r'File "(.+?)", line (\d+) in', stacks.rpartition("most recent call first")[2])
    names = [f"{file}:{line}".removeprefix(f"{_ROOT}/") for file, line in frames]
    ours = next((name for name in names if not name.startswith("/")), "nowhere known")
    return f"{ours} (in {names[0]})" if names and names[0] != ours else ours


def _work(end: Connection, place: Path) -> None:
    """Read batches until nobody gives any; libraries say nothing on the way."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(place)
    stacks = (place / f"{os.getpid()}-stacks").open("w", encoding="utf-8")
    faulthandler.register(signal.SIGUSR1, stacks)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    if not os.environ.get("BESTSHOT_HOSTILE_LOUD"):
        os.dup2(silence, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from experiments.support.hostile_readers import READERS

    bounded = set()
    while True:
        batch: Any = end.recv()
        reader = READERS[batch.reader]
        if batch.reader not in bounded:
            reader.warm_up()
            bounded.add(batch.reader)
            bound_memory()
        for number in range(batch.first, batch.first + batch.count):
            data = reader.input(batch.seed, number)
            end.send((number, try_once(reader, data), len(data)))
        end.send((0, None, 0))
