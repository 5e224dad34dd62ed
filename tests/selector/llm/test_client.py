"""The client against a real HTTP server on loopback that misbehaves in every way it knows."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest

from selector.domain import InputError, OutOfResources, Picture, TaskType, encode_final
from selector.llm import JudgeStopped, read_key
from selector.llm._answers import Answer
from selector.llm._asking import reading_of
from selector.llm._client import ChatClient
from selector.llm._endpoint import Budget, Endpoint, Price, Usage
from selector.llm._replies import read_answer
from selector.llm._request import Dialect, rubric_chat
from selector.llm._rubrics import Rubric, ask_pq, ask_sc
from selector.net import troubles
from selector.net.pace import Pace
from tests.servers import judge_server as js
from tests.servers.judge_server import Behaviour, JudgeServer, truth

PQ = ask_pq(("naturalness", "freedom_from_artefacts"))
PICTURE = Picture(encode_final(np.full((8, 8, 3), 90, np.uint8)))
RIGHT = {part: truth(PICTURE.id, part) for part in PQ.parts}


@dataclass(frozen=True)
class Asked:
    """How one question ended, and in how many requests."""

    outcome: str
    scores: Mapping[str, float]
    reason: str | None
    usage: Usage
    tries: int


class Judge:
    """The client with a judge's way to ask and to read, as a run of ``score --judge`` has it, without a store."""

    def __init__(self, server: JudgeServer, **changes: Any) -> None:
        settings: dict[str, Any] = {
            "model": "toy-judge", "key": "", "timeout": 5.0, "retries": 3, "format": "auto", "limit": None,
            "price": Price(), "temperature": 0.0, "seed": None, "url": server.url,
        } | changes  # fmt: skip
        stop = threading.Event()
        place = [settings[name] for name in ("url", "model", "key", "timeout", "retries", "price")]
        dialect = Dialect(settings["format"], settings["temperature"], settings["seed"], 300)
        self.budget = Budget(settings["limit"], stop)
        self.client = ChatClient(Endpoint(*place), dialect, Pace(0, 0.01, Random(0), stop), self.budget)
        self._server = server

    def ask(self, rubric: Rubric, pictures: Sequence[Picture], repeat: int = 0) -> Asked:
        before = self._server.received
        came = self.client.ask(rubric_chat(rubric, pictures), rubric.axis.value, rubric.schema, repeat)
        reading = reading_of(came, lambda a: read_answer(a, rubric.parts))
        usage = came.usage if isinstance(came, Answer) else Usage()
        return Asked(reading.outcome, reading.scores, reading.reason, usage, self._server.received - before)


def always(fault: str, **more: Any) -> Behaviour:
    return Behaviour(fault=lambda *_: fault, **more)


def at_first(fault: str, times: int = 1, **more: Any) -> Behaviour:
    return Behaviour(fault=lambda number, *_: fault if number < times else js.GOOD, **more)


def ask(behaviour: Behaviour, **changes: Any) -> tuple[Asked, JudgeServer]:
    with JudgeServer(behaviour) as server:
        return Judge(server, **changes).ask(PQ, [PICTURE]), server


@pytest.mark.parametrize("fault", js.FINE)
def test_what_is_well_formed_is_scored_right(fault: str) -> None:
    reply, server = ask(always(fault))
    assert (reply.outcome, reply.scores, reply.tries) == ("scored", RIGHT, 1)
    assert (reply.usage.tokens_in, reply.usage.tokens_out) == (1000, 20)
    assert server.log[0].images == (PICTURE.id,) and server.log[0].mime_matches


@pytest.mark.parametrize("fault", js.UNREADABLE)
def test_what_is_malformed_is_unreadable_with_its_reason(fault: str) -> None:
    reply, server = ask(always(fault))
    assert (reply.outcome, reply.reason, reply.scores) == ("unreadable", js.UNREADABLE[fault], {})
    assert len(server.log) == 1, "asking again is up to the caller, who stores this reply first"


