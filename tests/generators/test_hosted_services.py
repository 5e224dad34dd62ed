"""Clients of Gemini, fal, Replicate and of OpenAI's imitators against servers on loopback that speak as they do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scorer_cases.pictures import inputs_of
from skimage import data

from generators._hosted import HostedImages
from generators._queued import QueuedImages
from selector.conformance import check_generator
from selector.domain import (
    Declined,
    GenerationFailed,
    InputError,
    Made,
    MissingPart,
    Picture,
    Task,
    TaskInputs,
    TaskType,
    encode_final,
)
from selector.domain.remote import Delivery, ServiceStopped, Ticket, TicketLost
from selector.net import Account, jobs
from selector.registry import create_generator, usual_service
from tests.servers.openai_images_server import picture_of
from tests.servers.picture_services import MADE_PX, ODD_STATES, PictureServices

JOBS = ("fal", "replicate")
NATIVE = ("gemini_images", *JOBS)
IMITATORS = ("seedream", "siliconflow", "together")
ALL = (*NATIVE, *IMITATORS)
PATHS = {"gemini_images": "gemini", "seedream": "ark"}


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureServices]:
    monkeypatch.setattr(jobs, "FIRST_WAIT_SECONDS", 0.01)
    with PictureServices() as server:
        monkeypatch.setenv("TEST_PICTURES_KEY", server.key)
        yield server


def client(services: PictureServices, name: str, facts: dict[str, Any] | None = None, **settings: Any) -> Any:
    """The generator of a name, or ``openai_images`` in the dialect of that name, at the loopback service."""
    kind = name if name in NATIVE else "openai_images"
    dialect = {} if name in (*NATIVE, "own") else {"dialect": name}
    usual = usual_service(kind, dialect)
    assert usual is not None
    quick = {"backoff_seconds": 0.01, "max_retries": 2, "polls_per_second": 0.0, "timeout_seconds": 5.0}
    place = {"base_url": services.url(PATHS.get(name, name)), "key_env": "TEST_PICTURES_KEY"}
    account = Account(replace(usual, **{**place, **quick, **(facts or {})}))
    return create_generator(
        kind, {"model": "toy/painter" if name in JOBS else "toy", **dialect, **settings}, account=account
    )


def t2i(prompt: str = "a red cube") -> TaskInputs:
    return TaskInputs(Task("1", TaskType.T2I, prompt, None, None, 0))


def edit(prompt: str = "make it blue") -> TaskInputs:
    source = Picture(encode_final(np.ascontiguousarray(data.coffee()[:200, :300])), "图 1.jpg")
    return TaskInputs(Task("1", TaskType.TIE, prompt, "图 1.jpg", None, 0), source)


def made(generator: HostedImages, inputs: TaskInputs, seed: int = 7) -> Made:
    return generator.generate(inputs, generator.recipes(inputs, 1, seed)[0])


def ended(generator: QueuedImages, ticket: Ticket) -> Sequence[Delivery]:
    for _ in range(20):
        came = ticket.deliveries or generator.poll(ticket)
        if came is not None:
            return came
    raise AssertionError("the job has not ended")


@pytest.mark.parametrize("name", ALL)
def test_it_conforms(services: PictureServices, name: str) -> None:
    generator = client(services, name)
    for kind in sorted(generator.task_types):
        check_generator(generator, inputs_of(kind))
    assert services.strayed == []


@pytest.mark.parametrize("name", ALL)
def test_a_picture_comes_and_an_edit_has_its_sources_size(services: PictureServices, name: str) -> None:
    generator = client(services, name)
    first = made(generator, t2i())
    assert Picture(bytes(first.image)).size == MADE_PX and first.notes["model"] == generator.model
    seed = "" if name == "gemini_images" else f" {0 if name == 'seedream' else 7}"
    assert first.image == picture_of("a red cube" + seed, MADE_PX)
    assert np.asarray(made(generator, edit()).image).shape == (200, 300, 3)
    told = json.dumps(services.asked[1].body)
    assert "iVBORw0KGgo" in told and "图" not in told  # a PNG, and nothing of the file's name


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("fault", ["@hiccup", "@throttle", "@page", "@array"])
def test_what_passes_is_tried_again(services: PictureServices, name: str, fault: str) -> None:
    assert made(client(services, name), t2i(f"a cat {fault}")).image
    assert len(services.asked) == 2


@pytest.mark.parametrize("name", ALL)
def test_a_refusal_is_final_with_the_services_words(services: PictureServices, name: str) -> None:
    with pytest.raises(Declined, match="content check") as caught:
        made(client(services, name), t2i("a cat @refuse"))
    assert len(services.asked) == 1
    said = {"gemini_images": "PROHIBITED", "fal": "flagged", "replicate": "E005", "seedream": "Sensitive"}
    assert said.get(name, "sensitive") in str(caught.value)


@pytest.mark.parametrize("name", ALL)
def test_a_wrong_key_stops_the_service_and_is_shown_nowhere(
    services: PictureServices, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PICTURES_KEY", "k-wrong-987654321")
    with pytest.raises(ServiceStopped, match="key") as caught:
        made(client(services, name), t2i())
    assert "987654321" not in str(caught.value)


@pytest.mark.parametrize("name", ALL)
def test_a_key_that_the_server_repeats_is_hidden(services: PictureServices, name: str) -> None:
    with pytest.raises(GenerationFailed) as caught:
        made(client(services, name), t2i("a cat @echo"))
    assert services.key not in str(caught.value)


@pytest.mark.parametrize("name", [*JOBS, *IMITATORS])
def test_a_damaged_or_unreachable_picture_has_failed(services: PictureServices, name: str) -> None:
    for fault in ("@half", "@gone"):
        with pytest.raises(GenerationFailed):
            made(client(services, name), t2i(f"a cat {fault}"))


@pytest.mark.parametrize("name", NATIVE)
def test_without_model_or_key_the_cure_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = usual_service(name)
    assert service is not None
    monkeypatch.delenv(service.key_env, raising=False)
    with pytest.raises(MissingPart, match="no model is set"):
        create_generator(name).check()
    with pytest.raises(MissingPart, match=f"export {service.key_env}"):
        create_generator(name, {"model": "m"}).check()


# --- jobs


@pytest.mark.parametrize("name", JOBS)
def test_a_stored_ticket_brings_the_picture_to_another_process(services: PictureServices, name: str) -> None:
    first = client(services, name)
    ticket = first.submit(t2i(), first.recipes(t2i(), 1, 3))
    assert ticket.deliveries is None and ticket.resumable
    stored = json.loads(json.dumps(dict(ticket.facts)))
    assert services.key not in str(stored) and services.root not in str(stored)
    later = client(services, name)
    (delivery,) = ended(later, Ticket(ticket.id, stored))
    assert later.fetch(t2i(), later.recipes(t2i(), 1, 3)[0], delivery).image == picture_of("a red cube 3", MADE_PX)
    assert len(services.asked) == 1 and services.strayed == []


@pytest.mark.parametrize("name", JOBS)
def test_a_forgotten_job_is_lost_and_no_failure(services: PictureServices, name: str) -> None:
    generator = client(services, name)
    ticket = generator.submit(t2i(), generator.recipes(t2i(), 1, 3))
    services.jobs.clear()
    with pytest.raises(TicketLost):
        generator.poll(ticket)


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("state", ODD_STATES)
def test_a_state_that_is_not_known_ends_no_paid_job(services: PictureServices, name: str, state: str) -> None:
    prompt = f"a cat {state}"
    assert made(client(services, name), t2i(prompt)).image == picture_of(f"{prompt} 7", MADE_PX)
    assert len(services.asked) == 1


def test_replicate_may_hold_its_answer_until_the_picture_is_there(services: PictureServices) -> None:
    generator = client(services, "replicate", wait_seconds=5)
    ticket = generator.submit(t2i(), generator.recipes(t2i(), 1, 3))
    assert ticket.deliveries is not None and services.asked[0].headers["prefer"] == "wait=5"
    (delivery,) = client(services, "replicate").poll(Ticket(ticket.id, dict(ticket.facts))) or ()
    assert delivery == ticket.deliveries[0] and delivery.notes["replied_model"] == "toy/painter"


def test_a_picture_within_the_reply_needs_no_download(services: PictureServices) -> None:
    assert made(client(services, "replicate"), t2i("a cat @inline")).image == picture_of("a cat @inline", MADE_PX)
    assert services.files.keys() == {"/0.png"}


@pytest.mark.parametrize(
    ("name", "fault", "error", "said"),
    [
        ("fal", "@painted", Declined, "painted the picture over"),
        ("fal", "@invalid", GenerationFailed, "less than 50"),
        ("fal", "@empty", GenerationFailed, "no picture"),
        ("fal", "@locked", ServiceStopped, r"no money.*Exhausted balance"),
        ("fal", "@elsewhere", ServiceStopped, "correct base_url"),
        ("replicate", "@fail", GenerationFailed, "CUDA out of memory"),
        ("replicate", "@refuse-nsfw", Declined, "NSFW content"),
        ("replicate", "@empty", GenerationFailed, "no picture"),
        ("gemini_images", "@blocked", Declined, r"IMAGE_SAFETY.*It may break the policy"),
        ("gemini_images", "@words", GenerationFailed, "I would rather describe it"),
        ("gemini_images", "@none", GenerationFailed, "NO_IMAGE"),
        ("gemini_images", "@empty", GenerationFailed, "without an image"),
        ("gemini_images", "@not64", GenerationFailed, "base64"),
        ("seedream", "@partial", Declined, "content check"),
    ],
)
def test_ends_without_a_picture(
    services: PictureServices, name: str, fault: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        made(client(services, name), t2i(f"a cat {fault}"))


@pytest.mark.parametrize("name", ["gemini_images", "fal"])
def test_a_request_that_nobody_answers_is_told_as_perhaps_paid(services: PictureServices, name: str) -> None:
    generator = client(services, name, {"timeout_seconds": 1.5})
    reasons: list[str] = []
    with generator.account.paying(0.1, reasons.append):
        generator.submit(t2i("a cat @slow"), generator.recipes(t2i(), 1, 0))
    assert len(reasons) == 1 and generator.account.spending.spent == pytest.approx(0.2)


# --- what is sent


def test_each_service_gets_its_own_names(services: PictureServices) -> None:
    settings: dict[str, dict[str, Any]] = {
        "gemini_images": {"aspect_ratio": "3:2", "image_size": "2K", "extra": {"temperature": 0.5}},
        "fal": {"size": "1024x768", "arguments": {"num_inference_steps": 9}},
        "replicate": {"size": "1024x768", "arguments": {"go_fast": True}},
        "seedream": {"size": "2K"},
        "siliconflow": {"size": "1024x768", "steps": 9, "guidance": 0.0, "negative_prompt": "blur"},
        "together": {"size": "1024x768", "steps": 4, "response_format": "url"},
    }
    sent = {}
    for name, given in settings.items():
        made(client(services, name, **given), t2i())
        sent[name] = services.asked[-1].body
    shape = {"aspectRatio": "3:2", "imageSize": "2K"}
    config = {"responseModalities": ["IMAGE"], "temperature": 0.5, "imageConfig": shape}
    assert sent["gemini_images"]["generationConfig"] == config
    sides = {"width": 1024, "height": 768}
    assert sent["fal"] == {"prompt": "a red cube", "seed": 7, "image_size": sides, "num_inference_steps": 9}
    assert sent["replicate"]["input"] == {"prompt": "a red cube", "seed": 7, **sides, "go_fast": True}
    always = {"watermark": False, "sequential_image_generation": "disabled", "response_format": "url"}
    assert sent["seedream"] == {"model": "toy", "prompt": "a red cube", "size": "2K", **always}
    own = {"image_size": "1024x768", "seed": 7, "num_inference_steps": 9, "guidance_scale": 0.0}
    assert sent["siliconflow"] == {"model": "toy", "prompt": "a red cube", "negative_prompt": "blur", **own}
    words = {"model": "toy", "prompt": "a red cube", "response_format": "url", "steps": 4, "seed": 7}
    assert sent["together"] == {**words, **sides}


def test_what_was_asked_of_a_picture_is_noted_under_our_names(services: PictureServices) -> None:
    asked = {"size": "1024x768", "steps": 9, "guidance": 0.0, "negative_prompt": "blur"}
    notes = made(client(services, "siliconflow", **asked), t2i()).notes
    assert {name: notes.get(name) for name in asked} == asked and notes["seed"] == 7
    plain = made(client(services, "seedream"), t2i()).notes
    assert not plain.keys() & {"size", "quality", "steps", "guidance", "negative_prompt", "seed"}


def test_a_source_goes_where_the_service_wants_it(services: PictureServices) -> None:
    made(client(services, "fal", fields={"image": "image_urls[]"}), edit())
    made(client(services, "replicate"), edit())
    made(client(services, "seedream"), edit())
    made(client(services, "siliconflow"), edit())
    fal, replicate, ark, flow = (asked.body for asked in services.asked)
    assert fal["image_urls"][0].startswith("data:image/png;base64,") and "image_url" not in fal
    assert replicate["input"]["image"].startswith("data:image/png")
    assert ark["image"][0].startswith("data:image/png") and flow["image"].startswith("data:image/png")


def test_a_batch_goes_by_the_services_name_and_seedream_makes_one_each(services: PictureServices) -> None:
    flow, ark = client(services, "siliconflow", batch=3), client(services, "seedream", batch=3)
    recipes = flow.recipes(t2i(), 3, 0)
    assert [len(part) for part in flow.batches(recipes)] == [3] and [len(p) for p in ark.batches(recipes)] == [1, 1, 1]
    ticket = flow.submit(t2i(), recipes)
    assert ticket.resumable and len(ticket.deliveries) == 3 and services.asked[0].body["batch_size"] == 3


def test_a_campaign_can_set_up_a_dialect_of_its_own(services: PictureServices) -> None:
    names = {"seed": "rng", "pictures": "pictures", "url": "address"}
    first = made(client(services, "own", fields=names), t2i())
    assert first.image == picture_of("a red cube 7", MADE_PX)
    assert services.asked[0].body == {"model": "toy", "prompt": "a red cube", "rng": 7}
    with pytest.raises(InputError, match="did you mean 'pictures'"):
        client(services, "own", fields={"picture": "x"})
    with pytest.raises(InputError, match="must be like"):
        client(services, "own", fields={"most": "many"})


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("openai_images", {"dialect": "seedreem"}, "did you mean 'seedream'"),
        ("openai_images", {"dialect": "seedream", "steps": 9}, "has no steps"),
        ("openai_images", {"dialect": "siliconflow", "batch": 5}, "1 to 4"),
        ("openai_images", {"dialect": "siliconflow", "response_format": "url"}, "left out here"),
        ("openai_images", {"dialect": "seedream", "size": "9K"}, "'2K'"),
        ("openai_images", {"fields": {"base_url": "http://10.0.0.7/v1"}}, r"base_url is no name .* \[services.OURS\]"),
        ("openai_images", {"fields": {"key_env": ""}}, r"set it in \[services.OURS\], and service = "),
        ("openai_images", {"fields": {"service": "ours"}}, "set service = "),
        ("openai_images", {"dialect": "seedream", "fields": {"currency": "EUR"}}, r"set it in \[services.OURS\]"),
        ("fal", {"fields": {"base_url": "http://10.0.0.7"}}, "set it in"),
        ("replicate", {"fields": {"source": "mine"}}, "leave it out"),
        ("fal", {"size": "big"}, "like 1024x768"),
        ("replicate", {"wait_seconds": 61}, "0 to 60"),
        ("gemini_images", {"extra": {"imageConfig": {}}}, "must not hold"),
        ("gemini_images", {"upload_least_px": 9, "upload_most_px": 8}, "upload_least_px"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_right(kind: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        create_generator(kind, settings)


def test_a_dialect_brings_its_address_and_key() -> None:
    ark = usual_service("openai_images", {"dialect": "seedream"})
    assert ark is not None and (ark.name, ark.key_env) == ("ark", "ARK_API_KEY")
    assert ark.base_url == "https://ark.cn-beijing.volces.com/api/v3"
    plain = usual_service("openai_images")
    assert plain is not None and (plain.name, plain.base_url) == ("openai", "https://api.openai.com/v1")
