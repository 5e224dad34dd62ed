"""What is due: compact until it is looked at, by task, by scorer."""

from __future__ import annotations

import numpy as np

from selector.domain import Task, TaskType
from selector.measure.scored import DueCandidates
from selector.store.key_index import KeyIndex, keys_of

TASKS = {i: Task(i, TaskType.T2I, f"number {i}", None, None, 0) for i in ("a", "b", "c")}


def keys() -> KeyIndex:
    return keys_of(["a", "a", "a", "b", "c", "c"], ["1", "2", "3", "1", "4", "5"])


def due() -> DueCandidates:
    """b before a; of the last candidate of a nothing is due."""
    lacking = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 0]], dtype=bool)
    return DueCandidates(TASKS, keys(), np.array([3, 0, 1, 4, 5]), ["x", "y", "z"], lacking)


def test_it_is_a_sequence_of_candidates_and_what_they_lack() -> None:
    a, b, c = (TASKS[i] for i in "abc")
    wanted = [(b, "1", ("x", "y")), (a, "1", ("x",)), (a, "2", ("y",)), (c, "4", ("x", "y")), (c, "5", ("y",))]
    assert list(due()) == due()[:] == wanted
    assert due()[1:3] == wanted[1:3] and due()[-1] == wanted[-1]
    assert due().scorers == {"x", "y"}
    assert (due().tasks, due().spans()) == ([b, a, c], [range(1), range(1, 3), range(3, 5)])


def test_of_some_scorers() -> None:
    mine = due().by({"x", "z"})
    assert [(task.id, candidate_id, names) for task, candidate_id, names in mine] == [
        ("b", "1", ("x",)),
        ("a", "1", ("x",)),
        ("c", "4", ("x",)),
    ]
    assert mine.scorers == {"x"}
    nothing = due().by({"z"})
    assert not nothing and (nothing.tasks, nothing.spans(), nothing.scorers) == ([], [], set())


def test_without_some_and_of_no_scorer_at_all() -> None:
    assert [(task.id, i) for task, i, _ in due().without([("b", "1"), ("c", "4"), ("d", "1")])] == [
        ("a", "1"),
        ("a", "2"),
        ("c", "5"),
    ]
    assert len(due().without([])) == 5 and not due().by(set())


def test_each_candidate_counts_once() -> None:
    count = due().counter()
    assert count([("a", "1"), ("a", "1"), ("b", "1")]) == 2
    assert count([]) == 0
    assert count(iter([("b", "1"), ("c", "5")])) == 1
