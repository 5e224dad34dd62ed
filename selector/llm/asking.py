"""The one way to ask a language model: wanted -> asked -> strictly read -> stored.

A verb (judging, translating, writing prompts) says what it wants as ``Question`` records: how each is asked, how its
answer is read, and the key under which it is known for good. Workers ask; the main thread stores every reply when it
comes, in one transaction with what the verb makes of it. So a kill loses only what was on its way, and what was
answered is never asked about again. Text is never cut to fit; only the copy of a reply that is kept for people is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from selector.domain import InputError, reason_of
from selector.domain.progress import Progress
from selector.llm.client import Answer
from selector.llm.endpoint import OutOfMoney
from selector.llm.replies import REFUSED, UNREADABLE, Reading
from selector.llm.request import Chat
from selector.llm.session import Session
from selector.net import troubles
from selector.net.troubles import Trouble
from selector.store.replies import ReplyRow, add_replies
from selector.workspace.executor import Executor, WorkQueue

REJECTED, UNANSWERED = "rejected", "unanswered"
GRACE_SECONDS = 2.0  # what is on its way when the run is interrupted is paid for: it is worth a moment
ROOM = 1000  # replies that may wait for the store
KEPT_CHARACTERS = 2000  # of an answer, for whoever wants to know why it could not be read


@dataclass(frozen=True)
class Question:
    """What a model is asked at most ``times`` times in this run; equal keys are equal questions, whenever asked.

    ``chat``: (answers that could not be read so far, why the last one of this run could not) to the messages; raises
    ``InputError`` where something to be shown is missing. ``read``: what an answer says. ``kind``: questions of one
    kind cost about the same. ``schema``: of an answer in JSON, None for plain words. ``asked``, ``unread``: replies,
    and those that could not be read, of earlier runs. The other fields are stored with each reply.
    """

    key: str
    prompt_hash: str
    chat: Callable[[int, str], Chat]
    read: Callable[[Answer], Reading]
    kind: str = "text"
    schema: Mapping[str, Any] | None = None
    images: tuple[str, ...] = ()
    repeat: int = 0
    asked: int = 0
    unread: int = 0
    times: int = 1


@dataclass(frozen=True)
class Reply:
    """One answer, or that none came: what it says, whole, and the row of the store, whose words may be shortened."""

    question: Question
    reading: Reading
    row: ReplyRow


@dataclass(frozen=True)
class Ended:
    """After the last reply to a question; ``failure``: why it could not be asked at all."""

    question: Question
    failure: str | None = None


@dataclass(kw_only=True)
class Summary:
    """What every run of a model tells. ``failures``: reason to how often; ``stopped``: why not all were asked.

    ``cost`` is None where price or tokens are not known.
    """

    failures: dict[str, int] = field(default_factory=dict)
    cost: float | None = None
    currency: str = ""
    stopped: str | None = None

    def count_failure(self, reason: str) -> None:
        self.failures[reason] = self.failures.get(reason, 0) + 1


class Asking:
    """One run of a model over questions; a verb derives from it and says where replies go.

    Args:
        session: the model, which this process is alone with.
        summary: filled in.
    """

    stage = "asking"  # as progress is told

    def __init__(self, session: Session, summary: Summary) -> None:
        self.session, self.summary = session, summary
        summary.currency = session.settings.currency

    def store(self, connection: Connection, replies: Sequence[Reply], ended: Sequence[Ended]) -> None:
        """Store what follows from these, in the transaction of the replies. After an interrupt the same come again."""

    def stored(self, replies: Sequence[Reply], ended: Sequence[Ended]) -> int:
        """Count what is stored now; returns how much of the progress it is."""
        del replies
        return len(ended)

    def note(self) -> str:
        """A few words for whoever waits."""
        return ""

    def end(self) -> None:
        """After the last reply, however the run ended."""

    def carry_out(self, questions: Sequence[Question], total: int, progress: Progress) -> None:
        """Ask, and store every batch of what came; ``total``: what ``stored`` returns in sum when all have ended.

        Raises:
            JudgeStopped: no further request makes sense; what came before is stored.
        """
        settings, done = self.session.settings, 0
        executor = Executor(self._ask, self.session.stop, ROOM)
        requests = WorkQueue("judge", settings.concurrency)
        progress(self.stage, 0, total)
        try:
            for question in questions:
                executor.add(requests, question)
            for events in filter(None, executor.batches()):
                done += self._take(events)
                progress(self.stage, done, total, *filter(None, [self.note()]))
        except OutOfMoney as error:
            self.summary.stopped = str(error)
            for events in executor.finish(settings.timeout_seconds):  # paid for: worth the wait
                self._take(events)
        finally:
            for events in executor.finish(GRACE_SECONDS):
                self._take(events)
            self.session.client.hang_up()
            self.end()

    def _take(self, events: Sequence[Reply | Ended]) -> int:
        replies = [event for event in events if isinstance(event, Reply)]
        ended = [event for event in events if isinstance(event, Ended)]
        db = self.session.ws.db
        with db.write() as connection:
            add_replies(db, connection, [reply.row for reply in replies])
            self.store(connection, replies, ended)
        for reply in replies:
            if reply.row.cost is not None:
                self.summary.cost = (self.summary.cost or 0.0) + reply.row.cost
        return self.stored(replies, ended)

    def _ask(self, question: Question) -> Iterator[Reply | Ended]:
        """In a worker's thread: until it is answered readably; every reply is handed over when it comes."""
        why = ""
        try:
            for time_ in range(question.times):
                reply = self._reply(question, time_, why)
                yield reply
                if reply.row.outcome != UNREADABLE:
                    break
                why = reply.row.reason or ""
        except InputError as error:
            yield Ended(question, reason_of(error))
        else:
            yield Ended(question)

    def _reply(self, question: Question, time_: int, why: str) -> Reply:
        session, started = self.session, time.perf_counter()
        chat = question.chat(question.unread + time_, why)
        came = session.client.ask(chat, question.kind, question.schema, question.repeat)
        seconds = time.perf_counter() - started
        reading = reading_of(came, question.read)
        return Reply(question, reading, self._row(question, time_, came, reading, seconds))

    def _row(
        self, question: Question, time_: int, came: Answer | Trouble, reading: Reading, seconds: float
    ) -> ReplyRow:
        endpoint, answer = self.session.endpoint, came if isinstance(came, Answer) else Answer()
        return ReplyRow(
            question.key,
            question.asked + time_,
            self.session.name,
            endpoint.provider,
            endpoint.model,
            question.prompt_hash,
            question.images,
            question.repeat,
            reading.outcome,
            dict(reading.scores),
            reading.reason,
            (answer.refusal or answer.text or "")[:KEPT_CHARACTERS],
            answer.usage.tokens_in,
            answer.usage.tokens_out,
            endpoint.price.of(answer.usage),
            round(seconds, 3),
            self.session.ws.now(),
        )


def reading_of(came: Answer | Trouble, read: Callable[[Answer], Reading]) -> Reading:
    """What an answer says, or how a question ended that got none."""
    if isinstance(came, Answer):
        return read(came)
    outcome = {troubles.REFUSED: REFUSED, troubles.REJECTED: REJECTED}.get(came.kind, UNANSWERED)
    return Reading(outcome, reason=came.reason)
