"""Makes what is missing: for every task and generator its recipes, each tried once, every outcome stored.

Workers make in lanes (``runs.making``); this thread alone writes attempts. Jobs at services are the exception: the
worker that hands one in stores it before it asks for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

from selector.domain import RemoteGenerator
from selector.domain.progress import Progress, silent
from selector.generate.bench import Left, Skipped, Tried
from selector.generate.lanes import Done, Lane, Lanes
from selector.generate.maker import LOCAL, Ended, Event, Maker, Work, lane_of
from selector.generate.orders import Chain, FinishUnit, Order, Unit, check_budgets
from selector.generate.tally import Tally, Watch
from selector.generate.treatments import FINISH
from selector.llm.prompting import PromptSummary, PromptWish, needs_writer, prepare_prompts
from selector.store.jobs import end_jobs, load_jobs
from selector.store.records import Planning, add_attempt, add_planning
from selector.workspace.workspace import Workspace

SHOW_SECONDS = 1.0  # without news, for a job takes minutes


@dataclass
class GenerateSummary:
    """What a run did. ``made`` counts new attempts that gave an image; reasons are counted by generator."""

    made: int = 0
    already: int = 0
    failed: int = 0
    declined: int = 0
    missing: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # generator -> why it could not be loaded
    without_candidates: list[str] = field(default_factory=list)  # ids of the selected tasks that still have none
    no_generator: dict[str, int] = field(default_factory=dict)  # task type -> tasks for which none is configured
    idle_services: dict[str, str] = field(default_factory=dict)  # [services] that no generator uses -> what to do
    left: dict[str, int] = field(default_factory=dict)  # "generator: why" -> recipes that another run will make
    sent_again: dict[str, int] = field(default_factory=dict)  # "service: why" -> requests
    generators: dict[str, Tally] = field(default_factory=dict)
    prompts: PromptSummary | None = None  # what a language model was asked to write; None when nothing

    def count(self, outcome: str, generator: str, reason: str | None) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)
        if reason:
            self.reason(generator, reason)

    def reason(self, generator: str, reason: str) -> None:
        key = f"{generator}: {reason}"
        self.reasons[key] = self.reasons.get(key, 0) + 1


def generate(
    ws: Workspace,
    orders: Sequence[Order],
    retry_failed: bool = False,
    progress: Progress = silent,
    stop: threading.Event | None = None,
) -> GenerateSummary:
    """Carry out the orders. A second run completes what is missing and repeats nothing that was made or declined.

    Args:
        ws: the campaign.
        orders: those of one task lie together, in the order in which refusals fall through.
        retry_failed: also try again what failed.
        progress: told of every generator under its name.
        stop: ends the waits of the accounts that the generators share; set here when the run ends.
    """
    check_budgets(orders)
    ws.images.sweep()
    return _Run(ws, orders, retry_failed, progress, stop or threading.Event()).carry_out()


class _Run:
    """The consumer's state."""

    def __init__(
        self, ws: Workspace, orders: Sequence[Order], retry_failed: bool, progress: Progress, stop: threading.Event
    ) -> None:
        self._ws, self._progress, self._retry_failed = ws, progress, retry_failed
        self._chains = {key: Chain(list(of_task)) for key, of_task in groupby(orders, lambda order: order.task.id)}
        self._maker = Maker(ws, orders, retry_failed, stop)
        self._lanes: Lanes[Work, Event] = Lanes(self._maker.make, stop)
        self._told: dict[str, tuple[int, int, str]] = {}
        self._steps: dict[str, str] = {}  # where a slow generator is within an image
        self._unsaved: list[Planning | Tried | Skipped | Left | Ended] = []
        self._watches = {name: Watch() for name in dict.fromkeys(order.name for order in orders)}
        self._accounts = {o.name: o.generator.account for o in orders if isinstance(o.generator, RemoteGenerator)}
        self._orders = orders
        self._shown = time.monotonic()
        self.summary = GenerateSummary()

    def carry_out(self) -> GenerateSummary:
        """All units of all chains; what is under way when the run is interrupted is finished and stored."""
        self._prepare_prompts()
        for name, account in self._accounts.items():
            self._watches[name].tally.currency = account.service.currency
        self._listen()
        try:
            for unit in self._first_units():
                self._begin(unit)
            self._show(self._watches)
            for batch in self._lanes:
                self._show(self._take(batch))
                if time.monotonic() - self._shown > SHOW_SECONDS:
                    self._shown = time.monotonic()
                    self._show(self._watches)
        except BaseException:
            self._cancel()
            raise
        finally:
            # Nothing is shown here: a progress that raises (Ctrl-C falls anywhere) would lose what comes.
            for batch in self._lanes.finish():
                self._take(batch)
            self._store()
            self._maker.close()
            self._close_summary()
        return self.summary

    def _first_units(self) -> list[Unit]:
        """Those first whose jobs are at a service already: what is paid for is kept there for a day."""
        with self._ws.db.read() as connection:
            waiting = {
                (j.task_id, j.generator) for j in load_jobs(connection) if any(map(j.collectable, j.recipe_keys))
            }
        units = [unit for chain in self._chains.values() for unit in chain.start()]
        return sorted(units, key=lambda unit: (unit.order.task.id, unit.order.name) not in waiting)

    def _listen(self) -> None:
        """Have generators that take minutes an image tell their steps."""

        def told(name: str, done: int, total: int) -> None:
            self._steps[name] = f"step {done}/{total}"

        for name, generator in {order.name: order.generator for order in self._orders}.items():
            with suppress(AttributeError):  # a frozen one has no steps to tell
                generator.on_step = partial(told, name)

    def _cancel(self) -> None:
        """End what a generator would otherwise wait for, such as a program that runs for minutes."""
        for generator in {id(order.generator): order.generator for order in self._orders}.values():
            generator.cancel()

    def _prepare_prompts(self) -> None:
        wanted = [
            PromptWish(order.task, style, order.generator.prompt_form)
            for order in self._orders
            for style in order.step.prompts
            if needs_writer(style)
        ]
        if wanted:
            self.summary.prompts = prepare_prompts(self._ws, wanted, self._progress, self._retry_failed)

    def _begin(self, work: Work) -> None:
        if isinstance(work, Unit):
            watch, key = self._watches[work.order.name], (work.order.task.id, work.order.name)
            watch.begin(key, work.count)
            watch.begin((*key, FINISH), work.count * len(work.order.step.finishes))
            self._lanes.add(lane_of(work.order, self._ws.config.workers), work.order.name, work)
        else:
            self._lanes.add(Lane(LOCAL, self._ws.config.workers), "", work)

    def _take(self, batch: Sequence[Event | Done[Work]]) -> dict[str, None]:
        """Store what came, then count it, and begin what follows from it; returns the generators that it is of."""
        came = [event for event in batch if not isinstance(event, Done)]
        self._unsaved += [event for _, event in came]
        self._store()
        for work, event in came:
            self._count(work, event)
        return dict.fromkeys(work.order.name for work, _ in came)

    def _store(self) -> None:
        """Store what is not yet, also what an interrupted transaction has left."""
        rows = [event for event in self._unsaved if isinstance(event, (Planning, Tried))]
        if not rows:
            return
        now = self._ws.now()
        with self._ws.db.write() as connection:
            for row in rows:
                if isinstance(row, Planning):
                    add_planning(connection, row, now)
                else:
                    add_attempt(self._ws.db, connection, row.attempt, row.candidate, row.try_number, now)
                    end_jobs(self._ws.db, connection, row.ends, now)
        self._unsaved = []

    def _count(self, work: Work, event: Planning | Tried | Skipped | Left | Ended) -> None:
        name, watch = work.order.name, self._watches[work.order.name]
        unit: tuple[str, ...] = (work.order.task.id, name)
        if isinstance(event, Planning):
            if event.outcome != "planned":
                self.summary.count(event.outcome, name, event.reason)
                watch.outcome(event.outcome)
            elif event.reason:
                self.summary.count("missing", name, event.reason)
        elif isinstance(event, Tried):
            self.summary.count(event.attempt.outcome, name, event.attempt.reason)
            watch.outcome(event.attempt.outcome, event.cost)
            watch.step((*unit, FINISH) if isinstance(work, FinishUnit) else unit)
        elif isinstance(event, Skipped):
            self.summary.already += 1
            watch.outcome("already")
            watch.step(unit)
        elif isinstance(event, Left):
            key = f"{name}: {event.reason}"
            self.summary.left[key] = self.summary.left.get(key, 0) + event.count
            watch.tally.left += event.count
        elif isinstance(work, FinishUnit):
            watch.end((*unit, FINISH))
        else:
            self._ended(work, event)

    def _ended(self, unit: Unit, ended: Ended) -> None:
        self._watches[unit.order.name].end((unit.order.task.id, unit.order.name))
        for following in self._chains[unit.order.task.id].done(unit, ended.refused, ended.unable):
            self._begin(following)
        if unit.order.step.finishes:
            self._begin(FinishUnit(unit.order))

    def _show(self, names: Iterable[str]) -> None:
        for name in names:
            watch = self._watches[name]
            state = watch.done, watch.total, self._steps.get(name, "")
            if watch.done == watch.total and self._told.get(name, (0, 0, "")) == state:
                continue  # a bar that is full is not drawn once more
            self._told[name] = state
            line = watch.line(self._maker.running(name))
            self._progress(name, watch.done, watch.total, ", ".join(filter(None, (state[2], line))))

    def _close_summary(self) -> None:
        for name, watch in self._watches.items():
            watch.tally.pay(self._maker.may_have_cost(name))
        self.summary.generators = {name: watch.tally for name, watch in self._watches.items()}
        for account in {id(a): a for a in self._accounts.values()}.values():
            for why, n in account.troubles.items():
                self.summary.sent_again[f"{account.service.name}: {why}"] = n
