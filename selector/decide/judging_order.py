"""Which candidates a judge is asked about first: as the plan of judgements has them, then all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selector.decide.planning import need, planned_judgements
from selector.domain import InputError, Scorer, Task
from selector.llm import Key
from selector.store.records import load_candidates
from selector.workspace.workspace import Workspace


def candidates_in_order(ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer], judge: str) -> list[Key]:
    """Every candidate that may be picked: what the plan expects to win most, then the rest.

    Before anything is scored there is no plan: then all candidates but last resorts, in the order of the table.

    Raises:
        InputError: there is no candidate.
    """
    with ws.db.read() as connection:
        candidates = [(c.task_id, c.id) for c in load_candidates(connection) if not c.fallback]
    if not candidates:
        raise InputError("there are no candidates yet: run `bestshot generate` or `bestshot import` first")
    place = {task.id: task.position for task in tasks}
    rest = sorted(candidates, key=lambda key: (place[key[0]], key[1]))
    planned: list[Key] = []
    try:
        known = need(ws, tasks, scorers)
    except InputError:  # nothing is scored
        known = None
    if known is not None:
        rest = [key for key in rest if key not in known.excluded]
        planned = [(j.task_id, j.candidate_id) for j in planned_judgements(ws, known, judge, len(candidates))]
    allowed = set(rest)
    return [key for key in dict.fromkeys([*planned, *rest]) if key in allowed]
