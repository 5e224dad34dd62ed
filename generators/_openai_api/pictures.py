"""Pictures on their way to a service and back: large enough to be edited, and in the end of the source's size."""

from __future__ import annotations

from typing import Any

import numpy as np

from selector.domain import GenerationFailed, InputError, Picture, encode_final
from selector.sight.resize import centre_window, resize_rgb, same_aspect

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def upload_bytes(source: Picture, least_px: int, most_px: int) -> bytes:
    """The source as PNG, enlarged until its short side has ``least_px``, its long side ``most_px`` at most.

    Raises:
        GenerationFailed: the source cannot be decoded.
    """
    try:
        rgb = source.rgb
    except InputError as error:
        raise GenerationFailed(str(error)) from error
    height, width = rgb.shape[:2]
    scale = max(1.0, least_px / min(height, width))
    scale = min(scale, most_px / max(height, width))
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    return encode_final(np.ascontiguousarray(resize_rgb(rgb, shape)), "png")


def at_size_of(source: Picture, made: Picture) -> tuple[Pixels, bool]:
    """The made picture at the source's size, (H, W, 3) uint8, and whether its borders had to be cut off.

    Nothing is stretched: of a picture with other proportions the largest part in the middle is taken.
    """
    shape = source.rgb.shape
    part = made.rgb[centre_window(made.rgb.shape, shape)]
    return np.ascontiguousarray(resize_rgb(part, shape)), not same_aspect(made.rgb.shape, shape)
