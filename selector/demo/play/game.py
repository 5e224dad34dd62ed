"""One game: contest days, then calibrate, with a leaderboard that is simulated.

The player knows nothing but `next --do`: it uploads what that asks it to upload, and records the total.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from pathlib import Path

import numpy as np

from selector import Campaign
from selector.advice import StepKind
from selector.config import read_config
from selector.demo.play.contest import FIRST_DAY, PlayTask, Scores, write_table
from selector.demo.play.plan import TEAM
from selector.demo.play.pool import Pool, campaign_of
from selector.demo.play.scores import ORACLE, RANDOM, Points, baseline_points, mean_of
from selector.domain import BestshotError, InputError, Pick
from selector.domain.campaign_folder import CONFIG_NAME, DATABASE_NAME
from selector.domain.progress import Progress, silent

SHARED = ("planning", "attempt", "candidate", "score")  # rows that a game takes from the pool
DECIMALS = 2  # that the leaderboard shows
JUDGE_SD = 0.5  # of the judge's score of one picture around its truth, in points, anew every time
LOOP, SUBMITTED = "bestshot", "best submission"


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


@dataclass(frozen=True)
class Rules:
    """What differs between games: the share of the pool's tasks that are in it, and the judge's noise (points)."""

    share: float = 0.6
    judge_sd: float = JUDGE_SD


@dataclass(frozen=True)
class Day:
    """After a day: gaps of the best picks known and of the submission with the best total; totals of that day."""

    known: float
    submitted: float
    totals: tuple[float, ...]


@dataclass(frozen=True)
class Game:
    """``gaps``: recovered gap of every baseline. ``points``: mean true score of random picks and of the oracle's.

    ``by_type``: gaps of the last day's picks and of the baselines, by task type.
    """

    seed: int
    tasks: int
    days: tuple[Day, ...]
    gaps: Mapping[str, float]
    points: Mapping[str, float]
    by_type: Mapping[str, Mapping[str, float]]


class Leaderboard:
    """The mean of what the judge says of every picked candidate, rounded. The truth stays here."""

    def __init__(self, truth: Scores, judge_sd: float, rng: np.random.Generator) -> None:
        self._truth, self._sd, self._rng = truth, judge_sd, rng

    def total(self, picks: Sequence[Pick]) -> float:
        """0 to 10, as shown."""
        scores = [true_score(self._truth, pick) for pick in picks]
        noise = self._rng.normal(0.0, self._sd, len(scores))
        return float(np.clip(round(float(np.mean(scores + noise)), DECIMALS), 0, 10))


def true_score(truth: Scores, pick: Pick) -> float:
    """0 for a last resort: it shows nothing that was asked for."""
    return 0.0 if pick.candidate_id is None or pick.fallback else truth[pick.task_id, pick.candidate_id]


def play(pool: Pool, folder: Path, seed: int, rules: Rules, progress: Progress = silent) -> Game:
    """Play the game of a seed in ``folder``, which is made anew; the same seed gives the same game.

    Raises:
        InputError: the folder holds what is no game.
    """
    rng = np.random.default_rng([pool.plan.seed, seed])
    tasks = _drawn(pool.tasks, rules.share, rng)
    clock = Clock()
    with own_campaign(pool, folder, tasks, clock) as campaign:
        baselines = baseline_points(campaign.folder / DATABASE_NAME, tasks, pool.truth)
        board = Leaderboard(pool.truth, rules.judge_sd, rng)
        gap = _gaps({name: mean_of(points) for name, points in baselines.items()})
        days, best = [], (-np.inf, float("nan"))
        for day in range(pool.plan.days):
            clock.day = day
            progress(f"game {seed}", day, pool.plan.days)
            told = play_day(campaign, board)
            made = [(total, mean_of(_points(pool.truth, picks))) for total, picks in told]
            best = max([best, *made], key=lambda pair: pair[0])  # of equal totals the first: no team knows more
            # Only looked at: stored picks would be the next day's choice, which is the player's.
            best_known = {**dict.fromkeys((t.id for t in tasks), 0.0), **_points(pool.truth, campaign.best_known())}
            known = mean_of(best_known)
            days.append(Day(gap(known), gap(best[1]), tuple(total for total, _ in told)))
        campaign.calibrate()  # once, for its plots: every plan and every pick learns from all totals anyway
        progress(f"game {seed}", pool.plan.days, pool.plan.days)
    found = {name: gap(mean_of(points)) for name, points in baselines.items()}
    points = {name: round(mean_of(baselines[name]), 4) for name in (RANDOM, ORACLE)}
    return Game(seed, len(tasks), tuple(days), found, points, _by_type(tasks, {LOOP: best_known, **baselines}))


def play_day(campaign: Campaign, board: Leaderboard) -> list[tuple[float, Sequence[Pick]]]:
    """A day's submissions with their totals, for as long as the next step of a person is an upload."""
    told: list[tuple[float, Sequence[Pick]]] = []
    while True:
        asked = campaign.do(allow_fallbacks=True).person
        if asked is None or asked.kind is not StepKind.UPLOAD:
            return told
        (submission,) = asked.about
        picks = campaign.submissions.picks(submission)
        total = board.total(picks)
        campaign.record(submission, total)
        told.append((total, picks))


def _drawn(tasks: Sequence[PlayTask], share: float, rng: np.random.Generator) -> list[PlayTask]:
    """A share of the tasks of every type, in any order."""
    chosen: list[PlayTask] = []
    for kind in dict.fromkeys(task.type for task in tasks):
        own = [task for task in tasks if task.type is kind]
        chosen += [own[int(i)] for i in rng.permutation(len(own))[: max(1, round(share * len(own)))]]
    return [chosen[int(i)] for i in rng.permutation(len(chosen))]


def _points(truth: Scores, picks: Sequence[Pick]) -> Points:
    return {pick.task_id: true_score(truth, pick) for pick in picks}


def _gaps(means: Mapping[str, float]) -> Callable[[float], float]:
    """Points to recovered gap: 0 is a random pick, 1 the oracle; NaN where picks cannot differ."""
    low, high = means[RANDOM], means[ORACLE]
    return lambda points: round((points - low) / (high - low), 4) if high > low else float("nan")


def _by_type(tasks: Sequence[PlayTask], strategies: Mapping[str, Points]) -> dict[str, dict[str, float]]:
    found = {}
    for kind in dict.fromkeys(task.type for task in tasks):
        own = [task.id for task in tasks if task.type is kind]
        means = {name: mean_of({task: points[task] for task in own}) for name, points in strategies.items()}
        gap = _gaps(means)
        found[kind.value] = {name: gap(mean) for name, mean in means.items()}
    return found
