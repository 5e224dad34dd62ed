"""Two machines on one PostgreSQL: what a dead one had handed in at a service, the other collects and never hands in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from selector import Campaign
from selector.store import schema
from tests.servers.dashscope_server import Behaviour, DashScopeServer

Files = Callable[[Sequence[str]], tuple[Path, Path]]
KEY, ENV = "sk-taken-5d0c7e1fa4", "BESTSHOT_TAKEN_KEY"
TASKS, EACH, AT_ONCE = 8, 2, 3
# A process that takes itself for one of another machine, and waits less than a minute for a heart that has stopped.
VERB = """
import sys
from selector.store import leases
leases.this_machine = lambda: sys.argv[1]
leases.LEASE_SECONDS, leases._MARGIN_SECONDS, leases.BEAT_SECONDS = 4.0, 1.0, 0.2
from selector.cli.main import main
main(sys.argv[2:])
"""


def start(machine: str, folder: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", VERB, machine, "generate", "-C", str(folder), "--json"]
    environment = {**os.environ, ENV: KEY, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    out, err = process.communicate(timeout=60)
    assert process.returncode in (0, 1), err
    return process.returncode, json.loads(out)


def test_jobs_of_a_dead_machine_are_collected_and_never_handed_in_twice(tmp_path: Path, postgresql_url: str) -> None:
    table, images = tmp_path / "task.csv", tmp_path / "imgs"
    images.mkdir()
    rows = [f"{i},t2i,a cat and {i} more,," for i in range(TASKS)]
    table.write_text("\n".join(["index,task_type,prompt,ori_image,target_image", *rows]) + "\n", encoding="utf-8")
    with DashScopeServer(Behaviour(key=KEY, job_seconds=0.5, picture_px=64)) as service:
        account = {"base_url": service.url, "key_env": ENV, "running": AT_ONCE, "submits_per_second": 0}
        config: dict[str, Any] = {
            "store": {"url": postgresql_url},
            "generate": {"t2i": {"first": EACH}},
            "generators": {"first": {"kind": "dashscope", "service": "first", "size": "512*512"}},
            "services": {"first": account},
        }
        folders = [tmp_path / name for name in ("one", "two")]
        for folder in folders:
            Campaign.init(folder, table, images, **config).close()
        first = start("machine one", folders[0])
        wait_until(lambda: len(service.state.listing()) > AT_ONCE)  # some are answered, others on their way
        first.send_signal(signal.SIGKILL)
        first.communicate()
        with Campaign(folders[1]) as other, other._ws.db.read() as connection:
            stored = set(connection.execute(select(schema.job.c.ticket)).scalars())
            assert set(connection.execute(select(schema.lease.c.machine)).scalars()) == {"machine one"}
        unanswered = sum(job["n"] for job in service.state.listing() if job["id"] not in stored)

        deadline = time.monotonic() + 60
        while (done := ended(start("machine two", folders[1])))[0] and time.monotonic() < deadline:
            assert "process" in str(done[1]), "nothing is left to others but what a heart may still beat for"
        handed_in = sum(job["n"] for job in service.state.listing())
    with Campaign(folders[1]) as other, other._ws.db.read() as connection:
        tickets = connection.execute(select(schema.job.c.ticket)).scalars().all()
        made = connection.execute(select(schema.candidate.c.id)).all()
    assert done[0] == 0, done[1]
    assert len(made) == TASKS * EACH and len(set(tickets)) == len(tickets)
    assert TASKS * EACH <= handed_in <= TASKS * EACH + unanswered


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
