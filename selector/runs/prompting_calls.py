"""Has a model translate or rewrite one prompt at a time, as a judge is asked: at its pace, from its purse."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from generators.prompts import order_for
from scorers.judge import REFUSED, UNREADABLE, Answer, ChatJudge, Endpoint, Usage, outcome_of
from scorers.judge.client import KEPT_CHARACTERS
from scorers.judge.troubles import Trouble
from selector.domain import TaskType, stable_hash
from selector.runs.prompt_reading import read_prompt
from selector.runs.text_replies import text_reply
from selector.runs.translation_reading import DECLINED
from selector.runs.workspace import Workspace
from selector.store.prompt_texts import WRITTEN, PromptText
from selector.store.replies import ReplyRow


@dataclass(frozen=True)
class Source:
    """A text that is to be written anew: ``original`` in this style and form, for tasks of this type."""

    style: str
    form: str
    task_type: TaskType
    original: str

    @property
    def order_hash(self) -> str:
        """Of all that the model is told beside the text."""
        return stable_hash(order_for(self.style, self.form, self.task_type))

    def key(self, provider: str, model: str) -> str:
        """Under which the text is kept: another model, or other words of the order, is another text."""
        return stable_hash([self.style, self.form, self.order_hash, provider, model, self.original], 40)


@dataclass(frozen=True)
class Written:
    """How one question ended: the row of the text, and the row of the reply, which the budget counts."""

    text: PromptText
    reply: ReplyRow


class Writer:
    """Shared by all threads.

    Args:
        name: of the table [judges.NAME].
        reasks: how often it is asked again when an answer cannot be used.
    """

    def __init__(self, ws: Workspace, name: str, endpoint: Endpoint, judge: ChatJudge, reasks: int) -> None:
        self._ws, self._name, self._endpoint, self._judge, self._reasks = ws, name, endpoint, judge, reasks

    def work(self, source: Source) -> Iterator[Written]:
        """Ask until there is a text or no hope; raises what ``ChatJudge.say`` raises."""
        reminder = ""
        for ask in range(1 + self._reasks):
            written = self._ask(source, ask, reminder)
            yield written
            if written.text.outcome != UNREADABLE:
                return
            reminder = written.text.reason or ""

    def _ask(self, source: Source, ask: int, reminder: str) -> Written:
        started = time.perf_counter()
        order = order_for(source.style, source.form, source.task_type, reminder)
        came = self._judge.say(order, source.original)
        seconds = round(time.perf_counter() - started, 3)
        if isinstance(came, Trouble):
            return self._written(source, ask, "", outcome_of(came), came.reason, "", Usage(), seconds)
        text, why = read_prompt(source.original, source.style, source.form, came)
        outcome = WRITTEN if why is None else REFUSED if why == DECLINED else UNREADABLE
        return self._written(source, ask, text, outcome, why, _said(came), came.usage, seconds)

    def _written(
        self,
        source: Source,
        ask: int,
        text: str,
        outcome: str,
        why: str | None,
        said: str,
        usage: Usage,
        seconds: float,
    ) -> Written:
        endpoint, at = self._endpoint, self._ws.now()
        key = source.key(endpoint.provider, endpoint.model)
        cost = endpoint.price.of(usage)
        row = PromptText(
            key,
            ask,
            source.style,
            source.form,
            source.original,
            text,
            self._name,
            endpoint.provider,
            endpoint.model,
            source.order_hash,
            outcome,
            why,
            usage.tokens_in,
            usage.tokens_out,
            cost,
            seconds,
            at,
        )
        order = source.order_hash
        reply = text_reply(self._name, endpoint, key, ask, order, outcome, why, said, usage, seconds, at)
        return Written(row, reply)


def _said(answer: Answer) -> str:
    return (answer.refusal or answer.text or "")[:KEPT_CHARACTERS]
