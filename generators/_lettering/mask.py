"""The ink of a text: which pixels hold it, how much of it each one holds, its colour, and the hole that it leaves.

Fails on ink of several colours and on ground that changes inside the box as much as ink and ground differ.

An outline of another colour around letters, as posters have it, is found too, so that it can be erased and drawn again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generators._lettering.fill import smooth_ground
from generators._lettering.halo import Halo, find_halo
from selector.sight.text_boxes import (
    LEAST_DIFFERENCE,
    Floats,
    Mask,
    grown,
    height_px,
    ink_colour,
    ink_of_line,
    ink_of_span,
    ink_share,
    line_edge,
    polygon,
    two_means,
)

_FIRST_PX, _LAST_PX = 1.2, 2.5  # distance from the ink where an outline shows and the soft edge of plain ink is over
_DIFFERENT = 30.0  # 8-bit levels (Euclidean) off the colours that a soft edge runs through
_SURROUNDED = 0.75
_MOST_HEIGHTS = 0.15  # thickest outline, in heights of the line


@dataclass(frozen=True)
class Ink:
    """Ink of one text span, in a crop of the picture.

    ``mask`` bool (H, W); ``hole`` bool (H, W), the mask grown over its soft edge, to be filled; ``alpha`` (H, W), 0 to
    1, the share of ink in each pixel; ``colour`` (3,) 0 to 255; ``ground`` (H, W, 3), the smooth ground under the ink;
    ``avoid`` bool (H, W), other ink that stays; ``outline`` and ``halo`` of the letters, if they have one.
    """

    mask: Mask
    hole: Mask
    alpha: Floats
    colour: Floats
    ground: Floats
    avoid: Mask
    outline: Outline | None
    halo: Halo | None


def find_ink(
    crop: Floats, lines: Sequence[Floats], own: int, span_box: Floats, method: str, outside: Mask | None = None
) -> Ink | None:
    """Ink of the span inside ``crop`` (H, W, 3); None when there is no contrast.

    ``lines`` are the quads (4, 2) px of all text lines in px of the crop, ``own`` the span's line among them: ink of
    the others stays. ``method``: "kmeans" takes the ink alone; "background" everything that differs from the
    ground about the letters; "box" makes a hole of the whole box. ``outside`` (H, W) is beyond the border of what bears
    the line: nothing is learned from it.
    """
    shape, height = crop.shape[:2], height_px(span_box)
    sample = polygon(grown(lines[own], 0.3 * height, 0.06 * height), shape)
    reach = polygon(grown(lines[own], 0.5 * height, 0.35 * height), shape)  # descenders run out of the box
    ink = two_means(crop, sample, reach, line_edge(lines[own], height, shape))
    if ink is None:
        return None
    line_ink = ink_of_line(ink, lines, own)
    whole = np.allclose(lines[own], span_box)
    mask = _clean(line_ink if whole else ink_of_span(line_ink, span_box), height)
    if mask.sum() < 8:
        return None
    beyond = np.zeros(shape, dtype=bool) if outside is None else outside & ~_grow(mask, 2)
    near = reach & polygon(grown(span_box, 0.2 * height, 0.2 * height), shape) & ~beyond
    first, mask = mask, _on_top(crop, mask, near, beyond, height)
    others = np.zeros(shape, dtype=bool)
    for index, box in enumerate(lines):
        if index != own:
            others |= polygon(grown(box, 2.0, 1.0), shape)
    return _with_hole(crop, mask, ink & ~mask & ~first, (others & ~sample) | beyond, span_box, method)


def _on_top(crop: Floats, ink: Mask, reach: Mask, beyond: Mask, height: float) -> Mask:
    """The letters, where ``ink`` is only their shadow, glow or outline and they are beside it, of another colour.

    Of two inks the one that the other surrounds is the letters; else the larger one: shadows are seen in part.
    """
    import cv2

    near = _grow(ink, max(2, round(0.12 * height)))
    ground = smooth_ground(crop, _grow(near, max(3, round(0.1 * height))) | beyond)
    error = np.linalg.norm(crop - ground, axis=2)
    around = reach & ~_grow(near, 3)
    if not around.any() or np.quantile(error[around], 0.8) > LEAST_DIFFERENCE:
        return ink  # textured ground holds such things everywhere
    share = ink_share(crop, ground, ink_colour(crop, ground, ink))
    other = _clean((error > 2.0 * LEAST_DIFFERENCE) & (share < 0.25) & reach, height)
    _, labels = cv2.connectedComponents(other.astype(np.uint8), connectivity=8)
    touching = np.unique(labels[_grow(ink, 2)])
    letters = np.isin(labels, touching[touching > 0])
    if _surrounded(ink, letters):
        return ink
    return letters if _surrounded(letters, ink) or letters.sum() > ink.sum() else ink


def _surrounded(inner: Mask, outer: Mask) -> bool:
    """Whether nearly all of the inner ink's rim is the outer ink."""
    rim = _grow(inner, 2) & ~_grow(inner, 1)
    return bool(rim.any() and _grow(outer, 1)[rim].mean() > _SURROUNDED)


