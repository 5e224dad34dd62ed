"""The gate behind a pipeline: black, empty and broken pictures are failures with a reason, not candidates."""

from __future__ import annotations

from typing import Any

import numpy as np

from selector.domain import GenerationFailed

Array = np.ndarray[Any, np.dtype[Any]]

FLAT_LEVELS = 2  # of 255: a picture without more contrast than this shows nothing
BLACK_LEVEL = 8


def usable(image: Array, dtype: str) -> Array:
    """(H, W, 3) uint8 from floats of 0 to 1.

    Raises:
        GenerationFailed: NaN or infinite numbers, all black, or one colour only.
    """
    hint = '; fp16 overflows in some models: set dtype = "bf16" or "fp32"' if dtype == "fp16" else ""
    if image.ndim != 3 or image.shape[2] != 3:
        raise GenerationFailed(f"diffusers: expected a picture (H, W, 3), the pipeline gave {image.shape}")
    broken = float(1 - np.isfinite(image).mean())
    if broken:
        raise GenerationFailed(f"diffusers: {broken:.0%} of the picture's numbers are NaN{hint or _other_dtype(dtype)}")
    levels: Array = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    if int(levels.max()) < BLACK_LEVEL:
        raise GenerationFailed(f"diffusers: the picture is black{hint}")
    if all(int(np.ptp(levels[..., channel])) <= FLAT_LEVELS for channel in range(3)):
        raise GenerationFailed(f"diffusers: the picture is of one colour{hint}")
    return levels


def _other_dtype(dtype: str) -> str:
    return "; the weights may be damaged" if dtype == "fp32" else '; set dtype = "fp32"'
