"""The pool of a play: a campaign whose candidates are made and measured once, kept, and shared by every game.

Pictures from text are made by real diffusers pipelines of several settings, as `bestshot generate` makes them (or, as a
stand-in, by simulated painters); edits by simulated editors whose finished pictures come in as `bestshot import` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timezone
from pathlib import Path
from typing import Any

import numpy as np

from experiments.closed_world import checker, edit_truth, quality, regions, shapes_seen
from experiments.closed_world.render import Pixels
from experiments.closed_world.simulated import EDITORS, PAINTERS, Maker, edited, painted
from experiments.support.play_contest import FIRST_DAY, Files, PlayTask, Truth, play_tasks, write_contest
from selector import Campaign
from selector.create import CONFIG_NAME, DATABASE_NAME
from selector.domain import InputError, MissingPart, encode_final, stable_hash
from selector.runs.progress import Progress, silent
from selector.store import Database, ImageFolder
from selector.store.files import write_atomically
from selector.store.records import load_candidates

SCORERS = (
    "artefacts",
    "clip_direction",
    "clip_similarity",
    "gate",
    "preservation",
    "prompt_contrast",
    "seams",
    "spatial",
    "technical",
)
OF_EMBEDDING = ("clip_direction", "clip_similarity", "prompt_contrast", "spatial")
# Correlations with VIEScore within a task, as a team would measure them before a contest, on pictures of its own:
# `python -m experiments.play --measure --pool-seed 1 --prompts 24 --edits 24`, the strongest, rounded down.
MEASURED = {
    "clip_direction.direction": 0.7,
    "clip_similarity.similarity": 0.4,
    "preservation.edit_visible": 0.5,
    "prompt_contrast.margin": 0.3,
    "spatial.relations": 0.3,
}
# The same model under four settings: a skill each, and each with its own kind of fault.
PIPELINES: Mapping[str, Mapping[str, Any]] = {
    "unguided": {"guidance_scale": 1.0, "steps": 20},
    "hasty": {"guidance_scale": 4.0, "steps": 6},
    "guided": {"guidance_scale": 4.0, "steps": 20},
    "forced": {"guidance_scale": 9.0, "steps": 20},
}
_EYES = (checker, quality, regions, shapes_seen, edit_truth)  # what the truth depends on


@dataclass(frozen=True)
class PoolPlan:
    """What a pool holds.

    ``each``: pictures of a task by each maker. ``model``: a folder in diffusers' format instead of the embedded model.
    ``stand_in``: simulated painters instead of a pipeline. ``embedding``: the table ``[embedding]``. ``measured``: what
    a team knows of its scores before the contest, ``[calibrate] scores``.
    """

    prompts: int = 80
    edits: int = 40
    each: int = 2
    days: int = 14
    seed: int = 0
    stand_in: bool = False
    model: str = ""
    scorers: tuple[str, ...] = SCORERS
    measured: Mapping[str, float] = field(default_factory=lambda: dict(MEASURED))
    embedding: Mapping[str, Any] = field(default_factory=lambda: {"model": "embedded"})

    def without_embedding(self) -> PoolPlan:
        """The same without what looks at pictures through an embedding."""
        return replace(self, scorers=tuple(name for name in self.scorers if name not in OF_EMBEDDING))

    @property
    def config(self) -> dict[str, Any]:
        """``campaign.toml`` of the pool and of every game, so that they are the same makers and scorers."""
        made: dict[str, Any] = {"tie": {}, "vttie": {}, "deepfake": {}}
        generators: dict[str, Any] = {}
        if not self.stand_in:
            made["t2i"] = dict.fromkeys(PIPELINES, self.each)
            weights = {"model_path": self.model} if self.model else {"preset": "embedded"}
            generators = {name: {"kind": "diffusers", **weights, **how} for name, how in PIPELINES.items()}
        return {
            "team": "play",
            "seed": 20300301 + self.seed,
            "generate": made,
            "generators": generators,
            "score": {"scorers": list(self.scorers)},
            "embedding": dict(self.embedding),
            "calibrate": {"scores": dict(self.measured)},
        }


@dataclass(frozen=True)
class Pool:
    """A pool that is whole. Picklable: processes that play get it by value."""

    folder: Path
    plan: PoolPlan
    tasks: tuple[PlayTask, ...]
    files: Files
    truth: Truth
    left_out: Mapping[str, str]  # scorers that cannot run here, and why


def make_pool(folder: Path, plan: PoolPlan, progress: Progress = silent) -> Pool:
    """Make what is missing of the pool in ``folder``; what is there is kept.

    Raises:
        InputError: the folder holds a pool of another plan. MissingPart: a package or a model is not here.
    """
    tasks = play_tasks(plan.prompts, plan.edits, plan.seed)
    with _campaign(folder, tasks, plan) as (campaign, files):
        if plan.stand_in:
            _bring(campaign, folder, [t for t in tasks if t.scene], PAINTERS, plan, _by_painter, progress)
        elif plan.prompts:
            _generate(campaign, progress)
        _bring(campaign, folder, [t for t in tasks if t.source], EDITORS, plan, _by_editor, progress)
        summary = campaign.score(progress=progress)
        if summary.failures:
            raise InputError(f"scoring failed: {next(iter(summary.failures))}")
    truth = _truth(folder, {task.id: task for task in tasks}, progress)
    return Pool(folder, plan, tasks, files, truth, summary.left_out)


def campaign_of(folder: Path) -> Path:
    """Where the campaign of a pool or of a game lies."""
    return folder / "campaign"


@contextmanager
def _campaign(folder: Path, tasks: Sequence[PlayTask], plan: PoolPlan) -> Iterator[tuple[Campaign, Files]]:
    known = folder / "plan.json"
    written = (json.dumps({**vars(plan)}, default=str, indent=1) + "\n").encode()
    place = campaign_of(folder)
    made = (place / CONFIG_NAME).exists()
    if made and (not known.exists() or known.read_bytes() != written):
        raise InputError(f"{folder} holds a pool of other settings: name another folder, or delete this one")
    files = write_contest(folder / "contest", tasks, plan.days)
    write_atomically(known, written, durable=False)
    if made:
        campaign = Campaign(place, _beginning)
    else:
        campaign = Campaign.init(place, files.table, files.images, str(files.profile), _beginning, **plan.config)
    with campaign:
        yield campaign, files


def _beginning() -> datetime:
    return datetime.combine(FIRST_DAY, time(0), timezone.utc)


def _generate(campaign: Campaign, progress: Progress) -> None:
    summary = campaign.generate(progress=progress)
    if summary.left_out:
        raise MissingPart(next(iter(summary.left_out.values())))
    if summary.missing:
        raise MissingPart(next(iter(summary.reasons), "a part of the pipeline is not here"))


Drawing = Callable[[PlayTask, Maker, np.random.Generator], Pixels]


def _bring(
    campaign: Campaign,
    folder: Path,
    tasks: Sequence[PlayTask],
    makers: Sequence[Maker],
    plan: PoolPlan,
    drawn: Drawing,
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
                    write_atomically(path, encode_final(drawn(task, maker, rng), "png"), durable=False)
        if tasks:
            campaign.import_folder(place, maker.name, progress)


def _by_painter(task: PlayTask, maker: Maker, rng: np.random.Generator) -> Pixels:
    assert task.scene is not None
    return painted(task.scene, maker, rng)


def _by_editor(task: PlayTask, maker: Maker, rng: np.random.Generator) -> Pixels:
    assert task.source is not None and task.edit is not None
    return edited(task.source, task.edit, maker, rng)


def _truth(folder: Path, tasks: Mapping[str, PlayTask], progress: Progress) -> Truth:
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
