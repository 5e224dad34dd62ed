"""One reading a task: a language model is asked once about its words, people correct the table, and all is kept.

What a model answered is stored when it comes, in one transaction with the reading that it gives: it is paid for, and a
kill must not lose it. A task that no model could read is read by rules, as are all without one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from pathlib import Path

from sqlalchemy import Connection

from selector.config import JudgeConfig
from selector.domain import Task, TaskInputs, TaskType, stable_hash
from selector.domain.files import write_atomically
from selector.domain.progress import Progress, silent
from selector.domain.reading import Reading
from selector.llm._asking import Asking, Ended, Question, Reply, Summary
from selector.llm._endpoint import provider_of
from selector.llm._reading_cells import cells_of
from selector.llm._reading_orders import READ_TYPES, SCHEMAS, order_for
from selector.llm._reading_replies import read_task_reply
from selector.llm._reading_table import corrections, table_text
from selector.llm._replies import CUT_AGAIN, REFUSED, TRUNCATED, UNREADABLE, WRITTEN
from selector.llm._request import Chat, text_chat
from selector.llm._session import Session, alone_with, judge_settings, open_session
from selector.prompts.reading import reading_of
from selector.store.readings import TABLE, add_readings, earlier_readings, load_readings, readers_of
from selector.store.replies import ReplyRow, load_replies, standing, withdrawn_as
from selector.workspace.workspace import Workspace

TABLE_NAME = "readings.csv"
LEFT_TO_RULES = "the model claims no single edit"


@dataclass
class ReadSummary(Summary):
    """The table, and how the tasks that have words are read.

    ``by``: who (a model, "table", "rules") to how many tasks; ``nothing``: in how many of them nothing is understood;
    ``given_up``: prompts that the model has refused, or could not read in as many tries as it has; ``new``: tasks that
    a model has read in this run; ``again``: that it had read before another model did, and that count again;
    ``corrected`` and ``taken_back``: corrections of the table that are new, and those whose row is gone; ``outdated``:
    rows of the table that held another reading by a model or by rules than the one that counts now. ``failures``: why
    prompts were not read: what counted before counts, as a rule what rules read.
    """

    table: Path
    by: dict[str, int] = field(default_factory=dict)
    nothing: int = 0
    given_up: int = 0
    new: int = 0
    again: int = 0
    corrected: int = 0
    taken_back: int = 0
    outdated: int = 0


@dataclass(frozen=True)
class ReadWish:
    """What a model is to be asked: about these tasks, at most ``limit`` prompts, for at most ``budget_money``.

    ``retry_failed``: also what the model refused before, or answered in a way that cannot be used; ``again``: also what
    another model has read, whose reading counts where this one reads nothing.
    """

    tasks: Sequence[Task]
    limit: int | None = None
    budget_money: float | None = None
    retry_failed: bool = False
    again: bool = False


def read_tasks(
    ws: Workspace, tasks: Sequence[Task], by: str | None, wish: ReadWish, progress: Progress = silent
) -> ReadSummary:
    """Take corrections of the table, have the model of ``[judges.BY]`` read what nobody has read, write the table.

    Args:
        tasks: all of the campaign: the table holds every one that has words.
        by: who is asked; None: nobody.
        wish: about what.

    Raises:
        InputError: a cell of the table is wrong (nothing is stored then), no such judge is configured, its key is not
            set, it has a budget and no price, or another process asks it.
        JudgeStopped: the server does not let us in, or cannot be reached; what came before is stored.
    """
    summary = ReadSummary(ws.folder / TABLE_NAME)
    worded = [task for task in tasks if _has_words(task)]
    _take_corrections(ws, worded, summary)
    try:
        if by is not None:
            _ask(ws, by, replace(wish, tasks=[task for task in wish.tasks if _has_words(task)]), summary, progress)
    finally:
        _write_table(ws, worded, summary)  # what came stays, however the run ends
    return summary


def _has_words(task: Task) -> bool:
    return task.type in READ_TYPES and bool(task.prompt.strip())


def _take_corrections(ws: Workspace, tasks: Sequence[Task], summary: ReadSummary) -> None:
    """Store what people changed in the table since it was written."""
    if not summary.table.is_file():
        return
    with ws.db.read() as connection:
        known, earlier = load_readings(connection), earlier_readings(connection)
    found = corrections(summary.table, tasks, known, earlier)
    with ws.db.write() as connection:
        add_readings(connection, {**found.changed, **found.taken_back}, ws.now())
    summary.corrected, summary.taken_back = len(found.changed), len(found.taken_back)
    summary.outdated = found.outdated


def _write_table(ws: Workspace, tasks: Sequence[Task], summary: ReadSummary) -> None:
    with ws.db.read() as connection:
        stored = load_readings(connection)
    readings = [(task, reading_of(TaskInputs(task, reading=stored.get(task.id)))) for task in tasks]
    for _, reading in readings:
        summary.by[reading.by] = summary.by.get(reading.by, 0) + 1
        summary.nothing += not any(text for column, text in cells_of(reading).items() if column != "unread")
    data = table_text(readings).encode("utf-8-sig")  # with a BOM, so that a spreadsheet shows Chinese as it is
    if not summary.table.is_file() or summary.table.read_bytes() != data:
        write_atomically(summary.table, data)


def _ask(ws: Workspace, name: str, wish: ReadWish, summary: ReadSummary, progress: Progress) -> None:
    settings = judge_settings(ws, name)
    summary.currency = settings.currency
    if wish.again:
        _count_again(ws, settings.model, wish, summary)
    known = _replies_to(ws, wish, settings)
    summary.given_up = sum(rows[-1].outcome != WRITTEN for rows in known.values() if _is_final(rows, wish, settings))
    if all(_is_final(rows, wish, settings) for rows in known.values()):
        return  # neither key nor server is needed
    with alone_with(ws, settings) as stop:
        known = _replies_to(ws, wish, settings)  # a process that has just ended may have asked
        missing = {words: rows for words, rows in known.items() if not _is_final(rows, wish, settings)}
        missing = dict(list(missing.items())[: wish.limit])
        run = _ReadingTasks(open_session(ws, name, stop, wish.budget_money), summary, wish.tasks, wish.again)
        run.carry_out(run.questions(missing), len(missing), progress)


def _count_again(ws: Workspace, model: str, wish: ReadWish, summary: ReadSummary) -> None:
    """What this model has read before another one did, it is not paid for twice."""
    with ws.db.write() as connection:
        readers, own = readers_of(connection), earlier_readings(connection, model)
        found = {
            task.id: own[task.id]
            for task in wish.tasks
            if task.id in own and readers.get(task.id, model) not in (model, TABLE)
        }
        add_readings(connection, found, ws.now())
    summary.again = len(found)


@dataclass(frozen=True)
class _Words:
    """What one question is about: the words of all tasks of a type that have the same."""

    task_type: TaskType
    prompt: str

    @classmethod
    def of(cls, task: Task) -> _Words:
        return cls(task.type, task.prompt.strip())

    @property
    def order_hash(self) -> str:
        """Of all that the model is told beside the words."""
        return stable_hash([order_for(self.task_type), SCHEMAS[self.task_type]])

    def key(self, provider: str, model: str) -> str:
        """Under which replies are known. It has no clock, so that what was answered is found again."""
        return stable_hash(["read", self.order_hash, provider, model, self.task_type.value, self.prompt], 40)

    def chat(self, _unread: int, why: str) -> Chat:
        return text_chat(order_for(self.task_type, why), self.prompt)


def _replies_to(ws: Workspace, wish: ReadWish, settings: JudgeConfig) -> dict[_Words, Sequence[ReplyRow]]:
    """Words that neither this model nor (unless it is asked again) another one has read, nor a person, with the
    model's replies so far.
    """
    with ws.db.read() as connection:
        read = readers_of(connection)
        if wish.again:
            read = {task_id: who for task_id, who in read.items() if who in (settings.model, TABLE)}
        wanted = dict.fromkeys(_Words.of(task) for task in wish.tasks if task.id not in read)
        keys = {words: words.key(provider_of(settings.base_url), settings.model) for words in wanted}
        replies = load_replies(connection, keys.values())
    return {words: replies.get(key, []) for words, key in keys.items()}


def _is_final(replies: Sequence[ReplyRow], wish: ReadWish, settings: JudgeConfig) -> bool:
    """Whether another run would meet the same."""
    reasks = math.inf if wish.retry_failed else settings.reasks
    now = standing(replies)
    last = now[-1].outcome if now else ""
    unread = len(list(takewhile(lambda reply: reply.outcome == UNREADABLE, reversed(now))))
    given_up = bool(now) and (last == REFUSED or now[-1].reason == CUT_AGAIN)
    return last == WRITTEN or (given_up and reasks < math.inf) or unread > reasks


class _ReadingTasks(Asking):
    """One run of a model over words; each reading is stored in the transaction of its reply."""

    stage = "read"
    summary: ReadSummary

    def __init__(self, session: Session, summary: ReadSummary, tasks: Sequence[Task], again: bool) -> None:
        super().__init__(session, summary)
        endpoint = session.endpoint
        self._again = again
        self._tasks: dict[str, list[str]] = {}  # key of a question to the ids of its tasks
        for task in tasks:
            key = _Words.of(task).key(endpoint.provider, endpoint.model)
            self._tasks.setdefault(key, []).append(task.id)
        self._without: dict[str, str] = {}  # key -> why there is no reading, as far as is known

    def questions(self, missing: Mapping[_Words, Sequence[ReplyRow]]) -> list[Question]:
        """One about each, asked again where the answer cannot be read."""
        return [self._question(words, replies) for words, replies in missing.items()]

    def _question(self, words: _Words, replies: Sequence[ReplyRow]) -> Question:
        endpoint, now = self.session.endpoint, standing(replies)
        return Question(
            words.key(endpoint.provider, endpoint.model),
            words.order_hash,
            words.chat,
            partial(read_task_reply, words.task_type, words.prompt, endpoint.model),
            kind=f"read {words.task_type.value}",
            schema=SCHEMAS[words.task_type],
            asked=len(replies),
            times=1 + self.session.settings.reasks,
            cut=any(reply.reason == TRUNCATED for reply in now),
            withdrawn=withdrawn_as(replies),
        )

    def store(self, connection: Connection, replies: Sequence[Reply], ended: Sequence[Ended]) -> None:
        del ended
        by = readers_of(connection)  # a person may have been faster: then it counts once the correction is taken back
        found = {
            task_id: Reading.from_json(json.loads(reply.reading.text))
            for reply in replies
            if reply.reading.text
            for task_id in self._tasks[reply.row.key]
            if self._again or by.get(task_id, TABLE) == TABLE
        }
        corrected = load_readings(connection, [task_id for task_id in found if by.get(task_id) == TABLE])
        add_readings(connection, found, self.session.ws.now())
        add_readings(connection, corrected, self.session.ws.now())

    def stored(self, replies: Sequence[Reply], ended: Sequence[Ended]) -> int:
        for reply in replies:
            if reply.reading.text:
                self.summary.new += len(self._tasks[reply.row.key])
                self._without.pop(reply.row.key, None)
            else:
                self._without[reply.row.key] = reply.row.reason or LEFT_TO_RULES
        for event in ended:
            if event.failure:
                self._without[event.question.key] = event.failure
        return len(ended)

    def end(self) -> None:
        for why in self._without.values():
            self.summary.count_failure(why)
