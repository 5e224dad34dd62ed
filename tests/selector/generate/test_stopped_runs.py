"""Runs that end before their time: a killed process, Ctrl-C, a full disk, a second process."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import ToyGenerator
from sqlalchemy import Connection, select
from toy_services import (
    Make,
    all_is_answered,
    outcomes,
    reopened,
    stored_jobs,
    toy_service,
)

from selector import Campaign
from selector.domain import DISK_FULL, Made, OutOfResources, Recipe, TaskInputs
from selector.domain.interruption import interrupted_at, note_interruption
from selector.generate.verb import Wanted, _orders, alone_at_services
from selector.store import ImageFolder, schema


def killed(campaign: Campaign, at: str) -> None:
    """A process of its own that is gone, without any clean-up, when the service is met at ``at``."""
    campaign._ws.db.close()
    process = os.fork()
    if not process:
        setattr(toy_service(), at, lambda *_: os._exit(9))
        try:
            Campaign(campaign.folder).generate()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9


def second_folder(campaign: Campaign, tmp_path: Path) -> Campaign:
    """Another folder of the same campaign, on the same database."""
    shutil.copytree(campaign.folder, tmp_path / "second", ignore=shutil.ignore_patterns("campaign.db*", "images"))
    toml = tmp_path / "second" / "campaign.toml"
    shared = f'url = "sqlite:///{campaign.folder / "campaign.db"}"'
    toml.write_text(toml.read_text(encoding="utf-8").replace('url = ""', shared), encoding="utf-8")
    return Campaign(tmp_path / "second", campaign._ws.clock)


def interrupt_at(count: int) -> Any:
    """A progress during which Ctrl-C is pressed when ``count`` images are done, and again and again."""

    def progress(stage: str, done: int, total: int, note: str = "") -> None:  # noqa: ARG001
        if done >= count:
            raise KeyboardInterrupt

    return progress


def test_a_process_that_is_killed_before_its_first_question_has_stored_the_job(make: Make) -> None:
    campaign = make({"toy_remote": 3}, generators={"toy_remote": {"per_job": 3}})
    killed(campaign, "on_poll")
    (job,) = stored_jobs(campaign)
    toy_service().trusting = True  # it has outlived the process
    summary = campaign.generate()
    assert (summary.made, toy_service().submits, list(toy_service().jobs)) == (3, [], [job.ticket])
    assert set(stored_jobs(campaign)[0].ends.values()) == {"delivered"}
    assert all_is_answered(campaign)


def test_a_process_that_is_killed_before_its_ticket_came_hands_in_again(make: Make) -> None:
    campaign = make({"toy_remote": 1})
    killed(campaign, "on_accept")
    assert not stored_jobs(campaign)
    toy_service().trusting = True
    assert campaign.generate().made == 1
    assert len(toy_service().submits) == 1


def test_a_process_that_is_killed_while_it_downloads_collects_again(make: Make) -> None:
    campaign = make({"toy_remote": 2}, generators={"toy_remote": {"per_job": 2}})
    killed(campaign, "on_fetch")
    toy_service().trusting = True
    assert campaign.generate().made == 2
    assert (toy_service().submits, len(stored_jobs(campaign))) == ([], 1)


def test_ctrl_c_keeps_everything_that_was_downloaded(make: Make) -> None:
    toy_service().on_accept = lambda _job: time.sleep(0.02)
    more = {"generators": {"toy_remote": {"per_job": 4}}, "services": {"toyland": {"running": 1}}}
    campaign = make({"toy_remote": 4}, [f"p{i}" for i in range(15)], **more)
    with pytest.raises(KeyboardInterrupt):
        campaign.generate(progress=interrupt_at(1))
    fetched = len(toy_service().fetches)
    assert outcomes(campaign)["toy_remote", "made"] == fetched < 60
    again = reopened(campaign)
    assert again.generate().made == 60 - fetched
    assert set(toy_service().images().values()) == {1}  # nothing was paid twice
    assert len(toy_service().fetches) == 60
    assert all_is_answered(again)


def test_after_ctrl_c_pictures_that_are_paid_for_get_their_time_at_the_store(make: Make) -> None:
    """A program that was told to end waits a second at most for an object store."""
    told = interrupt_at(1)

    def progress(*given: Any) -> None:
        note_interruption()
        told(*given)

    campaign = make({"toy_remote": 2}, ["a", "b", "c"])
    with pytest.raises(KeyboardInterrupt):
        campaign.generate(progress=progress)
    assert interrupted_at() is None


def test_pictures_that_are_alike_were_not_lost(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four threads make one picture at the same moment: each finds that it is not there yet."""
    monkeypatch.setattr(ImageFolder, "is_whole", lambda *_: False)
    monkeypatch.setattr(ToyGenerator, "generate", lambda _, inputs, __: Made(inputs.source.rgb))
    summary = make({"toy": 4}, ["a"], workers=4).generate()
    assert (summary.same, summary.restored) == (3, 0)


