"""Boxes of text, quads (4, 2) px clockwise from the text's own top left, and the ink in them.

A box is split into ink and ground by two-means on colour: on re-reading, that beat Otsu's threshold (11 signs of 12
against 9). The cluster that is rarer along the upper and lower edge of the line is the ink. Boxes of neighbouring lines
overlap, so pieces of ink go to the line or span whose middle they lie nearest to, and not to the box that holds them;
pieces that run far out of the line are no letters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_REACH = 0.68  # heights from the middle of a line that its letters stay within
_MOST_OUTSIDE = 0.2  # share of a piece beyond that: things in the scene of the ink's colour run on
LEAST_DIFFERENCE = 14.0  # 8-bit levels: what differs less from the ground is its grain


def polygon(box: Floats, shape: tuple[int, ...]) -> Mask:
    """Filled quad as a mask of ``shape``."""
    import cv2

    canvas = np.zeros(shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(canvas, np.round(box).astype(np.int32), 1)
    return canvas.astype(bool)


def grown(box: Floats, along_px: float, across_px: float) -> Floats:
    """The quad moved outwards along and across its reading direction."""
    right = unit(box[1] - box[0] + box[2] - box[3])
    down = unit(box[3] - box[0] + box[2] - box[1])
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float64)
    return np.asarray(box + signs[:, :1] * right * along_px + signs[:, 1:] * down * across_px)


def unit(vector: Floats) -> Floats:
    """The vector at length 1; zero stays zero."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


def height_px(box: Floats) -> float:
    """Mean length of the two sides that cross the direction of reading."""
    return float(np.linalg.norm(box[3] - box[0]) + np.linalg.norm(box[2] - box[1])) / 2.0


def two_means(crop: Floats, sample: Mask, reach: Mask, edge: Mask) -> Mask | None:
    """Ink within ``reach``, by two-means on the sample: on colours, or on colours less the local median where shading
    makes that the cleaner split."""
    import cv2

    size = 2 * int(0.75 * np.sqrt(sample.sum() / max(1.0, _length_ratio(sample)))) + 1
    rounded = np.clip(crop + 0.5, 0, 255).astype(np.uint8)
    local = cv2.medianBlur(rounded, int(np.clip(size, 5, 255)) | 1).astype(np.float64)
    splits = [_split(values, sample, reach, edge) for values in (crop, crop - local)]
    found = [split for split in splits if split is not None]
    return max(found, key=lambda split: split[0])[1] if found else None


def _length_ratio(sample: Mask) -> float:
    """Length over height of a line's area, from its second moments."""
    y, x = np.nonzero(sample)
    spread = np.sort(np.linalg.eigvalsh(np.cov(np.stack([x, y]))))
    return float(np.sqrt(spread[1] / max(spread[0], 1e-9)))


def _split(values: Floats, sample: Mask, reach: Mask, edge: Mask) -> tuple[float, Mask] | None:
    """(distance of the two means in units of their spread, ink) by Lloyd's algorithm from a start without chance."""
    pixels = values[sample]
    ground = np.median(values[edge], axis=0) if edge.any() else np.median(pixels, axis=0)
    distance = np.linalg.norm(pixels - ground, axis=1)
    centres = np.stack([ground, np.median(pixels[distance >= np.quantile(distance, 0.95)], axis=0)])
    if np.linalg.norm(centres[1] - centres[0]) < LEAST_DIFFERENCE:
        return None
    for _ in range(12):
        nearest = _nearest(pixels, centres)
        if nearest.min() == nearest.max():
            return None
        centres = np.stack([pixels[nearest == k].mean(axis=0) for k in (0, 1)])
    spread = float(np.sqrt(((pixels - centres[nearest]) ** 2).sum(axis=1).mean()))
    labels = np.full(sample.shape, -1, dtype=np.int8)
    labels[reach] = _nearest(values[reach], centres)
    on_edge = labels[edge & reach]
    ink_label = 1 if on_edge.size == 0 or (on_edge == 1).mean() <= 0.5 else 0
    return float(np.linalg.norm(centres[1] - centres[0])) / max(spread, 1e-9), np.asarray(labels == ink_label)


