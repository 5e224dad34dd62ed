"""Writes what was trained as others load it: folders of diffusers and of open_clip, in fp16 safetensors."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import torch

from experiments.closed_world.denoiser import scheduler


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
    parts["tokenizer"].backend_tokenizer.no_padding()  # what the last call asked for is no part of the tokenizer
    parts["tokenizer"].backend_tokenizer.no_truncation()
    type(pipeline)(**parts, requires_safety_checker=False).save_pretrained(folder, safe_serialization=True)
    _load_as_float32(folder / "text_encoder" / "config.json")
    return folder


def _half(value: torch.Tensor) -> torch.Tensor:
    """On the CPU in fp16; what counts stays whole."""
    return value.to("cpu", torch.float16) if value.is_floating_point() else value.cpu()


def _load_as_float32(config: Path) -> None:
    """transformers loads a text encoder as its configuration says, diffusers all else as float32: the same, then."""
    found = json.loads(config.read_text(encoding="utf-8"))
    found["dtype"] = "float32"
    config.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def megabytes(folder: Path) -> float:
    """Of all files below the folder, in 10^6 bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def write_embedding(clip: Any, architecture: dict[str, Any], tokenizer_folder: Path, folder: Path) -> Path:
    """Write a folder that open_clip loads by "local-dir:", weights in fp16, the tokenizer beside them."""
    from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    pixels = {"mean": OPENAI_DATASET_MEAN, "std": OPENAI_DATASET_STD, "interpolation": "bicubic"}
    described = json.dumps({"model_cfg": architecture, "preprocess_cfg": pixels}, indent=2)
    (folder / "open_clip_config.json").write_text(described + "\n", encoding="utf-8")
    weights = {key: _half(value).contiguous() for key, value in clip.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copyfile(tokenizer_folder / name, folder / name)
    return folder
