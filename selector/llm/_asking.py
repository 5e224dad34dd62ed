"""The one way to ask a language model: wanted -> asked -> strictly read -> stored.

A verb (judging, translating, writing prompts) says what it wants as ``Question`` records: how each is asked, how its
answer is read, and the key under which it is known for good. Workers ask; the main thread stores every reply when it
comes, in one transaction with what the verb makes of it. So a kill loses only what was on its way, and what was
answered is never asked about again, unless nothing was gained and the run stopped for that (``stopping``): then replies
are withdrawn, and the next run asks again. Text is never cut to fit; only the copy of a reply that people see is.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from selector.domain import InputError, reason_of
from selector.domain.progress import Progress
from selector.llm._answers import Answer
from selector.llm._endpoint import OutOfMoney
from selector.llm._replies import CUT_AGAIN, REFUSED, TRUNCATED, UNREADABLE, Reading
from selector.llm._request import Chat
from selector.llm._session import Session
from selector.llm._stopping import Course
from selector.llm._troubles import JudgeStopped
from selector.net import troubles
from selector.net.redact import clean
from selector.net.troubles import Trouble
from selector.store.replies import WITHDRAWN, ReplyRow, add_replies, has_read_before
from selector.workspace.executor import Executor, WorkQueue

REJECTED, UNANSWERED = "rejected", "unanswered"
GRACE_SECONDS = 2.0  # what is on its way when the run is interrupted is paid for: it is worth a moment
ROOM = 64  # replies that may wait for the store: paid for, and lost if the process is killed then
KEPT_CHARACTERS = 2000  # of an answer, for whoever wants to know why it could not be read
SHOWN_CHARACTERS = 120


@dataclass(frozen=True)
class Question:
    """What a model is asked at most ``times`` times in this run; equal keys are equal questions, whenever asked.

    ``chat``: (answers that could not be read so far, why the last one of this run could not) to the messages; raises
    ``InputError`` where something to be shown is missing. ``read``: what an answer says. ``kind``: questions of one
    kind cost about the same. ``schema``: of an answer in JSON, None for plain words. ``asked``, ``unread``: replies,
    and those that could not be read, of earlier runs; ``cut``: one of them was cut off; ``withdrawn``: a run stopped
    with this outcome, so others go first. The other fields are stored with each reply.

    An answer that was cut off is asked for once more with more tokens, beside the ``times``.
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
    cut: bool = False
    withdrawn: str = ""


@dataclass(frozen=True)
class Reply:
    """One answer, or that none came: what it says, whole, and the row of the store, whose words may be shortened."""

    question: Question
    reading: Reading
    row: ReplyRow

    @property
    def shown(self) -> str:
        """The beginning of what the server sent or said of its error, for a terminal."""
        return clean(self.row.text, "", SHOWN_CHARACTERS)


@dataclass(frozen=True)
class Ended:
    """After the last reply to a question; ``failure``: why it could not be asked at all."""

    question: Question
    failure: str | None = None


