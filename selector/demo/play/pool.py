"""The pool of a play: a campaign whose candidates are made and measured once, kept, and shared by every game.

Pictures from text are made by real diffusers pipelines of several settings, as `bestshot generate` makes them (or, as a
stand-in, by simulated generators); edits by simulated editors whose pictures come in as by `bestshot import`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timezone
from pathlib import Path
from typing import Any

import numpy as np

from selector import Campaign
from selector.demo.closed_world import _edit_truth as edit_truth
from selector.demo.closed_world import _regions as regions
from selector.demo.closed_world import _shapes_seen as shapes_seen
from selector.demo.closed_world import checker
from selector.demo.closed_world.render import Pixels
from selector.demo.closed_world.simulated import EDITORS, GENERATORS, Maker, edited, generated
from selector.demo.play.contest import FIRST_DAY, Files, PlayTask, Scores, play_tasks, write_contest
from selector.demo.play.plan import PoolPlan
from selector.domain import InputError, MissingPart, encode_final, stable_hash
from selector.domain.campaign_folder import CONFIG_NAME, DATABASE_NAME
from selector.domain.files import write_atomically
from selector.domain.progress import Progress, silent
from selector.store import Database, ImageFolder
from selector.store.candidates import load_candidates

_EYES = (checker, regions, shapes_seen, edit_truth)  # what the truth depends on


@dataclass(frozen=True)
class Pool:
    """A pool that is whole. Picklable: processes that play get it by value."""

    folder: Path
    plan: PoolPlan
    tasks: tuple[PlayTask, ...]
    files: Files
    truth: Scores
    left_out: Mapping[str, str]  # scorers that cannot run here, and why


def make_pool(folder: Path, plan: PoolPlan, progress: Progress = silent) -> Pool:
    """Make what is missing of the pool in ``folder``; what is there is kept.

    Raises:
        InputError: the folder holds a pool of another plan, or of other models. MissingPart: a package or a model is
            not here.
    """
    tasks = play_tasks(plan.prompts, plan.edits, plan.seed)
    with _campaign(folder, tasks, plan) as (campaign, files):
        if plan.stand_in:
            _bring(campaign, folder, [t for t in tasks if t.scene], GENERATORS, plan, progress)
        elif plan.prompts:
            _generate(campaign, progress)
        _bring(campaign, folder, [t for t in tasks if t.source], EDITORS, plan, progress)
        summary = campaign.score(progress=progress)
        for why in [*summary.failures, *summary.lost.values()]:
            raise InputError(f"scoring failed: {why}")
    truth = _truth(folder, {task.id: task for task in tasks}, progress)
    return Pool(folder, plan, tasks, files, truth, summary.left_out)


def campaign_of(folder: Path) -> Path:
    """Where the campaign of a pool or of a game lies."""
    return folder / "campaign"


@contextmanager
def _campaign(folder: Path, tasks: Sequence[PlayTask], plan: PoolPlan) -> Iterator[tuple[Campaign, Files]]:
    known, place = folder / "plan.json", campaign_of(folder)
    facts = json.loads(json.dumps({**plan.facts, "models": plan.models}, default=str))
    made = (place / CONFIG_NAME).exists()
    if made:
        _refuse_another(folder, known, facts)
    files = write_contest(folder / "contest", tasks, plan.days)
    write_atomically(known, (json.dumps(facts, indent=1) + "\n").encode(), durable=False)
    if made:
        campaign = Campaign(place, _beginning)
    else:
        campaign = Campaign.init(place, files.table, files.images, str(files.profile), _beginning, **plan.config)
    with campaign:
        yield campaign, files


def _refuse_another(folder: Path, known: Path, facts: Mapping[str, Any]) -> None:
    """A pool of two plans, or of two models, would be neither's."""
    try:
        there = json.loads(known.read_text(encoding="utf-8"))
        models = dict(there["models"])
    except (OSError, ValueError, KeyError, TypeError):
        there, models = {}, {}
    if {**there, "models": None} != {**facts, "models": None}:
        raise InputError(f"{folder} holds a pool of other settings: name another folder, or delete this one")
    for name in sorted(models.keys() | facts["models"].keys()):
        old, new = models.get(name, "none"), facts["models"].get(name, "none")
        if old != new:
            raise InputError(
                f"{folder} holds a pool of another model ({name}: {old}, now {new}): name another folder, or delete it"
            )


def _beginning() -> datetime:
    return datetime.combine(FIRST_DAY, time(0), timezone.utc)


def _generate(campaign: Campaign, progress: Progress) -> None:
    summary = campaign.generate(progress=progress)
    if summary.left_out:
        raise MissingPart(next(iter(summary.left_out.values())))
    if summary.missing:
        raise MissingPart(next(iter(summary.reasons), "a part of the pipeline is not here"))


def _bring(
    campaign: Campaign,
    folder: Path,
    tasks: Sequence[PlayTask],
    makers: Sequence[Maker],
    plan: PoolPlan,
    progress: Progress,
) -> None:
    """Have simulated makers make their pictures, and import them under the makers' names."""
    for number, maker in enumerate(makers):
        place = folder / "made" / maker.name
        place.mkdir(parents=True, exist_ok=True)
        for task in tasks:
            for i in range(plan.each):
                path = place / f"{task.id}_{i}.png"
                if not path.exists():
                    rng = np.random.default_rng([plan.seed, int(task.id), number, i])
                    write_atomically(path, encode_final(_drawn(task, maker, rng), "png"), durable=False)
        if tasks:
            campaign.import_folder(place, maker.name, progress)


def _drawn(task: PlayTask, maker: Maker, rng: np.random.Generator) -> Pixels:
    if task.scene is not None:
        return generated(task.scene, maker, rng)
    assert task.source is not None and task.edit is not None
    return edited(task.source, task.edit, maker, rng)


def _truth(folder: Path, tasks: Mapping[str, PlayTask], progress: Progress) -> Scores:
    """The checker's score of every candidate, of the bytes that would be exported; kept in ``truth.json``."""
    place = folder / "truth.json"
    eyes = stable_hash([Path(str(module.__file__)).read_text(encoding="utf-8") for module in _EYES])
    stored = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    known: dict[str, float] = stored.get("truth", {}) if stored.get("eyes") == eyes else {}
    database = Database(campaign_of(folder) / DATABASE_NAME)
    with database.read() as connection:
        candidates = load_candidates(connection)
    database.close()
    images = ImageFolder(campaign_of(folder) / "images", ".jpg")
    truth: dict[tuple[str, str], float] = {}
    for done, candidate in enumerate(candidates):
        progress("truth", done, len(candidates))
        key = f"{candidate.task_id} {candidate.id}"
        if key not in known:
            known[key] = round(tasks[candidate.task_id].truth(images.picture(candidate.id).rgb), 4)
        truth[candidate.task_id, candidate.id] = known[key]
    progress("truth", len(candidates), len(candidates))
    write_atomically(place, json.dumps({"eyes": eyes, "truth": known}, indent=0).encode(), durable=False)
    return truth
