"""Prompts in other words: what a language model made of them, kept so that none is asked for twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from selector.store import schema
from selector.store.database import Database

WRITTEN, REFUSED, UNREADABLE = "written", "refused", "unreadable"
_MOST_KEYS = 500  # in one query: SQLite bounds the number of parameters


@dataclass(frozen=True)
class PromptText:
    """One answer to the question for a text, or that none came. ``key``: see ``llm.texts``.

    ``outcome``: written, refused, unreadable, rejected or unanswered; ``text``: "" unless written; ``ask``: 0 for the
    first of its key; ``cost`` in the currency of the configuration, None where not known.
    """

    key: str
    ask: int
    style: str
    form: str
    original: str
    text: str
    writer: str
    provider: str
    model: str
    order_hash: str
    outcome: str
    reason: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    seconds: float = 0.0
    at: str = ""


def add_prompt_texts(db: Database, connection: Connection, texts: Iterable[PromptText]) -> None:
    """Append; one that is there already is left out."""
    db.insert_missing(connection, schema.prompt_text, [vars(text) for text in texts])


def load_prompt_texts(connection: Connection, keys: Iterable[str]) -> dict[str, PromptText]:
    """Key to what counts: the newest text, else how the newest question ended."""
    wanted = sorted(set(keys))
    found: dict[str, PromptText] = {}
    p = schema.prompt_text.c
    columns = [p[name] for name in PromptText.__dataclass_fields__]
    for start in range(0, len(wanted), _MOST_KEYS):
        query = select(*columns).where(p.key.in_(wanted[start : start + _MOST_KEYS])).order_by(p.id)
        for row in connection.execute(query):
            text = PromptText(*row)
            if text.outcome == WRITTEN or text.key not in found or found[text.key].outcome != WRITTEN:
                found[text.key] = text
    return found
