"""What goes wrong at the service, and what the client makes of it: again, declined, failed, lost, or stopped."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from dashscope_service import (
    KEY_ENV,
    Serve,
    account_at,
    carried_out,
    edit_task,
    generator_at,
    one,
    serving,
    text_task,
    wait_for,
)

from generators.dashscope import DashScope
from selector.domain import BestshotError, Declined, GenerationFailed, Made
from selector.domain.remote import ServiceStopped, Ticket, TicketLost
from selector.net import Answer, Trouble, troubles
from tests.servers.dashscope_pictures import shows

serve = serving  # the fixture

PASSING = (
    "429*3",
    "429-retry-after",
    "500",
    "503*2",
    "drop",
    "drop-created",
    "poll-429",
    "poll-500",
    "poll-drop",
    "poll-damaged",
    "slow",
    "html",
    "truncated",
    "cut",
    "download-500",
    "download-drop",
    "download-429",
)


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_tried_again_until_the_picture_is_there(serve: Serve, fault: str) -> None:
    server = serve(slow_seconds=0.3, retry_after_seconds=0.05)
    account = account_at(server.url)
    prompt = f"a cat @{fault}"
    made = one(generator_at(server, account), text_task(prompt))
    assert shows(made.image, prompt, 5)
    assert sum(server.state.faults.count.values()) == int(fault.partition("*")[2] or 1)
    assert fault == "slow" or sum(account.troubles.values()) >= 1


def test_a_job_whose_reply_was_dropped_is_counted_as_paid_and_lost(serve: Serve) -> None:
    server = serve()
    one(generator_at(server), text_task("a cat @drop-created"))
    stats = server.state.stats()
    assert (stats["jobs"], stats["paid"], stats["paid_lost"]) == (2, 2, 1)


@pytest.mark.parametrize("model", ["wanx2.1-t2i-turbo", "qwen-image"])
def test_refused_content_is_declined_after_one_request(serve: Serve, model: str) -> None:
    server = serve()
    with pytest.raises(Declined, match=r"refused by the server's content check \(the server says: DataInspectionFailed"):
        one(generator_at(server, model=model), text_task("a cat @refuse"))
    assert server.state.stats()["requests"]["submits"] == 1


def test_a_rejected_request_fails_with_a_reason_that_can_be_counted(serve: Serve) -> None:
    server = serve()
    with pytest.raises(GenerationFailed) as caught:
        one(generator_at(server), text_task("a cat @invalid"))
    said = "InvalidParameter: parameter check failed: …"
    assert str(caught.value) == f"the server rejected the request (HTTP 400) (the server says: {said})"
    assert server.state.stats()["requests"]["submits"] == 1


@pytest.mark.parametrize(
    ("fault", "cure"),
    [
        ("arrears", "no money or quota left: top it up"),
        ("key-echo", f"check {KEY_ENV}"),
        ("no-access", "activate the model in the console, or choose another (the server says: AccessDenied.Unpurchased"),
        ("no-quota", "no money or quota left: top it up"),
    ],
)
def test_what_concerns_the_account_stops_all_of_its_requests(serve: Serve, fault: str, cure: str) -> None:
    server = serve()
    generator = generator_at(server)
    for prompt in (f"a cat @{fault}", "an innocent dog"):
        with pytest.raises(ServiceStopped) as caught:
            one(generator, text_task(prompt))
        assert cure in str(caught.value) and "\n" not in str(caught.value)
    assert server.state.stats()["requests"]["submits"] == 1


def test_an_unknown_model_at_the_service_stops_with_a_cure(serve: Serve) -> None:
    server = serve(models=("wanx2.1-t2i-plus",))
    with pytest.raises(ServiceStopped, match=r"does not know the model wanx2\.1-t2i-turbo"):
        one(generator_at(server), text_task("a cat"))


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("partial-refuse", Declined, "refuses the content of the image"),
        ("partial-fail", GenerationFailed, "failed to make the image (InternalError.Algo"),
    ],
)
def test_partial_success_keeps_what_came(serve: Serve, fault: str, kind: type[BestshotError], said: str) -> None:
    server = serve()
    made = carried_out(generator_at(server), text_task(f"a cat @{fault}"), 4)
    assert [isinstance(m, Made) for m in made] == [True, True, True, False]
    assert isinstance(made[3], kind) and said in str(made[3])
    assert server.state.stats()["paid"] == 3


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("failed", GenerationFailed, "InternalError.Timeout: request … failed"),
        ("failed-refuse", Declined, "DataInspectionFailed"),
        ("canceled", GenerationFailed, "CANCELED"),
    ],
)
def test_a_job_that_failed_as_a_whole_is_an_error_in_every_delivery(
    serve: Serve, fault: str, kind: type[BestshotError], said: str
) -> None:
    made = carried_out(generator_at(serve()), text_task(f"a cat @{fault}"), 3)
    assert len(made) == 3
    assert all(isinstance(m, kind) and said in str(m) for m in made)


@pytest.mark.parametrize("fault", ["unknown", "gone"])
def test_a_job_that_the_service_forgot_is_lost_and_can_be_issued_again(serve: Serve, fault: str) -> None:
    server = serve()
    generator, inputs = generator_at(server), text_task(f"a cat @{fault}")
    with pytest.raises(TicketLost):
        carried_out(generator, inputs, 2)
    assert all(isinstance(made, Made) for made in carried_out(generator, inputs, 2))


def test_a_ticket_that_never_was_is_lost(serve: Serve) -> None:
    with pytest.raises(TicketLost):
        generator_at(serve()).poll(Ticket("00000000", {"n": 1, "seed": 0}))


def test_an_address_that_has_run_out_fails_at_once_and_says_so(serve: Serve) -> None:
    server = serve()
    (made,) = carried_out(generator_at(server), text_task("a cat @expired"), 1)
    assert isinstance(made, GenerationFailed) and "expired (HTTP 403)" in str(made)
    assert server.state.stats()["requests"]["downloads"] == 1


@pytest.mark.parametrize(("fault", "said"), [("html", "page of text"), ("truncated", "damaged"), ("cut", "connection")])
def test_a_picture_that_never_comes_whole_is_given_up_with_its_reason(serve: Serve, fault: str, said: str) -> None:
    server = serve()
    generator = generator_at(server, account_at(server.url, max_retries=2))
    (made,) = carried_out(generator, text_task(f"a cat @{fault}*9"), 1)
    assert isinstance(made, GenerationFailed) and said in str(made) and "(3 times)" in str(made)
    assert "http" not in str(made)


def test_a_dead_service_is_given_up_by_all_instead_of_failing_every_task(serve: Serve) -> None:
    server = serve()
    account = account_at(server.url, max_retries=20)
    generator = generator_at(server, account)
    with ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(lambda i: _error(generator, f"cat {i} @500*999"), range(40)))
    assert all(isinstance(error, ServiceStopped) for error in errors)
    assert "48 times in a row" in str(errors[0])
    assert server.state.stats()["requests"]["submits"] < 80


def test_an_address_where_nobody_listens_says_so() -> None:
    generator = DashScope(account=account_at("http://127.0.0.1:9", key_env="", max_retries=1))
    with pytest.raises(GenerationFailed, match="cannot be reached"):
        one(generator, text_task("a cat"))


def test_retry_after_is_honoured_by_every_worker(serve: Serve) -> None:
    server = serve(retry_after_seconds=0.6)
    generator = generator_at(server)
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        throttled = pool.submit(one, generator, text_task("a cat @429-retry-after"))
        time.sleep(0.2)
        other = pool.submit(one, generator, text_task("a dog"))
        assert throttled.result() and other.result()
    created = [job.created for job in server.state.jobs.values()]
    assert len(created) == 2
    assert min(created) - (time.time() - (time.monotonic() - started)) >= 0.55


def test_a_service_that_asks_for_an_hour_ends_the_run(serve: Serve) -> None:
    server = serve(retry_after_seconds=3600.0)
    with pytest.raises(ServiceStopped, match="60 minutes"):
        one(generator_at(server), text_task("a cat @429-retry-after"))


def test_a_mixture_of_faults_loses_nothing(serve: Serve) -> None:
    shares = {"429": 0.1, "500": 0.05, "drop": 0.05, "poll-500": 0.05, "html": 0.05, "truncated": 0.05, "refuse": 0.1}
    server = serve(shares=shares, seed=3)
    generator = generator_at(server)
    prompts = [f"cat {i}" for i in range(30)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda p: _outcome(generator, p), prompts))
    refused = [o for o in outcomes if isinstance(o, Declined)]
    assert 0 < len(refused) < 10
    for prompt, outcome in zip(prompts, outcomes, strict=True):
        if not isinstance(outcome, Declined):
            assert [shows(m.image, prompt, 5 + i) for i, m in enumerate(outcome) if isinstance(m, Made)] == [True] * 4
    assert server.state.stats()["paid"] == 4 * (30 - len(refused))


def test_edits_meet_the_same_faults(serve: Serve) -> None:
    server = serve()
    generator = generator_at(server, model="wanx2.1-imageedit")
    made = carried_out(generator, edit_task("make it red @500 @html @partial-refuse"), 2)
    assert isinstance(made[0], Made) and isinstance(made[1], Declined)


def test_a_job_that_is_asked_for_after_it_ended_is_not_paid_again(serve: Serve) -> None:
    server = serve()
    generator, inputs = generator_at(server), text_task("a cat")
    recipes = generator.recipes(inputs, 2, 0)
    ticket = generator.submit(inputs, recipes)
    first, second = wait_for(generator, ticket), wait_for(generator, ticket)
    assert [d.url for d in first] == [d.url for d in second]
    assert server.state.stats()["paid"] == 2


def _outcome(generator: DashScope, prompt: str) -> list[Made | BestshotError] | Declined:
    try:
        return carried_out(generator, text_task(prompt), 4)
    except Declined as error:
        return error


def _error(generator: DashScope, prompt: str) -> Exception | None:
    try:
        one(generator, text_task(prompt))
    except BestshotError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": "DataInspectionFailed", "message": "no"}, troubles.REFUSED),
        ({"code": "Throttling", "message": "no"}, troubles.THROTTLED),
        ({"code": "", "output": {}}, ""),
        ({"code": "x", "output": {"task_id": "1"}}, ""),
        ([], ""),
    ],
)
def test_an_error_may_come_under_http_200(body: object, kind: str) -> None:
    came = DashScope(account=account_at("http://127.0.0.1:9", key_env=""))._checked(Answer(200, {}, body))
    assert (came.kind if isinstance(came, Trouble) else "") == kind
