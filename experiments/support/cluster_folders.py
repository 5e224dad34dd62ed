"""Two machines, each with a folder of one campaign on one PostgreSQL, at one service; one of them dies at its work.

Both start ``generate`` at once; the service is one machine's at a time, and the other says so and ends. The one that
is at it is killed at a random instant and the other, started again every few seconds as a person or a timer would, goes
on when the lease of the dead one has run out. The service must have made exactly the images that are needed, plus those
of jobs whose number the dead one could not store.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from experiments.support.cluster_counts import Counts, unanswered, wait
from experiments.support.cluster_machines import end, has_elsewhere, kill, verb
from experiments.support.plain_rows import plain_rows
from experiments.support.remote_campaign import KEY, KEY_ENV, ServerOptions, Service, make_campaign, serving
from experiments.support.servers import PostgreSQLServer
from selector import Campaign
from selector.config import read_config
from selector.store.leases import LEASE_SECONDS

JOBS, PER_TASK = 64, 2  # jobs at once at the service; images of each task
TASKS = 96
AGAIN_SECONDS, PATIENCE_SECONDS, MOST_DRAWS = 5.0, 240.0, 5
START_SECONDS = 10.0  # of the program, until its first word to the service
BAR_TAKEOVER_SECONDS = LEASE_SECONDS + AGAIN_SECONDS + START_SECONDS
BUSY = 1  # exit status of generate when another process is at the service


@dataclass
class TwoMachines(Counts):
    """In images, over all rounds. ``takeover_s``: the longest from a kill to the other's first word to the service."""

    rounds: int = 0
    needed: int = 0
    paid: int = 0
    most_jobs_at_once: int = 0
    takeover_s: float = 0.0
    lease_s: float = LEASE_SECONDS
    process_numbers_of_their_own: bool = False  # without it both are the same machine to the lease


def measure_folders(rounds: int, seed: int) -> dict[str, Any]:
    """``rounds`` kills that met a machine at work; a round whose kill came too late is drawn again."""
    found, rng = TwoMachines(process_numbers_of_their_own=has_elsewhere()), Random(seed)
    with PostgreSQLServer() as server, tempfile.TemporaryDirectory(prefix="bestshot-folders-") as place:
        while found.kills < rounds:
            if found.rounds == MOST_DRAWS * rounds:
                raise RuntimeError(f"{found.kills} of {found.rounds} kills met a machine at work")
            number, at = found.rounds, rng.uniform(0.0, 0.9)
            with server.database(f"folders_{number}") as url:
                _one_round(Path(place) / str(number), url, at, number, found)
            print(f"folders: {asdict(found)}", file=sys.stderr, flush=True)
    return asdict(found)


def _one_round(place: Path, url: str, at: float, number: int, found: TwoMachines) -> None:
    """``at``: the share of all jobs handed in and images made at which one is killed."""
    place.mkdir(parents=True)
    options = ServerOptions(running=JOBS, submits_per_second=20.0, job_seconds=6.0, picture_px=64, seed=number)
    with serving(options) as service, (place / "said").open("w") as said:
        folders = _two_folders(place, url, service, options)
        more = {KEY_ENV: KEY, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        elsewhere = found.process_numbers_of_their_own
        both = {folder: verb(folder, ["generate"], said, more, elsewhere) for folder in folders}
        one_is_left = wait(lambda: any(one.poll() is not None for one in both.values()), 60)
        second = min(folders, key=lambda folder: both[folder].poll() is None)
        if not one_is_left or both[second].returncode != BUSY:
            raise RuntimeError(f"not one machine alone is at the service: {(place / 'said').read_text()[-1000:]}")
        (dying,) = (process for folder, process in both.items() if folder is not second)
        steps = at * TASKS * (1 + PER_TASK)
        wait(lambda: len(service.jobs()) + len(_attempts(url)) > steps or dying.poll() is not None, PATIENCE_SECONDS)
        found.kills += len(_attempts(url)) < TASKS * PER_TASK and kill(dying)
        killed_at, known = time.time(), _tickets(url)
        time.sleep(1.0)  # until the service has taken what was on the wire
        forgiven = unanswered(service.jobs(), known, killed_at, JOBS)
        requests = _asked(service)
        status, took = -1, 0.0
        while status != 0 and time.time() - killed_at < PATIENCE_SECONDS:
            going_on = verb(second, ["generate"], said, more, elsewhere)
            while going_on.poll() is None:
                if not took and _asked(service) > requests:
                    took = time.time() - killed_at
                time.sleep(0.2)
            status = going_on.returncode
            if status not in (0, BUSY):
                raise RuntimeError(f"generate ended with {status}: {(place / 'said').read_text()[-1000:]}")
            if status:
                time.sleep(AGAIN_SECONDS)
        if status:
            raise RuntimeError(
                f"something is left after {PATIENCE_SECONDS:.0f} s: {(place / 'said').read_text()[-1000:]}"
            )
        end(dying)
        stats = service.stats()
    needed, whole, doubled = TASKS * PER_TASK, *_made(place / "pictures", url)
    found.rounds, found.needed, found.paid = found.rounds + 1, found.needed + needed, found.paid + stats["paid"]
    found.unanswered += forgiven
    found.paid_beyond_needed += max(0, stats["paid"] - needed - forgiven)
    found.lost, found.duplicated = found.lost + max(0, needed - whole), found.duplicated + doubled
    found.most_jobs_at_once = max(found.most_jobs_at_once, stats["most_running"])
    found.takeover_s = max(found.takeover_s, took)


def _two_folders(place: Path, url: str, service: Service, options: ServerOptions) -> tuple[Path, Path]:
    """The same input in two folders is the same campaign; the pictures lie in a folder that both machines see."""
    made = make_campaign(place / "made", TASKS, PER_TASK, {"first": (service.url, options)})
    config = read_config(made / "campaign.toml").model_dump(exclude_unset=True)
    shared = place / "pictures"
    shared.mkdir()
    config.pop("campaign", None)
    config["store"] = {"url": url, "images": str(shared)}
    folders = []
    for name in ("one", "two"):
        folder = place / name
        table, images = place / "made" / "task.csv", place / "made" / "in"
        Campaign.init(folder, table, images, **config).close()
        folders.append(folder)
    shutil.rmtree(made)
    return folders[0], folders[1]


def _tickets(url: str) -> frozenset[str]:
    return frozenset(str(row[0]) for row in plain_rows(url, "SELECT ticket FROM job"))


def _made(pictures: Path, url: str) -> tuple[int, int]:
    """(recipes whose candidate is there with its bytes, recipes that were made more than once)."""
    rows = _attempts(url)
    whole = {row[:3] for row in rows if _is_whole(pictures, row[3])}
    return len(whole), len(rows) - len({row[:3] for row in rows})


def _attempts(url: str) -> list[tuple[Any, ...]]:
    return plain_rows(url, "SELECT task_id, generator, recipe_key, candidate_id FROM attempt WHERE outcome = 'made'")


def _is_whole(pictures: Path, image: str) -> bool:
    files = list((pictures / image[:2]).glob(f"{image}.*"))
    return any(hashlib.sha256(file.read_bytes()).hexdigest() == image for file in files)


def _asked(service: Service) -> int:
    return sum(service.stats()["requests"].values())
