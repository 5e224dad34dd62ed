"""What judges answered over HTTP: every reply as it came, kept so that nothing that was answered is asked twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from selector.store import schema
from selector.store.database import Database

_MOST_KEYS = 500  # in one query: SQLite bounds the number of parameters


@dataclass(frozen=True)
class ReplyRow:
    """One reply, or that none came. ``key``: see ``llm.judgements`` and ``llm.texts``; ``ask``: 0 for the
    first of its key.

    ``outcome``: scored, refused, unreadable, rejected, unanswered or written (in older stores also translated);
    ``scores``: by sub-score, 0 to 10, {} unless scored; ``images``: ids in the order shown; ``cost`` in the currency of
    the configuration, None where not known.
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
    wanted = sorted(set(keys))
    found: dict[str, list[ReplyRow]] = {}
    r = schema.judge_reply.c
    columns = [r[name] for name in ReplyRow.__dataclass_fields__]
    for start in range(0, len(wanted), _MOST_KEYS):
        query = select(*columns).where(r.key.in_(wanted[start : start + _MOST_KEYS])).order_by(r.id)
        for row in connection.execute(query):
            found.setdefault(row.key, []).append(ReplyRow(*row))
    return found


def money_spent(connection: Connection, judge: str) -> float:
    """What all replies of a judge have cost, as far as it is known."""
    r = schema.judge_reply.c
    return float(connection.execute(select(func.sum(r.cost)).where(r.judge == judge)).scalar_one() or 0.0)
