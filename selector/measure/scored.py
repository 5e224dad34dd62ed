"""What a scoring run has to do, and what it brings: checked results as rows for the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selector.domain import BestshotError, Column, InputError, Score, Scorer, Task, TaskInputs, reason_of
from selector.domain.reading import with_tag
from selector.store import LostImage
from selector.store.pruned import load_gone
from selector.store.scores import scored_candidates
from selector.workspace.plug_ins import reading_words
from selector.workspace.workspace import Workspace

Due = tuple[Task, str, tuple[str, ...]]  # a candidate of a task, and the scorers that have not measured it
MOST_CHARACTERS = 280  # of a reason


@dataclass(frozen=True)
class Failure:
    """What broke, and at which scorers; at none where a candidate or an input could not be read.

    ``lost``: the candidate whose picture is missing or damaged where it should be, "" if none is.
    """

    reason: str
    scorers: tuple[str, ...] = ()
    lost: str = ""

    @classmethod
    def of_picture(cls, candidate_id: str, error: InputError) -> Failure:
        """Of a candidate whose picture could not be read."""
        return cls(reason_of(error), lost=candidate_id if isinstance(error, LostImage) else "")

    @classmethod
    def of(cls, scorers: Iterable[str], error: Exception) -> Failure:
        """Our own errors are sentences; of others the kind says the half.

        Raises:
            OutOfResources: the machine ran out of something.
        """
        reason = reason_of(error)
        told = reason if isinstance(error, BestshotError) else f"{type(error).__name__}: {reason}"
        return cls(told[:MOST_CHARACTERS], tuple(scorers))

    def __str__(self) -> str:
        names = ", ".join(self.scorers)
        return self.reason if not names or self.reason.startswith(f"{names}: ") else f"{names}: {self.reason}"


@dataclass(frozen=True)
class Scored:
    """Rows for the store, how many candidates they are of, and what broke, by reason."""

    rows: list[dict[str, Any]]
    candidates: int
    failures: list[Failure]


def lost(due: Iterable[Due], why: Exception) -> Scored:
    """Candidates with which a worker died: nothing is stored of them, so the next run tries again."""
    failures = [
        Failure(f"task {task.id}, candidate {candidate_id[:12]}: {reason_of(why)}") for task, candidate_id, _ in due
    ]
    return Scored([], len(failures), failures)


def due(ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer]) -> list[Due]:
    """Every candidate that lacks scores of the present versions, those of a task together."""
    with ws.db.read() as connection:
        versions = {name: scorer.version for name, scorer in scorers.items()}
        known, gone = scored_candidates(connection, versions, reading_words(scorers)), load_gone(connection)
    found: list[Due] = []
    for task in tasks:
        names = [name for name, scorer in scorers.items() if task.type in scorer.task_types]
        for candidate_id, scored in known.get(task.id, {}).items():
            lacking = tuple(name for name in names if name not in scored)
            if lacking and candidate_id not in gone:
                found.append((task, candidate_id, lacking))
    return found


class Versions:
    """Under which version a run stores the scores of its scorers; their own versions are asked for once.

    Some scorers hash files for theirs.
    """

    def __init__(self, scorers: Mapping[str, Scorer]) -> None:
        self._own = {name: scorer.version for name, scorer in scorers.items()}
        self._reading = reading_words(scorers)

    def own(self, name: str) -> str:
        """Of the scorer itself, whatever a task's words mean."""
        return self._own[name]

    def of(self, name: str, inputs: TaskInputs) -> str:
        """Of a scorer's scores that were measured with these inputs."""
        tag = inputs.reading.tag if inputs.reading and name in self._reading else ""
        return with_tag(self._own[name], tag)


def checked(columns: Sequence[Column], result: Mapping[str, Score]) -> dict[str, Score]:
    """Every column's score. Raises ``TypeError`` for what is none: plug-ins are written by others."""
    if not isinstance(result, Mapping):
        raise TypeError(f"a result must be a mapping of column names to Score, got {type(result).__name__}")
    return {column.name: _checked(column, result) for column in columns}


def _checked(column: Column, result: Mapping[str, Score]) -> Score:
    if column.name not in result:
        return Score.unscored("the scorer gave no value for this column")
    score = result[column.name]
    if not isinstance(score, Score):
        raise TypeError(f"column {column.name!r} must be a Score, got {type(score).__name__}")
    if score.value is not None and not column.low <= score.value <= column.high:
        return Score.unscored(f"value {score.value:g} is outside the declared range {column.low:g} to {column.high:g}")
    return score


def rows_of(
    task_id: str, candidate_id: str, name: str, version: str, result: Mapping[str, Score]
) -> list[dict[str, Any]]:
    """Rows of the table ``score``."""
    key = {"task_id": task_id, "candidate_id": candidate_id, "scorer": name, "version": version}
    return [{**key, "column": c, "value": score.value, "reason": score.reason} for c, score in result.items()]
