"""Pictures of the text-to-image model for prompts of the closed world, and a contact sheet of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from selector.demo.closed_world.captions import LANGUAGES, caption
from selector.demo.closed_world.render import Pixels
from selector.demo.closed_world.scene import HELD_OUT_SEED, Scene, scene_at


def held_out(n: int, first: int = 0) -> list[tuple[Scene, str]]:
    """Scenes of another series than the training's, with a prompt each, in turn English and Chinese.

    Drawn anew from the same distribution: the world is small, so many of them are in the training, too.
    """
    found = []
    for i in range(first, first + n):
        scene = scene_at(i, HELD_OUT_SEED)
        words = caption(scene, np.random.default_rng([HELD_OUT_SEED, 1, i]), LANGUAGES[i % len(LANGUAGES)])
        found.append((scene, words))
    return found


def generated(pipeline: Any, prompts: Sequence[str], seed: int, batch: int = 64, **call: Any) -> Pixels:
    """(n, 64, 64, 3) uint8: a picture a prompt, of the seeds ``seed``, ``seed`` + 1, …"""
    pipeline.set_progress_bar_config(disable=True)
    parts = []
    for first in range(0, len(prompts), batch):
        some = list(prompts[first : first + batch])
        noise = [torch.Generator().manual_seed(seed + first + i) for i in range(len(some))]
        with torch.autocast(pipeline.device.type, torch.bfloat16):
            made = pipeline(some, generator=noise, output_type="np", **call).images
        parts.append(np.round(np.asarray(made) * 255).astype(np.uint8))
    return np.concatenate(parts)


def contact_sheet(pictures: Pixels, path: Path, across: int = 12, larger: int = 2) -> None:
    """Write the pictures side by side."""
    from PIL import Image

    rows = -(-len(pictures) // across)
    canvas = np.full((rows * across, *pictures.shape[1:]), 255, np.uint8)
    canvas[: len(pictures)] = pictures
    side = pictures.shape[1]
    whole = canvas.reshape(rows, across, side, side, 3).swapaxes(1, 2).reshape(rows * side, across * side, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(whole).resize((across * side * larger, rows * side * larger), Image.Resampling.NEAREST).save(path)
