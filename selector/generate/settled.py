"""What ``generate`` would still make, where the store alone tells that it is nothing: no generator is constructed.

``status`` is asked many times a day, and mostly all is made. To import and construct the generators of a plan takes
longer than all else that it does, and their builds are only needed to know whether they are those of the store. That
they are follows from the settings and the number of the code, which a build names, and from the plug-in's file, which
is older than its newest planning. A version that also depends on the machine, as that of ``textedit`` on its fonts, is
taken to be the same until ``generate`` looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from selector.config import AS_IS, Step, check_names, kind_of
from selector.domain import Task, TaskType, stable_hash
from selector.generate.dry_run import GenerateEstimate, GeneratorEstimate
from selector.generate.unserved import unserved
from selector.registry import BUILTIN_GENERATORS, begins_as, source_of
from selector.store import schema
from selector.store.decisions import load_decisions
from selector.store.pruned import load_gone, lost_inputs
from selector.store.readings import tags_of
from selector.workspace.workspace import Workspace

_SERVICE = "service"  # a key of [generators.NAME] that never changes a picture
_FINAL = ("declined", "failed")


class _Planned(NamedTuple):
    """What the store says of a task's planning: how many rows there are, and of the only one what it holds."""

    rows: int
    outcome: str
    asked: int
    recipes: int


def settled_estimate(ws: Workspace, tasks: Sequence[Task]) -> GenerateEstimate | None:
    """The estimate of a plan that is carried out; None where anything might be left, and the generators must be asked.

    Raises:
        InputError: the configuration names what there is not.
    """
    check_names(ws.config)
    steps = {kind: ws.config.generate.steps(kind) for kind in TaskType}
    planned = {step.generator for kind in {task.type for task in tasks} for step in steps[kind]}
    if ws.config.services or not all(_is_plain(step) for of_kind in steps.values() for step in of_kind):
        return None
    with ws.db.read() as connection:
        if _is_decided_or_read(connection) or connection.execute(select(schema.job.c.id).limit(1)).first():
            return None
        builds = known_builds(ws, connection)
        if not planned <= builds.keys():
            return None
        lost = lost_inputs(connection, tasks)
        plannings, settled = _plannings(connection, builds), _settled_recipes(ws, connection, builds)
    found = {name: GeneratorEstimate() for name in dict.fromkeys(s.generator for of in steps.values() for s in of)}
    not_asked = Counter[str]()
    for task in tasks:
        for step in steps[task.type]:
            if task.id in lost:
                not_asked[f"{step.generator}: {lost[task.id].of_input}"] += 1
                continue
            key = task.id, step.generator
            n = _settled(step, plannings.get(key), settled.get(key, 0))
            if n is None:
                return None
            found[step.generator].tasks += 1
            found[step.generator].settled += n
    without = {kind.value: count for kind, count in unserved(ws, tasks).items()}
    return GenerateEstimate(
        {name: one for name, one in found.items() if one.tasks}, {}, without, not_asked=dict(not_asked)
    )


def known_builds(ws: Workspace, connection: Connection) -> dict[str, str]:
    """Generators to their builds, of those whose newest planning has surely the present one."""
    p = schema.planning.c
    newest = select(func.max(p.id)).group_by(p.generator)
    rows = connection.execute(select(p.generator, p.build, p.at).where(p.id.in_(newest))).all()
    return {name: build for name, build, at in rows if _is_present(ws, name, build, at)}


def _is_present(ws: Workspace, name: str, build: str, at: str) -> bool:
    """Whether a planning of that moment had the settings of now and this code's number, and no file changed since.

    The number tells a file that is older than the planning because an older bestshot is installed here.
    """
    settings = {k: v for k, v in ws.config.generators.get(name, {}).items() if k != _SERVICE}
    place = BUILTIN_GENERATORS.get(kind_of(ws.config, name))
    if place is None or not build.endswith("-" + stable_hash({"settings": settings, "seed": ws.config.seed}, 8)):
        return False
    if not begins_as(place, build):
        return False
    changed = _changed(place.partition(":")[0])
    return changed is not None and changed < datetime.fromisoformat(at).timestamp()


def _changed(module: str) -> float | None:
    """When the file of a module was written or put there, found without importing it."""
    path = source_of(module)
    if path is None:
        return None
    facts = path.stat()
    return max(facts.st_mtime, facts.st_ctime)


def _is_plain(step: Step) -> bool:
    """Whether the number of its recipes is all that there is to a step."""
    return not step.reserve and step.prompts == (AS_IS,) and not step.finishes and not step.seeds


def _is_decided_or_read(connection: Connection) -> bool:
    """Whether exclusions of people or readings of tasks change what is asked for."""
    return bool(load_decisions(connection).excluded) or bool(tags_of(connection))


def _settled(step: Step, planned: _Planned | None, settled: int) -> int | None:
    """How many recipes of a step need no work; None where some might."""
    if planned is None or planned.rows != 1:
        return None
    if planned.outcome in _FINAL:
        return step.n
    whole = planned.recipes == step.n or (planned.recipes < step.n <= planned.asked)
    return planned.recipes if planned.outcome == "planned" and whole and settled == planned.recipes else None


def _plannings(connection: Connection, builds: Mapping[str, str]) -> dict[tuple[str, str], _Planned]:
    """(task id, generator) to its planning by the present build."""
    p = schema.planning.c
    facts = (func.count(), func.max(p.outcome), func.max(p.asked), func.max(func.json_array_length(p.recipes)))
    query = select(p.task_id, p.generator, *facts).where(p.build.in_(set(builds.values())))
    rows = connection.execute(query.group_by(p.task_id, p.generator, p.build).add_columns(p.build)).all()
    return {(r[0], r[1]): _Planned(*r[2:6]) for r in rows if builds.get(r[1]) == r[6]}


def _settled_recipes(ws: Workspace, connection: Connection, builds: Mapping[str, str]) -> dict[tuple[str, str], int]:
    """(task id, generator) to how many recipes were made, and are on the disk as they were, or are final without."""
    a, c = schema.attempt.c, schema.candidate.c
    query = (
        select(a.task_id, a.generator, a.build, a.recipe_key, a.outcome, a.candidate_id, c.size_bytes)
        .outerjoin_from(schema.attempt, schema.candidate, (c.task_id == a.task_id) & (c.id == a.candidate_id))
        .where(a.build.in_(set(builds.values())), a.outcome.in_(("made", *_FINAL)))
    )
    whole: dict[tuple[str, int], bool] = {}
    gone = load_gone(connection)
    found: dict[tuple[str, str], set[str]] = {}
    for task_id, generator, build, key, outcome, candidate_id, size in connection.execute(query).all():
        if builds.get(generator) != build:
            continue
        if outcome == "made":
            picture = candidate_id, size
            if picture not in whole:
                whole[picture] = candidate_id in gone or ws.images.is_whole(candidate_id, size)
            if not whole[picture]:
                continue
        found.setdefault((task_id, generator), set()).add(key)
    return {key: len(recipes) for key, recipes in found.items()}
