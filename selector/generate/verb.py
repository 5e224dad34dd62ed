"""The verb ``generate``: what the configuration asks for, made or only estimated."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from selector.config import check_names
from selector.domain import InputError, Task
from selector.domain.progress import Progress, silent
from selector.generate.alone import alone_at_services
from selector.generate.dry_run import GenerateEstimate, estimate
from selector.generate.generating import generate
from selector.generate.orders import Order
from selector.generate.summary import GenerateSummary
from selector.store.records import candidate_keys
from selector.workspace.plug_ins import LeftOut, idle_services, ready_generators
from selector.workspace.services import Accounts
from selector.workspace.workspace import Workspace


@dataclass(frozen=True)
class Wanted:
    """What a call asks for: these tasks, by these generators (all of the plan if None), ``n`` candidates of each.

    ``n`` None: as many as the configuration says. ``retry_failed``: also try again what failed.
    """

    tasks: Sequence[Task]
    generators: Sequence[str] | None = None
    n: int | None = None
    retry_failed: bool = False


def make_candidates(ws: Workspace, wanted: Wanted, progress: Progress = silent) -> GenerateSummary:
    """Make what is wanted and not there yet; see ``Campaign.generate``."""
    stop = threading.Event()
    orders, left_out = _orders(ws, wanted, stop)
    with alone_at_services(ws, orders, stop) as (mine, waiting):
        summary = generate(ws, mine, wanted.retry_failed, progress, stop)
    summary.left_out.update({**left_out, **waiting})
    with ws.db.read() as connection:
        served = {task_id for task_id, _, fallback in candidate_keys(connection) if not fallback}
    summary.without_candidates = [t.id for t in wanted.tasks if t.id not in served]
    summary.no_generator = _without_generator(ws, wanted.tasks)
    summary.idle_services = idle_services(ws)
    return summary


def estimate_candidates(ws: Workspace, wanted: Wanted) -> GenerateEstimate:
    """What ``make_candidates`` would make and cost; asks nobody and makes nothing."""
    orders, left_out = _orders(ws, wanted, threading.Event())
    found = estimate(ws, orders, wanted.retry_failed, left_out, _without_generator(ws, wanted.tasks))
    found.idle_services = idle_services(ws)
    return found


def _orders(ws: Workspace, wanted: Wanted, stop: threading.Event) -> tuple[list[Order], LeftOut]:
    """What the configuration asks of which generator, and why some generators cannot be asked."""
    check_names(ws.config)
    steps = [
        (task, step if wanted.n is None or step.reserve else replace(step, n=wanted.n))
        for task in wanted.tasks
        for step in ws.config.generate.steps(task.type)
        if wanted.generators is None or step.generator in wanted.generators
    ]
    if wanted.generators and not steps:
        raise InputError(f"no task is configured for {', '.join(wanted.generators)}: see [generate] in campaign.toml")
    ready, left_out = ready_generators(ws, {step.generator for _, step in steps}, Accounts(ws, stop))
    return [Order(task, step, *ready[step.generator]) for task, step in steps if step.generator in ready], left_out


def _without_generator(ws: Workspace, tasks: Sequence[Task]) -> dict[str, int]:
    """Task type to the number of tasks for which no generator is configured."""
    return dict(Counter(t.type.value for t in tasks if not ws.config.generate.steps(t.type)))
