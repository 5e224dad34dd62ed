"""What people decided: not this picture, nothing of this generator, that picture for sure; and what they noted."""

from __future__ import annotations

import getpass
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

_PERSON = "BESTSHOT_PERSON"  # who it is, where it is not the user of the machine


def person() -> str:
    """Who is at work, unless it is said: the environment's ``BESTSHOT_PERSON``, else the user of this machine."""
    try:
        return os.environ.get(_PERSON) or getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "somebody"


class DecisionKind(str, Enum):
    """``include`` takes an exclusion back, ``release`` a pin."""

    EXCLUDE = "exclude"
    INCLUDE = "include"
    PIN = "pin"
    RELEASE = "release"
    NOTE = "note"


class DecisionRule(str, Enum):
    """Which decisions of people a contest allows to change a submission; notes change none."""

    NONE = "none"
    EXCLUSIONS = "exclusions"
    EXCLUSIONS_AND_PINS = "exclusions_and_pins"


@dataclass(frozen=True, slots=True)
class Target:
    """What a decision is about: a candidate of a task, a generator on a task, a generator on all tasks, or a task.

    An import is the generator ``folder:LABEL``.

    Example:
        >>> str(Target("17", generator="wanx"))
        "what 'wanx' makes for task 17"
    """

    task_id: str | None = None
    candidate_id: str | None = None
    generator: str | None = None

    def __post_init__(self) -> None:
        if self.task_id is None and (self.generator is None or self.candidate_id is not None):
            raise ValueError("a decision is about a task, a candidate of a task, or a generator")
        if self.candidate_id is not None and self.generator is not None:
            raise ValueError("a decision is about a candidate or a generator, not both")

    def __str__(self) -> str:
        if self.candidate_id is not None:
            return f"candidate {self.candidate_id[:8]} of task {self.task_id}"
        if self.generator is not None:
            return f"what '{self.generator}' makes" + (f" for task {self.task_id}" if self.task_id else "")
        return f"task {self.task_id}"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision as it is stored: ``by`` whom, why and when (ISO 8601). Nothing is changed or removed later.

    ``undoes``: the id of the decision that it takes back, where it was made by ``undo``.
    """

    id: int
    kind: DecisionKind
    target: Target
    reason: str
    by: str
    at: str
    undoes: int | None = None

    def is_about(self, task_id: str, generators: Collection[str]) -> bool:
        """Whether it concerns a task; ``generators`` are those that have made candidates of it."""
        target = self.target
        return target.task_id == task_id if target.task_id is not None else target.generator in generators


@dataclass(frozen=True)
class Decisions:
    """What holds at present: by target the exclusion, by task the pin, and all notes, oldest first.

    A pin holds nothing while its candidate is excluded. ``newest`` is the id of the newest decision, 0 before the
    first: what follows from decisions follows from all up to it. ``copies``: by target the exclusion of the candidate
    that a finish was applied to (filled by the store, which knows them).
    """

    excluded: Mapping[Target, Decision] = field(default_factory=dict)
    pins: Mapping[str, Decision] = field(default_factory=dict)
    notes: tuple[Decision, ...] = ()
    newest: int = 0
    copies: Mapping[Target, Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, history: Iterable[Decision]) -> Decisions:
        """From all decisions, oldest first: the newest about a target counts."""
        excluded: dict[Target, Decision] = {}
        pins: dict[str, Decision] = {}
        notes, newest = [], 0
        for one in history:
            newest = max(newest, one.id)
            task_id = one.target.task_id or ""
            if one.kind is DecisionKind.EXCLUDE:
                excluded[one.target] = one
            elif one.kind is DecisionKind.INCLUDE:
                excluded.pop(one.target, None)
            elif one.kind is DecisionKind.PIN:
                pins[task_id] = one
            elif one.kind is DecisionKind.RELEASE:
                pins.pop(task_id, None)
            else:
                notes.append(one)
        return cls(excluded, pins, tuple(notes), newest)

    @property
    def excluded_generators(self) -> dict[str, Decision]:
        """Generator to why nothing of it is picked for any task, by name."""
        wide = {t.generator: d for t, d in self.excluded.items() if t.task_id is None and t.generator is not None}
        return dict(sorted(wide.items()))

    def against_generator(self, task_id: str, generator: str) -> Decision | None:
        """Why a generator is asked for nothing of a task; None where it may be asked."""
        wide = self.excluded.get(Target(generator=generator))
        return wide or self.excluded.get(Target(task_id, generator=generator))

    def against(self, task_id: str, candidate_id: str, generators: Collection[str]) -> Decision | None:
        """Why a candidate must not be picked; None where it may.

        ``generators``: all that have made it; what one of them made that is not excluded stays.
        """
        target = Target(task_id, candidate_id)
        own = self.excluded.get(target) or self.copies.get(target)
        if own is not None:
            return own
        found = [self.against_generator(task_id, name) for name in sorted(generators)]
        return found[0] if found and all(found) else None

    def pinned(self, task_id: str) -> str | None:
        """The candidate that is pinned for a task."""
        pin = self.pins.get(task_id)
        return pin.target.candidate_id if pin else None