@pytest.mark.parametrize("fault", js.REFUSING)
def test_refusals_are_told_apart(fault: str) -> None:
    reply, server = ask(always(fault))
    assert (reply.outcome, reply.reason, len(server.log)) == ("refused", js.REFUSING[fault], 1)


@pytest.mark.parametrize("fault", js.PASSING)
def test_what_passes_is_tried_again(fault: str) -> None:
    times = 1 if fault == "no choices" else 2  # that may be paid for
    reply, server = ask(at_first(fault, times, slow_seconds=1.0), timeout=0.3)
    assert (reply.outcome, reply.scores, reply.tries, len(server.log)) == ("scored", RIGHT, times + 1, times + 1)


@pytest.mark.parametrize("fault", [js.BROKEN_SERVER, js.SLOW, js.CUT])
def test_tries_are_bounded_and_then_it_is_unanswered(fault: str) -> None:
    reply, server = ask(always(fault, slow_seconds=1.0), timeout=0.2, retries=2)
    assert (reply.outcome, reply.scores, len(server.log)) == ("unanswered", {}, 3)
    assert reply.reason in {
        "the server failed (HTTP 500)",
        "the server did not answer in time",
        "the connection failed",
    }


def test_retry_after_is_kept_and_holds_back_other_workers() -> None:
    faults = iter([js.THROTTLE])
    behaviour = Behaviour(fault=lambda *_: next(faults, js.GOOD), retry_after={"Retry-After": "1"})
    with JudgeServer(behaviour) as server:
        asker = Judge(server)
        started = time.monotonic()
        thread = threading.Thread(target=asker.ask, args=(PQ, [PICTURE]))
        thread.start()
        while not server.log:
            time.sleep(0.01)
        time.sleep(0.1)
        asker.ask(PQ, [PICTURE])  # by another worker, which was not throttled itself
        assert time.monotonic() - started >= 1.0
        thread.join()
    assert asker.client.troubles == {"the server is throttling": 1}


def test_throttling_does_not_use_up_the_retries() -> None:
    reply, _ = ask(at_first(js.THROTTLE, 8, retry_after={"retry-after-ms": "1"}), retries=1)
    assert reply.outcome == "scored"


@pytest.mark.parametrize(("asked", "told"), [("3600", "60 minutes"), ("1e999", "more than a week")])
def test_a_very_long_pause_ends_the_run_instead(asked: str, told: str) -> None:
    with pytest.raises(JudgeStopped, match=f"wait for {told}"):
        ask(always(js.THROTTLE, retry_after={"Retry-After": asked}))


def test_a_redirect_takes_neither_key_nor_picture_to_another_place() -> None:
    with JudgeServer() as other, JudgeServer() as server:
        moved = {"Location": f"{other.url}/chat/completions"}
        server.behaviour.fault, server.behaviour.moved = (lambda *_: js.MOVED), moved
        with pytest.raises(JudgeStopped, match=r"it redirects to 127\.0\.0\.1:\d+ \(HTTP 307\).*correct base_url"):
            Judge(server, key="sk-secret-123456").ask(PQ, [PICTURE])
    assert other.received == 0


@pytest.mark.parametrize(
    "said", [b"[" * 100_000, b'{"choices": [{"message": {"content": 7}}], "x": 1e999}', b"<html>", b'"\xff', b"[]"]
)
def test_a_reply_that_is_no_completion_is_unanswered_or_unreadable(said: bytes) -> None:
    with JudgeServer(Behaviour(fault=lambda *_: js.RAW, raw=said)) as server:
        reply = Judge(server, retries=0).ask(PQ, [PICTURE])
    assert (reply.outcome, reply.reason) in {
        ("unanswered", "the server's reply was damaged"),
        ("unreadable", "the reply is empty"),
    }


