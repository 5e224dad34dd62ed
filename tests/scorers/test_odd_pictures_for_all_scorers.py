"""Every registered scorer on files of all kinds and pictures of all sizes; cases in ``tests/scorer_cases``.

What is read once, such as a text or a face, is remembered by perception, so scorers that share it cost it once.
"""

from __future__ import annotations

import pytest
from scorer_cases import CASES
from scorer_cases.tried import TRIED, scorer_of

from selector.conformance import check_encodings, check_extremes

BY_TYPE = sorted(
    TRIED, key=lambda name: sorted(CASES[name].looked_at)
)  # those that share a huge picture: one after another


@pytest.mark.parametrize("name", TRIED)
def test_score_is_that_of_the_pixels_however_they_are_stored(name: str) -> None:
    case = CASES[name]
    tolerance = case.tolerance if case.between_encodings is None else case.between_encodings
    for item in case.one_of_each_type(scorer_of(name)):
        check_encodings(scorer_of(name), item, tolerance)


@pytest.mark.parametrize("name", BY_TYPE)
def test_pictures_of_any_size_and_of_one_colour_are_scored_or_unscored(name: str) -> None:
    first, *rest = CASES[name].one_of_each_type(scorer_of(name))
    check_extremes(scorer_of(name), first)
    for item in rest:
        check_extremes(scorer_of(name), item, huge_px=())
