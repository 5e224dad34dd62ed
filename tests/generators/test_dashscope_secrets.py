"""The key goes to the service's own origin and nowhere else, whatever the service answers."""

from __future__ import annotations

import json
import logging

import pytest
from dashscope_service import KEY, Serve, account_at, carried_out, generator_at, serving, text_task

from selector.domain import BestshotError, Made
from selector.domain.remote import ServiceStopped

serve = serving  # the fixture

FAULTS = (
    "",
    "key-echo",
    "part-echo",
    "refuse",
    "invalid",
    "moved",
    "500*9",
    "failed",
    "partial-fail",
    "html*9",
    "redirect",
    "expired",
)


def parts_of_the_key(text: str) -> list[str]:
    return [KEY[at : at + 6] for at in range(len(KEY) - 5) if KEY[at : at + 6] in text]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_part_of_the_key_is_in_anything_that_is_kept(
    serve: Serve, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    elsewhere = serve(key="")
    server = serve(redirect=elsewhere.url)
    account = account_at(server.url, max_retries=1)
    generator, inputs = generator_at(server, account), text_task(f"a cat @{fault} {KEY}" if fault else f"a cat {KEY}")
    kept: list[str] = []
    try:
        recipes = generator.recipes(inputs, 2, 0)
        ticket = generator.submit(inputs, recipes)
        kept += [repr(ticket), json.dumps(dict(ticket.facts))]
        for made in carried_out(generator, inputs, 2):
            kept.append(json.dumps({**made.notes, "prompt": ""}) if isinstance(made, Made) else repr(made))
    except BestshotError as error:
        kept += [repr(error), str(error)]
    kept += [
        json.dumps(account.troubles),
        repr(account.service),
        str(account.breaker.why),
        str(account.breaker.why_no_jobs),
        caplog.text,
    ]
    assert parts_of_the_key(" ".join(kept)) == []
    assert fault != "key-echo" or "***" in " ".join(kept) or "InvalidApiKey" in " ".join(kept)


def test_a_rewritten_prompt_that_holds_the_key_is_cleaned(serve: Serve) -> None:
    server = serve()
    (made,) = carried_out(generator_at(server, prompt_extend=True), text_task(f"a sign that says {KEY}"), 1)
    assert isinstance(made, Made)
    assert made.notes["actual_prompt"] == "a sign that says ***, in detail"


def test_a_request_that_is_sent_elsewhere_stops_and_the_other_server_gets_nothing(serve: Serve) -> None:
    elsewhere = serve(key="")
    server = serve(redirect=elsewhere.url)
    with pytest.raises(ServiceStopped, match=r"redirects to 127.0.0.1:\d+ \(HTTP 307\).*correct base_url"):
        carried_out(generator_at(server), text_task("a cat @moved"), 1)
    assert elsewhere.state.stats()["requests"] == {}


def test_downloads_carry_no_key(serve: Serve) -> None:
    server = serve()
    carried_out(generator_at(server), text_task("a cat"), 4)
    assert server.state.stats()["requests"]["downloads"] == 4
    assert server.state.stats()["violations"] == {}
