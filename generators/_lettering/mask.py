"""The ink of a text: which pixels hold it, how much of it each one holds, its colour, and the hole that it leaves.

Fails on ink of several colours and on ground that changes inside the box as much as ink and ground differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generators._lettering.fill import smooth_ground
from generators._lettering.outline import Outline, find_outline
from selector.sight.text_boxes import Floats, Mask, grown, height_px, polygon
from selector.sight.text_clusters import (
    LEAST_DIFFERENCE,
    ink_colour,
    ink_of_line,
    ink_of_span,
    ink_share,
    line_edge,
    two_means,
)


@dataclass(frozen=True)
class Ink:
    """Ink of one text span, in a crop of the picture.

    ``mask`` bool (H, W); ``hole`` bool (H, W), the mask grown over its soft edge, to be filled; ``alpha`` (H, W), 0 to
    1, the share of ink in each pixel; ``colour`` (3,) 0 to 255; ``ground`` (H, W, 3), the smooth ground under the ink;
    ``avoid`` bool (H, W), other ink that stays; ``outline`` of the letters, if they have one.
    """

    mask: Mask
    hole: Mask
    alpha: Floats
    colour: Floats
    ground: Floats
    avoid: Mask
    outline: Outline | None


def find_ink(crop: Floats, lines: Sequence[Floats], own: int, span_box: Floats, method: str) -> Ink | None:
    """Ink of the span inside ``crop`` (H, W, 3); None when there is no contrast.

    ``lines`` are the quads (4, 2) px of all text lines in px of the crop, ``own`` the span's line among them: ink of
    the others stays. ``method``: "kmeans" takes the ink alone; "background" everything that differs from the
    ground, with outlines and shadows; "box" makes a hole of the whole box.
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
    return _with_hole(crop, mask, ink & ~mask, _boxes_of_others(lines, own, shape) & ~sample, span_box, method)


def _with_hole(crop: Floats, mask: Mask, other_ink: Mask, others: Mask, span_box: Floats, method: str) -> Ink:
    """Grow the ink to the hole that its soft edges need, and measure the ink against the ground around it."""
    height = height_px(span_box)
    grow = max(1, round(0.04 * height)) + 1
    span = polygon(grown(span_box, 0.1 * height, 0.04 * height), crop.shape[:2])
    avoid = (_grow(other_ink, grow + 1) & ~_grow(mask, 1)) | others
    outline = find_outline(crop, mask, avoid, np.median(crop[mask], axis=0), height)
    hole = _grow(mask, grow if outline is None else grow + int(np.ceil(outline.width_px)))
    if method == "background":
        unlike = _unlike_ground(crop, span, hole | avoid)
        hole |= _grow(unlike & _grow(mask, round(0.2 * height) + 2), 1)
    if method == "box":
        hole |= span
    hole &= ~avoid
    ground = smooth_ground(crop, hole | avoid)
    colour = ink_colour(crop, ground, mask)
    alpha = np.where(_grow(mask, 2) & ~avoid, ink_share(crop, ground, colour), 0.0)
    return Ink(mask, hole, alpha, colour, ground, avoid, outline)


def _clean(mask: Mask, height: float) -> Mask:
    """Without specks that are too small to be a dot of the writing."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= max(2.0, (0.035 * height) ** 2)
    large[0] = False
    return np.asarray(large[labels])


def _unlike_ground(crop: Floats, span: Mask, ink: Mask) -> Mask:
    """Pixels of the span that the smooth ground around it does not explain."""
    ground = smooth_ground(crop, span | ink)
    error = np.linalg.norm(crop - ground, axis=2)
    usual = error[~(span | ink)]
    limit = max(LEAST_DIFFERENCE, 3.0 * float(np.median(usual)) if usual.size else 0.0)
    return np.asarray(span & (error > limit))


def _boxes_of_others(lines: Sequence[Floats], own: int, shape: tuple[int, ...]) -> Mask:
    covered = np.zeros(shape[:2], dtype=bool)
    for index, box in enumerate(lines):
        if index != own:
            covered |= polygon(grown(box, 2.0, 1.0), shape)
    return covered


def _grow(mask: Mask, radius_px: int) -> Mask:
    import cv2

    kernel: Any = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel).astype(bool))
