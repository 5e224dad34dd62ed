"""Rates, common pauses and budgets over several threads."""

from __future__ import annotations

import threading
import time
from random import Random

import pytest

from selector.llm.endpoint import Budget, OutOfMoney, Price, Usage
from selector.net.pace import LONGEST_BACKOFF_SECONDS, Interrupted, Pace


def pace(per_minute: float = 0, backoff_seconds: float = 1.0) -> tuple[Pace, threading.Event]:
    stop = threading.Event()
    return Pace(per_minute, backoff_seconds, Random(0), stop), stop


def test_a_rate_is_kept_over_threads() -> None:
    shared, _ = pace(per_minute=60 * 50)  # one every 20 ms
    moments: list[float] = []

    def work() -> None:
        for _ in range(5):
            shared.wait_for_turn()
            moments.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moments.sort()
    assert moments[-1] - moments[0] >= 19 * 0.020 - 0.005
    assert len(moments) == 20


def test_a_pause_holds_back_every_worker() -> None:
    shared, _ = pace()
    shared.pause(0.2)
    started = time.monotonic()
    went: list[float] = []
    threads = [
        threading.Thread(target=lambda: (shared.wait_for_turn(), went.append(time.monotonic()))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(went) - started >= 0.195
    assert max(went) - started < 1.0


def test_backoff_doubles_with_jitter_up_to_a_bound() -> None:
    shared, _ = pace(backoff_seconds=2.0)
    waits = [shared.backoff(n) for n in range(1, 12)]
    for n, wait in enumerate(waits[:4]):
        assert 2.0 * 2**n / 2 <= wait <= 2.0 * 2**n
    assert max(waits) <= LONGEST_BACKOFF_SECONDS
    again, _ = pace(backoff_seconds=2.0)
    assert [again.backoff(n) for n in range(1, 12)] == waits, "the jitter follows from the seed"


def test_waiting_ends_when_the_run_does() -> None:
    shared, stop = pace()
    shared.pause(60)
    threading.Timer(0.05, stop.set).start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        shared.wait_for_turn()
    assert time.monotonic() - started < 5


def test_cost_is_known_only_where_price_and_usage_are() -> None:
    assert Price(2.0, 8.0).of(Usage(1_000_000, 500_000)) == 6.0
    assert Price(2.0, None).of(Usage(1, 1)) is None
    assert Price(2.0, 8.0).of(Usage(1, None)) is None
    assert Price(0.0, 0.0).of(Usage(1, 1)) == 0.0


def test_a_budget_is_never_passed_by_calls_of_one_price() -> None:
    purse = Budget(1.0, threading.Event())
    lock = threading.Lock()
    most = [0]
    running = [0]

    def work() -> None:
        while True:
            try:
                held = purse.reserve("sc")
            except OutOfMoney:
                return
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(0.002)
            with lock:
                running[0] -= 1
            purse.settle("sc", held, 0.03)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert purse.spent == pytest.approx(33 * 0.03), "stops before the limit, and not a call earlier"
    assert most[0] > 1, "calls run side by side once a cost is known"


def test_the_first_call_goes_alone() -> None:
    purse = Budget(1.0, threading.Event())
    held = purse.reserve("sc")
    second: list[float] = []
    thread = threading.Thread(target=lambda: second.append(purse.reserve("pq")))
    thread.start()
    thread.join(0.15)
    assert thread.is_alive() and not second
    purse.settle("sc", held, 0.25)
    thread.join(2)
    assert second == [0.25], "an unknown kind is expected to cost the most that any did"


def test_no_limit_reserves_nothing() -> None:
    purse = Budget(None, threading.Event())
    for _ in range(3):
        assert purse.reserve("sc") == 0.0
    purse.settle("sc", 0.0, 5.0)
    assert purse.spent == 5.0


@pytest.mark.parametrize("limit", [None, 0.0, 5.0])
def test_the_end_of_a_run_is_no_matter_of_money(limit: float | None) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        Budget(limit, stop).reserve("sc")


def test_a_budget_that_is_used_up_before_allows_no_call() -> None:
    with pytest.raises(OutOfMoney):
        Budget(0.0, threading.Event()).reserve("sc")
