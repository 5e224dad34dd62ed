"""Kills a worker, a node, the driver, the database and the S3 server at random instants of ``score`` and ``generate``.

Each trial is a campaign of its own, in a database and below a prefix of its own, on a Ray cluster of three nodes; every
other one keeps its scores in columns. An instant is uniform over the time that the verb is at work when left alone,
from its first worker to its last row; a worker or a node dies at the next moment at which it has a batch. A kill counts
when it met a verb that had something to do, and is drawn again until it does. What was killed is back a second later,
or, in every other trial, only when the run has ended.

A run that loses a worker or a node must do all of its work itself; one that loses driver, database or S3 server is run
again until it has nothing left. Then there must be as many rows as the campaign asks for, read with plain SQL and from
the files of scores, with the values and picks of a run that was left alone, every image must lie in the S3 server with
its bytes, and the service must have been paid for what was needed.
"""

from __future__ import annotations

import hashlib
import io
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from experiments.support.cluster_counts import Counts, unanswered, wait
from experiments.support.cluster_machines import Nodes, end, kill, nodes, verb
from experiments.support.plain_rows import plain_rows
from experiments.support.remote_campaign import KEY, KEY_ENV, ServerOptions, Service, serving
from experiments.support.servers import PostgreSQLServer
from selector import Campaign
from selector.domain import BestshotError, encode_final
from tests.servers.s3_server import S3Server

VERBS = ("score", "generate")
VICTIMS = ("worker", "node", "driver", "database", "s3")
OF_THE_CLUSTER, FORGETTING = VICTIMS[:2], VICTIMS[2:4]  # who is replaced in the run; who may not store a job's number
EDITS = ("make the picture brighter", "make the image black and white", "increase the contrast", "make it warmer")
TASKS, EACH, IMPORTED = 8, 3, 6  # of each type; candidates made of a task; and imported where they are to be scored
SCORERS = ("clip_similarity", "gate", "preservation", "seams", "technical")
COLUMNS = 18  # of these scorers together, of an edit
ROWS = {"score": TASKS * IMPORTED * COLUMNS, "generate": 2 * TASKS * EACH}
IMAGES = {"score": TASKS * IMPORTED, "generate": 2 * TASKS * EACH}
PAID = {"score": 0, "generate": TASKS * EACH}
JOBS = 2  # at once at the service
BACK_SECONDS, HUNG_SECONDS, MOST_RUNS, MOST_DRAWS = 1.0, 240.0, 5, 10
BUCKET = "faults"
NOTES = 20


@dataclass
class Faults(Counts):
    """``trials``: also those whose kill came too late. ``columns``: kills in campaigns that keep scores in columns."""

    trials: int = 0
    columns: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    wrong: int = 0
    other_picks: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        self.notes = [*self.notes, line][:NOTES]


