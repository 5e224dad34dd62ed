"""Pictures of any size and content are scored or unscored: one pixel, a strip, many megapixels, one colour."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from selector.conformance.common import scores_of
from selector.domain import Item, Picture, Scorer, TaskInputs, encode_final

Array = np.ndarray[Any, np.dtype[Any]]
TINY_AND_THIN = ((1, 1), (8, 8), (2000, 20), (1, 3000))  # width, height in px
HUGE = ((6000, 4000),)
_FLAT = {"black": 0, "grey": 128, "white": 255}


def check_extremes(scorer: Scorer, item: Item, huge_px: Iterable[tuple[int, int]] = HUGE, small: bool = True) -> None:
    """Check one item whose candidate is stretched to extreme sizes, beside its source as it is and of the same size.

    Every result is complete, in range, and raises nothing; so are those of pictures of one colour.

    Args:
        huge_px: large sizes (width, height) to try; ``()`` for none.
        small: whether to try tiny, thin and plain pictures.

    Raises:
        AssertionError: with the scorer's name, the size and what broke.
    """
    for what, items in _small(item) if small else ():
        scores_of(scorer, items, what)
    for size in huge_px:
        scores_of(scorer, [_huge(item, size)], _words(size))


@lru_cache(maxsize=8)
def _small(item: Item) -> list[tuple[str, list[Item]]]:
    """Small pictures of extreme sizes, and of one colour; kept, because a suite tries many scorers on one item."""
    sizes = [(_words(size), [_of_size(item, size), _all_of_size(item, size)]) for size in TINY_AND_THIN]
    return [*sizes, *((f"a {name} picture", _of_level(item, level)) for name, level in _FLAT.items())]


@lru_cache(maxsize=1)
def _huge(item: Item, size: tuple[int, int]) -> Item:
    """Kept like the small ones, but only the last one: some hundred megabytes."""
    return _all_of_size(item, size)


def _words(size: tuple[int, int]) -> str:
    return f"a picture of {size[0]} x {size[1]} px"


def _of_size(item: Item, size: tuple[int, int]) -> Item:
    return Item(item.inputs, _stretched(item.picture, size))


def _all_of_size(item: Item, size: tuple[int, int]) -> Item:
    """The item with its candidate and its source of one size, as an edit of such a picture has them."""
    inputs = item.inputs
    source = None if inputs.source is None else _stretched(inputs.source, size)
    return Item(TaskInputs(inputs.task, source, inputs.reference), _stretched(item.picture, size))


def _of_level(item: Item, level: int) -> list[Item]:
    flat = Picture(encode_final(np.full_like(item.picture.rgb, level)), "flat")
    source = None if item.inputs.source is None else flat
    return [Item(item.inputs, flat), Item(TaskInputs(item.inputs.task, source, item.inputs.reference), flat)]


def _stretched(picture: Picture, size: tuple[int, int]) -> Picture:
    """Nearest neighbours: needs no library, and large pictures keep hard edges, which cost most to look at."""
    height, width = picture.rgb.shape[:2]
    columns, rows = (np.arange(to) * of // to for to, of in zip(size, (width, height), strict=True))
    return Picture(encode_final(np.ascontiguousarray(picture.rgb[rows][:, columns])), f"{size[0]} x {size[1]} px")
