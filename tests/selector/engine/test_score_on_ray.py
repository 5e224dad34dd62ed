"""``score --engine ray``: the same scores; what dies costs its own batch at most, and nothing is stored twice."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from ray_probe import install_probe, measured
from sqlalchemy import select

from selector import Campaign
from selector.domain import InputError
from selector.engine import ray_pool
from selector.store import schema

PROMPTS = ("Replace the dog with a cat", "Add a boat on the lake", "Make the sky purple")
EMBEDDED = {"model": "embedded"}
SCORERS = ["gate", "seams", "preservation", "clip_similarity", "clip_direction", "realism"]


@pytest.fixture
def on_ray(ray_cluster):
    """Options of ``Campaign.score``."""
    return {"engine": "ray", "engine_address": ray_cluster.address}


@pytest.fixture
def new_campaign(tmp_path, contest_files, toys):  # noqa: ARG001
    """Makes a campaign with candidates of these numbers a task, not scored."""

    def make(name, scorers, n=4, batch=4, **settings):
        table, images = contest_files(PROMPTS)
        campaign = Campaign.init(
            tmp_path / name, table, images, generate={"tie": {"toy": n}}, score={"scorers": scorers},
            embedding=EMBEDDED, engine={"batch": batch}, **settings,
        )  # fmt: skip
        campaign.generate()
        return campaign

    return make


def stored(campaign):
    s = schema.score.c
    with campaign._ws.db.read() as connection:
        rows = connection.execute(
            select(s.task_id, s.candidate_id, s.scorer, s.version, s.column, s.value, s.reason)
        ).all()
    return sorted(rows, key=str)


def vectors(campaign):
    e = schema.embedding.c
    with campaign._ws.db.read() as connection:
        return sorted(connection.execute(select(e.picture_id, e.space, e.view, e.vectors)).all(), key=str)


def test_both_engines_store_the_same_scores_and_vectors_bit_for_bit(new_campaign, on_ray):
    here, there = new_campaign("local", SCORERS), new_campaign("ray", SCORERS)
    first, second = here.score(), there.score(**on_ray)
    assert second == first
    assert first.values > 0
    assert stored(there) == stored(here)
    assert vectors(there) == vectors(here)
    assert there.score(**on_ray).values == 0


def test_a_broken_image_costs_itself_alone(new_campaign, on_ray):
    campaign = new_campaign("campaign", ["gate", "clip_similarity"])
    with campaign._ws.db.read() as connection:
        first = connection.execute(select(schema.candidate.c.id)).scalars().first()
    path = campaign._ws.images.path(first)
    path.write_bytes(b"no picture")
    summary = campaign.score(**on_ray)
    assert summary.candidates == 11
    assert ["was damaged or changed" in reason for reason in summary.lost.values()] == [True]
    assert summary.failures == {}


def test_pictures_that_end_their_workers_cost_themselves_alone(new_campaign, on_ray, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_pool, "_DEATHS", 2)  # six in a row, of two at once; twelve would end the run
    log = install_probe(monkeypatch, tmp_path / "package")
    campaign = new_campaign("campaign", ["probe"], n=6, batch=1)
    with campaign._ws.db.read() as connection:
        deadly = list(connection.execute(select(schema.candidate.c.id)).scalars())[1::5]
    assert len(deadly) == 4
    campaign = with_probe(campaign, {"log": str(log), "deadly": deadly})
    summary = campaign.score(**on_ray)
    assert summary.candidates == 14
    assert len(summary.failures) == 4
    for picture in deadly:
        assert any(picture[:12] in reason and "process died" in reason for reason in summary.failures)
    assert len(stored(campaign)) == 14


def test_a_killed_worker_loses_nothing_and_doubles_nothing(new_campaign, on_ray, tmp_path, monkeypatch):
    log = install_probe(monkeypatch, tmp_path / "package")
    campaign = with_probe(new_campaign("campaign", ["probe"], n=8), {"log": str(log), "seconds": 0.05})
    killed = []

    def kill() -> None:
        while len(killed) < 2:
            processes = [process for process, _ in measured(log)]
            if processes and processes[-1] not in killed:
                os.kill(processes[-1], signal.SIGKILL)
                killed.append(processes[-1])
            time.sleep(0.1)

    killer = threading.Thread(target=kill)
    killer.start()
    summary = campaign.score(**on_ray)
    killer.join()
    assert (summary.candidates, summary.failures) == (24, {})
    assert len(stored(campaign)) == 24


def test_a_killed_driver_repeats_nothing_that_was_stored(new_campaign, on_ray, tmp_path, monkeypatch):
    log = install_probe(monkeypatch, tmp_path / "package")
    campaign = with_probe(new_campaign("campaign", ["probe"], n=8), {"log": str(log), "seconds": 0.3})
    command = [sys.executable, "-m", "selector.cli", "score", "-C", str(campaign.folder), "--engine", "ray"]
    command += ["--engine-address", on_ray["engine_address"]]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not stored(campaign) and time.monotonic() < deadline:
        time.sleep(0.02)
    driver.kill()
    driver.wait()
    before, asked = stored(campaign), len(measured(log))
    assert 0 < len(before) < 24
    assert campaign.score(**on_ray).failures == {}
    again = {picture for _, picture in measured(log)[asked:]}
    assert len(stored(campaign)) == 24
    assert again.isdisjoint(row.candidate_id for row in before)


def with_probe(campaign, settings):
    """The campaign opened again, with these settings of ``probe``, and no generator that other processes lack."""
    lines = "\n".join(f"{key} = {value!r}" for key, value in settings.items())
    path = campaign.folder / "campaign.toml"
    text = path.read_text(encoding="utf-8").replace("toy", "source")
    path.write_text(text + f"\n[scorers.probe]\n{lines}\n", encoding="utf-8")
    campaign.close()
    return Campaign(campaign.folder)


def test_a_ray_of_the_run_itself_prints_nothing_and_has_no_keys(new_campaign, tmp_path, monkeypatch):
    log = install_probe(monkeypatch, tmp_path / "package")
    monkeypatch.setenv("JUDGE_KEY_OF_TEST", "sk-123456789012")
    judges = {"one": {"base_url": "http://127.0.0.1:9/v1", "model": "m", "key_env": "JUDGE_KEY_OF_TEST"}}
    campaign = new_campaign("campaign", ["probe"], judges=judges)
    campaign = with_probe(campaign, {"log": str(log), "secret": "JUDGE_KEY_OF_TEST"})
    command = [sys.executable, "-m", "selector.cli", "score", "-C", str(campaign.folder), "--engine", "ray", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["candidates"] == 12
    assert "raylet" not in done.stderr


def test_an_address_where_nothing_listens_is_told_in_one_line(new_campaign):
    campaign = new_campaign("campaign", ["gate"])
    with pytest.raises(InputError, match=r"no Ray cluster answers at 127\.0\.0\.1:9 .*mend \[engine\] address"):
        campaign.score(engine_address="127.0.0.1:9")
