"""The contract of a scorer: facts, results, scores of their own items only, columns that follow their names."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice, pairwise
from math import isfinite
from typing import Any

import numpy as np

from selector.conformance._results import (
    Results,
    check_facts,
    check_results,
    input_bytes,
    name_of,
    pixels_of,
    require,
    same,
    scores_of,
    shown,
    tolerance_of,
    with_other_reading,
)
from selector.domain import Axis, Column, InputError, Item, Picture, Scorer
from selector.domain.structural import adopted

DAMAGED = Picture(b"\xff\xd8\xff\xe0 this is no picture", name="damaged")
LEAST_CHANGE = 0.02
LARGE_BATCH = 9  # one more than a run hands over at once


def check_scorer(scorer: Scorer, items: Sequence[Item], tolerance: float | None = None) -> None:
    """Check a scorer on at least two items of its task types.

    Facts are complete; results are in order, complete, finite and inside their columns' ranges; the same on a second
    call, for permuted and for repeated items, one by one, in a large batch and from two threads; with another reading
    of the task unless it says ``reads_words``; a damaged picture is unscored (or a value, for a GATE column) and raises
    nothing; inputs stay as they were.

    Args:
        tolerance: largest difference between two scores of one item, as a share of the column's range; by default the
            scorer's own ``tolerance``, or 0.

    Raises:
        AssertionError: with the scorer's name and what it broke.
    """
    who = name_of(scorer)
    require(isinstance(adopted(scorer, Scorer), Scorer), f"{who}: needs name, version, task_types, columns and score()")
    check_facts(scorer, who)
    _check_columns(getattr(scorer, "columns", None), who)
    require(len(items) >= 2, f"{who}: the check needs at least two items, got {len(items)}")
    allowed = tolerance_of(scorer, tolerance)
    scorer.check()
    before = [_bytes_of(item) for item in items]
    first = scorer.score(items)
    check_results(scorer, first, len(items), who)
    require(scorer.score([]) is not None and len(scorer.score([])) == 0, f"{who}: score([]) must be empty")
    _check_repeats(scorer, items, first, allowed)
    if not scorer.reads_words:
        others = scorer.score([Item(with_other_reading(item.inputs), item.picture) for item in items])
        told = f"{who}: scores follow the task's reading: set reads_words = True"
        same(scorer, others, first, allowed, told)
    _check_damaged(scorer, items, first, allowed)
    require([_bytes_of(item) for item in items] == before, f"{who}: score() changed its inputs")


def check_same_scores(
    scorer: Scorer, results: Results, expected: Results, message: str, tolerance: float | None = None
) -> None:
    """Require two results of the same items to be equal within the tolerance; ``message`` says who made them."""
    same(scorer, results, expected, tolerance_of(scorer, tolerance), f"{name_of(scorer)}: {message}")


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


def _check_columns(columns: Any, who: str) -> None:
    right = isinstance(columns, tuple) and columns and all(isinstance(column, Column) for column in columns)
    require(right, f"{who}: columns must be a non-empty tuple of Column, got {columns!r}")
    names = [column.name for column in columns]
    require(len(set(names)) == len(names), f"{who}: column names must be unique, got {names}")
    for column in columns:
        where = f"{who}.{column.name}"
        finite = isfinite(column.low) and isfinite(column.high) and column.low < column.high
        require(finite, f"{where}: the range [{column.low}, {column.high}] is none")
        require(isinstance(column.axis, Axis), f"{where}: axis must be an Axis, got {column.axis!r}")
        require(isinstance(column.higher_is_better, bool), f"{where}: higher_is_better must be a bool")
        require(column.what.strip() and "\n" not in column.what, f"{where}: 'what' must be one line of text")


def _check_repeats(scorer: Scorer, items: Sequence[Item], first: Results, allowed: float) -> None:
    def expect(results: Results, expected: Results, fault: str) -> None:
        same(scorer, results, expected, allowed, f"{name_of(scorer)}: {fault}")

    expect(scorer.score(items), first, "a second call gives other scores")
    expect(scorer.score(list(reversed(items))), list(reversed(first)), "scores depend on the order of the items")
    alone = [scorer.score([_renamed(item)])[0] for item in items]
    expect(alone, first, "scores depend on the other items of the batch")
    many = list(islice(cycle(zip(items, first, strict=True)), LARGE_BATCH))
    results = scorer.score([item for item, _ in many])
    expect(results, [wanted for _, wanted in many], f"a batch of {LARGE_BATCH}, some items twice, gives other scores")
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(scorer.score, [_fresh(items), _fresh(items)]):
            expect(result, first, "two threads give other scores than one")


def _renamed(item: Item) -> Item:
    """The same pixels under another id, so that a score which the scorer remembers by id is measured again.

    Readers of all formats pass over what follows a picture; if one does not, the item is taken as it is.
    """
    longer = Picture(item.picture.data + b"\0", item.picture.name)
    try:
        same_pixels = np.array_equal(longer.rgb, item.picture.rgb)
    except InputError:
        same_pixels = False
    return Item(item.inputs, longer) if same_pixels else item


def _fresh(items: Sequence[Item]) -> list[Item]:
    """The same items as new objects, as another process would have them."""
    return [Item(item.inputs, Picture(item.picture.data, item.picture.name)) for item in items]


def _check_damaged(scorer: Scorer, items: Sequence[Item], first: Results, allowed: float) -> None:
    who = name_of(scorer)
    results = scores_of(scorer, [items[0], Item(items[0].inputs, DAMAGED), items[1]], "a damaged picture")
    for column in scorer.columns:
        if column.axis is not Axis.GATE:
            value = results[1][column.name].value
            require(value is None, f"{who}.{column.name}: a damaged picture got the value {value}")
    neighbours = [results[0], results[2]]
    same(scorer, neighbours, first[:2], allowed, f"{who}: a damaged picture changes the scores of its neighbours")


def _bytes_of(item: Item) -> tuple[bytes, ...]:
    return (pixels_of(item.picture), *input_bytes(item.inputs))


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
