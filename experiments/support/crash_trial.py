"""The loop of the crash test with disturbances: verbs are ended, run again, and compared with the quiet loop."""

from __future__ import annotations

import json
import shutil
import time
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.support.crash_loop import (
    BACKUP,
    CAMPAIGN,
    GIVEN,
    INIT,
    LOOP,
    OTHER,
    OUT,
    SIGNALS,
    TEMPORARY,
    Verb,
    configure,
    make_contest,
    make_older,
    write_judgements,
)
from experiments.support.crash_process import HUNG, Bill, Servers, serving, start
from experiments.support.crash_state import Rows, faults_of, files_of, rows_of, tickets_of
from experiments.support.crash_store import FileStore
from experiments.support.killed_at import Moment
from selector.domain import BestshotError

EARLIER = 4  # times that a signal which came too late is sent again, after half of the time, and at last at once


@dataclass(frozen=True)
class Quiet:
    """What a verb did when it was left alone, and what it left: ``bill`` is what it made the servers charge for."""

    seconds: float
    events: dict[str, int]
    files: dict[str, str]
    rows: Rows
    bill: Bill


@dataclass(frozen=True)
class Run:
    """The undisturbed loop below ``place``: a copy before each verb, and what each left."""

    loop: Sequence[Verb]
    place: Path
    verbs: dict[str, Quiet]
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


def quiet_run(place: Path, store: FileStore, loop: Sequence[Verb]) -> Run:
    """A loop undisturbed, below a new ``place``."""
    make_contest(place / GIVEN)
    _make_other(place / GIVEN)
    here, verbs, submission = place / "quiet", {}, ""
    for name in (OUT, TEMPORARY):
        (here / name).mkdir(parents=True)
    make_older(here)
    store.begin(here)
    with serving() as servers:
        for verb in loop:
            store.copy(here, place / f"before {verb.name}")
            verbs[verb.name] = _left_alone(here, verb, verb.words(submission, store.url(here)), servers, store)
            if verb == INIT:
                _configure(here, servers, store)
            elif verb.name == "score --judge":
                write_judgements(here, store)
            elif verb.name == "backup":
                shutil.copy(here / OUT / BACKUP, place / GIVEN)
            submission = submission or next((p.name for p in (here / CAMPAIGN / "submissions").glob("*")), "")
    return Run(loop, place, verbs, submission, store)


def disturb(run: Run, trials: Sequence[Trial], here: Path, to_the_end: bool = False) -> list[Found]:
    """Disturb one loop in the new folder ``here`` by all the trials, which are of different verbs, in their order.

    After each the verb is run again, and then the loop goes on from what that left. Where something is wrong the next
    verb begins from the quiet run, and what was found wrong stays in ``here``.

    Args:
        to_the_end: go on after the last of them with all verbs that store something.
    """
    found = {trial.verb.name: (trial, Found()) for trial in trials}
    first, last = (run.loop.index(trial.verb) for trial in (trials[0], trials[-1]))
    newest = Found()
    with serving() as servers:
        place = begun(run, run.loop[first], here, servers)
        for verb in run.loop[first : None if to_the_end else last + 1]:
            trial, newest = found.get(verb.name, (None, newest))
            if trial is None and not verb.stores:
                continue
            faults = _count(newest)
            try:
                place = _one(run, verb, trial, place, servers, newest)
            except broken(run.store) as error:
                newest.wrong.append(f"cannot be compared: {error}")
            if _count(newest) > faults and verb != run.loop[-1]:
                later = run.loop[run.loop.index(verb) + 1]
                place = begun(run, later, here.with_name(f"{here.name} from {later.name}"), servers)
        if not any(map(_count, (one for _, one in found.values()))):
            run.store.remove(place)
    return [one for _, one in found.values()]


def _one(run: Run, verb: Verb, trial: Trial | None, here: Path, servers: Servers, found: Found) -> Path:
    """One verb, disturbed or not, and what it left; returns the place, another one where the signal came too late."""
    on_their_way: Bill = Counter()
    if verb.before is not None:
        verb.before(here)
    before = servers.bill()
    if trial is not None:
        for earlier in range(EARLIER + 1):
            on_their_way = _disturb(run, trial, here, servers, found, earlier)
            if found.running or earlier == EARLIER:
                break
            run.store.remove(here)
            begun(run, verb, here, servers)
            if verb.before is not None:
                verb.before(here)
            before = servers.bill()
    run_again(run, verb, here, "run again, " if trial else "after what was disturbed, ", found)
    _compare_bills(servers.bill() - before, run.verbs[verb.name].bill, on_their_way, found)
    compare(run, verb, here, found)
    if verb == INIT:
        _configure(here, servers, run.store)
    return here


