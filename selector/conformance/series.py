"""A column must follow the damage that it is named for, in the direction that it declares."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from selector.conformance.common import name_of, require, scores_of, shown
from selector.domain import Column, Item, Scorer

LEAST_CHANGE = 0.02


def check_monotone(
    scorer: Scorer, items: Sequence[Item], column: str, slack: float = 0.0, least: float = LEAST_CHANGE
) -> None:
    """Check a column on a series of items that goes from good to bad.

    Every step makes the score worse or leaves it, by the direction that the column declares, and the last item is worse
    than the first.

    Args:
        items: three or more items, from the best to the worst, such as one picture under rising blur.
        column: the column's name.
        slack: how far one step may go the wrong way, as a share of the column's range.
        least: how much worse the last item must be than the first, as a share of the column's range.

    Raises:
        AssertionError: with the column, its values and the first wrong step; also when one of them is unscored.
    """
    fact = _column(scorer, column)
    where = f"{name_of(scorer)}.{column}"
    require(len(items) >= 3, f"{where}: a series needs at least three items, got {len(items)}")
    scores = [result[column] for result in scores_of(scorer, items, "a series")]
    values = [score.value for score in scores if score.value is not None]
    require(len(values) == len(scores), f"{where}: a series must be scored, got {', '.join(map(shown, scores))}")
    worse = [_worse_by(fact, one, other) for one, other in pairwise(values)]
    course = " -> ".join(f"{value:.4g}" for value in values)
    better = "higher" if fact.higher_is_better else "lower"
    for index, step in enumerate(worse):
        require(step >= -slack, f"{where} ({better} is better) must get worse, got {course}: wrong at step {index + 1}")
    total = _worse_by(fact, values[0], values[-1])
    require(total >= least, f"{where} ({better} is better) hardly changes: {course}, {total:.3f} of its range")


def _worse_by(column: Column, before: float, after: float) -> float:
    """By how much of the column's range the score got worse; negative when it got better."""
    change = (after - before) / (column.high - column.low)
    return -change if column.higher_is_better else change


def _column(scorer: Scorer, name: str) -> Column:
    for column in scorer.columns:
        if column.name == name:
            return column
    known = ", ".join(column.name for column in scorer.columns)
    raise AssertionError(f"{name_of(scorer)}: there is no column '{name}'; there are {known}")
