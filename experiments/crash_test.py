"""Ends every verb by SIGKILL, SIGTERM or Ctrl-C at every kind of moment, resumes, and compares with a quiet run.

    python -m experiments.crash_test --kills 200 --json out.json

A moment is an instant, uniform over the time that the verb takes when left alone, or the N-th file opened for writing,
rename, fsync, INSERT or COMMIT, N uniform over those of the quiet run: just before it, or right after it. A signal that
finds the verb at its end comes again, earlier. After each, at once: the database is whole, every candidate has its
bytes, no file under its own name is half. Then the verb is run again, and must end as it does when left alone; rows,
files, what three loopback servers charged for, and the pictures' bytes must be those of the quiet run. Then the loop
goes on from there, to the next verb. Tables are read with plain sqlite3 or psycopg, not by the code under test;
``--store postgresql`` lays them on a PostgreSQL of its own, and with ``sqlite-columns`` a few scores become a file by
column, and a few files a larger one: what a row names must be there.

lost: rows or files that are missing. doubled: rows, images or answers that are there, or were paid, more often.
left behind: files that the quiet run does not have, in the campaign, beside it, where pictures and tables were to go,
and among temporary files. wrong: everything else that differs. The last two images or answers that were made
before the end, not stored, and therefore paid for again are counted apart (on their way): a kill costs these.

Each verb is a process of its own, forked from one that has imported the program, so that signals meet it at its work;
``support/killed_at.py`` does the same to a verb that Python starts. ``--trial`` repeats what a note names, and runs the
loop to its end after it.
``--two-folders`` lets two copies of a campaign on one file of SQLite work at one service, and kills one of them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random

from tqdm import tqdm

from experiments.support.crash_loop import LOOP, Verb
from experiments.support.crash_store import STORES, store_of
from experiments.support.crash_trial import Found, Run, Trial, disturb, quiet_run
from experiments.support.killed_at import KINDS, Moment
from experiments.support.outcome import finish, parser, work_place
from experiments.support.two_folders import TwoFolders, measure_two_folders

QUICK_KILLS, USUAL_KILLS = 60, 400
NOTES = 5  # of each verb
LEAST_AT_WORK = 0.8  # of the signals: else the moments say little
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
    with work_place(chosen.keep, "bestshot-crash-") as place, store_of(chosen.store) as store:
        by_verb: dict[str, Counts] = {}
        if chosen.kills or chosen.trial:
            run = quiet_run(place, store, LOOP)
            loops = [[trial] for trial in chosen.trial or ()] or planned(run, verbs, chosen.kills, chosen.seed)
            by_verb = measure(run, loops, chosen.jobs, to_the_end=bool(chosen.trial))
        if chosen.two_folders:
            both = measure_two_folders(place / "two", chosen.two_folders, chosen.seed)
    total = Counts()
    for counts in by_verb.values():
        total.join(counts)
    results = {**by_verb, "total": total}
    written = {name: asdict(counts) for name, counts in results.items()} | {"two_folders": asdict(both)}
    finish(written, [*describe(results), *both.describe()], chosen.json)
    missed = total.killed_while_running < LEAST_AT_WORK * total.kills
    if missed:
        print(f"missed: only {total.killed_while_running} of {total.kills} signals met a verb at work", file=sys.stderr)
    return int(bool(total.faults or both.faults or missed))


def planned(run: Run, verbs: Sequence[Verb], kills: int, seed: int) -> list[list[Trial]]:
    """Loops with their trials: every verb in the first, those that store in the next, and so on.

    Each verb meets every kind of moment. Of the last loop some of those that store: the others look at what each other
    have left, and are not run undisturbed.
    """
    drawn = {verb.name: _moments(run, verb, Random(f"{seed} {verb.name}")) for verb in verbs}
    rounds = cycle([list(verbs), [verb for verb in verbs if verb.stores] or list(verbs)])
    loops: list[list[Trial]] = []
    while (left := kills - sum(map(len, loops))) > 0:
        chosen = next(rounds)
        if left < len(chosen):
            chosen = [verb for verb in chosen if verb.stores] or chosen
            chosen = [chosen[i] for i in sorted(Random(seed).sample(range(len(chosen)), min(left, len(chosen))))]
        loops.append([next(drawn[verb.name]) for verb in chosen])
    return loops


def _moments(run: Run, verb: Verb, rng: Random) -> Iterator[Trial]:
    """Endless trials of one verb: over all kinds of moments that it has, in a random order, and all signals."""
    quiet = run.verbs[verb.name]
    kinds = [kind for kind in KINDS if quiet.events.get(kind)]
    ways = [("instant", False), *((kind, after) for kind in kinds for after in (False, True))]
    rng.shuffle(ways)
    signs = rng.sample(verb.signals, len(verb.signals))
    for turn, (kind, after) in enumerate(cycle(ways)):
        sign = signs[(turn + turn // len(ways)) % len(signs)]
        if kind == "instant":
            yield Trial(verb, sign, round(rng.uniform(0, quiet.seconds), 3))
        else:
            yield Trial(verb, sign, Moment(kind, rng.randint(1, quiet.events[kind]), after))


def measure(run: Run, loops: Sequence[Sequence[Trial]], jobs: int, to_the_end: bool = False) -> dict[str, Counts]:
    """All trials, ``jobs`` loops at once, each in a copy of its own that stays only where something went wrong."""
    trials = [trial for loop in loops for trial in loop]
    by_verb = {verb.name: Counts() for verb in LOOP if any(trial.verb == verb for trial in trials)}
    with tqdm(total=len(trials), disable=None) as shown:
        for loop, found in zip(loops, _all_disturbed(run, loops, jobs, to_the_end), strict=True):
            for trial, one in zip(loop, found, strict=True):
                counts = by_verb[trial.verb.name]
                told = len(counts.notes)
                counts.add(trial, one)
                print("".join(f"{note}\n" for note in counts.notes[told:]), end="", file=sys.stderr, flush=True)
            shown.update(len(loop))
    return by_verb


def _all_disturbed(run: Run, loops: Sequence[Sequence[Trial]], jobs: int, to_the_end: bool) -> Iterator[list[Found]]:
    """What each loop came to, in their order. Processes, because threads would meet in the book of their children."""
    places = [run.place / f"loop {number}" for number in range(len(loops))]
    work = partial(disturb, run, to_the_end=to_the_end)
    if jobs == 1:
        yield from map(work, loops, places)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, loops, places)


def describe(by_verb: dict[str, Counts]) -> list[str]:
    """The table, and the first notes of each verb."""
    header = ("kills", "running", "lost", "doubled", "left", "wrong", "on their way")
    lines = [f"{'verb':24}" + "".join(f"{name:>{len(name) + 4}}" for name in header)]
    for verb, t in by_verb.items():
        values = (t.kills, t.killed_while_running, t.lost, t.doubled, t.left_behind, t.wrong, t.paid_on_their_way)
        lines.append(f"{verb:24}" + "".join(f"{v:>{len(n) + 4}}" for n, v in zip(header, values, strict=True)))
    return lines + [f"  {note}" for t in by_verb.values() for note in t.notes[:NOTES]]


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
