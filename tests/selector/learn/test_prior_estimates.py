"""Estimates by the prior: hand numbers, direction, what is unscored, and the table's own sanity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from selector.domain import Axis, Item, Picture, Task, TaskInputs, TaskType, encode_final
from selector.learn.estimates import prior_estimates
from selector.learn.pool import Pool
from selector.learn.prior import PRIOR, RECIPE_ORDER, WITHOUT_POINTS, AxisPrior, Weight
from selector.registry import BUILTIN_SCORERS, create_scorer

ONE = {
    (TaskType.TIE, Axis.SC): AxisPrior(5.0, 1.0, (Weight("a.x", 0.5, 0.25, 2.0, -1.0, "test"),)),
    (TaskType.TIE, Axis.PQ): AxisPrior(4.0, 0.5, (Weight("a.y", 10.0, 5.0, -1.0, -1.0, "test"),)),
}


def pool(
    task_ids: Sequence[str], ids: Sequence[str], columns: Sequence[str], values: Any, task_type: str = "tie"
) -> Pool:
    n = len(ids)
    return Pool(tuple(task_ids), tuple(ids), (task_type,) * n, ("m",) * n, tuple(columns), np.array(values, float))


def table(rows: list[list[float]]) -> Pool:
    return pool(["1"] * len(rows), [f"c{i}" for i in range(len(rows))], ["a.x", "a.y"], rows)


def test_estimates_by_hand() -> None:
    got = prior_estimates(table([[0.75, 15.0]]), ONE)
    # SC: z = 1, 5 + 2; PQ: z = 1, 4 - 1; overall sqrt(21)
    assert got.sc[0] == pytest.approx(7.0)
    assert got.pq[0] == pytest.approx(3.0)
    assert got.overall[0] == pytest.approx(21**0.5)
    assert (got.sc_sd[0], got.pq_sd[0]) == pytest.approx((1.0, 0.5))


def test_unscored_counts_as_bad_news_whatever_the_columns_direction_and_adds_variance() -> None:
    got = prior_estimates(table([[np.nan, np.nan]]), ONE)
    assert got.sc[0] == pytest.approx(3.0)  # 5 - 1 * |2|
    assert got.pq[0] == pytest.approx(3.0)  # 4 - 1 * |-1|: unscored is not good news for a lower-is-better column
    assert got.sc_sd[0] == pytest.approx((1.0 + 4.0) ** 0.5)
    assert not got.informed[0]


def test_extreme_values_are_bounded() -> None:
    got = prior_estimates(table([[1e9, -1e9]]), ONE)
    assert (got.sc[0], got.pq[0]) == pytest.approx((9.0, 6.0))


def test_a_column_that_no_scorer_gave_counts_as_unscored() -> None:
    features = pool(["1"], ["c"], ["a.x"], [[0.75]])
    got = prior_estimates(features, ONE)
    assert got.pq[0] == pytest.approx(3.0)
    assert got.informed[0]


def test_an_optional_column_that_the_campaign_does_not_have_changes_nothing() -> None:
    extra = Weight("b.z", 0.0, 1.0, 3.0, -2.0, "test", optional=True)
    more = {key: AxisPrior(axis.base, axis.residual_sd, (*axis.weights, extra)) for key, axis in ONE.items()}
    without, with_it = prior_estimates(table([[0.75, 15.0]]), ONE), prior_estimates(table([[0.75, 15.0]]), more)
    assert (with_it.sc[0], with_it.sc_sd[0]) == (without.sc[0], without.sc_sd[0])
    unmeasured = pool(["1"], ["c"], ["a.x", "a.y", "b.z"], [[0.75, 15.0, np.nan]])
    got = prior_estimates(unmeasured, more)
    assert got.sc[0] == pytest.approx(7.0 - 6.0)
    assert got.sc_sd[0] == pytest.approx((1.0 + 9.0) ** 0.5)


def test_every_column_of_the_prior_exists_and_its_sign_agrees_with_the_columns_direction() -> None:
    columns = {}
    for name in BUILTIN_SCORERS:
        scorer = create_scorer(name)
        columns.update({f"{name}.{c.name}": (c, scorer.task_types) for c in scorer.columns})
    for (task_type, _), axis_prior in PRIOR.items():
        for weight in axis_prior.weights:
            if weight.column == RECIPE_ORDER:
                assert weight.points < 0, "place 0 is the best guess"
                continue
            column, task_types = columns[weight.column]
            assert task_type in task_types, weight.column
            assert (weight.points > 0) == column.higher_is_better, weight.column
            assert column.low <= weight.centre <= column.high, weight.column
            assert weight.spread > 0
            assert weight.if_unscored <= 0
            assert weight.reason


def test_columns_without_points_exist_and_have_no_row() -> None:
    scorers = {"spatial": create_scorer("spatial", {"grounding": "owlv2"})}
    scorers |= {name: create_scorer(name) for name in BUILTIN_SCORERS if name != "spatial"}
    columns = {f"{name}.{column.name}" for name, scorer in scorers.items() for column in scorer.columns}
    assert set(WITHOUT_POINTS) <= columns
    assert not set(WITHOUT_POINTS) & {w.column for axis in PRIOR.values() for w in axis.weights}


def test_the_prior_covers_both_axes_of_every_task_type() -> None:
    assert set(PRIOR) == {(t, a) for t in TaskType for a in (Axis.SC, Axis.PQ)}


def test_each_task_type_is_estimated_by_its_own_prior() -> None:
    types, values = ("tie", "t2i"), np.array([[0.75, 15.0], [0.75, 15.0]])
    both = Pool(("1", "2"), ("a", "b"), types, ("m", "m"), ("a.x", "a.y"), values)
    other = {(TaskType.T2I, axis): AxisPrior(2.0, 1.0, ()) for axis in (Axis.SC, Axis.PQ)}
    got = prior_estimates(both, {**ONE, **other})
    np.testing.assert_allclose((got.sc, got.pq), [[7.0, 2.0], [3.0, 2.0]])
    assert got.informed.tolist() == [True, False]


def test_the_generators_own_order_breaks_ties_and_informs_of_nothing() -> None:
    features = pool(["1"] * 3, "cba", [RECIPE_ORDER], [[0.0], [1.0], [5.0]])
    got = prior_estimates(features)
    assert got.overall[0] > got.overall[1] > got.overall[2]
    assert not got.informed.any()


def test_what_could_not_be_measured_never_beats_the_worst_measured_sibling() -> None:
    got = prior_estimates(table([[0.4, 10.0], [0.7, 10.0], [np.nan, 10.0]]), ONE)
    assert got.sc[2] == pytest.approx(min(got.sc[0], 3.0))
    lenient = {**ONE, (TaskType.TIE, Axis.SC): AxisPrior(5.0, 1.0, (Weight("a.x", 0.5, 0.25, 2.0, 0.0, "test"),))}
    got = prior_estimates(table([[0.4, 10.0], [0.7, 10.0], [np.nan, 10.0]]), lenient)
    assert got.sc[2] == pytest.approx(got.sc[0])


def test_siblings_of_another_task_do_not_count() -> None:
    features = pool("12", "ab", ["a.x", "a.y"], [[0.25, 10.0], [np.nan, 10.0]])
    lenient = {**ONE, (TaskType.TIE, Axis.SC): AxisPrior(5.0, 1.0, (Weight("a.x", 0.5, 0.25, 2.0, 0.0, "test"),))}
    assert prior_estimates(features, lenient).sc[1] == pytest.approx(5.0)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_a_blurred_or_noisy_picture_is_never_estimated_above_a_better_one(name: str) -> None:
    rgb = getattr(data, name)()
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, rgb.shape)
    ladders = {
        "blur": [cv2.GaussianBlur(rgb, (0, 0), s) if s else rgb for s in (0, 2, 5, 8)],
        "noise": [np.clip(rgb + noise * s, 0, 255).astype(np.uint8) for s in (0, 10, 25, 50)],
    }
    for damage, ladder in ladders.items():
        inputs = TaskInputs(Task("1", TaskType.T2I, "a picture", None, None, 0))
        items = [Item(inputs, Picture(encode_final(step), damage)) for step in ladder]
        scorer = create_scorer("technical")
        columns = sorted(c.name for c in scorer.columns)
        values = [[score[c].value for c in columns] for score in scorer.score(items)]
        names = tuple(f"technical.{c}" for c in columns)
        ids = tuple(map(str, range(len(items))))
        pq = prior_estimates(pool(["1"] * len(items), ids, names, values, "t2i")).pq
        assert (np.diff(pq) < 0).all(), f"{damage}: {pq}"
