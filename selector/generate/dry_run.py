"""What a run would make and cost, without asking any generator or service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from selector.domain import Generator, Recipe, RemoteGenerator
from selector.generate._attempts import Attempts
from selector.generate.orders import Order, check_budgets
from selector.generate.recipes import RecipePlanner, finished, outcome_of, style_of
from selector.store import jobs
from selector.store.attempts import Planning, current_plannings, tries_by
from selector.workspace.workspace import Workspace

Key = tuple[str, str, str]  # task, generator, build
Tries = dict[str, list[tuple[str, str | None]]]  # recipe key to (outcome, candidate id)


@dataclass
class GeneratorEstimate:
    """One generator's part of a run.

    ``cost`` is at most: what a generator declines costs nothing; None where no price is known. ``collect``: images of
    jobs that were paid for in earlier runs. ``left``: of the service's budget. ``tasks`` are those of its kind;
    ``other_kind`` counts those that it does not serve and nobody pays for. ``blocked``: why some images cannot be made
    as things are (no key, no prompt writer), with their number; they are no part of ``to_make``. ``unwritten``: those
    of ``to_make`` whose prompt a language model has to write first. ``unplanned``: those of ``to_make`` that are at
    most: the generator was not asked yet for what it can make of the task, and may decline it or have fewer recipes.
    ``falling``: images that come on top if everything
    before it in the plan is refused or fails.
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
    other_kind: int = 0
    unwritten: int = 0
    unplanned: int = 0
    falling: int = 0
    blocked: dict[str, int] = field(default_factory=dict)

    def block(self, why: str, n: int) -> None:
        if n:
            self.blocked[why] = self.blocked.get(why, 0) + n


@dataclass
class GenerateEstimate:
    """What ``generate`` would do with the same arguments; falling through comes on top.

    ``no_generator``: task type to the number of tasks that have none and no picture. ``idle_services``: tables of
    ``[services]`` that no generator uses, with what to do. ``not_asked`` and ``refilled``: as in ``GenerateSummary``.
    """

    generators: dict[str, GeneratorEstimate]
    left_out: dict[str, str]
    no_generator: dict[str, int] = field(default_factory=dict)
    idle_services: dict[str, str] = field(default_factory=dict)
    not_asked: dict[str, int] = field(default_factory=dict)
    refilled: list[str] = field(default_factory=list)

    @property
    def over_budget(self) -> dict[str, float]:
        """Service to the money by which the run would pass its budget."""
        wanted: dict[str, float] = {}
        left: dict[str, float] = {}
        for estimate in self.generators.values():
            if estimate.left is not None:
                wanted[estimate.service] = wanted.get(estimate.service, 0.0) + (estimate.cost or 0.0)
                left[estimate.service] = estimate.left
        return {name: cost - left[name] for name, cost in wanted.items() if cost > left[name] * (1 + 1e-9)}


def estimate(
    ws: Workspace,
    orders: Sequence[Order],
    retry_failed: bool,
    left_out: dict[str, str],
    no_generator: dict[str, int] | None = None,
) -> GenerateEstimate:
    """Count what is missing by the store, and by what each generator's ``check`` says of this machine."""
    check_budgets(orders)
    known = _Known(ws, orders, retry_failed)
    found: dict[str, GeneratorEstimate] = {}
    before: dict[str, int] = {}  # task to what is still to be made by earlier generators of its plan
    for order in orders:
        one = found.setdefault(order.name, _new(order))
        one.falling += before.get(order.task.id, 0)
        had = one.to_make + one.collect
        known.add(order, one)
        before[order.task.id] = before.get(order.task.id, 0) + one.to_make + one.collect - had
    for one in found.values():
        one.cost = None if one.price is None else one.price * one.to_make
    return GenerateEstimate(found, left_out, no_generator or {})


