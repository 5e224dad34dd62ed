"""What can happen to a photograph before it reaches a contest: mirrored, rescaled, darkened, damaged, cut out.

All functions take and give pixels (H, W, 3) uint8 and give the same pixels for the same arguments.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selector.domain.picture import Pixels


def mirrored(rgb: Pixels) -> Pixels:
    """Left and right exchanged."""
    return np.ascontiguousarray(rgb[:, ::-1])


def resized(rgb: Pixels, width_px: int) -> Pixels:
    """At ``width_px``, same aspect ratio, Lanczos."""
    from PIL import Image

    height_px = round(rgb.shape[0] * width_px / rgb.shape[1])
    return np.asarray(Image.fromarray(rgb).resize((width_px, height_px), Image.Resampling.LANCZOS))


def darkened(rgb: Pixels, exposure: float) -> Pixels:
    """As if exposed ``exposure`` (0 to 1) of the light, in linear light with a plain gamma of 2.2."""
    table = 255.0 * (np.linspace(0.0, 1.0, 256) ** 2.2 * exposure) ** (1 / 2.2)
    pixels: Pixels = np.round(table).astype(np.uint8)[rgb]
    return pixels


def jpeg_damaged(rgb: Pixels, quality: int) -> Pixels:
    """Once through a JPEG of low ``quality`` (1 to 95) with halved colour."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(buffer).convert("RGB"))


def cut(rgb: Pixels, left_px: int, top_px: int, side_px: int) -> Pixels:
    """The square of ``side_px`` at (``left_px``, ``top_px``)."""
    return rgb[top_px : top_px + side_px, left_px : left_px + side_px]


def side_by_side(left: Pixels, right: Pixels) -> Pixels:
    """Two pictures of the same height as one, without a gap."""
    return np.concatenate([left, right], axis=1)
