"""Counts of a run by generator, and a line of them for whoever watches."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass
class Tally:
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
class Watch:
    """One generator's progress, of the consumer's thread: ``done`` of ``total`` recipes of its units are settled."""

    tally: Tally = field(default_factory=Tally)
    total: int = 0
    done: int = 0
    _of_unit: dict[Hashable, int] = field(default_factory=dict)  # recipes that are open yet
    _since: float = field(default_factory=time.monotonic)

    def begin(self, unit: Hashable, n: int) -> None:
        self.total += n
        self._of_unit[unit] = self._of_unit.get(unit, 0) + n

    def step(self, unit: Hashable) -> None:
        """One recipe of a unit is settled."""
        if self._of_unit.get(unit, 0) > 0:
            self._of_unit[unit] -= 1
            self.done += 1

    def end(self, unit: Hashable) -> None:
        """What a unit had fewer than was expected counts as done."""
        self.done += self._of_unit.pop(unit, 0)

    def outcome(self, outcome: str, cost: float = 0.0) -> None:
        setattr(self.tally, outcome, getattr(self.tally, outcome) + 1)
        self.tally.pay(cost)
        self.tally.seconds = round(time.monotonic() - self._since, 3)

    def line(self, running: int) -> str:
        """ "3 running, 2 failed, 1.20 CNY"; how many a second, and the time left, a progress bar tells."""
        tally = self.tally
        parts = [f"{running} running"] if running else []
        parts += [f"{tally.failed + tally.missing} failed"] if tally.failed + tally.missing else []
        parts += [f"{tally.declined} declined"] if tally.declined else []
        parts += [f"{tally.cost:.2f} {tally.currency}".rstrip()] if tally.cost is not None else []
        return ", ".join(parts)
