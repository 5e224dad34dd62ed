"""Kills ``generate``, ``score`` and ``export`` at random instants (SIGKILL), resumes, and compares with a quiet run.

    python -m experiments.crash_test --kills 50 --json out.json

A kill falls uniformly into the time that the verb takes when left alone, start-up included. After each kill the store
must be consistent (every candidate row has its bytes); after the verb was run again, candidates, attempts, scores,
picks and the ZIP must equal those of the undisturbed run.
"""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import select

from experiments.support.outcome import finish, parser
from selector import Campaign
from selector.demo.contest import make_demo_contest
from selector.store import Database, ImageFolder, schema

VERBS = {"generate": ["generate"], "score": ["score"], "export": ["export", "--allow-fallbacks"]}
SHARE = {"generate": 0.4, "score": 0.4, "export": 0.2}
N_TASKS = {"deepfake": 1, "vttie": 1, "tie": 3}
CANDIDATES = 3


@dataclass(frozen=True)
class State:
    """Everything that must not depend on kills: rows by content, and the bytes of the newest ZIP."""

    candidates: frozenset[tuple[str, str]]
    attempts: tuple[tuple[str, ...], ...]  # sorted, with repetitions
    scores: tuple[tuple[object, ...], ...]
    picks: tuple[tuple[object, ...], ...]
    submissions: tuple[tuple[object, ...], ...]
    zip_sha256: str | None


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
    """Make the stages of an undisturbed run, then disturb each verb from its own starting stage."""
    stage = _small_campaign(place)
    results: dict[str, Tally] = {}
    for verb, share in SHARE.items():
        before = place / f"before-{verb}"
        shutil.copytree(stage, before)
        started = time.perf_counter()
        _run(stage, verb)
        seconds = time.perf_counter() - started
        wanted = state_of(stage)
        results[verb] = tally = Tally()
        for kill in range(max(1, round(kills * share))):
            trial = place / f"{verb}-{kill}"
            shutil.copytree(before, trial)
            _disturb(trial, verb, float(rng.uniform(0, seconds)), wanted, tally)
            shutil.rmtree(trial)
        if verb == "score":
            _run(stage, "pick")
    return results


def state_of(folder: Path) -> State:
    """Read a campaign's rows straight from its tables, without the code that is under test."""
    db = Database(folder / "campaign.db")
    a, s, p, c = schema.attempt.c, schema.score.c, schema.pick.c, schema.candidate.c
    with db.read() as connection:
        rows = connection.execute
        candidates = frozenset((r[0], r[1]) for r in rows(select(c.task_id, c.id)))
        attempts = rows(select(a.task_id, a.generator, a.recipe_key, a.outcome, a.candidate_id))
        scores = rows(select(s.task_id, s.candidate_id, s.scorer, s.version, s.column, s.value, s.reason))
        picks = rows(select(p.task_id, p.candidate_id, p.reason))
        submissions = rows(select(schema.submission.c.id, schema.submission.c.zip_sha256))
        state = State(
            candidates,
            tuple(sorted(tuple(map(str, r)) for r in attempts)),
            tuple(sorted((tuple(r) for r in scores), key=str)),
            tuple(sorted((tuple(r) for r in picks), key=str)),
            tuple(sorted((tuple(r) for r in submissions), key=str)),
            _newest_zip(folder),
        )
    db.close()
    return state


def _disturb(trial: Path, verb: str, after_seconds: float, wanted: State, tally: Tally) -> None:
    tally.kills += 1
    tally.killed_while_running += _run(trial, verb, after_seconds)
    faults = _faults(trial)
    _run(trial, verb)
    got = state_of(trial)
    faults += _faults(trial)
    lost = len(wanted.candidates - got.candidates) + len(set(wanted.scores) - set(got.scores))
    duplicated = sum(n - 1 for n in Counter(got.attempts).values()) + max(0, len(got.attempts) - len(wanted.attempts))
    wrong = len(got.candidates - wanted.candidates) + len(set(got.scores) - set(wanted.scores)) + len(faults)
    wrong += got.submissions != wanted.submissions or got.zip_sha256 != wanted.zip_sha256
    tally.lost += lost
    tally.duplicated += duplicated
    tally.wrong += wrong
    tally.different_picks += got.picks != wanted.picks
    if lost or duplicated or wrong:
        tally.notes.append(
            f"killed after {after_seconds:.2f} s: lost {lost}, twice {duplicated}, wrong {wrong} {faults[:1]}"
        )


def _faults(folder: Path) -> list[str]:
    """What must hold at any instant: every candidate row has its bytes, and they match their name."""
    images = ImageFolder(folder / "images", ".jpg")
    found = []
    for task_id, candidate_id in sorted(state_of(folder).candidates):
        try:
            images.read(candidate_id)
        except Exception as error:
            found.append(f"task {task_id}: {error}")
    return found


def _newest_zip(folder: Path) -> str | None:
    zips = sorted(folder.glob("submissions/*/*.zip"))
    return hashlib.sha256(b"".join(hashlib.sha256(z.read_bytes()).digest() for z in zips)).hexdigest() if zips else None


def _run(folder: Path, verb: str, kill_after_seconds: float | None = None) -> bool:
    """Run a verb in its own process; returns whether the kill met it while it was running."""
    command = [sys.executable, "-m", "selector.cli", *VERBS.get(verb, [verb]), "-C", str(folder)]
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
