"""Two folders of one campaign on one database at one service: what a team does, and what a second terminal may do.

Both run ``generate`` at once. In every other round one of them is killed on the way and the other goes on. Afterwards
both are run until nothing is left: the service must have made exactly the images that are needed, plus those that were
on their way at the kill.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from experiments.support.crash_loop import CAMPAIGN, GIVEN, INIT, OUT, TASKS, TEMPORARY, configure, make_contest
from experiments.support.crash_process import Servers, Started, serving, start

WORK = ("generate", "--type", "t2i", "-C", CAMPAIGN)
SETTLED = (0, 1)  # exit statuses of generate: 1 when another process is at the service
MOST_RUNS = 4  # of each folder after the first
PER_TASK = 2


@dataclass
class TwoFolders:
    """Counts over all rounds, in images. ``beyond``: paid beyond need and beyond what was on its way at a kill."""

    rounds: int = 0
    kills: int = 0
    needed: int = 0
    paid: int = 0
    on_their_way: int = 0
    beyond: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return self.beyond + self.lost + len(self.wrong)

    def describe(self) -> list[str]:
        """One line and what was wrong; nothing where there was no round."""
        if not self.rounds:
            return []
        line = (
            f"two folders, one database: {self.rounds} rounds, {self.kills} kills: {self.needed} images needed, "
            f"{self.paid} paid, {self.on_their_way} on their way at a kill, {self.beyond} beyond; {self.lost} lost"
        )
        return [line, *(f"  {fault}" for fault in self.wrong[:5])]


def measure_two_folders(place: Path, rounds: int, seed: int) -> TwoFolders:
    """``rounds`` of them below the new folder ``place``."""
    found, rng, usual = TwoFolders(), Random(seed), 0.0
    make_contest(place / GIVEN)
    for number in range(rounds):
        kill_after = rng.uniform(0, usual) if number % 2 else None
        seconds = _one_round(place, f"round {number}", kill_after, rng.random() < 0.5, found)
        usual = usual if number % 2 else seconds
    return found


def _one_round(place: Path, name: str, kill_after: float | None, swapped: bool, found: TwoFolders) -> float:
    """Returns the seconds until both had ended; ``swapped``: the other folder is started first, and killed."""
    folders = (place / f"{name} a", place / f"{name} b")
    database = place / f"{name}.db"
    with serving() as servers:
        _make_both(folders, database, servers)
        servers.take_time(True)
        began = time.perf_counter()
        first, second = (start(folder, WORK) for folder in (reversed(folders) if swapped else folders))
        on_their_way = 0
        if kill_after is not None:
            found.kills += 1
            on_their_way = _killed(first, kill_after, database, servers)
        statuses = [second.ended().status, *([] if kill_after is not None else [first.ended().status])]
        seconds = time.perf_counter() - began
        statuses += _run_until_settled(folders)
        images = {what: n for what, n in servers.bill().items() if what[0] == "image"}
    found.wrong += [f"{name}: generate ended with {s}" for s in statuses if s not in SETTLED]
    found.wrong += [] if statuses[-2:] == [0, 0] else [f"{name}: something is left after {MOST_RUNS} runs more"]
    needed = PER_TASK * sum(kind == "t2i" for _, kind, _, _ in TASKS)
    found.rounds, found.needed = found.rounds + 1, found.needed + needed
    found.paid, found.on_their_way = found.paid + sum(images.values()), found.on_their_way + on_their_way
    found.beyond += max(0, sum(images.values()) - needed - on_their_way)
    found.lost += max(0, needed - _whole_candidates(folders, database))
    return seconds


def _make_both(folders: tuple[Path, Path], database: Path, servers: Servers) -> None:
    """A campaign on the shared database, and a copy of its folder."""
    first, second = folders
    for name in (OUT, TEMPORARY):
        (first / name).mkdir(parents=True)
    if (made := start(first, INIT.words("")).ended()).status != 0:
        raise RuntimeError(f"init ended with {made.status}: {made.said}")
    shutil.move(first / CAMPAIGN / "campaign.db", database)
    configure(first, servers.service_url, servers.chat_url, servers.reading_url, f"sqlite:///{database}")
    shutil.copytree(first, second)


def _killed(process: Started, after_seconds: float, database: Path, servers: Servers) -> int:
    """Kill it; returns how many images were on their way."""
    process.send_after(after_seconds, "KILL")
    process.ended()
    with contextlib.closing(sqlite3.connect(database)) as connection:
        tickets = frozenset(row[0] for row in connection.execute("SELECT ticket FROM job"))
    bill = servers.on_their_way(tickets, time.time())
    return sum(n for what, n in bill.items() if what[0] == "image")


def _run_until_settled(folders: tuple[Path, Path]) -> list[int]:
    """Does what the program says of images that the other folder has paid for: copies them."""
    statuses: list[int] = []
    for _ in range(MOST_RUNS):
        statuses += [start(folder, WORK).ended().status for folder in folders]
        if statuses[-2:] == [0, 0]:
            break
        for one, other in (folders, folders[::-1]):
            shutil.copytree(one / CAMPAIGN / "images", other / CAMPAIGN / "images", dirs_exist_ok=True)
    return statuses


def _whole_candidates(folders: tuple[Path, Path], database: Path) -> int:
    """Candidates whose bytes are in one of the two folders."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM candidate")]
    places = [folder / CAMPAIGN / "images" for folder in folders]
    return sum(any((images / i[:2] / f"{i}.jpg").is_file() for images in places) for i in ids)
