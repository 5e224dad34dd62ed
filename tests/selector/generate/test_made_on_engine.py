"""Local generators as warm workers of Ray: the same candidates, and what dies costs itself alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import engine_toys
import pytest
from toy_services import Files, attempts

from selector import Campaign
from selector.demo import DemoContest
from selector.domain import OutOfResources
from selector.generate import _local, generating

MakeHere = Callable[..., Campaign]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def make(
    ray_cluster: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, contest_files: Files, log: Path
) -> MakeHere:
    """``make(generator, n, tasks, engine, folder, store, then, **settings)``: a campaign that asks this, then that."""
    engine_toys.install(monkeypatch, tmp_path)

    def make(
        generator: str,
        n: int,
        tasks: int = 2,
        engine: dict[str, Any] | None = None,
        folder: str = "campaign",
        store: str = "",
        then: str = "",
        **settings: Any,
    ) -> Campaign:
        table, images = contest_files([f"task {i}" for i in range(tasks)])
        return Campaign.init(
            tmp_path / folder,
            table,
            images,
            generate={"tie": {name: n for name in (generator, then) if name}},
            generators={name: {"log_path": str(log), **settings} for name in (generator, then) if name},
            engine={"name": "ray", "address": ray_cluster.address, **(engine or {})},
            store={"url": store},
            workers=2,
        )

    return make


def made(campaign: Campaign) -> Counter[tuple[str, int]]:
    """(task, number) of the attempts that have made an image, which is there."""
    found = [a for a in attempts(campaign) if a.outcome == "made"]
    for one in found:
        assert campaign._ws.images.picture(str(one.candidate_id)).size == (96, 80)
    return Counter((a.task_id, a.recipe.params["number"]) for a in found)


def all_of(tasks: int, n: int) -> Counter[tuple[str, int]]:
    return Counter((str(3 + 7 * task), number) for task in range(tasks) for number in range(n))


def test_both_engines_make_the_same_candidates(
    ray_cluster: Any, demo_contest: DemoContest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("diffusers")
    from tiny_pipelines import tiny_sd

    model = tiny_sd(tmp_path_factory.mktemp("models") / "sd")
    pipeline = {"kind": "diffusers", "model_path": str(model), "mode": "image", "steps": 2, "batch": 2, "device": "cpu"}
    plan = {"deepfake": {"faceswap": 2}, "vttie": {"textedit": 1}, "tie": {"retouch": 2, "tiny": 3}}
    found = []
    for engine in ({"name": "local"}, {"name": "ray", "address": ray_cluster.address, "workers": 1}):
        campaign = Campaign.init(
            tmp_path / str(engine["name"]),
            demo_contest.table,
            demo_contest.images,
            generate=plan,
            generators={"tiny": pipeline},
            engine=engine,
        )
        few = [next(task.id for task in campaign.tasks if task.type.value == kind) for kind in plan]
        summary = campaign.generate(task_ids=few)
        assert summary.made == 8, summary.reasons
        found.append({(a.task_id, a.generator, a.recipe.key): (a.candidate_id, a.notes) for a in attempts(campaign)})
        told: list[str] = []
        assert campaign.generate(task_ids=few, progress=lambda stage, *_, told=told: told.append(stage)).already == 8
        assert "ray" not in told  # nobody is started for nothing
        campaign.close()
    assert found[0] == found[1]


def test_a_campaign_named_from_another_folder_than_the_workers_has_its_images(
    make: MakeHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make("noting", 1, tasks=1, engine={"workers": 1})
    monkeypatch.chdir(tmp_path)
    assert Campaign(campaign.folder.name).generate().made == 1
    assert made(campaign) == all_of(1, 1)


def test_a_recipe_that_kills_its_workers_fails_alone(make: MakeHere, log: Path) -> None:
    campaign = make("noting_passes", 2, tasks=1, engine={"workers": 1}, deadly=[1])
    summary = campaign.generate()
    assert made(campaign) == all_of(1, 1)
    assert summary.failed == 1
    (reason,) = summary.reasons
    assert "died" in reason
    begun = len(engine_toys.noted(log))
    times = [number for *_, number in engine_toys.noted(log)].count(1)
    assert times == 4, "twice in a pass with the other, twice alone"
    assert campaign.generate().already == 2  # it is not tried again unless a person says so
    assert len(engine_toys.noted(log)) == begun


@pytest.mark.parametrize(("deaths", "failed"), [(2, 0), (3, 1)])
def test_two_deaths_are_no_fault_of_the_recipe_and_three_are(
    make: MakeHere, log: Path, deaths: int, failed: int
) -> None:
    campaign = make("noting", 2, tasks=1, engine={"workers": 1}, deadly=[1], deaths=deaths)
    summary = campaign.generate()
    assert (summary.made, summary.failed) == (2 - failed, failed)
    assert [number for *_, number in engine_toys.noted(log)].count(1) == 3
    ((why, times),) = summary.sent_again.items()
    assert (why.partition(":")[0], times) == ("a worker of Ray died", deaths)
    again = campaign.generate(retry_failed=True)
    assert (again.made, again.already) == (failed, 2 - failed)


def test_the_doctor_tells_of_gpus_that_no_machine_has(make: MakeHere) -> None:
    (told,) = [check for check in make("noting", 1, engine={"gpus": 1}).doctor() if check.subject == "engine"]
    assert not told.ok
    assert told.text.endswith("no machine of the Ray cluster has more than 0: set gpus = 0, or add one that has")


def test_a_run_tells_that_workers_load_models_and_counts_each_batch(
    make: MakeHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generating, "SHOW_SECONDS", 0.0)
    told: list[tuple[str, int, str]] = []
    engine = {"workers": 1, "batch": 2, "max_in_flight": 1}
    campaign = make("noting", 6, tasks=1, engine=engine, then="noting_passes", seconds=0.3)
    campaign.generate(progress=lambda stage, done, _, note="": told.append((stage, done, note)))
    shown = [one for one in told if one[0] == "noting"]
    assert {note for _, done, note in shown if not done} == {"workers load its models"}
    assert {note for _, done, note in shown if done} == {""}
    assert any(0 < done < 6 for _, done, _ in shown)
    second = [one for one in told if one[0] == "noting_passes"]
    assert second[0] == ("noting_passes", 0, "workers load its models")
    assert any(stage == "noting" and done for stage, done, _ in told[: told.index(second[0])]), "no clock runs before"


def test_what_a_dead_worker_was_making_is_made_again_and_stored_once(make: MakeHere, log: Path) -> None:
    campaign, dead = make("noting", 6, engine={"batch": 2}, seconds=0.1), []

    def kill() -> None:
        while len(engine_toys.noted(log)) < 3:
            time.sleep(0.01)
        dead.append(engine_toys.noted(log)[-1][0])
        os.kill(dead[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    summary = campaign.generate()
    thread.join()
    assert (summary.made, made(campaign)) == (12, all_of(2, 6))
    assert len({pid for pid, *_ in engine_toys.noted(log)} - set(dead)) >= 1
    assert max(Counter((task, number) for _, task, number in engine_toys.noted(log)).values()) <= 2


def test_a_driver_that_ends_in_the_middle_repeats_nothing_that_was_stored(make: MakeHere, log: Path) -> None:
    campaign, stored = make("noting", 12, seconds=0.3), set[tuple[str, int]]()
    for by in (signal.SIGKILL, signal.SIGINT):
        begun = len(engine_toys.noted(log))
        ended_by(campaign, by)
        assert not {(task, number) for _, task, number in engine_toys.noted(log)[begun:]} & stored
        stored = set(made(campaign))
        assert 0 < len(stored) < 24
    begun = len(engine_toys.noted(log))
    campaign.generate()
    assert not {(task, number) for _, task, number in engine_toys.noted(log)[begun:]} & stored
    assert made(campaign) == all_of(2, 12)


def ended_by(campaign: Campaign, by: signal.Signals) -> None:
    """A process that generates, until it has stored something new."""
    before = len(made(campaign))
    command = [sys.executable, "-m", "selector.cli", "generate", "-C", str(campaign.folder)]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while len(made(campaign)) == before:
            assert driver.poll() is None, driver.communicate()
            time.sleep(0.02)
        driver.send_signal(by)
        assert driver.wait(20)
    finally:
        with suppress(ProcessLookupError):
            driver.kill()
        driver.communicate()


def test_a_worker_without_memory_ends_the_run_and_is_no_outcome(make: MakeHere) -> None:
    campaign = make("noting", 2, tasks=1, engine={"batch": 2, "workers": 1}, hungry=1)
    with pytest.raises(OutOfResources, match="run the same command again"):
        campaign.generate()
    assert not attempts(campaign)


def test_what_another_process_has_made_meanwhile_is_not_made_again(
    make: MakeHere, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_local, "LOOK_AGAIN_SECONDS", -1.0)
    campaign, honest = make("noting", 4, tasks=1, engine={"name": "local"}), engine_toys.Noting.generate

    def generate(self: Any, inputs: Any, recipe: Any) -> Any:
        monkeypatch.setattr(engine_toys.Noting, "generate", honest)
        Campaign(campaign.folder).generate()
        return honest(self, inputs, recipe)

    monkeypatch.setattr(engine_toys.Noting, "generate", generate)
    summary = campaign.generate()
    assert (summary.made, summary.already, len(engine_toys.noted(log))) == (1, 3, 5)


def test_machines_of_one_store_begin_at_different_tasks(
    make: MakeHere, log: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    orders = []
    for machine in ("one", "two"):
        log.unlink(missing_ok=True)
        with monkeypatch.context() as there:
            there.setattr("platform.node", lambda machine=machine: machine)
            engine, store = {"name": "local"}, f"sqlite:///{tmp_path / 'shared.db'}"
            assert make("noting", 1, 6, engine, machine, store).generate().made == 6
        orders.append([task for _, task, _ in engine_toys.noted(log)])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
