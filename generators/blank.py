"""blank: a plain grey image, the last resort of a task that has no input image to fall back on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selector.domain import Generator, Made, Recipe, TaskInputs, TaskType

_GREY = 128


class Blank(Generator):
    """blank: a plain grey image, the last resort of a task that has no input image to fall back on.

    Input: nothing. Task types: all.
    Model: none.
    Cost: under a millisecond.
    Fails: never. The contest gives such an image (nearly) no points; it exists because an export must name an image for
        every row. Always flagged as a fallback.

    Args:
        size_px: (width, height) of the image.

    Example:
        >>> from selector.domain import Task, TaskInputs, TaskType
        >>> from selector.registry import create_generator
        >>> blank, inputs = create_generator("blank"), TaskInputs(Task("7", TaskType.T2I, "a fox", None, None, 0))
        >>> blank.generate(inputs, blank.recipes(inputs, 1, 0)[0]).image.shape
        (512, 512, 3)
    """

    name = "blank"
    version = "1"
    last_resort = True  # what it makes is no answer to the task, whatever the campaign calls it
    task_types = frozenset(TaskType)

    def __init__(self, size_px: tuple[int, int] = (512, 512)) -> None:
        self._size_px = (int(size_px[0]), int(size_px[1]))

    def check(self) -> None:
        """Nothing can be missing."""

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:  # noqa: ARG002 (the contract)
        return (Recipe("grey", seed, {"size_px": list(self._size_px)}),)[:n]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:  # noqa: ARG002
        width, height = recipe.params["size_px"]
        return Made(np.full((height, width, 3), _GREY, dtype=np.uint8), {"fallback": True})
