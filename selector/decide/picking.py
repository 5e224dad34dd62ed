"""Picks for every task from what the store knows; a task without an eligible candidate gets the flagged fallback."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from selector.config import Step
from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.decide.revision import DECISIONS, LEARN, PLAN
from selector.domain import InputError, Pick, Task
from selector.domain.words import n_of
from selector.generate.generating import generate
from selector.generate.orders import Order
from selector.learn.estimates import pick_best
from selector.learn.prior import PRIOR_NAME
from selector.registry import create_generator
from selector.store.candidates import last_resorts
from selector.store.picks import is_exported, newest_basis, newest_picks, save_picks
from selector.store.pruned import load_gone, lost_inputs
from selector.workspace.plug_ins import build_of
from selector.workspace.workspace import Workspace


class LessonWaits(InputError):
    """The newest picks are a plan to learn that no submission holds yet: whoever gives it up says so."""

    needs = "replace"


def pick(context: Context, replace: bool = False) -> tuple[Pick, ...]:
    """Choose for every task, store the set if it differs from the newest one, and return it in the table's order.

    Raises:
        LessonWaits: the newest picks are a plan to learn that is still good and not exported, unless ``replace``.
    """
    known = context.known
    learned_from = known.learned_from if known else {}
    chosen = choose(known)

    def check(connection: Connection) -> None:
        if not replace:
            _keep_lesson(context, connection, chosen, learned_from)

    with context.ws.db.read() as connection:
        check(connection)  # before anything is made for it
    return keep(context, chosen, {"calibration": PRIOR_NAME, **learned_from}, check)


def keep(
    context: Context,
    chosen: Mapping[str, Pick],
    basis: Mapping[str, object],
    check: Callable[[Connection], None] | None = None,
    revised: int | None = None,
) -> tuple[Pick, ...]:
    """Complete a choice (task id to pick) with fallbacks, store it with what it rests on, and return it in order.

    Args:
        context: the campaign.
        chosen: the choice.
        basis: what it rests on.
        check: raises where the choice must not be stored, by what other processes have stored until then.
        revised: the set of which some picks are kept, without their estimates: they stay those of that set.
    """
    ws, tasks = context.ws, context.tasks
    empty = [t for t in tasks if t.id not in chosen or chosen[t.id].candidate_id is None]
    complete = {**chosen, **{p.task_id: p for p in _fallbacks(ws, empty, chosen)}}
    picks = tuple(complete[t.id] for t in tasks)
    respects = {DECISIONS: context.decisions.newest} if context.decisions.newest else {}
    with ws.db.write() as connection:
        if check is not None:
            check(connection)
        save_picks(connection, picks, {"scorers": context.versions, **basis, **respects}, ws.now(), revised)
    return picks


def _keep_lesson(
    context: Context, connection: Connection, chosen: Mapping[str, Pick], learned_from: Mapping[str, object]
) -> None:
    """Raise ``LessonWaits`` where a choice would silently replace a lesson that nothing has told yet."""
    newest, basis = newest_picks(connection), newest_basis(connection)
    if newest is None or basis.get(PLAN) != LEARN or basis.get("told") != learned_from.get("told"):
        return
    best = {task_id: p.candidate_id for task_id, p in chosen.items()}
    others = sum(not p.fallback and best.get(p.task_id) != p.candidate_id for p in newest[1])
    if others and not is_exported(connection, context.ws.profile.name, newest[1]):
        raise LessonWaits(
            f"the newest picks are a plan to learn, and {others} of them would be replaced: "
            "`bestshot export` writes it first, `bestshot pick --replace` gives it up"
        )


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
    if PLAN in basis:
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
    with ws.db.read() as connection:
        lost = lost_inputs(connection, tasks)
    for task in tasks:
        name = "blank" if task.id in lost else ws.profile.task_types[task.type].fallback
        settings = {"size_px": ws.profile.export.blank_size_px} if name == "blank" else {}
        generator = create_generator(name, settings)
        orders.append(Order(task, Step(name, 1), generator, build_of(generator, settings, ws.config.seed)))
    generate(ws, orders, retry_failed=True)
    with ws.db.read() as connection:
        made, gone = last_resorts(connection), load_gone(connection).keys()
    picks = []
    for task in tasks:
        before = chosen.get(task.id)
        why = before.reason if before else "the task has no candidate"
        if task.id in lost:
            why = f"{why}; {lost[task.id].of_input}"
        picks.append(Pick(task.id, min(made.get(task.id, set()) - gone, default=None), None, True, f"fallback: {why}"))
    return picks
