"""A contest of prompts with many different photographs as candidates, for measurements of the scoring pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from selector import Campaign
from selector.demo.shipped import PHOTOGRAPHS, photograph
from selector.domain import encode_final

SIDE_PX = 1024
CANDIDATES_A_TASK = 16
THINGS = ("a cat", "a rocket", "two people", "a cup of coffee", "an old temple", "a flower", "a street", "a motorcycle")
LOOKS = ("in the rain", "at night, cinematic light", "as an oil painting", "in deep snow", "seen from above", "at dawn")


def photo_campaign(place: Path, n: int, seed: int, **config: Any) -> Campaign:
    """A campaign of text-to-image tasks with ``n`` candidates, 1024 px JPEGs of quality 95."""
    tasks = -(-n // CANDIDATES_A_TASK)
    finished = place / "finished"
    rng = np.random.default_rng(seed)
    for i in range(n):
        folder = finished / str(i // CANDIDATES_A_TASK)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:05d}.jpg").write_bytes(encode_final(varied_photograph(rng)))
    (place / "imgs").mkdir()
    rows = [f'{i},t2i,"{THINGS[i % len(THINGS)]} {LOOKS[i % len(LOOKS)]}, number {i}",,' for i in range(tasks)]
    table = place / "task.csv"
    table.write_text("\n".join(["index,task_type,prompt,ori_image,target_image", *rows]) + "\n", encoding="utf-8")
    campaign = Campaign.init(place / "campaign", table, place / "imgs", **config)
    campaign.import_folder(finished)
    return campaign


def varied_photograph(rng: np.random.Generator) -> Any:
    """A random part of a shipped photograph with other colours, contrast, and grain, (1024, 1024, 3) uint8."""
    from PIL import Image

    rgb = photograph(str(rng.choice(sorted(PHOTOGRAPHS))))
    height, width = rgb.shape[:2]
    side = int(min(height, width) * rng.uniform(0.35, 1.0))
    top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    part = np.rot90(rgb[top : top + side, left : left + side], int(rng.integers(0, 4)))
    part = np.asarray(Image.fromarray(np.ascontiguousarray(part)).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))
    mixed = part.astype(np.float32)[:, :, rng.permutation(3)] * rng.uniform(0.4, 1.3, 3) + rng.uniform(-30, 60)
    return np.clip(mixed + rng.normal(0, rng.uniform(1, 5), mixed.shape), 0, 255).astype(np.uint8)