def broken(store: FileStore) -> tuple[type[Exception], ...]:
    """What may be raised where what should be there is not."""
    return (OSError, ValueError, BestshotError, *store.errors)


def compare(run: Run, verb: Verb, here: Path, found: Found) -> None:
    """What a verb left, with what it left in the quiet run."""
    quiet = run.verbs[verb.name]
    _compare_files(files_of(here), quiet.files, found)
    found.wrong += faults_of(here, run.store)
    _compare_rows(rows_of(here, run.store), quiet.rows, found)


def begun(run: Run, verb: Verb, here: Path, servers: Servers) -> Path:
    """A copy of the quiet run before a verb."""
    run.store.copy(run.before(verb), here)
    if verb != INIT:
        _configure(here, servers, run.store)
    return here


def _configure(here: Path, servers: Servers, store: FileStore) -> None:
    urls = servers.service_url, servers.chat_url, servers.reading_url
    configure(here, *urls, store.url(here), store.scores)


def run_again(run: Run, verb: Verb, here: Path, how: str, found: Found) -> None:
    """Run a verb that was ended before its time; ``how``: words before what is wrong."""
    ended = start(here, verb.words(run.submission, run.store.url(here))).ended()
    if ended.status != 0 and not (ended.status == 2 and verb.done and verb.done in ended.said):
        found.wrong.append(f"{how}{verb.name} ended with {ended.status}: {ended.said}")


def _make_other(given: Path) -> None:
    """A colleague's campaign of the same contest."""
    made = ("init", OTHER, "--tasks", "task.csv", "--images", "imgs", "--team", "colleague")
    for words in (made, ("import", "colleague", "-C", OTHER)):
        ended = start(given, words).ended()
        if ended.status != 0:
            raise RuntimeError(f"for a colleague, {words[0]} ended with {ended.status}: {ended.said}")


def _left_alone(here: Path, verb: Verb, words: list[str], servers: Servers, store: FileStore) -> Quiet:
    if verb.before is not None:
        verb.before(here)
    count, before = here.parent / "count.json", servers.bill()
    servers.take_time(True)
    began = time.perf_counter()
    ended = start(here, words, count=count).ended()
    seconds = time.perf_counter() - began
    if ended.status != 0:
        raise RuntimeError(f"left alone, {verb.name} ended with {ended.status}: {ended.said}")
    events = json.loads(count.read_bytes())
    return Quiet(seconds, events, files_of(here), rows_of(here, store), servers.bill() - before)


def _disturb(run: Run, trial: Trial, here: Path, servers: Servers, found: Found, earlier: int = 0) -> Bill:
    """Send the signal and look at what it leaves; returns what was paid for and on its way.

    ``earlier``: how often it came too late before.
    """
    words = trial.verb.words(run.submission, run.store.url(here))
    before = faults_of(here, run.store) if trial.verb.before else []  # what it is there to mend
    servers.take_time(True)
    if isinstance(trial.moment, Moment) and not earlier:
        process = start(here, words, trial.moment, trial.sign)
    else:
        after = run.verbs[trial.verb.name].seconds
        if not isinstance(trial.moment, Moment):
            after = min(after, trial.moment) if earlier else trial.moment
        process = start(here, words)
        process.send_after(after / 2**earlier if earlier < EARLIER else 0.0, trial.sign)
    ended = process.ended()
    ended_at = time.time()
    servers.take_time(False)
    found.running = ended.status != 0
    found.wrong += [f"after the signal {ended.said}"] if ended.status == HUNG else []
    found.wrong += [fault for fault in faults_of(here, run.store) if fault not in before]
    return servers.on_their_way(tickets_of(here, run.store), ended_at)


def _count(found: Found) -> int:
    return len(found.lost) + len(found.doubled) + len(found.left_behind) + len(found.wrong)


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
        there = got.get(table, Counter())
        found.lost += [f"{n} x {table}: {row}"[:160] for row, n in (rows - there).items()]
        for row, n in (there - rows).items():
            (found.doubled if row in rows else found.wrong).append(f"{n} x {table}: {row}"[:160])
