"""Pictures whose bytes were deleted on purpose: who did it, when and why; their other rows stay.

The row comes first and then the bytes go, so a kill in between leaves a picture that nothing uses, which the next run
deletes. What is made again lies there again, with a row that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select

from selector.domain import Task
from selector.store import schema
from selector.store.database import STREAMED

AGAIN = "made or imported again"
IN_SUBMISSION = ""  # why it is needed; which hold it is told by their names
_BLANK = schema.attempt.c.generator == "blank"
_AT_ONCE = 500  # ids in one query


class Gone(NamedTuple):
    """``row``: its number, which grows; ``name`` of an input picture, None of a candidate."""

    row: int
    name: str | None
    reason: str
    by: str
    at: str

    @property
    def words(self) -> str:
        return f"deleted by {self.by}: {self.reason}"

    @property
    def of_input(self) -> str:
        """Why what needs it is not made."""
        return f"its input picture was deleted by {self.by}: {self.reason}"


_DELETIONS = select(*schema.pruned.c["picture_id", "gone", "id", "name", "reason", "by", "at"]).order_by(
    schema.pruned.c.id
)
_DELETIONS_OF = _DELETIONS.where(schema.pruned.c.picture_id.in_(bindparam("ids", expanding=True)))


def load_gone(connection: Connection, ids: Sequence[str] | None = None) -> dict[str, Gone]:
    """Picture id to its deletion, of those that are gone now; of these only if given."""
    rows = connection.execute(_DELETIONS) if ids is None else connection.execute(_DELETIONS_OF, {"ids": list(ids)})
    found: dict[str, Gone] = {}
    for picture_id, gone, *said in rows.all():
        found.pop(picture_id, None)
        if gone:
            found[picture_id] = Gone(*said)
    return found


def gone_candidates(connection: Connection) -> list[tuple[str, str]]:
    """(task id, candidate id) of those whose pictures are gone now."""
    gone, c = load_gone(connection), schema.candidate.c
    query = select(c.task_id, c.id).where(c.id.in_(select(schema.pruned.c.picture_id)))
    return [(task_id, candidate_id) for task_id, candidate_id in connection.execute(query) if candidate_id in gone]


def kept_ids(connection: Connection) -> Iterator[str]:
    """Ids of candidates' pictures that nobody has deleted, sorted, read as they are taken."""
    p, c = schema.pruned.c, schema.candidate.c
    gone = select(p.picture_id).where(p.id.in_(select(func.max(p.id)).group_by(p.picture_id)), p.gone)
    query = select(c.id).distinct().where(c.id.not_in(gone)).order_by(c.id)
    for rows in connection.execute(query, execution_options=STREAMED).scalars().partitions():
        yield from rows


def count_gone(connection: Connection) -> tuple[int, int]:
    """How many pictures of candidates are gone, and how many input pictures."""
    p = schema.pruned.c
    newest = select(func.max(p.id)).group_by(p.picture_id)
    of_candidates = p.picture_id.in_(select(schema.candidate.c.id))
    query = select(func.count()).where(p.id.in_(newest), p.gone, of_candidates)
    return int(connection.execute(query).scalar_one()), len(gone_inputs(connection))


def gone_inputs(connection: Connection) -> dict[str, Gone]:
    """Name of an input picture to its deletion, of those that are gone."""
    p = schema.pruned.c
    newest = select(func.max(p.id)).where(p.name.is_not(None)).group_by(p.name)
    query = select(p.name, p.id, p.name, p.reason, p.by, p.at).where(p.id.in_(newest), p.gone)
    return {row[0]: Gone(*row[1:]) for row in connection.execute(query).all()}


def lost_inputs(connection: Connection, tasks: Iterable[Task]) -> dict[str, Gone]:
    """Task id to the deletion of an input picture of it, of the tasks that lack one: little can be made for them."""
    gone = gone_inputs(connection)
    both = ((task.id, name) for task in tasks for name in (task.reference, task.source) if name) if gone else ()
    return {task_id: gone[name] for task_id, name in both if name in gone}


