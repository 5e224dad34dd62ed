"""Kills a worker, a node, the driver, the database and the S3 server at random instants of ``score`` and ``generate``.

Each trial is a campaign of its own, in a database and below a prefix of its own, on a Ray cluster of three nodes. An
instant is uniform over the time that the verb takes when left alone, from its start. What was killed is back a second
later, or, in every other trial, only when the run has ended. Then the verb is run until it has nothing left, and rows,
bytes and picks must be those of a run that was left alone, read with plain SQL and from the server itself.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice, product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from experiments.support.cluster_machines import Nodes, end, kill, nodes, verb
from experiments.support.plain_rows import plain_rows
from experiments.support.remote_campaign import KEY, KEY_ENV, ServerOptions, serving
from experiments.support.servers import PostgreSQLServer
from selector import Campaign
from selector.domain import encode_final
from tests.servers.s3_server import S3Server

VERBS = ("score", "generate")
VICTIMS = ("worker", "node", "driver", "database", "s3")
EDITS = ("make the picture brighter", "make the image black and white", "increase the contrast", "make it warmer")
TASKS, EACH, IMPORTED = 8, 3, 12  # of each type; candidates made of a task; and imported where they are to be scored
SCORERS = ("clip_similarity", "gate", "preservation", "seams", "technical")
BACK_SECONDS, HUNG_SECONDS, MOST_RUNS = 1.0, 240.0, 5
BUCKET = "faults"
NOTES = 20


@dataclass
class Faults:
    """Counts over all trials. ``met``: the verb still ran at the kill. ``unanswered``: images paid for at jobs whose
    number could not be stored before the end of the run that was hit."""

    kills: int = 0
    met: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    duplicated: int = 0
    wrong: int = 0
    other_picks: int = 0
    paid_beyond_needed: int = 0
    unanswered: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What a campaign holds: rows by key (with how often), and its picks."""

    rows: Counter[tuple[Any, ...]]
    values: Mapping[tuple[Any, ...], Any]
    picks: Mapping[str, str | None]
    seconds: float
    paid: int = 0
    unanswered: int = 0


class _Place:
    """The servers of all trials."""

    def __init__(self, folder: Path, database: PostgreSQLServer, s3: S3Server, cluster: Nodes) -> None:
        self.folder, self.database, self.s3, self.cluster = folder, database, s3, cluster
        self.node = [cluster.add(), cluster.add()][-1]  # the one that is killed and comes again


def measure_faults(
    kills: int, seed: int, verbs: Sequence[str] = VERBS, victims: Sequence[str] = VICTIMS
) -> dict[str, Any]:
    """So many kills in turn over the verbs and what is killed."""
    found, rng = Faults(), Random(seed)
    with _place() as place:
        quiet = {name: _trial(place, f"quiet-{name}", name, None) for name in verbs}
        for name, outcome in quiet.items():
            print(
                f"faults: {name} alone: {len(outcome.rows)} rows, {outcome.seconds:.1f} s", file=sys.stderr, flush=True
            )
        for number, (name, victim) in enumerate(islice(cycle(product(verbs, victims)), kills)):
            late = number // (len(verbs) * len(victims)) % 2 == 1
            after_s = rng.uniform(0, quiet[name].seconds)
            label = f"{number}: {name}, {victim} after {after_s:.2f} s, back {'late' if late else 'soon'}"
            hit = _Hit(place, victim, after_s, late, rng)
            try:
                outcome = _trial(place, f"trial-{number}", name, hit)
                _compare(found, label, quiet[name], outcome)
            except RuntimeError as error:
                found.wrong += 1
                found.notes = [*found.notes, f"{label}: {error}"][:NOTES]
            found.kills, found.met = found.kills + 1, found.met + hit.met
            found.by_kind[f"{name} {victim}"] = found.by_kind.get(f"{name} {victim}", 0) + 1
            _say(f"{label}: {asdict(found)}")
    return asdict(found)


