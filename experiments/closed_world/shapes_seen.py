"""Which shape a region has: the template that covers it best, laid on its centre of mass with its area.

Area and centre of mass survive blur and noise, the four sides of a bounding box do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from experiments.closed_world.regions import SIDE_PX, Floats, Region

LEAST_FIT = 0.75  # intersection over union below which a region has no shape
LARGE_FROM_PX = 8.25  # half the side; small shapes have 6 to 7, large ones 9.5 to 11
STEEPER = 2.0  # the cover's border is made this much steeper before shapes are compared
SQUARE = 0.92  # half the side of a square, of half its box
ARM = 0.36  # half the width of a cross's arm
NO_SHAPE = "none"

_PIXELS = np.arange(SIDE_PX, dtype=np.float32) + np.float32(0.5)


@dataclass(frozen=True)
class SeenShape:
    """``shape`` is a word of the world or ``none``; lengths in pixels of 64; ``fit`` and ``purity`` 0 to 1."""

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
    """A shape with half a side of 1: its area, how far its centre of mass lies below its centre, distances outside."""

    area: float
    sinks: float
    outside: Callable[[Floats, Floats], Floats]


def _circle(x: Floats, y: Floats) -> Floats:
    return np.hypot(x, y) - 1


def _square(x: Floats, y: Floats) -> Floats:
    return np.maximum(np.abs(x), np.abs(y)) - SQUARE


def _triangle(x: Floats, y: Floats) -> Floats:
    slope = (2 * np.abs(x) - y - 1) / np.float32(np.sqrt(5))
    return np.maximum(slope, y - 1)


def _cross(x: Floats, y: Floats) -> Floats:
    across, along = np.minimum(np.abs(x), np.abs(y)), np.maximum(np.abs(x), np.abs(y))
    return np.maximum(across - ARM, along - 1)


TEMPLATES = {
    "circle": Template(np.pi, 0, _circle),
    "square": Template(4 * SQUARE**2, 0, _square),
    "triangle": Template(2, 1 / 3, _triangle),
    "cross": Template(4 * (2 * ARM - ARM**2), 0, _cross),
}


def seen_shape(region: Region) -> SeenShape:
    """The region in words and measures."""
    cover = np.clip((region.cover - 0.5) * STEEPER + 0.5, 0, 1)
    rows, columns = cover.any(1).nonzero()[0], cover.any(0).nonzero()[0]
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    part = cover[top:bottom, left:right]
    xs, ys = _PIXELS[left:right], _PIXELS[top:bottom]
    area = float(part.sum())
    x, y = float(part.sum(0) @ xs) / area, float(part.sum(1) @ ys) / area
    fits = {name: _fit(part, xs, ys, template, area, x, y) for name, template in TEMPLATES.items()}
    best = max(fits, key=lambda name: fits[name])
    half = float(np.sqrt(area / TEMPLATES[best].area))
    return SeenShape(
        colour=region.colour,
        shape=best if fits[best] >= LEAST_FIT else NO_SHAPE,
        size="large" if half >= LARGE_FROM_PX else "small",
        x=x,
        y=y - TEMPLATES[best].sinks * half,
        half=half,
        area=area,
        fit=fits[best],
        purity=region.purity,
    )


def _fit(part: Floats, xs: Floats, ys: Floats, template: Template, area: float, x: float, y: float) -> float:
    """Intersection over union of the cover and the template; what the template has outside the part is counted."""
    half = np.sqrt(area / template.area)
    across, down = (xs - x) / half, (ys - y) / half + template.sinks
    drawn = np.clip(0.5 - template.outside(across[None, :], down[:, None]) * half, 0, 1)
    shared = float(np.minimum(part, drawn).sum())
    return shared / max(2 * area - shared, 1e-6)  # both have this area