def note_gone(
    connection: Connection, pictures: Iterable[tuple[str, str | None]], reason: str, by: str, at: str
) -> None:
    """Say of these, (picture id, name of an input picture or None), that they are gone; their vectors go with them."""
    named = list(pictures)
    rows = [
        {"picture_id": picture, "name": name, "gone": True, "reason": reason, "by": by, "at": at}
        for picture, name in named
    ]
    if rows:
        connection.execute(insert(schema.pruned), rows)
    ids = sorted({picture for picture, _ in named})
    for start in range(0, len(ids), _AT_ONCE):
        of = schema.embedding.c.picture_id.in_(ids[start : start + _AT_ONCE])
        connection.execute(delete(schema.embedding).where(of))


def note_again(connection: Connection, picture_id: str, at: str) -> None:
    """A picture was made or imported again; nothing where it was not gone."""
    gone = load_gone(connection, [picture_id]).get(picture_id)
    if gone is not None:
        row = {"picture_id": picture_id, "name": None, "gone": False, "reason": AGAIN, "by": gone.by, "at": at}
        connection.execute(insert(schema.pruned), [row])


def made_of_nothing(connection: Connection) -> set[str]:
    """Ids of the pictures that the generator ``blank`` made and no other."""
    a = schema.attempt.c
    blank, others = (select(a.candidate_id).where(a.candidate_id.is_not(None), cond) for cond in (_BLANK, ~_BLANK))
    real = set(connection.execute(others.where(a.candidate_id.in_(blank))).scalars())
    return set(connection.execute(blank).scalars()) - real


class Held(NamedTuple):
    """Pictures of a task type by a generator, and their bytes; each counts once, for the first of its kind."""

    task_type: str
    generator: str
    pictures: int
    bytes: int


def held_bytes(connection: Connection) -> list[Held]:
    """What lies there by the rows, largest first; a picture that several made counts for the first by name."""
    c, a, t, p = schema.candidate.c, schema.attempt.c, schema.task.c, schema.pruned.c
    made = and_(a.task_id == c.task_id, a.candidate_id == c.id)
    newest = select(func.max(p.id)).group_by(p.picture_id)
    gone = select(p.picture_id).where(p.id.in_(newest), p.gone)
    each = (
        select(c.id, func.min(t.type).label("type"), func.min(a.generator).label("generator"), func.max(c.size_bytes))
        .join_from(schema.candidate, schema.task, t.id == c.task_id)
        .outerjoin(schema.attempt, made)
        .where(c.id.not_in(gone))
        .group_by(c.id)
        .subquery()
    )
    _, kind, generator, size = each.c
    rows = connection.execute(select(kind, generator, func.count(), func.sum(size)).group_by(kind, generator)).all()
    return sorted((Held(r[0], r[1] or "unknown", r[2], int(r[3])) for r in rows), key=lambda h: (-h.bytes, h[:2]))


def needed(connection: Connection) -> Mapping[str, str]:
    """Picture id to why it must stay: it is picked, people pinned it or noted something, or a submission holds it.

    One reason of several, the first of these; ``IN_SUBMISSION`` where a submission alone holds it.
    """
    from selector.store.decisions import load_decisions
    from selector.store.picks import newest_picks

    held = connection.execute(select(schema.submission_pick.c.candidate_id).distinct()).scalars()
    found = dict.fromkeys(held, IN_SUBMISSION)
    decisions, picked = load_decisions(connection), newest_picks(connection)
    for note in decisions.notes:
        found[note.target.candidate_id or ""] = f"{note.by} noted something"
    for pin in decisions.pins.values():
        found[pin.target.candidate_id or ""] = f"pinned by {pin.by}"
    for pick in picked[1] if picked else ():
        found[pick.candidate_id or ""] = "it is picked"
    found.pop("", None)
    return found


def vector_bytes(connection: Connection) -> int:
    """Bytes of the vectors that the store keeps of pictures."""
    return int(connection.execute(select(func.sum(func.length(schema.embedding.c.vectors)))).scalar_one() or 0)
