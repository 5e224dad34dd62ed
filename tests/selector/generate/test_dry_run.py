"""What a run would make and cost: never more than is told, and nobody is asked."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import ToyGenerator
from sqlalchemy import delete
from toy_services import (
    Killed,
    Make,
    ToyRemote,
    attempts,
    raises,
    reopened,
    stored_jobs,
    toy_service,
)

from selector import Campaign
from selector.cli._describe_generated import describe_estimate
from selector.domain import Declined, GenerationFailed, MissingPart, TaskType
from selector.generate.dry_run import GenerateEstimate, GeneratorEstimate
from selector.store import schema


def numbers(campaign: Campaign, name: str = "toy_remote", **given: Any) -> tuple[int, int, int, int]:
    """(settled, to make, to collect, finishes)"""
    one = campaign.estimate(**given).generators[name]
    return one.settled, one.to_make, one.collect, one.finishes


def test_a_new_campaign_makes_all_and_costs_all(make: Make) -> None:
    plan = {"toy_remote": {"n": 4, "finishes": ["sharpen"]}, "toy": 2}
    campaign = make(plan, ["a", "b", "c"], services={"toyland": {"budget": 5.0}})
    found = campaign.estimate()
    assert found.generators == {
        "toy_remote": GeneratorEstimate(3, 0, 12, 0, 12, 0.5, 6.0, "CNY", "toyland", 5.0, unplanned=12),
        "toy": GeneratorEstimate(3, 0, 6, falling=12, unplanned=6),
    }
    assert found.over_budget == {"toyland": 1.0}


def test_what_a_generator_may_decline_is_at_most(make: Make) -> None:
    campaign = make({"toy": 3}, ["a", "decline", "b"])
    words = "to make is at most: a generator may decline a task"
    assert words in describe_estimate(campaign.estimate())
    assert campaign.generate().made == 6
    assert words not in describe_estimate(campaign.estimate())
    next((campaign.folder / "images").rglob("*.jpg")).unlink()
    again = campaign.estimate()
    assert (again.generators["toy"].to_make, again.generators["toy"].unplanned) == (1, 0)
    assert words not in describe_estimate(again)


def test_nobody_is_asked_and_nothing_is_stored(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for method in ("recipes", "batches", "submit", "poll", "fetch"):
        monkeypatch.setattr(ToyRemote, method, raises(AssertionError(method)))
    campaign = make({"toy_remote": 4}, ["a"])
    assert numbers(campaign) == (0, 4, 0, 0)
    assert not attempts(campaign)
    assert not stored_jobs(campaign)


def test_it_takes_the_same_arguments_as_the_run(make: Make) -> None:
    campaign = make({"toy_remote": 4, "toy": 1}, ["a", "b"])
    found = campaign.estimate(generators=["toy_remote"], task_ids=["10"], n=7)
    assert {name: (one.tasks, one.to_make) for name, one in found.generators.items()} == {"toy_remote": (1, 7)}


def test_after_a_run_nothing_is_left(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 2, "finishes": ["sharpen"]}, "toy": 1}, ["a", "b", "not mine"])
    campaign.generate()
    assert numbers(campaign) == (6, 0, 0, 0)
    assert numbers(campaign, "toy") == (3, 0, 0, 0)
    assert campaign.estimate().generators["toy_remote"].cost == 0.0


def test_what_fell_through_is_no_part_of_a_generators_own_number(make: Make) -> None:
    toy_service().on_submit = raises(Declined("never"))
    campaign = make({"toy_remote": 3, "toy": 2})
    campaign.generate()
    assert numbers(campaign) == (3, 0, 0, 0)
    again = reopened(campaign, {"toy_remote": 3, "toy": 6})
    assert numbers(again, "toy") == (5, 1, 0, 0)


def test_jobs_of_a_killed_run_are_collected_and_cost_nothing(make: Make) -> None:
    campaign = make({"toy_remote": 4}, generators={"toy_remote": {"per_job": 4}}, services={"toyland": {"budget": 5.0}})
    toy_service().on_poll = raises(Killed)
    with pytest.raises(Killed):
        campaign.generate()
    assert numbers(reopened(campaign)) == (0, 0, 4, 0)
    one = reopened(campaign, {"toy_remote": 5}).estimate().generators["toy_remote"]
    assert (one.collect, one.to_make, one.cost, one.left) == (4, 1, 0.5, 3.0)


def test_jobs_of_a_run_that_was_killed_before_its_plan_was_stored_are_known_too(make: Make) -> None:
    campaign = make({"toy_remote": 3})
    toy_service().on_poll = raises(Killed)
    with pytest.raises(Killed):
        campaign.generate()
    with campaign._ws.db.write() as connection:
        connection.execute(delete(schema.planning))
    waiting = len(stored_jobs(campaign))
    assert numbers(campaign) == (0, 3 - waiting, waiting, 0)


def test_what_failed_counts_only_for_a_retry(make: Make) -> None:
    toy_service().error_of = lambda job, seed: GenerationFailed("broke") if seed == job.seeds[0] else None
    campaign = make({"toy_remote": 4}, generators={"toy_remote": {"per_job": 2}})
    campaign.generate()
    assert numbers(campaign) == (4, 0, 0, 0)
    assert numbers(campaign, retry_failed=True) == (2, 2, 0, 0)


def test_a_download_that_failed_is_to_be_collected(make: Make) -> None:
    toy_service().on_fetch = raises(GenerationFailed("cut off"))
    campaign = make({"toy_remote": 2})
    campaign.generate()
    assert numbers(campaign, retry_failed=True) == (0, 0, 2, 0)


def test_a_style_that_is_added_later_is_counted_as_the_run_makes_it(make: Make) -> None:
    campaign = make({"toy_remote": 4}, ["red", "blue"])
    campaign.generate()
    again = reopened(campaign, {"toy_remote": {"n": 6, "prompts": ["as_is", "suffix"]}})
    assert numbers(again) == (6, 6, 0, 0)
    assert again.generate().made == 6


def test_a_generator_with_no_more_ideas_is_not_expected_to_make_more(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make({"toy_remote": 5, "toy": {"n": 5, "prompts": ["as_is", "suffix"]}})
    many = ToyRemote.recipes
    for kind in (ToyRemote, ToyGenerator):
        monkeypatch.setattr(kind, "recipes", lambda self, inputs, n, seed: many(self, inputs, n, seed)[:2])
    monkeypatch.setattr(ToyGenerator, "_shade", 7, raising=False)
    campaign.generate()
    assert numbers(campaign) == (2, 0, 0, 0)
    assert numbers(campaign, "toy")[:2] == (4, 0)
    assert numbers(campaign, n=6)[:2] == (2, 4)  # more may be had when more is asked for


def test_explicit_seeds_bound_what_is_expected(make: Make) -> None:
    campaign = make({"toy_remote": {"seeds": [1, 2]}})
    assert numbers(campaign, n=5) == (0, 2, 0, 0)
    campaign.generate(n=5)
    assert numbers(campaign, n=5) == (2, 0, 0, 0)


def test_a_price_that_is_not_known_is_told_as_that(make: Make) -> None:
    campaign = make({"toy_remote": 2}, generators={"toy_remote": {"free": True}})
    one = campaign.estimate().generators["toy_remote"]
    assert (one.price, one.cost, one.service, one.left) == (None, None, "toyland", None)


@pytest.mark.parametrize(
    ("costs", "left", "over"), [((3.0, 2.0), 4.0, 1.0), ((0.1, 0.2), 0.3, None), ((None,), 1.0, None)]
)
def test_generators_of_one_service_share_what_is_left(
    costs: tuple[float | None, ...], left: float, over: float | None
) -> None:
    parts = {str(i): GeneratorEstimate(cost=cost, service="s", left=left) for i, cost in enumerate(costs)}
    found = GenerateEstimate(parts, {}).over_budget
    assert found == ({} if over is None else {"s": over})


def test_a_generator_that_cannot_be_loaded_is_named(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from selector.registry import BUILTIN_GENERATORS

    campaign = make({"toy_remote": 2, "toy": 1})
    monkeypatch.setitem(BUILTIN_GENERATORS, "toy_remote", "no_such_module:Thing")
    found = campaign.estimate()
    assert list(found.generators) == ["toy"]
    assert "cannot be loaded" in found.left_out["toy_remote"]


def test_the_estimate_is_what_the_run_then_does(make: Make) -> None:
    steps = [
        {"toy_remote": 2},
        {"toy_remote": {"n": 4, "prompts": ["as_is", "suffix"]}},
        {"toy_remote": {"n": 4, "prompts": ["as_is", "suffix"], "finishes": ["sharpen"]}},
        {"toy_remote": {"n": 5, "prompts": ["suffix"], "finishes": ["sharpen", "grain"]}},
        {"toy_remote": {"seeds": [3, 4]}},
    ]
    campaign = make(steps[0], ["red", "blue"])
    for step in steps:
        campaign = reopened(campaign, step)
        one = campaign.estimate().generators["toy_remote"]
        before = len(toy_service().submits)
        made = campaign.generate().made
        assert one.to_make == len(toy_service().submits) - before, step
        assert made >= one.to_make + one.finishes, step
        assert numbers(campaign)[1:] == (0, 0, 0), step


def test_tasks_of_types_that_a_generator_does_not_serve_cost_nothing(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToyRemote, "task_types", frozenset({TaskType.T2I}))
    one = make({"toy_remote": 4}, ["a", "b"]).estimate().generators["toy_remote"]
    assert (one.tasks, one.other_kind, one.to_make, one.cost) == (0, 2, 0, 0.0)


def test_a_generator_that_cannot_run_makes_and_costs_nothing_and_says_why(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToyRemote, "check", raises(MissingPart("no key: export TOY_KEY=... first")))
    found = make({"toy_remote": {"n": 4, "finishes": ["sharpen"]}, "toy": 1}, ["a", "b"]).estimate()
    one = found.generators["toy_remote"]
    assert (one.to_make, one.cost, one.finishes) == (0, 0.0, 0)
    assert one.blocked == {"no key: export TOY_KEY=... first": 8}
    assert found.generators["toy"].blocked == {}


def test_styles_without_a_writer_are_counted_apart_as_the_run_leaves_them(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 5, "prompts": ["as_is", "rewritten"]}}, ["a", "b"])
    one = campaign.estimate().generators["toy_remote"]
    assert (one.to_make, one.cost, one.unwritten) == (6, 3.0, 0)
    ((why, n),) = one.blocked.items()
    assert n == 4
    assert "prompt_writer" in why
    assert campaign.generate().made == 6
    again = campaign.estimate().generators["toy_remote"]
    assert (again.settled, again.to_make, list(again.blocked.values())) == (6, 0, [4])


def test_styles_that_a_model_writes_first_are_part_of_the_run_and_told(make: Make) -> None:
    campaign = make(
        {"toy_remote": {"n": 4, "prompts": ["as_is", "rewritten"]}},
        judges={"w": {"base_url": "http://127.0.0.1:9/v1", "model": "m"}},
    )
    path = campaign.folder / "campaign.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('prompt_writer = ""', 'prompt_writer = "w"'), encoding="utf-8")
    campaign.close()
    one = Campaign(campaign.folder).estimate().generators["toy_remote"]
    assert (one.to_make, one.unwritten, one.blocked) == (4, 2, {})


def test_task_types_without_a_generator_are_counted(make: Make) -> None:
    assert make({}, ["a", "b"]).estimate().no_generator == {"tie": 2}


def test_what_refusals_may_cost_on_top_is_told(make: Make) -> None:
    campaign = make({"toy": 3, "toy_remote": {"reserve": True}}, ["a", "b"])
    found = campaign.estimate()
    reserve = found.generators["toy_remote"]
    assert (reserve.to_make, reserve.falling, reserve.price) == (0, 6, 0.5)
    assert "6 images, 3.00 CNY" in describe_estimate(found)
    campaign.generate()
    assert campaign.estimate().generators["toy_remote"].falling == 0
