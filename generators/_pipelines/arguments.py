"""The arguments of a pipeline's call for one task, all but the seeds, and what of the prompt it will not read."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from generators._pipelines.presets import Mode, Preset
from selector.domain import Declined, GenerationFailed, JSONValue, Picture, TaskInputs


def arguments_of(
    pipe: Any, preset: Preset, inputs: TaskInputs, mode: Mode, params: Mapping[str, Any], mask_folder: str
) -> tuple[dict[str, Any], Any]:
    """What to call ``pipe`` with, and the mask, (H, W) bool on the source's grid, where there is one.

    Args:
        params: of the recipe: "call", "steps", and, if they are set, "size_px" and "strength".

    Raises:
        Declined: an edit without a source. GenerationFailed: the region to inpaint is gone since the recipe was made.
    """
    arguments: dict[str, Any] = {"prompt": inputs.task.prompt, **params["call"]}
    if params["steps"] is not None:
        arguments["num_inference_steps"] = params["steps"]
    size_px = params.get("size_px")
    if mode == "text":
        return {**arguments, **({"width": size_px[0], "height": size_px[1]} if size_px else {})}, None
    if inputs.source is None:
        raise Declined(f"diffusers: task {inputs.task.id} has no source picture to edit")
    mask = _mask_of(inputs, mask_folder) if mode == "inpaint" else None
    if mode in ("image", "inpaint"):
        arguments["strength"] = params["strength"]
    return {**arguments, **_of_source(pipe, preset, inputs.source, mask, size_px)}, mask


def _of_source(pipe: Any, preset: Preset, source: Picture, mask: Any, size_px: Any) -> dict[str, Any]:
    """The source at the size to work at, and that size as far as the pipeline asks for it."""
    from generators._pipelines import sources

    known = inspect.signature(type(pipe).__call__).parameters
    area_px = size_px[0] * size_px[1] if size_px else preset.area_px or _own_area_px(pipe)
    canvas = sources.canvas_of(source.size, area_px, max(preset.multiple, 8), "" if size_px else preset.canvases)
    arguments: dict[str, Any] = {"image": sources.at_size(source.rgb, canvas)}
    arguments.update({k: v for k, v in (("width", canvas.width_px), ("height", canvas.height_px)) if k in known})
    if "max_area" in known:  # Kontext would bring canvas and source to sizes of its own, not quite the same
        arguments.update(max_area=canvas.width_px * canvas.height_px, _auto_resize=not size_px)
    if mask is not None:
        arguments["mask_image"] = sources.at_size(mask, canvas)
    return arguments


def _mask_of(inputs: TaskInputs, mask_folder: str) -> Any:
    from generators._pipelines.sources import region_of

    mask = region_of(inputs, mask_folder)
    if mask is None:
        raise GenerationFailed("diffusers: the region to inpaint is not found any more; make the recipes anew")
    return mask


def _own_area_px(pipe: Any) -> int:
    """The area of the pipeline's own size: what its denoiser was trained at."""
    config = getattr(getattr(pipe, "unet", None) or getattr(pipe, "transformer", None), "config", None)
    side = getattr(pipe, "default_sample_size", None) or getattr(config, "sample_size", None) or 64
    height, width = (side, side) if isinstance(side, int) else side
    return int(height * width * int(getattr(pipe, "vae_scale_factor", 8)) ** 2)


def unread(pipe: Any, prompt: str, reads_all: bool = False) -> dict[str, JSONValue]:
    """Notes on what the pipeline will not read; {} where it reads all, or another encoder than CLIP does.

    ``prompt_cut``: the words beyond the limit; ``prompt_tokens``: how many there are; ``prompt_not_english``, unless
    the model ``reads_all``.
    """
    parts = (getattr(pipe, name, None) for name in ("tokenizer", "tokenizer_2", "tokenizer_3"))
    tokenizers = [part for part in parts if part is not None]
    if not tokenizers or not all(type(one).__name__.startswith("CLIPTokenizer") for one in tokenizers):
        return {}
    notes: dict[str, JSONValue] = {}
    ids, limit = list(tokenizers[0](prompt).input_ids), int(tokenizers[0].model_max_length)
    if len(ids) > limit:
        notes = {"prompt_tokens": len(ids), "prompt_cut": tokenizers[0].decode(ids[limit - 1 : -1])}
    if not reads_all and sum(character > "\u2e7f" and character.isalpha() for character in prompt) > len(prompt) / 4:
        notes["prompt_not_english"] = True
    return notes
