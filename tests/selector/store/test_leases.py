"""What one process holds at a time, whatever folder it works from; a dead holder's lease ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from selector.domain import BestshotError
from selector.store import Database, leases, schema
from selector.store.leases import LEASE_SECONDS, LeaseLost, holding

Place = Path | str
HOLD = """
import sys, threading, time
from pathlib import Path
from selector.store import Database
from selector.store.leases import holding
place = sys.argv[1] if "://" in sys.argv[1] else Path(sys.argv[1])
with holding(Database(place), ["a"], "now", threading.Event()) as busy:
    print("busy" if busy else "held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(store_place: Place) -> Place:
    Database(store_place, create=True).close()
    return store_place


@pytest.fixture
def other(path: Place) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease a."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def busy(path: Place, *names: str) -> dict[str, int]:
    with holding(Database(path), names, "now", threading.Event()) as found:
        return {name: holder.pid for name, holder in found.items()}


def pretend(path: Place, **values: object) -> None:
    """Change the row of the lease a."""
    with Database(path).write() as connection:
        connection.execute(update(schema.lease).where(schema.lease.c.name == "a").values(**values))


def test_the_other_is_named_and_what_is_free_is_taken(path: Place, other: subprocess.Popen[str]) -> None:
    with holding(Database(path), ["a", "b"], "now", threading.Event()) as found:
        assert set(found) == {"a"}
        assert f"process {other.pid} on " in str(found["a"])
        assert busy(path, "b")


def test_a_killed_holder_holds_nothing(path: Place, other: subprocess.Popen[str]) -> None:
    assert busy(path, "a") == {"a": other.pid}
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert busy(path, "a") == {}


def test_a_process_of_another_machine_is_dead_when_its_heart_has_stopped(
    path: Place, other: subprocess.Popen[str]
) -> None:
    other.send_signal(signal.SIGSTOP)
    pretend(path, machine="elsewhere", beat=time.time() - LEASE_SECONDS + 20)
    assert busy(path, "a")
    pretend(path, beat=time.time() - LEASE_SECONDS - 1)
    assert busy(path, "a") == {}
    pretend(path, beat=time.time() + LEASE_SECONDS + 1)  # a clock that was set back
    assert busy(path, "a") == {}
    other.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("step_seconds", [-LEASE_SECONDS - 1, LEASE_SECONDS + 1])
def test_a_step_of_the_clock_ends_no_living_process(
    path: Place, other: subprocess.Popen[str], step_seconds: float
) -> None:
    pretend(path, beat=time.time() + step_seconds)
    assert busy(path, "a") == {"a": other.pid}


def test_a_process_number_that_was_given_anew_holds_nothing(path: Place, other: subprocess.Popen[str]) -> None:
    pretend(path, began="17")
    assert busy(path, "a") == {}
    assert other.poll() is None


def test_it_is_given_back_also_when_the_block_raises(path: Place) -> None:
    with pytest.raises(KeyError), holding(Database(path), ["a"], "now", threading.Event()):
        raise KeyError
    with Database(path).read() as connection:
        assert connection.execute(select(schema.lease)).all() == []


def test_a_heart_beats_for_as_long_as_the_block_runs(path: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.02)
    with holding(Database(path), ["a"], "now", threading.Event()):
        pretend(path, beat=0.0)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with Database(path).read() as connection:
                if connection.execute(select(schema.lease.c.beat)).scalar_one() > 0:
                    return
    pytest.fail("no beat came")


def test_who_was_taken_over_is_stopped_and_told(path: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.02)
    stop = threading.Event()
    with (
        pytest.raises(LeaseLost, match="another process may have taken over"),
        holding(Database(path), ["a"], "now", stop),
    ):
        pretend(path, token="another's")
        assert stop.wait(20)
    with Database(path).read() as connection:
        assert connection.execute(select(schema.lease.c.token)).scalar_one() == "another's", "it is not ours to give"


@pytest.mark.parametrize("hangs", [True, False])
def test_who_cannot_reach_the_store_stops_before_another_may_take_over(
    path: Place, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(leases, "LEASE_SECONDS", leases._MARGIN_SECONDS + 0.1)
    db, stop, go_on = Database(path), threading.Event(), threading.Event()

    def gone() -> None:
        go_on.wait(20 if hangs else 0)
        raise BestshotError("the server has gone away")

    with pytest.raises(LeaseLost), holding(db, ["a"], "now", stop), monkeypatch.context() as patch:
        patch.setattr(db, "write", gone)
        assert stop.wait(10)
        go_on.set()


def test_of_many_that_ask_at_once_one_gets_it(path: Place) -> None:
    got: list[bool] = []
    ready = threading.Barrier(8)

    def ask() -> None:
        db = Database(path)
        ready.wait()
        with holding(db, ["a"], "now", threading.Event()) as found:
            got.append(not found)
            ready.wait()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]
