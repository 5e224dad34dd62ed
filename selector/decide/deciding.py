"""What people decide of a campaign, within what its contest allows: exclusions, pins, notes, and taking them back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from shlex import quote

from sqlalchemy import Connection

from selector.decide._undoing import undoing
from selector.domain import InputError, TaskType
from selector.domain.decisions import Decision, DecisionKind, DecisionRule, Decisions, Target, person
from selector.domain.words import near_or_all, no_task
from selector.store.candidates import all_makers, all_tried, find_candidates
from selector.store.decisions import add_decision, load_decisions, load_history, standing
from selector.store.pruned import load_gone
from selector.workspace.workspace import Workspace

MOST_CHARACTERS = 2000  # of a reason or a note
LABEL = "folder:"  # before the label of an import: so its generator is called
_NEED_REASON = {
    DecisionKind.EXCLUDE: "an exclusion needs a reason: give --reason",
    DecisionKind.PIN: "a pin needs a reason: give --reason",
    DecisionKind.NOTE: "a note needs some text",
}

Names = str | Sequence[str] | None


class DecisionBook:
    """Every decision of a campaign. Each is a row of its own; what holds follows from all of them.

    Methods that say something return what was stored, or nothing where it held already; of several targets all are
    stored or none. They take a candidate by its id or a unique beginning of it (in every task that has it, if no task
    is named), and the name of who decides (``by``), the user's if it is left out.

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
        self, reason: str, candidate: Names = None, task: Names = None, generator: Names = None, by: str | None = None
    ) -> tuple[Decision, ...]:
        """Candidates, generators on tasks, or generators (``folder:LABEL`` is an import) are not to be picked.

        Raises:
            InputError: the contest does not allow it, there is no reason, or nothing of that name.
        """
        self._need(DecisionRule.EXCLUSIONS)
        return self._each(DecisionKind.EXCLUDE, reason, by, candidate, task, generator)

    def include(
        self,
        reason: str = "",
        candidate: Names = None,
        task: Names = None,
        generator: Names = None,
        by: str | None = None,
    ) -> tuple[Decision, ...]:
        """Take exclusions back, named as they were made.

        Raises:
            InputError: nothing of that name was ever excluded; where it is by another name (its generator's), that is
                said.
        """
        self._need(DecisionRule.EXCLUSIONS)
        return self._each(DecisionKind.INCLUDE, reason, by, candidate, task, generator)

    def pin(self, task: str, candidate: str, reason: str, by: str | None = None) -> tuple[Decision, ...]:
        """Pick this candidate for the task, whatever the estimates say.

        Raises:
            InputError: as ``exclude``, or the candidate is excluded, or its image lost or deleted.
        """
        self._need(DecisionRule.EXCLUSIONS_AND_PINS)
        return self._each(DecisionKind.PIN, reason, by, candidate, task)

    def release(self, task: str, reason: str = "", by: str | None = None) -> tuple[Decision, ...]:
        """Take a task's pin back; raises ``InputError`` where none was ever pinned."""
        self._need(DecisionRule.EXCLUSIONS_AND_PINS)
        return self._each(DecisionKind.RELEASE, reason, by, task=task)

    def note(self, text: str, task: str, candidate: str | None = None, by: str | None = None) -> tuple[Decision, ...]:
        """Keep a remark on a task or a candidate; it changes nothing."""
        return self._each(DecisionKind.NOTE, text, by, candidate, task)

    def undo(self, by: str | None = None) -> Decision | None:
        """Take back this person's newest exclusion, inclusion, pin or release that still holds; None: there is none.

        What held before holds again: a pin gives way to the one that it had replaced, and what was included is
        excluded again. What undid something is not undone itself, so that asking again goes further back.

        Raises:
            InputError: the contest does not allow such decisions (any more).
        """
        who = by or person()
        with self._ws.db.write() as connection:
            found = undoing(load_history(connection), who)
            if found is None:
                return None
            is_pin = found.kind in (DecisionKind.PIN, DecisionKind.RELEASE)
            self._need(DecisionRule.EXCLUSIONS_AND_PINS if is_pin else DecisionRule.EXCLUSIONS)
            at = self._ws.now()
            return add_decision(connection, found.kind, found.target, found.reason, who, at, found.undoes)

    def _each(
        self,
        kind: DecisionKind,
        reason: str,
        by: str | None,
        candidate: Names = None,
        task: Names = None,
        generator: Names = None,
    ) -> tuple[Decision, ...]:
        reason, who = _checked(reason), _checked(by or "") or person()
        if kind in _NEED_REASON and not reason:
            raise InputError(_NEED_REASON[kind])
        with self._ws.db.write() as connection:
            targets = self._targets(connection, kind, _listed(candidate), _listed(task), _listed(generator))
            history = load_history(connection)
            found = [self._told(connection, kind, target, reason, who, history) for target in targets]
        return tuple(one for one in found if one is not None)

    def _told(
        self,
        connection: Connection,
        kind: DecisionKind,
        target: Target,
        reason: str,
        by: str,
        history: Sequence[Decision],
    ) -> Decision | None:
        """Store it, unless that is how it is already."""
        holds = Decisions.of(history)
        if kind is DecisionKind.NOTE:
            stands = any((d.target, d.reason, d.by) == (target, reason, by) for d in holds.notes)
        elif kind is DecisionKind.EXCLUDE:
            stands = target in holds.excluded
        elif kind is DecisionKind.INCLUDE:
            stands = target not in holds.excluded
            if stands and not any(d.kind is DecisionKind.EXCLUDE and d.target == target for d in history):
                raise InputError(_not_excluded(connection, target, standing(connection, history)))
        elif kind is DecisionKind.PIN:
            stands = holds.pinned(target.task_id or "") == target.candidate_id
            self._check_pin(connection, target, standing(connection, history), is_new=not stands)
        else:
            stands = target.task_id not in holds.pins
            if stands and not any(d.kind is DecisionKind.PIN and d.target.task_id == target.task_id for d in history):
                raise InputError(f"task {target.task_id} was never pinned: `bestshot status` counts what is")
        return None if stands else add_decision(connection, kind, target, reason, by, self._ws.now())

    def _targets(
        self,
        connection: Connection,
        kind: DecisionKind,
        candidates: Sequence[str],
        tasks: Sequence[str],
        generators: Sequence[str],
    ) -> list[Target]:
        """What is meant, each once; one target a task where the same picture is a candidate of several."""
        for task in tasks:
            if task not in self._task_ids():
                raise InputError(no_task(task, self._task_ids()))
        if candidates and generators:
            raise InputError("name candidates or generators, not both")
        changes = kind in (DecisionKind.EXCLUDE, DecisionKind.INCLUDE)
        if not (candidates or generators) and (changes or not tasks):
            of = f" of task {tasks[0]}" if tasks else ""
            raise InputError(f"say what{of} is meant: --candidate ID, --generator NAME or --label LABEL")
        places: Sequence[str | None] = tasks or [None]
        if candidates:
            keys = [key for one in candidates for task in places for key in find_candidates(connection, one, task)]
            if kind is not DecisionKind.NOTE:
                _check_answers(connection, keys)
            return [Target(*key) for key in dict.fromkeys(keys)]
        for generator in generators:
            self._check_generator(connection, generator)
        named: Sequence[str | None] = generators or [None]
        return [Target(task, generator=name) for name in dict.fromkeys(named) for task in dict.fromkeys(places)]

    def _check_generator(self, connection: Connection, generator: str) -> None:
        planned = {step.generator for kind in TaskType for step in self._ws.config.generate.steps(kind)}
        known = sorted({*self._ws.config.generators, *all_tried(connection), *planned})
        if generator in known:
            return
        if generator.startswith(LABEL):
            label, labels = generator.removeprefix(LABEL), [n.removeprefix(LABEL) for n in known if n.startswith(LABEL)]
            raise InputError(f"nothing was imported under the label '{label}'{near_or_all(label, labels)}")
        raise InputError(f"nothing was made or is configured as '{generator}'{near_or_all(generator, known)}")

    def _check_pin(self, connection: Connection, target: Target, holds: Decisions, is_new: bool) -> None:
        """Raise ``InputError`` for a pin of what cannot be picked: it would hold nothing."""
        task_id, candidate_id = target.task_id or "", target.candidate_id or ""
        gone = load_gone(connection, [candidate_id])
        if gone:
            raise InputError(f"{target} was {gone[candidate_id].words}: make or import it again before it is pinned")
        against = holds.against(task_id, candidate_id, all_makers(connection, task_id, candidate_id))
        if against:
            raise InputError(
                f"{target} is excluded by {against.by} ({against.reason}): "
                f"`bestshot include {in_command(against.target)}` before it is pinned"
            )
        from selector.decide.candidates import lost_images  # with the arithmetic of estimates, which others do not need

        if is_new and candidate_id in lost_images(self._ws):
            raise InputError(f"the image of {target} is lost: restore, make or import it again before it is pinned")

    def _need(self, least: DecisionRule) -> None:
        allowed, profile = self._ws.profile.rules.decisions, self._ws.profile.name
        order = list(DecisionRule)
        if order.index(allowed) < order.index(least):
            by_pin = least is DecisionRule.EXCLUSIONS_AND_PINS
            raise InputError(
                f"the rules of {profile} allow no {'pins' if by_pin else 'exclusions'} by hand "
                f'(decisions = "{allowed.value}" in its profile); '
                "`bestshot note` keeps a remark"
            )


