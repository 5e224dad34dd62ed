"""Picks for every task from what the store knows; a task without an eligible candidate gets the flagged fallback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selector.config import Step
from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.domain import Pick, Task
from selector.domain.words import n_of
from selector.generate.generating import generate
from selector.generate.orders import Order
from selector.learn.estimates import pick_best
from selector.learn.prior import PRIOR_NAME
from selector.registry import create_generator
from selector.store.candidates import last_resorts
from selector.store.picks import newest_basis, newest_picks, save_picks
from selector.workspace.plug_ins import build_of
from selector.workspace.workspace import Workspace


def pick(context: Context) -> tuple[Pick, ...]:
    """Choose for every task, store the set if it differs from the newest one, and return it in the table's order."""
    known = context.known
    learned_from = known.learned_from if known else {}
    return keep(context, choose(known), {"calibration": PRIOR_NAME, **learned_from})


def keep(context: Context, chosen: Mapping[str, Pick], basis: Mapping[str, object]) -> tuple[Pick, ...]:
    """Complete a choice (task id to pick) with fallbacks, store it with what it rests on, and return it in order."""
    ws, tasks = context.ws, context.tasks
    empty = [t for t in tasks if t.id not in chosen or chosen[t.id].candidate_id is None]
    complete = {**chosen, **{p.task_id: p for p in _fallbacks(ws, empty, chosen)}}
    picks = tuple(complete[t.id] for t in tasks)
    with ws.db.write() as connection:
        save_picks(connection, picks, {**basis, "scorers": context.versions}, ws.now())
    return picks


def choose(known: Knowledge | None) -> dict[str, Pick]:
    """Task id to its best pick, for every task that has candidates."""
    return {p.task_id: p for p in pick_best(known.pool, known.estimates)} if known else {}


def staleness(context: Context) -> tuple[str, ...]:
    """Why the newest picks may be out of date, in words: candidates that are not scored, tasks with a better one.

    Planned picks are meant to differ from the best known ones; they are out of date once anything else was told.
    """
    known = context.known
    unscored = int((~known.estimates.informed).sum()) if known else 0
    with context.ws.db.read() as connection:
        newest = newest_picks(connection)
        basis = newest_basis(connection)
    lines = []
    if unscored:
        what = n_of(unscored, "candidate is", "candidates are")
        lines.append(f"{what} not scored yet: run `bestshot score` and `bestshot pick`")
    if "plan" in basis:
        if known and basis.get("told") != known.learned_from.get("told"):
            what = "newest total or judgement" if known.judged else "newest total"
            # It may have held since, so it is not enough to plan again: `pick` takes the best known as they are.
            lines.append(f"these picks were planned before the {what}: `bestshot plan` or `bestshot pick` chooses anew")
        return tuple(lines)
    stored = {p.task_id: p.candidate_id for p in newest[1]} if newest else {}
    best = choose(known).values()
    changed = [p.task_id for p in best if p.candidate_id and stored.get(p.task_id) != p.candidate_id]
    if changed:
        what = n_of(len(changed), "task")
        lines.append(f"{what} would be picked otherwise by now ({changed[0]} …): run `bestshot pick`")
    return tuple(lines)


def _fallbacks(ws: Workspace, tasks: Sequence[Task], chosen: Mapping[str, Pick]) -> list[Pick]:
    """The profile's last resort for tasks that have nothing better, made through the same door as any candidate."""
    orders = []
    for task in tasks:
        name = ws.profile.task_types[task.type].fallback
        settings = {"size_px": ws.profile.export.blank_size_px} if name == "blank" else {}
        generator = create_generator(name, settings)
        orders.append(Order(task, Step(name, 1), generator, build_of(generator, settings, ws.config.seed)))
    generate(ws, orders, retry_failed=True)
    with ws.db.read() as connection:
        made = last_resorts(connection)
    picks = []
    for task in tasks:
        before = chosen.get(task.id)
        why = before.reason if before else "the task has no candidate"
        picks.append(Pick(task.id, min(made.get(task.id, ()), default=None), None, True, f"fallback: {why}"))
    return picks
