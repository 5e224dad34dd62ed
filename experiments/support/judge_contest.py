"""Campaigns whose candidates are random pictures, for experiments with a judge's server that knows the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from selector import Campaign
from selector.domain import TaskType, encode_final
from selector.store import Database
from selector.store.observations import Judgement, load_judgements

JUDGE = "toy"
PER_TASK = 4
_HEADER = "index,task_type,prompt,ori_image,target_image"


def make_campaign(place: Path, candidates: int, side_px: int, url: str, **judge: Any) -> Campaign:
    """A campaign in ``place`` with so many candidates of all four kinds, and the judge "toy" at ``url``."""
    rng = np.random.default_rng(candidates)
    rows, tasks = [_HEADER], -(-candidates // PER_TASK)
    for name in ("in", "out"):
        (place / name).mkdir(parents=True)
    for task in range(tasks):
        kind = list(TaskType)[task % 4]
        source, reference = (f"{task:030x}{role}.jpg" for role in ("aa", "bb"))
        cells = {TaskType.T2I: ("a red cube", "", ""), TaskType.DEEPFAKE: ("", source, reference)}
        prompt, first, second = cells.get(kind, ("make it brighter, 把字改成“你好”", source, ""))
        rows.append(f'{task},{kind.value},"{prompt}",{first},{second}')
        for name in filter(None, (first, second)):
            (place / "in" / name).write_bytes(_picture(rng, side_px))
        for i in range(min(PER_TASK, candidates - task * PER_TASK)):
            (place / "out" / f"{task}_{i}.jpg").write_bytes(_picture(rng, side_px))
    (place / "task.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    score = {"scorers": ["technical"]}  # quick to make: nothing is scored here
    judges = {JUDGE: {"base_url": url, "model": "toy-judge", **judge}}
    campaign = Campaign.init(place / "campaign", place / "task.csv", place / "in", judges=judges, score=score)
    campaign.import_folder(place / "out", "random")
    return campaign


def judgements_of(folder: Path) -> dict[tuple[str, str], Judgement]:
    """(task, candidate) to what the judge "toy" says by now."""
    database = Database(folder / "campaign.db")
    with database.read() as connection:
        found = {(j.task_id, j.candidate_id): j for j in load_judgements(connection, JUDGE)}
    database.close()
    return found


def _picture(rng: np.random.Generator, side_px: int) -> bytes:
    """A JPEG with blocks of 8 px in random colours."""
    blocks = rng.integers(40, 180, (side_px // 8, side_px // 8, 3)).astype(np.uint8)
    return encode_final(np.kron(blocks, np.ones((8, 8, 1), np.uint8)))
