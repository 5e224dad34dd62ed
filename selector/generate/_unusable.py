"""Candidates that people left, and that may not be picked all the same: a task of such ones alone is empty."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from selector.domain import Axis, Task
from selector.store.file_versions import superseded
from selector.store.scores import refused_by, zeros
from selector.workspace.plug_ins import contest_context, reading_words, ready_scorers
from selector.workspace.workspace import Workspace

Key = tuple[str, str]  # task id, candidate id


def unusable(ws: Workspace, connection: Connection, left: Collection[Key], tasks: Sequence[Task]) -> set[Key]:
    """Those that a newer import took the place of, or that a gate refuses.

    Scorers, which know their gates, are constructed only where every other candidate of a task has some score of 0.

    Args:
        ws: the campaign.
        connection: to its store.
        left: candidates.
        tasks: theirs, for the scorers.
    """
    older = superseded(connection).keys() & set(left)
    others = set(left) - older
    suspects = zeros(connection, {task_id for task_id, _ in others}) & others
    cleared = {task_id for task_id, _ in others - suspects}
    if any(task_id not in cleared for task_id, _ in suspects):
        return older | (_refused(ws, connection, tasks) & suspects)
    return older


def _refused(ws: Workspace, connection: Connection, tasks: Sequence[Task]) -> set[Key]:
    """Candidates of which a gate of the present scorers is 0; a score that came as a table is never a gate."""
    scorers, _ = ready_scorers(ws, contest_context(ws, list(dict.fromkeys(tasks))))
    gates = [
        (name, scorer.version, c.name)
        for name, scorer in scorers.items()
        for c in scorer.columns
        if c.axis is Axis.GATE
    ]
    return refused_by(connection, gates, reading_words(scorers))
