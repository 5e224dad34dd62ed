"""How good the shipped models are, and what picking among their pictures is worth: the truth is known here.

    python -m experiments.closed_world.evaluate --work WORK --json out.json

Prompts of scenes that no training has seen, English and Chinese in turn, eight pictures each: the embedded model under
four settings, two seeds each, made and measured by `bestshot generate` and `bestshot score`. Compared are a random
picture, the one with the highest embedded similarity, the pick of a campaign that was told eight leaderboard totals
(four days, noisy and rounded), and the best there is. On two cores about a quarter of an hour; it goes on where it was
interrupted.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from experiments.closed_world.checker import Truth, check
from experiments.closed_world.folders import megabytes
from experiments.support.outcome import Figure, figure, finish, parser
from experiments.support.play_game import Clock, Leaderboard, made_by, own_campaign, play_day, similarities
from experiments.support.play_pool import Pool, PoolPlan, campaign_of, make_pool
from generators.diffusers_pipeline import DiffusersPipeline
from selector.cli.common import progress_bar
from selector.create import DATABASE_NAME
from selector.domain import Task, TaskInputs, TaskType
from selector.perception.embedded import EMBEDDING, TEXT_TO_IMAGE
from selector.store import ImageFolder

PICTURES = 8
TOTALS = 8
JUDGE_SD = 0.5
MEASURES = ("right", "sc", "pq", "overall")


def main(arguments: list[str] | None = None) -> int:
    options = parser("closed_world.evaluate", __doc__ or "")
    options.add_argument("--work", type=Path, required=True, help="folder for pictures and scores; kept")
    options.add_argument("--prompts", type=int, default=500, help="default 500")
    chosen = options.parse_args(arguments)
    plan = PoolPlan(prompts=chosen.prompts, edits=0, each=2, days=TOTALS // 2, seed=chosen.seed)
    pool = make_pool(chosen.work / "pool", plan, progress_bar())
    truths = truths_of(pool)
    picks = {
        "similarity": highest(similarities(campaign_of(pool.folder) / DATABASE_NAME, pool.tasks)),
        "calibrated": calibrated_picks(pool, chosen.work / "game", chosen.seed),
    }
    results: dict[str, Any] = {**compared(truths, picks), "by_setting": by_setting(pool, truths), **costs()}
    finish(results, lines_of(results), chosen.json)
    return 0


Truths = Mapping[str, Mapping[str, Truth]]  # task to candidate to what the checker says
Picks = Mapping[str, str]  # task to candidate


def truths_of(pool: Pool) -> Truths:
    """What the checker says of the bytes that would be exported."""
    images = ImageFolder(campaign_of(pool.folder) / "images", ".jpg")
    scenes = {task.id: task.scene for task in pool.tasks}
    found: dict[str, dict[str, Truth]] = {task: {} for task in scenes}
    for task, candidate in pool.truth:
        scene = scenes[task]
        assert scene is not None
        found[task][candidate] = check(images.picture(candidate).rgb, scene)
    return found


def highest(values: Mapping[str, Mapping[str, float]]) -> Picks:
    """The candidate with the highest value of each task; of equal ones the first by id."""
    return {task: max(sorted(own), key=own.__getitem__) for task, own in values.items() if own}


def calibrated_picks(pool: Pool, folder: Path, seed: int) -> Picks:
    """What a campaign picks that was told two totals a day."""
    rng = np.random.default_rng([seed, 1])
    clock = Clock()
    shutil.rmtree(folder, ignore_errors=True)
    with own_campaign(pool, folder, pool.tasks, clock) as campaign:
        board = Leaderboard(pool.truth, JUDGE_SD, rng)
        for clock.day in range(pool.plan.days):
            play_day(campaign, board)
            campaign.calibrate()
        return {pick.task_id: pick.candidate_id for pick in campaign.pick() if pick.candidate_id is not None}


def compared(truths: Truths, picks: Mapping[str, Picks]) -> dict[str, Any]:
    """Every strategy by every measure, with an interval over prompts; and the gaps recovered in VIEScore."""
    found: dict[str, Any] = {"n": len(truths)}
    for measure in MEASURES:
        ways: dict[str, list[float]] = {
            "single": [float(np.mean(_values(own, measure))) for own in truths.values()],
            **{
                f"best_of_8_{name}": [float(getattr(truths[t][c], measure)) for t, c in chosen.items()]
                for name, chosen in picks.items()
            },
            "best_of_8_oracle": [max(_values(own, measure)) for own in truths.values()],
        }
        for way, values in ways.items():
            found[way if measure == "right" else f"{way}_{measure}"] = asdict(figure(values))
    for measure in ("right", "overall"):
        ending = "" if measure == "right" else f"_{measure}"
        low, high = (found[f"{way}{ending}"]["mean"] for way in ("single", "best_of_8_oracle"))
        for name in picks:
            gap = (found[f"best_of_8_{name}{ending}"]["mean"] - low) / (high - low) if high > low else float("nan")
            found[f"recovered_gap_{name}{ending}"] = round(gap, 4)
    return found


def by_setting(pool: Pool, truths: Truths) -> dict[str, Any]:
    """The share of pictures of each setting that are fully right."""
    made = made_by(campaign_of(pool.folder) / DATABASE_NAME)
    shares: dict[str, list[float]] = {}
    for task, candidates in made.items():
        for candidate, makers in candidates.items():
            for maker in makers:
                shares.setdefault(maker, []).append(float(truths[task][candidate].right))
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


def lines_of(results: Mapping[str, Any]) -> list[str]:
    ways = ("single", "best_of_8_similarity", "best_of_8_calibrated", "best_of_8_oracle")
    lines = [f"{results['n']} prompts", f"{'':22}" + "".join(f"{measure:>30}" for measure in MEASURES)]
    for way in ways:
        figures = [Figure(**results[way if measure == "right" else f"{way}_{measure}"]) for measure in MEASURES]
        lines.append(f"{way:22}" + "".join(f"{_short(one):>30}" for one in figures))
    lines += [f"{key}: {results[key]}" for key in results if key.startswith("recovered_gap")]
    lines += [f"fully right, {name}: {Figure(**value)}" for name, value in results["by_setting"].items()]
    names = ("seconds_an_image", "seconds_an_image_alone", "text_to_image_mb", "embedding_mb")
    return [*lines, *(f"{key}: {results[key]}" for key in names)]


def _short(one: Figure) -> str:
    return f"{one.mean:.3f} [{one.low:.3f}, {one.high:.3f}]"


def _values(own: Mapping[str, Truth], measure: str) -> Sequence[float]:
    return [float(getattr(truth, measure)) for truth in own.values()]


if __name__ == "__main__":
    raise SystemExit(main())
