"""The cases of ``spatial``, over a grid and over a detector: drawn scenes.

The models are tiny and random; series are over a backbone and a detector that measure colour and shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from scene_stub import StubBackbone, stub_detector
from tiny_folders import tiny_owlv2

from experiments.support.scenes import Drawn, render
from scorer_cases.cases import Case, Series
from scorer_cases.models import ROUNDING, backbone
from scorer_cases.pictures import png
from selector.domain import Item, Scorer, Task, TaskInputs, TaskType

PROMPT = "a red square to the left of a blue circle"
SQUARE, CIRCLE = Drawn("red", "square", 0.25, 0.25, 0.13), Drawn("blue", "circle", 0.75, 0.75, 0.13)


def drawn(*scenes: Sequence[Drawn], prompt: str = PROMPT) -> list[Item]:
    """Pictures of the scenes, all for one prompt."""
    inputs = TaskInputs(Task("s", TaskType.T2I, prompt, None, None, 0))
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


def more_and_more_squares() -> list[Item]:
    """Two, as the prompt says, then three and four."""
    squares = [replace(SQUARE, x=x, y=y) for x, y in ((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8))]
    return drawn(*(squares[:count] for count in (2, 3, 4)), prompt="two red squares")


def counted_and_not() -> list[Item]:
    return [*as_told_and_not(), *more_and_more_squares()[:2]]


def seeing_shapes(scorer: Scorer) -> Scorer:
    inner: Any = vars(scorer).get("_scorer", scorer)  # the registry wraps a scorer that has settings
    inner.backbone = StubBackbone(0.0)
    return scorer


def by_shape(items: Callable[[], list[Item]]) -> Series:
    return Series(items, prepare=seeing_shapes)


@dataclass(frozen=True)
class Detected(Series):
    """A series over a detector that finds every shape instead of OWLv2."""

    def check(self, new: Callable[[], Scorer], column: str) -> None:
        def found(folder: Path, tag: str, rgb: Any, phrases: Sequence[str], device: str = "auto") -> Any:
            del folder, tag, device
            return stub_detector(rgb, phrases, noise=0.0)

        with mock.patch("scorers.spatial.detect", found):
            super().check(new, column)


def owlv2(folder: Path) -> Mapping[str, Any]:
    return {"grounding": "owlv2", "model_path": str(tiny_owlv2(folder / "owlv2"))}


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
    "spatial/owlv2": Case(
        {
            "objects": Detected(circle_leaves),
            "attributes": Detected(colours_change_places),
            "relations": Detected(square_moves_to_the_right),
            "counts": Detected(more_and_more_squares),
            "coherence": Detected(colours_change_places),
        },
        settings=owlv2,
        items=counted_and_not,
    ),
}
