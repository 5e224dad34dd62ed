"""One trial of the crash test: a verb is disturbed, run again, the rest of the loop follows, and all is compared."""

from __future__ import annotations

import json
import sqlite3
import time
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from experiments.support.crash_loop import (
    CAMPAIGN,
    GIVEN,
    INIT,
    LOOP,
    OUT,
    TEMPORARY,
    Verb,
    configure,
    make_contest,
    write_judgements,
)
from experiments.support.crash_process import HUNG, Bill, Servers, serving, start
from experiments.support.crash_state import Rows, faults_of, files_of, rows_of, tickets_of
from experiments.support.crash_store import FileStore
from experiments.support.killed_at import Moment
from selector.domain import BestshotError

SIGNALS = ("KILL", "TERM", "INT")


@dataclass(frozen=True)
class Quiet:
    """What a verb did when it was left alone, and what it left: ``bill`` is of the servers from the start on."""

    seconds: float
    events: dict[str, int]
    files: dict[str, str]
    bill: Bill


@dataclass(frozen=True)
class Run:
    """The undisturbed loop below ``place``: a copy before each verb, and the end."""

    place: Path
    verbs: dict[str, Quiet]
    rows: Rows
    submission: str
    store: FileStore = field(default_factory=FileStore)

    def before(self, verb: Verb) -> Path:
        return self.place / f"before {verb.name}"


@dataclass(frozen=True)
class Trial:
    """A verb with a signal at a moment: an event, or so many seconds after its start."""

    verb: Verb
    sign: str
    moment: Moment | float

    def __str__(self) -> str:
        moment = self.moment if isinstance(self.moment, Moment) else f"{self.moment:.3f}"
        return f"{self.verb.name},{self.sign},{moment}"

    @classmethod
    def read(cls, text: str) -> Trial:
        """From what ``str`` gives; raises ``ArgumentTypeError``."""
        name, sign, when = (*text.split(","), "", "")[:3]
        verbs = {verb.name: verb for verb in LOOP}
        if name not in verbs or sign not in SIGNALS:
            raise ArgumentTypeError(f"expected VERB,SIGNAL,MOMENT with a verb of {', '.join(verbs)}, got {text}")
        return cls(verbs[name], sign, Moment.read(when) if ":" in when else float(when))


@dataclass
class Found:
    """What a trial came to.

    ``on_their_way``: images and answers paid for again because a kill came before the first could be stored.
    """

    running: bool = False  # the signal met the process while it was running
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    on_their_way: int = 0


def quiet_run(place: Path, store: FileStore) -> Run:
    """The whole loop undisturbed, below a new ``place``."""
    make_contest(place / GIVEN)
    here, verbs, submission = place / "quiet", {}, ""
    for name in (OUT, TEMPORARY):
        (here / name).mkdir(parents=True)
    store.begin(here)
    with serving() as servers:
        for verb in LOOP:
            store.copy(here, place / f"before {verb.name}")
            verbs[verb.name] = _left_alone(here, verb, verb.words(submission, store.url(here)), servers)
            if verb == INIT:
                configure(here, servers.service_url, servers.chat_url, store.url(here), store.scores)
            elif verb.name == "score --judge":
                write_judgements(here, store)
            submission = next((p.name for p in (here / CAMPAIGN / "submissions").glob("*")), "")
    return Run(place, verbs, rows_of(here, store), submission, store)


def try_once(run: Run, trial: Trial, here: Path) -> Found:
    """Disturb a copy of the campaign in the new folder ``here``, let it finish, and compare."""
    found = Found()
    run.store.copy(run.before(trial.verb), here)
    with serving() as servers:
        try:
            _try(run, trial, here, servers, found)
        except (OSError, sqlite3.Error, BestshotError) as error:  # what should be there is not, or cannot be read
            found.wrong.append(f"cannot be compared: {error}")
    return found