class _Known:
    """What earlier runs have left in the store."""

    def __init__(self, ws: Workspace, orders: Sequence[Order], retry_failed: bool) -> None:
        self._attempts, self._retry_failed = Attempts(ws, retry_failed), retry_failed
        self._recipes = RecipePlanner(ws, retry_failed)
        with ws.db.read() as connection:
            names = {order.name for order in orders}
            plannings = current_plannings(connection, names)
            self._plannings = {(p.task_id, p.generator, p.build): p for p in plannings}
            self._tries = tries_by(connection, names)
            self._waiting: dict[Key, set[str]] = {}  # recipes whose job may still be collected
            for job in jobs.load_jobs(connection):
                keys = self._waiting.setdefault((job.task_id, job.generator, job.build), set())
                keys.update(key for key in job.recipe_keys if job.may_bring(key))
        from selector.generate._local import finishing_of

        finishing = finishing_of(ws, orders)
        self._finish_version = finishing.version if finishing else ""
        self._faults = {name: _fault(g) for name, g in {order.name: order.generator for order in orders}.items()}
        self._has_writer = bool(ws.config.generate.prompt_writer)

    def add(self, order: Order, one: GeneratorEstimate) -> None:
        """Count one order in its generator's part."""
        key = (order.task.id, order.name, order.build)
        planning, tries = self._plannings.get(key), self._tries.get(key, {})
        if order.task.type not in order.generator.task_types:
            one.other_kind += 1
            return
        one.tasks += 1
        declined = ("declined",) if self._retry_failed else ("declined", "failed")
        if planning is not None and planning.outcome in declined:
            one.settled += order.step.n
            return
        wordings, unworded = self._recipes.wordings(order)
        wanted, recipes = self._expected(order, planning, [style for style, _ in wordings], len(unworded))
        before = {recipe.key: tries.get(recipe.key, ()) for recipe in recipes}
        attempts = self._attempts
        settled = [
            r for r in recipes if attempts.is_settled(before[r.key]) or attempts.lies_elsewhere(order, before[r.key])
        ]
        missing = wanted - len(settled)
        waiting = self._waiting.get(key, set())
        if planning is not None:  # else a killed run has left the jobs and no plan: all of them may be collected
            waiting = waiting & {recipe.key for recipe in recipes if recipe not in settled}
        collect = min(missing, len(waiting))
        one.settled += len(settled)
        to_make = missing - collect
        late = min(to_make, _late(wanted, len(wordings), len(unworded)))
        if late and not self._has_writer:
            one.block(unworded[0], late)
            to_make, late = to_make - late, 0
        if fault := self._faults[order.name]:
            one.block(fault, to_make + collect)
            to_make = collect = late = 0
        one.collect += collect
        one.to_make += to_make
        one.unwritten += late
        one.unplanned += min(to_make, wanted - len(recipes))
        made = [recipe for recipe in settled if self._lies_there(tries[recipe.key])]
        further = [finished(recipe, name, self._finish_version) for recipe in made for name in order.step.finishes]
        unfinished = sum(not self._attempts.is_settled(tries.get(recipe.key, ())) for recipe in further)
        one.finishes += (to_make + collect) * len(order.step.finishes) + unfinished

    def _lies_there(self, tries: Sequence[tuple[str, str | None]]) -> bool:
        """Whether there is a picture that a finish can be applied to."""
        return any(outcome == "made" and not self._attempts.is_gone(str(made)) for outcome, made in tries)

    def _expected(
        self, order: Order, planning: Planning | None, styles: Sequence[str], unworded: int
    ) -> tuple[int, list[Recipe]]:
        """How many recipes the order will have at most in all its styles, and those of them that are known."""
        step = order.step
        shares = max(1, len(styles) + unworded)
        share = -(-step.n // shares)
        most = min(step.n, len(step.seeds) * shares) if step.seeds else step.n
        if planning is None or planning.outcome != "planned":
            return most, []
        right = [r for r in planning.recipes if not step.seeds or r.seed in step.seeds]
        lists = [[r for r in right if style_of(r) == style] for style in styles]
        turns = [recipe for turn in range(share) for of_style in lists for recipe in of_style[turn : turn + 1]]
        turns = turns[: step.n]
        # It was asked for as many in just these wordings: it has no more ideas.
        is_all = planning.asked >= step.n and not unworded and all(lists) and len(turns) == len(planning.recipes)
        return (len(turns) if is_all else most), turns


def _fault(generator: Generator) -> str:
    """Why it cannot run here, with the cure; empty where it can."""
    try:
        generator.check()
    except Exception as error:
        return outcome_of(error)[1]
    return ""


def _late(n: int, worded: int, unworded: int) -> int:
    """How many of ``n`` recipes wait for the words of styles that nobody has written yet, as the run shares them."""
    share = -(-n // max(1, worded + unworded))
    return max(0, n - share * worded) if unworded else 0


def _new(order: Order) -> GeneratorEstimate:
    generator = order.generator
    if not isinstance(generator, RemoteGenerator):
        return GeneratorEstimate()
    service, spending = generator.account.service, generator.account.spending
    left = None if spending.limit is None else max(0.0, spending.limit - spending.spent)
    return GeneratorEstimate(price=generator.price, currency=service.currency, service=service.name, left=left)