def in_command(target: Target) -> str:
    """A target as the verbs take it: "--candidate 1a2b3c4d --task 17"."""
    parts = [f"--candidate {target.candidate_id[:8]}"] if target.candidate_id else []
    name = target.generator or ""
    if name:
        is_label = name.startswith(LABEL)
        parts.append(f"--label {quote(name.removeprefix(LABEL))}" if is_label else f"--generator {quote(name)}")
    return " ".join([*parts, *([f"--task {quote(target.task_id)}"] if target.task_id else [])])


def _listed(names: Names) -> Sequence[str]:
    return [names] if isinstance(names, str) else names or ()


def _checked(text: str) -> str:
    """A reason, note or name as one line; raises ``InputError`` where it is too long or no text."""
    line = " ".join(text.split())
    if len(line) > MOST_CHARACTERS:
        raise InputError(f"{len(line)} characters are too many for a reason, a note or a name: {MOST_CHARACTERS} fit")
    try:
        line.encode()
    except UnicodeEncodeError as error:  # bytes on the command line that are not UTF-8
        raise InputError("a reason, a note and a name are text in UTF-8") from error
    return line


def _not_excluded(connection: Connection, target: Target, holds: Decisions) -> str:
    if target.task_id and target.candidate_id:
        makers = all_makers(connection, target.task_id, target.candidate_id)
        wider = holds.against(target.task_id, target.candidate_id, makers)
        if wider:
            return (
                f"{target} is excluded with {wider.target} ({wider.reason}): "
                f"`bestshot include {in_command(wider.target)}` takes that back"
            )
    if target.task_id and target.generator and Target(generator=target.generator) in holds.excluded:
        wide = Target(generator=target.generator)
        return f"{wide} is excluded for all tasks: `bestshot include {in_command(wide)}` takes that back"
    return f"{target} was never excluded: `bestshot status` lists generators that are, `bestshot explain TASK` the rest"


def _check_answers(connection: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Raise ``InputError`` for a last resort: it stands where nothing else is, whatever people say of it."""
    for task_id, candidate_id in keys:
        if not all_makers(connection, task_id, candidate_id):
            raise InputError(
                f"{Target(task_id, candidate_id)} is only the fallback, which is taken where nothing else may be: "
                "make or include another candidate instead"
            )
