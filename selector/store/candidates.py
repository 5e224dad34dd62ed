"""Candidates read from the store, each table in one query: who made them, and which are last resorts."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, exists, func, select

from selector.domain import InputError
from selector.store import schema
from selector.store.database import STREAMED

# Where attempts keep what was done beside their generator's own work: written by selector/generate.
_STYLE, _FINISH, _ORIGIN = ("prompt_style", "style"), ("finish", "name"), "finished_from"


@dataclass(frozen=True)
class Candidate:
    """One image for one task; ``id`` is the SHA-256 of its final bytes.

    ``fallback``: only last resorts made it, so it is no answer to the task.
    """

    task_id: str
    id: str
    width_px: int
    height_px: int
    size_bytes: int
    fallback: bool = False  # known of a loaded candidate, from its attempts


class Maker(NamedTuple):
    """The attempt that made a candidate.

    ``variant`` is the recipe's, treatments included; ``style`` of the prompt and ``finish`` of the picture are "" where
    there is none; ``origin`` is the id of the candidate that a finish was applied to.
    """

    generator: str
    variant: str
    style: str = ""
    finish: str = ""
    origin: str = ""


def load_candidates(connection: Connection, task_id: str | None = None) -> tuple[Candidate, ...]:
    """Candidates of one task, or of all, ordered by task and id: the same order in every process."""
    c, a = schema.candidate.c, schema.attempt.c
    answered = exists().where(a.task_id == c.task_id, a.candidate_id == c.id, ~a.fallback)
    query = select(schema.candidate, (~answered).label("fallback")).order_by(c.task_id, c.id)
    if task_id is not None:
        query = query.where(c.task_id == task_id)
    return tuple(
        Candidate(r.task_id, r.id, r.width_px, r.height_px, r.size_bytes, bool(r.fallback))
        for r in connection.execute(query)
    )


def candidate_keys(connection: Connection) -> list[tuple[str, str, bool]]:
    """(task id, candidate id, whether only a last resort made it) of all candidates, ordered by the first two."""
    c, a = schema.candidate.c, schema.attempt.c
    answered = exists().where(a.task_id == c.task_id, a.candidate_id == c.id, ~a.fallback)
    query = select(c.task_id, c.id, ~answered).order_by(c.task_id, c.id)
    name: dict[str, str] = {}  # one text a task: of a million rows each would bring its own
    return [
        (name.setdefault(task_id, task_id), candidate_id, bool(fallback))
        for rows in connection.execute(query, execution_options=STREAMED).partitions()
        for task_id, candidate_id, fallback in rows
    ]


def served_tasks(connection: Connection) -> set[str]:
    """Ids of the tasks that have a candidate which not only a last resort made."""
    a = schema.attempt.c
    query = select(a.task_id).where(a.candidate_id.is_not(None), ~a.fallback).distinct()
    return set(connection.execute(query).scalars())


LEAST_ID = 4  # characters of a short id
SHORT_ID = 8  # those that are shown


def is_hexadecimal(text: str) -> bool:
    """Whether it could be the beginning of a candidate's id."""
    return all(digit in "0123456789abcdef" for digit in text.lower())


def find_candidates(connection: Connection, short: str, task_id: str | None = None) -> list[tuple[str, str]]:
    """(task id, candidate id) of the candidate with this id or unique beginning of it, once for each task that has it.

    Raises:
        InputError: none has it, several have, or it is shorter than ``LEAST_ID``.
    """
    wanted = short.strip()
    of = f" of task {task_id}" if task_id is not None else ""
    if len(wanted) < LEAST_ID or not is_hexadecimal(wanted):
        raise InputError(f"'{short}' is no id of a candidate: give {LEAST_ID} or more of its hexadecimal digits")
    rows = candidates_named(connection, wanted, task_id)
    ids = list(dict.fromkeys(candidate_id for _, candidate_id in rows))
    if not ids:
        raise InputError(f"there is no candidate '{short}'{of}: `bestshot explain TASK` lists a task's")
    if len(ids) > 1:
        raise InputError(
            f"'{short}' fits {len(ids)} candidates{of}: {', '.join(one[:16] for one in ids[:4])}; give more of it"
        )
    return rows


def candidates_named(connection: Connection, short: str, task_id: str | None = None) -> list[tuple[str, str]]:
    """(task id, candidate id) of all whose ids begin so, of a task or of all, ordered by the candidate's."""
    c, wanted = schema.candidate.c, short.strip().lower()
    query = select(c.task_id, c.id).where(c.id >= wanted, c.id < f"{wanted}g").order_by(c.id, c.task_id)
    rows = connection.execute(query if task_id is None else query.where(c.task_id == task_id))
    return [(row[0], row[1]) for row in rows]


def all_makers(connection: Connection, task_id: str | None = None, candidate_id: str | None = None) -> set[str]:
    """Names of the generators that have made anything, last resorts left out; of a task or a candidate if given."""
    a = schema.attempt.c
    query = select(a.generator).where(a.candidate_id.is_not(None), ~a.fallback).distinct()
    if task_id is not None:
        query = query.where(a.task_id == task_id)
    if candidate_id is not None:
        query = query.where(a.candidate_id == candidate_id)
    return set(connection.execute(query).scalars())


def all_tried(connection: Connection) -> set[str]:
    """Names of the generators that have tried anything, last resorts left out."""
    a = schema.attempt.c
    return set(connection.execute(select(a.generator).where(~a.fallback).distinct()).scalars())


