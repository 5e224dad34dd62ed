"""What people decide of a campaign, within what its contest allows: exclusions, pins, notes, and taking them back."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable

from sqlalchemy import Connection

from selector.domain import InputError, TaskType
from selector.domain.decisions import Decision, DecisionKind, DecisionRule, Decisions, Target
from selector.domain.words import near_or_all
from selector.store.candidates import all_makers, find_candidates
from selector.store.decisions import add_decision, load_decisions, load_history
from selector.workspace.workspace import Workspace

MOST_CHARACTERS = 2000  # of a reason or a note
_PERSON = "BESTSHOT_PERSON"  # whose decisions these are, where it is not the user of the machine


def person() -> str:
    """Who decides, unless it is said: the environment's ``BESTSHOT_PERSON``, else the user of this machine."""
    try:
        return os.environ.get(_PERSON) or getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "somebody"


class DecisionBook:
    """Every decision of a campaign. Each is a row of its own; what holds follows from all of them.

    Methods that say something return what was stored, or nothing where it held already. They take a candidate by its id
    or a unique beginning of it, and the name of who decides (``by``), the user's if it is left out.

    Example:
        >>> campaign.decisions.exclude(candidate="1a2b3c4d", reason="six fingers")  # doctest: +SKIP
        >>> campaign.decisions.include(candidate="1a2b3c4d", reason="five, after all")  # doctest: +SKIP
    """

    def __init__(self, ws: Workspace, task_ids: Callable[[], frozenset[str]]) -> None:
        self._ws, self._task_ids = ws, task_ids

    @property
    def present(self) -> Decisions:
        """What holds now."""
        with self._ws.db.read() as connection:
            return load_decisions(connection)

    @property
    def history(self) -> tuple[Decision, ...]:
        """All that was ever decided, oldest first."""
        with self._ws.db.read() as connection:
            return load_history(connection)

    def exclude(
        self,
        reason: str,
        candidate: str | None = None,
        task: str | None = None,
        generator: str | None = None,
        by: str | None = None,
    ) -> tuple[Decision, ...]:
        """A candidate, a generator on a task, or a generator (``folder:LABEL`` is an import) is not to be picked.

        Raises:
            InputError: the contest does not allow it, there is no reason, or nothing of that name.
        """
        self._need(DecisionRule.EXCLUSIONS)
        return self._each(DecisionKind.EXCLUDE, reason, by, candidate, task, generator)

    def include(
        self,
        reason: str = "",
        candidate: str | None = None,
        task: str | None = None,
        generator: str | None = None,
        by: str | None = None,
    ) -> tuple[Decision, ...]:
        """Take an exclusion back, named as it was made.

        Raises:
            InputError: nothing of that name is excluded; where it is by another name (its generator's), that is said.
        """
        self._need(DecisionRule.EXCLUSIONS)
        return self._each(DecisionKind.INCLUDE, reason, by, candidate, task, generator)

    def pin(self, task: str, candidate: str, reason: str, by: str | None = None) -> tuple[Decision, ...]:
        """Pick this candidate for the task, whatever the estimates say.

        Raises:
            InputError: as ``exclude``, or the candidate is excluded.
        """
        self._need(DecisionRule.EXCLUSIONS_AND_PINS)
        return self._each(DecisionKind.PIN, reason, by, candidate, task)

    def release(self, task: str, reason: str = "", by: str | None = None) -> tuple[Decision, ...]:
        """Take a task's pin back; raises ``InputError`` where none is pinned."""
        self._need(DecisionRule.EXCLUSIONS_AND_PINS)
        return self._each(DecisionKind.RELEASE, reason, by, task=task)

    def note(self, text: str, task: str, candidate: str | None = None, by: str | None = None) -> tuple[Decision, ...]:
        """Keep a remark on a task or a candidate; it changes nothing."""
        return self._each(DecisionKind.NOTE, text, by, candidate, task)

    def undo(self, by: str | None = None) -> Decision | None:
        """Take back the newest exclusion or pin of this person that still holds; None where there is none.

        A pin gives way to the one that it had replaced.
        """
        who = by or person()
        with self._ws.db.write() as connection:
            history = load_history(connection)
            holds = Decisions.of(history)
            holding = {d.id for d in (*holds.excluded.values(), *holds.pins.values())}
            last = next((d for d in reversed(history) if d.by == who and d.id in holding), None)
            if last is None:
                return None
            kind, target = DecisionKind.INCLUDE, last.target
            if last.kind is DecisionKind.PIN:
                earlier = Decisions.of(d for d in history if d.id < last.id).pins.get(target.task_id or "")
                kind = DecisionKind.PIN if earlier else DecisionKind.RELEASE
                target = earlier.target if earlier else Target(target.task_id)
            return add_decision(connection, kind, target, f"undone: {last.reason}", who, self._ws.now())

    def _each(
        self,
        kind: DecisionKind,
        reason: str,
        by: str | None,
        candidate: str | None = None,
        task: str | None = None,
        generator: str | None = None,
    ) -> tuple[Decision, ...]:
        reason, who = reason.strip(), (by or person()).strip()
        if kind in (DecisionKind.EXCLUDE, DecisionKind.PIN, DecisionKind.NOTE) and not reason:
            raise InputError("a decision needs a reason: give --reason" if kind is not DecisionKind.NOTE else "no text")
        for text in (reason, who):
            if len(text) > MOST_CHARACTERS:
                raise InputError(f"{len(text)} characters are too many: at most {MOST_CHARACTERS}")
        with self._ws.db.write() as connection:
            targets = self._targets(connection, candidate, task, generator)
            holds = load_decisions(connection)
            found = [self._told(connection, kind, target, reason, who, holds) for target in targets]
        return tuple(one for one in found if one is not None)

    def _told(
        self, connection: Connection, kind: DecisionKind, target: Target, reason: str, by: str, holds: Decisions
    ) -> Decision | None:
        """Store it, unless that is how it is already."""
        task_id, candidate_id = target.task_id or "", target.candidate_id
        if kind is DecisionKind.EXCLUDE and target in holds.excluded:
            return None
        if kind is DecisionKind.INCLUDE and target not in holds.excluded:
            wider = candidate_id and holds.against(task_id, candidate_id, all_makers(connection, task_id, candidate_id))
            if wider:
                raise InputError(f"{target} is excluded with {wider.target} ({wider.reason}): include that")
            raise InputError(f"{target} is not excluded: `bestshot status` lists what is")
        if kind is DecisionKind.PIN and candidate_id is not None:
            against = holds.against(task_id, candidate_id, all_makers(connection, task_id, candidate_id))
            if against:
                raise InputError(f"{target} is excluded ({against.reason}): `bestshot include` it before it is pinned")
            if holds.pinned(task_id) == candidate_id:
                return None
        if kind is DecisionKind.RELEASE and task_id not in holds.pins:
            raise InputError(f"task {task_id} has no pin: `bestshot status` lists what is pinned")
        return add_decision(connection, kind, target, reason, by, self._ws.now())

    def _targets(
        self, connection: Connection, candidate: str | None, task: str | None, generator: str | None
    ) -> list[Target]:
        """What is meant; one target a task where the same picture is a candidate of several."""
        if task is not None and task not in self._task_ids():
            raise InputError(f"there is no task '{task}'{near_or_all(task, sorted(self._task_ids()))}")
        if candidate is not None:
            if generator is not None:
                raise InputError("name a candidate or a generator, not both")
            found = find_candidates(connection, candidate, task)
            return [Target(task_id, candidate_id) for task_id, candidate_id in found]
        if generator is not None:
            self._check_generator(connection, generator)
        elif task is None:
            raise InputError("name what it is about: a candidate, a task, a generator or a label")
        return [Target(task, generator=generator)]

    def _check_generator(self, connection: Connection, generator: str) -> None:
        planned = {step.generator for kind in TaskType for step in self._ws.config.generate.steps(kind)}
        known = sorted({*self._ws.config.generators, *all_makers(connection), *planned})
        if generator not in known:
            raise InputError(f"nothing was made or is configured as '{generator}'{near_or_all(generator, known)}")

    def _need(self, least: DecisionRule) -> None:
        allowed, profile = self._ws.profile.rules.decisions, self._ws.profile.name
        order = list(DecisionRule)
        if order.index(allowed) < order.index(least):
            what = "pins" if least is DecisionRule.EXCLUSIONS_AND_PINS else "exclusions"
            raise InputError(
                f'the rules of {profile} allow no {what} by hand (decisions = "{allowed.value}" in its profile)'
            )
