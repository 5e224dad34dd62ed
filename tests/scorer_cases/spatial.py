"""The case of ``spatial``: drawn scenes, and series over a backbone that measures colour and shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from experiments.support.scene_stub import StubBackbone
from experiments.support.scenes import Drawn, render
from scorer_cases.cases import Case, Series
from scorer_cases.models import ROUNDING, backbone
from scorer_cases.pictures import png
from selector.domain import Item, Scorer, Task, TaskInputs, TaskType

PROMPT = "a red square to the left of a blue circle"
SQUARE, CIRCLE = Drawn("red", "square", 0.25, 0.25, 0.13), Drawn("blue", "circle", 0.75, 0.75, 0.13)


def drawn(*scenes: Sequence[Drawn]) -> list[Item]:
    """Pictures of the scenes, all for one prompt."""
    inputs = TaskInputs(Task("s", TaskType.T2I, PROMPT, None, None, 0))
    return [Item(inputs, png(render(shapes, 0))) for shapes in scenes]


def as_told_and_not() -> list[Item]:
    return drawn((SQUARE, CIRCLE), (replace(SQUARE, x=0.75), replace(CIRCLE, x=0.25)))


def circle_leaves() -> list[Item]:
    return drawn((SQUARE, CIRCLE), (SQUARE, replace(CIRCLE, x=1.0)), (SQUARE,))


def colours_change_places() -> list[Item]:
    painted = replace(SQUARE, colour="blue")
    return drawn((SQUARE, CIRCLE), (painted, CIRCLE), (painted, replace(CIRCLE, colour="red")))


def square_moves_to_the_right() -> list[Item]:
    places = ((0.2, 0.8), (0.4, 0.6), (0.6, 0.4), (0.8, 0.2))
    return drawn(*((replace(SQUARE, x=x), replace(CIRCLE, x=other)) for x, other in places))


def seeing_shapes(scorer: Scorer) -> Scorer:
    inner: Any = vars(scorer).get("_scorer", scorer)  # the registry wraps a scorer that has settings
    inner.backbone = StubBackbone(0.0)
    return scorer


def by_shape(items: Callable[[], list[Item]]) -> Series:
    return Series(items, prepare=seeing_shapes)


CASES = {
    "spatial": Case(
        {
            "objects": by_shape(circle_leaves),
            "attributes": by_shape(colours_change_places),
            "relations": by_shape(square_moves_to_the_right),
            "coherence": by_shape(colours_change_places),
        },
        embedding=backbone,
        items=as_told_and_not,
        tolerance=ROUNDING,
        between_encodings=0.02,  # relations: 0.011, and 0.22 on its side
    ),
}
