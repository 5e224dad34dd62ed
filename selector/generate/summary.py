"""What a run has done and how far it is, by generator, and a line of it for whoever watches."""

from __future__ import annotations

import bisect
import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from selector.domain.words import by_number

if TYPE_CHECKING:
    from selector.llm.prompting import PromptSummary


@dataclass
class GeneratorCounts:
    """What one generator has done in a run. ``cost`` counts images that were paid for; None: no price is known."""

    made: int = 0
    already: int = 0
    failed: int = 0
    declined: int = 0
    missing: int = 0
    left: int = 0  # for another run: still running at the service, or beyond the budget
    cost: float | None = None
    currency: str = ""
    seconds: float = 0.0  # from the start to the newest outcome

    def pay(self, cost: float) -> None:
        if cost:
            self.cost = (self.cost or 0.0) + cost


@dataclass
class GenerateSummary:
    """What a run did. ``made`` counts new attempts that gave an image; reasons are counted by generator.

    ``same``: those of them whose image was a candidate of its task already, so that there is none more; ``restored``:
    those whose image was one too, but lost or deleted, and is there again; ``restored_ids``: of these images.
    ``reason_tasks``: the tasks of each reason, in the order of their names.
    """

    made: int = 0
    same: int = 0
    restored: int = 0
    already: int = 0
    failed: int = 0
    declined: int = 0
    missing: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # generator -> why it could not be loaded
    without_candidates: list[str] = field(default_factory=list)  # ids of the selected tasks that still have none
    no_generator: dict[str, int] = field(default_factory=dict)  # task type -> tasks without one and without a picture
    idle_services: dict[str, str] = field(default_factory=dict)  # [services] that no generator uses -> what to do
    not_asked: dict[str, int] = field(default_factory=dict)  # "generator: who excluded it and why" -> tasks
    refilled: list[str] = field(
        default_factory=list
    )  # ids of tasks that exclusions left empty, and that were asked anew
    without_ideas: dict[str, int] = field(default_factory=dict)  # generator -> asked for, beyond all that it can make
    left: dict[str, int] = field(default_factory=dict)  # "generator: why" -> recipes that another run will make
    sent_again: dict[str, int] = field(default_factory=dict)  # "service: why" -> requests; why workers died -> batches
    generators: dict[str, GeneratorCounts] = field(default_factory=dict)
    prompts: PromptSummary | None = None  # what a language model was asked to write; None when nothing
    reason_tasks: dict[str, list[str]] = field(default_factory=dict)
    restored_ids: list[str] = field(default_factory=list)

    @property
    def new(self) -> int:
        """Candidates that were not there before."""
        return self.made - self.same - self.restored

    def count(self, outcome: str, generator: str, reason: str | None, task_id: str) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)
        if reason:
            key = f"{generator}: {reason}"
            self.reasons[key] = self.reasons.get(key, 0) + 1
            tasks = self.reason_tasks.setdefault(key, [])
            if task_id not in tasks:
                bisect.insort(tasks, task_id, key=by_number)


@dataclass
class GeneratorProgress:
    """One generator's progress, of the consumer's thread: ``done`` of ``total`` recipes of its work are settled."""

    counts: GeneratorCounts = field(default_factory=GeneratorCounts)
    total: int = 0
    done: int = 0
    _open: dict[Hashable, int] = field(default_factory=dict)  # recipes by piece of work
    _since: float = field(default_factory=time.monotonic)

    def begin(self, work: Hashable, n: int) -> None:
        self.total += n
        self._open[work] = self._open.get(work, 0) + n

    def step(self, work: Hashable) -> None:
        """One recipe of a piece of work is settled."""
        if self._open.get(work, 0) > 0:
            self._open[work] -= 1
            self.done += 1

    def end(self, work: Hashable) -> None:
        """What a piece of work had fewer than was expected counts as done."""
        self.done += self._open.pop(work, 0)

    def outcome(self, outcome: str, cost: float = 0.0) -> None:
        setattr(self.counts, outcome, getattr(self.counts, outcome) + 1)
        self.counts.pay(cost)
        self.counts.seconds = round(time.monotonic() - self._since, 3)

    def line(self, running: int) -> str:
        """ "3 running, 2 failed, 1.20 CNY"; how many a second, and the time left, a progress bar tells."""
        counts = self.counts
        parts = [f"{running} running"] if running else []
        parts += [f"{counts.failed + counts.missing} failed"] if counts.failed + counts.missing else []
        parts += [f"{counts.declined} declined"] if counts.declined else []
        parts += [f"{counts.cost:.2f} {counts.currency}".rstrip()] if counts.cost is not None else []
        return ", ".join(parts)
