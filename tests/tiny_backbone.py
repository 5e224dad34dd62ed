"""A backbone small enough for tests: open_clip's code with random weights, so only plumbing is tested with it."""

from __future__ import annotations

import json
from pathlib import Path

from selector.domain import Task
from selector.domain.embedding import ContestContext, EmbeddingSettings

SIDE_PX = 32


def tiny_clip(folder: Path, dim: int = 768, seed: int = 0) -> EmbeddingSettings:
    """Write an architecture and its weights into ``folder``; ``dim`` 768 is what the published heads take."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    architecture = {
        "embed_dim": dim,
        "vision_cfg": {"image_size": SIDE_PX, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    config = folder / f"tiny-{dim}.json"
    config.write_text(json.dumps(architecture), encoding="utf-8")
    open_clip.add_model_config(config)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = open_clip.create_model(config.stem)
    weights = folder / f"tiny-{dim}-{seed}.safetensors"
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, weights)
    return EmbeddingSettings(
        model=config.stem,
        weights_path=str(weights),
        config_path=str(config),
        reads="english",
        device="cpu",
        precision="fp32",
    )


def contest_with(settings: EmbeddingSettings, tasks: tuple[Task, ...] = (), **translations: str) -> ContestContext:
    """What a scorer meets: this backbone and these tasks."""
    return ContestContext(tasks, Path(), settings, translations)
