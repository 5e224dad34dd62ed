"""Makes candidates at a service: jobs are stored when they are accepted, asked for until they end, and never forgotten.

A job that a killed run has left is asked for again instead of being paid again; one that the service has forgotten is
issued anew. The account's place is held until the job's end was seen, and given back before the downloads begin.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from selector.domain import (
    BestshotError,
    Declined,
    Delivery,
    GenerationFailed,
    Made,
    OutOfResources,
    RemoteGenerator,
    ServiceStopped,
    Ticket,
    TicketLost,
    raise_shortage,
    reason_of,
)
from selector.generate._attempts import Attempts, NewAttempt, OpenRecipe, Postponed
from selector.generate._job_store import JobStore, PollingSchedule
from selector.generate._local import batches
from selector.generate.orders import Order
from selector.generate.recipes import as_shown, check_json, outcome_of, style_of
from selector.net import Account, Interrupted, OutOfBudget, Unanswered
from selector.store import jobs
from selector.store.jobs import JobEnd

REISSUES = 2  # of a recipe in one run, when the service forgets its jobs
STILL_RUNNING = "still running at the service: the next run collects it"


class ServiceWorker:
    """One account's work, shared by its threads.

    Args:
        attempts: the store and the images.
        account: the account of all generators that this is used for.
    """

    def __init__(self, attempts: Attempts, account: Account) -> None:
        self.attempts, self.account = attempts, account
        self.jobs = JobStore(attempts.ws, account.service.name)
        self.downloads = ThreadPoolExecutor(account.service.downloads, f"download-{account.service.name}")
        self.running = 0  # jobs that are waited for now
        self._lock = threading.Lock()
        self._schedules: dict[str, PollingSchedule] = {}
        self._may_have_cost: dict[str, float] = {}

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Counts a job as running."""
        with self._lock:
            self.running += 1
        try:
            yield
        finally:
            with self._lock:
                self.running -= 1

    def may_have_cost(self, generator: str, cost: float = 0.0) -> float:
        """What jobs of a generator that were handed in without an answer may have cost in this run, ``cost`` more."""
        with self._lock:
            self._may_have_cost[generator] = self._may_have_cost.get(generator, 0.0) + cost
            return self._may_have_cost[generator]

    def schedule(self, generator: str) -> PollingSchedule:
        return self._schedules.setdefault(generator, PollingSchedule())

    def close(self) -> None:
        """Wait for the downloads that are under way."""
        self.downloads.shutdown(wait=True, cancel_futures=True)

    def make(
        self, order: Order, generator: RemoteGenerator, found: Sequence[OpenRecipe]
    ) -> Iterator[NewAttempt | Postponed]:
        """Collect what earlier runs have left at the service, then hand in the rest.

        Raises:
            ServiceStopped, OutOfBudget: nothing more can be handed in. Interrupted: the run ends.
        """
        jobs_of = _JobsOfOrder(self, order, generator)
        rest = list(found)
        yield from jobs_of.collect_old(rest)
        self.account.breaker.check(handing_in=True)
        for _ in range(1 + REISSUES):
            again: list[OpenRecipe] = []
            refused: dict[str, Declined] = {}
            for batch, fault in batches(generator, jobs_of.inputs, rest):
                if fault is None:
                    for part in jobs_of.affordable(batch):
                        yield from jobs_of.hand_in(part, again, refused)
                else:
                    yield from (jobs_of.attempt(one, fault) for one in batch)
            if not again:
                return
            rest = again
        for one in again:
            yield jobs_of.attempt(
                one, GenerationFailed("the service forgets its jobs: it was issued anew and lost again")
            )


