"""The picture of set distances: drawn for any number of sets, the same bytes every time."""

from __future__ import annotations

import math

import pytest

from selector.domain import InputError
from selector.report.realism import MOST_ROWS, Distance, DistanceRow, realism_of_sets

RANDOM = DistanceRow("a random pick", 50, (Distance(0.2, 0.1, 0.3),))
HALVES = DistanceRow("photographs in halves", 25, (Distance(0.0, -0.05, 0.05),))


def rows(n: int) -> list[DistanceRow]:
    return [DistanceRow(f"生成器 {i} $x_1$", 100 + i, (Distance(0.5 - i / 100, 0.4, 0.6),), i == 0) for i in range(n)]


@pytest.mark.parametrize("n", [0, 1, MOST_ROWS + 5])
def test_any_number_of_sets_is_drawn(n: int) -> None:
    drawing = realism_of_sets(["CMMD"], rows(n), RANDOM, HALVES, "Against 50 photographs.")
    assert drawing.png.startswith(b"\x89PNG")
    assert drawing.caption.startswith("Against 50 photographs.")
    assert ("nearest of" in drawing.caption) == (n > MOST_ROWS)
    assert n == 0 or f"nearest: 生成器 {n - 1}" in drawing.alt


def test_the_same_rows_give_the_same_bytes() -> None:
    one, two = (realism_of_sets(["CMMD"], rows(3), RANDOM, HALVES, "Against photographs.") for _ in range(2))
    assert one.png == two.png


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(InputError, match="expected finite numbers"):
        Distance(math.nan, 0.0, 1.0)