def test_ctrl_c_while_a_transaction_is_open_loses_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import selector.generate.generating as module

    campaign = make({"toy_remote": 2}, ["a", "b"])
    kept, left = module.end_jobs, [KeyboardInterrupt()]

    def end_jobs(*given: Any) -> None:
        kept(*given)
        if left:
            raise left.pop()

    monkeypatch.setattr(module, "end_jobs", end_jobs)
    with pytest.raises(KeyboardInterrupt):
        campaign.generate()
    assert outcomes(campaign)["toy_remote", "made"] == len(toy_service().fetches) >= 1
    assert campaign.generate().failed == 0
    assert set(toy_service().images().values()) == {1}


def test_ctrl_c_right_after_a_commit_doubles_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make({"toy_remote": 2}, ["a", "b"])
    write, left = campaign._ws.db.write, [KeyboardInterrupt()]

    @contextmanager
    def interrupted() -> Iterator[Connection]:
        with write() as connection:
            yield connection
            ends = connection.execute(select(schema.job_end.c.id)).all()
        if ends and left and threading.current_thread() is threading.main_thread():
            raise left.pop()

    monkeypatch.setattr(campaign._ws.db, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        campaign.generate()
    campaign.generate()
    with campaign._ws.db.read() as connection:
        ends = connection.execute(select(schema.job_end.c.job_id, schema.job_end.c.recipe_key)).all()
    assert len(ends) == len(set(ends)) == 4


def test_ctrl_c_ends_a_long_unit_of_this_machine_after_its_present_image(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = ToyGenerator.generate

    def slow(self: ToyGenerator, inputs: TaskInputs, recipe: Recipe) -> Made:
        time.sleep(0.05)
        return honest(self, inputs, recipe)

    monkeypatch.setattr(ToyGenerator, "generate", slow)
    campaign = make({"toy": 200}, workers=1)
    with pytest.raises(KeyboardInterrupt):
        campaign.generate(progress=interrupt_at(1))
    assert outcomes(campaign)["toy", "made"] == len(ToyGenerator.calls) < 20


def test_a_full_disk_ends_the_run_with_one_line_and_keeps_what_is_stored(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make({"toy_remote": 4}, ["a", "b"], services={"toyland": {"running": 1, "downloads": 1}})
    images = type(campaign._ws.images)
    kept, room = images.put, [3]

    def put(self: Any, data: bytes) -> str:
        if not room[0]:
            raise OutOfResources(DISK_FULL)
        room[0] -= 1
        return kept(self, data)

    monkeypatch.setattr(images, "put", put)
    with pytest.raises(OutOfResources, match="the disk is full"):
        campaign.generate()
    assert outcomes(campaign)["toy_remote", "made"] == 3
    room[0] = 100
    assert reopened(campaign).generate().made == 5
    assert set(toy_service().images().values()) == {1}


def test_a_second_process_leaves_services_alone_and_says_so(make: Make) -> None:
    campaign, stop = make({"toy_remote": 2, "toy": 1}, ["a", "b"]), threading.Event()
    orders = _orders(campaign._ws, Wanted(campaign.tasks), stop)[0].orders
    with alone_at_services(campaign._ws, orders, stop):
        summary = reopened(campaign).generate()
        assert (summary.made, toy_service().submits) == (2, [])
        assert f"process {os.getpid()} on " in summary.left_out["toy_remote"]
    assert campaign.generate().made == 4


@pytest.mark.parametrize("resumable", [True, False])
def test_a_second_folder_of_the_campaign_pays_for_nothing_that_the_first_has(
    make: Make, tmp_path: Path, resumable: bool
) -> None:
    toy_service().resumable = resumable
    campaign = make({"toy_remote": 2}, ["a", "b"])
    campaign.generate()
    second = second_folder(campaign, tmp_path)
    toy_service().jobs.clear()  # the service has forgotten them
    summary = second.generate()
    assert (summary.made, len(toy_service().submits)) == (0, 4)
    (why,) = summary.left
    assert f"copy images/ from the campaign's other folder ({campaign._ws.place})" in why
    assert second.estimate().generators["toy_remote"].to_make == 0
    shutil.copytree(campaign.folder / "images", second.folder / "images", dirs_exist_ok=True)
    assert second.generate().already == 4
    shutil.rmtree(second.folder / "images")
    assert second.generate(retry_failed=True).made == 4


def test_a_process_without_services_keeps_no_other_from_them(make: Make) -> None:
    campaign = make({"toy_remote": 1, "toy": 1}, ["a"])
    held: list[int] = []

    def progress(stage: str, done: int, total: int, note: str = "") -> None:  # noqa: ARG001
        with campaign._ws.db.read() as connection:
            names = connection.execute(select(schema.lease.c.name)).scalars()
            held.append(sum(not name.startswith("work:") for name in names))  # those keep nobody out

    campaign.generate(generators=["toy"], progress=progress)
    assert held and not any(held)
    held.clear()
    campaign.generate(generators=["toy_remote"], progress=progress)
    assert set(held) == {2}, "the campaign's services, and the account"
    progress("", 0, 0)
    assert held[-1] == 0


def test_two_threads_of_one_program_do_not_pay_twice_either(make: Make) -> None:
    campaign = make({"toy_remote": 2}, ["a", "b", "c"])
    toy_service().polls = 5
    others = [Campaign(campaign.folder) for _ in range(3)]
    threads = [threading.Thread(target=one.generate) for one in (campaign, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Campaign(campaign.folder).generate()
    assert sorted(toy_service().images().values()) == [1] * 6
