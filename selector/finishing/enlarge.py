"""Enlarging: by Lanczos, or by an ONNX super-resolution model in overlapping tiles.

The model is the user's: input (1, 3, h, w) RGB on 0 to 1, output (1, 3, s h, s w) on 0 to 1, s a whole number, as
Real-ESRGAN, SwinIR and their kind are exported. Free or fixed tile sizes are both fine. None is shipped, and none of
the published ones could be tried where this was written; tests build small ones of the same form.
Memory: one tile of activations, and the enlarged picture in bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selector.domain import Declined, InputError
from selector.domain.picture import MAX_PIXELS
from selector.sight.colour_spaces import Floats, Pixels, to_floats, to_pixels
from selector.sight.onnx_session import open_model

LONGEST_SIDE_PX = 4096  # above any contest picture
TILE_PX = 256
CONTEXT_PX = 24  # of a tile's border, thrown away: there a network has seen less than it wants
BLEND_PX = 8  # over which a tile passes into the next: what a network knows beyond the context shows no seam
ALIGN_PX = 8  # networks that fold pixels into channels see all tiles at the same phase


@dataclass(frozen=True)
class Enlarger:
    """A loaded model as a function on floats (1, 3, h, w), 0 to 1; ``tile_px``: (height, width) if it is fixed."""

    run: Callable[[Floats], Floats]
    tile_px: tuple[int, int] | None
    name: str


def target_size(size: tuple[int, int], factor: float) -> tuple[int, int]:
    """(width, height) of an enlarged picture: proportions kept, the longer side at most ``LONGEST_SIDE_PX``.

    Raises ``Declined`` when there is nothing to enlarge.
    """
    factor = min(factor, LONGEST_SIDE_PX / max(size))
    if round(max(size) * factor) <= max(size):
        raise Declined(f"upscale: {size[0]} x {size[1]} px is not enlarged: {LONGEST_SIDE_PX} px a side is the limit")
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def resized(rgb: Pixels, size: tuple[int, int]) -> Pixels:
    """Lanczos, to (width, height)."""
    from PIL import Image

    if (rgb.shape[1], rgb.shape[0]) == size:
        return rgb
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


def open_enlarger(path: str, device: str = "auto") -> Enlarger:
    """The model of a file. Raises ``MissingPart`` for no file and ``InputError`` for one of another form."""
    model = open_model(path, device)
    if len(model.inputs) != 1 or not model.inputs[0].takes(1, 3, None, None):
        raise InputError(f"{path} is no model that enlarges pictures [1, 3, h, w]: it {model.signature()}")
    port = model.inputs[0]
    height, width = port.shape[2:]
    fixed = (height, width) if height is not None and width is not None else None
    return Enlarger(lambda tile: model.run({port.name: tile})[0], fixed, Path(path).name)


def enlarged(rgb: Pixels, enlarger: Enlarger, tile_px: int = TILE_PX) -> tuple[Pixels, int]:
    """(the picture times the model's scale, that scale); tile by tile, each blended into those before it."""
    height, width = rgb.shape[:2]
    tile = enlarger.tile_px or (_aligned(min(tile_px, max(height, 1))), _aligned(min(tile_px, max(width, 1))))
    padded = _padded(rgb, tile)
    rows, columns = (_starts(padded.shape[axis], tile[axis]) for axis in (0, 1))
    canvas: Pixels | None = None
    scale = 1
    for top in rows:
        for left in columns:
            piece = _run(enlarger, padded[top : top + tile[0], left : left + tile[1]])
            if canvas is None:
                scale = _scale_of(piece, tile, enlarger.name)
                _check_memory(padded, scale)
                canvas = np.zeros((padded.shape[0] * scale, padded.shape[1] * scale, 3), np.uint8)
            _lay(canvas, piece, (top, left), scale)
    assert canvas is not None  # there is always a first tile
    return np.ascontiguousarray(canvas[: height * scale, : width * scale]), scale


def _run(enlarger: Enlarger, tile: Pixels) -> Pixels:
    found = np.asarray(enlarger.run(to_floats(tile).transpose(2, 0, 1)[None]), dtype=np.float32)
    if found.ndim != 4 or found.shape[:2] != (1, 3):
        raise InputError(f"{enlarger.name} must give [1, 3, h, w], it gave {list(found.shape)}: use another model")
    if not np.isfinite(found).all():
        raise InputError(f"{enlarger.name} gives numbers that are none (NaN): use a model in single precision")
    return to_pixels(found[0].transpose(1, 2, 0))


def _scale_of(piece: Pixels, tile: tuple[int, int], name: str) -> int:
    scale = int(piece.shape[0]) // tile[0]
    if scale < 1 or piece.shape[:2] != (tile[0] * scale, tile[1] * scale):
        got = f"{tile[1]} x {tile[0]} px became {piece.shape[1]} x {piece.shape[0]} px"
        raise InputError(f"{name} must enlarge by a whole number, the same in both directions: {got}")
    return scale


def _check_memory(rgb: Pixels, scale: int) -> None:
    if rgb.shape[0] * rgb.shape[1] * scale**2 > MAX_PIXELS:
        size = f"{rgb.shape[1]} x {rgb.shape[0]} px times {scale}"
        raise Declined(f"upscale: {size} is over {MAX_PIXELS // 1_000_000} megapixels: use a model of a smaller scale")


def _aligned(px: int) -> int:
    return math.ceil(px / ALIGN_PX) * ALIGN_PX


def _padded(rgb: Pixels, tile: tuple[int, int]) -> Pixels:
    """Mirrored at the right and at the bottom until whole tiles fit."""
    missing = [max(tile[axis], _aligned(rgb.shape[axis])) - rgb.shape[axis] for axis in (0, 1)]
    return np.pad(rgb, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric") if any(missing) else rgb


def _margins(tile_px: int) -> tuple[int, int]:
    """(context, blend) of a tile; those of a small tile, which a model may have fixed, are smaller."""
    return min(CONTEXT_PX, tile_px // 4), min(BLEND_PX, tile_px // 4)


def _starts(length: int, tile_px: int) -> list[int]:
    """Where tiles begin along one axis; the last one ends with the picture."""
    context, blend = _margins(tile_px)
    step = max(1, tile_px - 2 * context - blend)
    return [*range(0, max(0, length - tile_px), step), length - tile_px]


def _lay(canvas: Pixels, piece: Pixels, at: tuple[int, int], scale: int) -> None:
    """Lay an enlarged tile on the canvas, without its context, rising from 0 to 1 over the blend at its top and left.

    What lies there already came from tiles before it. Where both are equal, nothing changes by so much as a level.
    """
    area, alphas = [], []
    for axis in (0, 1):
        context, blend = (px * scale for px in _margins(piece.shape[axis] // scale))
        start, length, whole = at[axis] * scale, piece.shape[axis], canvas.shape[axis]
        first = context if start else 0
        last = length if start + length == whole else length - context
        area.append(slice(first, last))
        rise = (np.arange(last - first, dtype=np.float32) + 0.5) / max(blend, 1)
        alphas.append(np.clip(rise, 0, 1) if start else np.ones(last - first, np.float32))
    inner = piece[area[0], area[1]]
    spot = canvas[
        at[0] * scale + area[0].start : at[0] * scale + area[0].stop,
        at[1] * scale + area[1].start : at[1] * scale + area[1].stop,
    ]
    alpha = (alphas[0][:, None] * alphas[1])[..., None]
    spot[...] = np.round(spot + alpha * (inner.astype(np.float32) - spot)).astype(np.uint8)
