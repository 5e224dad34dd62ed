"""How near the scoring pass is to the bare forward pass, and how much faster than scoring in a notebook.

    python -m experiments.throughput --json out.json

In one run, alternating: (a) the limit, the model's forward pass on tensors already in memory, with all threads on one
batch or a batch a core in one thread each, whichever is faster; ours, the whole pass of
``bestshot score`` over candidates without scores (read, decode, preprocess, embed, heads, store; prompts embedded
before, as in every run but the first, and once more with new prompts); (b) the habit: open each file, torchvision,
float32, one picture at a time, the text encoded each time, a pass each for similarity, aesthetic and detector. Pictures
are 1024 px JPEGs. Weights are random in real shapes: they cost what trained ones cost.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from experiments.support.outcome import finish, parser
from experiments.support.throughput_parts import Habit, Shaped, photo_campaign, write_shaped
from selector import Campaign
from selector.domain import Picture
from selector.domain.embedding import View

COLUMNS = {"similarity": "clip_similarity", "rating": "aesthetic", "logit": "fake_universal"}
SIZES = {"ViT-B-32": (128, 24), "ViT-L-14": (32, 3)}  # candidates, and how many of them a timed habit scores


@dataclass(frozen=True)
class Speeds:
    """Images a second of one repeat."""

    forward: float
    ours: float
    ours_new_prompts: float
    habit: float


def main(arguments: list[str] | None = None) -> int:
    options = parser("throughput", __doc__ or "")
    options.add_argument("--models", default=",".join(SIZES), help="models of open_clip, with commas")
    options.add_argument("--repeats", type=int, default=3, help="repeats of each measurement (default 3)")
    options.add_argument("--candidates", type=int, help="candidates of each model (default by model)")
    options.add_argument("--agreement", type=int, help="candidates whose scores are compared (default all)")
    options.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    options.add_argument("--precision", default="auto", help="auto, fp32, bf16, fp16 (default auto)")
    options.add_argument("--batch", type=int, default=32, help="crops in a forward pass (default 32)")
    chosen = options.parse_args(arguments)
    results: dict[str, Any] = {}
    for model in chosen.models.split(","):
        n, habitual = SIZES.get(model, (64, 16))
        n = chosen.candidates or n
        with tempfile.TemporaryDirectory(prefix="bestshot-throughput-") as place:
            shaped = write_shaped(model, Path(place), chosen.seed)
            found = _measure(shaped, Path(place), n, min(habitual, n), chosen)
        results[model] = found
        print("\n".join(_lines(model, found)), flush=True)
    summary = _summary(results)
    finish(summary | {"models": results, "machine": _machine()}, _verdict(summary), chosen.json)
    return 0


def _measure(shaped: Shaped, place: Path, n: int, habitual: int, chosen: Any) -> dict[str, Any]:
    habit = Habit(shaped)
    shared = _views(shaped, place / "shared", "whole", n, chosen)
    crops = _views(shaped, place / "crops", "native", max(8, n // 4), chosen)
    with shared, crops:
        for campaign in (shared, crops):  # warms up
            campaign.score()
        habit.score(_files(shared)[:1], True)
        whole = [_repeat(shared, habit, habitual, False) for _ in range(chosen.repeats)]
        native = [_repeat(crops, habit, max(2, habitual // 3), True) for _ in range(chosen.repeats)]
        compared = _files(shared)[: chosen.agreement or n]
        agreement = _agreement(shared, habit.score(compared, False))
    embedding = shared.config.embedding
    return {
        "candidates": n,
        "device": embedding.device,
        "fraction_of_forward": _ratios(whole, lambda s: s.ours / s.forward),
        "fraction_with_new_prompts": _ratios(whole, lambda s: s.ours_new_prompts / s.forward),
        "speedup_over_habit": _ratios(whole, lambda s: s.ours / s.habit),
        "speedup_over_habit_with_crops": _ratios(native, lambda s: s.ours / s.habit),
        "spearman_with_habit": agreement,
        "compared": len(compared),
        "images_a_second": asdict(whole[-1]),
        "images_a_second_with_crops": asdict(native[-1]),
    }


def _views(shaped: Shaped, place: Path, crops: str, n: int, chosen: Any) -> Campaign:
    """A campaign of ``n`` candidates whose detector has this view."""
    place.mkdir()
    heads = {"aesthetic": shaped.aesthetic_head, "fake_universal": shaped.fake_head}
    settings: dict[str, dict[str, Any]] = {name: {"head_path": str(path)} for name, path in heads.items()}
    settings["fake_universal"]["crops"] = crops
    return photo_campaign(
        place,
        n,
        chosen.seed,
        score={"scorers": ["aesthetic", "clip_similarity", "fake_universal"]},
        scorers=settings,
        embedding={
            "model": shaped.model,
            "weights_path": str(shaped.weights),
            "device": chosen.device,
            "precision": chosen.precision,
            "batch": chosen.batch,
        },
    )


def _repeat(campaign: Campaign, habit: Habit, habitual: int, native: bool) -> Speeds:
    files = _files(campaign)
    forward = max(_speed(len(files), _forward(campaign, native, streams)) for streams in (1, os.cpu_count() or 1))
    _forget(campaign, texts=True)
    fresh = _speed(len(files), campaign.score)
    _forget(campaign, texts=False)
    ours = _speed(len(files), campaign.score)
    return Speeds(forward, ours, fresh, _speed(habitual, lambda: habit.score(files[:habitual], native)))


def _speed(n: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return n / (time.perf_counter() - start)


def _forward(campaign: Campaign, native: bool, streams: int) -> Callable[[], object]:
    """The model on prepared batches, so many at once: what no scoring pass can beat."""
    from selector.sight.embedding.device import cores_shared_by
    from selector.sight.embedding.openclip import OpenClip, backbone_of
    from selector.sight.embedding.views import crops

    backbone = backbone_of(campaign._context().contest.embedding)
    assert isinstance(backbone, OpenClip)  # of its default, which no option changes
    views = [View.WHOLE, View.NATIVE] if native else [View.WHOLE]
    pictures = [Picture(path.read_bytes()) for path, _ in _files(campaign)]
    cut = np.concatenate([crops(p, view, backbone.side_px) for p in pictures for view in views])
    shares = [backbone.bare_forward(share) for share in np.array_split(cut, streams)]

    def run() -> None:
        with cores_shared_by(streams), ThreadPoolExecutor(streams) as pool:
            list(pool.map(lambda share: share(), shares))

    return run


def _files(campaign: Campaign) -> list[tuple[Path, str]]:
    from selector.store.candidates import load_candidates

    prompts = {task.id: task.prompt for task in campaign.tasks}
    with campaign._ws.db.read() as connection:
        found = load_candidates(connection)
    return [(campaign._ws.images.path(c.id), prompts[c.task_id]) for c in found]


def _forget(campaign: Campaign, texts: bool) -> None:
    """Take the scores and vectors away, so that the next pass does all the work again."""
    from selector.store import schema

    with campaign._ws.db.write() as connection:
        for table in (schema.score, schema.embedding, *((schema.text_embedding,) if texts else ())):
            connection.execute(table.delete())


def _agreement(campaign: Campaign, habit: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Spearman's correlation of each score with the habit's, over the candidates that the habit scored."""
    from selector.store.candidates import load_candidates
    from selector.store.scores import scores_of

    versions = campaign._context().versions
    ours: dict[str, list[float]] = {column: [] for column in COLUMNS}
    with campaign._ws.db.read() as connection:
        for candidate in load_candidates(connection):
            scores = scores_of(connection, versions, candidate.task_id)[candidate.id]
            for column, scorer in COLUMNS.items():
                value = scores[f"{scorer}.{column}"].value
                ours[column].append(np.nan if value is None else value)
    n = len(habit["logit"])
    return {column: float(spearmanr(ours[column][:n], habit[column]).statistic) for column in COLUMNS}


