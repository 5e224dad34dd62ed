"""Makes what is missing: for every task and generator its recipes, each tried once, every outcome stored.

Workers make in threads; this thread alone writes attempts. Jobs at services are the exception: the worker that hands
one in stores it before it asks for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby

from sqlalchemy import Connection

from selector.domain import RemoteGenerator, stable_hash
from selector.domain.interruption import give_time, tell_ending
from selector.domain.progress import Progress, silent
from selector.generate._attempts import NewAttempt, Postponed, Skipped
from selector.generate._making import OnEngine
from selector.generate._worker import Ended, Event, Item, Worker
from selector.generate.orders import Chain, FinishItem, Order, WorkItem, check_budgets
from selector.generate.summary import GenerateSummary, GeneratorProgress
from selector.llm.prompting import PromptWish, needs_writer, prepare_prompts
from selector.net import Spending, awaited, give_up
from selector.store.attempts import Planning, add_attempt, add_planning
from selector.store.candidates import is_answer
from selector.store.jobs import end_jobs, load_jobs
from selector.store.pruned import load_gone
from selector.workspace.executor import Executor
from selector.workspace.workspace import Workspace

SHOW_SECONDS = 1.0  # without news, for a job takes minutes
GIVING_UP_SECONDS = 3.0  # to note what counts as perhaps paid
ROOM = 1000  # events that wait to be stored: they hold no pictures


def generate(
    ws: Workspace,
    orders: Sequence[Order],
    retry_failed: bool = False,
    progress: Progress = silent,
    stop: threading.Event | None = None,
    purse: Spending | None = None,
    falls: bool = True,
    on_engine: OnEngine | None = None,
) -> GenerateSummary:
    """Carry out the orders. A second run completes what is missing and repeats nothing that was made or declined.

    Args:
        ws: the campaign.
        orders: those of one task lie together, in the order in which refusals fall through.
        retry_failed: also try again what failed.
        progress: told of every generator under its name.
        stop: ends the waits of the accounts that the generators share; set here when the run ends.
        purse: money that this run may spend, at all services and for other wordings of prompts together.
        falls: whether what one was refused is asked of the next.
        on_engine: generators that work elsewhere; all others, and all by default, work in threads of this process.
    """
    check_budgets(orders)
    ws.images.sweep()
    return _Run(ws, orders, retry_failed, progress, stop or threading.Event(), purse, falls, on_engine).carry_out()


class _Run:
    """The consumer's state."""

    def __init__(
        self,
        ws: Workspace,
        orders: Sequence[Order],
        retry_failed: bool,
        progress: Progress,
        stop: threading.Event,
        purse: Spending | None,
        falls: bool,
        on_engine: OnEngine | None,
    ) -> None:
        self._ws, self._orders, self._progress, self._retry_failed = ws, orders, progress, retry_failed
        self._chains = {key: Chain(list(of), falls) for key, of in groupby(orders, lambda order: order.task.id)}
        self._worker = Worker(ws, orders, retry_failed, stop, on_engine or OnEngine())
        self._executor: Executor[Item, Event] = Executor(self._worker.work, stop, ROOM)
        self._generators = {order.name: order.generator for order in orders}
        self._accounts = {n: g.account for n, g in self._generators.items() if isinstance(g, RemoteGenerator)}
        self._purse = purse
        for account in self._accounts.values():
            account.spending.purse = purse
        self._of = {name: GeneratorProgress() for name in self._generators}
        self._steps: dict[str, str] = {}  # where a slow generator is within an image
        self._told: dict[str, tuple[int, int, str]] = {}
        self._shown = time.monotonic()
        self._stored: set[str] = set()  # images that came in this run
        self.summary = GenerateSummary()

    def carry_out(self) -> GenerateSummary:
        """All work of all chains; what is under way when the run is interrupted is finished and stored."""
        self._prepare_prompts()
        for name, account in self._accounts.items():
            self._of[name].counts.currency = account.service.currency
        self._listen()
        try:
            for item in self._first_items():
                self._begin(item)
            self._show(self._of)
            for batch in self._executor.batches():
                self._take(batch)
                self._show(dict.fromkeys(item.order.name for item, _ in batch))
                if time.monotonic() - self._shown > SHOW_SECONDS:
                    self._shown = time.monotonic()
                    self._show(self._of)
        except BaseException:
            for generator in self._generators.values():
                generator.cancel()  # it would wait, say for a program that runs for minutes
            self._worker.cancel()
            raise
        finally:
            # Nothing is shown here: a progress that raises (Ctrl-C falls anywhere) would lose what comes.
            self._finish()
            self._worker.close()
            self._close_summary()
        return self.summary

    def _finish(self) -> None:
        """Store what is under way. A second Ctrl-C gives up the answers that may be paid: they count as paid."""
        if self._accounts:
            give_time()  # for pictures that are paid for, at the store
        stops = list({id(account.stop): account.stop for account in self._accounts.values()}.values())
        try:
            n = sum(map(awaited, stops))
            if n:
                answers = "1 answer" if n == 1 else f"{n} answers"
                tell_ending(f"waiting for {answers} that may be paid; Ctrl-C again gives them up")
            for batch in self._executor.finish():
                self._take(batch)
        except KeyboardInterrupt as error:
            n = sum(map(give_up, stops))
            for batch in self._executor.finish(GIVING_UP_SECONDS):
                self._take(batch)
            if n:
                were = (
                    "1 answer was not waited for and counts" if n == 1 else f"{n} answers were not waited for and count"
                )
                error.args = (f"{were} as perhaps paid",)
            raise

    def _prepare_prompts(self) -> None:
        wanted = [
            PromptWish(order.task, style, order.generator.prompt_form)
            for order in self._orders
            for style in order.step.prompts
            if needs_writer(style)
        ]
        if wanted:
            written = prepare_prompts(self._ws, wanted, self._progress, self._retry_failed, self._purse)
            self.summary.prompts = written

    def _listen(self) -> None:
        """Have generators that take minutes an image tell their steps."""

        def told(name: str, done: int, total: int) -> None:
            self._steps[name] = f"step {done}/{total}"

        for name, generator in self._generators.items():
            with suppress(AttributeError):  # a frozen one has no steps to tell
                generator.on_step = partial(told, name)

    def _first_items(self) -> list[WorkItem]:
        """Those first whose jobs are at a service already: what is paid for is kept there for a day.

        Machines that share a store go through the tasks in orders of their own, so that they seldom make the same.
        """
        with self._ws.db.read() as connection:
            waiting = {
                (j.task_id, j.generator) for j in load_jobs(connection) if any(map(j.collectable, j.recipe_keys))
            }
        items = [item for chain in self._chains.values() for item in chain.start()]
        if self._ws.config.store.url:
            place = self._ws.place
            items.sort(key=lambda item: stable_hash([place, item.order.task.id]))
        return sorted(items, key=lambda item: (item.order.task.id, item.order.name) not in waiting)

    def _begin(self, item: Item) -> None:
        order = item.order
        if isinstance(item, FinishItem):
            self._executor.add(self._worker.cores, item)
            return
        progress, task = self._of[order.name], order.task.id
        progress.begin((WorkItem, task), item.expected)
        progress.begin((FinishItem, task), item.expected * len(order.step.finishes))
        self._executor.add(self._worker.queue_of(order), item, order.name)

    def _take(self, batch: Sequence[Event]) -> None:
        """Store what came, then count it, and begin what follows from it; a batch that comes again doubles no row."""
        rows = [event for _, event in batch if isinstance(event, (Planning, NewAttempt))]
        now = self._ws.now()
        if rows:
            with self._ws.db.write() as connection:
                for row in rows:
                    if isinstance(row, Planning):
                        add_planning(connection, row, now)
                    else:
                        self._compare(connection, row)
                        add_attempt(self._ws.db, connection, row.attempt, row.candidate, row.try_number, now)
                        end_jobs(self._ws.db, connection, row.ends, now)
        for item, event in batch:
            self._count(item, event)

    def _compare(self, connection: Connection, new: NewAttempt) -> None:
        """Note where the image that it made is a candidate of its task already, and whether it had been lost."""
        made = new.attempt.candidate_id
        if made is None:
            return
        if is_answer(connection, new.attempt.task_id, made):
            # An address is not asked for what was deleted on purpose: its row tells.
            was_lost = made not in self._stored and (new.written or bool(load_gone(connection, [made])))
            self.summary.restored += was_lost
            self.summary.restored_ids += [made] if was_lost else []
            self.summary.same += not was_lost
        self._stored.add(made)

    def _count(self, item: Item, event: Planning | NewAttempt | Skipped | Postponed | Ended) -> None:
        name, task_id = item.order.name, item.order.task.id
        work = (type(item), task_id)
        progress = self._of[name]
        match event:
            case Planning(outcome="planned"):
                if event.reason:  # why some of it is missing
                    self.summary.count("missing", name, event.reason, task_id)
            case Planning():
                self.summary.count(event.outcome, name, event.reason, task_id)
                progress.outcome(event.outcome)
            case NewAttempt():
                self.summary.count(event.attempt.outcome, name, event.attempt.reason, task_id)
                progress.outcome(event.attempt.outcome, event.cost)
                progress.step(work)
            case Skipped():
                self.summary.already += 1
                progress.outcome("already")
                progress.step(work)
            case Postponed():
                key = f"{name}: {event.reason}"
                self.summary.left[key] = self.summary.left.get(key, 0) + event.count
                progress.counts.left += event.count
            case Ended():
                progress.end(work)
                if isinstance(item, WorkItem):
                    self._go_on(item, event)

    def _go_on(self, item: WorkItem, ended: Ended) -> None:
        for following in self._chains[item.order.task.id].done(item, ended.refused, ended.unable):
            self._begin(following)
        if item.order.step.finishes:
            self._begin(FinishItem(item.order))

    def _show(self, names: Iterable[str]) -> None:
        for name in names:
            progress = self._of[name]
            answered = self._worker.has_answered(name)
            if answered is None and not progress.done:
                continue  # whose turn has not come has no rate: its clock begins with it
            state = progress.done, progress.total, self._steps.get(name, "")
            if progress.done == progress.total and self._told.get(name, (0, 0, "")) == state:
                continue  # a bar that is full is not drawn once more
            self._told[name] = state
            starts = "workers load its models" if answered is False else ""
            notes = (state[2], starts, progress.line(self._worker.running(name)))
            self._progress(name, progress.done, progress.total, ", ".join(filter(None, notes)))

    def _close_summary(self) -> None:
        for name, progress in self._of.items():
            progress.counts.pay(self._worker.may_have_cost(name))
        self.summary.generators = {name: progress.counts for name, progress in self._of.items()}
        for account in {id(a): a for a in self._accounts.values()}.values():
            for why, n in account.troubles.items():
                self.summary.sent_again[f"{account.service.name}: {why}"] = n
