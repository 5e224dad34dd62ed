"""What a look is worth, by hand numbers."""

from __future__ import annotations

import pytest

from selector.learn.worth import Doubt, worth_of_look


@pytest.mark.parametrize(
    ("doubt", "points"),
    [
        (Doubt(), 0.0),
        (Doubt(loss=0.7), 0.7),
        (Doubt(loss=-0.1), 0.0),
        (Doubt(margin=0.0), 0.3),
        (Doubt(margin=0.25), 0.15),
        (Doubt(margin=2.0), 0.0),
        (Doubt(margin=-1.0), 0.3),
        (Doubt(disagreement=4.0), 1.0),
        (Doubt(overall=2.0), 0.3),
        (Doubt(overall=8.0), 0.0),
        (Doubt(flags=("fallback", "no_such_flag", "fallback")), 2.0),
        (Doubt(changed=True), 0.3),
        (Doubt(0.5, 0.25, 2.0, 4.0, ("sc_unmeasured",), True), 0.5 + 0.15 + 0.5 + 0.1 + 0.5 + 0.3),
    ],
)
def test_worth_is_the_sum_of_what_speaks_for_a_look(doubt: Doubt, points: float) -> None:
    assert worth_of_look(doubt) == pytest.approx(points)