def _try(run: Run, trial: Trial, here: Path, servers: Servers, found: Found) -> None:
    verb = trial.verb
    if verb != INIT:
        configure(here, servers.service_url, servers.chat_url, run.store.url(here), run.store.scores)
    on_their_way = _disturb(run, trial, here, servers, found)
    _run_again(run, verb, here, "run again, ", found)
    _compare_files(files_of(here), run.verbs[verb.name].files, found)
    if verb == INIT:
        configure(here, servers.service_url, servers.chat_url, run.store.url(here), run.store.scores)
    for later in LOOP[LOOP.index(verb) + 1 :]:
        if later.stores:
            _run_again(run, later, here, "", found)
            _compare_files(files_of(here), run.verbs[later.name].files, found)
    due = run.verbs[LOOP[-1].name].bill - _bill_before(run, verb)
    _compare_bills(servers.bill(), due, on_their_way, found)
    found.wrong += faults_of(here, run.store)
    _compare_rows(rows_of(here, run.store), run.rows, found)


def _left_alone(here: Path, verb: Verb, words: list[str], servers: Servers) -> Quiet:
    count = here.parent / "count.json"
    servers.take_time(True)
    began = time.perf_counter()
    ended = start(here, words, count=count).ended()
    seconds = time.perf_counter() - began
    if ended.status != 0:
        raise RuntimeError(f"left alone, {verb.name} ended with {ended.status}: {ended.said}")
    return Quiet(seconds, json.loads(count.read_bytes()), files_of(here), servers.bill())


def _disturb(run: Run, trial: Trial, here: Path, servers: Servers, found: Found) -> Bill:
    """Send the signal and look at what it leaves; returns what was paid for and on its way."""
    words = trial.verb.words(run.submission, run.store.url(here))
    servers.take_time(True)
    if isinstance(trial.moment, Moment):
        process = start(here, words, trial.moment, trial.sign)
    else:
        process = start(here, words)
        process.send_after(trial.moment, trial.sign)
    ended = process.ended()
    ended_at = time.time()
    servers.take_time(False)
    found.running = ended.status != 0
    found.wrong += [f"after the signal {ended.said}"] if ended.status == HUNG else []
    found.wrong += faults_of(here, run.store)
    return servers.on_their_way(tickets_of(here, run.store), ended_at)


def _run_again(run: Run, verb: Verb, here: Path, how: str, found: Found) -> None:
    ended = start(here, verb.words(run.submission, run.store.url(here))).ended()
    if ended.status != 0:
        found.wrong.append(f"{how}{verb.name} ended with {ended.status}: {ended.said}")


def _bill_before(run: Run, verb: Verb) -> Bill:
    place = LOOP.index(verb)
    return run.verbs[LOOP[place - 1].name].bill if place else Counter()


def _compare_files(got: dict[str, str], wanted: dict[str, str], found: Found) -> None:
    """Adds what was not found before."""
    _add(found.lost, (f"file {n}" for n in wanted.keys() - got.keys() if not n.endswith("/")))  # or a filled folder
    _add(found.left_behind, got.keys() - wanted.keys())
    _add(found.wrong, (f"other bytes: {n}" for n in got.keys() & wanted.keys() if got[n] != wanted[n]))


def _add(faults: list[str], more: Iterable[str]) -> None:
    faults += sorted(set(more) - set(faults))


def _compare_bills(got: Bill, due: Bill, on_their_way: Bill, found: Found) -> None:
    """What was paid beyond need, and how much of it was on its way when the disturbed process ended."""
    beyond = got - due
    found.on_their_way = (beyond & on_their_way).total()
    found.doubled += [f"{n} x paid: {' '.join(what)[-80:]}" for what, n in (beyond - on_their_way).items()]


def _compare_rows(got: Rows, wanted: Rows, found: Found) -> None:
    for table, rows in wanted.items():
        found.lost += [f"{n} x {table}: {row}"[:160] for row, n in (rows - got[table]).items()]
        for row, n in (got[table] - rows).items():
            (found.doubled if row in rows else found.wrong).append(f"{n} x {table}: {row}"[:160])
