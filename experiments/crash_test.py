"""Ends every verb by SIGKILL, SIGTERM or Ctrl-C at every kind of moment, resumes, and compares with a quiet run.

    python -m experiments.crash_test --kills 200 --json out.json

A moment is an instant, uniform over the time that the verb takes when left alone, or the N-th file opened for writing,
rename, fsync, INSERT or COMMIT, N uniform over those of the quiet run: just before it, or right after it. After each,
at once: the database is whole, every candidate has its bytes, no file under its own name is half. Then the verb is run
again, and after it all later verbs that store something. Each must end as it does when left alone; rows, files, what
two loopback servers charged for, and the pictures' bytes must be those of the quiet run. Tables are read with plain
sqlite3 or psycopg, not by the code under test; ``--store postgresql`` lays them on a PostgreSQL of its own, and with
``sqlite-columns`` a few scores become a file by column, and a few files a larger one: what a row names must be there.

lost: rows or files that are missing. doubled: rows, images or answers that are there, or were paid, more often.
left behind: files that the quiet run does not have, in the campaign, beside it, where pictures and tables were to go,
and among temporary files. wrong: everything else that differs. The last two images or answers that were made
before the end, not stored, and therefore paid for again are counted apart (on their way): a kill costs these.

Each verb is a process of its own, forked from one that has imported the program, so that signals meet it at its work;
``support/killed_at.py`` does the same to a verb that Python starts. ``--trial`` repeats what a note names.
``--two-folders`` lets two copies of a campaign on one file of SQLite work at one service, and kills one of them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from random import Random

from tqdm import tqdm

from experiments.support.crash_loop import LOOP, Verb
from experiments.support.crash_store import STORES, store_of
from experiments.support.crash_trial import SIGNALS, Found, Run, Trial, quiet_run, try_once
from experiments.support.killed_at import KINDS, Moment
from experiments.support.outcome import finish, parser
from experiments.support.two_folders import TwoFolders, measure_two_folders

QUICK_KILLS, USUAL_KILLS = 40, 200
NOTES = 5  # of each verb
COUNTED = ("lost", "doubled", "left_behind", "wrong")


@dataclass
class Counts:
    """Counts over the kills of a verb; ``notes`` say what it takes to repeat the first that went wrong."""

    kills: int = 0
    killed_while_running: int = 0
    lost: int = 0
    doubled: int = 0
    left_behind: int = 0
    wrong: int = 0
    paid_on_their_way: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, trial: Trial, found: Found) -> None:
        self.kills += 1
        self.killed_while_running += found.running
        self.paid_on_their_way += found.on_their_way
        for name in COUNTED:
            faults = getattr(found, name)
            setattr(self, name, getattr(self, name) + len(faults))
            self.notes += [f'--trial "{trial}": {name}: {fault}' for fault in faults[:1]]

    def join(self, other: Counts) -> None:
        for name in ("kills", "killed_while_running", "paid_on_their_way", *COUNTED):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def faults(self) -> int:
        return self.lost + self.doubled + self.left_behind + self.wrong


def main(arguments: list[str] | None = None) -> int:
    chosen = _options().parse_args(arguments)
    verbs = [verb for verb in LOOP if chosen.verbs is None or verb.name in chosen.verbs]
    both = TwoFolders()
    with _place(chosen.keep) as place, store_of(chosen.store) as store:
        by_verb: dict[str, Counts] = {}
        if chosen.kills or chosen.trial:
            run = quiet_run(place, store)
            trials = chosen.trial or list(planned(run, verbs, chosen.kills, chosen.seed))
            by_verb = measure(run, trials, chosen.jobs)
        if chosen.two_folders:
            both = measure_two_folders(place / "two", chosen.two_folders, chosen.seed)
    total = Counts()
    for counts in by_verb.values():
        total.join(counts)
    results = {**by_verb, "total": total}
    written = {name: asdict(counts) for name, counts in results.items()} | {"two_folders": asdict(both)}
    finish(written, [*describe(results), *both.describe()], chosen.json)
    return int(bool(total.faults or both.faults))


def planned(run: Run, verbs: Sequence[Verb], kills: int, seed: int) -> Iterator[Trial]:
    """Kills in turn over the verbs, twice as many for those that store; each verb meets every kind of moment."""
    storing = [verb for verb in verbs if verb.stores]
    drawn = {verb.name: _moments(run, verb, Random(f"{seed} {verb.name}")) for verb in verbs}
    for verb in islice(cycle([*storing, *verbs]), kills):
        yield next(drawn[verb.name])


def _moments(run: Run, verb: Verb, rng: Random) -> Iterator[Trial]:
    """Endless trials of one verb: over all kinds of moments that it has, in a random order, and all signals."""
    quiet = run.verbs[verb.name]
    kinds = [kind for kind in KINDS if quiet.events.get(kind)]
    ways = [("instant", False), *((kind, after) for kind in kinds for after in (False, True))]
    rng.shuffle(ways)
    signs = rng.sample(SIGNALS, len(SIGNALS))
    for turn, (kind, after) in enumerate(cycle(ways)):
        sign = signs[(turn + turn // len(ways)) % len(signs)]
        if kind == "instant":
            yield Trial(verb, sign, round(rng.uniform(0, quiet.seconds), 3))
        else:
            yield Trial(verb, sign, Moment(kind, rng.randint(1, quiet.events[kind]), after))


def measure(run: Run, trials: Sequence[Trial], jobs: int) -> dict[str, Counts]:
    """All trials, ``jobs`` at once, each in a copy of its own that stays only where something went wrong."""
    by_verb = {verb.name: Counts() for verb in LOOP if any(trial.verb == verb for trial in trials)}
    for trial, found in zip(trials, tqdm(_all_tried(run, trials, jobs), total=len(trials), disable=None), strict=True):
        counts = by_verb[trial.verb.name]
        told = len(counts.notes)
        counts.add(trial, found)
        print("".join(f"{note}\n" for note in counts.notes[told:]), end="", file=sys.stderr, flush=True)
    return by_verb


def _all_tried(run: Run, trials: Sequence[Trial], jobs: int) -> Iterator[Found]:
    """What each trial came to, in their order. Processes, because threads would meet in the book of their children."""
    work, numbered = partial(_tried, run), list(enumerate(trials))
    if jobs == 1:
        yield from map(work, numbered)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, numbered)


def _tried(run: Run, numbered: tuple[int, Trial]) -> Found:
    number, trial = numbered
    here = run.place / f"trial {number}"
    found = try_once(run, trial, here)
    if not any(getattr(found, name) for name in COUNTED):
        run.store.remove(here)
    return found


def describe(by_verb: dict[str, Counts]) -> list[str]:
    """The table, and the first notes of each verb."""
    header = ("kills", "running", "lost", "doubled", "left", "wrong", "on their way")
    lines = [f"{'verb':24}" + "".join(f"{name:>{len(name) + 4}}" for name in header)]
    for verb, t in by_verb.items():
        values = (t.kills, t.killed_while_running, t.lost, t.doubled, t.left_behind, t.wrong, t.paid_on_their_way)
        lines.append(f"{verb:24}" + "".join(f"{v:>{len(n) + 4}}" for n, v in zip(header, values, strict=True)))
    return lines + [f"  {note}" for t in by_verb.values() for note in t.notes[:NOTES]]


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="bestshot-crash-") as place:
        yield Path(place)


def _options() -> argparse.ArgumentParser:
    options = parser("crash_test", __doc__ or "")
    names = [verb.name for verb in LOOP]
    options.add_argument("--kills", type=int, default=USUAL_KILLS, help=f"over all verbs (default {USUAL_KILLS})")
    options.add_argument(
        "--quick", action="store_const", dest="kills", const=QUICK_KILLS, help=f"the same as --kills {QUICK_KILLS}"
    )
    options.add_argument(
        "--store", choices=STORES, default="sqlite", help="where the campaigns and their scores lie (default sqlite)"
    )
    options.add_argument("--verbs", nargs="+", choices=names, metavar="VERB", help=f"only these of: {', '.join(names)}")
    options.add_argument("--jobs", type=int, default=2, help="trials at once (default 2); no result depends on it")
    options.add_argument("--trial", action="append", type=Trial.read, metavar="TRIAL", help="only this, as in a note")
    options.add_argument("--keep", type=Path, metavar="FOLDER", help="work there, and leave trials that went wrong")
    options.add_argument(
        "--two-folders", type=int, default=0, metavar="N", help="also N rounds of two folders on one database"
    )
    return options


if __name__ == "__main__":
    raise SystemExit(main())
