"""Writes what was trained as others load it: a Stable Diffusion folder for diffusers, in fp16 safetensors."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch

from experiments.closed_world.painter import scheduler


def pipeline_of(autoencoder: Any, text_encoder: Any, tokenizer: Any, unet: Any, scale: float) -> Any:
    """The ``StableDiffusionPipeline`` of these parts; ``scale`` is what the latents were multiplied with."""
    from diffusers import StableDiffusionPipeline

    autoencoder.register_to_config(scaling_factor=scale)
    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler(),
        safety_checker=None,  # it knows coloured shapes and nothing else
        feature_extractor=None,
        requires_safety_checker=False,
    )


def write_pipeline(pipeline: Any, folder: Path) -> Path:
    """Write the folder; the pipeline itself keeps its precision."""
    parts = dict(pipeline.components)
    for name in ("vae", "text_encoder", "unet"):
        parts[name] = copy.deepcopy(parts[name]).to("cpu", torch.float16)
    type(pipeline)(**parts, requires_safety_checker=False).save_pretrained(folder, safe_serialization=True)
    return folder


def megabytes(folder: Path) -> float:
    """Of all files below the folder, in 10^6 bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
