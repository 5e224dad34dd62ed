"""seams: does the edited region look pasted in?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorers._compare import disc
from scorers._item_scorer import ItemScorer
from selector.domain import Axis, Column, InputError, Item, Score, TaskType, not_applicable
from selector.sight.colour_spaces import luma_of
from selector.sight.registration import changed, registered
from selector.sight.resize import shrink
from selector.weights.bundled import FACE_PACKAGES, TEXT_PACKAGES, weights_tag

Array = np.ndarray[Any, np.dtype[Any]]

WORKING_PX = 1024
SEARCH_PX = 512  # copies are searched at this long side
MOST_SHARE = 0.6  # of the picture; a larger change has no outline worth the name
STEP_LEVELS = 12.0
ACROSS_PX, ALONG_PX = 6, 9
LEAST_NOISE = 0.5  # levels; below this, JPEG and rounding rule
NOISE_RATIO = 0.7  # of the natural logarithm: a factor of two
LEAST_SAMPLE = 64  # pixels that a noise estimate needs
BLOCK_PX, BLOCKS = 24, 8
LIKE = 0.95  # correlation that strokes and windows reach with each other; JPEG leaves copies above it
LEAST_TEXTURE = 5.0  # levels, of the detail; flat blocks match everywhere


class Seams(ItemScorer):
    """seams: does the edited region look pasted in?

    Estimates: three traces of compositing, for the region that *differs* from the registered source; whatever mask a
        generator used is neither known nor trusted.
    - ``boundary_gradient``: the step across the region's outline, in levels over 3 px, averaged over 9 px along the
      outline so that texture cancels out and a seam does not: the smaller of the step of the difference (candidate -
      source) and the excess of the candidate's step over the source's; mean of s / (s + 12).
    - ``noise_mismatch``: |log ratio| of the noise inside to that in a ring around, minus the same log ratio in the
      source (noise: mean response of Immerkaer's operator in the smoothest quarter of the pixels); 1 - exp(-r / 0.7).
    - ``copy_paste``: share of the region's most textured 24 px blocks that the picture repeats elsewhere (normalised
      cross-correlation from 0.95, counted as 0, to 1.0, counted as 1), minus what the source repeats at the same place.
    Range and direction: [0, 1], down. Axis: PQ. Tasks: tie, vttie, deepfake.
    Input: source, candidate.
    Model: none.
    Source: noise inconsistency, Mahdian and Saic 2009; Immerkaer 1996; block matching, Fridrich, Soukal and Lukas 2003.
    Cost: 60 to 110 ms a candidate at 1024 px on one core, plus registration (shared).
    Fails: new letters touch their own outline, so that clean text edits start at 0.4 (compare candidates of one task,
        not tasks), and their strokes repeat each other, so that ``copy_paste`` is unscored for text edits; new content
        with another texture counts as other noise, and fur or foliage hides grain; an edit of the whole picture is
        unscored.

    Example:
        >>> from skimage import data
        >>> from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_scorer
        >>> source, pasted = data.astronaut(), data.astronaut()
        >>> pasted[150:250, 350:450] = data.coffee()[100:200, 200:300]
        >>> task = Task("7", TaskType.TIE, "put a cup of coffee into the scene", "a.jpg", None, 0)
        >>> inputs = TaskInputs(task, Picture(encode_final(source)))
        >>> (scores,) = create_scorer("seams").score([Item(inputs, Picture(encode_final(pasted)))])
        >>> scores["boundary_gradient"].value > 0.4
        True
    """

    name = "seams"
    version: str
    task_types = frozenset({TaskType.TIE, TaskType.VTTIE, TaskType.DEEPFAKE})
    columns = (
        Column("boundary_gradient", 0.0, 1.0, False, Axis.PQ, "hard step along the outline of what was edited"),
        Column("noise_mismatch", 0.0, 1.0, False, Axis.PQ, "other grain inside the edit than around it"),
        Column("copy_paste", 0.0, 1.0, False, Axis.PQ, "edited texture that is repeated elsewhere in the picture"),
    )

    def __init__(self) -> None:
        self.version = f"1-{weights_tag(*FACE_PACKAGES, *TEXT_PACKAGES)}"  # faces and text lines give the edit's region

    def measure(self, item: Item) -> Mapping[str, Score]:
        """Unscored when nothing, or nearly everything, was edited."""
        edit = _edit(item)
        mismatch = noise_mismatch(edit)
        too_small = Score.unscored("the edited region, or what is around it, is too small for a noise estimate")
        letters = Score.not_applicable("strokes of letters repeat each other: a copy cannot be told in a text edit")
        return {
            "boundary_gradient": Score.of(boundary_gradient(edit)),
            "noise_mismatch": too_small if mismatch is None else Score.of(mismatch),
            "copy_paste": letters if item.inputs.task.type is TaskType.VTTIE else Score.of(copy_paste(edit)),
        }


@dataclass(frozen=True)
class Edit:
    """Source and registered candidate at working size, luminance (h, w) float32, and the edited region (h, w) bool."""

    source: Array
    candidate: Array
    region: Array
    valid: Array


def _edit(item: Item) -> Edit:
    """What was edited; raises ``InputError`` when there is nothing to look at."""
    source = item.inputs.source
    if source is None:
        raise InputError(not_applicable("the task has no source to compare with"))
    mask = shrink(changed(source, item.picture), WORKING_PX)
    if not mask.any():
        raise InputError("nothing was edited")
    region = _closed(mask)
    if region.mean() > MOST_SHARE:
        raise InputError("nearly the whole picture was edited: there is no outline")
    moved = registered(source, item.picture)
    before, now = (luma_of(shrink(image, WORKING_PX)) for image in (source.rgb, moved.image))
    return Edit(before, now, region, ~shrink(~moved.valid, WORKING_PX))


def _closed(mask: Array) -> Array:
    """The edit without the gaps between letters or in faint parts: its outline is where a patch would end."""
    import cv2

    gap = disc(round(max(mask.shape) * 0.015))
    pad = gap.shape[0]
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, gap)
    return np.asarray(closed[pad:-pad, pad:-pad] > 0)


def boundary_gradient(edit: Edit) -> float:
    """Visibility of the outline as a step that the source does not have, [0, 1]."""
    import cv2

    contours, _ = cv2.findContours(edit.region.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    depth = cv2.GaussianBlur(_signed_distance(edit.region), (0, 0), 2.0)
    gy, gx = np.gradient(depth)
    planes = (edit.candidate, edit.source, edit.candidate - edit.source)
    now, before, difference = (
        np.concatenate([_steps(plane, gx, gy, contour[:, 0]) for contour in contours]) for plane in planes
    )
    step = np.minimum(difference, np.maximum(now - before, 0.0))  # the edit made it, and it is there to be seen
    return float(np.mean(step / (step + STEP_LEVELS))) if step.size else 0.0


def _signed_distance(region: Array) -> Array:
    import cv2

    inside, outside = (cv2.distanceTransform(m.astype(np.uint8), cv2.DIST_L2, 3) for m in (region, ~region))
    return np.asarray(inside - outside)


def _steps(plane: Array, gx: Array, gy: Array, points: Array) -> Array:
    """Largest step of the plane across the outline at each point (x, y) that is not on the picture's border."""
    import cv2

    height, width = plane.shape
    x, y = points[:, 0], points[:, 1]
    normal = np.stack([gx[y, x], gy[y, x]]) / np.maximum(np.hypot(gx[y, x], gy[y, x]), 1e-3)
    offset = np.arange(-ACROSS_PX, ACROSS_PX + 1)
    across_x = (x[:, None] + normal[0][:, None] * offset).astype(np.float32)
    across_y = (y[:, None] + normal[1][:, None] * offset).astype(np.float32)
    profile = cv2.remap(plane, across_x, across_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profile = cv2.blur(profile, (1, ALONG_PX), borderType=cv2.BORDER_REPLICATE)
    inner = (x > 1) & (y > 1) & (x < width - 2) & (y < height - 2)
    return np.asarray(np.abs(profile[:, 3:] - profile[:, :-3]).max(axis=1)[inner], dtype=np.float64)


def noise_mismatch(edit: Edit) -> float | None:
    """How the noise inside differs from that around, relative to the source, [0, 1]; None for a tiny region."""
    import cv2

    region = edit.region.astype(np.uint8)
    inside = (cv2.erode(region, disc(3)) > 0) & edit.valid
    ring_px = max(12, round(0.25 * np.sqrt(float(region.sum()))))
    ring = (cv2.dilate(region, disc(min(ring_px, 60))) > 0) & (cv2.dilate(region, disc(4)) == 0) & edit.valid
    if min(np.count_nonzero(inside), np.count_nonzero(ring)) < LEAST_SAMPLE:
        return None
    now, before = (_log_noise(p, inside) - _log_noise(p, ring) for p in (edit.candidate, edit.source))
    return float(1.0 - np.exp(-abs(now - before) / NOISE_RATIO))


def _log_noise(plane: Array, where: Array) -> float:
    """Logarithm of the noise in levels: mean of Immerkaer's operator over the smoothest quarter of the pixels."""
    import cv2

    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    response = np.abs(cv2.filter2D(plane, cv2.CV_32F, kernel))[where]
    slope = cv2.morphologyEx(cv2.blur(plane, (3, 3)), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))[where]
    smooth = response[slope <= np.percentile(slope, 25)]
    return float(np.log(np.sqrt(np.pi / 2) * float(smooth.mean()) + LEAST_NOISE))