def makers_by_candidate(
    connection: Connection, task_ids: Collection[str] | None = None
) -> dict[tuple[str, str], set[str]]:
    """(task id, candidate id) to the names of all that have made it, last resorts left out."""
    a = schema.attempt.c
    query = select(a.task_id, a.candidate_id, a.generator).where(a.candidate_id.is_not(None), ~a.fallback).distinct()
    if task_ids is not None:
        query = query.where(a.task_id.in_(task_ids))
    found: dict[tuple[str, str], set[str]] = {}
    for task, candidate, generator in connection.execute(query):
        found.setdefault((task, candidate), set()).add(generator)
    return found


def origins_of(connection: Connection, task_ids: Collection[str]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """(task id, candidate id) of finished copies to the ways they were made: generator, and what was finished.

    Of these tasks; the second is "" of a way without a finish.
    """
    a = schema.attempt.c
    if not task_ids:
        return {}
    finished, origin = a.params[_FINISH].as_string(), a.notes[_ORIGIN].as_string()
    query = select(a.task_id, a.candidate_id, a.generator, finished, origin).distinct()
    query = query.where(a.candidate_id.is_not(None), ~a.fallback, a.task_id.in_(task_ids))
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for task_id, candidate_id, generator, finish, of in connection.execute(query):
        found.setdefault((task_id, candidate_id), set()).add((generator, (of or "") if finish else ""))
    return {key: ways for key, ways in found.items() if any(of for _, of in ways)}


def made_times(connection: Connection) -> dict[tuple[str, str], str]:
    """(task id, candidate id) to when it was first made, ISO 8601."""
    c = schema.candidate.c
    return {(task, candidate): at for task, candidate, at in connection.execute(select(c.task_id, c.id, c.at))}


def is_answer(connection: Connection, task_id: str, candidate_id: str) -> bool:
    """Whether the picture is a candidate of the task that not only a last resort made."""
    a = schema.attempt.c
    made = exists().where(a.task_id == task_id, a.candidate_id == candidate_id, ~a.fallback)
    return bool(connection.execute(select(made)).scalar_one())


def candidates_by_task(connection: Connection) -> dict[str, int]:
    """Task id to the number of candidates that not only a last resort made; tasks with none are absent."""
    a = schema.attempt.c
    query = select(a.task_id, func.count(a.candidate_id.distinct())).where(a.candidate_id.is_not(None), ~a.fallback)
    return {row[0]: row[1] for row in connection.execute(query.group_by(a.task_id)).all()}


def only_fallbacks(connection: Connection) -> int:
    """How many pictures of tasks only a last resort made: no candidates."""
    a = schema.attempt.c
    # Only candidates of last resorts are looked at: they are few.
    by_resort = select(a.task_id, a.candidate_id).where(a.fallback, a.candidate_id.is_not(None)).distinct().subquery()
    f, other = by_resort.c, schema.attempt.alias().c
    answered = exists().where(other.task_id == f.task_id, other.candidate_id == f.candidate_id, ~other.fallback)
    return int(connection.execute(select(func.count()).select_from(by_resort).where(~answered)).scalar_one())


def sizes_of(connection: Connection) -> dict[str, int]:
    """Candidate id to the bytes of its file, of all that were made."""
    c = schema.candidate.c
    return {row[0]: row[1] for row in connection.execute(select(c.id, c.size_bytes).distinct()).all()}


def last_resorts(connection: Connection) -> dict[str, set[str]]:
    """Task id to the ids of candidates that a last resort made, whether or not another generator made them too."""
    a = schema.attempt.c
    query = select(a.task_id, a.candidate_id).where(a.fallback, a.candidate_id.is_not(None))
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.task_id, set()).add(row.candidate_id)
    return found


def made_by(connection: Connection, row_of: Mapping[tuple[str, str], int]) -> tuple[list[Maker | None], list[float]]:
    """What made each candidate, and the best place that a generator gave it among its guesses, NaN where none did.

    Of several that made it the first by name, in every process.

    Args:
        connection: to the store.
        row_of: (task id, candidate id) to the candidate's place in the lists.
    """
    a = schema.attempt.c
    treated = (a.params[_STYLE].as_string(), a.params[_FINISH].as_string(), a.notes[_ORIGIN].as_string())
    query = select(a.task_id, a.candidate_id, a.generator, a.variant, *treated, a.ordinal, a.fallback, a.id)
    query = query.where(a.candidate_id.is_not(None))
    found: list[Maker | None] = [None] * len(row_of)
    number, guess = [0] * len(row_of), [math.nan] * len(row_of)
    name: dict[str, str] = {}
    for rows in connection.execute(query, execution_options=STREAMED).partitions():
        for task_id, candidate_id, generator, variant, style, finish, origin, ordinal, fallback, attempt in rows:
            row = row_of.get((task_id, candidate_id))
            if row is None:
                continue
            if ordinal is not None and not ordinal >= guess[row]:
                guess[row] = ordinal
            before = found[row]
            mine = generator, variant, attempt
            if fallback or (before is not None and (before.generator, before.variant, number[row]) < mine):
                continue
            generator, style, finish = (name.setdefault(n, n) for n in (generator, style or "", finish or ""))
            found[row] = Maker(generator, variant, style, finish, (origin or "") if finish else "")
            number[row] = attempt
    return found, guess


def makers(connection: Connection) -> dict[tuple[str, str], Maker]:
    """(task id, candidate id) to what made it; of several the first by name, in every process."""
    keys = [key[:2] for key in candidate_keys(connection)]
    found, _ = made_by(connection, {key: row for row, key in enumerate(keys)})
    return {key: maker for key, maker in zip(keys, found, strict=True) if maker is not None}
