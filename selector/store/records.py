"""Rows in and out as frozen records. Every function takes an open connection, so that callers choose transactions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, func, select

from selector.domain import JSONValue, Recipe, Task, TaskType
from selector.store import schema
from selector.store.database import Database, add


@dataclass(frozen=True)
class Planning:
    """What a generator said it would make of a task; ``outcome`` is planned, declined, failed or missing."""

    task_id: str
    generator: str
    build: str
    asked: int
    recipes: tuple[Recipe, ...]
    outcome: str
    reason: str | None


@dataclass(frozen=True)
class Attempt:
    """One try of one recipe; ``outcome`` is made, declined, failed or missing; ``fallback``: by a last resort."""

    task_id: str
    generator: str
    build: str
    recipe: Recipe
    ordinal: int | None
    outcome: str
    candidate_id: str | None = None
    reason: str | None = None
    notes: JSONValue = None
    seconds: float = 0.0
    fallback: bool = False


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


def save_tasks(db: Database, connection: Connection, tasks: Sequence[Task]) -> None:
    rows = [
        {
            "id": t.id,
            "position": t.position,
            "type": t.type.value,
            "prompt": t.prompt,
            "source": t.source,
            "reference": t.reference,
        }
        for t in tasks
    ]
    db.insert_missing(connection, schema.task, rows)


def load_tasks(connection: Connection) -> tuple[Task, ...]:
    """All tasks in the order of the table."""
    rows = connection.execute(select(schema.task).order_by(schema.task.c.position))
    return tuple(Task(r.id, TaskType(r.type), r.prompt, r.source, r.reference, r.position) for r in rows)


def latest_planning(connection: Connection, task_id: str, generator: str, build: str) -> Planning | None:
    p = schema.planning.c
    row = connection.execute(
        select(schema.planning)
        .where(p.task_id == task_id, p.generator == generator, p.build == build)
        .order_by(p.id.desc())
        .limit(1)
    ).first()
    return None if row is None else _planning(row)


def add_planning(connection: Connection, planning: Planning, at: str) -> None:
    """Append, unless the newest planning of this task, generator and build says the same already."""
    if latest_planning(connection, planning.task_id, planning.generator, planning.build) == planning:
        return
    add(
        connection,
        schema.planning,
        task_id=planning.task_id,
        generator=planning.generator,
        build=planning.build,
        asked=planning.asked,
        recipes=[{"variant": r.variant, "seed": r.seed, "params": dict(r.params)} for r in planning.recipes],
        outcome=planning.outcome,
        reason=planning.reason,
        at=at,
    )


def tries_of(
    connection: Connection, task_id: str, generator: str, build: str
) -> dict[str, list[tuple[str, str | None]]]:
    """Recipe key to (outcome, candidate id) of its tries so far, oldest first."""
    a = schema.attempt.c
    rows = connection.execute(
        select(a.recipe_key, a.outcome, a.candidate_id)
        .where(a.task_id == task_id, a.generator == generator, a.build == build)
        .order_by(a.id)
    )
    found: dict[str, list[tuple[str, str | None]]] = {}
    for row in rows:
        found.setdefault(row.recipe_key, []).append((row.outcome, row.candidate_id))
    return found


def sizes_of(connection: Connection) -> dict[str, int]:
    """Candidate id to the bytes of its file, of all that were made."""
    c = schema.candidate.c
    return {row.id: row.size_bytes for row in connection.execute(select(c.id, c.size_bytes))}


def add_attempt(
    db: Database, connection: Connection, attempt: Attempt, candidate: Candidate | None, try_number: int, at: str
) -> None:
    """Append an attempt and, if it made one, its candidate; both are left out when they are there already."""
    if candidate is not None:
        row = {key: value for key, value in vars(candidate).items() if key != "fallback"}  # follows from the attempts
        db.insert_missing(connection, schema.candidate, [{**row, "at": at}])
    row = {
        "task_id": attempt.task_id,
        "generator": attempt.generator,
        "build": attempt.build,
        "recipe_key": attempt.recipe.key,
        "try_number": try_number,
        "ordinal": attempt.ordinal,
        "variant": attempt.recipe.variant,
        "seed": attempt.recipe.seed,
        "params": dict(attempt.recipe.params),
        "outcome": attempt.outcome,
        "fallback": attempt.fallback,
        "candidate_id": attempt.candidate_id,
        "reason": attempt.reason,
        "notes": attempt.notes or {},
        "seconds": attempt.seconds,
        "at": at,
    }
    db.insert_missing(connection, schema.attempt, [row])


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
    answers = select(a.task_id, a.candidate_id).where(a.candidate_id.is_not(None), ~a.fallback).distinct().subquery()
    same = and_(answers.c.task_id == c.task_id, answers.c.candidate_id == c.id)
    query = select(c.task_id, c.id, answers.c.task_id.is_(None)).select_from(schema.candidate.outerjoin(answers, same))
    return [(row[0], row[1], bool(row[2])) for row in connection.execute(query.order_by(c.task_id, c.id))]


def load_attempts(connection: Connection, task_id: str | None = None) -> tuple[Attempt, ...]:
    """Attempts of one task, or of all, oldest first."""
    query = select(schema.attempt).order_by(schema.attempt.c.id)
    if task_id is not None:
        query = query.where(schema.attempt.c.task_id == task_id)
    return tuple(_attempt(row) for row in connection.execute(query))


def last_resorts(connection: Connection) -> dict[str, set[str]]:
    """Task id to the ids of candidates that a last resort made, whether or not another generator made them too."""
    a = schema.attempt.c
    query = select(a.task_id, a.candidate_id).where(a.fallback, a.candidate_id.is_not(None))
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.task_id, set()).add(row.candidate_id)
    return found


def first_guesses(connection: Connection) -> dict[tuple[str, str], int]:
    """(task id, candidate id) to the best place that a generator gave it among its guesses, where places were given."""
    a = schema.attempt.c
    query = select(a.task_id, a.candidate_id, func.min(a.ordinal)).group_by(a.task_id, a.candidate_id)
    rows = connection.execute(query.where(a.candidate_id.is_not(None), a.ordinal.is_not(None)))
    return {(row[0], row[1]): int(row[2]) for row in rows}


def current_plannings(
    connection: Connection, generators: Collection[str] | None = None, failed: bool = False
) -> tuple[Planning, ...]:
    """The newest planning of every (task, generator, build); of these generators, or only those that failed."""
    p = schema.planning.c
    newest = select(func.max(p.id)).group_by(p.task_id, p.generator, p.build)
    query = select(schema.planning).where(p.id.in_(newest)).order_by(p.id)
    if generators is not None:
        query = query.where(p.generator.in_(generators))
    if failed:
        query = query.where(p.outcome != "planned")
    return tuple(_planning(row) for row in connection.execute(query))


def failed_attempts(connection: Connection) -> tuple[Attempt, ...]:
    """Attempts that made nothing and are the last of their recipe, oldest first."""
    a, later = schema.attempt.c, schema.attempt.alias().c
    same = (later.task_id == a.task_id, later.generator == a.generator, later.recipe_key == a.recipe_key)
    query = select(schema.attempt).where(a.outcome != "made", ~exists().where(*same, later.id > a.id))
    return tuple(_attempt(row) for row in connection.execute(query.order_by(a.id)))


def tries_by(
    connection: Connection, generators: Collection[str]
) -> dict[tuple[str, str, str], dict[str, list[tuple[str, str | None]]]]:
    """(task, generator, build) of these generators to what ``tries_of`` says of it."""
    a = schema.attempt.c
    query = select(a.task_id, a.generator, a.build, a.recipe_key, a.outcome, a.candidate_id)
    query = query.where(a.generator.in_(generators)).order_by(a.id)
    found: dict[tuple[str, str, str], dict[str, list[tuple[str, str | None]]]] = {}
    for task_id, generator, build, key, outcome, candidate_id in connection.execute(query):
        found.setdefault((task_id, generator, build), {}).setdefault(key, []).append((outcome, candidate_id))
    return found


def scored_candidates(connection: Connection, versions: Mapping[str, str]) -> dict[str, dict[str, set[str]]]:
    """Task id to every candidate id to those of the named scorers that have scored it in these versions."""
    found: dict[str, dict[str, set[str]]] = {}
    for candidate in load_candidates(connection):
        found.setdefault(candidate.task_id, {})[candidate.id] = set()
    s = schema.score.c
    for name, version in versions.items():
        query = select(s.task_id, s.candidate_id).where(s.scorer == name, s.version == version).distinct()
        for row in connection.execute(query):
            found[row[0]][row[1]].add(name)
    return found


def add_scores(db: Database, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    db.insert_missing(connection, schema.score, rows)


def _planning(row: Any) -> Planning:
    recipes = tuple(Recipe(r["variant"], r["seed"], r["params"]) for r in row.recipes)
    return Planning(row.task_id, row.generator, row.build, row.asked, recipes, row.outcome, row.reason)


def _attempt(row: Any) -> Attempt:
    return Attempt(
        row.task_id,
        row.generator,
        row.build,
        Recipe(row.variant, row.seed, row.params),
        row.ordinal,
        row.outcome,
        row.candidate_id,
        row.reason,
        row.notes,
        row.seconds,
        bool(row.fallback),
    )
