"""Pictures on their way to a service and back: sides within its bounds, as PNG, or under 10 MB as a ``data:`` address.

A small picture is enlarged (Lanczos for DashScope), because models see nothing below their least size and refuse it; a
large one is reduced. DashScope gets JPEG 4:4:4 at quality 95, lower only where the size demands it.
"""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from selector.domain import Declined, GenerationFailed, InputError, Picture, encode_final
from selector.domain.names import name_fault
from selector.sight.resize import centre_window, resize_rgb, same_aspect

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MAX_BYTES = 7_400_000  # base64 makes a third more of it, and the 10 MB may be counted either way
_QUALITIES = (95, 90, 80, 70)
_SHRINK = 0.8


def fitting_size(size_px: tuple[int, int], least_px: int, most_px: int) -> tuple[int, int]:
    """(width, height) with all sides in bounds and the proportions kept, as near to ``size_px`` as can be.

    Raises:
        Declined: there is none: the picture is longer than ``most_px / least_px`` times its width.
    """
    short, long = min(size_px), max(size_px)
    scale = min(max(1.0, least_px / short), most_px / long)
    if short * scale < least_px - 0.5:
        raise Declined(f"the source is too long for the service ({size_px[0]} x {size_px[1]} px)")
    width, height = (min(most_px, max(least_px, round(side * scale))) for side in size_px)
    return width, height


def source_pixels(picture: Picture) -> Pixels:
    """The pixels of a task's picture; raises ``GenerationFailed`` when it cannot be decoded."""
    try:
        return picture.rgb
    except InputError as error:
        raise GenerationFailed(str(error)) from error


def upload_bytes(source: Picture, least_px: int, most_px: int) -> bytes:
    """The source as PNG, enlarged until its short side has ``least_px``, its long side ``most_px`` at most.

    Raises:
        GenerationFailed: the source cannot be decoded.
    """
    rgb = source_pixels(source)
    height, width = rgb.shape[:2]
    scale = min(max(1.0, least_px / min(height, width)), most_px / max(height, width))
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    return encode_final(np.ascontiguousarray(resize_rgb(rgb, shape)), "png")


def at_size_of(source: Picture, made: Picture) -> tuple[Pixels, bool]:
    """The made picture at the source's size, (H, W, 3) uint8, and whether its borders had to be cut off.

    Nothing is stretched: of a picture with other proportions the largest part in the middle is taken.
    """
    shape = source.rgb.shape
    part = made.rgb[centre_window(made.rgb.shape, shape)]
    return np.ascontiguousarray(resize_rgb(part, shape)), not same_aspect(made.rgb.shape, shape)


def uploaded(picture: Picture, bounds_px: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """The ``data:`` address of a picture, and the (width, height) that was sent. Raises as its helpers do."""
    from PIL import Image

    rgb = source_pixels(picture)
    size_px = fitting_size((rgb.shape[1], rgb.shape[0]), *bounds_px)
    while True:
        resized = np.asarray(Image.fromarray(rgb).resize(size_px, Image.Resampling.LANCZOS), dtype=np.uint8)
        for quality in _QUALITIES:
            data = encode_final(resized, quality=quality)
            if len(data) <= MAX_BYTES:
                return data_address(data, "jpeg"), size_px
        smaller = (math.floor(size_px[0] * _SHRINK), math.floor(size_px[1] * _SHRINK))
        size_px = fitting_size(smaller, *bounds_px)


def uploaded_mask(picture: Picture, size_px: tuple[int, int]) -> str:
    """The ``data:`` address of a mask: white where it is lighter than grey, else black, as large as the picture."""
    from PIL import Image

    light = source_pixels(picture).mean(axis=2) >= 128
    mask = Image.fromarray(light.astype(np.uint8) * 255).resize(size_px, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    mask.convert("RGB").save(buffer, "PNG")
    return data_address(buffer.getvalue(), "png")


def mask_file(place: Path, task_id: str, source_name: str | None) -> Path | None:
    """The mask of a task: ``place`` itself, or in that folder the PNG that has the task's id or the source's stem."""
    if not place.is_dir():
        return place if place.is_file() else None
    stems = [task_id, *([Path(source_name).stem] if source_name else [])]
    found = (place / f"{stem}.png" for stem in stems if stem and not name_fault(f"{stem}.png"))
    return next((file for file in found if file.is_file()), None)


def data_address(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
