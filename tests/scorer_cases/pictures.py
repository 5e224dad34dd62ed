"""Small real tasks of every type, with candidates, for whatever must hold for every scorer and generator."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from skimage import data

from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final

Array = np.ndarray[Any, np.dtype[Any]]


def levels(values: Array) -> Array:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def resized(rgb: Array, width_px: int, height_px: int) -> Array:
    return np.asarray(cv2.resize(np.ascontiguousarray(rgb), (width_px, height_px), interpolation=cv2.INTER_AREA))


def jpeg(rgb: Array, quality: int = 95) -> Picture:
    return Picture(encode_final(np.ascontiguousarray(rgb), quality=quality))


def png(rgb: Array) -> Picture:
    return Picture(encode_final(np.ascontiguousarray(rgb), "png"))


def sign(*lines: str) -> Array:
    """Lines of dark letters on a light ground; nearly square, because the reader enlarges the shorter side."""
    rgb = np.full((220, 220, 3), (240, 235, 220), np.uint8)
    for row, text in enumerate(lines):
        cv2.putText(rgb, text, (24, 90 + 80 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (30, 30, 120), 4, cv2.LINE_AA)
    return rgb


@lru_cache(maxsize=1)
def portrait() -> Array:
    """The face of the second person, (160, 160, 3), framed as ``astronaut`` is."""
    from matplotlib import cbook
    from PIL import Image

    with cbook.get_sample_data("grace_hopper.jpg") as file:  # type: ignore[no-untyped-call]
        return resized(np.asarray(Image.open(file).convert("RGB"))[20:420, 60:460], 160, 160)


def astronaut() -> Array:
    """A face in the middle, (160, 160, 3)."""
    return resized(data.astronaut()[10:230, 110:330], 160, 160)


@lru_cache(maxsize=8)
def inputs_of(kind: TaskType) -> TaskInputs:
    """A small real task of each type."""
    if kind is TaskType.T2I:
        return TaskInputs(Task("t", kind, "a shop with a sign that says 'SALE'", None, None, 0))
    if kind is TaskType.VTTIE:
        return TaskInputs(Task("v", kind, "change 'SALE' to 'OPEN'", "v.jpg", None, 1), jpeg(sign("SALE", "Monday")))
    if kind is TaskType.TIE:
        coffee = resized(data.coffee(), 300, 200)
        return TaskInputs(Task("s", kind, "put a small dragon on the table", "s.jpg", None, 2), jpeg(coffee))
    return TaskInputs(Task("d", kind, "", "d.jpg", "r.jpg", 3), jpeg(astronaut()), jpeg(portrait()))


def candidates_of(kind: TaskType) -> list[Picture]:
    """Two candidates of each task."""
    if kind is TaskType.VTTIE:
        return [jpeg(sign("OPEN", "Monday")), jpeg(sign("OPEH", "Friday"), 60)]
    if kind is TaskType.TIE:
        edited = resized(data.coffee(), 300, 200)
        edited[20:90, 20:110] = resized(data.chelsea()[60:200, 100:280], 90, 70)
        return [jpeg(edited), jpeg(resized(data.chelsea(), 300, 200))]
    if kind is TaskType.T2I:
        return [jpeg(sign("SALE")), jpeg(resized(data.chelsea(), 300, 200))]
    swapped = astronaut().copy()
    swapped[44:138, 51:124] = swapped[44:138, 51:124][:, ::-1]
    return [jpeg(swapped), jpeg(astronaut(), 50)]


@lru_cache(maxsize=8)
def _items_of_kind(kind: TaskType) -> tuple[Item, ...]:
    return tuple(Item(inputs_of(kind), made) for made in candidates_of(kind))


def items_of(kinds: frozenset[TaskType]) -> list[Item]:
    """Two items of each type; the same objects for every caller, so that what is found once stays found."""
    return [item for kind in sorted(kinds) for item in _items_of_kind(kind)]
