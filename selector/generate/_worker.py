"""Turns a piece of work into events, in a thread: plans, asks for recipes, makes here or at a service."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selector.domain import BestshotError, RemoteGenerator, ServiceStopped, reason_of
from selector.generate._attempts import Attempts, NewAttempt, Postponed, Skipped
from selector.generate._local import finish, finishing_of, make_here
from selector.generate._making import Makers, Making, OnEngine
from selector.generate._remote import ServiceWorker
from selector.generate.orders import FinishItem, Order, WorkItem
from selector.generate.recipes import RecipePlanner
from selector.net import Account, Interrupted, OutOfBudget
from selector.store.attempts import Planning
from selector.workspace.executor import WorkQueue
from selector.workspace.workspace import Workspace


@dataclass(frozen=True)
class Ended:
    """The last event of a piece of work: recipes that were refused or failed, and that its generator cannot do."""

    refused: int
    unable: int = 0


Item = WorkItem | FinishItem
Event = tuple[Item, Planning | NewAttempt | Skipped | Postponed | Ended]


class Worker:
    """Works in threads; only reads the store, but for jobs."""

    def __init__(
        self, ws: Workspace, orders: Sequence[Order], retry_failed: bool, stop: threading.Event, on_engine: OnEngine
    ) -> None:
        self._stop, self._workers = stop, ws.config.workers
        self._attempts = Attempts(ws, retry_failed)
        self._recipes = RecipePlanner(ws, retry_failed)
        self._finishing = finishing_of(ws, orders)
        own = {order.name: order.generator for order in orders if not isinstance(order.generator, RemoteGenerator)}
        making = Making(on_engine.specs, ws.profile, ws.images, own)
        self._makers = Makers(making, on_engine, self._workers)
        for_engine = sum(order.name in self._makers.away for order in orders)
        self._together = -(-self._makers.threads // max(1, for_engine))  # few tasks: several batches of each at once
        accounts: dict[str, Account] = {
            order.name: order.generator.account for order in orders if isinstance(order.generator, RemoteGenerator)
        }
        of_account = {id(account): ServiceWorker(self._attempts, account) for account in accounts.values()}
        self._remote = {name: of_account[id(account)] for name, account in accounts.items()}

    def queue_of(self, order: Order) -> WorkQueue:
        """Where it is worked on: at its account, at the engine, in its generator's ``lane``, or on our own cores.

        At the engine each worker is a lane of its own; all work on one generator before the next, so that a model is
        loaded once.
        """
        generator = order.generator
        if isinstance(generator, RemoteGenerator):
            service = generator.account.service
            return WorkQueue(f"service {service.name}", service.running + service.downloads)
        if order.name in self._makers.away:
            return WorkQueue("engine", self._makers.threads, grouped=True)
        return WorkQueue(f"own {generator.lane}", 1, grouped=True) if generator.lane else self.cores

    @property
    def cores(self) -> WorkQueue:
        return WorkQueue("local", self._workers)

    def work(self, item: Item) -> Iterator[Event]:
        """Everything that comes of a piece of work, its end last; raises ``Interrupted``."""
        if isinstance(item, FinishItem):
            assert self._finishing is not None
            for attempt in finish(self._attempts, self._finishing, item.order):
                yield item, attempt
                self._check_stop()
            yield item, Ended(0)
            return
        refused = unable = 0
        for event in self._make(item):
            if isinstance(event, Ended):
                refused, unable = refused + event.refused, unable + event.unable
                continue
            if isinstance(event, Skipped):
                refused += event.refused
            elif isinstance(event, NewAttempt):
                refused += event.attempt.outcome in ("declined", "failed")
            yield item, event
        yield item, Ended(refused, unable)

    def running(self, name: str) -> int:
        """Jobs that the generator's account has under way."""
        return self._remote[name].running if name in self._remote else 0

    def has_answered(self, name: str) -> bool | None:
        """As ``Makers``: whether workers elsewhere have models loaded; True for what they do not make."""
        return self._makers.has_answered(name)

    def may_have_cost(self, name: str) -> float:
        """Money for the generator's jobs that were handed in and not answered."""
        return self._remote[name].may_have_cost(name) if name in self._remote else 0.0

    def cancel(self) -> None:
        """End what the engine's workers are at: it is made again."""
        self._makers.close()

    def close(self) -> None:
        self._makers.close()
        for worker in {id(worker): worker for worker in self._remote.values()}.values():
            worker.close()

    def _check_stop(self) -> None:
        """Raise ``Interrupted`` when the run is being stopped: work on this machine may have hours left."""
        if self._stop.is_set():
            raise Interrupted("stopped")

    def _make(self, item: WorkItem) -> Iterator[Planning | NewAttempt | Skipped | Postponed | Ended]:
        order = item.order
        try:
            inputs = self._attempts.inputs(order)
        except BestshotError as error:
            yield Planning(order.task.id, order.name, order.build, item.n, (), "missing", reason_of(error))
            return
        planning, new = self._recipes.planning(order, item.n, inputs)
        if new:
            yield planning
        if planning.outcome != "planned":
            if planning.outcome != "missing":
                own = 0 if planning.outcome == "failed" else order.step.n
                its_kind = order.task.type in order.generator.task_types
                beyond = _beyond(item, own)
                yield Ended(beyond, item.count - beyond if its_kind else 0)
            return
        if planning.reason is None:  # no wording is missing for now
            yield Ended(_beyond(item, max(order.step.n, len(planning.recipes))))  # more than it has ideas for
        todo, others = self._attempts.to_try(order, planning, item.first, item.n)
        yield from others
        left = len(todo)
        together = self._together if order.name in self._makers.away else 1
        try:
            made = (
                self._remote[order.name].make(order, order.generator, todo)
                if isinstance(order.generator, RemoteGenerator)
                else make_here(self._attempts, order, todo, self._makers, together)
            )
            for event in made:
                left -= event.count if isinstance(event, Postponed) else 1
                yield event
                if order.name not in self._remote:
                    self._check_stop()
        except (ServiceStopped, OutOfBudget) as error:
            if left:
                yield Postponed(str(error), left)


def _beyond(item: WorkItem, n: int) -> int:
    """How many of its recipes are not among the first ``n``."""
    return max(0, item.n - max(item.first, n))
