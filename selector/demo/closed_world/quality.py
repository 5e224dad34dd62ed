"""How well a picture of the closed world is painted, whatever it shows: PQ, 0 to 10."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from selector.demo.closed_world.regions import Found, Region
from selector.demo.closed_world.shapes_seen import SeenShape, edge_width

EDGE_PX = (1.2, 5.0)  # mean width of a border: as good as drawn, no border at all
FIT = (0.95, 0.70)  # of the template: as drawn, no shape
IMPURE = (0.02, 0.30)  # share of a region's core in another hue
GRAIN = (4.0, 20.0)  # sd in grey levels of the paper; the renderer's grain has at most 2.5
STREAKS = (5.0, 26.0)  # sd in grey levels, and in chroma, inside a shape; grain and light make up to 3.5
STAIN = (6.0, 30.0)  # chroma of the paper
FRAGMENT_COST, FRAGMENT_PX_COST = 0.15, 0.01  # of the part, for each stray bit and each pixel of it
LEAST_CORE_PX = 6

_BLOCK = ndimage.generate_binary_structure(2, 2)


@dataclass(frozen=True)
class Quality:
    """Parts, each 0 (spoilt) to 1 (as drawn), and pq = 5 * (worst + mean): the worst fault counts as all together."""

    edges: float
    fit: float
    purity: float
    fragments: float
    paint: float
    paper: float

    @property
    def pq(self) -> float:
        parts = (self.edges, self.fit, self.purity, self.fragments, self.paint, self.paper)
        return 5 * (min(parts) + sum(parts) / len(parts))


def quality(found: Found, shapes: tuple[SeenShape, ...]) -> Quality:
    """Of what was found in a picture; no shape: only the paper and the fragments count."""
    widths = [edge_width(region.sharp, region.cover > 0.5) for region in found.regions]
    stray = FRAGMENT_COST * len(found.fragments) + FRAGMENT_PX_COST * sum(found.fragments)
    return Quality(
        edges=_mean([_share(width, EDGE_PX) for width in widths]),
        fit=_mean([_share(shape.fit, FIT) for shape in shapes]),
        purity=_mean([_share(1 - shape.purity, IMPURE) for shape in shapes]),
        fragments=max(0.0, 1 - stray),
        paint=_mean([_share(streaks(found, region), STREAKS) for region in found.regions]),
        paper=min(_share(roughness(found), GRAIN), _share(stain(found), STAIN)),
    )


def roughness(found: Found) -> float:
    """Sd in grey levels of the paper against its own smooth light."""
    paper = found.paper
    if paper.sum() < 50:
        return GRAIN[1]
    weight = ndimage.uniform_filter(paper.astype(np.float32), 7, mode="constant")
    smooth = ndimage.uniform_filter(np.where(paper, found.light, 0), 7, mode="constant") / np.maximum(weight, 1e-3)
    return float((found.light - smooth)[paper].std())


def streaks(found: Found, region: Region) -> float:
    """Sd in grey levels or in chroma, the greater, two pixels and more inside a shape; 0 if it is too narrow."""
    core = ndimage.binary_erosion(region.cover > 0.5, _BLOCK, iterations=2)
    if core.sum() < LEAST_CORE_PX:
        return 0.0
    return max(float(found.light[region.place][core].std()), float(found.chroma[region.place][core].std()))


def stain(found: Found) -> float:
    """Mean chroma of the paper."""
    return float(found.chroma[found.paper].mean()) if found.paper.any() else STAIN[1]


def _share(value: float, span: tuple[float, float]) -> float:
    """1 up to the span's first, 0 from its second on."""
    good, bad = span
    return float(np.clip((bad - value) / (bad - good), 0, 1))


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 1.0
