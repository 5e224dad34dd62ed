"""The images client against a real HTTP server that speaks OpenAI's protocol and misbehaves."""

from __future__ import annotations

import errno
import logging
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import numpy as np
import pytest
from scorer_cases.pictures import inputs_of
from skimage import data

from generators._openai_requests import matching_size
from generators.openai_images import OpenAIImages
from selector.conformance import check_generator
from selector.domain import (
    Declined,
    GenerationFailed,
    InputError,
    MissingPart,
    OutOfResources,
    Picture,
    Task,
    TaskInputs,
    TaskType,
    encode_final,
)
from selector.domain.remote import RemoteGenerator, ServiceStopped, TicketLost
from selector.net import Account, Service
from selector.registry import create_generator, usual_service
from tests.servers import openai_images_server as images
from tests.servers.openai_images_server import Behaviour, OpenAIImagesServer, picture_of

KEY = "sk-test-0123456789abcdef"
NASTY = 'a "quoted" cat,\nline two, it\'s 猫 🐈 \\ {} ' + "very " * 1000


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., OpenAIImagesServer]]:
    monkeypatch.setenv("TEST_IMAGES_KEY", KEY)
    servers: list[OpenAIImagesServer] = []

    def made(**behaviour: Any) -> OpenAIImagesServer:
        server = OpenAIImagesServer(Behaviour(key=KEY, **behaviour)).__enter__()
        servers.append(server)
        return server

    yield made
    for server in servers:
        server.__exit__(None, None, None)


def client(server: OpenAIImagesServer, service: dict[str, Any] | None = None, **settings: Any) -> OpenAIImages:
    facts = {"key_env": "TEST_IMAGES_KEY", "backoff_seconds": 0.001, "max_retries": 3, **(service or {})}
    return OpenAIImages(**{"model": "toy-image", **settings}, account=Account(Service("openai", server.url, **facts)))


def t2i(prompt: str = "a red cube") -> TaskInputs:
    return TaskInputs(Task("1", TaskType.T2I, prompt, None, None, 0))


def edit(rgb: Any, prompt: str = "make it blue") -> TaskInputs:
    source = Picture(encode_final(np.ascontiguousarray(rgb)), "图 1.jpg")
    return TaskInputs(Task("1", TaskType.TIE, prompt, "图 1.jpg", None, 0), source)


def always(fault: str) -> Callable[[int, str, Random], str]:
    return lambda _number, _prompt, _rng: fault


def first(*faults: str) -> Callable[[int, str, Random], str]:
    return lambda number, _prompt, _rng: faults[number] if number < len(faults) else images.GOOD


@pytest.mark.parametrize("answers", ["b64_json", "url"])
def test_it_conforms_where_the_server_takes_a_seed(serve: Callable[..., OpenAIImagesServer], answers: str) -> None:
    generator = client(serve(answers=answers), seed_field="seed")
    assert isinstance(generator, RemoteGenerator)
    for kind in sorted(generator.task_types):
        check_generator(generator, inputs_of(kind))


def test_the_registry_makes_it_and_knows_its_service() -> None:
    generator = create_generator("openai_images", {"model": "m", "extra": {"moderation": "low"}})
    assert isinstance(generator, OpenAIImages)
    service = usual_service("openai_images")
    assert service is not None and (service.name, service.key_env) == ("openai", "OPENAI_API_KEY")