def copy_paste(edit: Edit) -> float:
    """Share of the edited texture that the picture repeats elsewhere and the source does not, [0, 1]."""
    source, candidate = (_detail(shrink(plane, SEARCH_PX)) for plane in (edit.source, edit.candidate))
    corners = _textured_blocks(candidate, shrink(edit.region, SEARCH_PX))
    found = [(corner, _repetition(candidate, corner)) for corner in corners]
    excess = [max(0.0, value - _repetition(source, corner)) if value > 0 else 0.0 for corner, value in found]
    return float(np.mean(excess)) if excess else 0.0


def _detail(plane: Array) -> Array:
    """Luminance without what is smooth: blurred areas resemble each other and are no copies."""
    import cv2

    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), 3.0))


def _textured_blocks(plane: Array, region: Array) -> list[tuple[int, int]]:
    """Corners (row, column) of blocks inside the region with the most structure in both directions, the best first.

    Structure is the smaller eigenvalue of the gradient tensor (Shi and Tomasi 1994): along a straight edge, every block
    repeats its neighbour.
    """
    import cv2

    half = BLOCK_PX // 2
    structure = cv2.cornerMinEigenVal(plane, BLOCK_PX, 3)
    whole = cv2.erode(region.astype(np.uint8), np.ones((BLOCK_PX, BLOCK_PX), np.uint8)) > 0
    height, width = plane.shape
    centres = [
        (float(-structure[row, column]), row - half, column - half)
        for row in range(half, height - half, half)
        for column in range(half, width - half, half)
        if whole[row, column]
    ]
    return [(row, column) for _, row, column in sorted(centres)[:BLOCKS]]


def _repetition(plane: Array, corner: tuple[int, int]) -> float:
    """How exactly a block is repeated elsewhere: 0 below a correlation of ``LIKE``, 1 for a copy."""
    import cv2

    row, column = corner
    block = plane[row : row + BLOCK_PX, column : column + BLOCK_PX]
    if float(block.std()) <= LEAST_TEXTURE:
        return 0.0
    match = cv2.matchTemplate(plane, np.ascontiguousarray(block), cv2.TM_CCOEFF_NORMED)
    match[max(0, row - BLOCK_PX) : row + BLOCK_PX + 1, max(0, column - BLOCK_PX) : column + BLOCK_PX + 1] = -1.0
    return float(np.clip((float(match.max()) - LIKE) / (1.0 - LIKE), 0.0, 1.0))
