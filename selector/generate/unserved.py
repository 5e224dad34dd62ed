"""Tasks that nobody makes pictures for: no generator is planned for their type, and no picture was imported either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from selector.domain import Task, TaskType
from selector.store.candidates import candidates_by_task
from selector.workspace.workspace import Workspace


def unserved(ws: Workspace, tasks: Sequence[Task]) -> dict[TaskType, int]:
    """How many there are of each type; types without any are absent."""
    unplanned = {kind for kind in TaskType if not ws.config.generate.steps(kind)}
    with ws.db.read() as connection:
        made = candidates_by_task(connection)
    return dict(Counter(task.type for task in tasks if task.type in unplanned and task.id not in made))
