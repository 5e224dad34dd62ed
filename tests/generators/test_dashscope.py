"""The client against a real server on loopback: jobs, batches, pictures and what is noted of them."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dashscope_service import (
    KEY,
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
from selector.conformance import check_generator
from selector.domain import Declined, GenerationFailed, InputError, Made, MissingPart, Picture, TaskType, encode_final
from selector.domain.remote import Delivery, RemoteGenerator, ServiceStopped, Ticket
from selector.net import Interrupted
from selector.registry import create_generator, usual_service
from tests.servers.dashscope_pictures import shows, shows_edit

serve = serving  # the fixture


def test_a_text_model_keeps_the_contract(serve: Serve) -> None:
    check_generator(generator_at(serve()), text_task("a cat"))


@pytest.mark.parametrize("model", ["wanx2.1-imageedit", "qwen-image-edit"])
def test_an_editing_model_keeps_the_contract(serve: Serve, model: str) -> None:
    check_generator(generator_at(serve(picture_px=0), model=model), edit_task("make it red"))


def test_it_is_a_remote_generator_that_the_registry_makes() -> None:
    generator = create_generator("dashscope", {"model": "wanx2.1-t2i-plus"})
    assert isinstance(generator, RemoteGenerator)
    assert generator.price == 0.20
    service = usual_service("dashscope")
    assert service is not None and (service.running, service.submits_per_second) == (2, 2.0)


def test_image_i_of_a_job_belongs_to_seed_plus_i(serve: Serve) -> None:
    server = serve()
    made = carried_out(generator_at(server), text_task("a cat"), 4, seed=100)
    assert [shows(m.image, "a cat", 100 + i) for i, m in enumerate(made) if isinstance(m, Made)] == [True] * 4
    assert [m.notes["seed"] for m in made if isinstance(m, Made)] == [100, 101, 102, 103]
    assert server.state.stats()["jobs"] == 1


def test_six_candidates_are_jobs_of_four_and_two_and_each_says_its_n(serve: Serve) -> None:
    server = serve()
    carried_out(generator_at(server), text_task("a cat"), 6)
    assert [body["parameters"]["n"] for body in server.state.bodies] == [4, 2]
    assert server.state.stats()["paid"] == 6


def test_seeds_stay_in_the_services_range_and_a_job_never_wraps() -> None:
    generator = DashScope()
    recipes = generator.recipes(text_task("a cat"), 4, 2147483646)
    assert [recipe.seed for recipe in recipes] == [2147483646, 2147483647, 0, 1]
    assert [len(batch) for batch in generator.batches(recipes)] == [2, 2]


def test_the_largest_seed_is_sent_as_it_is(serve: Serve) -> None:
    server = serve()
    inputs, generator = text_task("a cat"), generator_at(server)
    made = carried_out(generator, inputs, 1, 2147483647)[0]
    assert isinstance(made, Made) and shows(made.image, "a cat", 2147483647)
    assert server.state.bodies[0]["parameters"]["seed"] == 2147483647


def test_only_neighbouring_seeds_share_a_job() -> None:
    generator = DashScope(batch=3)
    recipes = generator.recipes(text_task("a cat"), 8, 0)
    some = [recipes[i] for i in (0, 2, 3, 4, 5, 7)]
    assert [[r.seed for r in batch] for batch in generator.batches(some)] == [[0], [2, 3, 4], [5], [7]]


def test_another_object_fetches_the_job_of_a_stored_ticket(serve: Serve) -> None:
    server = serve()
    inputs = text_task("a cat")
    first = generator_at(server)
    recipes = first.recipes(inputs, 2, 9)
    ticket = first.submit(inputs, recipes)
    stored = Ticket(ticket.id, dict(ticket.facts))
    second = generator_at(server)
    deliveries = wait_for(second, stored)
    made = second.fetch(inputs, recipes[1], deliveries[1])
    assert shows(made.image, "a cat", 10)
    assert server.state.stats()["jobs"] == 1


def test_what_was_sent_and_what_the_service_made_of_the_prompt_is_noted(serve: Serve) -> None:
    server = serve()
    made = one(generator_at(server, prompt_extend=True, negative_prompt="blur", size="768x512"), text_task("a cat"))
    wanted = {
        "model": "wanx2.1-t2i-turbo",
        "prompt": "a cat",
        "prompt_extend": True,
        "negative_prompt": "blur",
        "size": "768*512",
        "watermark": False,
    }
    assert {key: made.notes[key] for key in wanted} == wanted
    assert made.notes["actual_prompt"] == "a cat, in detail"
    assert server.state.bodies[0]["input"] == {"prompt": "a cat", "negative_prompt": "blur"}


def test_the_prompt_goes_out_as_it_is_unless_rewriting_is_asked_for(serve: Serve) -> None:
    server = serve()
    made = one(generator_at(server), text_task("a cat"))
    assert server.state.bodies[0]["parameters"]["prompt_extend"] is False
    assert "actual_prompt" not in made.notes


@pytest.mark.parametrize(
    "prompt",
    [
        "say \"hello\" and 'bye'",
        "two\nlines\r\nand\ttabs",
        "猫在屋顶上，下雨",
        "🐈‍⬛ on 🏠",
        "\\ % {} ${HOME} `ls`",
        "\ud83d half",
    ],
)
def test_any_prompt_arrives_as_it_is(serve: Serve, prompt: str) -> None:
    server = serve()
    made = one(generator_at(server), text_task(prompt))
    assert server.state.bodies[0]["input"]["prompt"] == prompt
    assert shows(made.image, prompt, 5)


def test_a_prompt_of_5000_characters_is_cut_where_a_word_ends_and_that_is_noted(serve: Serve) -> None:
    server = serve()
    prompt = "word " * 1000
    made = one(generator_at(server), text_task(prompt))
    sent = server.state.bodies[0]["input"]["prompt"]
    assert len(sent) <= 800 and len(sent) > 780 and sent.endswith("word")
    assert made.notes["prompt"] == sent and made.notes["prompt_cut_from"] == 4999
    chinese = "猫" * 5000
    one(generator_at(server), text_task(chinese))
    assert server.state.bodies[1]["input"]["prompt"] == "猫" * 800


def test_a_small_source_is_enlarged_and_the_result_comes_back_to_its_size(serve: Serve) -> None:
    server = serve(picture_px=0)
    inputs = edit_task("make it red", (250, 200))
    made = one(generator_at(server, model="wanx2.1-imageedit"), inputs)
    assert made.image.shape == (200, 250, 3)
    assert shows_edit(made.image, "make it red", 5)
    assert made.notes["came_px"] == [640, 512]


def test_what_the_edit_left_alone_lies_where_it_lay(serve: Serve) -> None:
    server = serve(picture_px=0, edit_px=(1024, 1024))
    inputs = edit_task("make it red", (260, 250))  # comes back with other proportions
    made = one(generator_at(server, model="qwen-image-edit"), inputs)
    assert inputs.source is not None
    outside = np.ones(made.image.shape[:2], bool)
    outside[50:200, 50:210] = False
    difference = np.abs(made.image.astype(int) - inputs.source.rgb.astype(int)).max(axis=2)
    assert made.image.shape == (250, 260, 3)
    assert np.percentile(difference[outside], 90) < 40


@pytest.mark.parametrize("size_px", [(60, 480), (4300, 1100), (513, 512), (40, 30)])
def test_any_usual_proportions_come_within_the_services_bounds(serve: Serve, size_px: tuple[int, int]) -> None:
    server = serve()
    made = one(generator_at(server, model="wanx2.1-imageedit"), edit_task("make it red", size_px))
    assert made.image.shape[:2] == size_px[::-1]


def test_a_picture_that_is_too_long_is_declined_before_anything_is_sent() -> None:
    with pytest.raises(Declined, match="too long"):
        DashScope(model="wanx2.1-imageedit").recipes(edit_task("make it red", (900, 100)), 1, 0)


def test_a_noisy_source_stays_under_ten_megabytes(serve: Serve) -> None:
    server = serve()
    noise = np.random.default_rng(0).integers(0, 256, (2300, 2300, 3)).astype(np.uint8)
    inputs = edit_task("make it red")
    inputs = type(inputs)(inputs.task, Picture(encode_final(noise)))
    generator = generator_at(server, model="wanx2.1-imageedit")
    assert generator.submit(inputs, generator.recipes(inputs, 1, 0)).id


def test_a_file_with_a_chinese_name_and_spaces_is_only_a_name(serve: Serve) -> None:
    made = one(generator_at(serve(), model="wanx2.1-imageedit"), edit_task("换成红色", name="我的 图片 (1).jpg"))
    assert made.image.shape == (250, 250, 3)


def test_a_mask_is_found_by_task_or_source_and_is_part_of_the_recipe(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    mask = np.zeros((250, 250, 3), np.uint8)
    mask[50:100] = 200
    (tmp_path / "我的 脸.png").write_bytes(encode_final(mask, "png"))
    settings = {"model": "wanx2.1-imageedit", "function": "description_edit_with_mask", "mask_path": str(tmp_path)}
    generator = generator_at(server, **settings)
    inputs = edit_task("make it red", name="我的 脸.jpg")
    assert "mask" in generator.recipes(inputs, 1, 0)[0].params
    one(generator, inputs)
    assert "mask_image_url" in server.state.bodies[0]["input"]
    with pytest.raises(Declined, match="no mask"):
        generator.recipes(edit_task("make it red", name="other.jpg"), 1, 0)


def test_models_that_answer_at_once_need_no_polling(serve: Serve) -> None:
    server = serve()
    inputs = text_task("a cat")
    generator = generator_at(server, model="qwen-image")
    ticket = generator.submit(inputs, generator.recipes(inputs, 1, 3))
    assert ticket.deliveries is not None
    made = generator.fetch(inputs, generator.recipes(inputs, 1, 3)[0], ticket.deliveries[0])
    assert shows(made.image, "a cat", 3)
    assert server.state.stats()["requests"] == {"submits": 1, "downloads": 1}


def test_what_a_model_answered_at_once_is_fetched_from_the_stored_facts_and_not_paid_again(serve: Serve) -> None:
    server = serve()
    inputs = text_task("a cat @download-500")
    first = generator_at(server, account_at(server.url, backoff_seconds=30.0), model="qwen-image")
    recipe = first.recipes(inputs, 1, 3)[0]
    ticket = first.submit(inputs, [recipe])
    assert ticket.resumable and ticket.deliveries is not None
    threading.Timer(0.2, first.account.stop.set).start()
    with pytest.raises(Interrupted):  # the run ends while it waits to try the download again
        first.fetch(inputs, recipe, ticket.deliveries[0])
    stored = json.dumps(dict(ticket.facts))
    assert KEY not in stored
    second = generator_at(server, model="qwen-image")
    (delivery,) = second.poll(Ticket(ticket.id, json.loads(stored))) or ()
    assert delivery == ticket.deliveries[0]
    assert shows(second.fetch(inputs, recipe, delivery).image, inputs.task.prompt, 3)
    stats = server.state.stats()
    assert (stats["paid"], stats["requests"]["submits"], stats["violations"]) == (1, 1, {})


def test_an_address_that_ran_out_before_another_run_is_a_failed_download(serve: Serve) -> None:
    server = serve()
    inputs = text_task("a cat @expired")
    generator = generator_at(server, model="qwen-image")
    recipe = generator.recipes(inputs, 1, 3)[0]
    ticket = generator.submit(inputs, [recipe])
    (delivery,) = generator_at(server, model="qwen-image").poll(Ticket(ticket.id, dict(ticket.facts))) or ()
    with pytest.raises(GenerationFailed, match="expired"):
        generator.fetch(inputs, recipe, delivery)


def test_a_delivery_with_its_bytes_needs_no_download() -> None:
    inputs = text_task("a cat")
    data = encode_final(np.full((20, 30, 3), 9, np.uint8), "png")
    generator = DashScope()
    made = generator.fetch(inputs, generator.recipes(inputs, 1, 0)[0], Delivery(data=data))
    assert made.image.shape == (20, 30, 3)
    with pytest.raises(GenerationFailed, match="damaged"):
        generator.fetch(inputs, generator.recipes(inputs, 1, 0)[0], Delivery(data=data[:50]))


def test_tasks_that_the_model_cannot_do_are_declined() -> None:
    assert DashScope().task_types == {TaskType.T2I}
    assert DashScope(model="qwen-image-edit-plus").task_types == {TaskType.TIE, TaskType.VTTIE}
    for inputs in (edit_task("x"), text_task("  ")):
        with pytest.raises(Declined):
            DashScope().recipes(inputs, 1, 0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": "big"}, "like 1024\\*1024"),
        ({"size": "2000*2000"}, "512 to 1440"),
        ({"model": "qwen-image", "size": "1024*1024"}, "one of 1328"),
        ({"model": "wan2.5-t2i-preview", "size": "600*600"}, "px in all"),
        ({"model": "wanx2.1-imageedit", "size": "512*512"}, "takes no size"),
        ({"model": "wanx2.1-imageedit", "function": "paint"}, "one of description_edit"),
        ({"function": "expand"}, "has no functions"),
        ({"model": "wanx2.1-imageedit", "prompt_extend": True}, "prompt_extend"),
        ({"model": "wanx2.1-imageedit", "negative_prompt": "x"}, "negative_prompt"),
        ({"model": "z-image-turbo", "watermark": True}, "z-image-turbo takes no watermark"),
        ({"model": "wanx2.1-imageedit", "strength": 2.0}, "0 to 1"),
        ({"strength": 0.5}, "description_edit only"),
        ({"model": "wanx2.1-imageedit", "function": "description_edit_with_mask"}, "mask_path"),
        ({"mask_path": "m.png"}, "need each other"),
        ({"batch": 7}, "1 to 6"),
        ({"model": "wan9-t2i-new"}, 'protocol = "messages"'),
        ({"model": "qwen-image-edit-2099"}, "did you mean 'qwen-image-edit'"),
        ({"protocol": "batch"}, "take one of messages"),
        ({"extra": {"n": 3}}, "must not hold 'n'"),
        ({"region": "eu-central-1"}, "set `workspace`"),
        ({"workspace": "a.evil.example/"}, "letters, digits"),
        ({"model": "wan2.7-image", "size": "4K"}, "1K, 2K"),
        ({"model": "wan2.7-image", "size": "4096*400"}, "at most 8 to 1"),
        ({"model": " "}, "model is empty"),
        ({"model": "wanx2.1-imageedit", "expand": [0.5, 1, 1, 1]}, "1 to 2"),
        ({"model": "wanx2.1-imageedit", "upscale_factor": 9}, "1, 2, 3 or 4"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_right(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        DashScope(**settings)


def test_an_unknown_model_is_asked_as_the_configuration_says(serve: Serve) -> None:
    generator = generator_at(serve(), model="wan9-t2i-new", protocol="text2image")
    assert "price" in generator.hint and generator.price is None
    assert generator.task_types == {TaskType.T2I}
    inputs = text_task("a cat")
    with pytest.raises(ServiceStopped, match="wan9-t2i-new"):  # the request did go out
        generator.submit(inputs, generator.recipes(inputs, 1, 0))
    assert DashScope().hint == ""


def test_a_dated_name_has_the_facts_of_its_model(serve: Serve) -> None:
    server = serve()
    generator = generator_at(server, model="qwen-image-2.0-2026-03-03")
    assert (generator.price, generator.task_types) == (0.20, set(TaskType) - {TaskType.DEEPFAKE})
    one(generator, text_task("a cat"))
    assert server.state.bodies[0]["model"] == "qwen-image-2.0-2026-03-03"


def test_a_model_of_both_kinds_gets_the_picture_of_an_edit_and_a_size_only_without_one(serve: Serve) -> None:
    server = serve(picture_px=0)
    generator = generator_at(server, model="wan2.7-image", size="1k")
    one(generator, text_task("a cat"))
    made = one(generator, edit_task("make it red", (250, 200)))
    words, edit = server.state.bodies
    assert words["parameters"] == {"watermark": False, "size": "1K", "seed": 5, "n": 1}
    assert edit["parameters"] == {"watermark": False, "seed": 5, "n": 1}
    assert [list(part) for part in edit["input"]["messages"][0]["content"]] == [["image"], ["text"]]
    assert made.image.shape == (200, 250, 3)


@pytest.mark.parametrize("protocol", ["messages", "messages-job"])
def test_messages_go_at_once_or_as_a_job_and_the_replied_model_is_noted(serve: Serve, protocol: str) -> None:
    server = serve()
    generator = generator_at(server, model="wan2.7-image-pro", protocol=protocol)
    inputs = text_task("a cat")
    ticket = generator.submit(inputs, generator.recipes(inputs, 1, 3))
    assert (ticket.deliveries is None) is (protocol == "messages-job")
    made = generator.fetch(inputs, generator.recipes(inputs, 1, 3)[0], wait_for(generator, ticket)[0])
    assert shows(made.image, "a cat", 3)
    assert made.notes["replied_model"] == "wan2.7-image-pro-2026-01-01" and made.notes["request_id"]


def test_a_model_is_not_sent_what_it_does_not_take(serve: Serve) -> None:
    server = serve()
    one(generator_at(server, model="z-image-turbo", extra={"future": 1}), text_task("a cat"))
    assert server.state.bodies[0]["parameters"] == {
        "size": "1024*1024",
        "prompt_extend": False,
        "future": 1,
        "seed": 5,
    }


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "https://dashscope.aliyuncs.com"),
        ({"region": "ap-southeast-1"}, "https://dashscope-intl.aliyuncs.com"),
        ({"region": "us-east-1"}, "https://dashscope-us.aliyuncs.com"),
        ({"workspace": "ws-1a2b"}, "https://ws-1a2b.cn-beijing.maas.aliyuncs.com"),
        ({"workspace": "ws-1a2b", "region": "eu-central-1"}, "https://ws-1a2b.eu-central-1.maas.aliyuncs.com"),
    ],
)
def test_region_and_workspace_say_the_address(settings: dict[str, str], address: str) -> None:
    service = usual_service("dashscope", settings)
    assert service is not None and service.base_url == address
    assert DashScope(**settings).account.service.base_url == address


def test_limits_are_told_in_words_and_their_absence_in_the_services(serve: Serve) -> None:
    told = generator_at(serve()).limits()
    assert told == "limits: 2 requests in 1 s, 5 jobs at once, 100 jobs waiting"
    assert "HTTP 403 (This workspace may not list its limits.)" in generator_at(serve(quotas=403)).limits()
    assert "no limits" in generator_at(serve(models=())).limits()
    assert "limits not told" in DashScope(account=account_at("http://127.0.0.1:9")).limits()


def test_without_a_key_the_cure_is_said_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    with pytest.raises(MissingPart, match="export DASHSCOPE_API_KEY"):
        DashScope().check()


@pytest.mark.parametrize(
    ("settings", "base_url", "price"),
    [
        ({}, "", 0.14),
        ({"workspace": "ws-1a2b"}, "", 0.14),
        ({}, "http://127.0.0.1:9", 0.14),  # a proxy of one's own
        ({"region": "ap-southeast-1"}, "", None),
        ({"region": "us-east-1"}, "", None),
        ({"region": "eu-central-1", "workspace": "ws-1a2b"}, "", None),
        ({"region": "us-east-1"}, "http://127.0.0.1:9", None),
        ({}, "https://dashscope-intl.aliyuncs.com", None),
        ({}, "https://ws-1a2b.ap-southeast-1.maas.aliyuncs.com:443", None),
    ],
)
def test_the_tables_prices_are_those_of_the_home_region_alone(
    settings: dict[str, str], base_url: str, price: float | None
) -> None:
    generator = DashScope(**settings, account=account_at(base_url) if base_url else None)
    assert generator.price == price
    assert ("that of cn-beijing is): set `prices`" in generator.hint) is (price is None)


def test_a_campaign_can_state_another_price() -> None:
    account = account_at("https://example.com", prices={"wanx2.1-t2i-turbo": 0.01})
    assert DashScope(account=account).price == 0.01


def test_limits_are_kept_by_all_workers_together(serve: Serve) -> None:
    server = serve(running=6, submits_per_second=30.0, downloads=3, job_seconds=0.25)
    account = account_at(server.url, running=6, submits_per_second=30.0, downloads=3)
    generator = generator_at(server, account)

    def work(i: int) -> bool:
        inputs = text_task(f"cat {i}")
        recipe = generator.recipes(inputs, 1, i)[0]
        with account.slot():
            (delivery,) = wait_for(generator, generator.submit(inputs, [recipe]))
        return shows(generator.fetch(inputs, recipe, delivery).image, f"cat {i}", i)

    started = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(60)))
    assert time.monotonic() - started < 60 * 0.25  # one after another
    stats = server.state.stats()
    assert stats["violations"] == {}
    assert 1 < stats["most_running"] <= 6 and stats["most_downloads"] <= 3
    assert stats["paid"] == 60


def test_a_stopped_run_ends_its_waits_at_once(serve: Serve) -> None:
    server = serve(running=1)
    account = account_at(server.url, running=1)
    account.take_slot()
    threading.Timer(0.1, account.stop.set).start()
    started = time.monotonic()
    with pytest.raises(Exception, match="stopped"):
        generator_at(server, account).generate(text_task("a"), DashScope().recipes(text_task("a"), 1, 0)[0])
    assert time.monotonic() - started < 10  # without the stop for ever
