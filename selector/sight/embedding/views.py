"""Cuts the crops of a picture that go through a backbone. The same bytes give the same crops in every process.

WHOLE and GRID decode a JPEG at a reduced scale (libjpeg's DCT scaling) that still has twice the wanted pixels: three
times as fast, and the bicubic reduction that follows hides the difference (Spearman in ``experiments.throughput``).
The scale follows from the picture's own size, never from what else is to be measured, so that scores do not depend on
which scorers run together.

Of a strip only what a crop shows is scaled: the whole of 1 x 1500 px, enlarged until its shorter side fits, would take
hundreds of megabytes.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from selector.domain import Picture
from selector.domain.embedding import View

if TYPE_CHECKING:
    from PIL.Image import Image

Crops = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

VIEWS_VERSION = 1  # part of every embedding's space: raise it when a crop changes
OVERSAMPLING = 2  # decoded px per wanted px
STRIP = 8  # times as long as wide: beyond, Pillow scales single boxes; the same but for rounding between directions
_SCALES = ((2, 0.6), (3, 0.4))  # GRID: crops along each axis, and their side as a share of the picture's


def boxes(view: View, width: int, height: int, side: int) -> Floats:
    """(crops, 4) left, top, right, bottom of each crop as shares of width and height, in the order of ``crops``."""
    if view is View.GRID:
        return _grid_boxes()
    if view is View.NATIVE:
        return _native_boxes(*_at_least(width, height, side), side)
    margin_x, margin_y = (max(0.0, (size - min(width, height)) / 2 / size) for size in (width, height))
    return np.array([[margin_x, margin_y, 1 - margin_x, 1 - margin_y]], np.float32)


def crops(picture: Picture, view: View, side: int, by_torch: bool = True) -> Crops:
    """(crops, side, side, 3) uint8. ``by_torch``: see ``_resized``; each backbone has one way.

    Raises:
        InputError: the picture is damaged.
    """
    if view is View.WHOLE:
        return _whole(picture, side, by_torch)[None]
    if view is View.NATIVE:
        return _native(picture, side)
    return _grid(picture, side)


def _whole(picture: Picture, side: int, by_torch: bool) -> Crops:
    """Shorter side to ``side``, antialiased bicubic, then the centre: what CLIP was trained on (torchvision's way)."""
    rgb = picture.reduced(OVERSAMPLING * side)
    height, width = rgb.shape[:2]
    high, wide = (int(side * size / min(width, height)) for size in (height, width))
    top, left = (round((size - side) / 2.0) for size in (high, wide))
    if _is_strip(width, height):
        return _scaled_crop(_image(rgb), (wide, high), (left, top), side)
    rgb = _resized(rgb, (high, wide)) if by_torch else _at_size(rgb, (wide, high))
    return np.ascontiguousarray(rgb[top : top + side, left : left + side])


def _resized(rgb: Crops, size: tuple[int, int]) -> Crops:
    """At (height, width): torch's kernel for bytes, within one level of Pillow's and five times as fast."""
    import torch
    from torch.nn.functional import interpolate

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the array is read-only, and so is what is done with it
        pixels = torch.from_numpy(rgb)
    scaled = interpolate(pixels.permute(2, 0, 1)[None], size, mode="bicubic", antialias=True)
    return np.asarray(scaled[0].permute(1, 2, 0).numpy(), np.uint8)


def _at_size(rgb: Crops, size: tuple[int, int]) -> Crops:
    """At (width, height), by Pillow."""
    from PIL import Image as Pillow

    return np.asarray(_image(rgb).resize(size, Pillow.Resampling.BICUBIC), np.uint8)


def _native(picture: Picture, side: int) -> Crops:
    """Corners and centre without any resizing; a smaller picture is enlarged until one crop fits."""
    rgb = picture.rgb
    height, width = rgb.shape[:2]
    wide, high = _at_least(width, height, side)
    if (wide, high) != (width, height):
        if _is_strip(width, height):
            image = _image(rgb)
            return np.stack([_scaled_crop(image, (wide, high), at, side) for at in _corners(wide, high, side)])
        rgb = _at_size(rgb, (wide, high))
    return np.stack([rgb[top : top + side, left : left + side] for left, top in _corners(wide, high, side)])


def _is_strip(width: int, height: int) -> bool:
    return max(width, height) > STRIP * min(width, height)


def _scaled_crop(image: Image, size: tuple[int, int], at: tuple[int, int], side: int) -> Crops:
    """What (side, side) px at (left, top) would be if the whole image were scaled to ``size`` (width, height)."""
    from PIL import Image as Pillow

    per_px = [whole / scaled for whole, scaled in zip(image.size, size, strict=True)]
    left, top = (place * scale for place, scale in zip(at, per_px, strict=True))
    right, bottom = (min((a + side) * s, w) for a, s, w in zip(at, per_px, image.size, strict=True))
    box = (left, top, right, bottom)
    return np.asarray(image.resize((side, side), Pillow.Resampling.BICUBIC, box=box), np.uint8)


def _at_least(width: int, height: int, side: int) -> tuple[int, int]:
    scale = max(1.0, side / min(width, height))
    return max(side, round(width * scale)), max(side, round(height * scale))


def _corners(width: int, height: int, side: int) -> list[tuple[int, int]]:
    right, bottom = width - side, height - side
    return [(0, 0), (right, 0), (right // 2, bottom // 2), (0, bottom), (right, bottom)]


def _native_boxes(width: int, height: int, side: int) -> Floats:
    size = np.array([width, height, width, height], np.float64)
    return np.array([[x, y, x + side, y + side] / size for x, y in _corners(width, height, side)], np.float32)


def _grid(picture: Picture, side: int) -> Crops:
    from PIL import Image as Pillow

    share = min(share for _, share in _SCALES)
    image = _image(picture.reduced(round(side / share)))
    size = np.array([*image.size, *image.size], np.float64)
    bicubic = Pillow.Resampling.BICUBIC
    places = (_grid_boxes() * size).tolist()
    return np.stack([np.asarray(image.resize((side, side), bicubic, box=tuple(p)), np.uint8) for p in places])


def _grid_boxes() -> Floats:
    """Crops keep the picture's proportions as shares: a wide picture's are squeezed, and none of it is left out."""
    found = []
    for count, share in _SCALES:
        starts = np.linspace(0.0, 1.0 - share, count)
        found += [(x, y, x + share, y + share) for y in starts for x in starts]
    return np.array(found, np.float32)


def _image(rgb: Crops) -> Image:
    from PIL import Image as Pillow

    return Pillow.fromarray(np.ascontiguousarray(rgb))
