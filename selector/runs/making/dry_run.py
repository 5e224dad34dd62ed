"""What a run would make and cost, without asking any generator or service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selector.domain import RemoteGenerator
from selector.runs.making.bench import Bench
from selector.runs.making.orders import Order
from selector.runs.making.treatments import FINISH
from selector.runs.workspace import Workspace
from selector.store import jobs
from selector.store.records import load_attempts


@dataclass
class GeneratorEstimate:
    """One generator's part of a run.

    ``cost`` is at most: what a generator declines costs nothing; None where no price is known. ``collect``: images of
    jobs that were paid for in earlier runs. ``left``: of the service's budget.
    """

    tasks: int = 0
    settled: int = 0
    to_make: int = 0
    collect: int = 0
    finishes: int = 0  # further candidates by post-processing
    price: float | None = None
    cost: float | None = None
    currency: str = ""
    service: str = ""
    left: float | None = None


@dataclass
class GenerateEstimate:
    """What ``generate`` would do with the same arguments; falling through comes on top."""

    generators: dict[str, GeneratorEstimate]
    left_out: dict[str, str]

    @property
    def over_budget(self) -> dict[str, float]:
        """Service to the money by which the run would pass its budget."""
        wanted: dict[str, float] = {}
        left: dict[str, float] = {}
        for estimate in self.generators.values():
            if estimate.left is not None:
                wanted[estimate.service] = wanted.get(estimate.service, 0.0) + (estimate.cost or 0.0)
                left[estimate.service] = estimate.left
        return {name: cost - left[name] for name, cost in wanted.items() if cost > left[name]}


def estimate(ws: Workspace, orders: Sequence[Order], retry_failed: bool, left_out: dict[str, str]) -> GenerateEstimate:
    """Count what is missing by the store alone."""
    bench = Bench(ws, retry_failed)
    found: dict[str, GeneratorEstimate] = {}
    with ws.db.read() as connection:
        attempts = load_attempts(connection)
        waiting: dict[tuple[str, str, str], set[str]] = {}  # recipes whose job may still be collected
        for job in jobs.load_jobs(connection):
            keys = waiting.setdefault((job.task_id, job.generator, job.build), set())
            keys.update(key for key in job.recipe_keys if job.collectable(key))
    tries: dict[tuple[str, str, str], dict[str, list[tuple[str, str | None]]]] = {}
    for attempt in attempts:
        if FINISH not in attempt.recipe.params:
            of_order = tries.setdefault((attempt.task_id, attempt.generator, attempt.build), {})
            of_order.setdefault(attempt.recipe.key, []).append((attempt.outcome, attempt.candidate_id))
    for order in orders:
        one = found.setdefault(order.name, _new(order))
        key = (order.task.id, order.name, order.build)
        settled = {recipe for recipe, before in tries.get(key, {}).items() if bench.is_settled(before)}
        open_jobs = waiting.get(key, set()) - settled
        missing = max(0, order.step.n - len(settled))
        one.tasks += 1
        one.settled += min(len(settled), order.step.n)
        one.collect += min(len(open_jobs), missing)
        one.to_make += max(0, missing - len(open_jobs))
        one.finishes += missing * len(order.step.finishes)
    for one in found.values():
        one.cost = None if one.price is None else one.price * one.to_make
    return GenerateEstimate(found, left_out)


def _new(order: Order) -> GeneratorEstimate:
    generator = order.generator
    if not isinstance(generator, RemoteGenerator):
        return GeneratorEstimate()
    service, spending = generator.account.service, generator.account.spending
    left = None if spending.limit is None else max(0.0, spending.limit - spending.spent)
    return GeneratorEstimate(price=generator.price, currency=service.currency, service=service.name, left=left)
