"""The part of asking that runs in worker threads: one call at a time, until it is answered readably."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from selector.domain import InputError, reason_of
from selector.llm import UNREADABLE, ChatJudge, Endpoint
from selector.llm.asking_calls import Call, Calls
from selector.store.replies import ReplyRow
from selector.workspace.workspace import Workspace


@dataclass(frozen=True)
class Job:
    """A call to be asked at most ``times`` times; it has ``before`` replies, ``unread`` of them could not be read."""

    call: Call
    before: int
    unread: int
    times: int


@dataclass(frozen=True)
class CallEnded:
    """After the last reply to a call; ``failure``: why it could not be asked at all."""

    key: str
    failure: str | None = None


class Worker:
    """Shared by all threads; only reads the store."""

    def __init__(self, ws: Workspace, name: str, endpoint: Endpoint, judge: ChatJudge, calls: Calls) -> None:
        self._ws, self._name, self._endpoint, self._judge, self._calls = ws, name, endpoint, judge, calls

    def work(self, job: Job) -> Iterator[ReplyRow | CallEnded]:
        """Ask one call; every reply is handed over when it comes."""
        call = job.call
        try:
            pictures = self._calls.pictures(call)
            for time in range(job.times):
                reply = self._judge.ask(call.question, pictures, call.repeat, job.unread + time)
                yield ReplyRow(
                    call.key,
                    job.before + time,
                    self._name,
                    self._endpoint.provider,
                    self._endpoint.model,
                    call.question.prompt_hash,
                    call.images,
                    call.repeat,
                    reply.outcome,
                    dict(reply.scores),
                    reply.reason,
                    reply.text,
                    reply.usage.tokens_in,
                    reply.usage.tokens_out,
                    reply.cost,
                    round(reply.seconds, 3),
                    self._ws.now(),
                )
                if reply.outcome != UNREADABLE:
                    break
        except InputError as error:
            yield CallEnded(call.key, reason_of(error))
        else:
            yield CallEnded(call.key)
