"""Pictures of the loopback service: each shows, in a grid of colours, which prompt and seed it was made for."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

GRID = 4
LEVELS = (32, 96, 160, 224)
_TOLERANCE = 24  # levels: JPEG, resizing and a little sharpening move a block's mean by less


def signature(prompt: str, seed: int) -> Pixels:
    """The colours (4, 4, 3) that belong to a prompt and a seed."""
    digest = hashlib.sha256(f"{seed} {prompt}".encode(errors="surrogatepass")).digest() * 2
    levels = [LEVELS[byte % len(LEVELS)] for byte in digest[: GRID * GRID * 3]]
    return np.array(levels, np.uint8).reshape(GRID, GRID, 3)


def painted(prompt: str, seed: int, size_px: tuple[int, int]) -> Pixels:
    """The grid over a whole picture of ``size_px`` (width, height)."""
    width, height = size_px
    rows, columns = np.arange(height) * GRID // height, np.arange(width) * GRID // width
    return np.asarray(signature(prompt, seed)[rows][:, columns])


def edited(base_rgb: Pixels, prompt: str, seed: int) -> Pixels:
    """The base picture with the grid in its middle, over half of each side: an edit that leaves the rest alone."""
    height, width = base_rgb.shape[:2]
    patch = painted(prompt, seed, (width // 2, height // 2))
    result = np.array(base_rgb)
    top, left = height // 4, width // 4
    result[top : top + patch.shape[0], left : left + patch.shape[1]] = patch
    return result


def shows(rgb: Pixels, prompt: str, seed: int) -> bool:
    """Whether a picture (H, W, 3) was painted for this prompt and seed, also after resizing and JPEG."""
    height, width = rgb.shape[:2]
    wanted = signature(prompt, seed)
    for row in range(GRID):
        for column in range(GRID):
            top, left = (4 * row + 1) * height // (4 * GRID), (4 * column + 1) * width // (4 * GRID)
            bottom, right = (4 * row + 3) * height // (4 * GRID), (4 * column + 3) * width // (4 * GRID)
            mean = rgb[top : bottom + 1, left : right + 1].reshape(-1, 3).mean(axis=0)
            if np.abs(mean - wanted[row, column]).max() > _TOLERANCE:
                return False
    return True


def shows_edit(rgb: Pixels, prompt: str, seed: int) -> bool:
    """As ``shows``, for a picture that ``edited`` made."""
    height, width = rgb.shape[:2]
    middle = rgb[height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2]
    return shows(middle, prompt, seed)


def encoded(rgb: Pixels, fmt: str) -> bytes:
    """PNG or JPEG bytes, quickly."""
    from PIL import Image

    buffer = io.BytesIO()
    options: dict[str, int] = {"compress_level": 1} if fmt == "PNG" else {"quality": 92, "subsampling": 0}
    Image.fromarray(rgb).save(buffer, fmt, **options)
    return buffer.getvalue()
