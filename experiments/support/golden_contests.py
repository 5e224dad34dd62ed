"""Simulated contests in real campaigns: cheap pictures are imported, judged by tables, and learned from by totals.

Truth is SC and PQ of every candidate: level + skill of its generator + luck, from a seed. PQ shows in the picture as
grain, so that the scorers see a part of it; nothing but the tables of judges and the totals tells of SC.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.golden_record import Table
from experiments.support.golden_tables import PIXELS, Tables, query
from selector import Campaign
from selector.demo.play.game import Clock

Floats = np.ndarray[Any, np.dtype[np.float64]]
_HEADER = ("index", "task_type", "prompt", "ori_image", "target_image")
_CELLS, _CELL_PX = (10, 12), 8
_GRAIN = 4.0  # levels for each point that PQ is below 10
_EXPLAINED = 3  # tasks
_BUDGET = 12  # candidates and judgements that are wished for
TEAM = "golden"


@dataclass(frozen=True)
class Mix:
    """A contest.

    Attributes:
        seed: of truth, pictures, judges and totals.
        types: task type to its number of tasks.
        generators, each: how many, and candidates of each a task.
        skill_sd, luck_sd: points, of generators and of candidates.
        judges: name to the share of candidates that it saw and the standard deviation of its error in points.
        rounds: submissions with a total.
        noise_sd: points, of a total.
        by_type: whether the leaderboard shows totals by task type too.
    """

    seed: int
    types: Mapping[str, int]
    generators: int
    each: int
    skill_sd: float
    luck_sd: float
    judges: Mapping[str, tuple[float, float]]
    rounds: int
    noise_sd: float
    by_type: bool = False


MIXES = {
    "drawn": Mix(11, {"t2i": 40}, 4, 1, 0.8, 1.0, {"vlm": (0.5, 1.5)}, 6, 0.02),
    "four-types": Mix(
        12, {"t2i": 10, "tie": 10, "vttie": 10, "deepfake": 10}, 3, 1, 0.4, 1.5, {"vlm": (0.3, 1.0)}, 4, 0.05, True
    ),
    "edits-noisy": Mix(13, {"tie": 16, "vttie": 8}, 3, 2, 0.3, 2.0, {"strict": (0.6, 2.5), "kind": (0.2, 1.0)}, 5, 0.2),
}


@dataclass(frozen=True)
class Candidate:
    """A picture of the contest with its truth; ``file`` is its name in the folder of its generator."""

    task: str
    type: str
    generator: str
    file: str
    sc: float
    pq: float

    @property
    def overall(self) -> float:
        return float(np.sqrt(self.sc * self.pq))


def play_mix(mix: Mix, place: Path, workers: int) -> dict[str, Table]:
    """Play the contest in a new folder and tell all that came out."""
    rng = np.random.default_rng(mix.seed)
    candidates = _write_contest(mix, place, rng)
    clock = Clock()
    settings: dict[str, Any] = {"seed": mix.seed, "workers": workers, "score": {"scorers": ["gate", "technical"]}}
    with Campaign.init(
        place / "campaign", place / "task.csv", place / "inputs", clock=clock, team=TEAM, **settings
    ) as campaign:
        tables = Tables(campaign, inputs_rest_on=PIXELS)
        for folder in sorted((place / "made").iterdir()):
            campaign.import_folder(folder)
        campaign.score()
        truth = _by_id(campaign, candidates)
        first = tables.picks()
        _judge(campaign, mix, truth, place, rng)
        plans = _submit(campaign, clock, mix, truth, rng)
        record = {
            **tables.inputs(),
            "picks_before": first,
            "picks": tables.picks(),
            **tables.plans(plans),
            **tables.lessons(),
        }
        record |= {"judgements": tables.judgements(), **tables.wishes(next(iter(mix.judges)), _BUDGET)}
        return record | tables.all([t.id for t in campaign.tasks[:: len(campaign.tasks) // _EXPLAINED]])


def _write_contest(mix: Mix, place: Path, rng: np.random.Generator) -> list[Candidate]:
    """The task table, its input pictures and a folder of pictures for every generator."""
    kinds = [kind for kind, count in mix.types.items() for _ in range(count)]
    rows = [_task_row(2 * i + 1, kind, place / "inputs", rng) for i, kind in enumerate(kinds)]
    with (place / "task.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_HEADER, *rows])
    skill = mix.skill_sd * rng.standard_normal((2, mix.generators))
    found = []
    for row in rows:
        level = np.array([6.0, 6.5]) + rng.standard_normal(2)
        for place_of_one in np.ndindex(mix.generators, mix.each):
            quality = level + skill[:, place_of_one[0]] + mix.luck_sd * rng.standard_normal(2)
            found.append(_candidate(row, place_of_one, quality, place / "made", rng))
    return found


def _task_row(number: int, kind: str, inputs: Path, rng: np.random.Generator) -> tuple[Any, ...]:
    names = {"t2i": (), "deepfake": ("scene", "face")}.get(kind, ("scene",))
    files = [f"{number}-{name}.png" for name in names]
    inputs.mkdir(exist_ok=True)
    for file in files:
        _save(inputs / file, _picture(8.0, rng))
    prompt = "" if kind == "deepfake" else f"{kind} number {number}: 换成红色"
    return (number, kind, prompt, *files, *[""] * (2 - len(files)))


def _candidate(
    row: Sequence[Any], generator_and_number: tuple[int, ...], quality: Floats, made: Path, rng: np.random.Generator
) -> Candidate:
    generator, number = generator_and_number
    sc, pq = (round(float(q), 3) for q in np.clip(quality, 0.0, 10.0))
    folder = made / f"model-{generator}"
    folder.mkdir(parents=True, exist_ok=True)
    file = f"{row[0]}_{number}.png"
    _save(folder / file, _picture(pq, rng))
    return Candidate(str(row[0]), str(row[1]), f"folder:{folder.name}", file, sc, pq)


def _picture(pq: float, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Blocks of colour under grain, of which there is the more the worse PQ is; in whole numbers, alike everywhere."""
    blocks = rng.integers(70, 186, (*_CELLS, 3)).repeat(_CELL_PX, 0).repeat(_CELL_PX, 1)
    most = round(_GRAIN * (10.0 - pq)) + 1
    return (blocks + rng.integers(-most, most + 1, blocks.shape)).clip(0, 255).astype(np.uint8)


