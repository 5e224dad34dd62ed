"""Every registered scorer on files of all kinds and pictures of all sizes; cases in ``tests/scorer_cases``.

What is read once, such as a text or a face, is remembered by perception, so scorers that share it cost it once.
"""

from __future__ import annotations

import pytest
from scorer_cases import CASES
from scorer_cases.tried import TRIED, is_here, scorer_of

from selector.conformance import HUGE, check_encodings, check_extremes
from selector.domain import TaskType

SMALLER = ((3000, 2000),)


@pytest.mark.parametrize("name", TRIED)
def test_score_is_that_of_the_pixels_however_they_are_stored(name: str) -> None:
    case = CASES[name]
    tolerance = case.tolerance if case.between_encodings is None else case.between_encodings
    for item in case.one_of_each_type(scorer_of(name)):
        check_encodings(scorer_of(name), item, tolerance)


@pytest.mark.parametrize("name", TRIED)
def test_small_pictures_of_any_shape_and_of_one_colour_are_scored_or_unscored(name: str) -> None:
    for item in CASES[name].one_of_each_type(scorer_of(name)):
        check_extremes(scorer_of(name), item, huge_px=())


@pytest.mark.parametrize("kind", TaskType, ids=lambda kind: kind.value)
def test_huge_pictures_are_scored_or_unscored(kind: TaskType) -> None:
    """Every scorer at the first task type that it has: making such a picture takes longer than most of them.

    Scene edits, which most scorers of pixels and views have, at 24 megapixels; the others at 6: at 24 their faces, text
    and boxes are found in the same reduced picture.
    """
    size = HUGE if kind is TaskType.TIE else SMALLER
    for name in filter(is_here, TRIED):
        first = CASES[name].one_of_each_type(scorer_of(name))[0]
        if first.inputs.task.type is kind:
            check_extremes(scorer_of(name), first, size, small=False)
