"""How good the shipped models are, and what picking among their pictures is worth: the truth is known here.

    python -m experiments.closed_world.evaluate --work WORK --json out.json

Prompts of scenes of their own, English and Chinese in turn, eight pictures each: the embedded model under four
settings, two seeds each, made and measured by `bestshot generate` and `bestshot score`. Compared are a random picture,
the one with the highest embedded similarity, the pick of a campaign that was told eight leaderboard totals (four days,
noisy and rounded), and the best there is. The campaign picks twice: told beforehand how well its scores tell the truth
(measured on other pictures, by the same judge), and untold.

Scenes are drawn anew from the distribution of the training, and the world is small: many are in the training word for
word. Figures that end in "_unseen" are of the others alone. On two cores about a quarter of an hour; it goes on where
it was interrupted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.closed_world.best_of import MEASURES, Picks, Truths, compared, highest, key_of, mean_right
from experiments.closed_world.folders import megabytes
from experiments.play import refuse_measured
from experiments.support.outcome import ended, finish, parser, within
from generators.diffusers_pipeline import DiffusersPipeline
from selector.cli.common import progress_bar
from selector.demo.closed_world.checker import check
from selector.demo.closed_world.scene import Scene, scene_at
from selector.demo.play.contest import EVALUATED_FROM
from selector.demo.play.figures import Figure, figure
from selector.demo.play.game import Clock, Leaderboard, own_campaign, play_day
from selector.demo.play.plan import PoolPlan
from selector.demo.play.pool import Pool, campaign_of, make_pool
from selector.demo.play.scores import made_by, similarities
from selector.domain import InputError, Task, TaskInputs, TaskType
from selector.domain.campaign_folder import DATABASE_NAME
from selector.sight.embedded import EMBEDDING, TEXT_TO_IMAGE
from selector.store import ImageFolder

PICTURES = 8
TOTALS = 8
JUDGE_SD = 0.5
TRAINED = 60_000  # scenes of the training's series that were drawn (train.py: pictures)
MOST_PROMPTS = 100_000
UNTOLD = "calibrated_untold"


def main(arguments: list[str] | None = None) -> int:
    options = parser("closed_world.evaluate", __doc__ or "")
    options.add_argument("--work", type=Path, required=True, help="folder for pictures and scores; kept")
    options.add_argument("--prompts", type=int, default=500, help="default 500")
    chosen = options.parse_args(arguments)
    return ended(lambda: evaluate(chosen), chosen.work, "what was made is kept, run the same command again to go on")


def evaluate(chosen: argparse.Namespace) -> int:
    """Make what is missing, compare, print and write.

    Raises:
        InputError: a number is out of range, or ``--work`` holds something else. MissingPart: a model is not here.
    """
    within("--prompts", chosen.prompts, 1, MOST_PROMPTS)
    within("--seed", chosen.seed, 0)
    plan = PoolPlan(chosen.prompts, edits=0, each=2, days=TOTALS // 2, seed=EVALUATED_FROM + chosen.seed)
    refuse_measured(plan)
    pool = make_pool(chosen.work / "pool", plan, progress_bar())
    truths, picks = truths_of(pool), picks_of(pool, chosen.work, chosen.seed)
    results: dict[str, Any] = {
        **compared(truths, picks),
        **compared({task: truths[task] for task in unseen(pool)}, picks, "_unseen"),
        "by_setting": by_setting(pool, truths),
        "models": pool.plan.models,
        **costs(),
    }
    finish(results, lines_of(results, list(picks)), chosen.json)
    return 0


def truths_of(pool: Pool) -> Truths:
    """What the checker says of the bytes that would be exported.

    Raises:
        InputError: a task has more candidates than are compared.
    """
    images = ImageFolder(campaign_of(pool.folder) / "images", ".jpg")
    scenes = {task.id: task.scene for task in pool.tasks}
    found: dict[str, dict[str, Any]] = {task: {} for task in scenes}
    for task, candidate in pool.truth:
        scene = scenes[task]
        assert scene is not None
        found[task][candidate] = check(images.picture(candidate).rgb, scene)
        if len(found[task]) > PICTURES:
            raise InputError(f"{pool.folder}: expected at most {PICTURES} pictures of a task: choose another --work")
    return found


def picks_of(pool: Pool, work: Path, seed: int) -> dict[str, Picks]:
    """What each strategy picks; campaigns that are told totals play in ``work``."""
    untold = replace(pool, plan=pool.plan.untold())
    return {
        "similarity": highest(similarities(campaign_of(pool.folder) / DATABASE_NAME, pool.tasks)),
        "calibrated": calibrated_picks(pool, work / "game", seed),
        UNTOLD: calibrated_picks(untold, work / "game-untold", seed),
    }


def calibrated_picks(pool: Pool, folder: Path, seed: int) -> Picks:
    """What a campaign picks that was told two totals a day; None where it has a last resort or nothing."""
    clock, board = Clock(), Leaderboard(pool.truth, JUDGE_SD, np.random.default_rng([seed, 1]))
    with own_campaign(pool, folder, pool.tasks, clock) as campaign:
        for day in range(pool.plan.days):
            clock.day = day
            play_day(campaign, board)
        picked = {pick.task_id: None if pick.fallback else pick.candidate_id for pick in campaign.pick()}
    return {task.id: picked.get(task.id) for task in pool.tasks}


def unseen(pool: Pool) -> list[str]:
    """Tasks whose scene is not among the training pictures: another side, number, colour, shape, size or background."""
    trained = {_shown(scene_at(i)) for i in range(TRAINED)}
    return [task.id for task in pool.tasks if task.scene is not None and _shown(task.scene) not in trained]


def _shown(scene: Scene) -> tuple[object, ...]:
    """What pictures of a scene show; one group lies beside nothing."""
    return scene.groups, scene.axis if len(scene.groups) > 1 else "", scene.background


def by_setting(pool: Pool, truths: Truths) -> dict[str, Any]:
    """The share of pictures of each setting that are fully right, with an interval over prompts."""
    shares: dict[str, list[float]] = {}
    for task, candidates in made_by(campaign_of(pool.folder) / DATABASE_NAME).items():
        for maker in {name for makers in candidates.values() for name in makers}:
            own = [candidate for candidate, makers in candidates.items() if maker in makers]
            shares.setdefault(maker, []).append(mean_right(truths[task], own))
    return {maker: asdict(figure(values)) for maker, values in sorted(shares.items())}


def costs() -> dict[str, float]:
    """Seconds an image at 20 steps (in a batch of eight, and alone), and the sizes of both folders in 10^6 bytes."""
    generator = DiffusersPipeline(preset="embedded", steps=20, guidance_scale=4.0)
    inputs = TaskInputs(Task("1", TaskType.T2I, "a red circle above a blue square", None, None, 1))
    recipes = generator.recipes(inputs, 2 * PICTURES, 0)
    generator.generate_batch(inputs, recipes[:1])
    started = time.perf_counter()
    generator.generate_batch(inputs, recipes[:PICTURES])
    together = (time.perf_counter() - started) / PICTURES
    started = time.perf_counter()
    generator.generate_batch(inputs, recipes[PICTURES : PICTURES + 1])
    return {
        "seconds_an_image": round(together, 3),
        "seconds_an_image_alone": round(time.perf_counter() - started, 3),
        "text_to_image_mb": round(megabytes(TEXT_TO_IMAGE), 2),
        "embedding_mb": round(megabytes(EMBEDDING), 2),
    }


def lines_of(results: Mapping[str, Any], strategies: list[str]) -> list[str]:
    """The printed tables: all prompts, those of unseen scenes, settings and costs."""
    ways = ["single", *(f"best_of_8_{name}" for name in strategies), "best_of_8_oracle"]
    lines = []
    for ending, what in (("", "prompts"), ("_unseen", "prompts whose scene is in no training picture")):
        lines.append(f"{results[f'n{ending}']} {what}")
        if not results[f"n{ending}"]:
            continue
        lines.append(f"{'':28}" + "".join(f"{measure:>24}" for measure in MEASURES))
        for way in ways:
            figures = [Figure(**results[key_of(way, measure, ending)]) for measure in MEASURES]
            lines.append(f"{way:28}" + "".join(f"{one.short:>24}" for one in figures))
        lines += [f"  {key}: {Figure(**results[key])}" for key in results if _is_compared(key, ending)]
        lines.append("")
    lines += [f"fully right, {name}: {Figure(**value)}" for name, value in results["by_setting"].items()]
    names = ("seconds_an_image", "seconds_an_image_alone", "text_to_image_mb", "embedding_mb")
    return [*lines, *(f"{key}: {results[key]}" for key in names)]


def _is_compared(key: str, ending: str) -> bool:
    return key.startswith(("recovered_gap", "calibrated")) and key.endswith("_unseen") == bool(ending)


if __name__ == "__main__":
    raise SystemExit(main())
