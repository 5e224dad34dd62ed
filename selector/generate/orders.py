"""What is to be made, task by task, and where it goes when a generator refuses or fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from selector.config import Step
from selector.domain import Generator, InputError, RemoteGenerator, Task

_WITHOUT_INPUTS = ("blank", "folder")


@dataclass(frozen=True)
class Order:
    """One generator's part in the plan of one task; ``name`` is what the configuration calls it.

    ``expected``: how many recipes it has where that is known before, so that progress counts what there is.
    """

    task: Task
    step: Step
    generator: Generator
    build: str
    expected: int | None = None

    @property
    def name(self) -> str:
        return self.step.generator

    @property
    def needs_inputs(self) -> bool:
        """Whether the task's input pictures must be there: finished files and the grey picture come without."""
        return self.generator.name not in _WITHOUT_INPUTS


@dataclass(frozen=True)
class WorkItem:
    """Work for one thread: an order's recipes from ``first`` to before ``n``; those that are settled are skipped."""

    order: Order
    n: int
    place: int = 0  # of the order in its task's chain
    first: int = 0  # those before it were the work of an earlier item of this run

    @property
    def count(self) -> int:
        return self.n - self.first

    @property
    def expected(self) -> int:
        """How many recipes to count on: of an import, as many as there are files."""
        return self.count if self.order.expected is None else min(self.count, self.order.expected)


@dataclass(frozen=True)
class FinishItem:
    """Work for one thread: the finishes of what an order's recipes have made."""

    order: Order


@dataclass
class Chain:
    """The orders of one task. What one could not make is asked of the next, on top of that one's own number.

    A task that a generator cannot do ("retouch adds no dogs") goes to the first reserve after it alone: generators with
    a number of their own have that number for such tasks too. ``falls``: False where each order stands for itself.
    """

    orders: Sequence[Order]
    falls: bool = True
    _targets: list[int] = field(default_factory=list)
    _begun: list[int] = field(default_factory=list)  # recipes that items were made of
    _busy: set[int] = field(default_factory=set)

    def start(self) -> list[WorkItem]:
        """The work that need not wait for other."""
        self._targets = [order.step.n for order in self.orders]
        self._begun = [0] * len(self.orders)
        return [self._begin(place) for place, n in enumerate(self._targets) if n]

    def done(self, item: WorkItem, refused: int, unable: int = 0) -> list[WorkItem]:
        """The work that follows when a piece of it has ended.

        Args:
            item: it.
            refused: of its recipes were refused or failed.
            unable: recipes of its own number that there are not, because its generator cannot do the task.
        """
        self._busy.discard(item.place)
        found = [self._begin(item.place)] if self._targets[item.place] > item.n else []
        if not self.falls:
            return found
        after = range(item.place + 1, len(self.orders))
        reserve = next((place for place in after if self.orders[place].step.reserve), None)
        for place, more in ((after.start, refused), (reserve, unable)):
            if more and place is not None and place in after:
                self._targets[place] += more
                if place not in self._busy:
                    found.append(self._begin(place))
        return found

    def _begin(self, place: int) -> WorkItem:
        self._busy.add(place)
        item = WorkItem(self.orders[place], self._targets[place], place, self._begun[place])
        self._begun[place] = item.n
        return item


def check_budgets(orders: Sequence[Order]) -> None:
    """Raise ``InputError`` where a budget is set and no price is known: it could not be kept."""
    for order in orders:
        generator = order.generator
        if isinstance(generator, RemoteGenerator) and generator.price is None and generator.account.service.budget:
            raise InputError(
                f"service {generator.account.service.name} has a budget, and no price is known for '{order.name}': "
                "set `prices` beside it, or leave the budget out"
            )
