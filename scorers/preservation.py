"""preservation: what the instruction did not name is unchanged, and what it named did change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorers._compare import ciede2000, disc, ssim_map, structure_similarity, weighted_mean
from scorers._item_scorer import ItemScorer
from selector.domain import Axis, Column, InputError, Item, Picture, Score, TaskType, not_applicable
from selector.sight.colour_spaces import luma_of
from selector.sight.edit_region import edit_region, named_operations
from selector.sight.registration import changed, register, registered
from selector.sight.resize import resize_rgb, shrink
from selector.weights.bundled import FACE_PACKAGES, TEXT_PACKAGES, weights_tag

Array = np.ndarray[Any, np.dtype[Any]]
Scores = tuple[Score, Score, Score]

WORKING_PX = 512  # a judge sees about as much; and resampling noise is averaged away
COLOUR_PX = 256
FREE_SHARE = 1 / 3  # of the picture, that an edit of unknown extent may change
LEAST_OUTSIDE = 0.02  # of the picture: less says nothing
JUST_VISIBLE = 2.0  # CIEDE2000 after smoothing: what JPEG at quality 75 leaves
CLEARLY_VISIBLE = 6.0


class Preservation(ItemScorer):
    """preservation: what the instruction did not name is unchanged, and what it named did change.

    Estimates: over-editing and (roughly) edit success, the two halves of SC for edits, without a model.
    - ``outside_ssim``: structural similarity (luminance, 7 px windows) outside the named region.
    - ``outside_delta_e``: mean CIEDE2000 colour difference outside the named region, at 256 px.
    - ``edit_visible``: how much the named region changed, 1 - exp(-(d - 2) / 6) of the 90th percentile d of
      CIEDE2000 inside it; 0 is nothing, 0.5 is a clear change.
    Range and direction: [0, 1] up; outside_delta_e [0, 100] down. Axis: SC. Tasks: tie, vttie, deepfake.
    Input: source, instruction, candidate.
    Model and licence: none (scikit-image).
    Source: SSIM, Wang et al. 2004; CIEDE2000, Sharma et al. 2005; the allowances are ours.

    The candidate is registered first, because edit pipelines shift and zoom. The region comes from ``edit_region``.
    When it is unknown, the largest changed area takes its place, free of charge up to a third of the picture: what
    changed beyond counts as damage. Tone edits name everything: then structure is compared, by SSIM of locally
    normalised luminance, and the colour difference is unscored. Flips and quarter turns are done to the source first;
    crops and other turns are unscored.
    Cost: 30 ms a candidate on one core, plus registration (10 to 150 ms, shared) and the region (once a task).
    Fails: an added object when the instruction is not understood is taken for the edit wherever it appears.

    Example:
        >>> from skimage import data
        >>> from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_scorer
        >>> source = Picture(encode_final(data.astronaut()))
        >>> task = Task("7", TaskType.TIE, "make the picture black and white", "a.jpg", None, 0)
        >>> (scores,) = create_scorer("preservation").score([Item(TaskInputs(task, source), source)])
        >>> scores["outside_ssim"].value, scores["edit_visible"].value  # nothing was edited
        (1.0, 0.0)
    """

    name = "preservation"
    version: str
    task_types = frozenset({TaskType.TIE, TaskType.VTTIE, TaskType.DEEPFAKE})
    reads_words = True
    columns = (
        Column("outside_ssim", 0.0, 1.0, True, Axis.SC, "structure kept outside the region that the task names"),
        Column("outside_delta_e", 0.0, 100.0, False, Axis.SC, "mean CIEDE2000 outside the region that the task names"),
        Column("edit_visible", 0.0, 1.0, True, Axis.SC, "how visibly the named region changed; 0 is not at all"),
    )

    def __init__(self) -> None:
        self.version = f"3-{weights_tag(*FACE_PACKAGES, *TEXT_PACKAGES)}"  # faces and text lines give the edit's region

    def measure(self, item: Item) -> Mapping[str, Score]:
        """Regions are found once a task; where that needs a detector or reader that is missing, it is unscored."""
        source = item.inputs.source
        if source is None:
            raise InputError(not_applicable("the task has no source to preserve"))
        if any(operation.scope == "geometry" for operation in named_operations(item.inputs)):
            scores = _after_geometry(item, source)
        else:
            scores = _by_region(source, item.picture, edit_region(item.inputs))
        return dict(zip((column.name for column in self.columns), scores, strict=True))


@dataclass(frozen=True)
class _Pair:
    """Source and registered candidate (h, w, 3) at working size.

    ``inside``: (h, w) bool, the region of the edit. ``weight``: (h, w), 0 to 1, how much a pixel counts as outside.
    """

    source: Array
    candidate: Array
    inside: Array
    weight: Array


def _by_region(source: Picture, candidate: Picture, region: Array | None) -> Scores:
    pair = _pair_of_unknown(source, candidate) if region is None else _pair_of(source, candidate, region)
    visible = Score.of(_visibility(pair.source, pair.candidate, pair.inside))
    nothing_outside = Score.not_applicable("the instruction names the whole picture: nothing is outside")
    if region is not None and region.all():
        seen = _box(pair.inside)
        return Score.of(structure_similarity(pair.source[seen], pair.candidate[seen])), nothing_outside, visible
    if pair.weight.mean() < LEAST_OUTSIDE:
        return nothing_outside, nothing_outside, visible
    return Score.of(_kept_structure(pair)), Score.of(_colour_difference(pair)), visible


def _pair_of(source: Picture, candidate: Picture, region: Array) -> _Pair:
    moved = registered(source, candidate)
    seen = ~shrink(~moved.valid, WORKING_PX)
    inside = shrink(region, WORKING_PX)
    weight = (~inside & seen).astype(np.float32)
    return _Pair(shrink(source.rgb, WORKING_PX), shrink(moved.image, WORKING_PX), inside & seen, weight)


def _pair_of_unknown(source: Picture, candidate: Picture) -> _Pair:
    """The largest change is taken for the edit; what it covers beyond the free share counts as outside, in part."""
    import cv2

    edit = _main_change(shrink(changed(source, candidate), WORKING_PX))
    charged = max(0.0, 1 - FREE_SHARE / max(float(edit.mean()), 1e-9))
    grown = cv2.dilate(edit.astype(np.uint8), disc(round(max(edit.shape) * 0.01))) > 0  # the soft rim is the edit's own
    pair = _pair_of(source, candidate, np.zeros(source.rgb.shape[:2], bool))
    weight = pair.weight * np.where(grown, charged, 1.0)
    return _Pair(pair.source, pair.candidate, edit, weight.astype(np.float32))


def _main_change(mask: Array) -> Array:
    """The largest connected changed area, gaps of up to 3% of the picture closed."""
    import cv2

    gap = disc(round(max(mask.shape) * 0.03))
    count, labels = cv2.connectedComponents(cv2.dilate(mask.astype(np.uint8), gap))
    if count < 2:
        return np.zeros(mask.shape, bool)
    largest = labels == np.argmax(np.bincount(labels[mask], minlength=count))
    closed = cv2.erode(largest.astype(np.uint8), gap, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray((closed > 0) | (mask & largest))


def _after_geometry(item: Item, source: Picture) -> Scores:
    """Flips and quarter turns keep every pixel: the same is done to the source, and then everything must match."""
    expected: Array = source.rgb
    for operation in named_operations(item.inputs):
        turned = _turned(expected, operation.name, operation.params)
        if turned is None:
            raise InputError(
                not_applicable(f"the instruction asks for '{operation.name}': what is kept cannot be told by position")
            )
        expected = turned
    wanted, before = (shrink(np.ascontiguousarray(rgb), WORKING_PX) for rgb in (expected, source.rgb))
    made = shrink(item.picture.rgb, WORKING_PX)
    moved = register(wanted, made)
    pair = _Pair(wanted, moved.image, moved.valid, moved.valid.astype(np.float32))
    visible = _visibility(before, resize_rgb(made, before.shape), np.ones(before.shape[:2], bool))
    return Score.of(_kept_structure(pair)), Score.of(_colour_difference(pair)), Score.of(visible)


def _turned(rgb: Array, name: str, params: Mapping[str, Any]) -> Array | None:
    """The source after an exact operation; None for one that loses or invents pixels."""
    if name == "flip":
        return rgb[::-1] if params.get("axis") == "vertical" else rgb[:, ::-1]
    degrees = float(params.get("degrees", 1.0))
    if name == "rotate" and degrees % 90 == 0 and params.get("certain", True):
        return np.rot90(rgb, k=-round(degrees / 90))  # numpy turns anticlockwise
    return None


def _kept_structure(pair: _Pair) -> float:
    """Weighted mean of SSIM, [0, 1]; below 0 is as bad as 0."""
    value = weighted_mean(ssim_map(luma_of(pair.source), luma_of(pair.candidate)), pair.weight)
    return float(np.clip(value, 0.0, 1.0))


def _colour_difference(pair: _Pair) -> float:
    """Weighted mean of CIEDE2000, [0, 100]."""
    difference = ciede2000(shrink(pair.source, COLOUR_PX), shrink(pair.candidate, COLOUR_PX))
    value = weighted_mean(difference, np.clip(resize_rgb(pair.weight, difference.shape), 0.0, 1.0))
    return float(np.clip(value, 0.0, 100.0))  # the formula may pass 100 for a few saturated pairs


def _visibility(source: Array, candidate: Array, inside: Array) -> float:
    """How visibly the pixels ``inside`` changed, [0, 1]; measured on the region's own crop, which small texts need."""
    import cv2

    if not inside.any():
        return 0.0
    crop = _box(inside)
    before, now = (shrink(cv2.GaussianBlur(rgb[crop], (0, 0), 1.5), COLOUR_PX) for rgb in (source, candidate))
    changed = np.percentile(ciede2000(before, now)[shrink(inside[crop], COLOUR_PX)], 90)
    return float(1.0 - np.exp(-max(0.0, float(changed) - JUST_VISIBLE) / CLEARLY_VISIBLE))


def _box(mask: Array) -> tuple[slice, slice]:
    """Rows and columns of the smallest upright box around a mask (h, w) that is not empty."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
