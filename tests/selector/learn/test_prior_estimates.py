"""Estimates by the prior: hand numbers, direction, what is unscored, and the table's own sanity."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from selector.domain import Axis, Item, Picture, Task, TaskInputs, TaskType, encode_final
from selector.learn.estimate import estimate
from selector.learn.matrix import RECIPE_ORDER, FeatureTable, feature_tables
from selector.learn.prior import PRIOR, WITHOUT_POINTS, AxisPrior, Weight
from selector.registry import BUILTIN_SCORERS, create_scorer

ONE = {
    (TaskType.TIE, Axis.SC): AxisPrior(5.0, 1.0, (Weight("a.x", 0.5, 0.25, 2.0, -1.0, "test"),)),
    (TaskType.TIE, Axis.PQ): AxisPrior(4.0, 0.5, (Weight("a.y", 10.0, 5.0, -1.0, -1.0, "test"),)),
}


def table(rows: list[list[float]]) -> FeatureTable:
    ids = tuple(f"c{i}" for i in range(len(rows)))
    return FeatureTable(TaskType.TIE, ("1",) * len(rows), ids, ("a.x", "a.y"), np.array(rows, dtype=float))


def test_estimates_by_hand() -> None:
    got = estimate(table([[0.75, 15.0]]), ONE)
    # SC: z = 1, 5 + 2; PQ: z = 1, 4 - 1; overall sqrt(21)
    assert got.sc[0] == pytest.approx(7.0)
    assert got.pq[0] == pytest.approx(3.0)
    assert got.overall[0] == pytest.approx(21**0.5)
    assert (got.sc_sd[0], got.pq_sd[0]) == pytest.approx((1.0, 0.5))


def test_unscored_counts_as_bad_news_whatever_the_columns_direction_and_adds_variance() -> None:
    got = estimate(table([[np.nan, np.nan]]), ONE)
    assert got.sc[0] == pytest.approx(3.0)  # 5 - 1 * |2|
    assert got.pq[0] == pytest.approx(3.0)  # 4 - 1 * |-1|: unscored is not good news for a lower-is-better column
    assert got.sc_sd[0] == pytest.approx((1.0 + 4.0) ** 0.5)
    assert not got.informed[0]


def test_extreme_values_are_bounded() -> None:
    got = estimate(table([[1e9, -1e9]]), ONE)
    assert (got.sc[0], got.pq[0]) == pytest.approx((9.0, 6.0))
    assert estimate(table([[np.inf, -np.inf]]), ONE).sc[0] == pytest.approx(9.0)


def test_a_column_that_no_scorer_gave_counts_as_unscored() -> None:
    features = FeatureTable(TaskType.TIE, ("1",), ("c",), ("a.x",), np.array([[0.75]]))
    got = estimate(features, ONE)
    assert got.pq[0] == pytest.approx(3.0)
    assert got.informed[0]


def test_an_optional_column_that_the_campaign_does_not_have_changes_nothing() -> None:
    extra = Weight("b.z", 0.0, 1.0, 3.0, -2.0, "test", optional=True)
    more = {key: AxisPrior(axis.base, axis.residual_sd, (*axis.weights, extra)) for key, axis in ONE.items()}
    without, with_it = estimate(table([[0.75, 15.0]]), ONE), estimate(table([[0.75, 15.0]]), more)
    assert (with_it.sc[0], with_it.sc_sd[0]) == (without.sc[0], without.sc_sd[0])
    unmeasured = FeatureTable(TaskType.TIE, ("1",), ("c",), ("a.x", "a.y", "b.z"), np.array([[0.75, 15.0, np.nan]]))
    got = estimate(unmeasured, more)
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


def test_feature_tables_place_values_by_key_and_leave_the_rest_unscored() -> None:
    got = feature_tables(
        [("1", "b", TaskType.TIE), ("1", "a", TaskType.TIE), ("2", "a", TaskType.T2I)],
        {TaskType.TIE: ["s.y", "s.x"], TaskType.T2I: ["s.x"]},
        [("1", "a", "s.x", 3.0), ("1", "b", "s.y", None), ("2", "a", "s.y", 9.0), ("9", "a", "s.x", 1.0)],
    )
    tie = got[TaskType.TIE]
    assert (tie.candidate_ids, tie.columns) == (("b", "a"), ("s.x", "s.y"))
    np.testing.assert_array_equal(tie.values, [[np.nan, np.nan], [3.0, np.nan]])
    assert np.isnan(got[TaskType.T2I].values).all(), "a column that does not apply to the type is passed over"


def test_the_generators_own_order_breaks_ties_and_informs_of_nothing() -> None:
    features = FeatureTable(TaskType.TIE, ("1",) * 3, ("c", "b", "a"), (RECIPE_ORDER,), np.array([[0.0], [1.0], [5.0]]))
    got = estimate(features)
    assert got.overall[0] > got.overall[1] > got.overall[2]
    assert not got.informed.any()


def test_what_could_not_be_measured_never_beats_the_worst_measured_sibling() -> None:
    got = estimate(table([[0.4, 10.0], [0.7, 10.0], [np.nan, 10.0]]), ONE)
    assert got.sc[2] == pytest.approx(min(got.sc[0], 3.0))
    lenient = {**ONE, (TaskType.TIE, Axis.SC): AxisPrior(5.0, 1.0, (Weight("a.x", 0.5, 0.25, 2.0, 0.0, "test"),))}
    got = estimate(table([[0.4, 10.0], [0.7, 10.0], [np.nan, 10.0]]), lenient)
    assert got.sc[2] == pytest.approx(got.sc[0])


def test_siblings_of_another_task_do_not_count() -> None:
    features = FeatureTable(
        TaskType.TIE, ("1", "2"), ("a", "b"), ("a.x", "a.y"), np.array([[0.25, 10.0], [np.nan, 10.0]])
    )
    lenient = {**ONE, (TaskType.TIE, Axis.SC): AxisPrior(5.0, 1.0, (Weight("a.x", 0.5, 0.25, 2.0, 0.0, "test"),))}
    assert estimate(features, lenient).sc[1] == pytest.approx(5.0)


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
        pq = estimate(FeatureTable(TaskType.T2I, ("1",) * len(items), ids, names, np.array(values, float))).pq
        assert (np.diff(pq) < 0).all(), f"{damage}: {pq}"
