"""What is looked at during the training: figures on held-out scenes, and contact sheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from tqdm import tqdm

from experiments.closed_world.autoencoder import rebuilt
from experiments.closed_world.dataset import words
from experiments.closed_world.embedder import Embedder, prepared
from experiments.closed_world.pictures import picture_at
from experiments.closed_world.text_encoder import TextEncoderWithHeads, answered_rightly, token_ids
from selector.demo.closed_world.checker import PARTS, check
from selector.demo.closed_world.render import Pixels
from selector.demo.closed_world.scene import HELD_OUT_SEED, LANGUAGES, Scene, caption, scene_at
from selector.demo.closed_world.simulated import CHANGES

Look: TypeAlias = Callable[[int, Any], None]
SAMPLES = 96  # pictures of a contact sheet
CAPTIONS, PAIRS = 2000, 300
STEPS, GUIDANCE = 20, 3.0


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


def of_autoencoder(work: Path) -> Look:
    """Peak signal to noise ratio, and pictures above their rebuilt ones."""
    wanted = np.stack([picture_at(i, HELD_OUT_SEED) for i in range(SAMPLES)])

    def look(step: int, model: Any) -> None:
        made = rebuilt(model.eval(), wanted)
        error = ((made.astype(np.float64) - wanted) ** 2).mean((1, 2, 3))
        tqdm.write(f"autoencoder {step}: {np.mean(10 * np.log10(255**2 / error)):.1f} dB, {_facts(made, _scenes())}")
        rows = [part for i in range(0, SAMPLES, 12) for part in (wanted[i : i + 12], made[i : i + 12])]
        contact_sheet(np.concatenate(rows), work / f"autoencoder-{step}.png")

    return look


def of_text_encoder(tokenizer: Any) -> Look:
    """The share of captions that are read without an error."""

    def look(step: int, model: TextEncoderWithHeads) -> None:
        share = answered_rightly(model.eval(), tokenizer, CAPTIONS)
        tqdm.write(f"text_encoder {step}: {share:.3f} of new captions read rightly")

    return look


def of_denoiser(work: Path, pipeline_of: Callable[[Any], Any]) -> Look:
    """What the checker says of pictures for held-out prompts."""

    def look(step: int, model: Any) -> None:
        asked = held_out(SAMPLES)
        prompts = [prompt for _, prompt in asked]
        made = generated(pipeline_of(model.eval()), prompts, 0, num_inference_steps=STEPS, guidance_scale=GUIDANCE)
        tqdm.write(f"denoiser {step}: {_facts(made, [scene for scene, _ in asked])}")
        contact_sheet(made, work / f"denoiser-{step}.png")

    return look


def of_embedder(tokenizer: Any) -> Look:
    """How often a picture fits its caption better than the caption of a scene with one change."""

    def look(step: int, model: Embedder) -> None:
        shares = {name: pairs_right(model.eval(), tokenizer, name, PAIRS) for name in CHANGES}
        tqdm.write(f"embedder {step}: " + ", ".join(f"{name} {share:.2f}" for name, share in shares.items()))

    return look


@torch.no_grad()
def pairs_right(model: Embedder, tokenizer: Any, change: str, n: int) -> float:
    """The share of ``n`` held-out pictures that fit their own caption better than that of the changed scene.

    Both captions tell the fact that is changed.
    """
    rng = np.random.default_rng(11)
    rows = [i for i in range(3 * n) if change != "relation" or len(scene_at(i, HELD_OUT_SEED).groups) == 2][:n]
    pictures = np.stack([picture_at(i, HELD_OUT_SEED) for i in rows])
    texts = []
    for i in rows:
        scene = _telling(change, scene_at(i, HELD_OUT_SEED))
        texts += [words(scene, rng), words(CHANGES[change](scene, rng), rng)]
    device = next(model.parameters()).device
    seen, *_ = model.seen(prepared(pictures).to(device))
    read = model.read(token_ids(tokenizer, texts).to(device)).view(len(rows), 2, -1)
    fits = (read * seen[:, None]).sum(-1)
    return float((fits[:, 0] > fits[:, 1]).float().mean())


def _telling(change: str, scene: Scene) -> Scene:
    says_size, says_background = scene.says_size or change == "size", scene.says_background or change == "background"
    return replace(scene, says_size=says_size, says_background=says_background)


def _scenes() -> list[Scene]:
    return [scene_at(i, HELD_OUT_SEED) for i in range(SAMPLES)]


def _facts(pictures: Any, scenes: list[Scene]) -> str:
    truths = [check(picture, scene) for picture, scene in zip(pictures, scenes, strict=True)]
    found = []
    for part in ("right", *PARTS, "sc", "pq"):
        values = [getattr(truth, part) for truth in truths]
        found.append(f"{part} {np.mean([value for value in values if value is not None]):.2f}")
    return ", ".join(found)
