"""One of the soak's processes: verbs of the command line, drawn at random, one after another for some time.

    python -m experiments.support.soak_work PLACE NUMBER SECONDS SEED

Each verb is a process of its own, forked from this one, which has imported the program already, and ends as any program
in Python does. What became of it is a line of JSON in ``PLACE/journal``, with what it promised if it ended with 0.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from experiments.support.crash_loop import CAMPAIGN, GIVEN, OUT, TEMPORARY, picture

JOURNAL = "journal"
TASKS = tuple(
    (str(n), "tie", "make the picture brighter", True) if n % 2 else (str(n), "t2i", f"桌子上的{n}本书", False)
    for n in range(1, 25)
)
FILES = 3  # of an import
_WARM = (
    "selector.campaign",
    "selector.cli.main",
    "generators.dashscope",
    "generators.retouch",
    "scorers.artefacts",
    "scorers.gate",
    "scorers.preservation",
    "scorers.technical",
    "cv2",
    "jinja2",
    "matplotlib.figure",
    "psycopg",
)


@dataclass(frozen=True)
class Step:
    """A verb to run, and what must be in the store once it ended with 0.

    ``promise``: note: its text. imported: [generator, file, …]. total: [submission, value]. excluded: the reason.
    """

    words: tuple[str, ...]
    promise: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """A verb that ended. ``out`` and ``said``: what it printed on standard output and error, shortened."""

    verb: str
    words: tuple[str, ...]
    status: int
    seconds: float
    out: str
    said: str
    promise: dict[str, Any]


class Worker:
    """Draws verbs, for the working folder that holds ``campaign``, ``given`` and ``out``."""

    def __init__(self, number: int, seed: int) -> None:
        self._number, self._rng, self._turn = number, Random(f"{seed} {number}"), 0

    def steps(self) -> Iterator[Step]:
        """Without end."""
        while True:
            self._turn += 1
            (draw,) = self._rng.choices(list(_WAYS), list(_WAYS.values()))
            yield from draw(self)

    @property
    def _name(self) -> str:
        return f"w{self._number}-{self._turn}"

    def task(self) -> str:
        return self._rng.choice(TASKS)[0]

    def candidate(self) -> str:
        """A short id; of a picture that may have no row yet."""
        return self._rng.choice([path.name for path in Path(CAMPAIGN, "images").glob("*/*.jpg")] or ["0000"])[:12]

    def more(self) -> Iterator[Step]:
        plan = f"{OUT}/{self._name}.csv"
        yield Step(("plan", "--generate", "4", "--out", plan))
        yield Step(("generate", "--plan", plan))

    def take(self) -> Iterator[Step]:
        """Pictures that nobody has, under names that nobody has."""
        folder = Path(GIVEN, self._name)
        folder.mkdir()
        files = [f"{self.task()}_{self._name}-{n}.jpg" for n in range(FILES)]
        for name in files:
            (folder / name).write_bytes(picture(np.random.default_rng(self._rng.getrandbits(64))))
        label = f"hand{self._number}"
        words = ("import", str(folder), "--label", label, "--out", f"{OUT}/{self._name}.csv")
        yield Step(words, {"imported": [f"folder:{label}", *files]})

    def judged(self) -> Iterator[Step]:
        yield Step(("score", "--judge", "toy", "--limit", "4"))

    def excluded(self) -> Iterator[Step]:
        reason, candidate = f"a try of {self._name}", self.candidate()
        yield Step(("exclude", "--candidate", candidate, "--reason", reason), {"excluded": reason})
        if self._rng.random() < 0.7:
            yield Step(("include", "--candidate", candidate))

    def noted(self) -> Iterator[Step]:
        text = f"remark {self._name}"
        yield Step(("note", self.task(), text), {"note": text})

    def recorded(self) -> Iterator[Step]:
        made = sorted(path.name for path in Path(CAMPAIGN, "submissions").glob("*") if path.name[0] != ".")
        if not made:
            yield Step(("export", "--allow-fallbacks"))
            return
        one = self._rng.choice(made)
        if self._rng.random() < 0.5:
            yield Step(("record", one, "--withdraw", "--reason", f"a try of {self._name}"))
            return
        value = round(self._rng.uniform(1, 5), 4)
        yield Step(("record", one, "--score", str(value), "--reason", self._name), {"total": [one, value]})

    def backed_up(self) -> Iterator[Step]:
        yield Step(("backup", f"{OUT}/{self._name}.zip"), {"backup": f"{OUT}/{self._name}.zip"})

    def explained(self) -> Iterator[Step]:
        yield Step(("explain", self.task()))


def _always(*words: str) -> Callable[[Worker], Iterator[Step]]:
    return lambda _: iter([Step(words)])


_WAYS: dict[Callable[[Worker], Iterator[Step]], float] = {
    _always("generate"): 2,
    Worker.more: 2,
    Worker.take: 3,
    _always("score"): 5,
    Worker.judged: 3,
    _always("pick", "--replace"): 3,
    _always("plan", "--remaining", "5"): 2,
    _always("export", "--allow-fallbacks"): 3,
    Worker.recorded: 3,
    Worker.excluded: 2,
    Worker.noted: 2,
    _always("status"): 3,
    _always("next"): 1,
    _always("quota"): 1,
    Worker.explained: 1,
    _always("calibrate"): 1,
    _always("report"): 1,
    Worker.backed_up: 1,
    _always("doctor"): 1,
}


def kind_of(words: tuple[str, ...]) -> str:
    """The verb, with the option that makes it another one."""
    marks = [word for word in words[1:] if word in ("--judge", "--plan", "--generate", "--withdraw", "--score")]
    return " ".join([words[0], *marks])


def run(words: tuple[str, ...], said: str) -> Ran:
    """Run one verb to its end; in the new process this never returns. ``said``: a path for what it prints."""
    began = time.perf_counter()
    process = os.fork()
    if process == 0:
        for number, path in ((1, f"{said}.out"), (2, f"{said}.err")):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        sys.stdout, sys.stderr = os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w", encoding="utf-8")
        import_module("selector.cli.main").main([*words, "-C", CAMPAIGN])
    _, status = os.waitpid(process, 0)
    seconds = time.perf_counter() - began
    out, err = (Path(f"{said}{end}").read_text(encoding="utf-8", errors="replace") for end in (".out", ".err"))
    for end in (".out", ".err"):
        Path(f"{said}{end}").unlink()
    code = os.waitstatus_to_exitcode(status)
    return Ran(kind_of(words), words, code, round(seconds, 3), out[-500:], err[-4000:], {})


def main() -> None:
    place, number, seconds, seed = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    os.chdir(place)
    tempfile.tempdir = TEMPORARY
    for name in _WARM:
        import_module(name)
    until = time.monotonic() + seconds
    journal = Path(JOURNAL, f"{number}.jsonl")
    for step in Worker(number, seed).steps():
        if time.monotonic() > until:
            break
        ran = run(step.words, f"{JOURNAL}/{number}")
        promised = ran.status == 0 and "nothing was left to do" not in ran.out  # another had decided so
        line = {**asdict(ran), "promise": step.promise if promised else {}}
        with journal.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
