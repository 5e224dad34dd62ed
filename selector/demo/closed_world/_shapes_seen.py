"""Which shape a region has: the template that covers it best, as soft as the region's border.

A template is laid on the region's centre of mass with the region's area: blur and noise leave these alone, unlike the
four sides of a bounding box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import ndtr

from selector.demo.closed_world._regions import SIDE_PX, Floats, Mask, Region

LEAST_FIT = 0.85  # intersection over union below which a region has no shape: blobs have up to 0.85 with a circle
LARGE_FROM_PX = 8.25  # half the side; small shapes have 6.5 to 7.5, large ones 9.5 to 11
BAND_PX = 3  # on either side of a border
STEEPER = 2.0  # borders are made this much steeper before shapes are compared
SOFTEST_PX = 2.2  # sd of the softest border that a template gets
WIDTH_OF_SD = 2.257  # the sum of 4a(1 - a) across a border blurred with an sd of 1 px: 4 / sqrt(pi)
SQUARE = 0.92  # half the side of a square, of half its box
ARM = 0.36  # half the width of a cross's arm
NO_SHAPE = "none"
LEAST_PURITY = 0.75  # share of a region's core in its main hue below which it has no one colour
NO_COLOUR = "mixed"

_PIXELS = np.arange(SIDE_PX, dtype=np.float32) + np.float32(0.5)
_BLOCK = ndimage.generate_binary_structure(2, 2)


@dataclass(frozen=True)
class SeenShape:
    """Words of the world, or ``mixed`` and ``none``; lengths in pixels of 64; ``fit`` and ``purity`` 0 to 1."""

    colour: str
    shape: str
    size: str
    x: float
    y: float
    half: float
    area: float
    fit: float
    purity: float


@dataclass(frozen=True)
class Template:
    """A shape with half a side of 1: its area, and how far its centre of mass lies below its centre.

    ``cover(x, y, half, soft)``: shares of paint at places as seen from the centre, in pixels (``x`` a row, ``y`` a
    column); borders are straight edges blurred with an sd of ``soft``, exact for squares and crosses.
    """

    area: float
    sinks: float
    cover: Callable[[Floats, Floats, float, float], Floats]


def _circle(x: Floats, y: Floats, half: float, soft: float) -> Floats:
    cover: Floats = ndtr((half - np.hypot(x, y)) / soft)
    return cover


def _square(x: Floats, y: Floats, half: float, soft: float) -> Floats:
    return _between(x, half * SQUARE, soft) * _between(y, half * SQUARE, soft)


def _triangle(x: Floats, y: Floats, half: float, soft: float) -> Floats:
    slope = np.sqrt(5) * soft  # the sides rise by 2 for 1
    cover: Floats = ndtr((y + half - 2 * x) / slope) * ndtr((y + half + 2 * x) / slope) * ndtr((half - y) / soft)
    return cover


def _cross(x: Floats, y: Floats, half: float, soft: float) -> Floats:
    wide, tall = _between(x, half, soft), _between(y, half, soft)
    narrow, low = _between(x, half * ARM, soft), _between(y, half * ARM, soft)
    cover: Floats = wide * low + narrow * tall - narrow * low
    return cover


def _between(place: Floats, half: float, soft: float) -> Floats:
    cover: Floats = ndtr((half - place) / soft) - ndtr((-half - place) / soft)
    return cover


TEMPLATES = {
    "circle": Template(np.pi, 0, _circle),
    "square": Template(4 * SQUARE**2, 0, _square),
    "triangle": Template(2, 1 / 3, _triangle),
    "cross": Template(4 * (2 * ARM - ARM**2), 0, _cross),
}


def seen_shape(region: Region) -> SeenShape:
    """The region in words and measures."""
    part, ys, xs = region.cover, _PIXELS[region.place[0]], _PIXELS[region.place[1]]
    area = float(part.sum())
    x, y = float(part.sum(0) @ xs) / area, float(part.sum(1) @ ys) / area
    soft = min(edge_width(region.cover, region.cover > 0.5) / WIDTH_OF_SD, SOFTEST_PX)
    fits = {name: _fit(part, xs - x, ys - y, template, area, soft) for name, template in TEMPLATES.items()}
    best = max(fits, key=lambda name: fits[name][0])
    fit, half = fits[best]
    return SeenShape(
        colour=region.colour if region.purity >= LEAST_PURITY else NO_COLOUR,
        shape=best if fit >= LEAST_FIT else NO_SHAPE,
        size="large" if half >= LARGE_FROM_PX else "small",
        x=x,
        y=y - TEMPLATES[best].sinks * half,
        half=half,
        area=area,
        fit=fit,
        purity=region.purity,
    )


def edge_width(cover: Floats, inside: Mask) -> float:
    """Mean width in pixels of the transition from paint to paper.

    The sum of 4a(1 - a) over the border, a the share of paint, by the border's length: 0.7 for a drawn border, and 2.3
    times the sd of a Gaussian blur.
    """
    band = ndimage.binary_dilation(inside, _BLOCK, iterations=BAND_PX) & ~ndimage.binary_erosion(
        inside, _BLOCK, iterations=BAND_PX
    )
    share = cover[band]
    return float((4 * share * (1 - share)).sum()) / max(_border_px(inside), 1.0)


def _border_px(inside: Mask) -> float:
    """Length of the border: steps between pixels inside and outside, times pi / 4 (Cauchy-Crofton, two directions)."""
    steps = np.count_nonzero(inside[1:] != inside[:-1]) + np.count_nonzero(inside[:, 1:] != inside[:, :-1])
    return float(steps * np.pi / 4)


def _fit(part: Floats, x: Floats, y: Floats, template: Template, area: float, soft: float) -> tuple[float, float]:
    """Intersection over union of the cover and the template, and the template's half side.

    Blur takes paint from the core of narrow shapes, by which the cover was scaled: so the scale is found again.
    """
    scale = 1.0
    for _ in range(2):
        half = float(np.sqrt(area / scale / template.area))
        drawn = template.cover(x[None, :], y[:, None] + template.sinks * half, half, soft)
        scale = float((part * drawn).sum() / max((drawn * drawn).sum(), 1e-6))
    first, second = _steep(part / scale), _steep(drawn)
    return float(np.minimum(first, second).sum() / np.maximum(first, second).sum()), half


def _steep(cover: Floats) -> Floats:
    steep: Floats = np.clip((cover - 0.5) * STEEPER + 0.5, 0, 1)
    return steep
