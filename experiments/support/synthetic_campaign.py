"""Campaigns of any size whose rows are synthesised: no picture is generated for a task, and none is measured.

A quarter of the tasks is of each type. Each has four candidates: two of the generator that is planned for its type (of
an import where none is, for text to image) and one of each of two imports, all made at the first try. A candidate has
22 scores on average, of six scorers that need no model, in their present versions. Scores, the judgements of a
candidate of every tenth task, and six totals follow from a quality that each candidate has, so that there is something
to learn. One score in 33 is unscored, and the gate refuses one candidate in 16. Each task has input pictures of its own
name, but the bytes of all pictures are those of a few small ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection

from selector import Campaign
from selector.contest.profile import ContestProfile
from selector.demo.play.figures import Floats
from selector.domain import Axis, Column, Recipe, Score, Scorer, Task, TaskType, encode_final
from selector.domain.campaign_folder import DATABASE_NAME
from selector.generate.verb import MOST_FILES
from selector.measure.scored import rows_of
from selector.registry import create_generator, create_scorer
from selector.store import Database, ImageFolder, schema
from selector.store.attempts import Attempt, Planning, add_attempt, add_planning
from selector.store.candidates import Candidate
from selector.store.database import add
from selector.store.observations import JUDGE, Judgement, add_judgements
from selector.store.scores import add_scores
from selector.submit.ledger import Ledger
from selector.workspace.plug_ins import build_of

CANDIDATES = 4
SCORERS = ("artefacts", "gate", "ocr_text", "preservation", "seams", "technical")
SUBMISSIONS = 6
_PLANNED = {TaskType.TIE: "retouch", TaskType.VTTIE: "textedit", TaskType.DEEPFAKE: "faceswap"}
_UNPLANNED = "folder:gamma"
_QUALITY = {"textedit": 4.5, "folder:alpha": 4.4, "folder:beta": 5.6}  # mean overall by generator; of the others 5
_PICTURES, _INPUTS, _SIDE_PX, _SQUARES = 64, 8, 72, 9
_TASKS_AT_ONCE = 250  # in a transaction
_START = datetime(2025, 7, 1, 12, tzinfo=timezone.utc)  # a fixed one, so that the rows are always the same
_AT = _START.isoformat(timespec="milliseconds")


def write_contest(folder: Path, n: int, seed: int) -> None:
    """``task.csv`` of ``n`` tasks in the form of the Tianchi contest, and ``imgs/`` with their input pictures."""
    (folder / "imgs").mkdir(parents=True)
    pictures = tuple(_pictures(_INPUTS, seed))
    for number in range(n + 1):
        (folder / "imgs" / _input(number)).write_bytes(pictures[number % _INPUTS])
    rows = "".join(f"{_row(number)}\n" for number in range(n))
    (folder / "task.csv").write_text(f"index,task_type,prompt,ori_image,target_image\n{rows}", encoding="utf-8")


def make_campaign(folder: Path, contest: Path, seed: int, each: int = CANDIDATES, side_px: int = _SIDE_PX) -> None:
    """A campaign in ``folder`` for the tasks that ``write_contest`` wrote to ``contest``, with all that was made.

    ``each``: candidates a task, a multiple of four: so many times the four that the module speaks of, at most 64.
    ``side_px``: of the candidates, a multiple of 9.
    Its newest picks are those of the last submission, whose ZIP was never written.
    """
    planned = {kind.value: {name: each // 2} for kind, name in _PLANNED.items()}
    config: dict[str, Any] = {"generate": planned, "score": {"scorers": list(SCORERS)}}
    with Campaign.init(folder, contest / "task.csv", contest / "imgs", **config) as campaign:
        tasks, profile, campaign_seed = campaign.tasks, campaign.profile, campaign.config.seed
    rng = np.random.default_rng(seed)
    made = _Made(
        tuple(_stored(ImageFolder(folder / "images", ".jpg"), seed + 1, side_px)),
        {name: build_of(create_generator(name), {}, campaign_seed) for name in _PLANNED.values()},
        {name: create_scorer(name) for name in SCORERS},
        np.array([quality_of(generators_of(task, each)) for task in tasks])
        + 1.5 * rng.standard_normal((len(tasks), each)),
        side_px,
    )
    db = Database(folder / DATABASE_NAME)
    for start in range(0, len(tasks), _TASKS_AT_ONCE):
        with db.write() as connection:
            for task in tasks[start : start + _TASKS_AT_ONCE]:
                made.write(db, connection, task, rng)
    for number in range(SUBMISSIONS):
        _submit(db, profile, number, tasks, made, rng)
    db.close()


@dataclass(frozen=True)
class _Made:
    """What the tasks have: ``pictures`` are (id, bytes), ``quality`` is (tasks, candidates), about 0 to 10."""

    pictures: Sequence[tuple[str, int]]
    builds: Mapping[str, str]
    scorers: Mapping[str, Scorer]
    quality: Floats
    side_px: int

    @property
    def each(self) -> int:
        """Candidates a task."""
        return int(self.quality.shape[1])

    def candidates(self, task: Task) -> list[Candidate]:
        """Different pictures, which other tasks have too."""
        places = (task.position + k * _PICTURES // self.each for k in range(self.each))
        pictures = (self.pictures[place % _PICTURES] for place in places)
        return [Candidate(task.id, one, self.side_px, self.side_px, size) for one, size in pictures]

    def write(self, db: Database, connection: Connection, task: Task, rng: np.random.Generator) -> None:
        """All rows of a task."""
        candidates = self.candidates(task)
        self._write_attempts(db, connection, task, candidates)
        add_scores(db, connection, list(self._score_rows(task, candidates, rng)))
        if task.position % 10 == 0:
            sc, pq = np.clip(self.quality[task.position, 0] + rng.standard_normal(2), 0, 10).tolist()
            add_judgements(connection, [Judgement(task.id, candidates[0].id, "a-model", JUDGE, sc, pq, at=_AT)])

    def _write_attempts(
        self, db: Database, connection: Connection, task: Task, candidates: Sequence[Candidate]
    ) -> None:
        recipes: dict[str, list[Recipe]] = {}
        for k, (name, candidate) in enumerate(zip(generators_of(task, self.each), candidates, strict=True)):
            recipes.setdefault(name, []).append(recipe := _recipe(name, task, k))
            attempt = Attempt(
                task.id, name, self._build(name), recipe, k if name in self.builds else None, "made", candidate.id
            )
            add_attempt(db, connection, attempt, candidate, 1, _AT)
        for name, its in recipes.items():
            asked = self.each // 2 if name in self.builds else MOST_FILES
            planning = Planning(task.id, name, self._build(name), asked, tuple(its), "planned", None)
            add_planning(connection, planning, _now())

    def _build(self, generator: str) -> str:
        return self.builds.get(generator, "1-synthetic")

    def _score_rows(
        self, task: Task, candidates: Sequence[Candidate], rng: np.random.Generator
    ) -> Iterator[dict[str, Any]]:
        for name, scorer in self.scorers.items():
            if task.type not in scorer.task_types:
                continue
            noise = rng.standard_normal((self.each, len(scorer.columns)))
            signals = self.quality[task.position, :, None] / 5 - 1 + noise
            for k, candidate in enumerate(candidates):
                result = {
                    column.name: _score(column, signal, task.position + k + number, k == self.each - 1)
                    for number, (column, signal) in enumerate(zip(scorer.columns, signals[k].tolist(), strict=True))
                }
                yield from rows_of(task.id, candidate.id, name, scorer.version, result)


def _now() -> str:
    """Plannings are of today, as those that the plug-ins of this checkout have made."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def generators_of(task: Task, each: int) -> tuple[str, ...]:
    """Of each candidate of a task."""
    names = (*[_PLANNED.get(task.type, _UNPLANNED)] * 2, "folder:alpha", "folder:beta")
    return tuple(name for name in names for _ in range(each // CANDIDATES))


def quality_of(generators: Sequence[str]) -> Floats:
    """Mean overall of each one's candidates."""
    return np.array([_QUALITY.get(name, 5.0) for name in generators])


def _recipe(generator: str, task: Task, number: int) -> Recipe:
    name = f"{task.id}_{number}.jpg"
    return Recipe(name, 0, {"file": name}) if generator.startswith("folder:") else Recipe(f"variant {number}", 0)


def _score(column: Column, signal: float, turn: int, is_last: bool) -> Score:
    """A value within the column's range; of the gate 0 or 1, where only a task's last candidate may have 0."""
    if column.axis is Axis.GATE:
        return Score.of(float(not is_last or turn % 20 != 0))
    if turn % 33 == 0:
        return Score.unscored("synthesised without a value")
    share = 1 / (1 + math.exp(-signal if column.higher_is_better else signal))
    return Score.of(column.low + (column.high - column.low) * share)


def _submit(
    db: Database, profile: ContestProfile, number: int, tasks: Sequence[Task], made: _Made, rng: np.random.Generator
) -> None:
    """A submission of random picks."""
    chosen = rng.integers(made.each - 1, size=len(tasks))  # never the last, which the gate may have refused
    picks = [(task.id, made.candidates(task)[k].id) for task, k in zip(tasks, chosen.tolist(), strict=True)]
    overall = np.clip(made.quality[np.arange(len(tasks)), chosen], 0, 10)
    submit(db, profile, number, picks, float(overall.mean()))


def submit(db: Database, profile: ContestProfile, number: int, chosen: Sequence[tuple[str, str]], total: float) -> None:
    """A submission of these candidates (task id, candidate id), uploaded on a day of its own, and its total."""
    at, submission_id = _START + timedelta(days=number), f"{number:08x}"
    ledger = Ledger(db, profile, lambda: at)
    picks = [{"task_id": task, "candidate_id": candidate, "fallback": False} for task, candidate in chosen]
    with db.write() as connection:
        set_id = add(connection, schema.pick_set, digest=submission_id, basis={"calibration": "none"}, at=_AT)
        rows = [{**pick, "pick_set_id": set_id, "reason": "at random"} for pick in picks]
        db.insert_missing(connection, schema.pick, rows)
        add(
            connection,
            schema.submission,
            id=submission_id,
            pick_set_id=set_id,
            zip_name="result.zip",
            zip_sha256="",
            fallbacks=0,
            at=at.isoformat(timespec="milliseconds"),
        )
        db.insert_missing(
            connection, schema.submission_pick, [{**pick, "submission_id": submission_id} for pick in picks]
        )
        ledger.exported(connection, submission_id)
    ledger.record_total(submission_id, round(total, profile.score.decimals))


def _stored(images: ImageFolder, seed: int, side_px: int) -> Iterator[tuple[str, int]]:
    for data in _pictures(_PICTURES, seed, side_px):
        yield images.put(data), len(data)


def _pictures(n: int, seed: int, side_px: int = _SIDE_PX) -> Iterator[bytes]:
    """Different pictures of coloured squares, as final JPEG bytes."""
    rng = np.random.default_rng(seed)
    square = np.ones((side_px // _SQUARES, side_px // _SQUARES, 1), np.uint8)
    for _ in range(n):
        yield encode_final(np.kron(rng.integers(0, 256, (_SQUARES, _SQUARES, 3), np.uint8), square))


def _input(number: int) -> str:
    return f"{number:032x}.jpg"


def _row(number: int) -> str:
    """A line of the task table; the types take turns."""
    return (
        f"{number},t2i,a cat and {number} birds,,",
        f"{number},tie,make picture {number} brighter,{_input(number)},",
        f"{number},vttie,replace the text with {number},{_input(number)},",
        f"{number},deepfake,,{_input(number)},{_input(number + 1)}",
    )[number % 4]
