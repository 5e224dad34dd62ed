"""Where a picture of the closed world is coloured: paper, shadow and light are grey, paints are not.

A mix of paint and paper keeps the paint's hue, and its chroma is the paint's times the share of paint (chroma as a
vector in the plane across the grey axis, which is linear in RGB). So chroma over the chroma of a region's core says how
much of a pixel is covered, and a region's hue can be read up to its border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import ndimage

Pixels: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"
Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"
Mask: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"
Place: TypeAlias = tuple[slice, slice]
Labels: TypeAlias = "np.ndarray[Any, np.dtype[np.int32]]"

SIDE_PX = 64
SMOOTHING_PX = 0.7  # sd; noise of 20 grey levels in each channel becomes 7
LEAST_CHROMA = 45.0  # a pixel is coloured from here on; the palest paint (green) has about 90 to 115
LEAST_SHAPE_PX = 35  # a shape's area; the smallest triangle has 84
LEAST_CORE_PX = 5  # what is left of a shape's area without its border; the smallest triangle has about 36
LEAST_FRAGMENT_PX = 3  # smaller bits go unnoticed
MARGIN_PX = 5  # around a region
EDGE_PX = 3  # how far paint is looked for outside a region
FULL_PERCENTILE = 70  # of the chroma in a region's core: what a fully covered pixel has
IMPURE_FROM = 25.0  # degrees from a region's hue
SAME_HUE = 18.0  # degrees; touching regions nearer than that are one
# where each colour's hues begin, in degrees; above the last it is red again
HUES = ((14.0, "orange"), (41.0, "yellow"), (85.0, "green"), (178.0, "blue"), (255.0, "purple"), (325.0, "red"))
STARTS = np.array([start for start, _ in HUES])
NAMES = ("red", *(name for _, name in HUES))
RED_AGAIN = len(HUES)

_CROSS = ndimage.generate_binary_structure(2, 1)
_BLOCK = ndimage.generate_binary_structure(2, 2)


@dataclass(frozen=True)
class Region:
    """One coloured blob, cut out of the picture with a margin: ``place`` has its rows and columns.

    ``cover``: share of paint in each pixel, 0 to 1, from the smoothed picture; ``sharp``: from the picture as it is.
    ``hue``: degrees, 0 to 360. ``purity``: share of the core that is nearer than 25 degrees to the hue.
    """

    place: Place
    cover: Floats
    sharp: Floats
    hue: float
    purity: float

    @property
    def colour(self) -> str:
        return colour_of(self.hue)


@dataclass(frozen=True)
class Found:
    """All regions, the areas of stray bits, and what was seen of the paper: ``paper`` marks its pixels."""

    regions: tuple[Region, ...]
    fragments: tuple[int, ...]
    paper: Mask
    light: Floats
    chroma: Floats


def colour_of(hue: float) -> str:
    """The palette's word for a hue in degrees, 0 to 360.

    >>> colour_of(359.0), colour_of(30.0), colour_of(130.0)
    ('red', 'orange', 'green')
    """
    return NAMES[int(np.searchsorted(STARTS, hue, side="right"))]


def at_side(picture: Pixels) -> Pixels:
    """The picture at 64 x 64: by areas from a whole multiple, by Lanczos else. ValueError if not square RGB uint8."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.shape[0] != picture.shape[1]:
        raise ValueError(f"expected a square RGB picture of uint8, got {picture.dtype} {picture.shape}")
    side = picture.shape[0]
    if side == SIDE_PX:
        return picture
    if side % SIDE_PX == 0:
        times = side // SIDE_PX
        blocks = picture.reshape(SIDE_PX, times, SIDE_PX, times, 3).mean((1, 3))
        averaged: Pixels = np.round(blocks).astype(np.uint8)
        return averaged
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS))


def find(picture: Pixels) -> Found:
    """The coloured regions of a 64 x 64 picture."""
    rgb = picture.astype(np.float32)
    across = chroma_plane(rgb)
    smooth = np.stack([ndimage.gaussian_filter(part, SMOOTHING_PX, mode="nearest") for part in across])
    chroma = np.hypot(*smooth)
    labels = _by_hue(smooth, chroma > LEAST_CHROMA)
    labels, fragments = _merged(labels, smooth)
    boxes = enumerate(ndimage.find_objects(labels), 1)
    regions = tuple(_region(labels, number, across, smooth, box) for number, box in boxes if box is not None)
    coloured = ndimage.binary_dilation(chroma > LEAST_CHROMA, _BLOCK, iterations=3)
    return Found(regions, fragments, ~coloured, rgb.mean(2), np.hypot(*across))