def _with_hole(crop: Floats, mask: Mask, other_ink: Mask, others: Mask, span_box: Floats, method: str) -> Ink:
    """Grow the ink to the hole that its soft edges need, and measure the ink against the ground around it."""
    height = height_px(span_box)
    grow = max(1, round(0.04 * height)) + 1
    span = polygon(grown(span_box, 0.1 * height, 0.04 * height), crop.shape[:2])
    avoid = (_grow(other_ink, grow + 1) & ~_grow(mask, 1)) | others
    outline = find_outline(crop, mask, avoid, np.median(crop[mask], axis=0), height)
    hole = _grow(mask, grow if outline is None else grow + int(np.ceil(outline.width_px)))
    if method == "background":
        known = ~(span | hole | avoid)
        error = np.linalg.norm(crop - smooth_ground(crop, ~known), axis=2)
        limit = max(LEAST_DIFFERENCE, 3.0 * float(np.median(error[known])) if known.any() else 0.0)
        hole |= _grow(span & (error > limit) & _grow(mask, round(0.2 * height) + 2), 1)
    if method == "box":
        hole |= span
    hole &= ~avoid
    around, halo = find_halo(crop, hole, avoid, height)
    hole |= around
    ground = smooth_ground(crop, hole | avoid)
    colour = ink_colour(crop, ground, mask)
    alpha = np.where(_grow(mask, 2) & ~avoid, ink_share(crop, ground, colour), 0.0)
    return Ink(mask, hole, alpha, colour, ground, avoid, outline, halo)


def _clean(mask: Mask, height: float) -> Mask:
    """Without specks that are too small to be a dot of the writing."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= max(2.0, (0.035 * height) ** 2)
    large[0] = False
    return np.asarray(large[labels])


def _grow(mask: Mask, radius_px: int) -> Mask:
    import cv2

    kernel: Any = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel).astype(bool))


@dataclass(frozen=True)
class Outline:
    """Width in px of the picture, measured from the ink outwards, and colour (3,), 0 to 255."""

    width_px: float
    colour: Floats


def find_outline(crop: Floats, mask: Mask, avoid: Mask, ink_colour: Floats, height_px: float) -> Outline | None:
    """The outline of the ink ``mask`` in ``crop`` (H, W, 3); None when the ink borders on the ground itself."""
    import cv2

    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    most = max(3.0, _MOST_HEIGHTS * height_px)
    ring = (away > _FIRST_PX) & (away <= _LAST_PX) & ~avoid
    if ring.sum() < 30:
        return None
    ground = smooth_ground(crop, (away <= most + 2.0) | avoid)
    colour = np.median(crop[ring], axis=0)
    under = np.median(ground[ring], axis=0)
    if _off_the_way(colour, under, ink_colour) < _DIFFERENT:
        return None
    near = np.linalg.norm(crop - colour, axis=2) < np.linalg.norm(crop - ground, axis=2)
    width = 0.0
    for distance in np.arange(2.0, most + 1.0):
        here = (np.abs(away - distance) <= 0.5) & ~avoid
        if not here.any() or near[here].mean() < 0.6:
            break
        width = float(distance)
    return Outline(width, np.asarray(colour)) if width else None


def _off_the_way(colour: Floats, ground: Floats, ink: Floats) -> float:
    """Distance of a colour from the straight way between ground and ink, where soft edges lie."""
    way = ink - ground
    share = float(np.clip((colour - ground) @ way / max(float(way @ way), 1e-9), 0.0, 1.0))
    return float(np.linalg.norm(colour - ground - share * way))
