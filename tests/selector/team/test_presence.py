"""`status` names who is at work; it excludes nobody, and the dead are forgotten."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import pytest
from conftest import Run, ToyScorer
from sqlalchemy import select, update

from selector import Campaign
from selector.domain.decisions import person
from selector.store import Database, leases, schema
from selector.store.leases import holding
from selector.store.presence import at_work, present

CHILD = """
import sys, time
from pathlib import Path
from selector.store import Database
from selector.store.presence import at_work, present
db = Database(Path(sys.argv[1]))
with present(db, "score", "2025-07-01T12:00:00+00:00"):
    while not at_work(db):
        time.sleep(0.01)
    print("there", flush=True)
    sys.stdin.read()
"""


def seen(db: Database, count: int) -> list[str]:
    """Who is at work, once there are so many."""
    for _ in range(500):
        found = at_work(db)
        if len(found) == count:
            break
        time.sleep(0.01)
    return [one.what for one in found]


def test_status_names_a_run_with_what_it_is_alone_at(
    campaign: Campaign, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign.generate()
    told = {}
    real = ToyScorer.score
    first = threading.Lock()  # of the threads that score

    def looking(self: ToyScorer, items):  # type: ignore[no-untyped-def]
        if first.acquire(blocking=False):
            assert seen(campaign._ws.db, 1) == ["score"]
            told["json"] = json.loads(run("status", "-C", campaign.folder, "--json")[1])["at_work"]
            told["text"] = run("status", "-C", campaign.folder)[1]
        return real(self, items)

    monkeypatch.setattr(ToyScorer, "score", looking)
    campaign.score()
    (one,) = told["json"]
    assert (one["what"], one["by"]) == ("score", person())
    assert one["alive"]
    assert f"process {one['pid']}" in told["text"]
    assert at_work(campaign._ws.db) == ()


def test_leases_belong_to_their_process(campaign: Campaign) -> None:
    db = campaign._ws.db
    with holding(db, ["account at X"], "2025", threading.Event()):
        (one,) = at_work(db)
        assert (one.what, one.alone_at) == ("", ("account at X",))
        with present(db, "generate", "2025"):
            assert seen(db, 1)
            for _ in range(500):
                if [one.what for one in at_work(db)] == ["generate"]:
                    break
                time.sleep(0.01)
            (one,) = at_work(db)
            assert (one.what, one.alone_at) == ("generate", ("account at X",))


def test_the_dead_are_named_as_such_and_forgotten(campaign: Campaign) -> None:
    db = campaign._ws.db
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(campaign.folder / "campaign.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "there\n"
    (one,) = at_work(db)
    assert one.alive
    child.kill()
    child.communicate()
    (one,) = at_work(db)
    assert not one.alive
    with present(db, "score", "2025"):
        for _ in range(500):
            if at_work(db)[0].alive:
                break
            time.sleep(0.01)
        (one,) = at_work(db)
        assert one.alive
    assert at_work(db) == ()


def test_of_another_machine_silence_tells(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    db = campaign._ws.db
    monkeypatch.setattr(leases, "BEAT_SECONDS", 60.0)
    with present(db, "score", "2025"):
        assert seen(db, 1) == ["score"]
        for silent, alive, count in ((10.0, True, 1), (100.0, False, 1), (5000.0, False, 0)):
            with db.write() as connection:
                beat = connection.execute(select(schema.lease.c.beat)).scalar_one()
                values = {"machine": "elsewhere", "beat": time.time() - silent}
                connection.execute(update(schema.lease).values(**values))
            found = at_work(db)
            assert [one.alive for one in found] == [alive] * count
            assert beat


def test_a_store_that_takes_nothing_stops_no_work(campaign: Campaign) -> None:
    from sqlalchemy import text

    db = campaign._ws.db
    with db.write() as connection:
        connection.execute(text("DROP TABLE lease"))
    with present(db, "score", "2025"):
        pass
