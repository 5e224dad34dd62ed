"""Has a model translate or rewrite one prompt at a time, as a judge is asked: at its pace, from its purse."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from selector.domain import TaskType, stable_hash
from selector.llm import UNREADABLE, ChatJudge, Endpoint
from selector.llm.prompt_reading import read_prompt
from selector.llm.text_replies import Question, Written, written
from selector.llm.troubles import Trouble
from selector.prompts.wording import order_for
from selector.workspace.workspace import Workspace


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


class Writer:
    """Shared by all threads.

    Args:
        name: of the table [judges.NAME].
        reasks: how often it is asked again when an answer cannot be used.
    """

    def __init__(self, ws: Workspace, name: str, endpoint: Endpoint, judge: ChatJudge, reasks: int) -> None:
        self._ws, self._name, self._endpoint, self._judge, self._reasks = ws, name, endpoint, judge, reasks

    def work(self, job: tuple[Source, int]) -> Iterator[Written]:
        """Ask until there is a text or no hope; raises what ``ChatJudge.say`` raises.

        Args:
            job: the text, and how often it was asked for before.
        """
        source, before = job
        reminder = ""
        for ask in range(before, before + 1 + self._reasks):
            one = self._ask(source, ask, reminder)
            yield one
            if one.text.outcome != UNREADABLE:
                return
            reminder = one.text.reason or ""

    def _ask(self, source: Source, ask: int, reminder: str) -> Written:
        started = time.perf_counter()
        style, form, original = source.style, source.form, source.original
        came = self._judge.say(order_for(style, form, source.task_type, reminder), original)
        seconds, endpoint = time.perf_counter() - started, self._endpoint
        reading = ("", came.reason) if isinstance(came, Trouble) else read_prompt(original, style, form, came)
        key = source.key(endpoint.provider, endpoint.model)
        question = Question(key, ask, style, form, original, source.order_hash)
        return written(self._name, endpoint, question, came, reading, seconds, self._ws.now())