@dataclass(kw_only=True)
class Summary:
    """What every run of a model tells. ``failures``: reason to how often; ``stopped``: why not all were asked.

    ``ended``: questions that were asked, ``read`` of them have scores or a text. ``samples``: reason to the beginning
    of one such reply, or what the server says of its error. ``cost`` is None where price or tokens are not known.
    """

    failures: dict[str, int] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)
    ended: int = 0
    read: int = 0
    cost: float | None = None
    currency: str = ""
    stopped: str | None = None

    @property
    def all_failed(self) -> bool:
        """Whether there were questions, and none has an answer that could be read."""
        return self.ended > 0 and self.read == 0

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
        with session.ws.db.read() as connection:
            self._course = Course(has_read_before(connection, session.name))
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
        settings, done, course = self.session.settings, 0, self._course
        executor = Executor(self._ask, self.session.stop, ROOM)
        requests = WorkQueue("judge", settings.concurrency)
        waiting, under_way = deque(sorted(questions, key=lambda question: bool(question.withdrawn))), 0
        progress(self.stage, 0, total)
        try:
            batches = filter(None, executor.batches())
            while not course.is_stopped:
                for _ in range(min(course.room(under_way), len(waiting))):
                    executor.add(requests, waiting.popleft())
                    under_way += 1
                events = next(batches, None)
                if events is None:
                    break
                done += self._take(events)
                under_way -= sum(isinstance(event, Ended) for event in events)
                progress(self.stage, done, total, *filter(None, [self.note()]))
            if course.is_stopped:
                self._take_rest(executor)
        except (OutOfMoney, JudgeStopped) as error:
            self._take_rest(executor)
            if isinstance(error, JudgeStopped):
                raise
            self.summary.stopped = str(error)
        finally:
            for events in executor.finish(GRACE_SECONDS):
                self._take(events)
            self.session.client.hang_up()
            self._withdraw()
            self.summary.ended, self.summary.read = course.ended, course.read
            self.end()
        if course.is_stopped:
            endpoint = self.session.endpoint
            raise JudgeStopped(f"judge {endpoint.model} at {endpoint.provider}: {course.why()}")

    def _take_rest(self, executor: Executor[Question, Reply | Ended]) -> None:
        """What is under way when no more is asked: it is paid for, and worth the wait."""
        for events in executor.finish(self.session.settings.timeout_seconds):
            self._take(events)

    def _withdraw(self) -> None:
        """Let the next run ask again what ended as everything did; the replies stay, and so does what they cost.

        Not what the model refuses a second time, if it has answered others: that is its answer (``Course``).
        """
        again = []
        for last in self._course.doubted:
            row = replace(last.row, ask=last.row.ask + 1, outcome=WITHDRAWN, text="", seconds=0.0)
            row = replace(row, tokens_in=None, tokens_out=None, cost=None)
            again.append(Reply(last.question, Reading(WITHDRAWN, reason=row.reason), row))
        if again:
            self._store(again, ())

    def _take(self, events: Sequence[Reply | Ended]) -> int:
        replies = [event for event in events if isinstance(event, Reply)]
        ended = [event for event in events if isinstance(event, Ended)]
        self._store(replies, ended)
        for reply in replies:
            if reply.row.cost is not None:
                self.summary.cost = (self.summary.cost or 0.0) + reply.row.cost
            if reply.reading.reason and reply.shown:
                self.summary.samples.setdefault(reply.reading.reason, reply.shown)
        return self.stored(replies, ended)

    def _store(self, replies: Sequence[Reply], ended: Sequence[Ended]) -> None:
        db = self.session.ws.db
        with db.write() as connection:
            add_replies(db, connection, [reply.row for reply in replies])
            self.store(connection, replies, ended)

    def _ask(self, question: Question) -> Iterator[Reply | Ended]:
        """In a worker's thread: until it is answered readably; every reply is handed over when it comes."""
        longer, left, replies = question.cut, question.times, list[Reply]()
        try:
            while left > 0 and not self._course.is_stopped:
                reply = self._reply(question, replies, longer)
                replies.append(reply)
                yield reply
                if reply.reading.outcome != UNREADABLE or reply.reading.reason == CUT_AGAIN:
                    break
                was_cut = reply.reading.reason == TRUNCATED
                longer, left = longer or was_cut, left - (not was_cut)
        except InputError as error:
            yield Ended(question, reason_of(error))
            return
        if replies:
            self._course.note(replies[-1])
            yield Ended(question)

    def _reply(self, question: Question, before: Sequence[Reply], longer: bool) -> Reply:
        """``longer``: with more tokens, as an answer was cut off; what is cut off again is not asked for any more."""
        session, started = self.session, time.perf_counter()
        chat = question.chat(question.unread + len(before), (before[-1].reading.reason or "") if before else "")
        came = session.client.ask(chat, question.kind, question.schema, question.repeat, longer)
        seconds = time.perf_counter() - started
        reading = reading_of(came, question.read)
        if longer and reading.reason == TRUNCATED:
            reading = replace(reading, reason=CUT_AGAIN)
        return Reply(question, reading, self._row(question, len(before), came, reading, seconds))

    def _row(
        self, question: Question, time_: int, came: Answer | Trouble, reading: Reading, seconds: float
    ) -> ReplyRow:
        endpoint, answer = self.session.endpoint, came if isinstance(came, Answer) else Answer(came.said)
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
            (answer.refusal or answer.said or answer.reasoning or "")[:KEPT_CHARACTERS],
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