class _JobsOfOrder:
    """The jobs of one order, in one thread."""

    def __init__(self, worker: ServiceWorker, order: Order, generator: RemoteGenerator) -> None:
        self._worker, self._account, self._attempts = worker, worker.account, worker.attempts
        self._order, self._generator = order, generator
        self.inputs = worker.attempts.inputs(order)
        self._started = time.perf_counter()

    def collect_old(self, rest: list[OpenRecipe]) -> Iterator[NewAttempt | Postponed]:
        """Ask for the jobs of earlier runs, newest first; takes out of ``rest`` what they settle."""
        with self._attempts.ws.db.read() as connection:
            old = jobs.load_jobs(connection, self._order.task.id, self._order.name, self._order.build)
        for job in old:
            mine = [one for one in rest if job.may_bring(one.recipe.key)]
            if not mine:
                continue
            ticket = Ticket(job.ticket, job.facts)
            try:
                with self._account.slot():
                    deliveries = self._wait(ticket, len(job.recipe_keys), fresh=False)
            except TicketLost as error:
                self._worker.jobs.end(job.id, [one.recipe.key for one in mine], jobs.LOST, reason_of(error))
                continue
            except GenerationFailed as error:
                rest[:] = [one for one in rest if one not in mine]
                yield Postponed(reason_of(error), len(mine))
                continue
            rest[:] = [one for one in rest if one not in mine]
            by_key = dict(zip(job.recipe_keys, deliveries, strict=True))
            pairs = [(one, by_key[one.recipe.key]) for one in mine]
            self._account.spending.settle(0.0, -(job.price or 0.0) * sum(d.error is not None for _, d in pairs))
            yield from self._take(job.id, pairs, 0.0)  # this run pays nothing for it

    def hand_in(
        self, batch: Sequence[OpenRecipe], again: list[OpenRecipe], refused: dict[str, Declined]
    ) -> Iterator[NewAttempt | Postponed]:
        """Hand in one job, wait for it and take what it brings; ``again`` gets what the service has forgotten."""
        style = style_of(batch[0].recipe)
        if style in refused:  # the same words would be refused again
            yield from (self.attempt(one, refused[style]) for one in batch)
            return
        price = self._generator.price or 0.0
        job_id = 0
        try:
            with self._account.slot():
                if self._account.stop.is_set():
                    raise Interrupted("stopped")
                job_id, ticket = self._submit(batch)
                if ticket.deliveries is None:
                    deliveries = self._wait(ticket, len(batch), fresh=True)
                else:
                    deliveries = _one_each(ticket.deliveries, len(batch))
        except Declined as error:
            refused[style] = error
            yield from (self.attempt(one, error) for one in batch)
        except TicketLost as error:
            self._worker.jobs.end(job_id, [one.recipe.key for one in batch], jobs.LOST, reason_of(error))
            again += batch
        except _NotSubmitted as error:
            yield from (self.attempt(one, error.cause) for one in batch)
        except GenerationFailed as error:
            yield Postponed(reason_of(error), len(batch))
        else:
            self._account.spending.settle(0.0, -price * sum(d.error is not None for d in deliveries))
            yield from self._take(job_id, list(zip(batch, deliveries, strict=True)), price)

    def affordable(self, batch: Sequence[OpenRecipe]) -> Iterator[Sequence[OpenRecipe]]:
        """The batch, or first what the budget allows of it, where the generator takes that as a job."""
        n = self._account.spending.affords(self._generator.price or 0.0, len(batch))
        is_part = 0 < n < len(batch)
        parts = [batch[:n], batch[n:]] if is_part else [batch]
        if is_part and [fault for _, fault in batches(self._generator, self.inputs, parts[0])] != [None]:
            parts = [batch]  # such a part would be several jobs
        yield from parts

    def attempt(self, one: OpenRecipe, result: Made | Exception, cost: float = 0.0) -> NewAttempt:
        return self._attempts.conclude(self._order, one, self.inputs, result, self._started, cost=cost)

    def _submit(self, batch: Sequence[OpenRecipe]) -> tuple[int, Ticket]:
        """Hand in and store at once: until the row is there, a kill would lose the job.

        So is a job that may have been created: nothing answered. Raises ``OutOfBudget``, also before it is sent again.
        """
        shown = [as_shown(self.inputs, one.recipe) for one in batch]
        keys, price = [one.recipe.key for one in batch], self._generator.price
        cost = (price or 0.0) * len(batch)

        def perhaps(why: str) -> None:
            self._worker.may_have_cost(self._order.name, cost)
            self._worker.jobs.perhaps(self._order, keys, price, why)

        with self._account.paying(cost, perhaps):
            try:
                ticket = self._generator.submit(shown[0][0], [recipe for _, recipe in shown])
                # One plug-in's mistake must not keep the jobs of others from being stored.
                check_json(dict(ticket.facts), "what a ticket holds")
            except (Declined, ServiceStopped, Interrupted, OutOfBudget, Unanswered):
                raise
            except Exception as error:
                raise _NotSubmitted(error) from error
        return self._worker.jobs.open(self._order, ticket, keys, price), ticket

    def _wait(self, ticket: Ticket, n: int, fresh: bool) -> Sequence[Delivery]:
        """Ask until the job of ``n`` recipes has ended. Raises ``GenerationFailed`` when it goes on for too long."""
        begun, schedule = time.monotonic(), self._worker.schedule(self._order.name)
        with self._worker.waiting():
            while True:
                elapsed = time.monotonic() - begun
                if elapsed > self._account.service.job_seconds:
                    raise GenerationFailed(STILL_RUNNING)
                if fresh or elapsed > 0.01:
                    self._account.polls.sleep(schedule.wait(elapsed))
                came = self._poll(ticket, n)
                if came is not None:
                    if fresh:
                        schedule.note(time.monotonic() - begun)
                    return _one_each(came, n)

    def _poll(self, ticket: Ticket, n: int) -> Sequence[Delivery] | None:
        try:
            return self._generator.poll(ticket)
        except Declined as error:
            raise_shortage(error)
            return [Delivery(error=error)] * n
        except (TicketLost, GenerationFailed, ServiceStopped, Interrupted):
            raise
        except Exception as error:  # the job goes on: when what is wrong here is mended, a later run collects it
            raise GenerationFailed(outcome_of(error)[1]) from error

    def _take(
        self, job_id: int, pairs: Sequence[tuple[OpenRecipe, Delivery]], price: float
    ) -> Iterator[NewAttempt | Postponed]:
        """Download in parallel, check, store the images; when the run ends meanwhile, those that have come.

        A job keeps its other images open: the next run collects them.
        """
        lost = [(one, delivery.error) for one, delivery in pairs if isinstance(delivery.error, TicketLost)]
        if lost:  # these images were not asked for any more, which says nothing against them
            why = str(lost[0][1])
            self._worker.jobs.end(job_id, [one.recipe.key for one, _ in lost], jobs.FAILED, why)
            yield Postponed(why, len(lost))
            pairs = [pair for pair in pairs if not isinstance(pair[1].error, TicketLost)]
        futures = [self._worker.downloads.submit(self._fetch, job_id, one, delivery, price) for one, delivery in pairs]
        ends: Interrupted | OutOfResources | None = None
        for future in futures:
            try:
                yield future.result()
            except (Interrupted, OutOfResources) as error:
                ends = error if ends is None or isinstance(error, OutOfResources) else ends
        if ends is not None:
            raise ends

    def _fetch(self, job_id: int, one: OpenRecipe, delivery: Delivery, price: float) -> NewAttempt:
        if delivery.error is not None:
            made = self.attempt(one, delivery.error)
            outcome = jobs.REFUSED if isinstance(delivery.error, Declined) else jobs.FAILED
            why: str | None = str(delivery.error)
        else:
            result: Made | Exception
            try:
                result = self._generator.fetch(*as_shown(self.inputs, one.recipe), delivery)
            except Interrupted:
                raise
            except Exception as error:
                result = error
            made = self.attempt(one, result, price)
            outcome = jobs.DELIVERED if made.candidate is not None else jobs.UNDELIVERED
            why = made.attempt.reason
        return replace(made, ends=(JobEnd(job_id, one.recipe.key, outcome, why, one.try_number),))


def _one_each(deliveries: Sequence[Delivery], n: int) -> list[Delivery]:
    """One delivery for each of a job's recipes, also where the service has sent fewer."""
    missing = Delivery(error=GenerationFailed(f"a job of {n} images brought {len(deliveries)}"))
    return [*deliveries[:n], *[missing] * (n - len(deliveries))]


class _NotSubmitted(BestshotError):
    """The service has not taken the job: there is nothing to ask for."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause
