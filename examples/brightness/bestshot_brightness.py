"""gamma and brightness: make a picture brighter or darker where the instruction asks for it, and measure the change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from selector.domain import (
    Axis,
    Column,
    Declined,
    GenerationFailed,
    Generator,
    InputError,
    Item,
    Made,
    Recipe,
    Score,
    Scorer,
    TaskInputs,
    TaskType,
)

BRIGHTER = re.compile(r"\b(brighter|brighten|lighten)|[变调提]亮", re.IGNORECASE)
DARKER = re.compile(r"\b(darker|darken|dim)\b|[变调压]暗", re.IGNORECASE)


def asked_direction(prompt: str) -> int:
    """1 for brighter, -1 for darker, 0 for neither or both."""
    return bool(BRIGHTER.search(prompt)) - bool(DARKER.search(prompt))


class Gamma(Generator):
    """``gamma``, for scene edits: levels v of 0 to 1 become v ** e, one recipe a strength.

    Args:
        strengths: above 1; e is 1 / strength where a brighter picture is asked for, and strength for a darker one.
    """

    name = "gamma"
    version = "1"
    task_types = frozenset({TaskType.TIE})

    def __init__(self, strengths: Sequence[float] = (1.6, 1.3, 2.0)) -> None:
        if not strengths or min(strengths) <= 1:
            raise ValueError(f"strengths must be above 1, got {list(strengths)}")
        self.strengths = tuple(dict.fromkeys(map(float, strengths)))  # two equal ones would be one recipe twice

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        direction = asked_direction(inputs.task.prompt)
        if inputs.task.type not in self.task_types or inputs.source is None or direction == 0:
            raise Declined("gamma only makes whole scenes brighter or darker")
        exponents = [strength**-direction for strength in self.strengths]
        return [Recipe(f"gamma {e:.2f}", seed, {"exponent": e}) for e in exponents[:n]]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        if inputs.source is None:
            raise Declined("gamma needs a source picture")
        exponent = float(recipe.params["exponent"])
        levels = np.round(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
        try:
            return Made(levels[inputs.source.rgb], {"exponent": exponent})
        except InputError as error:  # the source is damaged
            raise GenerationFailed(str(error)) from error


class Brightness(Scorer):
    """``brightness``, column ``shift``: (mean candidate - mean source) / 255, negated where darker is asked for.

    Range: -1 to 1, higher is better, informs SC. Input: source, candidate, instruction. Model: none. Cost: one pass
    over the pixels. Fails: a change of a part of the picture ("a brighter sky") is judged by the whole picture.
    """

    name = "brightness"
    version = "1"
    task_types = frozenset({TaskType.TIE})
    columns = (Column("shift", -1.0, 1.0, True, Axis.SC, "how far the mean level moved the way that was asked"),)

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        return [{"shift": _shift(item)} for item in items]


def _shift(item: Item) -> Score:
    direction, source = asked_direction(item.inputs.task.prompt), item.inputs.source
    if direction == 0:
        return Score.not_applicable("the instruction asks for no other brightness")
    if source is None:
        return Score.not_applicable("there is no source to compare with")
    try:
        return Score.of(direction * (item.picture.rgb.mean() - source.rgb.mean()) / 255)
    except InputError as error:
        return Score.unscored(str(error))
