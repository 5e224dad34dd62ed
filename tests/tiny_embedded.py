"""Folders in the formats of the two models that travel with the package, with random weights: what tests load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tiny_pipelines import SMALL_UNET, _byte_letters, _vae

from selector.sight.embedded import EMBEDDING_CONFIG, EMBEDDING_WEIGHTS

LENGTH = 40  # tokens
SIDE_PX = 64


def tiny_text_to_image(folder: Path, seed: int = 0) -> Path:
    """Velocity prediction, noise down to nothing, trailing steps, 40 tokens: as the shipped folder, but small."""
    import torch
    from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    tokenizer = tiny_tokenizer(folder / "tokenizer")
    ids = {"bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513}
    words = CLIPTextConfig(vocab_size=514, max_position_embeddings=LENGTH, **sizes, **ids)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pipe = StableDiffusionPipeline(
            vae=_vae(), tokenizer=tokenizer, text_encoder=CLIPTextModel(words),
            unet=UNet2DConditionModel(cross_attention_dim=16, **SMALL_UNET),
            scheduler=DDIMScheduler(
                beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1,
                prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing",
            ),
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
        for name in ("vae", "text_encoder", "unet"):
            getattr(pipe, name).half()
    pipe.save_pretrained(folder)
    return folder


def tiny_embedding(folder: Path, seed: int = 0, **preprocess: Any) -> Path:
    """An open_clip folder with a tokenizer of its own beside the weights. ``preprocess``: mean, std, …"""
    import open_clip
    import torch
    from safetensors.torch import save_file

    tiny_tokenizer(folder)
    sizes = {"width": 32, "heads": 2, "layers": 1}
    text = {"context_length": LENGTH, "vocab_size": 514, "hf_tokenizer_name": "tiny", "pool_type": "argmax", **sizes}
    vision = {"image_size": SIDE_PX, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8}
    model = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}
    (folder / EMBEDDING_CONFIG).write_text(json.dumps({"model_cfg": model, "preprocess_cfg": preprocess}))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = open_clip.CLIP(24, vision, {key: value for key, value in text.items() if key != "hf_tokenizer_name"})
    save_file({key: value.contiguous() for key, value in made.state_dict().items()}, folder / EMBEDDING_WEIGHTS)
    return folder


def tiny_tokenizer(folder: Path) -> Any:
    """CLIP's byte-level one over single bytes: it spells any text, Chinese too."""
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    letters = [*_byte_letters(), *(f"{letter}</w>" for letter in _byte_letters()), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(letters)}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, "unk_token": "<|endoftext|>"}
    ends = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, **ends}))
    return CLIPTokenizer.from_pretrained(folder)