@pytest.mark.parametrize(
    ("formats", "used", "rejected"),
    [(("json_schema",), "json_schema", 0), (("json_object", "text"), "json_object", 1), (("text",), None, 2)],
)
def test_the_form_of_answers_is_what_the_server_takes_and_is_remembered(
    formats: tuple[str, ...], used: str | None, rejected: int
) -> None:
    with JudgeServer(Behaviour(formats=formats)) as server:
        asker = Judge(server)
        replies = [asker.ask(PQ, [PICTURE]) for _ in range(2)]
    assert [reply.scores for reply in replies] == [RIGHT, RIGHT]
    assert (replies[0].tries, replies[1].tries) == (1 + rejected, 1)
    assert [asked.fields.get("response_format", {}).get("type") for asked in server.log] == [used] * 2


def test_fields_that_the_server_rejects_are_left_out_for_the_rest_of_the_run() -> None:
    with JudgeServer(Behaviour(rejected_fields=("temperature", "seed", "max_tokens"))) as server:
        asker = Judge(server, seed=1)
        replies = [asker.ask(PQ, [PICTURE]) for _ in range(2)]
    assert [(reply.outcome, reply.tries) for reply in replies] == [("scored", 4), ("scored", 1)]
    assert set(server.log[0].fields) == {"model", "response_format", "max_completion_tokens"}


def test_a_fixed_form_that_the_server_rejects_stops_the_run() -> None:
    with pytest.raises(JudgeStopped, match="change response_format"):
        ask(Behaviour(formats=("text",)), format="json_schema")


def test_a_picture_that_asks_for_ten_changes_neither_keys_nor_range() -> None:
    reply, _ = ask(always(js.OBEYED))
    assert (reply.outcome, reply.scores) == ("unreadable", {})


def test_the_key_is_sent_and_a_wrong_one_is_not_shown() -> None:
    reply, server = ask(Behaviour(key="sk-secret"), key="sk-secret")
    assert reply.outcome == "scored" and server.log[0].authorization == "Bearer sk-secret"
    with pytest.raises(JudgeStopped, match=r"does not accept the key.*HTTP 401") as caught:
        ask(Behaviour(key="sk-secret"), key="sk-wrong")
    assert "sk-wrong" not in str(caught.value)
    assert "sk-wrong" not in repr(Endpoint("http://h/v1", "m", "sk-wrong"))


def test_an_unknown_model_and_a_wrong_address_are_named() -> None:
    with pytest.raises(JudgeStopped, match="does not know the model"):
        ask(Behaviour(), model="other")
    with JudgeServer() as server, pytest.raises(JudgeStopped, match="no chat API at base_url"):
        Judge(server, url=server.url.removesuffix("/v1")).ask(PQ, [PICTURE])


def test_a_server_that_is_not_there_stops_the_run_soon() -> None:
    with JudgeServer() as server:
        url = server.url
    started = time.monotonic()
    with pytest.raises(JudgeStopped, match="cannot be reached"):
        Judge(server, url=url, retries=5).ask(PQ, [PICTURE])
    assert time.monotonic() - started < 5


def test_a_server_that_throttles_for_ever_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubles, "PATIENCE_SECONDS", 0.2)
    with pytest.raises(JudgeStopped, match=r"let nothing through .*\(the server says: rate_limit: slow down\)"):
        ask(always(js.THROTTLE))


@pytest.mark.parametrize("choices", ["null", "[]"])
def test_a_whole_reply_without_a_choice_is_sent_again_once(choices: str) -> None:
    with JudgeServer(always(js.RAW, raw=b'{"choices": %s}' % choices.encode())) as server:
        reply = Judge(server, retries=5).ask(PQ, [PICTURE])
    assert (reply.outcome, reply.tries) == ("unanswered", 2)


def test_a_reply_without_a_choice_that_was_counted_costs_money() -> None:
    raw = b'{"choices": [], "usage": {"prompt_tokens": 1000, "completion_tokens": 0}}'
    with JudgeServer(always(js.RAW, raw=raw)) as server:
        asker = Judge(server, limit=1.0, price=Price(500.0, 1.0))
        assert isinstance(asker.client.ask(rubric_chat(PQ, [PICTURE]), schema=PQ.schema), Answer)
        assert (asker.budget.spent, len(server.log)) == (0.5, 1), "and it is for the verb to ask again"