def test_nothing_is_sent_that_was_not_set(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve()
    generator = client(server)
    generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    assert dict(server.log[0].fields) == {"model": "toy-image", "prompt": "a red cube"}


def test_settings_arrive_under_the_servers_own_names(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve()
    generator = client(
        server,
        size="128x64",
        quality="high",
        negative_prompt="blur",
        negative_field="negativePrompt",
        seed_field="seed",
        extra={"moderation": "low", "steps": 4},
    )
    made = generator.generate(t2i(), generator.recipes(t2i(), 1, 7)[0])
    assert {k: v for k, v in server.log[0].fields.items() if k not in ("model", "prompt")} == {
        "size": "128x64",
        "quality": "high",
        "negativePrompt": "blur",
        "seed": 7,
        "moderation": "low",
        "steps": 4,
    }
    assert Picture(made.image).size == (128, 64)
    assert (made.notes["seed"], made.notes["revised_prompt"]) == (7, "a red cube, in detail")
    assert made.notes["request_tokens_out"] == 1000


def test_a_prompt_with_quotes_lines_emoji_and_5000_characters_arrives_as_it_is(
    serve: Callable[..., OpenAIImagesServer],
) -> None:
    server = serve()
    generator = client(server)
    for inputs in (t2i(NASTY), edit(data.coffee()[:100, :100], NASTY)):
        generator.generate(inputs, generator.recipes(inputs, 1, 0)[0])
    assert [asked.fields["prompt"] for asked in server.log] == [NASTY, NASTY]


def test_an_edit_sends_the_enlarged_source_as_png_and_comes_back_at_its_size(
    serve: Callable[..., OpenAIImagesServer],
) -> None:
    server = serve(made_px=(768, 512))
    generator = client(server, extra={"input_fidelity": "high"})
    inputs = edit(data.coffee()[:200, :300])
    made = generator.generate(inputs, generator.recipes(inputs, 1, 0)[0])
    asked = server.log[0]
    assert asked.path == "/v1/images/edits" and asked.file_name == "source.png"
    assert asked.upload is not None and Picture(asked.upload).size == (768, 512)
    assert asked.fields == {"model": "toy-image", "prompt": "make it blue", "input_fidelity": "high"}
    assert made.image.shape == (200, 300, 3) and "borders_cut" not in made.notes


def test_a_result_of_other_proportions_is_cut_and_never_stretched(serve: Callable[..., OpenAIImagesServer]) -> None:
    generator = client(serve(made_px=(900, 300), answers="url"))
    inputs = edit(data.coffee()[:300, :300])
    made = generator.generate(inputs, generator.recipes(inputs, 1, 0)[0])
    assert made.image.shape == (300, 300, 3) and made.notes["borders_cut"] is True
    assert np.ptp(made.image.reshape(-1, 3)[:300], axis=0).max() == 0  # the middle third: one block wide


def test_a_large_source_is_made_smaller_for_the_upload(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve()
    generator = client(server, upload_most_px=256, upload_least_px=100)
    inputs = edit(data.coffee())
    generator.generate(inputs, generator.recipes(inputs, 1, 0)[0])
    upload = server.log[0].upload
    assert upload is not None and max(Picture(upload).size) == 256


@pytest.mark.parametrize(
    ("source", "size"), [((640, 480), "1184x880"), ((500, 500), "1024x1024"), ((100, 1000), "592x1776")]
)
def test_match_asks_for_the_sources_proportions_within_the_limits(source: tuple[int, int], size: str) -> None:
    assert matching_size(*source) == size


@pytest.mark.parametrize("width", range(100, 1500, 77))
def test_matching_sizes_are_multiples_of_16_between_1_to_3_and_3_to_1(width: int) -> None:
    sides = [int(side) for side in matching_size(width, 500).split("x")]
    assert all(side % 16 == 0 for side in sides) and max(sides) <= 3 * min(sides)


def test_match_is_sent_for_edits_alone(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve()
    generator = client(server, size="64x64", edit_size="match")
    for inputs in (t2i(), edit(data.coffee()[:200, :300])):
        generator.generate(inputs, generator.recipes(inputs, 1, 0)[0])
    assert [asked.fields["size"] for asked in server.log] == ["64x64", "1248x832"]


def test_one_request_makes_a_batch(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve()
    generator = client(server, batch=4, seed_field="seed")
    recipes = generator.recipes(t2i(), 6, 10)
    batches = generator.batches(recipes)
    assert [len(batch) for batch in batches] == [4, 2]
    tickets = [generator.submit(t2i(), batch) for batch in batches]
    found = [delivery.data for ticket in tickets for delivery in ticket.deliveries or ()]
    assert [asked.fields.get("n") for asked in server.log] == [4, 2]
    assert found == [picture_of(f"a red cube {seed}", (64, 64)) for seed in range(10, 16)]


def test_seeds_that_do_not_follow_each_other_are_batches_of_their_own(
    serve: Callable[..., OpenAIImagesServer],
) -> None:
    recipes = client(serve()).recipes(t2i(), 5, 2**31 - 2)  # the last three begin again at 0
    apart = client(serve(), batch=4, seed_field="seed").batches(recipes)
    assert [[recipe.seed for recipe in batch] for batch in apart] == [[2**31 - 2, 2**31 - 1], [0, 1, 2]]
    assert [len(batch) for batch in client(serve(), batch=4).batches(recipes)] == [4, 1]


def test_images_that_did_not_come_are_asked_for_again(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve(fault=first(images.FEWER))
    generator = client(server, batch=3)
    ticket = generator.submit(t2i(), generator.recipes(t2i(), 3, 0))
    assert ticket.deliveries is not None and len({d.data for d in ticket.deliveries}) == 3
    assert [asked.images for asked in server.log] == [2, 1]


def test_a_server_that_ignores_n_is_asked_as_often_as_needed(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve(ignores_n=True)
    generator = client(server, batch=3)
    ticket = generator.submit(t2i(), generator.recipes(t2i(), 3, 0))
    assert ticket.deliveries is not None and len({d.data for d in ticket.deliveries}) == 3
    assert sum(asked.images for asked in server.log) == 3


def test_a_server_that_takes_no_n_is_asked_one_at_a_time_from_then_on(
    serve: Callable[..., OpenAIImagesServer],
) -> None:
    server = serve(most_n=1)
    generator = client(server, batch=3)
    recipes = generator.recipes(t2i(), 3, 0)
    ticket = generator.submit(t2i(), recipes)
    assert ticket.deliveries is not None and all(d.data for d in ticket.deliveries)
    assert [asked.fields.get("n") for asked in server.log] == [3, None, None, None]
    assert [len(batch) for batch in generator.batches(recipes)] == [1, 1, 1]


def test_what_came_before_a_refusal_is_kept(serve: Callable[..., OpenAIImagesServer]) -> None:
    generator = client(serve(ignores_n=True, fault=first(images.GOOD, images.MODERATED, images.MODERATED)), batch=3)
    ticket = generator.submit(t2i(), generator.recipes(t2i(), 3, 0))
    assert ticket.deliveries is not None and ticket.deliveries[0].data is not None
    assert all(isinstance(d.error, Declined) for d in ticket.deliveries[1:])


def test_what_was_not_asked_for_because_the_money_ended_can_be_asked_for_anew(
    serve: Callable[..., OpenAIImagesServer],
) -> None:
    generator = client(serve(ignores_n=True, fault=first(images.GOOD, images.NO_MONEY)), batch=2)
    ticket = generator.submit(t2i(), generator.recipes(t2i(), 2, 0))
    assert ticket.deliveries is not None and ticket.deliveries[0].data is not None
    assert isinstance(ticket.deliveries[1].error, TicketLost)


def test_addresses_can_be_downloaded_by_another_process_and_without_the_key(
    serve: Callable[..., OpenAIImagesServer],
) -> None:
    server = serve(answers="url")
    ticket = client(server, batch=2).submit(t2i(), client(server).recipes(t2i(), 2, 0))
    assert ticket.resumable and KEY not in str(ticket)
    asked = len(server.log)
    later = client(server, batch=2)
    deliveries = later.poll(ticket)
    assert deliveries is not None
    made = [later.fetch(t2i(), recipe, d) for recipe, d in zip(later.recipes(t2i(), 2, 0), deliveries, strict=True)]
    assert made[0].image != made[1].image and made[0].notes["revised_prompt"] == "a red cube, in detail"
    assert len(server.log) == asked and len(server.downloads) == 2
    assert all("authorization" not in {name.lower() for name in headers} for headers in server.downloads)


def test_bytes_that_came_with_the_answer_cannot_be_asked_for_again(serve: Callable[..., OpenAIImagesServer]) -> None:
    generator = client(serve())
    ticket = generator.submit(t2i(), generator.recipes(t2i(), 1, 0))
    assert not ticket.resumable and ticket.facts == {}
    with pytest.raises(TicketLost):
        generator.poll(ticket)


def test_a_server_that_refuses_response_format_is_asked_without_it_from_then_on(
    serve: Callable[..., OpenAIImagesServer],
) -> None:
    server = serve(formats="none")
    generator = client(server, response_format="b64_json")
    for recipe in generator.recipes(t2i(), 2, 0):
        generator.generate(t2i(), recipe)
    assert ["response_format" in asked.fields for asked in server.log] == [True, False, False]


def test_a_server_that_requires_response_format_gets_it(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve(formats="required")
    generator = client(server)
    generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    assert [asked.fields.get("response_format") for asked in server.log] == [None, "b64_json"]


@pytest.mark.parametrize("fault", [images.THROTTLE, images.BROKEN, images.DROP, images.CUT, images.HTML])
def test_what_passes_is_tried_again(serve: Callable[..., OpenAIImagesServer], fault: str) -> None:
    server = serve(fault=first(fault, fault))
    generator = client(server)
    generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    assert [asked.served for asked in server.log] == [fault, fault, images.GOOD]


def test_a_server_that_is_too_slow_is_asked_again(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve(fault=first(images.SLOW), slow_seconds=1.0)
    generator = client(server, timeout=0.2)
    generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    assert [asked.served for asked in server.log] == [images.SLOW, images.GOOD]


def test_tries_are_those_of_the_service(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve(fault=always(images.BROKEN))
    generator = client(server, {"max_retries": 2})
    with pytest.raises(GenerationFailed, match="HTTP 500"):
        generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    assert len(server.log) == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (images.MODERATED, r"^refused by the server's content check \(moderation_blocked, violence\) \(the server says: "),
        (images.POLICY, r"^refused by the server's content check \(content_policy_violation\) \(the server says: "),
        (images.ERROR_200, "content check"),
    ],
)
def test_a_content_refusal_is_final_and_paid_once(
    serve: Callable[..., OpenAIImagesServer], fault: str, words: str
) -> None:
    server = serve(fault=always(fault))
    generator = client(server)
    with pytest.raises(Declined, match=words):
        generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    assert len(server.log) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (images.NO_MONEY, "no money or quota left"),
        (images.NO_QUOTA, "no money or quota left"),
        (images.FORBIDDEN, r"may not use this model .*must be verified"),
        (images.ELSEWHERE, "redirect"),
    ],
)
def test_what_no_request_survives_stops_the_service(
    serve: Callable[..., OpenAIImagesServer], fault: str, words: str
) -> None:
    server = serve(fault=always(fault))
    generator = client(server)
    for _ in range(2):
        with pytest.raises(ServiceStopped, match=words):
            generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    assert len(server.log) == 1


def test_a_wrong_key_is_one_line_without_the_key_that_the_server_echoes(
    serve: Callable[..., OpenAIImagesServer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = "sk-wrong-zyxwvutsrqp987"
    monkeypatch.setenv("TEST_IMAGES_KEY", wrong)
    generator = client(serve())
    with caplog.at_level(logging.DEBUG), pytest.raises(ServiceStopped) as caught:
        generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    assert "TEST_IMAGES_KEY" in str(caught.value) and "\n" not in str(caught.value)
    everything = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert not any(wrong[i : i + 6] in everything for i in range(len(wrong) - 5))


def test_the_servers_words_are_told_without_the_key_that_they_hold(serve: Callable[..., OpenAIImagesServer]) -> None:
    generator = client(serve(fault=always(images.ECHO)))
    with pytest.raises(GenerationFailed, match=r"Bad request with Bearer \*\*\* in it"):
        generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])


def test_an_unknown_model_names_the_setting(serve: Callable[..., OpenAIImagesServer]) -> None:
    generator = client(serve(), model="gpt-image-0")
    with pytest.raises(ServiceStopped, match="check `model`"):
        generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])


@pytest.mark.parametrize(
    ("settings", "behaviour", "named"),
    [
        ({"size": "999x999"}, {"sizes": ("1024x1024",)}, "`size`"),
        ({"quality": "best"}, {"refused_fields": ("quality",)}, "`quality`"),
        ({"seed_field": "seed"}, {"refused_fields": ("seed",)}, "`seed`"),
        ({"extra": {"steps": 4}}, {"refused_fields": ("steps",)}, "`steps`"),
    ],
)
def test_a_value_that_the_server_does_not_take_names_the_setting(
    serve: Callable[..., OpenAIImagesServer], settings: dict[str, Any], behaviour: dict[str, Any], named: str
) -> None:
    server = serve(**behaviour)
    generator = client(server, **settings)
    with pytest.raises(ServiceStopped, match=named):
        generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    assert len(server.log) == 1


def test_a_picture_that_the_server_does_not_take_concerns_its_task_alone(
    serve: Callable[..., OpenAIImagesServer],
) -> None:
    server = serve(fault=lambda _number, prompt, _rng: images.BAD_REQUEST if prompt == "bad" else images.GOOD)
    generator = client(server)
    with pytest.raises(GenerationFailed, match="Invalid image file"):
        generator.generate(t2i("bad"), generator.recipes(t2i("bad"), 1, 0)[0])
    generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])


def test_a_server_without_edits_still_makes_pictures_from_text(serve: Callable[..., OpenAIImagesServer]) -> None:
    generator = client(serve(edits=False))
    inputs = edit(data.coffee()[:64, :64])
    with pytest.raises(GenerationFailed, match="404"):
        generator.generate(inputs, generator.recipes(inputs, 1, 0)[0])
    generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])


