"""An embedding whose meaning is known, and pictures that go from good to bad in it, to try directions of heads on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scorer_cases.cases import Series
from scorer_cases.pictures import Array, png
from selector.domain import Item, Scorer, Task, TaskInputs, TaskType

DIM = 16


class Colours:
    """A backbone whose vector is the mean colour of a crop, and whose texts are names of colours."""

    space, side_px, reads_all, on_cpu, batch = "colours", 8, True, True, 32
    on_torch = True

    def check(self) -> None:
        """Needs nothing."""

    def embed_crops(self, crops: Array) -> Array:
        vectors = np.zeros((len(crops), DIM), np.float32)
        vectors[:, :3] = crops.mean(axis=(1, 2)) / 255
        return vectors

    def embed_texts(self, texts: Sequence[str]) -> Array:
        vectors = np.zeros((len(texts), DIM), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            vector[:3] = [0.1 + (colour in text) for colour in ("red", "green", "blue")]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def painted(*colours: tuple[int, int, int]) -> list[Item]:
    """Plain pictures for the prompt 'a red sign'."""
    inputs = TaskInputs(Task("r", TaskType.T2I, "a red sign", None, None, 0))
    return [Item(inputs, png(np.full((40, 60, 3), colour, np.uint8))) for colour in colours]


def redder_to_bluer() -> list[Item]:
    return painted((220, 20, 20), (180, 20, 80), (80, 20, 180), (20, 20, 220))


def bluer_to_redder() -> list[Item]:
    return redder_to_bluer()[::-1]


def more_and_more_uneven() -> list[Item]:
    """Pictures whose halves differ more and more in colour."""
    made = painted((120, 20, 120), (120, 20, 120), (120, 20, 120))
    halves = []
    for item, difference in zip(made, (0, 40, 100), strict=True):
        rgb = item.picture.rgb.copy()
        rgb[:, :30] += np.array([difference, 0, 0], np.uint8)
        halves.append(Item(item.inputs, png(rgb)))
    return halves


def edits(*colours: tuple[int, int, int]) -> list[Item]:
    """Plain pictures for the task to make a red sign blue."""
    task = Task("b", TaskType.TIE, "replace the red sign with a blue sign", "b.png", None, 1)
    (source,) = painted((220, 20, 20))
    inputs = TaskInputs(task, source.picture)
    return [Item(inputs, item.picture) for item in painted(*colours)]


def bluer_edits_to_none() -> list[Item]:
    return edits((20, 20, 220), (80, 20, 180), (180, 20, 80), (220, 20, 20))


def no_edit_to_bluer_ones() -> list[Item]:
    return bluer_edits_to_none()[::-1]


def seeing_colours(scorer: Scorer) -> Scorer:
    """The scorer over ``Colours`` instead of its backbone."""
    inner: Any = vars(scorer).get("_scorer", scorer)  # the registry wraps a scorer that has settings
    inner.backbone = Colours()
    return scorer


def by_colour(items: Callable[[], list[Item]]) -> Series:
    return Series(items, prepare=seeing_colours)