def _nearest(pixels: Floats, centres: Floats) -> NDArray[np.int64]:
    """0 or 1 for each pixel (n, 3): on which side of the plane between the two centres it lies."""
    way = centres[1] - centres[0]
    return np.asarray(pixels @ way > way @ (centres[0] + centres[1]) / 2.0, dtype=np.int64)


def ink_of_line(ink: Mask, lines: Sequence[Floats], own: int) -> Mask:
    """Pieces of ink that lie nearer to the middle of their own line than to that of another one: boxes overlap."""
    import cv2

    count, labels, _, middles = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    distances = np.stack([_from_axis(middles, box) for box in lines])
    inside = (np.argmin(distances, axis=0) == own) & (distances[own] < 0.75)
    y, x = np.nonzero(ink)
    far = _from_axis(np.stack([x, y], axis=1).astype(np.float64), lines[own]) > _REACH
    pieces = labels[y, x]
    outside = np.bincount(pieces, far, minlength=count) / np.bincount(pieces, minlength=count).clip(1)
    letters = inside & (outside < _MOST_OUTSIDE)
    letters[0] = inside[0] = False
    return np.asarray((letters if letters.any() else inside)[labels])


def _from_axis(points: Floats, box: Floats) -> Floats:
    """Distance (n,) of points from the middle line of a quad, in heights of the quad; far beyond its ends, infinite."""
    start, end = (box[0] + box[3]) / 2.0, (box[1] + box[2]) / 2.0
    along = unit(end - start)
    across = np.array([-along[1], along[0]])
    height, position = max(height_px(box), 1e-9), (points - start) @ along
    beyond = (position < -0.6 * height) | (position > float(np.linalg.norm(end - start)) + 0.6 * height)
    offset = (points - start) @ across / height
    # what stands alone between two lines is more often a dot of the lower one than a mark of the upper one
    return np.asarray(np.where(beyond, np.inf, np.where(offset > 0, 1.15 * offset, -offset)))


def ink_of_span(ink: Mask, span_box: Floats) -> Mask:
    """Pieces of ink whose middle lies in the span; a piece that runs on into the next word is cut at the box."""
    import cv2

    right = unit(span_box[1] - span_box[0])
    start, end = float(span_box[0] @ right), float(span_box[1] @ right)
    count, labels, _, middles = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    inside = (middles @ right >= start) & (middles @ right <= end)
    inside[0] = False
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    along = x * right[0] + y * right[1]
    reach = 0.35 * height_px(span_box)
    near = (along >= start - reach) & (along <= end + reach)
    kept = inside[labels] & near
    crossing = ~inside[labels] & (labels > 0) & (along > start) & (along < end)
    wide = np.bincount(labels[crossing], minlength=count) > 0.5 * np.bincount(labels.ravel(), minlength=count)
    return np.asarray(kept | (crossing & wide[labels]))


def line_edge(box: Floats, height: float, shape: tuple[int, ...]) -> Mask:
    """Strips just above and below the line: nearly all ground."""
    outer, inner = grown(box, 0.0, 0.14 * height), grown(box, height, 0.02 * height)
    return np.asarray(polygon(outer, shape) & ~polygon(inner, shape))


def ink_colour(crop: Floats, ground: Floats, mask: Mask) -> Floats:
    """Median of the strokes' core; of their most contrasting third where strokes are too thin to have a core."""
    import cv2

    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    if core.sum() >= 0.3 * mask.sum():
        return np.asarray(np.median(crop[core], axis=0))
    contrast = np.linalg.norm(crop - ground, axis=2)[mask]
    most = contrast >= np.quantile(contrast, 0.7)
    return np.asarray(np.median(crop[mask][most], axis=0))


def ink_share(crop: Floats, ground: Floats, colour: Floats) -> Floats:
    """Share of ink in each pixel: its place on the way from the ground's colour to the ink's."""
    way = colour - ground
    length = np.maximum((way**2).sum(axis=2), LEAST_DIFFERENCE**2)
    return np.asarray(np.clip(((crop - ground) * way).sum(axis=2) / length, 0.0, 1.0))