def chroma_plane(rgb: Floats) -> Floats:
    """(2, height, width): RGB across the grey axis; its length is chroma and its angle hue, 0 where red is."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    return np.stack([red - (green + blue) / 2, np.float32(np.sqrt(0.75)) * (green - blue)])


def hues(plane: Floats) -> Floats:
    """Degrees, 0 to 360."""
    degrees: Floats = np.degrees(np.arctan2(plane[1], plane[0])) % 360
    return degrees


def apart(hue: Any, other: float) -> Any:
    """Degrees between hues, 0 to 180."""
    return np.abs((hue - other + 180) % 360 - 180)


def _by_hue(smooth: Floats, coloured: Mask) -> Labels:
    """Connected pixels of one palette colour each, numbered from 1."""
    which = np.searchsorted(STARTS, hues(smooth), side="right") % RED_AGAIN
    labels = np.zeros(coloured.shape, np.int32)
    for one in np.unique(which[coloured]):
        part = ndimage.label(coloured & (which == one), _CROSS)[0]
        labels[part > 0] = part[part > 0] + labels.max()
    return labels


def _merged(labels: Labels, smooth: Floats) -> tuple[Labels, tuple[int, ...]]:
    """Bits too small for a shape go to the neighbour with the longest border, or are fragments; so do like hues."""
    fragments = []
    for number, _ in sorted(enumerate(np.bincount(labels.ravel())[1:], 1), key=lambda pair: int(pair[1])):
        mask = labels == number
        area = int(mask.sum())
        if area == 0:
            continue
        neighbours = labels[ndimage.binary_dilation(mask, _CROSS) & ~mask & (labels > 0)]
        if len(neighbours):
            other = int(np.bincount(neighbours).argmax())
            if not _is_shape(mask, area) or _like(smooth, mask, labels == other):
                labels[mask] = other
        elif not _is_shape(mask, area):
            labels[mask] = 0
            if area >= LEAST_FRAGMENT_PX:
                fragments.append(area)
    return labels, tuple(fragments)


def _is_shape(mask: Mask, area: int) -> bool:
    return area >= LEAST_SHAPE_PX and int(ndimage.binary_erosion(mask, _BLOCK).sum()) >= LEAST_CORE_PX


def _like(smooth: Floats, mask: Mask, other: Mask) -> bool:
    first, second = hues(smooth[:, mask].mean(1)), hues(smooth[:, other].mean(1))
    return bool(apart(first, float(second)) < SAME_HUE)


def _region(labels: Labels, number: int, across: Floats, smooth: Floats, box: Place) -> Region:
    rows, columns = (slice(max(side.start - MARGIN_PX, 0), side.stop + MARGIN_PX) for side in box)
    labels, across, smooth = labels[rows, columns], across[:, rows, columns], smooth[:, rows, columns]
    mask = labels == number
    core = ndimage.binary_erosion(mask, _CROSS)
    core = core if core.any() else mask
    hue = _median_hue(smooth[:, core])
    direction = np.array([np.cos(np.radians(hue)), np.sin(np.radians(hue))], np.float32)
    along = np.tensordot(direction, smooth, 1)
    full = max(float(np.percentile(along[core], FULL_PERCENTILE)), 1.0)
    near = ndimage.binary_dilation(mask, _CROSS, iterations=EDGE_PX) & (mask | (labels == 0))
    cover = np.where(near, np.clip(along / full, 0, 1), 0).astype(np.float32)
    sharp = np.where(near, np.clip(np.tensordot(direction, across, 1) / full, 0, 1), 0).astype(np.float32)
    purity = float((apart(hues(smooth[:, core]), hue) < IMPURE_FROM).mean())
    return Region((rows, columns), cover, sharp, hue, purity)


def _median_hue(plane: Floats) -> float:
    """The median as seen from the mean hue, so that 359 and 1 degrees are neighbours."""
    middle = float(hues(plane.mean(1)))
    turned = (hues(plane) - middle + 180) % 360 - 180
    return float((middle + np.median(turned)) % 360)
