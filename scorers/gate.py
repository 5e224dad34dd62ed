"""gate: is the candidate a usable picture at all, and did anything happen to it?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scorers._item_scorer import ItemScorer
from selector.domain import (
    Axis,
    BestshotError,
    Column,
    InputError,
    Item,
    Picture,
    Score,
    TaskInputs,
    TaskType,
    raise_shortage,
    reason_of,
)
from selector.sight.edit_region import named_operations
from selector.sight.registration import Registered, changed, changed_mask, registered
from selector.sight.resize import resize_rgb, same_aspect, shrink

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_SIDE_PX = 64
BLACK_LEVELS = 12  # 99% of a black picture is below this
ONE_COLOUR_SHARE = 0.998  # of the pixels within 6 levels of one colour; a line of text covers more than the rest
MISSING_SHARE = 0.1  # height of the band of one exact mid grey that decoders leave where data are missing
TONE_LEVELS = 1.0  # mean difference after averaging JPEG noise away
_GEOMETRY = re.compile(r"crop|rotat|zoom|expand|outpaint|widen|uncrop|裁|旋转|扩展|扩图|放大|缩小", re.IGNORECASE)


def _gate(name: str, must: str) -> Column:
    """``must`` completes the sentence "gate.name is 0 (...)"."""
    return Column(name, 0.0, 1.0, True, Axis.GATE, must)


class Gate(ItemScorer):
    """gate: is the candidate a usable picture at all, and did anything happen to it?

    Estimates five things, 0 or 1 each, so that a rejected candidate says what is wrong with it.
    - ``readable``: the file can be decoded to its last row; no band of mid grey stands for missing data.
    - ``large_enough``: 64 px a side or more.
    - ``not_plain``: neither black nor of one colour.
    - ``right_shape``: an edit has its source's proportions (5%), unless the instruction turns or crops, or the contest
      fixes the size (setting ``fixed_size_types``, which a campaign takes from its profile).
    - ``differs``: something visible differs from the source after resizing and registration; a small text in a large
      picture does. Turns and crops are compared as they lie, because registration would undo them.
    Range and direction: {0, 1}, up. Axis: GATE. Tasks: all (``differs`` is unscored without a source).
    Input: the candidate's bytes, the source, the instruction.
    Model and licence: none.
    Source: own rules.
    Cost: about 10 ms; ``differs`` shares its registration with the other scorers (30 to 150 ms).
    Fails: a picture that is meant to be one colour is refused; a change of fewer than about 9 px is not seen.

    Args:
        fixed_size_types: task types whose final size the contest fixes: there, proportions say nothing.

    Raises:
        ValueError: an unknown task type.

    Example:
        >>> from skimage import data
        >>> from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_scorer
        >>> black = Picture(encode_final(0 * data.astronaut()))
        >>> item = Item(TaskInputs(Task("7", TaskType.T2I, "an astronaut", None, None, 0)), black)
        >>> (scores,) = create_scorer("gate").score([item])
        >>> [name for name, score in scores.items() if score.value == 0.0]
        ['not_plain']
    """

    name = "gate"
    version = "2"
    task_types = frozenset(TaskType)
    columns = (
        _gate("readable", "the file must decode to its last row"),
        _gate("large_enough", f"both sides must have {LEAST_SIDE_PX} px or more"),
        _gate("not_plain", "the picture must not be black or of one colour"),
        _gate("right_shape", "an edit must keep its source's proportions, unless the instruction turns or crops it"),
        _gate("differs", "something visible must differ from the source"),
    )

    def __init__(self, fixed_size_types: Sequence[str] = ()) -> None:
        self._any_shape = frozenset({TaskType.T2I, *map(TaskType, fixed_size_types)})

    def measure(self, item: Item) -> Mapping[str, Score]:
        """``readable`` is 0 for a damaged picture; what then cannot be told is unscored."""
        picture = item.picture
        return {
            "readable": Score.of(float(is_complete(picture))),
            "large_enough": _told(lambda: min(picture.size) >= LEAST_SIDE_PX),
            "not_plain": _told(lambda: not is_plain(picture.rgb)),
            "right_shape": _told(lambda: self._has_right_shape(item)),
            "differs": self._differs(item),
        }

    def _has_right_shape(self, item: Item) -> bool:
        source = item.inputs.source
        if source is None or item.inputs.task.type in self._any_shape or _turns_or_crops(item.inputs):
            return True
        return same_aspect(item.picture.size, source.size)

    def _differs(self, item: Item) -> Score:
        source = item.inputs.source
        if item.inputs.task.type is TaskType.T2I or source is None:
            return Score.not_applicable("there is no source to differ from")
        if _turns_or_crops(item.inputs):
            return _told(lambda: _differs_as_it_lies(source, item.picture))
        return _told(lambda: _differs_in_place(source, item.picture))


def _told(check: Callable[[], bool]) -> Score:
    """1 or 0, or unscored with the reason when a picture cannot be read."""
    try:
        return Score.of(float(check()))
    except BestshotError as error:
        return Score.unscored(reason_of(error))


def is_complete(picture: Picture) -> bool:
    """Whether a picture decodes, and no band of one mid grey at its bottom stands for missing data."""
    try:
        rgb = picture.rgb
    except InputError as error:
        raise_shortage(error)
        return False
    rows = max(1, round(rgb.shape[0] * MISSING_SHARE))
    band, rest = rgb[-rows:], rgb[:-rows]
    return not (np.ptp(band) == 0 and abs(int(band[0, 0, 0]) - 128) <= 1 and rest.size and np.ptp(rest) > 0)


def is_plain(rgb: Array) -> bool:
    """Whether (H, W, 3) uint8 is black or of one colour."""
    black = np.percentile(rgb[::2, ::2].max(axis=2), 99) < BLACK_LEVELS
    return bool(black or one_colour_share(rgb) >= ONE_COLOUR_SHARE)


def one_colour_share(rgb: Array) -> float:
    """Share of the pixels within 6 levels of the picture's median colour."""
    median = np.median(rgb[::2, ::2].reshape(-1, 3), axis=0).astype(np.int16)
    return float(np.mean(np.abs(rgb.astype(np.int16) - median).max(axis=2) <= 6))


def _turns_or_crops(inputs: TaskInputs) -> bool:
    """By the parser, and by words where it declines: a needless 0 costs a good candidate, a missed one little."""
    if inputs.task.type is not TaskType.TIE:
        return False
    named = {operation.name for operation in named_operations(inputs)}
    return not named.isdisjoint({"rotate", "crop"}) or bool(_GEOMETRY.search(inputs.task.prompt))


def _differs_in_place(source: Picture, candidate: Picture) -> bool:
    if source.id == candidate.id:
        return False
    return bool(changed(source, candidate).any()) or _tone_shift(source, registered(source, candidate)) > TONE_LEVELS


def _differs_as_it_lies(source: Picture, candidate: Picture) -> bool:
    if source.id == candidate.id:
        return False
    everywhere = np.ones(source.rgb.shape[:2], bool)
    laid_over = Registered(resize_rgb(candidate.rgb, source.rgb.shape), everywhere, (0.0, 0.0))
    return bool(changed_mask(source.rgb, laid_over).any()) or _tone_shift(source, laid_over) > TONE_LEVELS


def _tone_shift(source: Picture, candidate: Registered) -> float:
    """Mean difference in levels of pictures shrunk to 64 px: a faint change of tone counts, JPEG noise does not."""
    now, before = (shrink(rgb, 64).astype(np.float32) for rgb in (candidate.image, source.rgb))
    return float(np.abs(now - before).mean())
