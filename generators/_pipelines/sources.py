"""Between a task's source and a pipeline: the size to work at, the mask, and the way back onto the source.

The source is brought to the very size that the pipeline works at, small ones enlarged, each side for itself (a few
per cent), and the result goes back the same way, so that nothing is cropped. Instruction editors shift and zoom all
the same (Kontext, Qwen-Image-Edit): a displacement that is small and clearly there is undone.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selector.domain import InputError, JSONValue, Picture, TaskInputs
from selector.domain.names import name_fault
from selector.sight.registration import register
from selector.sight.resize import resize_rgb

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_SHARE, MOST_SHARE = 0.002, 0.6  # of the source: a region outside of these is no matter for inpainting
MOST_SHIFT = 0.05  # of the long side; more is another composition, and its border would be made up
MOST_ZOOM = 1.1
LEAST_SHIFT_PX = 0.25
MASK_SIDE_PX = 4096


@dataclass(frozen=True)
class Canvas:
    """The size that an edit is made at."""

    width_px: int
    height_px: int


def canvas_of(size_px: tuple[int, int], area_px: int, multiple: int, canvases: str = "") -> Canvas:
    """The canvas for a source of ``size_px`` (width, height): its proportions, that area, sides of that multiple.

    ``canvases``: "module:name" of a list of (width, height) of which the one with the nearest proportions is taken.
    """
    ratio = size_px[0] / size_px[1]
    listed = _listed(canvases)
    if listed:
        width, height = min(listed, key=lambda wh: abs(math.log(wh[0] / wh[1] / ratio)))
        return Canvas(width, height)
    width = _rounded(math.sqrt(area_px * ratio), multiple)
    return Canvas(width, _rounded(area_px / math.sqrt(area_px * ratio), multiple))


def _rounded(side: float, multiple: int) -> int:
    return max(multiple, round(side / multiple) * multiple)


def _listed(canvases: str) -> Sequence[tuple[int, int]]:
    module, _, name = canvases.partition(":")
    return list(getattr(importlib.import_module(module), name, ())) if module else ()


def at_size(picture: Array, canvas: Canvas) -> Any:
    """A picture (H, W, 3) or a mask (H, W) as a PIL image of the canvas' size."""
    from PIL import Image

    if picture.ndim == 2:
        levels = resize_rgb(picture.astype(np.uint8) * 255, (canvas.height_px, canvas.width_px))
        return Image.fromarray((levels > 127).astype(np.uint8) * 255)
    return Image.fromarray(np.ascontiguousarray(resize_rgb(picture, (canvas.height_px, canvas.width_px))))


def region_of(inputs: TaskInputs, mask_folder: str) -> Array | None:
    """Where to inpaint, (H, W) bool: the mask in ``mask_folder``, else what the instruction names; None if unclear.

    Raises:
        InputError: the mask cannot be read.
    """
    from selector.sight.edit_region import edit_region

    assert inputs.source is not None
    drawn = _drawn_mask(inputs.task.id, inputs.source, mask_folder)
    mask = edit_region(inputs) if drawn is None else drawn
    if mask is None or not LEAST_SHARE <= float(mask.mean()) <= (1.0 if drawn is not None else MOST_SHARE):
        return None
    return np.asarray(_grown(np.asarray(mask)))


def _drawn_mask(task_id: str, source: Picture, folder: str) -> Array | None:
    if not folder or name_fault(f"{task_id}.png"):
        return None
    file = Path(folder).expanduser() / f"{task_id}.png"
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
