"""Kills ``generate``, ``score`` and ``export`` at random instants (SIGKILL), resumes, and compares with a quiet run.

    python -m experiments.crash_test --kills 50 --json out.json

A kill falls uniformly into the time that the verb takes when left alone, start-up included. After each kill the store
must be consistent (every candidate row has its bytes). Then the verb is run again, after it the rest of the loop, and
candidates, plannings, attempts, scores, picks and the ZIP must equal those of the undisturbed run. The tables are read
with plain sqlite3, not by the code under test.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from experiments.support.outcome import finish, parser
from selector import Campaign
from selector.demo.contest import make_demo_contest

LOOP = ("generate", "score", "pick", "export")
OPTIONS = {"export": ["--allow-fallbacks"]}
SHARE = {"generate": 0.4, "score": 0.4, "export": 0.2}
N_TASKS = {"deepfake": 1, "vttie": 1, "tie": 2}
CANDIDATES = 2


# What must not depend on kills: no row ids, no clock, no seconds.
ROWS = {
    "candidates": "SELECT task_id, id, width_px, height_px, size_bytes FROM candidate",
    "plannings": "SELECT task_id, generator, build, asked, recipes, outcome FROM planning",
    "attempts": "SELECT task_id, generator, build, recipe_key, ordinal, outcome, candidate_id, reason FROM attempt",
    "scores": 'SELECT task_id, candidate_id, scorer, version, "column", value, reason FROM score',
    "picks": "SELECT task_id, candidate_id, overall, fallback, reason FROM pick",
    "submissions": "SELECT id, zip_sha256, fallbacks FROM submission",
}
State = dict[str, Counter[tuple[object, ...]]]


@dataclass
class Tally:
    """Counts over all kills."""

    kills: int = 0
    killed_while_running: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: int = 0
    different_picks: int = 0
    notes: list[str] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> int:
    options = parser("crash_test", __doc__ or "")
    options.add_argument("--kills", type=int, default=50, help="number of kills over the three verbs (default 50)")
    chosen = options.parse_args(arguments)
    rng = np.random.default_rng(chosen.seed)
    with tempfile.TemporaryDirectory(prefix="bestshot-crash-") as place:
        results = measure(Path(place), chosen.kills, rng)
    lines = [f"{'verb':10}{'kills':>7}{'running':>9}{'lost':>6}{'duplicated':>12}{'wrong':>7}{'other picks':>13}"]
    lines += [
        f"{verb:10}{t.kills:>7}{t.killed_while_running:>9}{t.lost:>6}{t.duplicated:>12}{t.wrong:>7}"
        f"{t.different_picks:>13}"
        for verb, t in results.items()
    ]
    lines += [f"  {verb}: {note}" for verb, t in results.items() for note in t.notes[:5]]
    finish({verb: asdict(t) for verb, t in results.items()}, lines, chosen.json)
    return int(any(t.lost or t.duplicated or t.wrong or t.different_picks for t in results.values()))


def measure(place: Path, kills: int, rng: np.random.Generator) -> dict[str, Tally]:
    """Run the loop undisturbed, keeping a copy before each verb; then disturb each verb from its copy."""
    stage = _small_campaign(place)
    seconds = {}
    for verb in LOOP:
        shutil.copytree(stage, place / f"before-{verb}")
        started = time.perf_counter()
        _run(stage, verb)
        seconds[verb] = time.perf_counter() - started
    wanted = state_of(stage)
    results: dict[str, Tally] = {}
    for verb, share in SHARE.items():
        results[verb] = tally = Tally()
        for kill in range(max(1, round(kills * share))):
            trial = place / f"{verb}-{kill}"
            shutil.copytree(place / f"before-{verb}", trial)
            _disturb(trial, verb, float(rng.uniform(0, seconds[verb])), wanted, tally)
            shutil.rmtree(trial)
    return results


def state_of(folder: Path) -> State:
    """All rows by content, with how often each stands there, and the hash of every ZIP."""
    with contextlib.closing(sqlite3.connect(folder / "campaign.db")) as connection:
        state: State = {name: Counter(map(tuple, connection.execute(query))) for name, query in ROWS.items()}
    zips = sorted(folder.glob("submissions/*/*.zip"))
    state["zips"] = Counter((z.name, hashlib.sha256(z.read_bytes()).hexdigest()) for z in zips)
    return state


def _disturb(trial: Path, verb: str, after_seconds: float, wanted: State, tally: Tally) -> None:
    tally.kills += 1
    tally.killed_while_running += _run(trial, verb, after_seconds)
    faults = _faults(trial)
    for step in LOOP[LOOP.index(verb) :]:
        _run(trial, step)
    faults += _faults(trial)
    got = state_of(trial)
    lost = {name: sum((wanted[name] - got[name]).values()) for name in wanted}
    surplus = {name: got[name] - wanted[name] for name in wanted}
    twice = sum(n for rows in surplus.values() for row, n in rows.items() if any(row in w for w in wanted.values()))
    wrong = sum(n for rows in surplus.values() for n in rows.values()) - twice + len(faults)
    tally.lost += sum(lost.values())
    tally.duplicated += twice
    tally.wrong += wrong
    tally.different_picks += got["picks"] != wanted["picks"] or got["zips"] != wanted["zips"]
    if any(lost.values()) or twice or wrong:
        what = {name: n for name, n in lost.items() if n}
        tally.notes.append(
            f"killed after {after_seconds:.2f} s: lost {what}, twice {twice}, wrong {wrong} {faults[:1]}"
        )


def _faults(folder: Path) -> list[str]:
    """What must hold at any instant: every candidate row has its bytes, and they match its id."""
    found = []
    for task_id, candidate_id, *_ in sorted(state_of(folder)["candidates"], key=str):
        path = folder / "images" / str(candidate_id)[:2] / f"{candidate_id}.jpg"
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != candidate_id:
            found.append(f"task {task_id}: {path.name} is missing or damaged")
    return found


def _run(folder: Path, verb: str, kill_after_seconds: float | None = None) -> bool:
    """Run a verb in its own process; returns whether the kill met it while it was running."""
    command = [sys.executable, "-m", "selector.cli", verb, *OPTIONS.get(verb, []), "-C", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, errors = process.communicate(timeout=kill_after_seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    if process.returncode != 0:
        raise RuntimeError(f"{verb} ended with {process.returncode}: {errors.decode()[-500:]}")
    return False


def _small_campaign(place: Path) -> Path:
    """A campaign of the first few demo tasks of each type."""
    contest = make_demo_contest(place / "contest")
    header, *rows = contest.table.read_text(encoding="utf-8-sig").splitlines()
    left = dict(N_TASKS)
    kept = []
    for row in rows:
        kind = row.split(",")[1]
        if left.get(kind, 0) > 0:
            left[kind] -= 1
            kept.append(row)
    contest.table.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    plan = {"tie": {"retouch": CANDIDATES}, "vttie": {"textedit": CANDIDATES}, "deepfake": {"faceswap": CANDIDATES}}
    Campaign.init(place / "campaign", contest.table, contest.images, generate=plan).close()
    return place / "campaign"


if __name__ == "__main__":
    raise SystemExit(main())
