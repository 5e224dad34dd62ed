"""Asks a judge about candidates: questions in the order of a plan, replies that become judgements."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlalchemy import Connection

from selector.config import MOST_PASSES
from selector.domain import InputError, Task, TaskType, reason_of
from selector.domain.progress import Progress, silent
from selector.llm._asking import Asking, Ended, Question, Reply, Summary
from selector.llm._replies import SCORED
from selector.llm._session import Session, alone_with, judge_settings, open_session
from selector.llm.judgements import (
    OPEN,
    UNSCORED,
    Call,
    Calls,
    Key,
    binding_parts,
    judgement_of,
    news,
    rubrics_of,
    state_of,
)
from selector.store import schema
from selector.store.observations import Judgement, add_judgements, load_judgements, pass_sds
from selector.store.replies import ReplyRow, load_replies, most_repeats, standing
from selector.workspace.workspace import Workspace

NO_PASSES: Mapping[Key, int] = MappingProxyType({})


@dataclass
class AskSummary(Summary):
    """What a run asked and learned.

    ``candidates``: that were asked about; ``judged`` of them have a new or changed judgement; ``later``: those that a
    limit left for another run. ``questions`` are SC and PQ of each pass, ``scored`` of them have scores, ``unscored``
    count the others by reason; ``replies``: answers, those asked again included; ``sent_again``: retries by cause.
    ``passes``: to a number of passes how many candidates have as many by now; ``pass_sd``: standard deviation of one
    pass, in points, of "sc" and "pq", over all candidates with several; ``binding``: by task type, how often each
    sub-score was the smallest, over all that this judge has judged. ``failures`` are not stored and tried again by the
    next run.
    """

    judge: str
    model: str
    provider: str
    candidates: int = 0
    judged: int = 0
    later: int = 0
    questions: int = 0
    scored: int = 0
    unscored: dict[str, int] = field(default_factory=dict)
    replies: int = 0
    sent_again: dict[str, int] = field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0
    passes: dict[int, int] = field(default_factory=dict)
    pass_sd: dict[str, float] = field(default_factory=dict)
    binding: dict[str, dict[str, int]] = field(default_factory=dict)


def ask_judge(
    ws: Workspace,
    tasks: Sequence[Task],
    order: Callable[[int], Sequence[Key]],
    name: str,
    types: Sequence[TaskType] | None = None,
    limit: int | None = None,
    budget_money: float | None = None,
    retry_failed: bool = False,
    progress: Progress = silent,
    repeat: int | None = None,
    passes_of: Mapping[Key, int] = NO_PASSES,
) -> AskSummary:
    """Ask the judge of ``[judges.NAME]`` about candidates and store what it says as judgements by that name.

    Args:
        order: how many passes are wanted, to the candidates (task id, candidate id) that may be asked about, those
            first whose judgement is expected to win most.
        types: only tasks of these types.
        limit: ask about at most so many candidates; those first whose judgement is expected to win most.
        budget_money: stop before this run costs more, in the currency of the prices.
        retry_failed: ask again what was refused, rejected, or could not be read before.
        repeat: bring every candidate that is asked about to so many passes, 1 to 25; ``repeats`` of the configuration
            if None.
        passes_of: candidates that are brought to another number of passes.

    Raises:
        InputError: no such judge is configured, its key is not set, its model was another one before, or another
            process asks it now.
        JudgeStopped: the server does not let us in, or cannot be reached; what came before is stored.
    """
    settings = judge_settings(ws, name)
    passes = settings.repeats if repeat is None else repeat
    if not 1 <= passes <= MOST_PASSES:
        raise InputError(f"a judge is asked for 1 to {MOST_PASSES} passes over a candidate, got {passes}")
    with alone_with(ws, settings) as stop:
        run = _Judging(open_session(ws, name, stop, budget_money), passes, retry_failed, passes_of)
        questions = run.wanted(tasks, order, types, limit)
        run.carry_out(questions, run.summary.candidates, progress)
    return run.summary


class _Judging(Asking):
    """One run of a judge: what its candidates still lack, and what they have by now."""

    stage = "judge"
    summary: AskSummary

    def __init__(self, session: Session, passes: int, retry_failed: bool, passes_of: Mapping[Key, int]) -> None:
        endpoint, ws = session.endpoint, session.ws
        super().__init__(session, AskSummary(session.name, endpoint.model, endpoint.provider))
        self._passes, self._passes_of = passes, passes_of
        self._missing_states = {OPEN, UNSCORED} if retry_failed else {OPEN}
        self._measure = _measure_of(session)
        self._calls = Calls(ws, session.settings, endpoint.provider)
        self._about: dict[Key, list[Call]] = {}  # every candidate that was or can be asked about
        self._replies: dict[str, list[ReplyRow]] = {}
        self._standing: dict[Key, Judgement] = {}
        self._new: dict[Key, Judgement] = {}  # being stored
        self._types: dict[str, TaskType] = {}
        self._open: dict[Key, set[str]] = {}  # candidates of this run, with the keys of questions that have not ended
        self._asking: dict[str, list[Key]] = {}  # key of a question to the candidates that wait for it
        self._changed: set[Key] = set()

    def wanted(
        self,
        tasks: Sequence[Task],
        order: Callable[[int], Sequence[Key]],
        types: Sequence[TaskType] | None,
        limit: int | None,
    ) -> list[Question]:
        """What is to be asked, in which order; judgements that a killed run did not come to are stored first."""
        by_id, db = {task.id: task for task in tasks}, self.session.ws.db
        self._types = {task.id: task.type for task in tasks}
        with db.read() as connection:
            self._standing = self._stored(connection)
            begun_passes = most_repeats(connection, self.session.name)  # they count, however few are asked for now
        for task_id, candidate_id in order(self._passes):
            try:
                self._about[task_id, candidate_id] = self._calls.about(
                    by_id[task_id], candidate_id, max(self._wanted_of((task_id, candidate_id)), begun_passes)
                )
            except InputError as error:
                self.summary.count_failure(f"task {task_id}: {reason_of(error)}")
        with db.read() as connection:
            self._replies = load_replies(connection, (call.key for calls in self._about.values() for call in calls))
        self._store_alone(key for key, calls in self._about.items() if any(call.key in self._replies for call in calls))
        begun = [key for key in self._about if self._is_half_done(key)]
        wanted = [key for key in dict.fromkeys([*begun, *self._about]) if not types or self._types[key[0]] in types]
        due = [key for key in wanted if self._missing(key)]
        questions: dict[str, Question] = {}
        for key in due[:limit]:
            self._open[key] = {call.key for call in self._missing(key)}
            for call in self._missing(key):
                self._asking.setdefault(call.key, []).append(key)
                if call.key not in questions:
                    questions[call.key] = self._calls.question(call, self._replies.get(call.key, ()))
        self.summary.candidates, self.summary.later = len(self._open), len(due) - len(self._open)
        return list(questions.values())

    def store(self, connection: Connection, replies: Sequence[Reply], ended: Sequence[Ended]) -> None:
        for reply in replies:
            before = self._replies.setdefault(reply.row.key, [])
            before += [reply.row] if reply.row not in before else []
        complete = []
        for event in ended:
            for key in self._asking[event.question.key]:
                self._open[key].discard(event.question.key)
                complete += [] if self._open[key] else [key]
        self._store_judgements(connection, complete)

    def stored(self, replies: Sequence[Reply], ended: Sequence[Ended]) -> int:
        self._note_judgements()
        for reply in replies:
            self.summary.replies += 1
            self.summary.tokens_in += reply.row.tokens_in or 0
            self.summary.tokens_out += reply.row.tokens_out or 0
        for event in ended:
            self._count(event)
        # A candidate is complete once, with the last of its questions in this batch.
        mine = {key for event in ended for key in self._asking[event.question.key]}
        return sum(not self._open[key] for key in mine)

    def note(self) -> str:
        summary = self.summary
        money = f", {summary.cost:.2f} {summary.currency}" if summary.cost is not None else ""
        return f"{summary.scored} scored, {sum(summary.unscored.values())} unscored{money}".rstrip()

    def end(self) -> None:
        self._store_alone(list(self._open))  # also of candidates that are half done
        self.summary.judged = len(self._changed)
        looks = [judgement.looks for judgement in self._standing.values()]
        self.summary.passes = dict(sorted(Counter(map(len, looks)).items()))
        self.summary.pass_sd = pass_sds(self._standing.values())
        self.summary.binding = binding_parts(self._standing, self._types)
        self.summary.sent_again = dict(Counter(self.session.client.troubles).most_common())

    def _missing(self, key: Key) -> list[Call]:
        wanted = (call for call in self._about[key] if call.repeat < self._wanted_of(key))
        return [call for call in wanted if self._state(call.key) in self._missing_states]

    def _wanted_of(self, key: Key) -> int:
        """Passes that a candidate is brought to."""
        return self._passes_of.get(key, self._passes)

    def _is_half_done(self, key: Key) -> bool:
        """Has a pass been answered in part? A whole one before others are wanted is no reason to hurry."""
        open_ = {call.repeat for call in self._missing(key)}
        return any(call.repeat in open_ and standing(self._replies.get(call.key, ())) for call in self._about[key])

    def _state(self, key: str) -> str:
        return state_of(self._replies.get(key, ()), self.session.settings.reasks)

    def _count(self, event: Ended) -> None:
        if event.failure is not None:
            self.summary.count_failure(event.failure)
            return
        self.summary.questions += 1
        replies = self._replies.get(event.question.key, [])
        if self._state(event.question.key) == SCORED:
            self.summary.scored += 1
        elif replies:
            why = replies[-1].reason or replies[-1].outcome
            self.summary.unscored[why] = self.summary.unscored.get(why, 0) + 1

    def _store_alone(self, keys: Iterable[Key]) -> None:
        with self.session.ws.db.write() as connection:
            self._store_judgements(connection, keys)
        self._note_judgements()

    def _store_judgements(self, connection: Connection, keys: Iterable[Key]) -> None:
        ws = self.session.ws
        if self._new:  # an interrupt fell on them: only the store knows whether they were committed
            self._standing = self._stored(connection)
            self._changed |= {key for key, new in self._new.items() if self._standing.get(key) == new}
        self._new = {}
        for key in keys:
            said = judgement_of(self.session.name, self._about[key], self._replies)
            new = news(said, self._standing.get(key), ws.now())
            if new is not None:
                self._new[key] = new
        if self._new:  # only now: a name that was mistyped at first ties nothing
            ws.db.insert_missing(connection, schema.fact, [self._measure])
            add_judgements(connection, list(self._new.values()))

    def _note_judgements(self) -> None:
        """Only what is committed stands: an interrupt may undo the transaction."""
        self._standing |= self._new
        self._changed |= set(self._new)
        self._new = {}

    def _stored(self, connection: Connection) -> dict[Key, Judgement]:
        return {(j.task_id, j.candidate_id): j for j in load_judgements(connection, self.session.name)}


def _measure_of(session: Session) -> dict[str, str]:
    """The fact that ties a judge's name to one model, provider and set of rubrics, as a row for the store.

    Raises:
        InputError: the name is tied to others: their scores have other scales, and are never mixed.
    """
    ws, name, endpoint = session.ws, session.name, session.endpoint
    measure = {"model": endpoint.model, "provider": endpoint.provider, "rubrics": rubrics_of(ws.profile)}
    key = f"judge:{name}"
    before = ws.db.fact(key)
    if before is None:
        with ws.db.read() as connection:
            if load_judgements(connection, name):
                raise InputError(
                    f"'{name}' has judgements from a table already, and scores of two sources are not mixed: give the "
                    "judge in campaign.toml another name"
                )
    else:
        old = json.loads(before)
        changed = next((what for what in measure if old.get(what) != measure[what]), None)
        if changed:
            told = "asked other questions" if changed == "rubrics" else f"had the {changed} '{old.get(changed)}'"
            raise InputError(
                f"judge '{name}' {told} before, and scores of two are not mixed: give the new one another name in "
                "campaign.toml"
            )
    return {"key": key, "value": json.dumps(measure, sort_keys=True)}
