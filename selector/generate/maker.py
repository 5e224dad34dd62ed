"""Turns a unit of work into events, in the threads of a lane: plans, asks for recipes, makes here or at a service."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selector.domain import BestshotError, RemoteGenerator, ServiceStopped, reason_of
from selector.generate.bench import Bench, Left, Skipped, Tried
from selector.generate.finishes import finish, finishing_of
from selector.generate.lanes import Lane
from selector.generate.local import make_here
from selector.generate.orders import FinishUnit, Order, Unit
from selector.generate.recipes import RecipeBook
from selector.generate.remote import RemoteMaker
from selector.llm.prompting import PromptBook
from selector.net import Account, Interrupted, OutOfBudget
from selector.store.records import Planning
from selector.workspace.workspace import Workspace

LOCAL = "local"


@dataclass(frozen=True)
class Ended:
    """A unit's last event: how many of its recipes were refused or failed, and its generator cannot do at all."""

    refused: int
    unable: int = 0


Work = Unit | FinishUnit
Event = tuple[Work, Planning | Tried | Skipped | Left | Ended]


def lane_of(order: Order, workers: int) -> Lane:
    """Where an order is worked on: its account, the lane that its generator names, or this machine's cores."""
    generator = order.generator
    if isinstance(generator, RemoteGenerator):
        service = generator.account.service
        return Lane(f"service {service.name}", service.running + service.downloads)
    return Lane(f"own {generator.lane}", 1, grouped=True) if generator.lane else Lane(LOCAL, workers)


class Maker:
    """Works in threads; only reads the store, but for jobs."""

    def __init__(self, ws: Workspace, orders: Sequence[Order], retry_failed: bool, stop: threading.Event) -> None:
        self._stop = stop
        self._bench = Bench(ws, retry_failed)
        self._recipes = RecipeBook(ws, PromptBook(ws), retry_failed)
        self._finishing = finishing_of(ws, orders)
        accounts: dict[str, Account] = {
            order.name: order.generator.account for order in orders if isinstance(order.generator, RemoteGenerator)
        }
        makers = {id(account): RemoteMaker(self._bench, account) for account in accounts.values()}
        self._remote = {name: makers[id(account)] for name, account in accounts.items()}

    def make(self, work: Work) -> Iterator[Event]:
        """Everything that comes of a unit, its end last; raises ``Interrupted``."""
        if isinstance(work, FinishUnit):
            assert self._finishing is not None
            for tried in finish(self._bench, self._finishing, work.order):
                yield work, tried
                self._go_on()
            yield work, Ended(0)
            return
        refused = unable = 0
        for event in self._unit(work):
            if isinstance(event, Ended):
                refused, unable = refused + event.refused, unable + event.unable
            else:
                refused += self._is_refusal(event)
                yield work, event
        yield work, Ended(refused, unable)

    def running(self, name: str) -> int:
        """Jobs that the generator's account has under way."""
        return self._remote[name].running if name in self._remote else 0

    def may_have_cost(self, name: str) -> float:
        """Money for the generator's jobs that were handed in and not answered."""
        return self._remote[name].may_have_cost(name) if name in self._remote else 0.0

    def close(self) -> None:
        for maker in {id(maker): maker for maker in self._remote.values()}.values():
            maker.close()

    def _go_on(self) -> None:
        """Raise ``Interrupted`` when the run is being stopped: a unit of this machine may have hours of work left."""
        if self._stop.is_set():
            raise Interrupted("stopped")

    def _unit(self, unit: Unit) -> Iterator[Planning | Tried | Skipped | Left | Ended]:
        order = unit.order
        try:
            inputs = self._bench.inputs(order.task)
        except BestshotError as error:
            yield Planning(order.task.id, order.name, order.build, unit.n, (), "missing", reason_of(error))
            return
        planning, new = self._recipes.planning(order, unit.n, inputs)
        if new:
            yield planning
        if planning.outcome != "planned":
            if planning.outcome != "missing":
                own = 0 if planning.outcome == "failed" else order.step.n
                its_kind = order.task.type in order.generator.task_types
                beyond = _beyond(unit, own)
                yield Ended(beyond, unit.count - beyond if its_kind else 0)
            return
        if planning.reason is None:  # no wording is missing for now
            yield Ended(_beyond(unit, max(order.step.n, len(planning.recipes))))  # more than it has ideas for
        found, skipped = self._bench.sort(order, planning, unit.first, unit.n)
        yield from skipped
        left = len(found)
        try:
            made = (
                self._remote[order.name].make(order, order.generator, found)
                if isinstance(order.generator, RemoteGenerator)
                else make_here(self._bench, order, found)
            )
            for event in made:
                left -= 1 if isinstance(event, Tried) else event.count
                yield event
                if order.name not in self._remote:
                    self._go_on()
        except (ServiceStopped, OutOfBudget) as error:
            if left:
                yield Left(str(error), left)

    @staticmethod
    def _is_refusal(event: Planning | Tried | Skipped | Left) -> bool:
        if isinstance(event, Skipped):
            return event.refused
        return isinstance(event, Tried) and event.attempt.outcome in ("declined", "failed")


def _beyond(unit: Unit, n: int) -> int:
    """How many of a unit's recipes are not among the first ``n``."""
    return max(0, unit.n - max(unit.first, n))