@contextmanager
def _place() -> Iterator[_Place]:
    with (
        tempfile.TemporaryDirectory(prefix="bestshot-faults-") as folder,
        PostgreSQLServer() as database,
        S3Server() as s3,
        nodes_with(s3) as cluster,
    ):
        s3.make_bucket(BUCKET)
        yield _Place(Path(folder), database, s3, cluster)


@contextmanager
def nodes_with(s3: S3Server) -> Iterator[Nodes]:
    """Nodes that find the S3 server; so does this process."""
    os.environ.update(s3.environment)
    with nodes() as cluster:
        yield cluster


class _Hit:
    """One kill: ``strike`` waits for its instant, ``heal`` brings back what was killed."""

    def __init__(self, place: _Place, victim: str, after_s: float, late: bool, rng: Random) -> None:
        self._place, self.victim, self.late = place, victim, late
        self._after_s, self._rng = after_s, rng
        self.met = False

    def strike(self, driver: Any) -> None:
        _wait(lambda: driver.poll() is not None, self._after_s)
        if self.victim == "worker":  # there is none at every instant
            _wait(lambda: bool(self._place.cluster.workers()) or driver.poll() is not None, HUNG_SECONDS)
        self.met = driver.poll() is None
        if self.victim == "worker":
            for pid in self._rng.sample(self._place.cluster.workers(), 1) if self.met else ():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        elif self.victim == "node":
            self._place.cluster.end(self._place.node)
        elif self.victim == "driver":
            kill(driver)
        elif self.victim == "database":
            self._place.database.kill()
        else:
            self._place.s3.end()

    def heal(self) -> None:
        if self.victim == "node":
            self._place.node = self._place.cluster.add()
        elif self.victim == "database":
            self._place.database.start()
        elif self.victim == "s3":
            self._place.s3.begin()