def _save(path: Path, rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    from PIL import Image

    Image.fromarray(rgb).save(path)


def _by_id(campaign: Campaign, candidates: Sequence[Candidate]) -> dict[tuple[str, str], Candidate]:
    """(task, candidate id) to its truth, by the manifest of the store: which file each was made from."""
    known = {(c.task, c.generator, c.file): c for c in candidates}
    rows = query(campaign, "SELECT task_id, candidate_id, generator, params FROM attempt WHERE outcome = 'made'")
    return {(task, id_): known[task, generator, json.loads(params)["file"]] for task, id_, generator, params in rows}


def _judge(
    campaign: Campaign, mix: Mix, truth: Mapping[tuple[str, str], Candidate], place: Path, rng: np.random.Generator
) -> None:
    """Every judge has seen its share, in whole points of SC and PQ; of face swaps it tells the cosine."""
    for name, (share, error_sd) in mix.judges.items():
        rows = []
        for (task, id_), one in sorted(truth.items(), key=lambda item: (item[1].task, item[1].generator, item[1].file)):
            seen, errors = rng.random() < share, error_sd * rng.standard_normal(2)
            if seen:
                sc, pq = np.rint((np.array([one.sc, one.pq]) + errors).clip(0.0, 10.0))
                rows.append((task, id_, *(("", sc / 10) if one.type == "deepfake" else (sc, "")), pq))
        with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("task", "candidate", "sc", "cosine", "pq"), *rows])
        campaign.judges[name].tell(place / f"{name}.csv")


def _submit(
    campaign: Campaign,
    clock: Clock,
    mix: Mix,
    truth: Mapping[tuple[str, str], Candidate],
    rng: np.random.Generator,
) -> list[Any]:
    """Plan, export and record, a day each; correct the first total, upload one that has none yet, and plan again."""
    plans, scored = [], []
    for turn in range(mix.rounds):
        clock.day += 1
        plans.append(campaign.plan(mix.rounds + 2 - turn, hold_below=0.0))
        done = campaign.export()
        picks = json.loads(done.manifest_path.read_text(encoding="utf-8"))["picks"]
        totals = _totals([truth[pick["task"], pick["candidate"]] for pick in picks], mix, rng)
        if done.submission.total is None:
            campaign.record(done.submission.id, totals.pop("all"), types=totals)
            scored.append(done.submission.id)
    if not mix.by_type:
        right = next(iter(campaign.submissions)).total
        campaign.record(scored[0], round((right or 0.0) + 0.3, 2), reason="read wrongly")
    clock.day += 1
    plans.append(campaign.plan(3, hold_below=0.0))
    campaign.record(campaign.export().submission.id, submitted=True)
    clock.day += 1
    return [*plans, campaign.plan(2), campaign.plan(1)]


def _totals(picked: Sequence[Candidate], mix: Mix, rng: np.random.Generator) -> dict[str, float]:
    """What the leaderboard shows, with two decimals: of all tasks, and by type where it shows that."""
    noise = mix.noise_sd * rng.standard_normal()
    groups = {"all": picked}
    if mix.by_type:
        groups |= {kind: [one for one in picked if one.type == kind] for kind in mix.types}
    means = {name: float(np.mean([one.overall for one in group])) for name, group in groups.items()}
    return {name: round(min(max(mean + noise, 0.0), 10.0), 2) for name, mean in means.items()}
