"""What people's decisions change in what is made: who is asked for nothing, and which tasks need others.

A task that exclusions left without a candidate gets as many new recipes of each generator as its plan has, beyond the
last one that made something excluded. That follows from the store alone: a run that was interrupted is completed by
the next, and a run that is repeated makes no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from selector.domain import InputError
from selector.domain.decisions import Decision, Decisions
from selector.generate._unusable import unusable
from selector.generate.orders import Order
from selector.store.attempts import latest_planning, tries_of
from selector.store.candidates import made_times, makers_by_candidate
from selector.store.decisions import load_decisions
from selector.store.pruned import lost_inputs
from selector.workspace.workspace import Workspace

Key = tuple[str, str]  # task id, candidate id
Makers = Mapping[Key, set[str]]  # the names of all that have made it
Emptied = Mapping[str, set[str]]  # task to its candidates, all excluded


@dataclass(frozen=True)
class Decided:
    """Orders as far as people allow them.

    ``not_asked``: "generator: why" to the number of tasks for which it is not asked. ``refilled``: ids of tasks that
    exclusions left without a candidate, and that are asked anew. ``excluded``: who is asked for nothing at all.
    """

    orders: Sequence[Order]
    not_asked: Mapping[str, int] = field(default_factory=dict)
    refilled: tuple[str, ...] = ()
    excluded: Collection[str] = ()


def respecting(ws: Workspace, orders: Sequence[Order], refill: bool = True) -> Decided:
    """The orders without those of excluded generators; if ``refill``, more of them where exclusions left nothing."""
    with ws.db.read() as connection:
        decisions = load_decisions(connection)
        orders, lost = _with_inputs(connection, orders)
        if not decisions.excluded:
            return Decided(orders, lost)
        allowed, not_asked = _allowed(decisions, orders)
        not_asked |= lost
        if not refill:
            return Decided(allowed, not_asked, excluded=decisions.excluded_generators)
        makers = makers_by_candidate(connection)
        against = {key: decision for key, by in makers.items() if (decision := decisions.against(*key, by))}
        left = {key: by for key, by in makers.items() if key not in against}
        tasks = {task_id for task_id, _ in against}
        for key in unusable(ws, connection, {key for key in left if key[0] in tasks}, [o.task for o in orders]):
            if decisions.pinned(key[0]) != key[1]:
                del left[key]
        emptied = _emptied(against, left, allowed, made_times(connection))
        more = _refill(connection, allowed, orders, emptied)
    answered = {task_id for task_id, _ in left}
    refilled = dict.fromkeys(o.task.id for o in more if o.task.id in emptied and o.task.id not in answered)
    return Decided(more, not_asked, tuple(refilled), decisions.excluded_generators)


def check_allowed(ws: Workspace, generator: str, cure: str) -> None:
    """Raise ``InputError`` where nothing of a generator may be picked; ``cure``: what to do beside including it."""
    with ws.db.read() as connection:
        against = load_decisions(connection).excluded_generators.get(generator)
    if against is not None:
        raise InputError(f"what '{generator}' makes is {in_words(against)}; {cure}")


def in_words(decision: Decision) -> str:
    """ "excluded by ann: six fingers"."""
    return f"excluded by {decision.by}: {decision.reason}"


def _with_inputs(connection: Connection, orders: Sequence[Order]) -> tuple[list[Order], dict[str, int]]:
    """The orders whose tasks have the input pictures that they need, and why others are not asked, as ``_allowed``."""
    lost = lost_inputs(connection, (order.task for order in orders if order.needs_inputs))
    without = [order for order in orders if order.needs_inputs and order.task.id in lost]
    why = Counter(f"{order.name}: {lost[order.task.id].of_input}" for order in without)
    return [order for order in orders if not (order.needs_inputs and order.task.id in lost)], dict(why)


def _allowed(decisions: Decisions, orders: Sequence[Order]) -> tuple[list[Order], dict[str, int]]:
    """The orders of generators that may be asked, and why others are not, with the number of tasks."""
    allowed, not_asked = [], dict[str, int]()
    for order in orders:
        against = decisions.against_generator(order.task.id, order.name)
        if against is None:
            allowed.append(order)
        else:
            key = f"{order.name}: {in_words(against)}"
            not_asked[key] = not_asked.get(key, 0) + 1
    return allowed, not_asked


def _emptied(
    against: Mapping[Key, Decision], left: Makers, orders: Sequence[Order], made_at: Mapping[Key, str]
) -> Emptied:
    """The tasks that had no other candidate when the newest of their excluded ones was excluded.

    What the orders' generators have made since was to fill it, and need not be all of that yet.

    Args:
        against: the excluded candidates, with why.
        left: those that may be picked, and who has made them.
        orders: of generators that may be asked.
        made_at: when each candidate was made.
    """
    asked: dict[str, set[str]] = {}
    for order in orders:
        asked.setdefault(order.task.id, set()).add(order.name)
    excluded: dict[str, set[str]] = {}
    since: dict[str, str] = {}
    for (task_id, candidate_id), decision in against.items():
        excluded.setdefault(task_id, set()).add(candidate_id)
        since[task_id] = max(since.get(task_id, ""), decision.at)
    filled = {
        key[0]
        for key, makers in left.items()
        if made_at[key] <= since.get(key[0], "") or not makers <= asked.get(key[0], set())
    }
    return {task_id: ids for task_id, ids in excluded.items() if task_id not in filled}


def _refill(connection: Connection, allowed: Sequence[Order], orders: Sequence[Order], emptied: Emptied) -> list[Order]:
    """The orders with more recipes for emptied tasks; where only reserves are left, the first of them is asked."""
    found = []
    alone = {o.task.id for o in allowed} - {o.task.id for o in allowed if o.step.n}
    for order in allowed:
        ids, n = emptied.get(order.task.id), order.step.n
        if ids is not None and order.task.id in alone:
            alone.discard(order.task.id)
            n = max((o.step.n for o in orders if o.task.id == order.task.id), default=0)
        if ids is not None and n:
            step = replace(order.step, n=n + _beyond(connection, order, ids))
            order = replace(order, step=step)
        found.append(order)
    return found


def _beyond(connection: Connection, order: Order, excluded: set[str]) -> int:
    """How many of the order's recipes go up to the last that was the first to make something excluded.

    A recipe that only made the same bytes again is no reason to ask for still more.
    """
    planning = latest_planning(connection, order.task.id, order.name, order.build)
    if planning is None:
        return 0
    tries = tries_of(connection, order.task.id, order.name, order.build)
    last, seen = 0, set[str | None]()
    for place, recipe in enumerate(planning.recipes, 1):
        made = {candidate_id for _, candidate_id in tries.get(recipe.key, ()) if candidate_id in excluded}
        if made - seen:
            last = place
        seen |= made
    return last
