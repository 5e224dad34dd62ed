"""Who can be asked for more candidates of which task, and the odds that anything comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from selector.decide.context import Context
from selector.domain import Task
from selector.learn.odds import Odds, Tries
from selector.store.attempts import declined_throughout, tried_recipes, without_ideas
from selector.store.pruned import lost_inputs

IMPORTED = "folder:"  # how the names of imports begin
Pair = tuple[str, str]  # task id, generator
Marks = set[tuple[str, str, str]]  # task id, generator, build


@dataclass(frozen=True)
class Askable:
    """What is known of asking for more, by the present settings.

    ``never``: pairs that are not asked: declined for good, out of ideas, excluded by people, not in the plan of the
    task's type, or in need of an input picture that was deleted.
    ``odds`` that a try gives a picture, and ``has``, how many recipes were tried: of all other pairs of the plan.
    ``by_hand``: generators whose pictures a person makes elsewhere and imports; for them ``never`` holds
    what people have excluded. ``declined`` and ``without_ideas``: generator to task ids, in the table's order.
    """

    never: frozenset[Pair]
    odds: Mapping[Pair, float]
    has: Mapping[Pair, int]
    by_hand: tuple[str, ...] = ()
    declined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without_ideas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def askable(context: Context, makers: Iterable[str]) -> Askable:
    """Of ``makers``, who have made something here, and of all in the plan."""
    ws, tasks = context.ws, context.tasks
    with ws.db.read() as connection:
        tried = tried_recipes(connection)
        lost = lost_inputs(connection, tasks)
        declined = _present(context, declined_throughout(connection))
        spent = {pair for pair in _present(context, set(without_ideas(connection))) if not pair[1].startswith(IMPORTED)}
    planned = {
        task_type: {s.generator for s in ws.config.generate.steps(task_type) if not s.seeds}
        for task_type in {task.type for task in tasks}
    }
    here = set(context.builds.of_generator)
    by_hand = tuple(sorted(name for name in makers if name.startswith(IMPORTED)))
    never = {*declined, *spent}
    for name in sorted({*makers, *here}):
        for task in tasks:
            can = name in by_hand or (name in here and name in planned[task.type] and task.id not in lost)
            if not can or context.decisions.against_generator(task.id, name):
                never.add((task.id, name))
    odds, has = _odds(context, tried, declined)
    return Askable(frozenset(never), odds, has, by_hand, _by_generator(declined, tasks), _by_generator(spent, tasks))


def _odds(
    context: Context, tried: Mapping[tuple[str, str, str], tuple[int, int]], declined: set[Pair]
) -> tuple[dict[Pair, float], dict[Pair, int]]:
    """Odds and counts of tries of every generator that can be loaded, with its present build."""
    builds = context.builds
    odds: dict[Pair, float] = {}
    has: dict[Pair, int] = {}
    types = {task.id: task.type.value for task in context.tasks}
    of_type: dict[str, set[str]] = {}
    for task_type in {task.type for task in context.tasks}:
        for step in context.ws.config.generate.steps(task_type):
            of_type.setdefault(step.generator, set()).add(task_type.value)
    for name in sorted(set(builds.of_generator) & set(of_type)):
        seen = {}
        for task_id in types:
            made, n = tried.get((task_id, name, builds.of(name, task_id)), (0, 0))
            if n or (task_id, name) in declined:
                has[task_id, name] = n
                seen[task_id] = Tries(made, max(n - made, int(not n)))  # declined as a whole: one try that gave nothing
        if not seen:
            continue  # nothing is known of it, so nothing is expected of it either
        known = Odds(seen, types)
        odds |= {(task_id, name): known.of(task_id) for task_id, kind in types.items() if kind in of_type[name]}
    return odds, has


def _present(context: Context, found: Marks) -> set[Pair]:
    """Those of the present builds."""
    return {(task_id, name) for task_id, name, build in found if context.builds.has(name, task_id, build)}


def _by_generator(found: set[Pair], tasks: Sequence[Task]) -> dict[str, tuple[str, ...]]:
    names = sorted({name for _, name in found})
    return {name: tuple(t.id for t in tasks if (t.id, name) in found) for name in names}
