"""Reads a picture of the closed world back and holds it against a scene: the truth that scores are measured by.

Shares no code with any model nor with the renderer. SC, 0 to 10, says whether the picture shows what captions of the
scene say: 10 times the mean credit of the shapes, half of that if the relation is wrong, 0.8 of it on a wrong
background. PQ, 0 to 10, says how well it is painted, whatever it shows (``Quality``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from selector.demo.closed_world.regions import Found, Pixels, Region, at_side, find
from selector.demo.closed_world.scene import Group, Scene
from selector.demo.closed_world.shapes_seen import SeenShape, edge_width, seen_shape

EDGE_PX = (1.2, 5.0)  # mean width of a border: as good as drawn, no border at all
FIT = (0.95, 0.70)  # of the template: as drawn, no shape
IMPURE = (0.02, 0.30)  # share of a region's core in another hue
GRAIN = (4.0, 20.0)  # sd in grey levels of the paper; the renderer's grain has at most 2.5
STREAKS = (5.0, 26.0)  # sd in grey levels, and in chroma, inside a shape; grain and light make up to 3.5
STAIN = (6.0, 30.0)  # chroma of the paper
FRAGMENT_COST, FRAGMENT_PX_COST = 0.15, 0.01  # of the part, for each stray bit and each pixel of it
LEAST_CORE_PX = 6

_BLOCK = ndimage.generate_binary_structure(2, 2)
GREY_FROM, WHITE_FROM = 88.0, 190.0  # grey levels; papers have 34, 142 and 238
WRONG_RELATION, WRONG_BACKGROUND = 0.5, 0.8  # factors of SC
SIZE_WEIGHT = 0.2  # of a shape's credit where captions say the size; colour and shape share the rest
PARTS = ("objects", "colours", "shapes", "sizes", "count", "relation", "background")  # of a ``Truth``
TIE = 1e-5  # for a pixel along the axis: of equally good assignments the one in order


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


@dataclass(frozen=True)
class Seen:
    """A picture in words: its shapes from left to right, its background, areas in pixels of stray bits, its quality."""

    shapes: tuple[SeenShape, ...]
    background: str
    fragments: tuple[int, ...]
    quality: Quality


@dataclass(frozen=True)
class Truth:
    """``sc`` and ``pq`` 0 to 10; ``right``: all that captions say holds and there is no shape too many (sc is 10).

    The parts are shares of the said shapes with that fact right (``objects``: colour, shape and said size), or 0 and 1;
    None where captions do not say it.
    """

    sc: float
    pq: float
    right: bool
    objects: float
    colours: float
    shapes: float
    sizes: float | None
    count: float
    relation: float | None
    background: float | None

    @property
    def overall(self) -> float:
        """VIEScore: the geometric mean of sc and pq."""
        return float(np.sqrt(self.sc * self.pq))


def check(picture: Pixels, scene: Scene) -> Truth:
    """The truth of a square RGB picture, uint8, about a scene. ValueError if it is no such picture."""
    return judged(read(picture), scene)


def read(picture: Pixels) -> Seen:
    """What a square RGB picture, uint8, shows. ValueError if it is no such picture."""
    found = find(at_side(picture))
    shapes = tuple(seen_shape(region) for region in found.regions)
    ordered = tuple(sorted(shapes, key=lambda shape: (shape.x, shape.y)))
    return Seen(ordered, _background(found), found.fragments, quality(found, shapes))


def judged(seen: Seen, scene: Scene) -> Truth:
    """What was seen, held against a scene; one reading serves many scenes."""
    said = [group for group in scene.groups for _ in range(group.count)]
    pairs = _assigned(said, seen.shapes, scene)
    credits = [_credit(said[i], seen.shapes[j], scene.says_size) for i, j in pairs]
    relation = _relation(pairs, seen.shapes, scene)
    background = float(seen.background == scene.background) if scene.says_background else None
    mean = sum(credits) / max(len(said), len(seen.shapes))
    sc = 10 * mean * (WRONG_RELATION if relation == 0 else 1) * (WRONG_BACKGROUND if background == 0 else 1)
    right = len(said) == len(seen.shapes) and min(credits) == 1 and relation != 0 and background != 0
    both = [(said[i], seen.shapes[j]) for i, j in pairs]
    return Truth(
        sc=10.0 if right else min(sc, 9.99),
        pq=seen.quality.pq,
        right=right,
        objects=credits.count(1.0) / len(said),
        colours=sum(group.colour == shape.colour for group, shape in both) / len(said),
        shapes=sum(group.shape == shape.shape for group, shape in both) / len(said),
        sizes=sum(group.size == shape.size for group, shape in both) / len(said) if scene.says_size else None,
        count=float(len(said) == len(seen.shapes)),
        relation=relation,
        background=background,
    )


def _background(found: Found) -> str:
    level = float(np.median(found.light[found.paper])) if found.paper.any() else float(np.median(found.light))
    return "black" if level < GREY_FROM else "grey" if level < WHITE_FROM else "white"


def _credit(group: Group, shape: SeenShape, says_size: bool) -> float:
    """1 exactly if all that is said of a shape holds."""
    facts = [group.colour == shape.colour, group.shape == shape.shape, group.size == shape.size]
    if not says_size:
        return sum(facts[:2]) / 2
    return 1.0 if all(facts) else (1 - SIZE_WEIGHT) * sum(facts[:2]) / 2 + SIZE_WEIGHT * facts[2]


def _assigned(said: list[Group], shapes: tuple[SeenShape, ...], scene: Scene) -> list[tuple[int, int]]:
    """Said shapes and seen ones in pairs, each in one at most, with the greatest credit."""
    if not shapes:
        return []
    worth = np.array([[_credit(group, shape, scene.says_size) for shape in shapes] for group in said])
    along = np.array([_along(shape, scene) for shape in shapes])
    turns = np.array([-1.0 if i < scene.groups[0].count else 1.0 for i in range(len(said))])
    rows, columns = linear_sum_assignment(worth + TIE * turns[:, None] * along[None, :], maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True)]


def _relation(pairs: list[tuple[int, int]], shapes: tuple[SeenShape, ...], scene: Scene) -> float | None:
    """1 if all centres of the first group lie before all of the second, along the axis; 0 if not or one lacks."""
    if len(scene.groups) < 2:
        return None
    n = scene.groups[0].count
    first = [_along(shapes[j], scene) for i, j in pairs if i < n]
    second = [_along(shapes[j], scene) for i, j in pairs if i >= n]
    return float(bool(first) and bool(second) and max(first) < min(second))


def _along(shape: SeenShape, scene: Scene) -> float:
    return shape.x if scene.axis == "x" else shape.y
