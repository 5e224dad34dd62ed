"""Which pixels of a text box are ink, what colour the ink is, and how much of it each pixel holds.

The box is split into ink and ground by two-means on colour: on re-reading that beat Otsu's threshold, 11 signs of 12
against 9. The cluster that is rarer along the upper and lower edge of the box is the ink. Fails on ink of several
colours and on ground that changes inside the box as much as ink and ground differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.text_fill import smooth_ground

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
MASKS = ("kmeans", "background", "box")
_LEAST_DIFFERENCE = 14.0  # 8-bit levels: what differs less from the ground is its grain


@dataclass(frozen=True)
class Ink:
    """Ink of one text span, in a crop of the picture.

    ``mask`` bool (H, W); ``hole`` bool (H, W), the mask grown over its soft edge, to be filled; ``alpha`` (H, W), 0 to 1,
    the share of ink in each pixel; ``colour`` (3,) 0 to 255; ``ground`` (H, W, 3), the smooth ground under the ink;
    ``avoid`` bool (H, W), other ink that stays.
    """

    mask: Mask
    hole: Mask
    alpha: Floats
    colour: Floats
    ground: Floats
    avoid: Mask


def find_ink(crop: Floats, line_box: Floats, span_box: Floats, others: Mask, method: str) -> Ink | None:
    """Ink of the span inside ``crop`` (H, W, 3), boxes (4, 2) in px of the crop; None when there is no contrast.

    ``others`` bool (H, W): the boxes of other lines, which are neither ink of this text nor ground.

    ``method``: "kmeans" takes the ink alone; "background" everything that differs from the ground, outlines and shadows
    too; "box" makes a hole of the whole box.
    """
    height = _side(span_box)
    region = polygon(grown(line_box, 0.3 * height, 0.12 * height), crop.shape[:2])
    span = polygon(grown(span_box, 0.25 * height, 0.12 * height), crop.shape[:2])
    others = others & ~polygon(grown(line_box, 0.0, 0.02 * height), crop.shape[:2])
    ink = _two_means(crop, region & ~others, _edge(line_box, height, crop.shape[:2]) & ~others)
    if ink is None:
        return None
    whole = line_box is span_box or np.allclose(line_box, span_box)
    mask = _clean(ink if whole else _belonging(ink, span_box), height)
    if mask.sum() < 8:
        return None
    grow = max(1, round(0.04 * height)) + 1
    hole = _grow(mask, grow)
    avoid = (_grow(ink & ~mask, grow) & ~mask) | others
    if method == "background":
        unlike = _unlike_ground(crop, span, _grow(ink, grow) | others)
        hole |= _grow(unlike & _grow(mask, round(0.2 * height) + 2), 1)
    if method == "box":
        hole |= span
    hole &= ~avoid | mask
    ground = smooth_ground(crop, hole | avoid)
    colour = _ink_colour(crop, ground, mask)
    alpha = np.where(_grow(mask, 2), _share(crop, ground, colour), 0.0)
    return Ink(mask, hole, alpha, colour, ground, avoid & ~hole)


def polygon(box: Floats, shape: tuple[int, ...]) -> Mask:
    """Filled quad as a mask of ``shape``."""
    import cv2

    canvas = np.zeros(shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(canvas, np.round(box).astype(np.int32), 1)
    return canvas.astype(bool)


def grown(box: Floats, along_px: float, across_px: float) -> Floats:
    """The quad moved outwards along and across its reading direction."""
    right = _unit(box[1] - box[0] + box[2] - box[3])
    down = _unit(box[3] - box[0] + box[2] - box[1])
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float64)
    return np.asarray(box + signs[:, :1] * right * along_px + signs[:, 1:] * down * across_px)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


def _side(box: Floats) -> float:
    return float(np.linalg.norm(box[3] - box[0]) + np.linalg.norm(box[2] - box[1])) / 2.0


def _edge(box: Floats, height: float, shape: tuple[int, ...]) -> Mask:
    """Strips just above and below the line: nearly all ground."""
    outer, inner = grown(box, 0.0, 0.14 * height), grown(box, height, 0.02 * height)
    return np.asarray(polygon(outer, shape) & ~polygon(inner, shape))


def _two_means(crop: Floats, region: Mask, edge: Mask) -> Mask | None:
    """Ink inside the region, by Lloyd's algorithm from two starts that do not depend on chance."""
    pixels = crop[region]
    ground = np.median(crop[edge], axis=0) if edge.any() else np.median(pixels, axis=0)
    distance = np.linalg.norm(pixels - ground, axis=1)
    far = distance >= np.quantile(distance, 0.95)
    centres = np.stack([ground, np.median(pixels[far], axis=0)])
    if np.linalg.norm(centres[1] - centres[0]) < _LEAST_DIFFERENCE:
        return None
    for _ in range(12):
        nearest = np.argmin(np.linalg.norm(pixels[:, None] - centres[None], axis=2), axis=1)
        if nearest.min() == nearest.max():
            return None
        centres = np.stack([pixels[nearest == k].mean(axis=0) for k in (0, 1)])
    labels = np.zeros(region.shape, dtype=np.int8)
    labels[region] = np.where(nearest == 1, 1, -1)
    on_edge = labels[edge & region]
    ink_label = 1 if on_edge.size == 0 or (on_edge == 1).mean() <= 0.5 else -1
    return np.asarray(labels == ink_label)


def _belonging(ink: Mask, span_box: Floats) -> Mask:
    """Pieces of ink whose middle lies in the span; a piece that runs on into the next word is cut at the box."""
    import cv2

    right = _unit(span_box[1] - span_box[0])
    start, end = float(span_box[0] @ right), float(span_box[1] @ right)
    count, labels, _, middles = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    inside = (middles @ right >= start) & (middles @ right <= end)
    inside[0] = False
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    along = x * right[0] + y * right[1]
    reach = 0.35 * _side(span_box)
    near = (along >= start - reach) & (along <= end + reach)
    kept = inside[labels] & near
    crossing = ~inside[labels] & (labels > 0) & (along > start) & (along < end)
    wide = np.bincount(labels[crossing], minlength=count) > 0.5 * np.bincount(labels.ravel(), minlength=count)
    return np.asarray(kept | (crossing & wide[labels]))


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
    limit = max(_LEAST_DIFFERENCE, 3.0 * float(np.median(usual)) if usual.size else 0.0)
    return np.asarray(span & (error > limit))


def _grow(mask: Mask, radius_px: int) -> Mask:
    import cv2

    kernel: Any = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel).astype(bool))


def _ink_colour(crop: Floats, ground: Floats, mask: Mask) -> Floats:
    """Median of the strokes' core; of their most contrasting third where strokes are too thin to have a core."""
    import cv2

    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    if core.sum() >= 0.3 * mask.sum():
        return np.asarray(np.median(crop[core], axis=0))
    contrast = np.linalg.norm(crop - ground, axis=2)[mask]
    most = contrast >= np.quantile(contrast, 0.7)
    return np.asarray(np.median(crop[mask][most], axis=0))


def _share(crop: Floats, ground: Floats, colour: Floats) -> Floats:
    """Share of ink in each pixel: its place on the way from the ground's colour to the ink's."""
    way = colour - ground
    length = np.maximum((way**2).sum(axis=2), _LEAST_DIFFERENCE**2)
    return np.asarray(np.clip(((crop - ground) * way).sum(axis=2) / length, 0.0, 1.0))
