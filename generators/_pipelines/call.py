"""A pipeline's call for one task: its arguments, the size to work at, the mask, and the way back onto the source.

The source is brought to the very size that the pipeline works at, small ones enlarged, each side for itself (a few
per cent), and the result goes back the same way, so that nothing is cropped. Instruction editors shift and zoom all
the same (Kontext, Qwen-Image-Edit): a displacement that is small and clearly there is undone.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from generators._pipelines.presets import Mode, Preset
from selector.domain import Declined, GenerationFailed, InputError, JSONValue, Picture, TaskInputs
from selector.domain.files import expanded
from selector.domain.names import name_fault
from selector.sight.registration import register
from selector.sight.resize import resize_rgb

Array = np.ndarray[Any, np.dtype[Any]]
LEAST_SHARE, MOST_SHARE = 0.002, 0.6  # of the source: a region outside of these is no matter for inpainting
MOST_SHIFT = 0.05  # of the long side; more is another composition, and its border would be made up
MOST_ZOOM = 1.1
LEAST_SHIFT_PX = 0.25


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
    mask = region_of(inputs, mask_folder) if mode == "inpaint" else None
    if mode == "inpaint" and mask is None:
        raise GenerationFailed("diffusers: the region to inpaint is not found any more; make the recipes anew")
    if mode in ("image", "inpaint"):
        arguments["strength"] = params["strength"]
    return {**arguments, **_of_source(pipe, preset, inputs.source, mask, size_px)}, mask


def _of_source(pipe: Any, preset: Preset, source: Picture, mask: Any, size_px: Any) -> dict[str, Any]:
    """The source at the size to work at, and that size as far as the pipeline asks for it."""
    known = inspect.signature(type(pipe).__call__).parameters
    area_px = size_px[0] * size_px[1] if size_px else preset.area_px or _own_area_px(pipe)
    canvas_px = canvas_of(source.size, area_px, max(preset.multiple, 8), "" if size_px else preset.canvases)
    arguments: dict[str, Any] = {"image": at_size(source.rgb, canvas_px)}
    arguments.update({side: px for side, px in zip(("width", "height"), canvas_px, strict=True) if side in known})
    if "max_area" in known:  # Kontext would bring canvas and source to sizes of its own, not quite the same
        arguments.update(max_area=canvas_px[0] * canvas_px[1], _auto_resize=not size_px)
    if mask is not None:
        arguments["mask_image"] = at_size(mask, canvas_px)
    return arguments


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


def canvas_of(size_px: tuple[int, int], area_px: int, multiple: int, canvases: str = "") -> tuple[int, int]:
    """(width, height) of the canvas for a source of ``size_px``: its proportions, that area, sides of that multiple.

    ``canvases``: "module:name" of a list of (width, height) of which the one with the nearest proportions is taken.
    """
    ratio = size_px[0] / size_px[1]
    module, _, name = canvases.partition(":")
    listed = list(getattr(importlib.import_module(module), name, ())) if module else []
    if listed:
        width, height = min(listed, key=lambda wh: abs(math.log(wh[0] / wh[1] / ratio)))
        return width, height
    width = math.sqrt(area_px * ratio)
    width, height = (max(multiple, round(side / multiple) * multiple) for side in (width, area_px / width))
    return width, height


def at_size(picture: Array, size_px: tuple[int, int]) -> Any:
    """A picture (H, W, 3) or a mask (H, W) as a PIL image of ``size_px`` (width, height)."""
    from PIL import Image

    shape = (size_px[1], size_px[0])
    if picture.ndim == 2:
        levels = resize_rgb(picture.astype(np.uint8) * 255, shape)
        return Image.fromarray((levels > 127).astype(np.uint8) * 255)
    return Image.fromarray(np.ascontiguousarray(resize_rgb(picture, shape)))


def region_of(inputs: TaskInputs, mask_folder: str) -> Array | None:
    """Where to inpaint, (H, W) bool: the mask in ``mask_folder``, else what the instruction names; None if unclear.

    Raises:
        InputError: the mask cannot be read.
    """
    from selector.sight.edit_region import edit_region

    assert inputs.source is not None
    drawn = _drawn_mask(inputs.task.id, inputs.source, mask_folder)
    mask = edit_region(replace(inputs, reading=None)) if drawn is None else drawn  # a build knows no reading
    if mask is None or not LEAST_SHARE <= float(mask.mean()) <= (1.0 if drawn is not None else MOST_SHARE):
        return None
    return _grown(np.asarray(mask))


def _drawn_mask(task_id: str, source: Picture, folder: str) -> Array | None:
    if not folder or name_fault(f"{task_id}.png"):
        return None
    file = expanded(folder) / f"{task_id}.png"
    if not file.is_file():
        return None
    try:
        rgb = Picture(file.read_bytes(), file.name).rgb
    except OSError as error:
        raise InputError(f"diffusers: the mask {file.name} cannot be read ({error.strerror or error})") from error
    return np.asarray(resize_rgb(rgb, source.rgb.shape[:2]).mean(axis=2) > 127)


def _feather_px(shape: Sequence[int]) -> float:
    return max(1.0, 0.006 * max(shape[:2]))


def _grown(mask: Array) -> Array:
    """With a rim in which old and new are blended, so that the region itself is all new."""
    import cv2

    side = 2 * math.ceil(2 * _feather_px(mask.shape)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)


def back_onto(source: Array, image: Array, mask: Array | None) -> tuple[Array, dict[str, JSONValue]]:
    """The result (h, w, 3) at the source's size and place, and notes of what that took.

    With a mask (H, W), all outside of it is the source's own, bit by bit.
    """
    resized = resize_rgb(image, source.shape[:2])
    if mask is not None:
        return _blended(source, resized, mask), {"masked": round(float(mask.mean()), 4)}
    found = register(source, resized)
    shift, zoom = max(abs(one) for one in found.shift_px), max(max(one, 1 / one) for one in found.scale)
    notes: dict[str, JSONValue] = {
        "shift_px": [round(one, 2) for one in found.shift_px],
        "zoom": [round(one, 4) for one in found.scale],
    }
    small = shift <= MOST_SHIFT * max(source.shape[:2]) and zoom <= MOST_ZOOM
    moved = shift >= LEAST_SHIFT_PX or (zoom - 1) * max(source.shape[:2]) / 2 >= LEAST_SHIFT_PX
    if not (small and moved):
        return np.ascontiguousarray(resized), {**notes, "registered": False} if moved else {}
    return np.array(found.image), {**notes, "registered": True}


def _blended(source: Array, image: Array, mask: Array) -> Array:
    import cv2

    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _feather_px(mask.shape) / 2)
    share = np.where(mask, np.clip(2 * soft - 1, 0, 1), 0)[..., None]  # 0 at the border, 1 a feather's width inside
    return np.asarray(np.rint(source + share * (image.astype(np.float32) - source)), dtype=np.uint8)
