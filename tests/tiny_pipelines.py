"""Folders in diffusers' format, with random weights of a few hundred kilobytes: what tests of pipelines load.

The tokenizer is CLIP's byte-level one over single bytes, so that it spells any text, emoji and Chinese too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TOKENS = 77
SMALL_UNET: dict[str, Any] = {
    "sample_size": 16,
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
}
WORDS: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": TOKENS,
}


def tiny_sd(folder: Path, *, checker: bool = False, variant: str | None = None, pickled: bool = False) -> Path:
    """Stable Diffusion 1: 32 px pictures, 77 tokens. ``checker``: with a safety checker, whose verdict is chance."""
    import torch
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel

    with torch.random.fork_rng():
        torch.manual_seed(0)
        pipe = StableDiffusionPipeline(
            vae=_vae(),
            text_encoder=CLIPTextModel(_words()),
            tokenizer=_tokenizer(folder / "tokenizer"),
            unet=UNet2DConditionModel(cross_attention_dim=16, **SMALL_UNET),
            scheduler=_scheduler(),
            safety_checker=_checker() if checker else None,
            feature_extractor=_feature_extractor() if checker else None,
            requires_safety_checker=checker,
        )
    pipe.save_pretrained(folder, safe_serialization=not pickled, variant=variant)
    return folder


def tiny_sdxl(folder: Path) -> Path:
    """Stable Diffusion XL: two text encoders, 32 px pictures."""
    import torch
    from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    config = _words(projection_dim=16)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        unet = UNet2DConditionModel(
            cross_attention_dim=32,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + 16,
            **SMALL_UNET,
        )
        pipe = StableDiffusionXLPipeline(
            vae=_vae(),
            text_encoder=CLIPTextModel(config),
            text_encoder_2=CLIPTextModelWithProjection(config),
            tokenizer=_tokenizer(folder / "tokenizer"),
            tokenizer_2=_tokenizer(folder / "tokenizer_2"),
            unet=unet,
            scheduler=_scheduler(),
        )
    pipe.save_pretrained(folder)
    return folder


def _vae(**more: Any) -> Any:
    from diffusers import AutoencoderKL

    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    return AutoencoderKL(
        block_out_channels=(8, 8), norm_num_groups=4, latent_channels=4, sample_size=32, **blocks, **more
    )


def _scheduler() -> Any:
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
    )


def _words(**more: Any) -> Any:
    from transformers import CLIPTextConfig

    ids = {"bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513}
    return CLIPTextConfig(vocab_size=514, **WORDS, **ids, **more)


def _tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    letters = [*_byte_letters(), *(f"{letter}</w>" for letter in _byte_letters()), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(letters)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": TOKENS, "unk_token": "<|endoftext|>"}
    ends = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, **ends}))
    return CLIPTokenizer.from_pretrained(folder)


def _byte_letters() -> list[str]:
    """A printable letter for each of the 256 bytes, as byte-level BPE has them: itself, or one from 256 on."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte if byte in printable else 256 + others.index(byte)) for byte in range(256)]


def _checker() -> Any:
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig

    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**tower, "image_size": 32, "patch_size": 16}
    return StableDiffusionSafetyChecker(CLIPConfig(text_config=tower, vision_config=vision, projection_dim=8))


def _feature_extractor() -> Any:
    from transformers import CLIPImageProcessor

    side = {"height": 32, "width": 32}
    return CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=side)


def tiny_kontext(folder: Path) -> Path:
    """FLUX Kontext: an editor that sees the source beside the noise; sides in multiples of 4 px."""
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxKontextPipeline, FluxTransformer2DModel
    from transformers import CLIPTextModel, T5Config, T5EncoderModel

    with torch.random.fork_rng():
        torch.manual_seed(2)
        transformer = FluxTransformer2DModel(
            in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
            joint_attention_dim=16, pooled_projection_dim=16, axes_dims_rope=(4, 4, 8), guidance_embeds=True,
        )  # fmt: skip
        t5 = T5Config(vocab_size=130, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
        pipe = FluxKontextPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=_vae(shift_factor=0.1),
            text_encoder=CLIPTextModel(_words()),
            tokenizer=_tokenizer(folder / "tokenizer"),
            text_encoder_2=T5EncoderModel(t5),
            tokenizer_2=_t5_tokenizer(),
            transformer=transformer,
        )
    pipe.save_pretrained(folder)
    return folder


