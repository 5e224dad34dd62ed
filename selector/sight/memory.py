"""A small memory for results that several scorers need of the same pictures: bounded, thread-safe, keyed by id.

``functools.lru_cache`` on ``Picture`` arguments would keep the decoded pixels of every key alive; here keys are ids
(strings), and the bound is a cost, such as bytes, so that one 50 MP picture weighs what it weighs.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class RecentResults(Generic[Value]):
    """Remembers the most recently used results, as many as ``limit`` allows; the latest one always fits.

    Args:
        limit: largest sum of costs that is kept.
        cost: cost of one result in the unit of ``limit``; by default each counts 1.
    """

    def __init__(self, limit: int, cost: Callable[[Value], int] = lambda _: 1) -> None:
        self._limit = limit
        self._cost = cost
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The result of ``key``, made now if it is not here. Two threads may make it twice; both get an equal one."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        value = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = value
                self._total += self._cost(value)
            while self._total > self._limit and len(self._kept) > 1:
                self._total -= self._cost(self._kept.popitem(last=False)[1])
        return value

    def __len__(self) -> int:
        return len(self._kept)
