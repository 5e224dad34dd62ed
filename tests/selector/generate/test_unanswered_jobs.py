"""Submissions of which nothing tells what came: what they may have cost is stored, counted and bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from toy_services import reopened, stored_jobs

from selector import Campaign
from selector.net._account import UNANSWERED_REPEATS
from selector.net._breaker import Breaker
from tests.servers.dashscope_server import DashScopeServer
from tests.servers.dashscope_state import Behaviour

KEY, ENV = "sk-unanswered-0123456789", "TEST_UNANSWERED_KEY"
MODEL, PRICE = "wan2.2-t2i-flash", 0.2
Make = Callable[..., Campaign]


@pytest.fixture
def server() -> Iterator[DashScopeServer]:
    with DashScopeServer(Behaviour(key=KEY, job_seconds=0.02, picture_px=64)) as running:
        yield running


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Make:
    """``make(url, prompts, n, reserve, **service)``: a campaign of texts with ``n`` candidates each, four a job."""
    monkeypatch.setenv(ENV, KEY)

    def made(url: str, prompts: list[str], n: int = 4, reserve: str = "", **service: Any) -> Campaign:
        rows = [f"{i},t2i,{prompt},," for i, prompt in enumerate(prompts)]
        (tmp_path / "task.csv").write_text("\n".join(["index,task_type,prompt,ori_image,target_image", *rows]) + "\n")
        (tmp_path / "in").mkdir()
        facts = {
            "key_env": ENV,
            "submits_per_second": 0,
            "backoff_seconds": 0.01,
            "prices": {"wan2.2-t2i-flash": PRICE},
        }
        services = {"first": {"base_url": url, **facts, **service}}
        generators: dict[str, Any] = {"wan": {"kind": "dashscope", "service": "first", "model": MODEL}}
        plan: dict[str, Any] = {"wan": n}
        if reserve:
            services["second"] = {"base_url": reserve, **facts}
            generators["other"] = {**generators["wan"], "service": "second"}
            plan["other"] = {"reserve": True}
        return Campaign.init(
            tmp_path / "campaign",
            tmp_path / "task.csv",
            tmp_path / "in",
            generate={"t2i": plan},
            generators=generators,
            services=services,
        )

    return made


def paid(server: DashScopeServer) -> float:
    """Money that the service has taken."""
    return PRICE * sum(job.made for job in server.state.jobs.values())


def test_a_job_whose_answer_was_dropped_is_stored_and_counted_beside_the_one_that_was_answered(
    make: Make, server: DashScopeServer
) -> None:
    campaign = make(server.url, ["a cat @drop-created"])
    summary = campaign.generate()
    assert summary.made == 4
    answered, dropped = stored_jobs(campaign)
    assert (dropped.ticket, dropped.resumable, set(dropped.ends.values())) == ("", False, {"perhaps"})
    assert set(answered.ends.values()) == {"delivered"}
    assert summary.generators["wan"].cost == pytest.approx(8 * PRICE)
    service = campaign.status().services["first"]
    assert (service.jobs, service.delivered, service.perhaps_paid) == (1, 4, 4)
    assert service.spent == pytest.approx(8 * PRICE) == pytest.approx(paid(server))
    assert reopened(campaign).generate().made == 0


def test_a_budget_is_kept_over_runs_when_every_answer_is_dropped(make: Make, server: DashScopeServer) -> None:
    campaign = make(server.url, [f"cat {i} @drop-created*99" for i in range(6)], budget=2.0)  # 10 images
    for _ in range(3):
        summary = campaign.generate()
        assert (summary.made, summary.failed) == (0, 0)
        assert sum(summary.left.values()) == 24
        campaign = reopened(campaign)
    assert campaign.status().services["first"].spent == pytest.approx(2.0) == pytest.approx(paid(server))
    assert campaign.estimate().generators["wan"].left == pytest.approx(0.0)


def test_a_job_that_is_never_answered_is_repeated_twice_and_left_with_a_reason(
    make: Make, server: DashScopeServer
) -> None:
    campaign = make(server.url, ["a cat @drop-created*99", "a dog"])
    summary = campaign.generate()
    assert (summary.made, summary.failed) == (4, 0)
    assert summary.left == {"wan: the connection failed, 3 times: the job may have been made and paid": 4}
    assert campaign.status().services["first"].perhaps_paid == 4 * (1 + UNANSWERED_REPEATS)


def test_an_answer_is_no_perhaps(make: Make, server: DashScopeServer) -> None:
    campaign = make(server.url, ["a cat @500*99", "a dog @429", "a cow @invalid"], max_retries=2)
    summary = campaign.generate()
    assert (summary.made, summary.failed) == (4, 8)
    assert campaign.status().services["first"].perhaps_paid == 0
    assert campaign.status().services["first"].spent == pytest.approx(4 * PRICE) == pytest.approx(paid(server))


def test_an_address_where_nobody_listens_stops_the_service_with_the_cure_and_fails_no_task(
    make: Make, server: DashScopeServer
) -> None:
    campaign = make("http://127.0.0.1:9", [f"cat {i}" for i in range(20)], reserve=server.url)
    summary = campaign.generate()
    assert (summary.made, summary.failed) == (0, 0)
    cure = "check base_url, the network and that the server is running"
    assert summary.left == {f"wan: service first at 127.0.0.1:9: cannot be reached: {cure}": 80}
    assert server.state.jobs == {}  # and nothing falls through
    assert stored_jobs(campaign) == ()


def test_what_a_service_that_died_did_not_take_is_left_and_made_by_a_plain_run_later(
    make: Make, server: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Breaker.__init__

    def has_answered_before(self: Breaker, who: str) -> None:
        begin(self, who)
        self.has_answered = True

    monkeypatch.setattr(Breaker, "__init__", has_answered_before)
    campaign = make("http://127.0.0.1:9", [f"cat {i}" for i in range(12)], reserve=server.url, max_retries=2)
    summary = campaign.generate()
    assert (summary.made, summary.failed) == (0, 0)
    assert summary.left == {"wan: the server cannot be reached (3 times)": 48}
    assert server.state.jobs == {}  # nothing falls through
    services = campaign.config.model_dump(exclude_defaults=True)["services"]
    services["first"]["base_url"] = server.url
    assert reopened(campaign, services=services).generate().made == 48