def _trial(place: _Place, name: str, what: str, hit: _Hit | None) -> Outcome:
    folder = place.folder / name
    folder.mkdir()
    options = ServerOptions(running=8, submits_per_second=0, job_seconds=0.3, slow_seconds=0.6, picture_px=64)
    with place.database.database(name) as url, serving(options) as service, (folder / "said").open("w+") as said:
        campaign = _campaign(folder, name, what, url, service.url)
        words = [what, "--engine", "ray", "--engine-address", place.cluster.address]
        more = {KEY_ENV: KEY, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        unanswered, status, began = 0, -1, time.monotonic()
        for turn in range(MOST_RUNS):
            driver = verb(campaign, words, said, more)
            if hit is not None and turn == 0:
                hit.strike(driver)
                if not hit.late:
                    time.sleep(BACK_SECONDS)
                    hit.heal()
            _wait(lambda: driver.poll() is not None, HUNG_SECONDS)  # noqa: B023 - asked within this turn alone
            hung = driver.poll() is None
            end(driver)
            if hit is not None and turn == 0:
                if hit.late:
                    hit.heal()
                unanswered = _unanswered(url, service.jobs())
            if hung:
                raise RuntimeError(f"run {turn + 1} did not end within {HUNG_SECONDS:.0f} s")
            if (status := driver.returncode) == 0 and (hit is None or turn):
                break
        seconds = time.monotonic() - began
        if status != 0:
            said.seek(0)
            raise RuntimeError(f"ended with {status} after {MOST_RUNS} runs: {said.read()[-800:]}")
        return _outcome(campaign, what, url, seconds, service.stats()["paid"], unanswered)


def _campaign(folder: Path, name: str, what: str, url: str, service: str) -> Path:
    """Edits for the generator of this machine, text-to-image for the service; or imported candidates to be scored."""
    rng = np.random.default_rng(0)
    rows = ["index,task_type,prompt,ori_image,target_image"]
    (folder / "imgs").mkdir()
    for i in range(TASKS):
        (folder / "imgs" / f"{i:032x}.jpg").write_bytes(_picture(rng))
        rows.append(f"{i},tie,{EDITS[i % len(EDITS)]},{i:032x}.jpg,")
        if what == "generate":
            rows.append(f"{TASKS + i},t2i,a street {i},,")
    (folder / "task.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    settings: dict[str, Any] = {
        "team": name,  # another campaign for every trial
        "store": {"url": url, "images": f"s3://{BUCKET}/{name}"},
        "score": {"scorers": list(SCORERS)},
        "embedding": {"model": "embedded"},
        "engine": {"batch": 8},
        "generate": {"tie": {"retouch": EACH}, "t2i": {"first": EACH}},
        "generators": {"first": {"kind": "dashscope", "service": "first", "size": "512*512"}},
        "services": {"first": {"base_url": service, "key_env": KEY_ENV, "running": 8, "submits_per_second": 0}},
    }
    with Campaign.init(folder / "campaign", folder / "task.csv", folder / "imgs", **settings) as campaign:
        if what == "score":
            for i, number in product(range(TASKS), range(IMPORTED)):
                (folder / "made" / str(i)).mkdir(parents=True, exist_ok=True)
                (folder / "made" / str(i) / f"{number}.jpg").write_bytes(_picture(rng))
            campaign.import_folder(folder / "made")
    return folder / "campaign"


def _picture(rng: np.random.Generator) -> bytes:
    blocks = rng.integers(40, 180, (16, 16, 3)).astype(np.uint8)
    return encode_final(np.kron(blocks, np.ones((12, 12, 1), np.uint8)))


def _outcome(folder: Path, what: str, url: str, seconds: float, paid: int, unanswered: int) -> Outcome:
    if what == "score":
        found = plain_rows(url, 'SELECT task_id, candidate_id, scorer, version, "column", value, reason FROM score')
        keyed = [(row[:5], row[5:]) for row in found]
    else:
        found = plain_rows(
            url, "SELECT task_id, generator, recipe_key, candidate_id FROM attempt WHERE outcome = 'made'"
        )
        keyed = [(row[:3], row[3:]) for row in found]
    with Campaign(folder) as campaign:
        picks = {pick.task_id: pick.candidate_id for pick in campaign.best_known()}
        if what == "generate":
            for _, (image,) in keyed:
                if campaign._ws.images.picture(image).id != image:
                    raise RuntimeError(f"{image} has other bytes")
    return Outcome(Counter(key for key, _ in keyed), dict(keyed), picks, seconds, paid, unanswered)


def _compare(found: Faults, label: str, quiet: Outcome, outcome: Outcome) -> None:
    lost = len(quiet.rows.keys() - outcome.rows.keys())
    doubled = sum(outcome.rows.values()) - len(outcome.rows) + len(outcome.rows.keys() - quiet.rows.keys())
    wrong = sum(quiet.values[key] != value for key, value in outcome.values.items() if key in quiet.values)
    others = sum(quiet.picks.get(task) != picked for task, picked in outcome.picks.items())
    others += len(quiet.picks.keys() - outcome.picks.keys())
    beyond = max(0, outcome.paid - quiet.paid - outcome.unanswered)
    found.lost, found.duplicated, found.wrong = found.lost + lost, found.duplicated + doubled, found.wrong + wrong
    found.other_picks, found.paid_beyond_needed = found.other_picks + others, found.paid_beyond_needed + beyond
    found.unanswered += outcome.unanswered
    if lost or doubled or wrong or others or beyond:
        note = f"{label}: {lost} lost, {doubled} doubled, {wrong} wrong, {others} other picks, {beyond} beyond"
        found.notes = [*found.notes, note][:NOTES]


def _unanswered(url: str, jobs: list[dict[str, Any]]) -> int:
    known = {row[0] for row in plain_rows(url, "SELECT ticket FROM job")}
    return sum(job["n"] for job in jobs if job["id"] not in known)


def _say(line: str) -> None:
    print(f"faults: {line}", file=sys.stderr, flush=True)


def _wait(until: Callable[[], bool], seconds: float) -> None:
    over = time.monotonic() + seconds
    while not until() and time.monotonic() < over:
        time.sleep(0.05)