@pytest.mark.parametrize(
    ("fault", "answers", "words"),
    [
        (images.NO_IMAGE, "b64_json", "without an image"),
        (images.NO_BASE64, "b64_json", "base64"),
        (images.HALF_IMAGE, "b64_json", "damaged"),
        (images.HALF_IMAGE, "url", "damaged"),
        (images.HTML_IMAGE, "b64_json", "page of text"),
        (images.HTML_IMAGE, "url", "page of text"),
    ],
)
def test_what_is_no_image_is_a_failure_with_its_reason(
    serve: Callable[..., OpenAIImagesServer], fault: str, answers: str, words: str
) -> None:
    generator = client(serve(fault=always(fault), answers=answers), {"max_retries": 1})
    with pytest.raises(GenerationFailed, match=words):
        generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])


def test_a_damaged_source_is_not_uploaded(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve()
    inputs = edit(data.coffee())
    assert inputs.source is not None
    broken = TaskInputs(inputs.task, Picture(inputs.source.data[:3000], "图 1.jpg"))
    with pytest.raises(GenerationFailed, match="damaged"):
        client(server).submit(broken, client(server).recipes(inputs, 1, 0))
    assert server.log == []


def test_what_the_environment_holds_for_openai_goes_to_no_other_host(
    serve: Callable[..., OpenAIImagesServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai-alone")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-of-openai")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-openai-alone")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-openai-alone")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: header-of-openai-alone")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    server = serve()
    generator = client(server)
    generator.generate(t2i(), generator.recipes(t2i(), 1, 0)[0])
    sent = str(server.log[0].headers)
    assert "of-openai" not in sent and server.log[0].headers["authorization"] == f"Bearer {KEY}"


def test_many_threads_share_one_client_and_keep_to_the_slots(serve: Callable[..., OpenAIImagesServer]) -> None:
    server = serve(seconds=0.02)
    generator = client(server, {"running": 3})
    recipes = generator.recipes(t2i(), 12, 0)
    threads = [threading.Thread(target=generator.generate, args=(t2i(), recipe)) for recipe in recipes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.log) == 12 and 1 < server.most_at_once <= 3


@pytest.mark.parametrize(
    "settings",
    [
        {"size": "large"},
        {"size": "match"},
        {"batch": 0},
        {"batch": 11},
        {"response_format": "png"},
        {"extra": {"prompt": "x"}},
        {"upload_least_px": 900, "upload_most_px": 800},
    ],
)
def test_a_wrong_setting_is_told_before_anything_is_sent(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="openai_images"):
        OpenAIImages(model="m", **settings)


def test_check_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingPart, match="no model is set"):
        OpenAIImages().check()
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingPart, match="OPENAI_API_KEY"):
        OpenAIImages(model="m").check()


