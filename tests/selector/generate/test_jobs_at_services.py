"""Jobs at a service: stored before they are asked for, collected by later runs, paid for once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from conftest import ToyGenerator
from toy_services import (
    Killed,
    Make,
    ToyJob,
    ToyRemote,
    all_is_answered,
    attempts,
    once,
    outcomes,
    raises,
    reopened,
    stored_jobs,
    toy_service,
)

from selector.domain import Declined, GenerationFailed, MissingPart, Recipe, ServiceStopped, TicketLost
from selector.generate import verb
from selector.generate._remote import REISSUES, STILL_RUNNING
from selector.generate.generating import generate
from selector.net import Interrupted
from selector.store.jobs import MOST_DOWNLOADS
from selector.workspace.executor import Executor, WorkQueue


def test_jobs_run_for_several_questions_and_their_images_are_made(make: Make) -> None:
    toy_service().polls = 3
    campaign = make({"toy_remote": 3}, ["a", "b"])
    summary = campaign.generate()
    assert (summary.made, summary.failed, summary.left) == (6, 0, {})
    assert [job.polls for job in toy_service().jobs.values()] == [3] * 6
    assert all_is_answered(campaign)
    assert len({a.candidate_id for a in attempts(campaign)}) == 6


def test_a_second_run_asks_the_service_nothing(make: Make) -> None:
    campaign = make({"toy_remote": 2}, ["a", "b"])
    campaign.generate()
    before = len(toy_service().submits), len(toy_service().fetches)
    summary = reopened(campaign).generate()
    assert (summary.made, summary.already) == (0, 4)
    assert (len(toy_service().submits), len(toy_service().fetches)) == before


def test_a_job_is_stored_before_it_is_first_asked_for(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 2}}, generators={"toy_remote": {"per_job": 2}})
    seen: list[Any] = []
    toy_service().on_poll = lambda job: seen.append((job, stored_jobs(campaign)))
    campaign.generate()
    ((asked, (job,)),) = seen
    assert (job.ticket, job.task_id, job.generator, job.service) == (asked.id, "3", "toy_remote", "toyland")
    assert (len(job.recipe_keys), job.price, dict(job.ends), job.resumable) == (2, 0.5, {}, True)
    assert job.facts["seeds"] == list(asked.seeds)


def test_a_service_that_answers_at_once_is_never_asked(make: Make) -> None:
    service = toy_service()
    service.polls, service.resumable, service.on_poll = 0, False, raises(AssertionError("asked"))
    campaign = make({"toy_remote": 3}, generators={"toy_remote": {"per_job": 3}})
    assert campaign.generate().made == 3
    assert [set(job.ends.values()) for job in stored_jobs(campaign)] == [{"delivered"}]


def test_a_killed_run_is_resumed_by_its_ticket_and_nothing_is_paid_again(make: Make) -> None:
    campaign = make({"toy_remote": 4}, generators={"toy_remote": {"per_job": 4}})
    toy_service().on_poll = raises(Killed)
    with pytest.raises(Killed):
        campaign.generate()
    assert not attempts(campaign)
    toy_service().on_poll = lambda *_: None
    again = reopened(campaign)
    summary = again.generate()
    assert (summary.made, len(toy_service().submits), len(stored_jobs(again))) == (4, 1, 1)
    assert summary.generators["toy_remote"].cost is None  # the earlier run has paid
    assert again.status().services["toyland"].spent == 2.0
    assert all_is_answered(again)


@pytest.mark.parametrize(("polls", "made"), [(0, 1), (1, 0)])
def test_a_second_job_is_not_handed_in_when_the_run_is_being_stopped(
    make: Make, monkeypatch: pytest.MonkeyPatch, polls: int, made: int
) -> None:
    stop: list[threading.Event] = []
    kept = verb._orders

    def orders(*given: Any) -> Any:
        stop.append(given[-1])
        return kept(*given)

    monkeypatch.setattr(verb, "_orders", orders)
    toy_service().polls, toy_service().on_accept = polls, lambda _job: stop[0].set()
    campaign = make({"toy_remote": 3})
    campaign.generate()
    assert len(toy_service().submits) == len(stored_jobs(campaign)) == 1
    assert len(attempts(campaign)) == made  # what has come is kept
    toy_service().on_accept = lambda _job: None
    assert reopened(campaign).generate().made == 3 - made
    assert len(toy_service().submits) == 3


def test_a_download_that_failed_is_collected_again_without_paying(make: Make) -> None:
    toy_service().on_fetch = once(GenerationFailed("the connection failed"))
    campaign = make({"toy_remote": 2}, generators={"toy_remote": {"per_job": 2}})
    summary = campaign.generate()
    assert (summary.made, summary.failed, summary.generators["toy_remote"].cost) == (1, 1, 1.0)
    assert sorted(stored_jobs(campaign)[0].ends.values()) == ["delivered", "undelivered"]
    assert reopened(campaign).generate().made == 0
    retried = reopened(campaign)
    summary = retried.generate(retry_failed=True)
    assert (summary.made, summary.generators["toy_remote"].cost) == (1, None)
    assert len(toy_service().submits) == 1
    assert retried.status().services["toyland"].spent == 1.0
    assert all_is_answered(retried)


def test_an_image_that_is_damaged_at_the_service_is_made_anew_after_some_runs(make: Make) -> None:
    campaign = make({"toy_remote": 1})
    toy_service().on_fetch = raises(GenerationFailed("it is no picture"))
    for run in range(MOST_DOWNLOADS):
        assert campaign.generate(retry_failed=True).failed == 1
        assert (len(toy_service().fetches), len(toy_service().submits)) == (run + 1, 1)
    estimated = campaign.estimate(retry_failed=True).generators["toy_remote"]
    assert (estimated.to_make, estimated.collect) == (1, 0)
    toy_service().on_fetch = lambda *_: None
    assert campaign.generate(retry_failed=True).made == 1
    assert len(toy_service().submits) == 2
    assert campaign.status().services["toyland"].spent == 1.0


@pytest.mark.parametrize("lost", ["gone", "cut short"])
def test_a_lost_file_is_asked_for_again_before_it_is_paid_again(make: Make, lost: str) -> None:
    campaign = make({"toy_remote": 2})
    campaign.generate()
    (one, _) = attempts(campaign)
    path = campaign._ws.images.path(str(one.candidate_id))
    whole = path.read_bytes()
    path.unlink() if lost == "gone" else path.write_bytes(whole[:99])
    again = reopened(campaign)
    assert again.estimate().generators["toy_remote"].collect == 1
    assert again.generate().made == 1
    assert len(toy_service().submits) == 2
    assert path.read_bytes() == whole


def test_a_lost_file_of_a_forgotten_job_is_paid_again_knowingly(make: Make) -> None:
    campaign = make({"toy_remote": 1})
    campaign.generate()
    (one,) = attempts(campaign)
    campaign._ws.images.path(str(one.candidate_id)).unlink()
    toy_service().jobs.clear()
    again = reopened(campaign)
    assert again.generate().made == 1
    assert sorted(e for job in stored_jobs(again) for e in job.ends.values()) == ["delivered", "lost"]


def test_lost_jobs_are_issued_anew_so_often_and_then_given_up(make: Make) -> None:
    def forget(job: ToyJob) -> None:
        toy_service().forget(job.id)
        raise TicketLost("no such job")

    toy_service().on_poll = forget
    campaign = make({"toy_remote": 1})
    summary = campaign.generate()
    assert len(toy_service().submits) == 1 + REISSUES
    assert (summary.failed, summary.made) == (1, 0)
    assert "lost again" in next(iter(summary.reasons))
    assert [set(job.ends.values()) for job in stored_jobs(campaign)] == [{"lost"}] * (1 + REISSUES)
    assert reopened(campaign).generate().failed == 0  # only with --retry-failed
    assert len(toy_service().submits) == 1 + REISSUES


def test_a_job_that_was_lost_once_is_issued_anew_and_only_its_images(make: Make) -> None:
    toy_service().on_poll = once(TicketLost("no such job"))
    campaign = make({"toy_remote": 3})
    assert campaign.generate().made == 3
    assert len(toy_service().submits) == 4


def test_the_ticket_of_an_earlier_run_that_is_lost_is_issued_anew(make: Make) -> None:
    campaign = make({"toy_remote": 2}, generators={"toy_remote": {"per_job": 2}})
    toy_service().on_poll = raises(Killed)
    with pytest.raises(Killed):
        campaign.generate()
    toy_service().on_poll = lambda *_: None
    toy_service().jobs.clear()
    again = reopened(campaign)
    assert again.generate().made == 2
    assert len(toy_service().submits) == 2
    assert again.status().services["toyland"].spent == 2.0  # the lost one was paid too


def test_what_a_service_sends_of_a_job_is_kept_and_the_rest_fails_with_its_reason(make: Make) -> None:
    def error_of(job: ToyJob, seed: int) -> Any:
        if seed == job.seeds[1]:
            return Declined("the picture was refused")
        return GenerationFailed("the model broke") if seed == job.seeds[2] else None

    toy_service().error_of = error_of
    campaign = make({"toy_remote": 4}, generators={"toy_remote": {"per_job": 4}})
    summary = campaign.generate()
    assert (summary.made, summary.declined, summary.failed) == (2, 1, 1)
    assert (summary.generators["toy_remote"].cost, campaign.status().services["toyland"].spent) == (1.0, 1.0)
    assert summary.reasons == {"toy_remote: the picture was refused": 1, "toy_remote: the model broke": 1}
    assert all_is_answered(campaign)
    toy_service().error_of = lambda *_: None
    again = reopened(campaign)
    assert again.generate(retry_failed=True).made == 1  # what failed, not what was refused
    assert [len(job.seeds) for job in toy_service().submits] == [4, 1]


def test_a_job_that_brings_too_little_fails_for_the_rest_and_fills_in_nothing(make: Make) -> None:
    toy_service().brings = lambda sent: sent[:1]
    campaign = make({"toy_remote": 3}, generators={"toy_remote": {"per_job": 3}})
    summary = campaign.generate()
    assert (summary.made, summary.failed) == (1, 2)
    assert "a job of 3 images brought 1" in next(iter(summary.reasons))
    assert all_is_answered(campaign)


@pytest.mark.parametrize("polls", [0, 1])
def test_a_job_that_brings_nothing_at_all_fails(make: Make, polls: int) -> None:
    toy_service().polls, toy_service().brings = polls, lambda _sent: []
    assert make({"toy_remote": 2}).generate().failed == 2


def test_words_that_were_refused_are_not_sent_again(make: Make) -> None:
    def refuse(job: ToyJob) -> None:
        if "Keep everything" not in job.prompt:
            raise Declined("these words are refused")

    toy_service().on_submit = refuse
    campaign = make({"toy_remote": {"n": 6, "prompts": ["as_is", "suffix"]}}, ["red", "blue"])
    summary = campaign.generate()
    assert (summary.made, summary.declined) == (6, 6)
    sent = [job.prompt for job in toy_service().submits]
    assert (sent.count("red"), sent.count("blue"), len(sent)) == (1, 1, 8)
    assert all("Keep everything" in a.notes["prompt"] for a in attempts(campaign) if a.outcome == "made")
    assert (summary.generators["toy_remote"].cost, campaign.status().services["toyland"].spent) == (3.0, 3.0)


def test_a_job_that_is_refused_when_it_is_asked_for_was_not_paid(make: Make) -> None:
    toy_service().on_poll = raises(Declined("refused after a look"))
    campaign = make({"toy_remote": 2})
    assert campaign.generate().declined == 2
    assert {e for job in stored_jobs(campaign) for e in job.ends.values()} == {"refused"}
    assert campaign.status().services["toyland"].spent == 0


@pytest.mark.parametrize("error", [GenerationFailed("rejected"), ZeroDivisionError("a bug"), TicketLost("HTTP 404")])
def test_a_job_that_is_not_taken_fails_with_its_reason_and_ends_no_run(make: Make, error: Exception) -> None:
    def hook(job: ToyJob) -> None:
        if job.task_id == "3":
            raise error

    toy_service().on_submit = hook
    campaign = make({"toy_remote": 1, "toy": 1}, ["a", "b"])
    summary = campaign.generate(generators=["toy_remote"])
    assert (summary.made, summary.failed, len(toy_service().submits)) == (1, 1, 2)
    assert str(error) in next(iter(summary.reasons))
    assert len(stored_jobs(campaign)) == 1


def test_a_key_that_is_missing_stops_nothing_else_and_the_next_run_tries_again(make: Make) -> None:
    toy_service().on_submit = raises(MissingPart("export KEY=... first"))
    campaign = make({"toy_remote": 1, "toy": 1}, ["a", "b"])
    summary = campaign.generate()
    assert (summary.made, summary.missing) == (2, 2)
    toy_service().on_submit = lambda *_: None
    assert reopened(campaign).generate().made == 2


@pytest.mark.parametrize("error", [GenerationFailed("no answer"), KeyError("output"), MissingPart("no key")])
def test_a_question_that_fails_leaves_the_job_for_the_next_run(make: Make, error: Exception) -> None:
    toy_service().on_poll = raises(error)
    campaign = make({"toy_remote": 2}, generators={"toy_remote": {"per_job": 2}})
    summary = campaign.generate()
    assert (summary.made, summary.failed, sum(summary.left.values())) == (0, 0, 2)
    assert not attempts(campaign)
    toy_service().on_poll = lambda *_: None
    assert reopened(campaign).generate().made == 2
    assert len(toy_service().submits) == 1


def test_a_job_that_takes_too_long_is_left_and_collected_later(make: Make) -> None:
    toy_service().polls = 10**9
    campaign = make({"toy_remote": 1}, services={"toyland": {"job_seconds": 0.05}})
    for _ in range(2):
        assert campaign.generate().left == {f"toy_remote: {STILL_RUNNING}": 1}
    toy_service().polls = 1
    assert campaign.generate().made == 1
    assert len(toy_service().submits) == 1


def test_a_fetch_that_breaks_fails_its_image_alone(make: Make) -> None:
    toy_service().on_fetch = once(ValueError("no such pixel"))
    summary = make({"toy_remote": 3}).generate()
    assert (summary.made, summary.failed) == (2, 1)
    assert summary.reasons == {"toy_remote: ValueError: no such pixel": 1}


def test_a_job_without_a_way_back_is_paid_again_after_a_failed_download(make: Make) -> None:
    service = toy_service()
    service.polls, service.resumable, service.on_fetch = 0, False, once(GenerationFailed("cut off"))
    campaign = make({"toy_remote": 1})
    assert campaign.generate().failed == 1
    assert campaign.estimate(retry_failed=True).generators["toy_remote"].to_make == 1
    assert campaign.generate(retry_failed=True).made == 1
    assert len(service.submits) == 2


def test_places_at_the_service_are_never_exceeded_and_always_given_back(make: Make) -> None:
    service = toy_service()
    calls = iter(range(10**6))
    service.polls = 2

    def trouble(job: ToyJob) -> None:
        at = next(calls)
        if at % 5 == 1:
            service.open.discard(job.id)
            raise (GenerationFailed("x"), Declined("y"), ValueError("z"))[at % 3]

    service.on_submit = trouble
    service.on_poll = lambda job: trouble(job) if job.polls == 1 else None
    service.on_fetch = lambda *_: trouble(ToyJob("", "", "", (), 0))
    campaign = make({"toy_remote": 6}, [f"p{i}" for i in range(6)], services={"toyland": {"running": 3}})
    accounts: list[Any] = []
    kept = verb._orders

    def orders(*given: Any) -> Any:
        found = kept(*given)
        accounts.extend({id(o.generator.account): o.generator.account for o in found[0].orders}.values())
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verb, "_orders", orders)
        campaign.generate()
    assert 1 < service.most_running <= 3
    (account,) = accounts
    assert [account.slots.acquire(blocking=False) for _ in range(4)] == [True, True, True, False]
    assert account.spending._held == pytest.approx(0)


def test_a_service_that_stops_leaves_other_generators_at_work(make: Make) -> None:
    toy_service().on_submit = raises(ServiceStopped("service toyland: no money left, top it up"))
    campaign = make({"toy_remote": 3, "toy": 2}, ["a", "b"])
    summary = campaign.generate()
    assert (summary.made, summary.failed, outcomes(campaign)) == (4, 0, {("toy", "made"): 4})
    assert summary.left == {"toy_remote: service toyland: no money left, top it up": 6}
    assert summary.generators["toy_remote"].left == 6
    assert ToyGenerator.calls
    toy_service().on_submit = lambda *_: None
    assert reopened(campaign).generate().made == 6


def test_a_service_that_stops_while_a_job_runs_leaves_that_job_for_the_next_run(make: Make) -> None:
    toy_service().on_poll = raises(ServiceStopped("the server is silent"))
    campaign = make({"toy_remote": 2})
    assert sum(campaign.generate().left.values()) == 2
    taken = len(toy_service().jobs)
    toy_service().on_poll = lambda *_: None
    assert reopened(campaign).generate().made == 2
    assert len(toy_service().submits) == 2 >= taken


def test_images_that_have_come_are_kept_when_a_neighbour_is_interrupted(make: Make) -> None:
    toy_service().on_fetch = once(Interrupted("stopped"))
    campaign = make({"toy_remote": 4}, generators={"toy_remote": {"per_job": 4}})
    with pytest.raises(Interrupted):  # nobody had ended the run
        campaign.generate()
    assert outcomes(campaign) == {("toy_remote", "made"): 3}
    assert reopened(campaign).generate().made == 1
    assert len(toy_service().submits) == 1


def test_jobs_of_an_earlier_run_are_begun_before_anything_new(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    service, begun = toy_service(), []
    service.on_poll = raises(GenerationFailed("no answer today"))
    campaign = make({"toy_remote": 1}, ["a", "b", "c", "d"])
    campaign.generate(task_ids=[campaign.tasks[-1].id])
    service.on_poll = lambda _: None
    add = Executor.add

    def noted(executor: Executor[Any, Any], place: WorkQueue, work: Any, group: str = "") -> None:
        begun.append(work.order.task.prompt)
        add(executor, place, work, group)

    monkeypatch.setattr(Executor, "add", noted)
    assert reopened(campaign).generate().made == 4
    assert begun == ["d", "a", "b", "c"]
    assert len(service.submits) == 4, "the first is not paid again"


def test_recipes_that_are_the_same_are_made_and_paid_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyRemote, "recipes", lambda *_: [Recipe("", 7, {"shade": 90})])  # whatever the seed
    campaign = make({"toy_remote": {"seeds": [0, 2147483647]}})
    assert campaign.generate().made == 1
    assert len(toy_service().submits) == 1
    assert reopened(campaign).generate().made == 0
    assert len(toy_service().submits) == 1


def test_the_first_and_the_last_seed_are_two_pictures(make: Make) -> None:
    campaign = make({"toy_remote": {"seeds": [0, 2147483647]}})
    assert campaign.generate().made == 2
    assert {attempt.recipe.seed for attempt in attempts(campaign)} == {0, 2147483647}


def test_jobs_that_run_are_collected_though_the_service_takes_no_more(make: Make) -> None:
    service = toy_service()
    campaign = make({"toy_remote": 1}, ["a", "b", "c", "d"], services={"toyland": {"running": 1}})
    service.on_poll = raises(GenerationFailed("no answer today"))
    campaign.generate(task_ids=[campaign.tasks[-1].id])
    service.on_poll = lambda _: None
    again = reopened(campaign)
    stop = threading.Event()
    orders = verb._orders(again._ws, verb.Wanted(again.tasks), stop)[0].orders
    orders[0].generator.account.breaker.stop("no money", handing_in=True)  # type: ignore[attr-defined]
    summary = generate(again._ws, orders, stop=stop)
    assert summary.made == 1 and sum(summary.left.values()) == 3
    assert len(service.submits) == 1
