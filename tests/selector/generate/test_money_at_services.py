"""Money: budgets over several runs, what is paid, what is given back."""

from __future__ import annotations

import pytest
from toy_services import (
    Killed,
    Make,
    ToyRemote,
    once,
    outcomes,
    raises,
    reopened,
    stored_jobs,
    toy_service,
)

from selector.domain import Declined, GenerationFailed, InputError, TicketLost
from selector.store.jobs import money_spent


def limit(budget: float, **more: object) -> dict[str, object]:
    return {"services": {"toyland": {"budget": budget, **more}}}


def test_a_run_stops_at_the_budget_and_names_what_is_left(make: Make) -> None:
    campaign = make({"toy_remote": 4, "toy": 1}, ["a", "b"], **limit(2.6))
    summary = campaign.generate()
    assert outcomes(campaign) == {("toy_remote", "made"): 5, ("toy", "made"): 2}
    assert summary.generators["toy_remote"].cost == 2.5
    (why,) = summary.left
    assert "a job would cost 0.5" in why
    assert sum(summary.left.values()) == 3
    assert (summary.failed, summary.declined) == (0, 0)


def test_what_earlier_runs_have_spent_counts(make: Make) -> None:
    campaign = make({"toy_remote": 4}, **limit(2.5))
    campaign.generate()
    again = reopened(campaign, {"toy_remote": 8})
    assert again.estimate().generators["toy_remote"].left == 0.5
    assert again.generate().made == 1
    assert reopened(again).generate().made == 0
    assert money_spent(stored_jobs(campaign)) == 2.5


def test_a_budget_of_exactly_the_price_is_enough(make: Make) -> None:
    campaign = make({"toy_remote": 3}, generators={"toy_remote": {"price": 0.1}}, **limit(0.3))
    assert campaign.generate().made == 3


def test_a_job_of_several_images_is_made_smaller_when_all_of_it_would_pass_the_budget(make: Make) -> None:
    campaign = make({"toy_remote": 4}, generators={"toy_remote": {"per_job": 4}}, **limit(1.9))
    summary = campaign.generate()
    assert (summary.made, list(summary.left.values())) == (3, [1])
    assert [len(job.seeds) for job in toy_service().submits] == [3]
    assert money_spent(stored_jobs(campaign)) == 1.5


def test_a_job_is_not_handed_in_when_the_generator_makes_no_smaller_one_of_it(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToyRemote, "batches", lambda _, recipes: [recipes] if len(recipes) == 4 else [])
    campaign = make({"toy_remote": 4}, **limit(1.9))
    assert sum(campaign.generate().left.values()) == 4
    assert toy_service().submits == []


def test_images_that_were_not_asked_for_any_more_are_left_and_not_failed(make: Make) -> None:
    gone = [TicketLost("not asked for any more: the connection failed")]
    toy_service().error_of = lambda job, seed: gone.pop() if gone and seed == job.seeds[1] else None
    campaign = make({"toy_remote": 2}, generators={"toy_remote": {"per_job": 2}})
    summary = campaign.generate()
    assert (summary.made, summary.failed, list(summary.left.values())) == (1, 0, [1])
    assert campaign.status().services["toyland"].spent == 0.5
    assert reopened(campaign).generate().made == 1


def test_refused_jobs_and_images_cost_nothing(make: Make) -> None:
    service = toy_service()
    service.on_submit = lambda job: raises(Declined("no"))() if job.task_id == "3" else None
    service.error_of = lambda job, seed: GenerationFailed("broke") if seed == job.seeds[0] else None
    campaign = make({"toy_remote": 2}, ["a", "b", "c"], generators={"toy_remote": {"per_job": 2}}, **limit(10))
    summary = campaign.generate()
    assert (summary.made, summary.generators["toy_remote"].cost) == (2, 1.0)
    assert campaign.status().services["toyland"].spent == 1.0


def test_money_that_was_held_for_refused_jobs_is_there_for_others(make: Make) -> None:
    service = toy_service()
    service.on_submit = once(GenerationFailed("not taken"))
    service.error_of = lambda _job, seed, seen=[]: (seen.append(seed), GenerationFailed("x"))[1] if not seen else None
    campaign = make({"toy_remote": 6}, **limit(2.0, running=1))
    summary = campaign.generate()
    assert (summary.made, summary.failed, summary.left) == (4, 2, {})


def test_what_a_resumed_job_was_refused_is_given_back(make: Make) -> None:
    campaign = make({"toy_remote": 3}, ["a"], **limit(1.0, running=1))
    toy_service().on_poll = raises(Killed)
    with pytest.raises(Killed):
        campaign.generate()
    toy_service().on_poll = lambda *_: None
    first = toy_service().submits[0].id
    toy_service().error_of = lambda job, _seed: GenerationFailed("broke") if job.id == first else None
    again = reopened(campaign)
    summary = again.generate()
    assert (summary.made, summary.failed, summary.left) == (2, 1, {})


def test_a_job_whose_price_is_not_known_costs_nothing_that_is_known(make: Make) -> None:
    campaign = make({"toy_remote": 2}, generators={"toy_remote": {"free": True}})
    assert campaign.generate().generators["toy_remote"].cost is None
    assert [job.price for job in stored_jobs(campaign)] == [None, None]
    assert money_spent(stored_jobs(campaign)) == 0


def test_a_budget_without_a_price_is_refused_before_anything_is_sent(make: Make) -> None:
    campaign = make({"toy_remote": 2}, generators={"toy_remote": {"free": True}}, **limit(1.0))
    for verb in (campaign.generate, lambda: campaign.estimate()):
        with pytest.raises(InputError, match="no price is known for 'toy_remote'"):
            verb()
    assert toy_service().submits == []


def test_generators_of_one_service_share_its_budget(make: Make) -> None:
    generators = {"dark": {"kind": "toy_remote", "shade": 20}}
    campaign = make({"toy_remote": 3, "dark": 3}, generators=generators, **limit(2.0))
    assert campaign.estimate().over_budget == {"toyland": 1.0}
    summary = campaign.generate()
    assert (summary.made, sum(summary.left.values())) == (4, 2)


def test_a_budget_of_a_run_is_not_spent_in_two_currencies(make: Make) -> None:
    campaign = make(
        {"toy_remote": 2, "other": 2},
        generators={"other": {"kind": "toy_remote", "service": "second"}},
        services={"second": {"base_url": "http://toy.invalid", "currency": "USD"}},
    )
    for asked in (campaign.estimate, campaign.generate):
        with pytest.raises(InputError) as caught:
            asked(budget_money=5)
        assert "prices are in CNY (toy_remote) and USD (other): give --generator" in str(caught.value)
    assert toy_service().submits == toy_service("second").submits == []
    assert campaign.generate(budget_money=0).made == 0, "nothing is nothing in every currency"
    assert campaign.generate(generators=["other"], budget_money=5).made == 2
