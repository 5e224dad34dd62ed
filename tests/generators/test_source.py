from __future__ import annotations

import numpy as np
import pytest
from skimage.data import chelsea

from generators.source import Source
from selector.domain import Declined, GenerationFailed, Picture, Task, TaskInputs, TaskType, encode_final


def inputs(source: Picture | None) -> TaskInputs:
    return TaskInputs(Task("1", TaskType.TIE, "add a dog", "cat.png", None, 0), source)


def test_source_is_handed_back_unchanged_and_flagged() -> None:
    task = inputs(Picture(encode_final(chelsea(), "png"), "cat.png"))
    (recipe,) = Source().recipes(task, 6, 5)
    made = Source().generate(task, recipe)
    assert np.array_equal(made.image, chelsea())
    assert made.notes["fallback"] is True


def test_task_without_a_source_is_declined() -> None:
    with pytest.raises(Declined):
        Source().recipes(inputs(None), 6, 0)


def test_damaged_source_fails_with_a_reason() -> None:
    task = inputs(Picture(encode_final(chelsea(), "png")[:5000], "cat.png"))
    with pytest.raises(GenerationFailed, match=r"cat\.png"):
        Source().generate(task, Source().recipes(task, 1, 0)[0])


def test_no_recipe_is_given_when_none_is_asked_for() -> None:
    assert Source().recipes(inputs(Picture(b"", "x")), 0, 0) == []
