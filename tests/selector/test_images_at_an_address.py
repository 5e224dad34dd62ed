"""A campaign whose images lie at an S3 server: every verb works, faults lose nothing, another machine goes on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from conftest import Clock, Run, ToyGenerator, noise_jpeg

from selector import Campaign, doctor
from selector.doctor import FILES
from selector.domain import InputError, OutOfResources, Picture, SubmissionError
from selector.review._pictures import Pictures
from selector.store import _object_store
from selector.store._object_store import ObjectStore
from selector.store.attempts import load_attempts
from tests.servers.s3_server import Fault, S3Server

Files = Callable[[Sequence[str]], tuple[Path, Path]]
Make = Callable[..., Campaign]
LOOP = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}}
pytestmark = pytest.mark.usefixtures("toys")


@pytest.fixture
def made(tmp_path: Path, contest_files: Files, clock: Clock, s3_bucket: str) -> Make:
    def make(name: str = "campaign", **store: object) -> Campaign:
        table, images = contest_files(["brighter", "把图片变亮", "much brighter"])
        place = {"images": f"s3://{s3_bucket}/{name}", **store}
        return Campaign.init(tmp_path / name, table, images, clock=clock, store=place, **LOOP)

    return make


def whole_loop(campaign: Campaign) -> None:
    campaign.generate()
    campaign.score()
    campaign.pick()


def image_keys(s3: S3Server, bucket: str) -> list[str]:
    return [key for key in s3.keys(bucket) if key.endswith(".jpg")]


def elsewhere(campaign: Campaign, target: Path, clock: Clock) -> Campaign:
    """The same campaign on another machine, which has kept nothing of its images."""
    shutil.copytree(campaign.folder, target, ignore=shutil.ignore_patterns("images", "cache", "submissions", "report"))
    return Campaign(target, clock)


def test_the_loop_gives_the_bytes_that_it_gives_in_a_folder(
    made: Make, campaign: Campaign, tmp_path: Path, clock: Clock, s3: S3Server, s3_bucket: str
) -> None:
    there, here = made("far"), campaign
    whole_loop(there)
    whole_loop(here)
    assert len(image_keys(s3, s3_bucket)) == 9
    assert not any((there.folder / "images").rglob("*.jpg"))
    wanted = here.export().zip_path.read_bytes()
    assert there.export().zip_path.read_bytes() == wanted
    other = elsewhere(there, tmp_path / "other", clock)
    with other:
        assert other.export().zip_path.read_bytes() == wanted
        assert other.report().is_file()
        assert len(list((other.folder / "report" / "pictures").rglob("*.jpg"))) >= 9
        pictures = Pictures(other._ws.images, other._ws.inputs_folder, tmp_path / "small")
        one = str(other.pick()[0].candidate_id)
        for size in ("160", "full"):
            sent = pictures.candidate(one, size)
            data = sent.data or (sent.path.read_bytes() if sent.path else b"")
            assert Picture(data).size[0] > 0
        checks = {check.subject: check for check in other.doctor()}
        assert checks["images"].ok
        assert checks["candidates"].ok
    assert not any("list-type" in path for _, path in s3.requests)


def test_running_every_verb_again_asks_the_store_for_nothing(made: Make, s3: S3Server) -> None:
    campaign = made()
    whole_loop(campaign)
    campaign.export()
    calls = list(ToyGenerator.calls)
    s3.requests.clear()
    whole_loop(campaign)
    campaign.status()
    campaign.export()
    assert s3.requests == []
    assert ToyGenerator.calls == calls


def test_a_server_that_goes_and_comes_back_loses_and_doubles_nothing(
    made: Make, s3: S3Server, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = made()
    monkeypatch.setattr(_object_store, "PATIENCE_SECONDS", 0.3)
    s3.faults += [Fault(kind, 0.2) for kind in ("503", "lost", "slow")]
    put, before = type(campaign._ws.images).put, threading.Semaphore(4)

    def cut_off(images: object, data: bytes) -> str:
        if not before.acquire(blocking=False):
            s3.end()
        return put(images, data)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(type(campaign._ws.images), "put", cut_off)
        with pytest.raises(OutOfResources, match="nothing is lost"):
            campaign.generate()
    s3.begin()
    with campaign._ws.db.read() as connection:
        assert {attempt.outcome for attempt in load_attempts(connection)} <= {"made"}
    whole_loop(campaign)
    with campaign._ws.db.read() as connection:
        attempts = load_attempts(connection)
    assert len(attempts) == len({attempt.candidate_id for attempt in attempts}) == 9
    assert len(image_keys(s3, s3_bucket)) == 9
    shutil.rmtree(campaign._ws.images.root)
    with s3.away(), pytest.raises(OutOfResources):
        campaign.export()
    assert campaign.submissions.verify(campaign.export().zip_path).valid


def test_an_object_that_was_lost_is_told_and_made_again(made: Make, tmp_path: Path, clock: Clock) -> None:
    campaign = made()
    whole_loop(campaign)
    lost = str(campaign.pick()[0].candidate_id)
    campaign._ws.images.remove(lost)
    with pytest.raises(SubmissionError, match="is missing"):
        campaign.export()
    other = elsewhere(campaign, tmp_path / "other", clock)
    with other, pytest.raises(SubmissionError, match=r"is missing.*bestshot generate"):
        other.export()
    campaign.generate()
    assert campaign.submissions.verify(campaign.export().zip_path).valid


def test_a_campaign_that_gets_an_address_later_keeps_its_images(
    campaign: Campaign, s3: S3Server, s3_bucket: str, clock: Clock
) -> None:
    whole_loop(campaign)
    config = campaign.folder / "campaign.toml"
    line = next(line for line in config.read_text("utf-8").splitlines() if line.startswith("images ="))
    config.write_text(config.read_text("utf-8").replace(line, f'images = "s3://{s3_bucket}/late"'), "utf-8")
    campaign.close()
    with Campaign(campaign.folder, clock) as again:
        assert again.submissions.verify(again.export().zip_path).valid
        assert len(image_keys(s3, s3_bucket)) == 3


def test_what_is_pruned_goes_from_bucket_and_caches(made: Make, s3: S3Server, s3_bucket: str) -> None:
    campaign = made()
    whole_loop(campaign)
    kept = {str(pick.candidate_id) for pick in campaign.pick()}
    assert campaign.prune(losers=True, delete=True, reason="full", by="Ann").chosen == 6
    assert {Path(key).stem for key in image_keys(s3, s3_bucket)} == kept
    assert {path.stem for path in campaign._ws.images.root.rglob("*.jpg")} == kept
    calls = list(ToyGenerator.calls)
    campaign.generate()
    assert ToyGenerator.calls == calls
    s3.requests.clear()
    campaign.prune(losers=True, delete=True, reason="full")
    assert [method for method, _ in s3.requests if method == "DELETE"] == []


def test_init_refuses_what_cannot_be_used_before_it_writes(contest_files: Files, tmp_path: Path) -> None:
    table, images = contest_files(["brighter"])
    for place in ("s3://key:secret@bucket/x", "nothing://x"):
        with pytest.raises(InputError):
            Campaign.init(tmp_path / "new", table, images, store={"images": place})
    assert not (tmp_path / "new").exists()


def test_a_place_that_does_not_answer_is_no_damage(made: Make, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = made()
    campaign.generate()
    shutil.rmtree(campaign._ws.images.root)
    monkeypatch.setattr(_object_store, "PATIENCE_SECONDS", 0.3)
    with s3.away():
        checks = {check.subject: check for check in campaign.doctor()}
    assert "images" in FILES
    assert not checks["images"].ok
    assert checks["candidates"].text.startswith("not looked at: the object store does not answer")


def test_doctor_reads_every_image_at_the_address_if_it_is_asked_to(
    made: Make, run: Run, s3: S3Server, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "SAMPLE", 2)
    campaign = made()
    whole_loop(campaign)
    keys = image_keys(s3, s3_bucket)
    here = ("-C", campaign.folder, "--json")
    s3.requests.clear()
    assert "2 of 9 images, drawn by chance" in run("doctor", *here)[1]
    s3.requests.clear()
    assert "9 images match their ids" in run("doctor", "--all", *here)[1]
    asked = [path for method, path in s3.requests if method == "GET" and path.endswith(".jpg")]
    assert sorted(asked) == sorted(f"/{s3_bucket}/{key}" for key in keys), "what is kept here says nothing"
    s3._ask("DELETE", f"/{s3_bucket}/{keys[0]}")
    status, out, _ = run("doctor", "--all", *here)
    (told,) = (check for check in json.loads(out) if check["subject"] == "candidates")
    assert status == 2 and not told["ok"] and told["text"].startswith("1 of 9 are lost or damaged: ")
    assert told["pictures"] == [Path(keys[0]).stem]
    campaign._ws.images.put(campaign._ws.images.path(Path(keys[0]).stem).read_bytes())
    assert run("doctor", "--all", *here)[0] == 0


def test_an_image_that_was_found_lost_and_is_there_again_is_not_made_again(
    made: Make, s3: S3Server, s3_bucket: str
) -> None:
    campaign = made()
    whole_loop(campaign)
    key = image_keys(s3, s3_bucket)[0]
    data = s3.object(s3_bucket, key)
    s3._ask("DELETE", f"/{s3_bucket}/{key}")
    campaign.doctor(every_image=True)
    assert not campaign._ws.images.is_whole(Path(key).stem, len(data))
    ObjectStore(campaign._ws.images.address).write(campaign._ws.images.name(Path(key).stem), data)  # by a person
    campaign.doctor(every_image=True)
    calls = list(ToyGenerator.calls)
    campaign.generate()
    assert ToyGenerator.calls == calls


def test_what_was_deleted_at_the_address_and_is_imported_again_is_told_as_restored(made: Make, tmp_path: Path) -> None:
    campaign = made()
    (tmp_path / "finished").mkdir()
    (tmp_path / "finished/3.jpg").write_bytes(noise_jpeg(70))
    campaign.import_folder(tmp_path / "finished")
    (picture,) = campaign._ws.images.root.rglob("*.jpg")
    campaign.prune(pictures=[picture.stem], delete=True, reason="by mistake")
    again = campaign.import_folder(tmp_path / "finished")
    assert (again.new, again.same, again.restored) == (0, 0, 1)


@pytest.mark.parametrize("verb", ["import", "doctor", "prune", "export"])
def test_ctrl_c_ends_the_wait_for_a_server_that_does_not_answer(
    made: Make, s3: S3Server, tmp_path: Path, verb: str
) -> None:
    """From whatever threads it is asked."""
    campaign = made()
    whole_loop(campaign)
    shutil.rmtree(campaign.folder / "cache")
    settings = campaign.folder / "campaign.toml"
    settings.write_text(settings.read_text().replace("toy", "source"))  # of a program of its own, which has no toys
    (tmp_path / "finished").mkdir()
    for i in range(12):
        (tmp_path / f"finished/3_{i}.jpg").write_bytes(noise_jpeg(i))
    arguments = {
        "import": [str(tmp_path / "finished")],
        "prune": ["--keep", "1", "--delete", "--reason", "too many"],
    }.get(verb, [])
    command = [sys.executable, "-m", "selector.cli", verb, "-C", str(campaign.folder), *arguments]
    s3.requests.clear()
    with s3.mute():
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 60
        while not s3.requests and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        told = time.monotonic()
        _, said = process.communicate(timeout=100)
        waited = time.monotonic() - told
    assert said.splitlines()[-1] == "bestshot: interrupted; nothing is lost, run the same command again to go on"
    assert process.returncode == 130
    assert waited < 3
