"""gate: is the candidate a usable picture at all, and did anything happen to it?

Estimates: ``usable`` 0 or 1: it can be decoded, has 64 px a side or more, is not black, not of one colour, not half
missing, and an edit has its source's proportions (5%) unless the instruction turns or crops. ``differs`` 0 or 1: for
edits, something visible differs from the source after resizing and registration; a small text in a large picture does.
Range and direction: {0, 1}, up. Axis: GATE. Tasks: all (``differs`` is unscored without a source).
Input: the candidate's bytes, the source, the instruction. Model and licence: none. Source: own rules.
Cost: about 10 ms for ``usable``; ``differs`` shares its registration with the other scorers (30 to 150 ms).
Fails: a picture that is meant to be one colour is refused; a change of fewer than about 9 px is not seen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from selector.domain import Axis, BestshotError, Column, InputError, Item, Picture, Score, TaskInputs, TaskType

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_SIDE_PX = 64
ASPECT_TOLERANCE = 0.05
BLACK_LEVELS = 12  # 99% of a black picture is below this
ONE_COLOUR_SHARE = 0.998  # of the pixels within 6 levels of one colour; a line of text covers more than the rest
MISSING_SHARE = 0.1  # height of the band of one exact mid grey that decoders leave where data are missing
TONE_LEVELS = 1.0  # mean difference after averaging JPEG noise away
_GEOMETRY = re.compile(r"crop|rotat|zoom|expand|outpaint|widen|uncrop|裁|旋转|扩展|扩图|放大|缩小", re.IGNORECASE)


class Gate:
    """Scorer; the module's docstring holds the facts."""

    name = "gate"
    version = "1"
    task_types = frozenset(TaskType)
    columns = (
        Column("usable", 0.0, 1.0, True, Axis.GATE, "1 when it is a complete, non-trivial picture of the right shape"),
        Column("differs", 0.0, 1.0, True, Axis.GATE, "1 when something visible differs from the source"),
    )

    def check(self) -> None:
        """Nothing optional is needed."""

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """``usable`` is a value also for a damaged picture: 0."""
        return [{"usable": _usable(item), "differs": _differs(item)} for item in items]


def fault(picture: Picture) -> str | None:
    """Why the picture is unusable whatever the task is, in a few words; None when it is not."""
    try:
        if min(picture.size) < LEAST_SIDE_PX:
            return f"tiny: {picture.size[0]} x {picture.size[1]} px"
        rgb = picture.rgb
    except InputError as error:
        return str(error)
    if np.percentile(rgb[::2, ::2].max(axis=2), 99) < BLACK_LEVELS:
        return "black"
    if one_colour_share(rgb) >= ONE_COLOUR_SHARE:
        return "of one colour"
    return "truncated: a grey band at the bottom" if _bottom_is_missing(rgb) else None


def one_colour_share(rgb: Array) -> float:
    """Share of the pixels within 6 levels of the picture's median colour."""
    median = np.median(rgb[::2, ::2].reshape(-1, 3), axis=0).astype(np.int16)
    return float(np.mean(np.abs(rgb.astype(np.int16) - median).max(axis=2) <= 6))


def _bottom_is_missing(rgb: Array) -> bool:
    rows = max(1, round(rgb.shape[0] * MISSING_SHARE))
    band = rgb[-rows:]
    return bool(np.ptp(band) == 0 and abs(int(band[0, 0, 0]) - 128) <= 1)


def _usable(item: Item) -> Score:
    if fault(item.picture) is None and not _wrong_shape(item):
        return Score.of(1.0)
    return Score.of(0.0)


def _wrong_shape(item: Item) -> bool:
    source = item.inputs.source
    if source is None or item.inputs.task.type is TaskType.T2I or _turns_or_crops(item.inputs):
        return False
    try:
        (width, height), (source_width, source_height) = item.picture.size, source.size
    except InputError:
        return False  # an unreadable source is no fault of the candidate
    return abs(math.log(width / height * source_height / source_width)) > math.log1p(ASPECT_TOLERANCE)


def _turns_or_crops(inputs: TaskInputs) -> bool:
    """By the parser, and by words where it declines: a needless 0 costs a good candidate, a missed one little."""
    from selector.perception.edit_region import named_operations

    if inputs.task.type is not TaskType.TIE:
        return False
    return any(op.scope == "geometry" for op in named_operations(inputs)) or bool(_GEOMETRY.search(inputs.task.prompt))


def _differs(item: Item) -> Score:
    from selector.perception.registration import changed

    source = item.inputs.source
    if item.inputs.task.type is TaskType.T2I or source is None:
        return Score.unscored("there is no source to differ from")
    try:
        if source.id == item.picture.id:
            return Score.of(0.0)
        return Score.of(float(changed(source, item.picture).any() or _tone_shift(source, item.picture) > TONE_LEVELS))
    except BestshotError as error:
        return Score.unscored(str(error))


def _tone_shift(source: Picture, candidate: Picture) -> float:
    """Mean difference in levels of pictures shrunk to 64 px: a faint change of tone counts, JPEG noise does not."""
    from selector.perception.registration import registered
    from selector.perception.resize import shrink

    now, before = registered(source, candidate).image, source.rgb
    return float(np.abs(shrink(now, 64).astype(np.float32) - shrink(before, 64).astype(np.float32)).mean())
