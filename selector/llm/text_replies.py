"""What a model answered about words alone (a translation, another wording): the text, and the reply that the budget
counts, stored together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from selector.llm import REFUSED, UNREADABLE, Answer, Endpoint, Usage, outcome_of
from selector.llm.client import KEPT_CHARACTERS
from selector.llm.translation_reading import DECLINED
from selector.llm.troubles import Trouble
from selector.store.database import Database
from selector.store.prompt_texts import WRITTEN, PromptText, add_prompt_texts
from selector.store.replies import ReplyRow, add_replies


@dataclass(frozen=True)
class Question:
    """A text that a model is asked for, as it is kept. ``ask``: how often it was asked for before, over all runs.

    ``key``: the same for the same question to the same model, whenever it is asked.
    """

    key: str
    ask: int
    style: str
    form: str
    original: str
    order_hash: str


@dataclass(frozen=True)
class Written:
    """How one question ended: the row of the text, whole, and the row of the reply, whose words may be shortened."""

    text: PromptText
    reply: ReplyRow


def written(
    name: str,
    endpoint: Endpoint,
    question: Question,
    came: Answer | Trouble,
    reading: tuple[str, str | None],
    seconds: float,
    at: str,
) -> Written:
    """Both rows.

    Args:
        name: of the table [judges.NAME].
        reading: the text and None, or "" and why ``came`` holds none.
        at: when it came.
    """
    usage = came.usage if isinstance(came, Answer) else Usage()
    said = (came.refusal or came.text or "") if isinstance(came, Answer) else ""
    text = PromptText(
        **vars(question),
        text=reading[0],
        writer=name,
        provider=endpoint.provider,
        model=endpoint.model,
        outcome=_outcome(came, reading[1]),
        reason=reading[1],
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        cost=endpoint.price.of(usage),
        seconds=round(seconds, 3),
        at=at,
    )
    return Written(text, _reply_of(text, said[:KEPT_CHARACTERS]))


def store_written(db: Database, connection: Connection, came: Sequence[Written]) -> None:
    """Text and reply of each; what is there already stays as it is."""
    add_replies(db, connection, [one.reply for one in came])
    add_prompt_texts(db, connection, [one.text for one in came])


def _outcome(came: Answer | Trouble, why: str | None) -> str:
    if isinstance(came, Trouble):
        return outcome_of(came)
    return WRITTEN if why is None else REFUSED if why == DECLINED else UNREADABLE


def _reply_of(text: PromptText, said: str) -> ReplyRow:
    """As a judge's reply is stored, of no picture."""
    return ReplyRow(
        key=text.key,
        ask=text.ask,
        judge=text.writer,
        provider=text.provider,
        model=text.model,
        prompt_hash=text.order_hash,
        images=(),
        repeat=0,
        outcome=text.outcome,
        reason=text.reason,
        text=said,
        tokens_in=text.tokens_in,
        tokens_out=text.tokens_out,
        cost=text.cost,
        seconds=text.seconds,
        at=text.at,
    )
