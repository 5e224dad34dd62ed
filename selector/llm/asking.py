"""Asks a judge about candidates over HTTP. Every reply is stored when it comes; from replies follow judgements."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from selector.config import JudgeConfig
from selector.domain import InputError, Task, TaskType, reason_of
from selector.domain.progress import Progress, silent
from selector.llm import SCORED, ChatJudge, Endpoint, OutOfMoney
from selector.llm.asking_calls import OPEN, UNSCORED, Call, Calls, Key, state_of
from selector.llm.asking_judgements import binding_parts, judgement_of, mean_spread, news
from selector.llm.asking_pool import GRACE_SECONDS, AnswerPool
from selector.llm.asking_setup import alone_with, client_of, judge_settings, measure_of
from selector.llm.asking_summary import AskSummary
from selector.llm.asking_work import CallEnded, Job, Worker
from selector.llm.replies import UNREADABLE
from selector.store import schema
from selector.store.observations import Judgement, add_judgements, load_judgements
from selector.store.replies import ReplyRow, add_replies, load_replies
from selector.workspace.workspace import Workspace


def ask(
    ws: Workspace,
    tasks: Sequence[Task],
    order: Callable[[], Sequence[Key]],
    name: str,
    types: Sequence[TaskType] | None = None,
    limit: int | None = None,
    budget_money: float | None = None,
    retry_failed: bool = False,
    progress: Progress = silent,
) -> AskSummary:
    """Ask the judge of ``[judges.NAME]`` about candidates and store what it says as judgements by that name.

    Args:
        order: gives the candidates (task id, candidate id) that may be asked about, those first whose judgement is
            expected to win most.
        types: only tasks of these types.
        limit: ask about at most so many candidates; those first whose judgement is expected to win most.
        budget_money: stop before this run costs more, in the currency of the prices.
        retry_failed: ask again what was refused, rejected, or could not be read before.

    Raises:
        InputError: no such judge is configured, its key is not set, its model was another one before, or another
            process asks it now.
        MissingPart: the openai package is not installed.
        JudgeStopped: the server does not let us in, or cannot be reached; what came before is stored.
    """
    settings = judge_settings(ws, name)
    stop = threading.Event()
    with alone_with(ws, settings, stop):
        endpoint, judge = client_of(ws, name, settings, stop, budget_money)
        run = _Run(ws, name, settings, endpoint, judge, retry_failed)
        run.prepare(tasks, order, types, limit)
        run.carry_out(stop, progress)
    return run.summary


class _Run:
    """One run of a judge: the main thread's state."""

    def __init__(
        self, ws: Workspace, name: str, settings: JudgeConfig, endpoint: Endpoint, judge: ChatJudge, retry_failed: bool
    ) -> None:
        self._ws, self._name, self._settings, self._endpoint = ws, name, settings, endpoint
        self._judge, self._retry_failed = judge, retry_failed
        self._measure = measure_of(ws, name, endpoint)
        self._calls = Calls(ws, settings, endpoint.provider)
        self._about: dict[Key, list[Call]] = {}  # every candidate that was or can be asked about
        self._replies: dict[str, list[ReplyRow]] = {}
        self._standing: dict[Key, Judgement] = {}
        self._types: dict[str, TaskType] = {}
        self._jobs: dict[str, Job] = {}
        self._open: dict[Key, set[str]] = {}  # candidates of this run, with the keys of calls that have not ended
        self._asking: dict[str, list[Key]] = {}  # key of a call to the candidates that wait for it
        self._changed: set[Key] = set()
        self.summary = AskSummary(name, endpoint.model, endpoint.provider, currency=settings.currency)

    def prepare(
        self,
        tasks: Sequence[Task],
        order: Callable[[], Sequence[Key]],
        types: Sequence[TaskType] | None,
        limit: int | None,
    ) -> None:
        """Find what is to be asked, in which order; store judgements that a killed run did not come to."""
        by_id = {task.id: task for task in tasks}
        self._types = {task.id: task.type for task in tasks}
        with self._ws.db.read() as connection:
            self._standing = {(j.task_id, j.candidate_id): j for j in load_judgements(connection, self._name)}
        for task_id, candidate_id in order():
            self._note_calls(by_id[task_id], candidate_id)
        with self._ws.db.read() as connection:
            self._replies = load_replies(connection, (call.key for calls in self._about.values() for call in calls))
        begun = [key for key, calls in self._about.items() if any(call.key in self._replies for call in calls)]
        with self._ws.db.write() as connection:
            self._store_judgements(connection, begun)
        wanted = [key for key in dict.fromkeys([*begun, *self._about]) if not types or self._types[key[0]] in types]
        due = [key for key in wanted if self._missing(key)]
        for key in due[:limit]:
            self._open[key] = {call.key for call in self._missing(key)}
            for call in self._missing(key):
                self._asking.setdefault(call.key, []).append(key)
                self._jobs.setdefault(call.key, self._job(call))
        self.summary.candidates, self.summary.later = len(self._open), len(due) - len(self._open)

    def carry_out(self, stop: threading.Event, progress: Progress) -> None:
        """Ask, and store every batch of replies with the judgements that it completes."""
        total, done = len(self._open), 0
        worker = Worker(self._ws, self._name, self._endpoint, self._judge, self._calls)
        pool = AnswerPool(self._jobs.values(), worker.work, min(self._settings.concurrency, len(self._jobs)), stop)
        progress("judge", 0, total)
        try:
            for events in pool:
                done += self._store(events)
                progress("judge", done, total, self._note())
        except OutOfMoney as error:
            self.summary.stopped = str(error)
            for events in pool.finish(self._settings.timeout_seconds):
                self._store(events)
        finally:
            for events in pool.finish(GRACE_SECONDS):
                self._store(events)
            with self._ws.db.write() as connection:
                self._store_judgements(connection, list(self._open))  # also of candidates that are half done
            self._finish_summary()

    def _note_calls(self, task: Task, candidate_id: str) -> None:
        try:
            self._about[task.id, candidate_id] = self._calls.about(task, candidate_id)
        except InputError as error:
            _count(self.summary.failures, f"task {task.id}: {reason_of(error)}")

    def _missing(self, key: Key) -> list[Call]:
        wanted = {OPEN, UNSCORED} if self._retry_failed else {OPEN}
        return [
            call
            for call in self._about[key]
            if state_of(self._replies.get(call.key, ()), self._settings.reasks) in wanted
        ]

    def _job(self, call: Call) -> Job:
        """An open call goes on where it was left; one that was given up gets all its times anew."""
        replies, reasks = self._replies.get(call.key, ()), self._settings.reasks
        unread = sum(reply.outcome == UNREADABLE for reply in replies)
        left = 1 + reasks - unread if state_of(replies, reasks) == OPEN else 1 + reasks
        return Job(call, len(replies), unread, left)

    def _store(self, events: Sequence[ReplyRow | CallEnded]) -> int:
        """Store replies and the judgements of the candidates that they complete; returns the number of these.

        What was being stored as the run was interrupted comes here a second time.
        """
        rows = [event for event in events if isinstance(event, ReplyRow)]
        ended = [event for event in events if isinstance(event, CallEnded)]
        for row in rows:
            before = self._replies.setdefault(row.key, [])
            before += [row] if row not in before else []
        complete = [key for event in ended for key in self._end_call(event)]
        if rows or complete:
            with self._ws.db.write() as connection:
                add_replies(self._ws.db, connection, rows)
                self._store_judgements(connection, complete)
        for row in rows:
            self._count_reply(row)
        return len(complete)

    def _end_call(self, event: CallEnded) -> list[Key]:
        """Candidates that waited for this call alone."""
        waiting = self._asking[event.key]
        for key in waiting:
            self._open[key].discard(event.key)
        if event.failure is not None:
            _count(self.summary.failures, event.failure)
            return [key for key in waiting if not self._open[key]]
        self.summary.questions += 1
        replies = self._replies.get(event.key, [])
        if state_of(replies, self._settings.reasks) == SCORED:
            self.summary.scored += 1
        elif replies:
            _count(self.summary.unscored, replies[-1].reason or replies[-1].outcome)
        return [key for key in waiting if not self._open[key]]

    def _store_judgements(self, connection: Connection, keys: Sequence[Key]) -> None:
        found = []
        for key in keys:
            said = judgement_of(self._name, self._about[key], self._replies)
            new = news(said, self._standing.get(key), self._ws.now())
            if new is not None:
                found.append(new)
                self._standing[key] = new
                self._changed.add(key)
        if found:  # only now: a name that was mistyped at first ties nothing
            self._ws.db.insert_missing(connection, schema.fact, [self._measure])
            add_judgements(connection, found)

    def _count_reply(self, row: ReplyRow) -> None:
        self.summary.replies += 1
        self.summary.tokens_in += row.tokens_in or 0
        self.summary.tokens_out += row.tokens_out or 0
        if row.cost is not None:
            self.summary.cost = (self.summary.cost or 0.0) + row.cost

    def _finish_summary(self) -> None:
        mine = {key: self._standing[key] for key in self._changed}
        self.summary.judged = len(mine)
        self.summary.spread = mean_spread(mine.values())
        self.summary.binding = binding_parts(self._standing, self._types)
        self.summary.sent_again = dict(Counter(self._judge.troubles).most_common())

    def _note(self) -> str:
        unscored = sum(self.summary.unscored.values())
        money = f", {self.summary.cost:.2f} {self._settings.currency}" if self.summary.cost is not None else ""
        return f"{self.summary.scored} scored, {unscored} unscored{money}".rstrip()


def _count(counts: dict[str, int], reason: str) -> None:
    counts[reason] = counts.get(reason, 0) + 1
