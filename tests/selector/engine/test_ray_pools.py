"""Pools of Ray: what cannot work is left out, what dies is replaced, and neither ends a run that can go on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from engine_stages import Absent, Obeying

from selector.config import EngineConfig
from selector.domain import InputError
from selector.engine import Engine, describe_engine, open_engine

Opened = Callable[..., Engine]


@pytest.fixture
def engine(ray_cluster: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Opens an engine at the cluster, with these settings."""
    tests = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (tests.parent, tests))))
    opened: list[Engine] = []

    def open_(**settings: Any) -> Engine:
        opened.append(open_engine(EngineConfig(name="ray", address=ray_cluster.address, **settings)))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def test_workers_that_shall_have_more_gpus_than_any_machine_are_told_of_at_once(
    engine: Opened, ray_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = EngineConfig(name="ray", address=ray_cluster.address, gpus=1, workers=1)
    with pytest.raises(InputError, match=r"gpus = 1, but no machine of the Ray cluster has more than 0: set gpus = 0"):
        describe_engine(asked)
    with pytest.raises(InputError, match=r"gpus = 0.5, but no machine"):
        engine(gpus=0.5).pool(Obeying(tmp_path), 1, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with (
        open_engine(EngineConfig(name="ray", gpus=1, workers=1)) as ours,
        pytest.raises(InputError, match=r"but Ray finds 0 on this machine: set gpus = 0, or \[engine\] address"),
    ):
        ours.pool(Obeying(tmp_path), 1, 1)


def test_a_place_that_cannot_work_is_left_out_and_told(engine: Opened, tmp_path: Path) -> None:
    ours = engine()
    with ours.pool(Obeying(tmp_path, unfit=1), 2, 2) as pool:
        assert pool.workers == 2
        for _ in range(3):
            assert pool.call("where")
        assert pool.call("cores") == 1
    deadline = time.monotonic() + 10
    while not ours.left_out and time.monotonic() < deadline:
        time.sleep(0.05)
    ((place, reason),) = ours.left_out.items()
    assert place.startswith("a worker of Ray at ")
    assert reason == "the weights are not here"


def test_where_no_place_can_work_the_run_ends_with_the_reason(engine: Opened, tmp_path: Path) -> None:
    ours = engine(workers=1)
    with (
        ours.pool(Obeying(tmp_path, unfit=1), 1, 1) as pool,
        pytest.raises(InputError, match="no worker of Ray can work: the weights are not here"),
    ):
        pool.call("where")
    with (
        ours.pool(Absent(tmp_path), 1, 1) as pool,
        pytest.raises(InputError, match=r"can work: ModuleNotFoundError: No module named 'no_such_package'$"),
    ):
        pool.call("where")


def test_a_death_after_long_work_is_no_lack_of_places(engine: Opened, tmp_path: Path) -> None:
    import ray

    with engine(workers=1).pool(Obeying(tmp_path), 1, 1) as pool, ThreadPoolExecutor(1) as threads:
        found = threads.submit(pool.call, f"wait {tmp_path / 'go'}")
        wait_for(lambda: list(tmp_path.glob("at-*")))
        pool._since -= 1000.0  # type: ignore[attr-defined] # as if the batch had taken so long
        ray.kill(pool._workers[0].actor)  # type: ignore[attr-defined]
        (tmp_path / "go").touch()
        assert found.result(60)


def test_a_node_that_dies_is_not_the_fault_of_its_batch_and_a_gpu_is_given_to_one(
    engine: Opened, ray_cluster: Any, tmp_path: Path
) -> None:
    node = ray_cluster.add_node(num_cpus=1, num_gpus=1)
    try:
        ours = engine()
        with ours.pool(Obeying(tmp_path, wants_gpu=True), 8, 8) as pool:
            assert pool.workers == 1
            assert pool.call("where") == (node.node_id, "0")
            assert pool.call("cores") == 3
        with ours.pool(Obeying(tmp_path), 3, 3) as pool, ThreadPoolExecutor(3) as threads:
            found = [threads.submit(pool.call, f"wait {tmp_path / 'go'}", True) for _ in range(3)]
            wait_for(lambda: (tmp_path / f"at-{node.node_id}").exists())
            ray_cluster.remove_node(node, allow_graceful=False)
            node = None
            (tmp_path / "go").touch()
            assert all(one.result(60) for one in found)
    finally:
        if node is not None:
            ray_cluster.remove_node(node)


def wait_for(happens: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
