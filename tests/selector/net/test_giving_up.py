"""Ctrl-C while a service works on what is paid: it is waited for, and said; a second one notes it as perhaps paid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile_server import HostileServer

from selector import Campaign

PLACES = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(Path(__file__).parents[2])])
PROGRAM = "import interrupts; interrupts.hear_interrupts(); from selector.cli import program; program()"


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_a_second_ctrl_c_gives_up_what_is_waited_for_and_counts_it_as_perhaps_paid(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    tasks = tmp_path / "task.csv"
    tasks.write_text("index,task_type,prompt,ori_image,target_image\n1,t2i,a cat,,\n", encoding="utf-8")
    folder = tmp_path / "campaign"
    with HostileServer() as server:
        service = {"base_url": server.url("silent"), "key_env": "HOSTILE_TEST_KEY", "budget": 100.0}
        Campaign.init(
            folder,
            tasks,
            tmp_path / "images",
            team="t",
            generate={"t2i": {"g": 1}},
            generators={"g": {"kind": "dashscope", "service": "s", "model": "qwen-image"}},
            services={"s": service},
        ).close()
        started = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "generate"],
            cwd=folder,
            env={**os.environ, "HOSTILE_TEST_KEY": "sk-abcdefghijkl", "no_proxy": "*", "PYTHONPATH": PLACES},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            ends = time.monotonic() + 60.0
            while not server.seen and time.monotonic() < ends:
                time.sleep(0.05)
            time.sleep(0.3)
            started.send_signal(signal.SIGINT)
            assert started.stderr is not None
            told = ""
            while "waiting for 1 answer that may be paid; Ctrl-C again" not in told:
                line = started.stderr.readline()
                assert line, told
                told += line
            assert started.poll() is None
            begun = time.monotonic()
            started.send_signal(signal.SIGINT)
            _, rest = started.communicate(timeout=15)
        finally:
            started.kill()
        assert time.monotonic() - begun < 5.0 and started.returncode == 130
        assert "interrupted; 1 answer was not waited for and counts as perhaps paid, run" in rest, rest
    with Campaign(folder) as campaign:
        assert "0.25" in repr(campaign.status().services)
