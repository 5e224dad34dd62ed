"""Runs a verb of the program, and at the N-th event of a kind its process sends itself a signal, before or after it.

    python -m experiments.support.killed_at --at rename:3:after --signal KILL -- export -C FOLDER
    python -m experiments.support.killed_at --count OUT -- export -C FOLDER

Events, counted over all threads: a file opened for writing, a rename or link, an fsync, an INSERT, and the COMMIT of a
transaction that wrote. ``--count`` writes how many of each there were, as JSON. What SQLite itself opens and syncs is
not seen: its commit is one event here.
"""

from __future__ import annotations

import argparse
import builtins
import io
import json
import os
import pathlib
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

OPEN, RENAME, FSYNC, INSERT, COMMIT = "open", "rename", "fsync", "insert", "commit"
KINDS = (OPEN, RENAME, FSYNC, INSERT, COMMIT)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP")


@dataclass(frozen=True)
class Moment:
    """The ``number``-th event of a kind, from 1, or what follows right after it."""

    kind: str
    number: int
    after: bool = False

    @classmethod
    def read(cls, text: str) -> Moment:
        """From "rename:3" or "rename:3:after"; raises ``ArgumentTypeError``."""
        kind, number, *when = text.split(":") if ":" in text else (text, "")
        if kind not in KINDS or when not in ([], ["after"]) or not number.isdecimal() or int(number) < 1:
            raise argparse.ArgumentTypeError(
                f"expected KIND:NUMBER or KIND:NUMBER:after with one of {', '.join(KINDS)}, got {text}"
            )
        return cls(kind, int(number), bool(when))

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}{':after' if self.after else ''}"


class Watch:
    """Counts events; at ``moment`` the process gets ``sign``. Safe for threads."""

    def __init__(self, moment: Moment | None = None, sign: int = signal.SIGKILL) -> None:
        self.counts: Counter[str] = Counter()
        self._moment, self._sign = moment, sign
        self._lock = threading.Lock()

    @contextmanager
    def event(self, kind: str) -> Iterator[None]:
        """Around what happens."""
        with self._lock:
            self.counts[kind] += 1
            number = self.counts[kind]
        self._send_if(Moment(kind, number))
        yield
        self._send_if(Moment(kind, number, after=True))

    def _send_if(self, moment: Moment) -> None:
        if moment == self._moment:
            os.kill(os.getpid(), self._sign)


class _Watched:
    """A function with its events. No plain function: Python 3.10 keeps these as attributes of a class in pathlib."""

    def __init__(self, watch: Watch, kind: str, function: Callable[..., Any], counts: Callable[..., bool]) -> None:
        self._watch, self._kind, self._function, self._counts = watch, kind, function, counts

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._counts(*args, **kwargs):
            return self._function(*args, **kwargs)
        with self._watch.event(self._kind):
            return self._function(*args, **kwargs)


def watch_files(watch: Watch) -> None:
    """Let all that this process does with files count from now on."""
    opens = _Watched(watch, OPEN, io.open, lambda _file, mode="r", *_, **__: bool(set(mode) & set("wax+")))
    builtins.open = io.open = opens
    os_opens = _Watched(watch, OPEN, os.open, lambda _path, flags, *_, **__: bool(flags & _WRITING))
    os.open = os_opens
    for name, kind in (("replace", RENAME), ("rename", RENAME), ("link", RENAME), ("fsync", FSYNC)):
        setattr(os, name, _Watched(watch, kind, getattr(os, name), lambda *_, **__: True))
    accessor = getattr(pathlib, "_NormalAccessor", None)  # Python 3.10 keeps these functions there
    for name, function in (("open", opens), ("replace", os.replace), ("rename", os.rename), ("link", os.link)):
        if accessor is not None:
            setattr(accessor, name, function)


def watch_database(watch: Watch) -> None:
    """Let what SQLAlchemy hands to any database count from now on."""
    from sqlalchemy.engine.default import DefaultDialect

    wrote = threading.local()
    commit = DefaultDialect.do_commit

    def is_insert(_dialect: Any, _cursor: Any, statement: str, *_: Any, **__: Any) -> bool:
        word = statement.lstrip()[:6].upper()
        wrote.now = getattr(wrote, "now", False) or word.startswith(_CHANGES)
        return word == INSERT.upper()

    def has_written(*_: Any) -> bool:
        changed, wrote.now = getattr(wrote, "now", False), False
        return changed

    for name in ("do_execute", "do_executemany", "do_execute_no_params"):
        execute = _Watched(watch, INSERT, getattr(DefaultDialect, name), is_insert)
        setattr(DefaultDialect, name, _as_method(execute))
    DefaultDialect.do_commit = _as_method(_Watched(watch, COMMIT, commit, has_written))  # type: ignore[method-assign]


def _as_method(watched: _Watched) -> Callable[..., Any]:
    return lambda *args, **kwargs: watched(*args, **kwargs)


def main(arguments: list[str] | None = None) -> None:
    """Run the verb; exits with its status, unless the signal ends it."""
    options = argparse.ArgumentParser(prog="python -m experiments.support.killed_at", description=__doc__)
    options.add_argument("--at", type=Moment.read, metavar="KIND:N[:after]", help=f"kinds: {', '.join(KINDS)}")
    options.add_argument("--signal", choices=("KILL", "TERM", "INT"), default="KILL")
    options.add_argument("--count", metavar="OUT", help="write the number of events as JSON")
    options.add_argument("verb", nargs=argparse.REMAINDER, metavar="-- VERB …")
    chosen = options.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background would have it ignored
    watch = Watch(chosen.at, signal.Signals[f"SIG{chosen.signal}"])
    watch_files(watch)
    watch_database(watch)
    from selector.cli.main import program

    try:
        program([word for word in chosen.verb if word != "--"])
    finally:
        if chosen.count:
            counts = json.dumps({kind: watch.counts[kind] for kind in KINDS})
            pathlib.Path(chosen.count).write_text(counts, encoding="ascii")


if __name__ == "__main__":
    main()
