"""Cuts the power of verbs at any moment, and looks at what the disk may hold then.

    python -m experiments.power_loss --json out.json

Each verb is run once by a process whose writes, syncs and changes of names are recorded, SQLite's too. A cut after any
of these steps leaves on the disk what was synced, and of the rest what may have been written by then, in six ways:
nothing; all; the names without the bytes; the bytes without the names; the names in their order up to any of them, with
some sectors of the bytes; some names, some sectors and some lengths, whatever their order. Of every such state: all
databases are whole, each candidate and each file of scores has its bytes, no file under its own name is half, and
`status` opens the campaign. After the verb's last step all that it stored must be there. Then the verb is run again,
and rows and files must be those of a run that nothing disturbed. The campaign keeps its scores in columns. Bytes, names
and rows are read without the code under test.

Cuts are at every step, or at as many as --cuts says, drawn by the seed; each in some of the ways, the last one in all.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from tqdm import tqdm

from experiments.support.crash_loop import LOOP, OLDER, TEMPORARY, Verb
from experiments.support.crash_process import Servers, serving, start
from experiments.support.crash_state import faults_of, files_of
from experiments.support.crash_store import FileStore
from experiments.support.crash_trial import Found, Run, begun, broken, compare, quiet_run, run_again
from experiments.support.outcome import finish, parser, work_place
from experiments.support.power_cut import WAYS, Disk, Recording, built, lay_out, recorded, why_not
from experiments.support.remote_campaign import KEY, KEY_ENV

CUTS = 100
NOTES = 5  # of each verb
VERBS = (
    "init",
    "generate",
    "generate at a service",
    "import",
    "score",
    "pick",
    "export",
    "record --submitted",
    "record --score",
    "merge",
    "backup",
    "init --from",
    "of an older format",
    "prune",
)
_ROOT = Path(__file__).parents[1]
_RUN = "from experiments.support.crash_process import move_few as f; f(); from selector.cli import program; program()"


@dataclass
class Counts:
    """Of a verb: recorded steps, cuts, different states of the disk, and what was wrong in how many of these."""

    steps: int = 0
    syncs: int = 0
    cuts: int = 0
    states: int = 0
    wrong: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """A state of the disk. ``ended``: the verb had said that it is done."""

    cut: int
    way: str
    state: Mapping[str, bytes | None]
    ended: bool

    @property
    def digest(self) -> str:
        """Of the state, and of what is asked of it."""
        found = hashlib.sha256(f"{self.ended}".encode())
        for name, data in self.state.items():
            found.update(f"{name}\0{'' if data is None else hashlib.sha256(data).hexdigest()}\0".encode())
        return found.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    chosen = _options().parse_args(arguments)
    if reason := why_not():
        print(f"error: {reason}", file=sys.stderr)
        return 2
    loop = [verb for verb in LOOP if verb.name in VERBS]
    last = max(i for i, verb in enumerate(loop) if chosen.verbs is None or verb.name in chosen.verbs)
    with work_place(chosen.keep, "bestshot-power-") as place, serving() as servers:
        run = quiet_run(place, FileStore(scores="columns"), loop[: last + 1])
        verbs = [verb for verb in run.loop if chosen.verbs is None or verb.name in chosen.verbs]
        results = {verb.name: measure(run, verb, servers, chosen.cuts, chosen.seed, chosen.jobs) for verb in verbs}
    finish({name: asdict(counts) for name, counts in results.items()}, describe(results), chosen.json)
    return int(any(counts.wrong for counts in results.values()))


def measure(run: Run, verb: Verb, servers: Servers, cuts: int, seed: int, jobs: int) -> Counts:
    """Record a verb, and look at the states that its cuts leave."""
    recording = record(run, verb, servers)
    cases = {case.digest: case for case in cases_of(recording, cuts, seed)}
    counts = Counts(
        steps=len(recording.steps),
        syncs=sum(step.kind == "S" for step in recording.steps),
        cuts=len({case.cut for case in cases.values()}),
        states=len(cases),
    )
    work = partial(check, run, verb)
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        places = [run.place / f"{verb.name} {case.cut} {case.way}" for case in cases.values()]
        found = pool.map(work, cases.values(), places) if jobs > 1 else map(work, cases.values(), places)
        for case, faults in zip(cases.values(), tqdm(found, verb.name, len(cases), disable=None), strict=True):
            counts.wrong += bool(faults)
            counts.notes += [f"{verb.name}, after step {case.cut}, {case.way}: {fault}" for fault in faults[:2]]
    return counts


def record(run: Run, verb: Verb, servers: Servers) -> Recording:
    """Run a verb once where the quiet run had come to it."""
    here = begun(run, verb, run.place / f"recorded {verb.name}", servers)
    if verb.before is not None:
        verb.before(here)
    env = {"TMPDIR": str(here / TEMPORARY), KEY_ENV: KEY, "PYTHONPATH": str(_ROOT), "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-c", _RUN, *verb.words(run.submission)]
    return recorded(built(run.place), here, command, os.environ | env)


def cases_of(recording: Recording, cuts: int, seed: int) -> Iterator[Case]:
    """States after the last step in all ways, and after others in turn."""
    last, rng = len(recording.steps), Random(seed)
    yield from (Case(last, way, Disk(recording, last).state(way, f"{seed}"), ended=True) for way in WAYS)
    for turn in range(max(0, cuts - 1)):
        cut = rng.randrange(last) if cuts <= last else turn % last
        way = WAYS[(turn + turn // last) % len(WAYS)]
        yield Case(cut, way, Disk(recording, cut).state(way, f"{seed} {turn}"), ended=False)


def check(run: Run, verb: Verb, case: Case, here: Path) -> list[str]:
    """What is wrong in a state, which is laid out in the new folder ``here`` and stays there only then."""
    lay_out(case.state, here)
    found = Found()
    try:
        found.wrong += faults_of(here, run.store)
        if case.ended:
            compare(run, verb, here, found)
            found.left_behind.clear()  # what the next run sweeps
        _open_all(here, found)
        run_again(run, verb, here, "run again, ", found)
        if files_of(here).keys() - run.verbs[verb.name].files.keys():  # which the next verb in the campaign sweeps
            _open_all(here, found)
        compare(run, verb, here, found)
    except broken(run.store) as error:
        found.wrong.append(f"cannot be looked at: {error}")
    faults = [*found.lost, *found.doubled, *found.left_behind, *found.wrong]
    if not faults:
        run.store.remove(here)
    return faults


def _open_all(here: Path, found: Found) -> None:
    """Whatever is a campaign must open; an older one is opened by its verb."""
    for folder in sorted({path.parent.name for path in here.glob("*/campaign.toml")} - {OLDER}):
        status = start(here, ["status", "--json", "-C", folder]).ended()
        found.wrong += [f"status of {folder} ended with {status.status}: {status.said}"] if status.status else []


def describe(results: Mapping[str, Counts]) -> list[str]:
    """The table, and the first notes of each verb."""
    names = ("steps", "syncs", "cuts", "states", "wrong")
    lines = [f"{'verb':24}" + "".join(f"{name:>8}" for name in names)]
    for verb, counts in results.items():
        lines.append(f"{verb:24}" + "".join(f"{getattr(counts, name):>8}" for name in names))
    sums = [sum(getattr(counts, name) for counts in results.values()) for name in names]
    lines.append(f"{'total':24}" + "".join(f"{value:>8}" for value in sums))
    return lines + [f"  {note}" for counts in results.values() for note in counts.notes[:NOTES]]


def _options() -> argparse.ArgumentParser:
    options = parser("power_loss", __doc__ or "")
    options.add_argument("--cuts", type=int, default=CUTS, help=f"of each verb (default {CUTS})")
    options.add_argument("--verbs", nargs="+", choices=VERBS, metavar="VERB", help=f"only these of: {', '.join(VERBS)}")
    options.add_argument("--jobs", type=int, default=2, help="states at once (default 2); no result depends on it")
    options.add_argument("--keep", type=Path, metavar="FOLDER", help="work there, and leave states that are wrong")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
