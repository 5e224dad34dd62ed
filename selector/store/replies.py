"""What language models answered: judges' replies as they came, and prompts in other words: nothing is asked twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TypeVar

from sqlalchemy import Connection, String, Table, cast, func, select

from selector.store import schema
from selector.store.database import Database

_MOST_KEYS = 500  # in one query: SQLite bounds the number of parameters
Row = TypeVar("Row", "ReplyRow", "PromptText")
SCORED, WRITTEN, REFUSED, UNREADABLE = "scored", "written", "refused", "unreadable"
WITHDRAWN = "withdrawn"  # no reply: a run stopped as all ended alike, so those before it are not final


@dataclass(frozen=True)
class ReplyRow:
    """One reply, or that none came. ``key``: see ``llm.judgements`` and ``llm.texts``; ``ask``: 0 for the
    first of its key.

    ``outcome``: scored, refused, unreadable, rejected, unanswered, written (in older stores also translated) or
    withdrawn; ``text``: what came, or the server's sentence where that is an error; ``scores``: by sub-score, 0 to 10,
    {} unless scored; ``images``: ids in the order shown; ``cost`` in the currency of the configuration, None where not
    known.
    """

    key: str
    ask: int
    judge: str
    provider: str
    model: str
    prompt_hash: str
    images: Sequence[str]
    repeat: int
    outcome: str
    scores: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    text: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    seconds: float = 0.0
    at: str = ""


def add_replies(db: Database, connection: Connection, replies: Iterable[ReplyRow]) -> None:
    """Append; one that is there already is left out."""
    rows = [{**vars(r), "images": list(r.images), "scores": dict(r.scores)} for r in replies]
    db.insert_missing(connection, schema.judge_reply, rows)


def load_replies(connection: Connection, keys: Iterable[str]) -> dict[str, list[ReplyRow]]:
    """Key to its replies, oldest first; keys without any are left out."""
    found: dict[str, list[ReplyRow]] = {}
    for row in _of_keys(connection, schema.judge_reply, ReplyRow, keys):
        found.setdefault(row.key, []).append(row)
    return found


def words_about(connection: Connection, candidates: Iterable[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(candidate id, judge) to what the judge wrote of it, oldest first: the texts of the replies that gave scores."""
    r = schema.judge_reply.c
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for candidate in sorted(set(candidates)):
        named = cast(r.images, String).contains(f'"{candidate}"', autoescape=True)
        query = select(r.judge, r.text).where(r.outcome == SCORED, r.text != "", named).order_by(r.id)
        for judge, text in connection.execute(query).all():
            found[candidate, judge] = (*found.get((candidate, judge), ()), text)
    return found


def standing(replies: Sequence[ReplyRow]) -> Sequence[ReplyRow]:
    """Those that count: after the last that a run withdrew."""
    withdrawn = [place for place, reply in enumerate(replies) if reply.outcome == WITHDRAWN]
    return replies[withdrawn[-1] + 1 :] if withdrawn else replies


def withdrawn_as(replies: Sequence[ReplyRow]) -> str:
    """The outcome with which a run stopped and withdrew them, "" where none did; one of a later run is none of them."""
    before = replies[: len(replies) - len(standing(replies))]
    return next((reply.outcome for reply in reversed(before) if reply.outcome != WITHDRAWN), "")


def has_read_before(connection: Connection, judge: str) -> bool:
    """Whether a reply of this judge, by its name, has ever said what was asked for."""
    r = schema.judge_reply.c
    query = select(r.id).where(r.judge == judge, r.outcome.in_((SCORED, WRITTEN))).limit(1)
    return connection.execute(query).first() is not None


def most_repeats(connection: Connection, judge: str) -> int:
    """The most passes over a candidate that a judge has begun."""
    r = schema.judge_reply.c
    most = connection.execute(select(func.max(r.repeat)).where(r.judge == judge)).scalar_one()
    return 0 if most is None else int(most) + 1


def money_spent(connection: Connection, judge: str) -> float:
    """What all replies of a judge have cost, as far as it is known."""
    r = schema.judge_reply.c
    return float(connection.execute(select(func.sum(r.cost)).where(r.judge == judge)).scalar_one() or 0.0)


def usual_reply(connection: Connection, judge: str) -> tuple[float | None, float | None]:
    """(cost, seconds) of a reply of a judge on average; None where nothing is known."""
    r = schema.judge_reply.c
    cost, seconds = connection.execute(select(func.avg(r.cost), func.avg(r.seconds)).where(r.judge == judge)).one()
    return (None if cost is None else float(cost)), (None if seconds is None else float(seconds))


def most_spent(connection: Connection, judge: str) -> float | None:
    """What one reply of a judge has cost at most; None where no cost is known."""
    r = schema.judge_reply.c
    most = connection.execute(select(func.max(r.cost)).where(r.judge == judge)).scalar_one()
    return None if most is None else float(most)


@dataclass(frozen=True)
class PromptText:
    """One answer to the question for a text, or that none came. ``key``: see ``llm.texts``.

    ``outcome``: written, refused, unreadable, rejected, unanswered or withdrawn; ``text``: "" unless written; ``ask``:
    0 for the first of its key; ``cost`` in the currency of the configuration, None where not known.
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
    """Key to what counts: the newest text that was not withdrawn since, else how the newest question ended."""
    found: dict[str, PromptText] = {}
    for text in _of_keys(connection, schema.prompt_text, PromptText, keys):
        if text.outcome in (WRITTEN, WITHDRAWN) or text.key not in found or found[text.key].outcome != WRITTEN:
            found[text.key] = text
    return found


def _of_keys(connection: Connection, table: Table, record: type[Row], keys: Iterable[str]) -> Iterator[Row]:
    """Rows of the keys as records, oldest first of each."""
    wanted = sorted(set(keys))
    columns = [table.c[field.name] for field in fields(record)]
    for start in range(0, len(wanted), _MOST_KEYS):
        query = select(*columns).where(table.c.key.in_(wanted[start : start + _MOST_KEYS])).order_by(table.c.id)
        for row in connection.execute(query):
            yield record(*row)
