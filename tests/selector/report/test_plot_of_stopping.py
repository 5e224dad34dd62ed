"""The picture of best-of-N: drawn for any number of task types, the same bytes every time, with its words."""

from __future__ import annotations

import pytest

from selector.learn.stopping import Curve
from selector.report.stopping import MOST_PANELS, best_of_n


def curve(name: str = "edit", stop_after: int | None = None, may_hurt_after: int | None = None) -> Curve:
    mean = tuple(5.0 + 0.1 * n for n in range(12))
    low, high = (tuple(m + sign * 0.05 * n for n, m in enumerate(mean)) for sign in (-1, 1))
    return Curve(name, 30, 4, tuple(range(1, 13)), mean, low, high, 0.1, stop_after, may_hurt_after)


@pytest.mark.parametrize("count", [0, 1, 2, 3, MOST_PANELS + 2])
def test_any_number_of_curves_is_drawn(count: int) -> None:
    drawing = best_of_n([curve(f"类型 {n} $x$") for n in range(count)])
    assert drawing.png.startswith(b"\x89PNG")
    assert ("curves are drawn" in drawing.caption) == (count > MOST_PANELS)


def test_the_caption_says_the_rise_with_its_interval_and_what_one_more_adds() -> None:
    said = best_of_n([curve("edit"), curve("all types", 5, 7)]).caption
    assert said == (
        "All types, n = 30 tasks: the best of 4 is expected 0.30 points (80% interval 0.15 to 0.45) above one drawn at "
        "random; one more for each task adds 0.10."
    )


def test_where_to_stop_and_where_more_may_hurt_are_marked() -> None:
    plain, stop, hurt = (best_of_n([c]).png for c in (curve(), curve(stop_after=6), curve(may_hurt_after=6)))
    assert len({plain, stop, hurt}) == 3


def test_the_same_curves_give_the_same_bytes() -> None:
    assert best_of_n([curve()]).png == best_of_n([curve()]).png
