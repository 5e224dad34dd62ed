"""``doctor --live``: one real call of a configured generator or judge, from the offer to what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import HEADER, noise_jpeg

from selector import Campaign
from selector.cli.main import group
from selector.store.attempts import load_attempts
from selector.store.candidates import load_candidates
from selector.store.jobs import load_jobs
from tests.servers.dashscope_server import DashScopeServer
from tests.servers.dashscope_state import Behaviour
from tests.servers.judge_server import JudgeServer
from tests.servers.picture_services import PictureServices

KEY_ENV = "TEST_LIVE_KEY"
TABLE = f"{HEADER}\n1,t2i,a red cube,,\n2,t2i,a blue ball,,\n3,tie,brighter,a.jpg,\n"
Make = Callable[..., Path]


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureServices]:
    with PictureServices() as server:
        monkeypatch.setenv(KEY_ENV, server.key)
        yield server


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """The folder of a campaign with these settings."""

    def call(table: str = TABLE, **config: Any) -> Path:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "a.jpg").write_bytes(noise_jpeg(1))
        (tmp_path / "task.csv").write_text(table, encoding="utf-8")
        folder = tmp_path / "campaign"
        Campaign.init(folder, tmp_path / "task.csv", tmp_path / "in", **config).close()
        return folder

    return call


def doctor(folder: Path, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(group, ["doctor", "-C", str(folder), *arguments], input=answer)


def at(services: PictureServices, name: str, **more: Any) -> dict[str, Any]:
    service = {"base_url": services.url(name), "key_env": KEY_ENV, "backoff_seconds": 0.01, "max_retries": 1, **more}
    return {"generators": {name: {"model": "toy/painter"}}, "services": {name: service}}


def findings(result: Result) -> dict[str, str]:
    return dict(json.loads(result.stdout)["rows"])


@pytest.mark.parametrize("name", ["fal", "replicate"])
def test_a_call_is_offered_with_its_price_and_ends_as_an_ordinary_candidate(
    services: PictureServices, make: Make, name: str
) -> None:
    own = at(services, name, prices={"toy/painter": 0.04}, budget=1.0)
    folder = make(generate={"t2i": {name: 1}, "tie": {}}, **own)
    result = doctor(folder, "--live", name, "--json", answer="y\n")
    assert result.exit_code == 0, result.output
    assert f"one picture by '{name}'" in result.stderr and "for 0.04 USD, 1 left of the budget" in result.stderr
    found = findings(result)
    assert found["came"] == "made" and found["cost"] == "0.04 USD" and found["picture"].startswith("96 x 64 px, ")
    assert found["request id"].startswith("job-")
    with Campaign(folder) as campaign:
        with campaign._ws.db.read() as connection:
            (job,), (candidate,) = load_jobs(connection), load_candidates(connection)
        assert job.price == 0.04 and found["stored as"].startswith(f"candidate {candidate.id[:12]} of task 1")
        assert campaign.generate().already == 1  # it was one of those that the plan asks for
    assert len(services.asked) == 2  # the other task's


def test_without_a_yes_nothing_is_asked(services: PictureServices, make: Make) -> None:
    folder = make(generate={"t2i": {"fal": 1}}, **at(services, "fal"))
    result = doctor(folder, "--live", "fal", answer="n\n")
    assert "nothing paid" in str(result.exception) and services.asked == []


def test_another_call_makes_another_picture_even_beyond_the_plan(services: PictureServices, make: Make) -> None:
    folder = make(generate={"tie": {"retouch": 1}}, **at(services, "replicate"))
    for _ in range(4):
        assert doctor(folder, "--live", "replicate", "--yes").exit_code == 0
    with Campaign(folder) as campaign, campaign._ws.db.read() as connection:
        attempts = load_attempts(connection)
    assert [a.task_id for a in attempts] == ["1", "2", "3", "1"] and len({a.candidate_id for a in attempts}) == 4


@pytest.mark.parametrize(
    "step",
    [
        {"n": 2, "finishes": ["sharpen"]},
        {"seeds": [5, 6]},
        {"n": 4, "prompts": ["as_is", "suffix"]},
        {"n": 2, "prompts": ["as_is", "rewritten"]},
    ],
)
def test_a_call_pays_for_one_picture_whatever_was_made_before(
    services: PictureServices, make: Make, step: dict[str, Any]
) -> None:
    own = at(services, "fal", prices={"toy/painter": 0.04}, budget=10.0)
    folder = make(f"{HEADER}\n1,t2i,a red cube,,\n", generate={"t2i": {"fal": step}, "tie": {}}, **own)
    with Campaign(folder) as campaign:
        campaign.generate()
    for _ in range(2):
        before = len(services.asked)
        result = doctor(folder, "--live", "fal", "--yes", "--json")
        assert findings(result)["came"] == "made" and len(services.asked) == before + 1
    with Campaign(folder) as campaign:
        campaign.generate()  # is content with what the plan has
    assert len(services.asked) == before + 1


def test_a_call_makes_a_picture_that_the_plan_asks_for(services: PictureServices, make: Make) -> None:
    step = {"seeds": [5, 6]}
    folder = make(f"{HEADER}\n1,t2i,a red cube,,\n", generate={"t2i": {"fal": step}, "tie": {}}, **at(services, "fal"))
    for _ in range(3):
        assert doctor(folder, "--live", "fal", "--yes").exit_code == 0
    first, second, beyond = (asked.body["seed"] for asked in services.asked)
    assert (first, second) == (5, 6) and beyond not in (5, 6)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("a cat @refuse", "content check"),
        ("a cat @locked", "Exhausted balance"),
        ("a cat @gone", "failed"),
    ],
)
def test_what_goes_wrong_is_told_in_the_table(services: PictureServices, make: Make, prompt: str, said: str) -> None:
    folder = make(f"{HEADER}\n1,t2i,{prompt},,\n", generate={"t2i": {"fal": 1}}, **at(services, "fal"))
    result = doctor(folder, "--live", "fal", "--yes", "--json")
    assert result.exit_code == 1 and said in findings(result)["came"]


def test_a_budget_is_kept(services: PictureServices, make: Make) -> None:
    own = at(services, "fal", prices={"toy/painter": 0.04}, budget=0.01)
    result = doctor(make(generate={"t2i": {"fal": 1}}, **own), "--live", "fal", "--yes", "--json")
    assert result.exit_code == 1 and "budget" in findings(result)["came"] and services.asked == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fall", "did you mean 'fal'"),
        ("retouch", "works on this machine"),
        ("vlm", "no candidates yet"),
    ],
)
def test_what_cannot_be_called_is_said_with_its_cure(
    services: PictureServices, make: Make, name: str, said: str
) -> None:
    judge = {"vlm": {"base_url": "http://127.0.0.1:9/v1", "model": "m"}}
    folder = make(generate={"t2i": {"fal": 1}, "tie": {"retouch": 1}}, judges=judge, **at(services, "fal"))
    result = doctor(folder, "--live", name, "--yes")
    assert said in str(result.exception)


def test_a_judge_is_shown_one_candidate(services: PictureServices, make: Make) -> None:
    with JudgeServer() as server:
        judge = {"vlm": {"base_url": server.url, "model": "toy-judge", "price_in": 1.0, "price_out": 2.0}}
        folder = make(generate={"t2i": {"fal": 1}}, judges=judge, score={"scorers": []}, **at(services, "fal"))
        assert doctor(folder, "--live", "fal", "--yes").exit_code == 0
        result = doctor(folder, "--live", "vlm", "--yes", "--json")
        assert result.exit_code == 0, result.output
        found = findings(result)
        assert found["came"] == "scores" and found["questions"] == "2, of which 2 scored" and len(server.log) == 2
        assert "for a million tokens" in result.stderr
        again = doctor(folder, "--live", "vlm", "--yes", "--json")
        assert again.exit_code == 1 and "judged every candidate" in findings(again)["came"] and len(server.log) == 2


@pytest.mark.parametrize(("status", "said"), [(200, "limits: 2 requests in 1 s"), (403, "limits not told: HTTP 403 (")])
def test_doctor_asks_dashscope_for_the_limits_of_configured_models(
    make: Make, monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    monkeypatch.setenv(KEY_ENV, "k-0123456789")
    with DashScopeServer(Behaviour(key="k-0123456789", quotas=status)) as server:
        services = {"dashscope": {"base_url": server.url, "key_env": KEY_ENV}}
        folder = make(generate={"t2i": {"dashscope": 1}}, services=services)
        result = doctor(folder)
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.output.splitlines() if " generator dashscope " in line]
    assert line.startswith("ok") and said in line and "not asked" not in line
