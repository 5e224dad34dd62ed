"""Makes candidates at a service: jobs are stored when they are accepted, asked for until they end, and never forgotten.

A job that a killed run has left is asked for again instead of being paid again; one that the service has forgotten is
issued anew. The account's place is held until the job's end was seen, and given back before the downloads begin.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

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
from selector.generate.bench import Bench, Left, Open, Tried
from selector.generate.job_book import JobBook
from selector.generate.local import batches
from selector.generate.orders import Order
from selector.generate.poll_clock import PollClock
from selector.generate.recipes import check_json, outcome_of
from selector.generate.treatments import as_shown, style_of
from selector.net import Account, Interrupted, OutOfBudget, Unanswered
from selector.store import jobs
from selector.store.jobs import Job, JobEnd

REISSUES = 2  # of a recipe in one run, when the service forgets its jobs
STILL_RUNNING = "still running at the service: the next run collects it"


class RemoteMaker:
    """One account's work, shared by its threads.

    Args:
        bench: the store and the images.
        account: the account of all generators that this is used for.
    """

    def __init__(self, bench: Bench, account: Account) -> None:
        self._bench, self._account = bench, account
        self._clocks: dict[str, PollClock] = {}
        self.book = JobBook(bench.ws, account.service.name)
        self._downloads = ThreadPoolExecutor(account.service.downloads, f"download-{account.service.name}")
        self._lock = threading.Lock()
        self.running = 0  # jobs that are waited for now
        self._may_have_cost: dict[str, float] = {}

    def count(self, change: int) -> None:
        with self._lock:
            self.running += change

    def may_have_cost(self, generator: str, cost: float = 0.0) -> float:
        """What jobs of a generator that were handed in without an answer may have cost in this run, ``cost`` more."""
        with self._lock:
            self._may_have_cost[generator] = self._may_have_cost.get(generator, 0.0) + cost
            return self._may_have_cost[generator]

    def close(self) -> None:
        """Wait for the downloads that are under way."""
        self._downloads.shutdown(wait=True, cancel_futures=True)

    def make(self, order: Order, generator: RemoteGenerator, found: Sequence[Open]) -> Iterator[Tried | Left]:
        """Collect what earlier runs have left at the service, then hand in the rest.

        Raises:
            ServiceStopped, OutOfBudget: nothing more can be handed in. Interrupted: the run ends.
        """
        work = _Work(self._bench, self._account, order, generator, self._clock(order.name), self._downloads, self)
        rest = list(found)
        yield from work.collect_old(rest)
        self._account.breaker.check(handing_in=True)
        for _ in range(1 + REISSUES):
            again: list[Open] = []
            refused: dict[str, Declined] = {}
            for batch, fault in batches(generator, work.inputs, rest):
                if fault is None:
                    for part in work.affordable(batch):
                        yield from work.new_job(part, again, refused)
                else:
                    yield from (work.tried(one, fault) for one in batch)
            if not again:
                return
            rest = again
        for one in again:
            yield work.tried(one, GenerationFailed("the service forgets its jobs: it was issued anew and lost again"))

    def _clock(self, name: str) -> PollClock:
        return self._clocks.setdefault(name, PollClock())


class _Work:
    """One unit: the jobs of one order, in one thread."""

    def __init__(
        self,
        bench: Bench,
        account: Account,
        order: Order,
        generator: RemoteGenerator,
        clock: PollClock,
        downloads: ThreadPoolExecutor,
        maker: RemoteMaker,
    ) -> None:
        self._bench, self._account, self._order, self._generator = bench, account, order, generator
        self._clock, self._downloads, self._maker = clock, downloads, maker
        self.inputs = bench.inputs(order.task)
        self._started = time.perf_counter()

    def collect_old(self, rest: list[Open]) -> Iterator[Tried | Left]:
        """Ask for the jobs of earlier runs, newest first; takes out of ``rest`` what they settle."""
        for job in self._old_jobs():
            mine = [one for one in rest if job.may_bring(one.recipe.key)]
            if not mine:
                continue
            ticket = Ticket(job.ticket, job.facts)
            try:
                with self._account.slot():
                    deliveries = self._wait(ticket, len(job.recipe_keys), fresh=False)
            except TicketLost as error:
                self._maker.book.end(job.id, [one.recipe.key for one in mine], jobs.LOST, reason_of(error))
                continue
            except GenerationFailed as error:
                rest[:] = [one for one in rest if one not in mine]
                yield Left(reason_of(error), len(mine))
                continue
            rest[:] = [one for one in rest if one not in mine]
            by_key = dict(zip(job.recipe_keys, deliveries, strict=True))
            pairs = [(one, by_key[one.recipe.key]) for one in mine]
            self._account.spending.settle(0.0, -(job.price or 0.0) * sum(d.error is not None for _, d in pairs))
            yield from self._take(job.id, pairs, 0.0)  # this run pays nothing for it

    def new_job(self, batch: Sequence[Open], again: list[Open], refused: dict[str, Declined]) -> Iterator[Tried | Left]:
        """Hand in one job, wait for it and take what it brings; ``again`` gets what the service has forgotten."""
        style = style_of(batch[0].recipe)
        if style in refused:  # the same words would be refused again
            yield from (self.tried(one, refused[style]) for one in batch)
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
            yield from (self.tried(one, error) for one in batch)
        except TicketLost as error:
            self._maker.book.end(job_id, [one.recipe.key for one in batch], jobs.LOST, reason_of(error))
            again += batch
        except _NotSubmitted as error:
            yield from (self.tried(one, error.cause) for one in batch)
        except GenerationFailed as error:
            yield Left(reason_of(error), len(batch))
        else:
            self._account.spending.settle(0.0, -price * sum(d.error is not None for d in deliveries))
            yield from self._take(job_id, list(zip(batch, deliveries, strict=True)), price)

    def affordable(self, batch: Sequence[Open]) -> Iterator[Sequence[Open]]:
        """The batch, or first what the budget allows of it, where the generator takes that as a job."""
        n = self._account.spending.affords(self._generator.price or 0.0, len(batch))
        is_part = 0 < n < len(batch)
        parts = [batch[:n], batch[n:]] if is_part else [batch]
        if is_part and [fault for _, fault in batches(self._generator, self.inputs, parts[0])] != [None]:
            parts = [batch]  # such a part would be several jobs
        yield from parts

    def tried(self, one: Open, result: Made | Exception, ends: tuple[JobEnd, ...] = (), cost: float = 0.0) -> Tried:
        return self._bench.tried(self._order, one, self.inputs, result, self._started, ends=ends, cost=cost)

    def _old_jobs(self) -> tuple[Job, ...]:
        with self._bench.ws.db.read() as connection:
            return jobs.load_jobs(connection, self._order.task.id, self._order.name, self._order.build)

    def _submit(self, batch: Sequence[Open]) -> tuple[int, Ticket]:
        """Hand in and store at once: until the row is there, a kill would lose the job.

        So is a job that may have been created: nothing answered. Raises ``OutOfBudget``, also before it is sent again.
        """
        shown = [as_shown(self.inputs, one.recipe) for one in batch]
        keys, price = [one.recipe.key for one in batch], self._generator.price
        cost = (price or 0.0) * len(batch)

        def perhaps(why: str) -> None:
            self._maker.may_have_cost(self._order.name, cost)
            self._maker.book.perhaps(self._order, keys, price, why)

        with self._account.paying(cost, perhaps):
            try:
                ticket = self._generator.submit(shown[0][0], [recipe for _, recipe in shown])
                # One plug-in's mistake must not keep the jobs of others from being stored.
                check_json(dict(ticket.facts), "what a ticket holds")
            except (Declined, ServiceStopped, Interrupted, OutOfBudget, Unanswered):
                raise
            except Exception as error:
                raise _NotSubmitted(error) from error
        return self._maker.book.open(self._order, ticket, keys, price), ticket

    def _wait(self, ticket: Ticket, n: int, fresh: bool) -> Sequence[Delivery]:
        """Ask until the job of ``n`` recipes has ended. Raises ``GenerationFailed`` when it goes on for too long."""
        begun = time.monotonic()
        self._maker.count(1)
        try:
            while True:
                elapsed = time.monotonic() - begun
                if elapsed > self._account.service.job_seconds:
                    raise GenerationFailed(STILL_RUNNING)
                if fresh or elapsed > 0.01:
                    self._account.polls.sleep(self._clock.wait(elapsed))
                came = self._poll(ticket, n)
                if came is not None:
                    if fresh:
                        self._clock.note(time.monotonic() - begun)
                    return _one_each(came, n)
        finally:
            self._maker.count(-1)

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

    def _take(self, job_id: int, pairs: Sequence[tuple[Open, Delivery]], price: float) -> Iterator[Tried | Left]:
        """Download in parallel, check, store the images; when the run ends meanwhile, those that have come.

        A job keeps its other images open: the next run collects them.
        """
        lost = [(one, delivery.error) for one, delivery in pairs if isinstance(delivery.error, TicketLost)]
        if lost:  # these images were not asked for any more, which says nothing against them
            why = str(lost[0][1])
            self._maker.book.end(job_id, [one.recipe.key for one, _ in lost], jobs.FAILED, why)
            yield Left(why, len(lost))
            pairs = [pair for pair in pairs if not isinstance(pair[1].error, TicketLost)]
        futures = [self._downloads.submit(self._fetch, job_id, one, delivery, price) for one, delivery in pairs]
        ends: Interrupted | OutOfResources | None = None
        for future in futures:
            try:
                yield future.result()
            except (Interrupted, OutOfResources) as error:
                ends = error if ends is None or isinstance(error, OutOfResources) else ends
        if ends is not None:
            raise ends

    def _fetch(self, job_id: int, one: Open, delivery: Delivery, price: float) -> Tried:
        key = one.recipe.key
        if delivery.error is not None:
            outcome = jobs.REFUSED if isinstance(delivery.error, Declined) else jobs.FAILED
            return self.tried(one, delivery.error, (JobEnd(job_id, key, outcome, str(delivery.error), one.try_number),))
        result: Made | Exception
        try:
            result = self._generator.fetch(*as_shown(self.inputs, one.recipe), delivery)
        except Interrupted:
            raise
        except Exception as error:
            result = error
        done = self.tried(one, result, cost=price)
        outcome = jobs.DELIVERED if done.candidate is not None else jobs.UNDELIVERED
        ends = (JobEnd(job_id, key, outcome, done.attempt.reason, done.try_number),)
        return Tried(done.attempt, done.try_number, done.candidate, ends, price)


def _one_each(deliveries: Sequence[Delivery], n: int) -> list[Delivery]:
    """One delivery for each of a job's recipes, also where the service has sent fewer."""
    missing = Delivery(error=GenerationFailed(f"a job of {n} images brought {len(deliveries)}"))
    return [*deliveries[:n], *[missing] * (n - len(deliveries))]


class _NotSubmitted(BestshotError):
    """The service has not taken the job: there is nothing to ask for."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause
