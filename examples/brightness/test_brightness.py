"""The plug-ins keep bestshot's contracts, and the numbers are right."""

import numpy as np
import pytest
from bestshot_brightness import Brightness, Gamma, asked_direction
from skimage import data

from selector.conformance import (
    check_another_process,
    check_encodings,
    check_extremes,
    check_generator,
    check_monotone,
    check_scorer,
)
from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final


def inputs(prompt: str) -> TaskInputs:
    task = Task("7", TaskType.TIE, prompt, "7.jpg", None, 0)
    return TaskInputs(task, source=Picture(encode_final(data.coffee()[::4, ::4])))


def test_generator_keeps_the_contract() -> None:
    check_generator(Gamma(), inputs("make it brighter"))


def test_scorer_keeps_the_contract() -> None:
    pictures = [Picture(encode_final(rgb)) for rgb in (data.coffee()[::4, ::4], data.chelsea()[::4, ::4])]
    items = [Item(inputs("把图片调暗"), picture) for picture in pictures]
    check_scorer(Brightness(), items)
    check_encodings(Brightness(), items[0])
    check_extremes(Brightness(), items[0])
    check_another_process(Brightness(), items)


def test_shift_falls_from_dark_to_bright_where_dark_was_asked_for() -> None:
    greys = [Picture(encode_final(np.full((8, 8, 3), level, np.uint8))) for level in (40, 120, 250)]
    check_monotone(Brightness(), [Item(inputs("darken it"), grey) for grey in greys], "shift", least=0.2)


def test_shift_of_black_to_white_is_1_and_unscored_where_nothing_was_asked() -> None:
    black, white = (Picture(encode_final(np.full((8, 8, 3), level, np.uint8), "png")) for level in (0, 255))
    brighter, darker, neither = (
        TaskInputs(Task("7", TaskType.TIE, prompt, "7.png", None, 0), source=black)
        for prompt in ("brighten it", "darken it", "add a hat")
    )
    results = Brightness().score([Item(task, white) for task in (brighter, darker, neither)])
    assert [result["shift"].value for result in results] == [1.0, -1.0, None]


def test_direction_is_read_in_both_languages() -> None:
    prompts = ["Brighten the room", "make it darker", "把照片变亮", "调暗一点", "brighter sky, darker sea", "add a dog"]
    assert [asked_direction(prompt) for prompt in prompts] == [1, -1, 1, -1, 0, 0]


def test_a_strength_that_would_do_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 1"):
        Gamma(strengths=[1.0])
