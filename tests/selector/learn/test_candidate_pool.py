"""What a pool of candidates refuses, and its views by task."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from toy_contests import reordered

from selector.domain import InputError
from selector.learn.pool import Choices, Pool, codes, padded

POOL = Pool(
    task_ids=("a", "a", "b", "c", "c", "c"),
    candidate_ids=("1", "2", "1", "1", "2", "3"),
    task_types=("t2i",) * 6,
    generators=("m", "n", "m", "m", "n", "n"),
    columns=("judge",),
    values=np.arange(6.0)[:, None],
)


def lines(pool):
    """The choices, each line in the order of the rows, -1 last."""
    return [[*sorted(i for i in line if i >= 0), *(i for i in line if i < 0)] for line in pool.choices.tolist()]


def test_choices_have_one_line_a_task_and_end_with_minus_one():
    assert lines(POOL) == [[0, 1, -1], [2, -1, -1], [3, 4, 5]]
    assert [line.index(-1) for line in POOL.choices.tolist() if -1 in line] == [2, 1], "only beyond the last candidate"
    assert POOL.tasks == ("a", "b", "c")
    np.testing.assert_array_equal(POOL.task_of, [0, 0, 1, 2, 2, 2])


def test_what_is_not_eligible_is_no_choice_but_keeps_its_row():
    pool = replace(POOL, eligible=np.array([True, False, False, False, True, True]))
    assert lines(pool) == [[0, -1], [-1, -1], [4, 5]]
    assert pool.row_of["a", "2"] == 1


def many(tasks=200, each=5):
    """Five generators with a candidate a task, always in the same order, with no score."""
    task, made_by = np.repeat(np.arange(tasks), each), np.tile(np.arange(each), tasks)
    ids = tuple(f"g{g}-{t}" for t, g in zip(task, made_by, strict=True))
    names = tuple(f"t{t}" for t in task)
    n = len(ids)
    return Pool(names, ids, ("all",) * n, tuple(f"g{g}" for g in made_by), (), np.zeros((n, 0)))


def picked_of(pool):
    rows = Choices(pool.choices, len(pool.tasks)).best(np.zeros(len(pool.task_ids)))
    return {pool.task_ids[i]: pool.candidate_ids[i] for i in rows}


def test_equals_are_mixed_over_their_generators():
    """No generator gets more than 0.3 of the tasks: 0.2 and more than three standard deviations of chance."""
    generators = Counter(found.split("-")[0] for found in picked_of(many()).values())
    assert len(generators) == 5 and max(generators.values()) < 60


def test_which_of_equals_is_picked_does_not_depend_on_the_order_of_the_table():
    pool, rng = many(), np.random.default_rng(0)
    order = np.concatenate([5 * task + rng.permutation(5) for task in rng.permutation(200)])
    assert picked_of(reordered(pool, order)) == picked_of(pool)


def test_a_finished_copy_is_no_picture_of_its_own_unless_its_original_is_gone():
    np.testing.assert_array_equal(TREATED.pictures, [True, True, True, True, True, False])
    assert POOL.pictures.all()
    alone = reordered(TREATED, np.array([0, 1, 2, 3, 5]))
    assert alone.pictures.all()


def test_variants_and_eligibility_are_filled_in():
    assert POOL.variants == ("",) * 6
    assert POOL.eligible.all()


def test_one_candidate_id_may_serve_several_tasks():
    assert POOL.row_of["a", "1"] != POOL.row_of["b", "1"]


def test_an_empty_pool_is_refused():
    with pytest.raises(InputError, match="there are no candidates: nothing can be calibrated or picked"):
        Pool((), (), (), (), (), np.zeros((0, 0)))


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_an_infinite_score_is_refused(bad):
    values = POOL.values.copy()
    values[2] = bad
    with pytest.raises(InputError, match="a score is infinite: a score is a finite number, or unscored"):
        replace(POOL, values=values)


@pytest.mark.parametrize(
    "change",
    [
        {"candidate_ids": ("1", "1", "1", "1", "2", "3")},
        {"candidate_ids": ("1", "2", "1", "3", "2", "3")},
    ],
    ids=["twice the same candidate", "twice, apart"],
)
def test_doubled_candidates_are_refused(change):
    with pytest.raises(InputError, match=r"has two candidates '[123]': give every candidate of a task its own id"):
        replace(POOL, **change)


def test_ungrouped_tasks_are_refused():
    with pytest.raises(InputError, match="the candidates of a task must lie together"):
        replace(POOL, task_ids=("a", "b", "a", "c", "c", "c"), candidate_ids=tuple("123456"))


@pytest.mark.parametrize(
    "change",
    [
        {"generators": ("m",)},
        {"task_types": ("t2i",) * 7},
        {"variants": ("v",)},
        {"columns": ("judge", "other")},
        {"values": np.zeros((5, 1))},
        {"values": np.zeros(6)},
        {"eligible": np.ones(5, dtype=bool)},
        {"prior_overall": np.zeros(5)},
        {"gain": {"a": np.ones(5)}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_lists_of_another_length_are_refused(change):
    with pytest.raises(InputError, match="a pool of 6 candidates needs 6 entries in every list"):
        replace(POOL, **change)


def test_codes_follow_the_first_appearance():
    names, place = codes(["z", "a", "z", "m"])
    assert names == ("z", "a", "m")
    np.testing.assert_array_equal(place, [0, 1, 0, 2])


def test_padding_keeps_groups_that_have_no_rows():
    got = padded(np.array([3, 4, 9]), np.array([1, 1, 3]), 4)
    np.testing.assert_array_equal(got, [[-1, -1], [3, 4], [-1, -1], [9, -1]])


TREATED = replace(
    POOL,
    variants=("warp", "", "", "", "", ""),
    styles=("", "suffix", "", "", "suffix", "suffix"),
    finishes=("sharpen", "", "", "", "", "sharpen"),
    origins=("", "", "", "", "", "2"),
)


def test_what_made_a_candidate_is_said_in_words():
    assert TREATED.made_with == (
        "m warp, finish sharpen",
        "n, prompt style suffix",
        "m",
        "m",
        "n, prompt style suffix",
        "n, prompt style suffix, finish sharpen",
    )


def test_a_finished_picture_and_the_one_that_it_was_made_from_are_a_family_of_their_task():
    np.testing.assert_array_equal(TREATED.family_of, [0, 1, 2, 3, 4, 4])
    assert POOL.family_of is None
    elsewhere = replace(TREATED, origins=("", "", "2", "", "", ""))  # of that id there is none in the task
    assert elsewhere.family_of is None
