"""The figures that ``experiments.cluster`` holds to bars, and the machines that it plays; its parts take minutes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from experiments import cluster
from experiments.support.cluster_faults import Faults, Outcome, _compare
from experiments.support.cluster_machines import end, has_elsewhere, kill, memory_of, verb

NONE: dict[str, Any] = {"kills": 3, "lost": 0, "duplicated": 0, "paid_beyond_needed": 0, "unanswered": 2}


def test_a_part_that_was_not_measured_misses_no_bar() -> None:
    results = cluster.summary({"folders": {**NONE, "takeover_s": 61.0}})
    assert (results["kills"], results["unanswered"], results["ray_over_local"]) == (3, 2, None)
    assert cluster.misses(results) == []


def test_what_misses_its_bar_is_named() -> None:
    faults = {**NONE, "lost": 1, "other_picks": 2, "wrong": 0}
    parts = {"faults": faults, "overhead": {"ray_over_local": 0.89}, "flat": {"memory_ratio": 1.11}}
    missed = cluster.misses(cluster.summary(parts))
    assert missed == ["lost", "other_picks", "ray_over_local", "memory_ratio_100k_over_10k"]


def test_every_kind_of_difference_from_a_quiet_run_is_counted() -> None:
    quiet = Outcome(Counter(["a", "b"]), {"a": 1, "b": 2}, {"7": "x"}, 1.0, paid=4)  # type: ignore[arg-type,dict-item]
    hit = Outcome(Counter(["a", "a", "c"]), {"a": 9, "c": 3}, {"7": "y"}, 1.0, 7, 1)  # type: ignore[arg-type,dict-item]
    found = Faults()
    _compare(found, "0", quiet, hit)
    assert (found.lost, found.duplicated, found.wrong) == (1, 2, 1)
    assert (found.other_picks, found.paid_beyond_needed, found.unanswered) == (1, 2, 1)
    _compare(clean := Faults(), "1", quiet, quiet)
    assert clean == Faults()


def test_memory_is_that_of_a_program_and_all_below_it() -> None:
    code = "import subprocess, sys; b = bytearray(50 << 20); subprocess.run([sys.executable, '-c', sys.argv[1]])"
    child = "import time; b = bytearray(50 << 20); print('there', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, child], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        held = memory_of(process.pid)
        os.killpg(process.pid, 9)
    assert held.driver > 50
    assert held.ray > 50
    assert held.workers == held.store == 0


@pytest.mark.skipif(not has_elsewhere(), reason="no process namespaces of one's own on this machine")
def test_a_killed_program_leaves_its_machine_on(tmp_path: Path) -> None:
    with (tmp_path / "said").open("w") as said:
        started = verb(tmp_path, ["generate"], said, elsewhere=True)
        try:
            while not kill(started):
                time.sleep(0.01)
            time.sleep(0.3)
            assert started.poll() is None
        finally:
            end(started)
