"""What a scoring run has to do, and what it brings: checked results as rows for the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from selector.domain import BestshotError, Column, InputError, Score, Scorer, Task, TaskInputs, reason_of
from selector.domain.reading import with_tag
from selector.store import LostImage
from selector.store.pruned import gone_candidates
from selector.store.scores import scored_candidates
from selector.workspace.plug_ins import reading_words
from selector.workspace.workspace import Workspace

if TYPE_CHECKING:
    from selector.store.key_index import Bools, Ints, Key, KeyIndex

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


class DueCandidates(Sequence[Due]):
    """Candidates that lack scores, those of a task together: some 80 bytes for each, until they are looked at.

    Args:
        tasks: by id.
        keys: of all candidates of the campaign.
        places: (n,) of these among them.
        names: of the scorers.
        lacking: (n, scorers) whether each scorer has yet to measure it.
    """

    def __init__(
        self, tasks: Mapping[str, Task], keys: KeyIndex, places: Ints, names: Sequence[str], lacking: Bools
    ) -> None:
        self._tasks, self._keys, self._places = tasks, keys, places
        self._names, self._lacking = names, lacking
        self._combinations: dict[bytes, tuple[str, ...]] = {}  # few, of many candidates

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, i: int) -> Due: ...
    @overload
    def __getitem__(self, i: slice) -> list[Due]: ...
    def __getitem__(self, i: int | slice) -> Due | list[Due]:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        task_id, candidate_id = self._keys[int(self._places[i])]
        lacking = self._lacking[i]
        key = lacking.tobytes()
        if key not in self._combinations:
            self._combinations[key] = tuple(compress(self._names, lacking.tolist()))
        return self._tasks[task_id], candidate_id, self._combinations[key]

    def by(self, names: Collection[str]) -> DueCandidates:
        """Those that one of these scorers has yet to measure, for these scorers."""
        kept = [j for j, name in enumerate(self._names) if name in names]
        lacking = self._lacking[:, kept]
        is_due = lacking.any(axis=1)
        return DueCandidates(
            self._tasks, self._keys, self._places[is_due], [self._names[j] for j in kept], lacking[is_due]
        )

    def without(self, keys: Iterable[Key]) -> DueCandidates:
        """All but these candidates."""
        kept = ~np.isin(self._places, self._keys.places(keys))
        return DueCandidates(self._tasks, self._keys, self._places[kept], self._names, self._lacking[kept])

    @property
    def scorers(self) -> set[str]:
        """Those that have something to measure."""
        return {self._names[j] for j in np.flatnonzero(self._lacking.any(axis=0)).tolist()}

    @property
    def tasks(self) -> list[Task]:
        """Those of the candidates."""
        return [self[span.start][0] for span in self.spans()]

    def spans(self) -> list[range]:
        """The places of each task's candidates."""
        starts = np.flatnonzero(np.diff(self._keys.tasks[self._places], prepend=-1)).tolist()
        return [range(start, end) for start, end in pairwise([*starts, len(self)])]

    def counter(self) -> Callable[[Iterable[Key]], int]:
        """Tells of keys how many it has not been told of before, the same in one call included."""
        seen = np.zeros(len(self._keys), dtype=bool)

        def count(keys: Iterable[Key]) -> int:
            places = np.unique(self._keys.places(keys))
            new = int((~seen[places]).sum())
            seen[places] = True
            return new

        return count


def due(ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer]) -> DueCandidates:
    """Every candidate that lacks scores of the present versions, in the order of the tasks."""
    with ws.db.read() as connection:
        versions = {name: scorer.version for name, scorer in scorers.items()}
        keys, scored = scored_candidates(connection, versions, reading_words(scorers))
        gone = keys.places(gone_candidates(connection))
    order = {task.id: i for i, task in enumerate(tasks)}
    types = {task.id: task.type for task in tasks}
    calls_for = [[types.get(t) in scorer.task_types for scorer in scorers.values()] for t in keys.task_ids]
    of_task = keys.tasks
    lacking = np.array(calls_for, dtype=bool).reshape(len(keys.task_ids), len(scorers))[of_task] & ~scored
    lacking[gone] = False
    places = np.flatnonzero(lacking.any(axis=1))
    place_of_task = np.array([order.get(task_id, -1) for task_id in keys.task_ids], dtype=np.intp)
    places = places[np.argsort(place_of_task[of_task[places]], kind="stable")]
    return DueCandidates({task.id: task for task in tasks}, keys, places, list(scorers), lacking[places])


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