@pytest.mark.parametrize(
    "inputs",
    [
        TaskInputs(Task("1", TaskType.DEEPFAKE, "", "a", "b", 0)),
        TaskInputs(Task("1", TaskType.TIE, "make it blue", "a", None, 0)),
        TaskInputs(Task("1", TaskType.T2I, " ", None, None, 0)),
    ],
    ids=["face swap", "edit without a source", "no prompt"],
)
def test_tasks_that_it_cannot_do_are_declined(inputs: TaskInputs) -> None:
    with pytest.raises(Declined):
        OpenAIImages(model="m").recipes(inputs, 1, 0)


def test_the_price_is_that_of_the_model_in_the_services_table(serve: Callable[..., OpenAIImagesServer]) -> None:
    assert client(serve(), {"prices": {"toy-image": 0.04}}).price == 0.04
    assert client(serve()).price is None


def test_a_request_that_was_sent_and_not_answered_may_have_been_paid(serve: Callable[..., OpenAIImagesServer]) -> None:
    generator = client(serve(fault=first(images.BROKEN, images.DROP, images.CUT, images.GOOD)), {"max_retries": 5})
    noted: list[str] = []
    with generator.account.paying(0.5, noted.append):
        generator.submit(t2i(), generator.recipes(t2i(), 1, 0))
    assert noted == ["the connection failed"] * 2
    assert generator.account.spending.spent == 1.5


def test_an_address_where_nobody_listens_costs_nothing_and_stops_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_IMAGES_KEY", KEY)
    nowhere = Service("openai", "http://127.0.0.1:9/v1", key_env="TEST_IMAGES_KEY", backoff_seconds=0.001)
    generator = OpenAIImages(model="toy-image", account=Account(nowhere))
    noted: list[str] = []
    with (
        pytest.raises(ServiceStopped, match="cannot be reached: check base_url"),
        generator.account.paying(1, noted.append),
    ):
        generator.submit(t2i(), generator.recipes(t2i(), 1, 0))
    assert (noted, generator.account.spending.spent) == ([], 0.0)


def test_without_sockets_nothing_is_sent_and_nothing_paid(
    serve: Callable[..., OpenAIImagesServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_socket(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    server, noted = serve(), list[str]()
    generator = client(server)
    recipes = generator.recipes(t2i(), 1, 0)
    monkeypatch.setattr("socket.socket", no_socket)
    with pytest.raises(OutOfResources, match="ulimit -n"), generator.account.paying(1.0, noted.append):
        generator.submit(t2i(), recipes)
    assert (server.log, noted) == ([], [])
