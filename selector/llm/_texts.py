"""Texts that a model writes (a translation, a prompt in other words), kept whole beside the replies they came in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from selector.domain import TaskType, stable_hash
from selector.llm._answers import Answer
from selector.llm._asking import Asking, Ended, Question, Reply, Summary
from selector.llm._replies import Reading
from selector.llm._request import Chat, text_chat
from selector.llm._same_answers import SAME_FOR_ALL, SameAnswers
from selector.llm._session import Session
from selector.llm._text_reading import read_prompt, read_translation
from selector.prompts.wording import TRANSLATED, TRANSLATION_ORDER, order_for
from selector.store.replies import WITHDRAWN, WRITTEN, PromptText, add_prompt_texts


@dataclass(frozen=True)
class Source:
    """A prompt that is to be written anew: ``original`` in this style and form, for tasks of this type.

    ``texts``: that the picture is to show and that stand there without quotation marks, by the task's reading.
    """

    style: str
    form: str
    task_type: TaskType
    original: str
    texts: tuple[str, ...] = ()

    @property
    def order_hash(self) -> str:
        """Of all that the model is told beside the text."""
        return stable_hash(self.order())

    def order(self, reminder: str = "") -> str:
        return order_for(self.style, self.form, self.task_type, reminder, self.texts)

    def read(self, answer: Answer) -> Reading:
        return read_prompt(self.original, self.style, self.form, answer, self.texts)

    def key(self, provider: str, model: str) -> str:
        """Under which the text is kept: another model, or other words of the order, is another text."""
        return stable_hash([self.style, self.form, self.order_hash, provider, model, self.original], 40)


@dataclass(frozen=True)
class Untranslated:
    """A text whose English goes into the table of translations; what could not be used is not asked for again."""

    original: str
    style = TRANSLATED
    form = ""

    @property
    def order_hash(self) -> str:
        return stable_hash(TRANSLATION_ORDER)

    def order(self, _reminder: str = "") -> str:
        return TRANSLATION_ORDER

    def read(self, answer: Answer) -> Reading:
        return read_translation(self.original, answer)

    def key(self, provider: str, model: str) -> str:
        """Under which the English is kept. It has no clock, so that what was answered is found again."""
        return stable_hash(["translate", provider, model, self.order_hash, self.original], 40)


Text = Source | Untranslated


class Writing(Asking):
    """One run of a model that writes texts. A verb may derive from it to take each text as it comes."""

    def __init__(self, session: Session, summary: Summary) -> None:
        super().__init__(session, summary)
        self._texts: dict[str, Text] = {}
        self._written: dict[str, Reply] = {}  # by key
        self._same = SameAnswers()
        self._without: dict[str, str] = {}  # key -> why there is no text, as far as is known

    def questions(self, texts: Mapping[Source, int] | Mapping[Untranslated, int], times: int) -> list[Question]:
        """Texts, with how often each was asked for before; ``times``: to be asked in this run at most."""
        endpoint = self.session.endpoint
        found = []
        for text, asked in texts.items():
            key = text.key(endpoint.provider, endpoint.model)
            self._texts[key] = text
            read = partial(self._read, text)
            found.append(Question(key, text.order_hash, _chat_of(text), read, asked=asked, times=times))
        return found

    def _read(self, text: Text, answer: Answer) -> Reading:
        return self._same.checked(text.original, text.read(answer))

    def store(self, connection: Connection, replies: Sequence[Reply], ended: Sequence[Ended]) -> None:
        del ended
        add_prompt_texts(self.session.ws.db, connection, [self._text_row(reply) for reply in replies])

    def stored(self, replies: Sequence[Reply], ended: Sequence[Ended]) -> int:
        for reply in replies:
            if reply.row.outcome == WRITTEN:
                self._without.pop(reply.row.key, None)
                self._written[reply.row.key] = reply
                self.take(self._texts[reply.row.key], reply.reading.text)
            else:
                self._without[reply.row.key] = reply.row.reason or reply.row.outcome
        return len(ended)

    def take(self, text: Text, written: str) -> None:
        """What was written, once it is stored."""

    def withdraw(self, text: Text) -> None:
        """What was taken is no text: the same came for others."""

    def end(self) -> None:
        self._withdraw_same()
        for why in self._without.values():
            self.summary.count_failure(why)

    def _withdraw_same(self) -> None:
        """What was taken before the same came for all is asked for again by the next run, as those others are."""
        rows = []
        for key, reply in self._written.items():
            if self._same.are_for_all(reply.reading.text):
                row = replace(self._text_row(reply), text="", outcome=WITHDRAWN, reason=SAME_FOR_ALL, seconds=0.0)
                rows.append(replace(row, ask=row.ask + 1, tokens_in=None, tokens_out=None, cost=None))
                self._without[key] = SAME_FOR_ALL
                self.withdraw(self._texts[key])
        if rows:
            db = self.session.ws.db
            with db.write() as connection:
                add_prompt_texts(db, connection, rows)

    def _text_row(self, reply: Reply) -> PromptText:
        text, row = self._texts[reply.row.key], reply.row
        return PromptText(
            row.key,
            row.ask,
            text.style,
            text.form,
            text.original,
            reply.reading.text,
            row.judge,
            row.provider,
            row.model,
            row.prompt_hash,
            row.outcome,
            row.reason,
            row.tokens_in,
            row.tokens_out,
            row.cost,
            row.seconds,
            row.at,
        )


def _chat_of(text: Text) -> Callable[[int, str], Chat]:
    def chat(_unread: int, why: str) -> Chat:
        return text_chat(text.order(why), text.original)

    return chat
