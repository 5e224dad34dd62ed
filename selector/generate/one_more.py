"""One picture more than there is: exactly one recipe that is still to be tried, whatever was tried before it."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, count, islice

from selector.config import AS_IS
from selector.domain import InputError
from selector.generate._attempts import Attempts
from selector.generate.orders import Order
from selector.store.attempts import Planning
from selector.workspace.workspace import Workspace

_SEEDS = 2**31  # of a task; services take none beyond


def one_more(ws: Workspace, order: Order) -> Order:
    """The order for one recipe alone: the first that its step has open, or else the next that it could have.

    The task's own words and no finish: one picture is one picture, and no paid writer is asked for a prompt.

    Raises:
        Declined: the generator has none for the task. InputError: all that it has were tried.
    """
    attempts, inputs = Attempts(ws, retry_failed=False), ws.task_inputs(order.task)
    begin = ws.task_seed(order.task)
    seeds = chain(order.step.seeds, ((begin + i) % _SEEDS for i in count()))
    most = len(attempts.tries(order)) + len(order.step.seeds) + 1  # so many cannot all have been tried
    for seed in islice(seeds, most):
        recipes = tuple(order.generator.recipes(inputs, 1, seed)[:1])
        planning = Planning(order.task.id, order.name, order.build, 1, recipes, "planned", None)
        if attempts.to_try(order, planning, 0, 1)[0]:
            step = replace(order.step, n=1, reserve=False, prompts=(AS_IS,), finishes=(), seeds=(seed,))
            return replace(order, step=step)
    raise InputError(f"'{order.name}' has made all that it can of task {order.task.id}: nothing is left to ask for")
