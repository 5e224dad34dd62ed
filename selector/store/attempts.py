"""Tasks, plannings and attempts, in and out as frozen records. Callers open the connection: transactions are theirs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, exists, func, select

from selector.domain import JSONValue, Recipe, Task, TaskType
from selector.store import schema
from selector.store.candidates import Candidate
from selector.store.database import Database, add
from selector.store.pruned import note_again

_FINISH = ("finish", "name")  # where a recipe says what was done to its picture


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
    t = schema.task.c
    query = select(t.id, t.type, t.prompt, t.source, t.reference, t.position).order_by(t.position)
    types = {task_type.value: task_type for task_type in TaskType}
    return tuple(Task(key, types[of_type], *rest) for key, of_type, *rest in connection.execute(query).all())


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


def add_attempt(
    db: Database, connection: Connection, attempt: Attempt, candidate: Candidate | None, try_number: int, at: str
) -> None:
    """Append an attempt and, if it made one, its candidate; both are left out when they are there already."""
    if candidate is not None:
        row = {key: value for key, value in vars(candidate).items() if key != "fallback"}  # follows from the attempts
        db.insert_missing(connection, schema.candidate, [{**row, "at": at}])
        note_again(connection, candidate.id, at)
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


def load_attempts(connection: Connection, task_id: str | None = None) -> tuple[Attempt, ...]:
    """Attempts of one task, or of all, oldest first."""
    query = select(schema.attempt).order_by(schema.attempt.c.id)
    if task_id is not None:
        query = query.where(schema.attempt.c.task_id == task_id)
    return tuple(_attempt(row) for row in connection.execute(query))


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
    return tuple(_planning(row) for row in connection.execute(query).all())


def failed_attempts(connection: Connection) -> tuple[Attempt, ...]:
    """Attempts that made nothing and are the last of their recipe, oldest first.

    Of imported files those that the label's newest import for their task still has: a file that was mended, or that
    others came for, is no failure any more. What is left over people exclude.
    """
    a, later = schema.attempt.c, schema.attempt.alias().c
    same = (later.task_id == a.task_id, later.generator == a.generator, later.recipe_key == a.recipe_key)
    query = select(schema.attempt).where(a.outcome != "made", ~exists().where(*same, later.id > a.id))
    found = [_attempt(row) for row in connection.execute(query.order_by(a.id))]
    imports = {one.generator for one in found if "file" in one.recipe.params}
    if not imports:
        return tuple(found)
    there = {
        (p.task_id, p.generator, p.build, recipe.key)
        for p in current_plannings(connection, imports)
        for recipe in p.recipes
    }
    return tuple(
        one
        for one in found
        if "file" not in one.recipe.params or (one.task_id, one.generator, one.build, one.recipe.key) in there
    )


def declined_throughout(connection: Connection) -> set[tuple[str, str, str]]:
    """(task, generator, build) that was declined and of which nothing was made: as a whole, or recipe by recipe.

    A service that refuses a prompt for its content does so for every recipe, and plans as if it had not.
    """
    a = schema.attempt.c
    tried = select(a.task_id, a.generator, a.build).distinct()
    query = tried.where(a.outcome == "declined").except_(tried.where(a.outcome == "made"))
    as_a_whole = [p for p in current_plannings(connection, failed=True) if p.outcome == "declined"]
    of_recipes = {(task_id, generator, build) for task_id, generator, build in connection.execute(query)}
    return of_recipes | {(p.task_id, p.generator, p.build) for p in as_a_whole}


def tried_recipes(connection: Connection) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(task, generator, build) to (recipes that gave a picture, recipes that were tried), finishes left out.

    What a part was missing for was not tried: the next run does it.
    """
    a = schema.attempt.c
    each = (
        select(a.task_id, a.generator, a.build, func.max(case((a.outcome == "made", 1), else_=0)).label("made"))
        .where(a.outcome != "missing", a.params[_FINISH].as_string().is_(None))
        .group_by(a.task_id, a.generator, a.build, a.recipe_key)
        .subquery()
    )
    e = each.c
    query = select(e.task_id, e.generator, e.build, func.sum(e.made), func.count())
    rows = connection.execute(query.group_by(e.task_id, e.generator, e.build))
    return {(task_id, generator, build): (int(made), int(n)) for task_id, generator, build, made, n in rows}


def without_ideas(connection: Connection) -> dict[tuple[str, str, str], int]:
    """(task, generator, build) of which the newest planning, of all wordings, has fewer recipes than were asked for.

    With each how many are lacking.
    """
    p = schema.planning.c
    newest = select(func.max(p.id)).group_by(p.task_id, p.generator, p.build)
    lacking = p.asked - func.json_array_length(p.recipes)
    query = select(p.task_id, p.generator, p.build, lacking)
    query = query.where(p.id.in_(newest), p.outcome == "planned", p.reason.is_(None), lacking > 0)
    return {(task_id, generator, build): int(n) for task_id, generator, build, n in connection.execute(query)}


def seconds_by_generator(connection: Connection) -> dict[str, float]:
    """Generator to the mean time of an attempt that made a picture, in seconds."""
    a = schema.attempt.c
    query = select(a.generator, func.avg(a.seconds)).where(a.outcome == "made", ~a.fallback).group_by(a.generator)
    return {generator: float(seconds) for generator, seconds in connection.execute(query)}


def tries_by(
    connection: Connection, generators: Collection[str]
) -> dict[tuple[str, str, str], dict[str, list[tuple[str, str | None]]]]:
    """(task, generator, build) of these generators to what ``tries_of`` says of it."""
    a = schema.attempt.c
    query = select(a.task_id, a.generator, a.build, a.recipe_key, a.outcome, a.candidate_id)
    query = query.where(a.generator.in_(generators)).order_by(a.id)
    found: dict[tuple[str, str, str], dict[str, list[tuple[str, str | None]]]] = {}
    for task_id, generator, build, key, outcome, candidate_id in connection.execute(query).all():
        found.setdefault((task_id, generator, build), {}).setdefault(key, []).append((outcome, candidate_id))
    return found


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