def test_an_answer_that_was_cut_off_is_asked_for_with_more_tokens_as_far_as_the_server_takes_them() -> None:
    for most, sent in ((5000, [1200]), (1000, [300])):
        with JudgeServer(Behaviour(most_tokens=most)) as server:
            asker = Judge(server).client
            assert isinstance(asker.ask(rubric_chat(PQ, [PICTURE]), schema=PQ.schema, longer=True), Answer)
            assert [asked.fields["max_tokens"] for asked in server.log] == sent
            asker.ask(rubric_chat(PQ, [PICTURE]), schema=PQ.schema)
            assert server.log[-1].fields["max_tokens"] == 300, "others go on as before"


def test_a_budget_needs_a_server_that_counts_tokens() -> None:
    with pytest.raises(JudgeStopped, match="how many tokens"):
        ask(Behaviour(usage=None), limit=1.0, price=Price(1.0, 1.0))
    assert ask(Behaviour(usage=None))[0].outcome == "scored", "without a budget it does not matter"


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("http://localhost:8000/v1", "localhost:8000"),
        ("http://localhost:11434/v1", "localhost:11434"),
        ("http://[::1]:8000/v1", "[::1]:8000"),
        ("https://Api.OpenAI.com:443/v1", "api.openai.com"),
        ("https://api.openai.com/v1", "api.openai.com"),
        ("http://h:80/v1", "h"),
        ("https://h:80/v1", "h:80"),
    ],
)
def test_two_servers_of_one_machine_are_two_providers(url: str, provider: str) -> None:
    assert Endpoint(url, "m").provider == provider


def test_repeats_have_seeds_of_their_own() -> None:
    with JudgeServer(Behaviour(jitter=True)) as server:
        asker = Judge(server, seed=40)
        scores = [asker.ask(PQ, [PICTURE], repeat).scores for repeat in (0, 1)]
    assert [asked.fields["seed"] for asked in server.log] == [40, 41]
    assert scores[1] == {part: truth(PICTURE.id, part, 41) for part in PQ.parts}


def test_all_pictures_of_a_face_swap_arrive_in_order() -> None:
    pictures = [Picture(encode_final(np.full((8, 8, 3), level, np.uint8))) for level in (10, 20, 30)]
    rubric = ask_sc(TaskType.DEEPFAKE, "", ("identity",))
    with JudgeServer() as server:
        reply = Judge(server).ask(rubric, pictures)
    assert server.log[0].images == tuple(picture.id for picture in pictures)
    assert reply.scores == {"identity": truth(pictures[2].id, "identity")}


def test_organisation_of_the_environment_is_not_sent_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    seen: list[Mapping[str, str]] = []
    original = js._Handler.do_POST
    monkeypatch.setattr(js._Handler, "do_POST", lambda self: (seen.append(dict(self.headers)), original(self)))
    ask(Behaviour())
    assert seen and not any("org-mine" in value for headers in seen for value in headers.values())


@pytest.mark.parametrize(("value", "words"), [(None, "is not set"), ("", "is not set"), ("se cret", "characters")])
def test_a_key_that_cannot_be_one_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, value: str | None, words: str
) -> None:
    monkeypatch.delenv("TOY_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("TOY_KEY", value)
    with pytest.raises(InputError, match=words) as caught:
        read_key("TOY_KEY")
    assert "TOY_KEY" in str(caught.value) and (not value or value not in str(caught.value))
    assert read_key("") == ""


def test_a_question_for_which_there_is_no_socket_is_not_asked_again_and_no_fault_of_the_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_socket(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with JudgeServer(Behaviour()) as server:
        ours = Judge(server)
        with monkeypatch.context() as short, pytest.raises(OutOfResources, match="ulimit -n"):
            short.setattr("socket.socket", no_socket)
            ours.ask(PQ, [PICTURE])
        assert (server.log, ours.client.troubles) == ([], {})
        assert ours.ask(PQ, [PICTURE]).outcome == "scored"