def _ratios(speeds: Sequence[Speeds], ratio: Callable[[Speeds], float]) -> dict[str, float]:
    values = [ratio(s) for s in speeds]
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "repeats": len(values)}


def _summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """The worst model's figure of each kind, which is the one that a bar is held to."""
    summary: dict[str, Any] = {}
    for key in ("fraction_of_forward", "speedup_over_habit", "speedup_over_habit_with_crops"):
        summary[key] = min(found[key]["median"] for found in results.values())
    summary["spearman_with_habit"] = min(min(f["spearman_with_habit"].values()) for f in results.values())
    return summary


def _lines(model: str, found: Mapping[str, Any]) -> list[str]:
    lines = [f"{model}, {found['candidates']} candidates of 1024 px, images a second:"]
    lines += [
        f"  {key.replace('_', ' ')}: " + ", ".join(f"{k} {v:.2f}" for k, v in found[key].items())
        for key in ("images_a_second", "images_a_second_with_crops")
    ]
    ratios = {key.replace("_", " "): v for key, v in found.items() if isinstance(v, dict) and "median" in v}
    lines += [f"  {key}: {v['median']:.3f} ({v['min']:.3f} to {v['max']:.3f})" for key, v in ratios.items()]
    agreement = ", ".join(f"{k} {v:.5f}" for k, v in found["spearman_with_habit"].items())
    return [*lines, f"  Spearman with the habit: {agreement}", ""]


def _verdict(summary: Mapping[str, Any]) -> list[str]:
    return [f"smallest of all models: {key.replace('_', ' ')} {value:.4f}" for key, value in summary.items()]


def _machine() -> dict[str, Any]:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"cpu": platform.processor(), "threads": torch.get_num_threads(), "torch": torch.__version__, "gpu": gpu}


if __name__ == "__main__":
    raise SystemExit(main())
