"""One input is read, within bounds: what may come is a value, or an error of the program's family in one short line."""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO, TextIOWrapper
from pathlib import Path

from experiments.support.hostile_inputs import Strategy, input_of
from selector.cli._language import silence_libraries, tell, tell_error
from selector.domain import BestshotError, OutOfResources
from selector.domain.errors import InputProblems, bounded

MOST_SECONDS = 2.0  # of the processor, for one input
MOST_MB = 300.0  # by which an input may raise the most memory that the process ever had
MOST_CHARACTERS = 2000  # of an error's line, the names of the input's folder and of the program aside
HEADROOM_MB = 4000  # of addresses, so that no input takes the machine's memory
_ROOT = Path(__file__).parents[2]
_SHOWN = 10  # of what is wrong with one input
_GOOD = ("value", "error")
_STEERING, _TURNING = ("Cc", "Cs", "Zl", "Zp"), ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


class Beside(list[str]):
    """Lines that people see beside a value."""


@dataclass(frozen=True)
class Reader:
    """One way by which an input comes in.

    Args:
        name: of the reader.
        seeds: makes its valid inputs, the same each time.
        read: reads one in an empty folder, by what the program itself reads it with; returns lines that people see.
        strategies: makes strategies of inputs that are of the right form and say wrong things.
        share: how many of a run's inputs it gets, to those of others.
        room: by how much its bounds of time and memory are wider.
        told: so many of the valid inputs are no value but something to tell: a service refuses, a file is of no task.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[bytes, Path], Sequence[str]]
    strategies: Callable[[], Sequence[Strategy]] = tuple
    share: float = 1.0
    told: int = 0
    room: float = 1.0

    def warm_up(self) -> None:
        """Read all valid inputs, so that what is imported at need costs no other input its time."""
        for data in self._made[0]:
            try_once(self, data)

    @cached_property
    def _made(self) -> tuple[Sequence[bytes], Sequence[Strategy]]:
        return self.seeds(), self.strategies()

    def input(self, seed: int, number: int) -> bytes:
        """The input of this number; the first ones are valid."""
        return input_of(self.name, seed, number, *self._made)


@dataclass(frozen=True)
class Outcome:
    """How an input was read: ``kind`` is "value", "error" (one of the program's), or of what went wrong, with why."""

    kind: str
    why: str
    seconds: float
    mb: float


def try_once(reader: Reader, data: bytes) -> Outcome:
    """Read one input, in a folder that is gone afterwards."""
    with _place() as place:
        before, began = _peak_mb(), time.process_time()
        kind, why = _read(reader, data, place)
        seconds, mb = time.process_time() - began, _peak_mb() - before
        left = sorted(path.name for path in place.iterdir())
    if kind in _GOOD:
        if left:
            kind, why = "left behind", f"a file called like {_plain(left[0])}"
        elif seconds > reader.room * MOST_SECONDS:
            kind, why = "slow", f"over {reader.room * MOST_SECONDS:g} s ({why})"
        elif mb > reader.room * MOST_MB:
            kind, why = "memory", f"over {reader.room * MOST_MB:g} MB ({why})"
    return Outcome(kind, why, seconds, mb)


def _read(reader: Reader, data: bytes, place: Path) -> tuple[str, str]:
    """(kind, why); what is wrong with a line is looked for in what the program writes on stderr, as it stands there."""
    with _stderr() as written:
        kind, why, told = _told(reader, data, place)
        shown = written()
    if kind not in _GOOD:
        return kind, why
    fault = _fault_of(shown.replace(str(place / "in"), ""), told)
    return (fault, f"{why}: {shown[:150]!r}") if fault else (kind, why)


def _told(reader: Reader, data: bytes, place: Path) -> tuple[str, str, int]:
    """(kind, why, lines on stderr): what people would see of the input is printed by what the program prints with."""
    silence_libraries()  # as the program does
    try:
        lines = reader.read(data, place / "in")
        for line in lines:
            tell(line)
        is_value = not lines or isinstance(lines, Beside)
        return ("value", "a value", len(lines)) if is_value else ("error", "told", len(lines))
    except OutOfResources as error:
        return "blames the machine", f"{_of_ours(error)}: {str(error)[:100]}", 1
    except BestshotError as error:
        tell_error(str(error))
        more = error.problems[:_SHOWN] if isinstance(error, InputProblems) else ()
        for one in more:
            tell(" ".join(bounded(one).split()))
        return "error", f"{_of_ours(error)}: {type(error).__name__}", 1 + len(more)
    except Exception as error:
        return type(error).__name__, f"{_of_ours(error)}: {str(error)[:150]!r}", 1
    finally:
        shutil.rmtree(place / "in", ignore_errors=True)


def _fault_of(shown: str, told: int) -> str:
    """What is wrong with what stands on stderr, where so many lines were told; "" for nothing."""
    lines = shown.split("\n")
    if any(_steers(letter) for line in lines for letter in line):
        return "steers a terminal"
    if lines.pop() or len(lines) != told:
        return "another number of lines than were told"
    if any(not line.removeprefix("bestshot:").strip() for line in lines):
        return "says nothing"
    longest = max(map(len, lines), default=0) - len("bestshot: ")
    return f"line of over {MOST_CHARACTERS} characters" if longest > MOST_CHARACTERS else ""


def _steers(letter: str) -> bool:
    """Whether a terminal obeys it: a control but a tab, a mark that turns the writing round, half of a pair."""
    return letter != "\t" and (
        unicodedata.category(letter) in _STEERING or unicodedata.bidirectional(letter) in _TURNING
    )


class _Terminal(TextIOWrapper):
    """A stream that is taken for a terminal: from what goes elsewhere its sequences are taken away."""

    def isatty(self) -> bool:
        return True


@contextmanager
def _stderr() -> Iterator[Callable[[], str]]:
    """Where all that Python writes on stderr goes meanwhile; called, it gives what was written.

    What libraries write without Python is theirs: libtiff's words on a damaged JPEG within can be muted by nobody.
    """
    raw = BytesIO()
    with redirect_stderr(_Terminal(raw, encoding="utf-8", newline="", write_through=True)):
        yield lambda: raw.getvalue().decode("utf-8")


def _of_ours(error: BaseException) -> str:
    """Where in the program it came out: the deepest of our own frames."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(_ROOT))]
    ours = [frame for frame in frames if "/support/hostile_" not in frame.filename]
    return f"{Path(ours[-1].filename).relative_to(_ROOT)}:{ours[-1].lineno}" if ours else "the experiment itself"


def _plain(name: str) -> str:
    """A name without what differs each time."""
    return "".join("0" if letter in "0123456789abcdef" else letter for letter in name)[:60]


@contextmanager
def _place() -> Iterator[Path]:
    """An empty folder, where temporary files go too."""
    before = tempfile.tempdir
    place = Path(tempfile.mkdtemp(prefix="bestshot-hostile-"))
    (place / "in").mkdir()
    tempfile.tempdir = str(place)
    try:
        yield place
    finally:
        tempfile.tempdir = before
        shutil.rmtree(place, ignore_errors=True)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bound_memory() -> None:
    """Let this process have so much more address space and no more; it raises ``MemoryError`` beyond."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + HEADROOM_MB * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
