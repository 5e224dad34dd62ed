"""A game's own campaign: a share of a pool's tasks with the pool's images and scores, on a clock of its own."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, time, timedelta, timezone
from pathlib import Path

from selector import Campaign
from selector.config import read_config
from selector.create import CONFIG_NAME, DATABASE_NAME
from selector.demo.play.contest import FIRST_DAY, PlayTask, write_table
from selector.demo.play.plan import TEAM
from selector.demo.play.pool import Pool, campaign_of
from selector.domain import BestshotError, InputError

SHARED = ("planning", "attempt", "candidate", "score")  # rows that a game takes from the pool


class Clock:
    """A contest day's noon, for the campaign in place of the present."""

    def __init__(self) -> None:
        self.day = 0

    def __call__(self) -> datetime:
        return datetime.combine(FIRST_DAY + timedelta(days=self.day), time(12), timezone.utc)


def own_campaign(pool: Pool, folder: Path, tasks: Sequence[PlayTask], clock: Callable[[], datetime]) -> Campaign:
    """A campaign of some of the pool's tasks, in this order, that has the pool's images and scores and no past.

    An older game in ``folder`` is deleted. Raises ``InputError`` when the folder holds anything else.
    """
    table = folder / "task.csv"
    _remove_game(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(table, tasks)
    place, shared = campaign_of(folder), campaign_of(pool.folder)
    Campaign.init(place, table, pool.files.images, str(pool.files.profile), clock, **pool.plan.config).close()
    shutil.copytree(shared / "images", place / "images", copy_function=_linked, dirs_exist_ok=True)
    with closing(sqlite3.connect(place / DATABASE_NAME)) as connection:
        connection.execute("ATTACH DATABASE ? AS pool", (str(shared / DATABASE_NAME),))
        ours = "task_id IN (SELECT id FROM task)"
        for name in SHARED:
            connection.execute(f"INSERT INTO {name} SELECT * FROM pool.{name} WHERE {ours} ORDER BY rowid")
        connection.commit()
    return Campaign(place, clock)


def _remove_game(folder: Path) -> None:
    """Delete an older game, known by its team; never what somebody else has put there."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        ours = read_config(campaign_of(folder) / CONFIG_NAME).team == TEAM
    except (OSError, BestshotError):
        ours = False
    if not ours:
        raise InputError(f"{folder} holds no game of this experiment: delete it yourself, or choose another folder")
    shutil.rmtree(folder)


def _linked(source: str, target: str) -> None:
    """The same file under another name, or a copy where the file system has no links: its bytes never change."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