def _t5_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import T5TokenizerFast

    letters = [chr(code) for code in range(32, 127)]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -4.0) for letter in letters)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return T5TokenizerFast(tokenizer_object=tokenizer, extra_ids=0, model_max_length=64)


def tiny_cogview4(folder: Path) -> Path:
    """CogView4: GLM's encoder, flow matching; sides in multiples of 16 px."""
    import torch
    from diffusers import CogView4Pipeline, CogView4Transformer2DModel, FlowMatchEulerDiscreteScheduler
    from transformers import GlmConfig, GlmModel

    glm = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "head_dim": 8, "pad_token_id": 0}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        pipe = CogView4Pipeline(
            tokenizer=_letters_tokenizer(padding_side="left"),
            text_encoder=GlmModel(GlmConfig(vocab_size=300, **glm, **heads)),
            vae=_vae(),
            transformer=CogView4Transformer2DModel(
                in_channels=4, out_channels=4, num_layers=1, attention_head_dim=8, num_attention_heads=2,
                text_embed_dim=16, time_embed_dim=8, condition_dim=4, rope_axes_dim=(8, 8),
            ),
            scheduler=FlowMatchEulerDiscreteScheduler(
                base_shift=0.25, max_shift=0.75, use_dynamic_shifting=True, time_shift_type="linear"
            ),
        )  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def tiny_qwen_image(folder: Path) -> Path:
    """Qwen-Image: Qwen2.5-VL as the encoder, the video autoencoder; sides in multiples of 16 px."""
    import torch
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImagePipeline,
        QwenImageTransformer2DModel,
    )

    with torch.random.fork_rng():
        torch.manual_seed(4)
        pipe = QwenImagePipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=AutoencoderKLQwenImage(
                base_dim=8, z_dim=4, dim_mult=[1] * 4, num_res_blocks=1, latents_mean=[0.0] * 4, latents_std=[1.0] * 4
            ),
            text_encoder=_qwen_encoder(),
            tokenizer=_letters_tokenizer(padding_side="right"),
            transformer=QwenImageTransformer2DModel(
                in_channels=16, out_channels=4, num_layers=1, attention_head_dim=16, num_attention_heads=2,
                joint_attention_dim=16, guidance_embeds=False, axes_dims_rope=(4, 4, 8),
            ),
        )  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def tiny_qwen_edit(folder: Path) -> Path:
    """Qwen-Image-Edit: as Qwen-Image, and its encoder sees the source."""
    import torch
    from diffusers import QwenImageEditPipeline, QwenImagePipeline
    from transformers import Qwen2VLImageProcessor, Qwen2VLProcessor, Qwen2VLVideoProcessor

    parts = QwenImagePipeline.from_pretrained(tiny_qwen_image(folder / "text"), use_safetensors=True).components
    seen = {"patch_size": 14, "merge_size": 2, "size": {"shortest_edge": 28 * 28, "longest_edge": 56 * 56}}
    with torch.random.fork_rng():
        processor = Qwen2VLProcessor(
            image_processor=Qwen2VLImageProcessor(**seen),
            tokenizer=parts["tokenizer"],
            video_processor=Qwen2VLVideoProcessor(),
        )
        QwenImageEditPipeline(**parts, processor=processor).save_pretrained(folder)
    return folder


def _qwen_encoder() -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    rope = {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default", "rope_theta": 10_000.0}
    text = {**tower, "num_key_value_heads": 2, "vocab_size": 300, "rope_parameters": rope, "rope_scaling": rope}
    eyes = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    marks = {"vision_start_token_id": 3, "vision_end_token_id": 4, "image_token_id": 5}
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=eyes, **marks))


SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]


def _letters_tokenizer(padding_side: str) -> Any:
    """Bytes, with a first token of its own as GLM's has, so that no text is empty."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *_byte_letters()])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    if padding_side == "left":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, padding_side=padding_side, pad_token="<|endoftext|>")