@dataclass(frozen=True)
class Outcome:
    """What a campaign holds: rows by key (with how often), its picks, and the images that the S3 server has whole."""

    rows: Counter[tuple[Any, ...]]
    values: Mapping[tuple[Any, ...], Any]
    picks: Mapping[str, str | None]
    images: int
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
    """So many kills that met their verb at work, in turn over the verbs and what is killed."""
    found, rng = Faults(), Random(seed)
    kinds = list(product(verbs, victims))
    with _place() as place:
        quiet: dict[str, Outcome] = {}
        seconds: dict[str, float] = {}
        for name in verbs:
            trial = _Trial(place, name, "quiet", columns=False)
            quiet[name] = trial.run(None)
            seconds[name] = trial.work_seconds
            _compare(found, f"{name} alone", name, quiet[name], quiet[name])
            _say(f"{name} alone: {len(quiet[name].rows)} rows, at work for {seconds[name]:.1f} s: {asdict(found)}")
        for number in range(kills):
            (name, victim), turn = kinds[number % len(kinds)], number // len(kinds)
            late, columns = turn % 2 == 1, (turn + turn // 2) % 2 == 1
            for draw in range(MOST_DRAWS):
                hit = _Hit(place, victim, rng.uniform(0, seconds[name]), late, rng)
                label = (
                    f"{number}.{draw}: {name}, {victim} after {hit.after_s:.2f} s, back {'late' if late else 'soon'}"
                )
                label += ", columns" if columns else ""
                found.trials += 1
                try:
                    outcome = _Trial(place, name, f"{number}-{draw}", columns=columns).run(hit)
                    _compare(found, label, name, quiet[name], outcome)
                except (RuntimeError, BestshotError) as error:
                    found.wrong += 1
                    found.note(f"{label}: {error}")
                if hit.met:
                    break
            else:
                raise RuntimeError(f"{victim}: {MOST_DRAWS} kills came after {name} was done")
            found.kills, found.columns = found.kills + 1, found.columns + columns
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
        self._place, self.victim, self.after_s, self.late = place, victim, after_s, late
        self._rng = rng
        self.met = False
        self.at = 0.0  # seconds since 1970

    def strike(self, trial: _Trial, driver: Any) -> None:
        """Kill, and note whether that met the verb at work."""
        wait(lambda: driver.poll() is not None, self.after_s)
        self.met = trial.is_at_work(driver)
        self.at = time.time()
        if self.victim == "worker":
            busy = self._busy(driver, None)
            self.met = self.met and bool(busy) and _killed(self._rng.choice(busy))
        elif self.victim == "node":
            self.met = self.met and bool(self._busy(driver, self._place.node))
            self._place.cluster.end(self._place.node)
        elif self.victim == "driver":
            self.met = kill(driver) and self.met
        elif self.victim == "database":
            self._place.database.kill()
        else:
            self._place.s3.end()

    def _busy(self, driver: Any, node: Any) -> list[int]:
        """Workers that have a batch, which is not so at every instant; none when the run has ended."""
        while driver.poll() is None:
            if found := self._place.cluster.workers(node, busy=True):
                return found
            time.sleep(0.02)
        return []

    def heal(self) -> None:
        if self.victim == "node":
            self._place.node = self._place.cluster.add()
        elif self.victim == "database":
            self._place.database.start()
        elif self.victim == "s3":
            self._place.s3.begin()


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class _Trial:
    """One campaign from its making to what it holds in the end."""

    def __init__(self, place: _Place, what: str, name: str, columns: bool) -> None:
        self._place, self._what, self._columns = place, what, columns
        self._name = f"{what}-{name}"
        self._url = ""
        self.work_seconds = 0.0  # from the first worker to the last row, of a run that was left alone

    def run(self, hit: _Hit | None) -> Outcome:
        """Raises ``RuntimeError`` where the verb hangs, or does not end as it should."""
        folder, place = self._place.folder / self._name, self._place
        folder.mkdir()
        options = ServerOptions(running=JOBS, submits_per_second=0, job_seconds=0.8, slow_seconds=1.0, picture_px=64)
        with (
            place.database.database(self._name) as self._url,
            serving(options) as service,
            (folder / "said").open("w+") as said,
        ):
            campaign = _campaign(folder, self._name, self._what, self._url, service.url, self._columns)
            words = [self._what, "--engine", "ray", "--engine-address", place.cluster.address]
            more = {KEY_ENV: KEY, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
            program = "experiments.support.cluster_columns" if self._columns else "selector.cli"
            forgiven, status = 0, -1
            for turn in range(MOST_RUNS):
                driver = verb(campaign, words, said, more, program=program)
                try:
                    if turn == 0:
                        forgiven = self._disturbed(driver, hit, service)
                    if not wait(lambda: driver.poll() is not None, HUNG_SECONDS):  # noqa: B023 - within this turn
                        raise RuntimeError(f"run {turn + 1} did not end within {HUNG_SECONDS:.0f} s")
                finally:
                    end(driver)
                status = driver.returncode
                if _is_last(hit.victim if hit else None, status, turn):
                    break
            if status != 0:
                said.seek(0)
                raise RuntimeError(f"ended with {status} after {turn + 1} runs: {said.read()[-800:]}")
            return self._outcome(campaign, service.stats()["paid"], forgiven)

    def is_at_work(self, driver: Any) -> bool:
        """Whether the program runs and some of its rows are not there yet."""
        return driver.poll() is None and self._stored() < ROWS[self._what]

    def _disturbed(self, driver: Any, hit: _Hit | None, service: Service) -> int:
        """The first run to its end; images of jobs that nobody could have stored the number of."""
        cluster = self._place.cluster
        wait(lambda: bool(cluster.workers()) or driver.poll() is not None, HUNG_SECONDS)
        began = time.monotonic()
        if hit is None:
            wait(lambda: not self.is_at_work(driver), HUNG_SECONDS)
            self.work_seconds = time.monotonic() - began
            return 0
        hit.strike(self, driver)
        if not hit.late:
            time.sleep(BACK_SECONDS)
            hit.heal()
        wait(lambda: driver.poll() is not None, HUNG_SECONDS)
        if hit.late:
            hit.heal()
        if hit.victim not in FORGETTING:
            return 0
        known = {row[0] for row in plain_rows(self._url, "SELECT ticket FROM job")}
        return unanswered(service.jobs(), known, hit.at, JOBS)

    def _stored(self) -> int:
        if self._what == "generate":
            return int(plain_rows(self._url, "SELECT count(*) FROM attempt WHERE outcome = 'made'")[0][0])
        waiting = int(plain_rows(self._url, "SELECT count(*) FROM score")[0][0])
        counts = [of for (shard,) in plain_rows(self._url, "SELECT counts FROM score_shard") for of in shard.values()]
        in_files: int = sum(n for by_column in counts for by_reason in by_column.values() for n in by_reason.values())
        return waiting + in_files

    def _outcome(self, campaign: Path, paid: int, forgiven: int) -> Outcome:
        if self._what == "score":
            found = plain_rows(
                self._url, 'SELECT task_id, candidate_id, scorer, version, "column", value, reason FROM score'
            )
            files = plain_rows(self._url, "SELECT scorer, path FROM score_shard")
            if self._columns and not files:
                raise RuntimeError("no score became a file")
            for scorer, path in files:
                with suppress(KeyError):  # its rows are lost
                    found += _cells(scorer, self._place.s3.object(BUCKET, self._key(campaign, path)))
            keyed = [(row[:5], row[5:]) for row in found]
            images = [row[0] for row in plain_rows(self._url, "SELECT id FROM candidate")]
        else:
            found = plain_rows(
                self._url, "SELECT task_id, generator, recipe_key, candidate_id FROM attempt WHERE outcome = 'made'"
            )
            keyed = [(row[:3], row[3:]) for row in found]
            images = [row[3] for row in found]
        whole = sum(self._is_whole(image) for image in set(images))
        with Campaign(campaign) as opened:
            picks = {pick.task_id: pick.candidate_id for pick in opened.best_known()}
        return Outcome(Counter(key for key, _ in keyed), dict(keyed), picks, whole, paid, forgiven)

    def _key(self, campaign: Path, path: str) -> str:
        with Campaign(campaign) as opened:
            return f"{self._name}/scores/{opened._ws.images.owner}/{path}"

    def _is_whole(self, image: str) -> bool:
        """By the server and not by the program, which keeps what it has seen."""
        try:
            data = self._place.s3.object(BUCKET, f"{self._name}/{image[:2]}/{image}.jpg")
        except KeyError:
            return False
        return hashlib.sha256(data).hexdigest() == image


def _is_last(victim: str | None, status: int, turn: int) -> bool:
    """Whether this run must have done everything. One that lost a worker must: only so it shows that it repeats."""
    return victim is None or victim in OF_THE_CLUSTER or (status == 0 and turn > 0)


def _cells(scorer: str, data: bytes) -> list[tuple[Any, ...]]:
    """Rows as those of the table ``score``, of a file by column."""
    import pyarrow.parquet as pq

    return [
        (row["task_id"], row["candidate_id"], scorer, row["version"], name, row[name], row[f"{name}__reason"])
        for row in pq.read_table(io.BytesIO(data)).to_pylist()
        for name in row
        if f"{name}__reason" in row and (row[name] is not None or row[f"{name}__reason"] is not None)
    ]


def _campaign(folder: Path, name: str, what: str, url: str, service: str, columns: bool) -> Path:
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
        "store": {"url": url, "images": f"s3://{BUCKET}/{name}", "scores": "columns" if columns else "rows"},
        "score": {"scorers": list(SCORERS)},
        "embedding": {"model": "embedded"},
        "engine": {"batch": 4},
        "generate": {"tie": {"retouch": EACH}, "t2i": {"first": EACH}},
        "generators": {"first": {"kind": "dashscope", "service": "first", "size": "512*512"}},
        "services": {"first": {"base_url": service, "key_env": KEY_ENV, "running": JOBS, "submits_per_second": 0}},
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


def _compare(found: Faults, label: str, what: str, quiet: Outcome, outcome: Outcome) -> None:
    """What differs from the run that was left alone, and from what the campaign asks for."""
    lost = max(len(quiet.rows.keys() - outcome.rows.keys()), ROWS[what] - len(outcome.rows))
    lost += IMAGES[what] - outcome.images
    doubled = sum(outcome.rows.values()) - len(outcome.rows) + len(outcome.rows.keys() - quiet.rows.keys())
    wrong = sum(quiet.values[key] != value for key, value in outcome.values.items() if key in quiet.values)
    others = sum(quiet.picks.get(task) != picked for task, picked in outcome.picks.items())
    others += len(quiet.picks.keys() - outcome.picks.keys())
    beyond = max(0, outcome.paid - PAID[what] - outcome.unanswered)
    found.lost, found.duplicated, found.wrong = found.lost + lost, found.duplicated + doubled, found.wrong + wrong
    found.other_picks, found.paid_beyond_needed = found.other_picks + others, found.paid_beyond_needed + beyond
    found.unanswered += outcome.unanswered
    if lost or doubled or wrong or others or beyond:
        found.note(f"{label}: {lost} lost, {doubled} doubled, {wrong} wrong, {others} other picks, {beyond} beyond")


def _say(line: str) -> None:
    print(f"faults: {line}", file=sys.stderr, flush=True)
