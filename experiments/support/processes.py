"""The same work on many units, in one process or several; what comes out does not depend on how many."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from tqdm import tqdm

Unit = TypeVar("Unit")
Result = TypeVar("Result")


def in_processes(work: Callable[[Unit], Result], units: Sequence[Unit], jobs: int) -> Iterator[Result]:
    """``work`` of every unit, in the order of ``units``, with a bar on standard error where that is a terminal.

    Args:
        work: picklable; it travels to each process once.
        units: small and picklable.
        jobs: processes, at least 1. Each has one thread: more would fight over the cores, and could sum differently.
    """
    results = _results(work, units, jobs)
    yield from tqdm(results, total=len(units), desc="contests", unit="contest", disable=None)


def _results(work: Callable[[Unit], Result], units: Sequence[Unit], jobs: int) -> Iterator[Result]:
    if min(jobs, len(units)) <= 1:
        with threadpool_limits(1):
            for unit in units:
                yield work(unit)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads of BLAS half
    with context.Pool(min(jobs, len(units)), _start, (work,)) as pool:
        yield from pool.imap(_do, units)


_work: Callable[[Any], Any] | None = None


def _start(work: Callable[[Any], Any]) -> None:
    global _work
    _work = work
    threadpool_limits(1)


def _do(unit: Any) -> Any:
    assert _work is not None
    return _work(unit)
