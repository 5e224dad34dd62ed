"""Which tasks a call means: types and ids as words, one or several, and never by a part of a word."""

from __future__ import annotations

import pytest

from selector.domain import InputError, Task, TaskType
from selector.workspace.workspace import select_tasks

TASKS = [Task("1", TaskType.T2I, "a", None, None, 0), Task("2", TaskType.TIE, "b", None, None, 1), Task("3", TaskType.VTTIE, "c", None, None, 2)]  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(
    ("types", "ids", "found"),
    [
        (None, None, "123"),
        ("vttie", None, "3"),
        (["t2i", TaskType.TIE], None, "12"),
        ([TaskType.TIE], ["2", "3"], "2"),
        (None, "2", "2"),
    ],
)
def test_tasks_of_types_and_ids(types: object, ids: object, found: str) -> None:
    assert "".join(t.id for t in select_tasks(TASKS, types, ids)) == found


@pytest.mark.parametrize("types", ["foo", ["vttie "], "t2i,tie", [""]])
def test_an_unknown_type_is_refused(types: object) -> None:
    with pytest.raises(InputError, match="there is no task type"):
        select_tasks(TASKS, types)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(InputError, match="there is no task '9'"):
        select_tasks(TASKS, ids=["9"])
