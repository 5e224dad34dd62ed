"""The figures that ``experiments.cluster`` holds to bars, and the machines that it plays; its parts take minutes."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments import cluster
from experiments.support import cluster_faults
from experiments.support.cluster_counts import unanswered
from experiments.support.cluster_faults import Faults, Outcome, _cells, _compare, _is_last
from experiments.support.cluster_flat import ratios
from experiments.support.cluster_machines import Memory, end, has_elsewhere, kill, memory_of, verb
from selector.store._object_store import ObjectStore
from selector.store.score_files import ScoreFiles, score_table
from tests.servers.s3_server import S3Server

NONE: dict[str, Any] = {"kills": 3, "lost": 0, "duplicated": 0, "paid_beyond_needed": 0, "unanswered": 2}


def test_a_part_that_was_not_measured_misses_no_bar() -> None:
    results = cluster.summary({"folders": {**NONE, "takeover_s": 75.0}})
    assert (results["kills"], results["unanswered"], results["ray_over_local"]) == (3, 2, None)
    assert cluster.misses(results) == []


def test_what_misses_its_bar_is_named() -> None:
    faults = {**NONE, "lost": 1, "other_picks": 2, "wrong": 0}
    memory = {"driver": 1.05, "workers": 1.0, "store": 1.12, "total": 1.11}
    parts = {"faults": faults, "overhead": {"ray_over_local": 0.89}, "flat": {"memory_ratios": memory}}
    parts["folders"] = {**NONE, "takeover_s": 75.1}
    missed = ["lost", "other_picks", "ray_over_local", "takeover_s", "memory_ratio_100k_over_10k", "memory_ratio_store"]
    assert cluster.misses(cluster.summary(parts)) == missed


@pytest.mark.parametrize("sizes", [(10, 100), (100, 10)])
def test_memory_of_more_candidates_is_over_that_of_fewer(sizes: tuple[int, int]) -> None:
    held = {10: Memory(100, 100, 50, 0), 100: Memory(150, 90, 50, 2)}
    found = ratios({n: held[n] for n in sizes})
    assert found == {"driver": 1.5, "workers": 0.9, "store": 2.0, "total": 242 / 200}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A campaign of two rows, two images, and four that are paid."""
    for name, value in {"ROWS": 2, "IMAGES": 2, "PAID": 4}.items():
        monkeypatch.setattr(cluster_faults, name, {"score": value})


def _held(rows: str, values: Mapping[str, int], pick: str, images: int = 2, paid: int = 4, unanswered: int = 0) -> Any:
    found: Any = Outcome(Counter(rows), values, {"7": pick}, images, paid, unanswered)  # type: ignore[arg-type]
    return found


@pytest.mark.usefixtures("small")
def test_every_kind_of_difference_from_a_quiet_run_is_counted() -> None:
    quiet = _held("ab", {"a": 1, "b": 2}, "x")
    found = Faults()
    _compare(found, "0", "score", quiet, _held("aac", {"a": 9, "c": 3}, "y", images=1, paid=7, unanswered=1))
    assert (found.lost, found.duplicated, found.wrong) == (2, 2, 1)
    assert (found.other_picks, found.paid_beyond_needed, found.unanswered) == (1, 2, 1)
    _compare(clean := Faults(), "1", "score", quiet, quiet)
    assert clean == Faults()


@pytest.mark.usefixtures("small")
def test_a_quiet_run_is_held_to_what_the_campaign_asks_for() -> None:
    quiet = _held("a", {"a": 1}, "x", images=0, paid=5)
    _compare(found := Faults(), "0", "score", quiet, quiet)
    assert (found.lost, found.paid_beyond_needed) == (3, 1)


def test_kills_that_met_nothing_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    met = [False, True, False, False, True]

    class Trial:
        work_seconds = 1.0

        def __init__(self, *_: object, columns: bool) -> None:
            pass

        def run(self, hit: Any) -> Outcome:
            if hit is not None:
                hit.met = met.pop(0)
            return _held("ab", {"a": 1, "b": 2}, "x")  # type: ignore[no-any-return]

    for name, value in {"ROWS": 2, "IMAGES": 2, "PAID": 4}.items():
        monkeypatch.setattr(cluster_faults, name, dict.fromkeys(cluster_faults.VERBS, value))
    monkeypatch.setattr(cluster_faults, "_Trial", Trial)
    monkeypatch.setattr(cluster_faults, "_place", lambda: nullcontext(SimpleNamespace()))
    found = cluster_faults.measure_faults(2, 0, victims=["worker"])
    assert (found["kills"], found["trials"], found["lost"]) == (2, 5, 0)
    assert found["by_kind"] == {"score worker": 1, "generate worker": 1}
    met[:] = [False] * cluster_faults.MOST_DRAWS
    with pytest.raises(RuntimeError, match="came after score was done"):
        cluster_faults.measure_faults(1, 0, victims=["worker"])


def test_a_run_that_lost_a_worker_gets_no_second_one() -> None:
    assert all(_is_last(victim, status, 0) for victim in (None, "worker", "node") for status in (0, 1))
    assert not any(_is_last(victim, 0, 0) or _is_last(victim, 1, 1) for victim in ("driver", "database", "s3"))
    assert _is_last("driver", 0, 1)


def test_only_jobs_in_flight_at_the_kill_are_forgiven() -> None:
    jobs = [{"id": str(i), "n": 2, "told": told} for i, told in enumerate([90.0, 99.5, 99.6, 0.0, 101.0])]
    assert unanswered(jobs, ["1"], killed_at=100.0, in_flight=8) == 6
    assert unanswered(jobs, ["1"], killed_at=100.0, in_flight=2) == 4


def test_images_are_judged_by_what_the_server_has(
    s3: S3Server, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_faults, "BUCKET", s3_bucket)
    trial = cluster_faults._Trial(SimpleNamespace(s3=s3), "score", "one", columns=False)  # type: ignore[arg-type]
    stored = ObjectStore(f"s3://{s3_bucket}/score-one")
    whole, other, absent = (hashlib.sha256(data).hexdigest() for data in (b"whole", b"other", b"absent"))
    for image in (whole, other):
        stored.write(f"{image[:2]}/{image}.jpg", b"whole")
    assert [trial._is_whole(image) for image in (whole, other, absent)] == [True, False, False]


def test_a_file_by_column_is_read_as_rows(tmp_path: Path) -> None:
    table = score_table(["1", "1"], ["a", "b"], "v", {"x": ([0.5, math.nan], [None, "dark"])})
    path, _ = ScoreFiles(tmp_path).write("sharp", "v", table)
    rows = [("1", "a", "sharp", "v", "x", 0.5, None), ("1", "b", "sharp", "v", "x", None, "dark")]
    assert _cells("sharp", (tmp_path / path).read_bytes()) == rows


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
