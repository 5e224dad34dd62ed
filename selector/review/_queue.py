"""The queue: which tasks, in which order, as the address of the page says. Knows no store."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from selector.domain import InputError
from selector.domain.words import near_or_all
from selector.review._gallery import Haystack, folded
from selector.review._rows import Row

MOST_ROWS = 500  # of one answer
_MOST_WORDS = 20  # of a search
DECIDED: Mapping[str, Callable[[Row], bool]] = {
    "excluded": lambda row: row.excluded > 0,
    "pinned": lambda row: row.pinned,
    "noted": lambda row: bool(row.notes),
    "none": lambda row: not (row.excluded or row.pinned or row.notes),
    "looked": lambda row: row.looked,
    "not_looked": lambda row: not row.looked,
    "changed": lambda row: row.changed,
}
_Sort = Callable[[Row], float | str | int | None]
SORTS: Mapping[str, tuple[_Sort, bool]] = {  # what by, and whether the largest usually comes first
    "worth": (lambda row: row.worth, True),
    "loss": (lambda row: row.loss, True),
    "margin": (lambda row: row.margin, False),
    "disagreement": (lambda row: row.disagreement, True),
    "low": (lambda row: row.overall, False),
    "changed": (lambda row: int(row.changed), True),
    "id": (lambda row: row.task.position, False),
    "type": (lambda row: row.task.type.value, False),
}


@dataclass(frozen=True)
class QueueWish:
    """What is asked for; "" leaves a filter out."""

    sort: str = "worth"
    order: str = ""
    type: str = ""
    generator: str = ""
    flag: str = ""
    decision: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> QueueWish:
        """From the parameters of an address; raises ``InputError`` for a word that is none."""
        given = {name: query.get(name, "") for name in cls.__dataclass_fields__}
        wish = cls(**{**given, "sort": given["sort"] or "worth"})
        for name, word, known in (
            ("sort", wish.sort, [*SORTS]),
            ("order", wish.order, ["", "asc", "desc"]),
            ("decision", wish.decision, ["", *DECIDED]),
        ):
            if word not in known:
                raise InputError(f"there is no {name} '{word[:40]}'{near_or_all(word[:40], filter(None, known))}")
        return wish


def in_order(rows: Sequence[Row], wish: QueueWish) -> list[Row]:
    """All rows in the order that is asked for; what has no value comes last, equals in the table's order.

    A task whose whole id is searched for by its number comes first: digits also occur in prompts and file names.
    """
    by, largest_first = SORTS[wish.sort]
    if wish.order:
        largest_first = wish.order == "desc"
    known = [row for row in rows if by(row) is not None]
    unknown = [row for row in rows if by(row) is None]
    # Python's sort keeps equals in their order, reversed or not.
    found = sorted(known, key=lambda row: by(row), reverse=largest_first) + unknown  # type: ignore[arg-type,return-value]
    named = {word for word in folded(wish.q).split()[:_MOST_WORDS] if word.isdecimal()}
    return sorted(found, key=lambda row: folded(row.task.id) not in named) if named else found


def is_wanted(row: Row, wish: QueueWish, haystacks: Mapping[str, Haystack]) -> bool:
    """Whether the filters let a row through."""
    return (
        (not wish.type or row.task.type.value == wish.type)
        and (not wish.generator or wish.generator in row.generators)
        and (not wish.flag or wish.flag in row.flags)
        and (not wish.decision or DECIDED[wish.decision](row))
        and _has_words(row, wish.q, haystacks)
    )


def neighbours(
    rows: Sequence[Row], wish: QueueWish, haystacks: Mapping[str, Haystack], task_id: str
) -> tuple[str | None, str | None]:
    """The wanted tasks before and after one in the queue's order, also where it is none of the wanted itself.

    So who filters for tasks that nobody looked at goes on from the one that was just looked at.
    """
    ordered = in_order(rows, wish)
    place = next((i for i, row in enumerate(ordered) if row.task.id == task_id), None)
    if place is None:
        return None, None
    before = next((row.task.id for row in ordered[:place][::-1] if is_wanted(row, wish, haystacks)), None)
    after = next((row.task.id for row in ordered[place + 1 :] if is_wanted(row, wish, haystacks)), None)
    return before, after


def number_of(text: str | None, usual: int, most: float = math.inf) -> int:
    """A parameter that is a number of rows; raises ``InputError`` for what is none."""
    if text in (None, ""):
        return usual
    if not text.isdecimal() or len(text) > 9:
        raise InputError(f"a number of rows is expected, got '{text[:40]}'")
    return int(min(int(text), most))


def _has_words(row: Row, q: str, haystacks: Mapping[str, Haystack]) -> bool:
    words = folded(q).split()[:_MOST_WORDS]
    if not words:
        return True
    own = haystacks.get(row.task.id, Haystack(""))
    notes = folded(" ".join(row.notes)) if row.notes else ""
    return all(own.has(word) or word in notes for word in words)
