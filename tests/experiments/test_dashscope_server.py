"""The loopback service itself: what it counts must be right, or the experiments that trust it say nothing."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from generators._dashscope_models import known_models
from generators.dashscope import DashScope
from selector.domain import Picture, Task, TaskInputs, TaskType
from selector.net import Account
from tests.servers.dashscope_faults import ALL, AT_DOWNLOAD, AT_SUBMIT, Faults
from tests.servers.dashscope_pictures import edited, encoded, painted, shows, shows_edit
from tests.servers.dashscope_requests import EDIT, TALK, TEXT
from tests.servers.dashscope_server import DashScopeServer, main
from tests.servers.dashscope_state import Behaviour

PLACE = "/api/v1/services/aigc/text2image/image-synthesis"
ASYNC = {"X-DashScope-Async": "enable"}


@pytest.fixture
def server() -> Iterator[DashScopeServer]:
    with DashScopeServer(Behaviour(running=2, submits_per_second=3.0, downloads=1, job_seconds=0.4)) as running:
        yield running


def body(prompt: str = "a cat", **parameters: Any) -> dict[str, Any]:
    return {"model": "wanx2.1-t2i-turbo", "input": {"prompt": prompt}, "parameters": {"n": 2, "seed": 7, **parameters}}


def post(server: DashScopeServer, **fields: Any) -> requests.Response:
    return requests.post(server.url + PLACE, json=body(**fields), headers=ASYNC, timeout=5)


def test_too_many_jobs_at_once_are_refused_and_counted(server: DashScopeServer) -> None:
    assert [post(server).status_code for _ in range(3)] == [200, 200, 429]
    assert server.state.violations == {"running": 1}
    time.sleep(1.05)
    assert post(server).status_code == 200


def test_too_many_submissions_in_a_second_are_refused_and_counted() -> None:
    with DashScopeServer(Behaviour(submits_per_second=3.0)) as server:
        assert [post(server).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        assert server.state.violations == {"submits": 2}
        time.sleep(1.05)
        assert post(server).status_code == 200


def test_a_job_goes_its_way_and_its_pictures_tell_prompt_and_seed(server: DashScopeServer) -> None:
    task = post(server).json()["output"]["task_id"]
    states = []
    while not states or states[-1] in ("PENDING", "RUNNING"):
        output = requests.get(f"{server.url}/api/v1/tasks/{task}", timeout=5).json()["output"]
        states.append(output["task_status"])
        time.sleep(0.02)
    seen = list(dict.fromkeys(states))  # a busy machine may ask too late for the first of them
    assert seen == [state for state in ("PENDING", "RUNNING", "SUCCEEDED") if state in seen] and output["results"]
    for i, result in enumerate(output["results"]):
        rgb = Picture(requests.get(result["url"], timeout=5).content).rgb
        assert rgb.shape == (1024, 1024, 3)
        assert shows(rgb, "a cat", 7 + i) and not shows(rgb, "a cat", 8 + i) and not shows(rgb, "a dog", 7 + i)
    assert server.state.stats()["paid"] == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": 5}, "n must be"),
        ({"seed": -1}, "seed must be"),
        ({"size": "400*1024"}, "size must be"),
        ({"size": "1024x1024"}, "size must be like"),
        ({"prompt": " "}, "prompt is required"),
    ],
)
def test_fields_out_of_bounds_are_rejected(server: DashScopeServer, change: dict[str, Any], said: str) -> None:
    came = post(server, **change)
    assert (came.status_code, came.json()["code"]) == (400, "InvalidParameter")
    assert said in came.json()["message"]


def test_four_images_are_made_and_charged_where_n_is_not_said(server: DashScopeServer) -> None:
    asked = body()
    del asked["parameters"]["n"]
    requests.post(server.url + PLACE, json=asked, headers=ASYNC, timeout=5)
    assert server.state.stats()["paid"] == 4


def test_the_headers_are_needed(server: DashScopeServer) -> None:
    assert requests.post(server.url + PLACE, json=body(), timeout=5).status_code == 403
    with DashScopeServer(Behaviour(key="sk-1")) as strict:
        wrong = {**ASYNC, "Authorization": "Bearer sk-2"}
        assert requests.post(strict.url + PLACE, json=body(), headers=wrong, timeout=5).status_code == 401


def test_a_reply_that_a_dying_client_did_not_read_makes_its_job_a_lost_one() -> None:
    with DashScopeServer(Behaviour()) as server:
        data = b'{"model":"wanx2.1-t2i-turbo","input":{"prompt":"a"},"parameters":{"n":3}}'
        head = f"POST {PLACE} HTTP/1.1\r\nhost: x\r\nx-dashscope-async: enable\r\ncontent-length: {len(data)}\r\n\r\n"
        for lost in (True, False):
            with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as client:
                client.sendall(head.encode() + data)
                time.sleep(0.2)
                if not lost:
                    client.recv(10_000)
                elif sys.platform != "linux":  # elsewhere a close with unread bytes need not be a reset
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            time.sleep(0.2)
        stats = server.state.stats()
        assert (stats["jobs"], stats["jobs_lost"], stats["paid"], stats["paid_lost"]) == (2, 1, 6, 3)


def test_an_edit_keeps_what_lies_around_it() -> None:
    base = painted("the base", 0, (120, 90))
    rgb = edited(base, "a hat", 3)
    assert shows_edit(rgb, "a hat", 3) and not shows_edit(base, "a hat", 3)
    assert (rgb[:20] == base[:20]).all()
    assert shows_edit(Picture(encoded(rgb, "JPEG")).rgb, "a hat", 3)


def test_faults_come_with_their_share_and_do_not_depend_on_the_order() -> None:
    shares = {"429": 0.1, "500": 0.05, "refuse": 0.02}
    prompts = [f"cat {i}" for i in range(4000)]
    first, second = Faults(shares, 1), Faults(shares, 1)
    met = {p: first.choose(AT_SUBMIT, p) for p in prompts}
    assert {p: second.choose(AT_SUBMIT, p) for p in reversed(prompts)} == met
    for fault, share in shares.items():
        assert abs(first.count[fault] / len(prompts) - share) < 0.25 * share + 0.004
    assert all(first.choose(AT_SUBMIT, p) == "refuse" for p, fault in met.items() if fault == "refuse")


def test_a_fault_by_word_is_served_as_often_as_it_says() -> None:
    faults = Faults({}, 0)
    assert [faults.choose(AT_SUBMIT, "x @429*2 @500 @html") for _ in range(4)] == ["429", "429", "500", ""]
    assert [faults.choose(AT_DOWNLOAD, "x @html", place) for place in "aab"] == ["html", "", "html"]
    assert [faults.choose(AT_SUBMIT, "x @refuse") for _ in range(2)] == ["refuse", "refuse"]
    with pytest.raises(ValueError, match="no faults"):
        Faults({"nonsense": 0.1}, 0)


@pytest.mark.parametrize("place", [TEXT, EDIT, TALK])
def test_a_model_that_does_not_exist_is_told_as_such_whatever_else_is_wrong(place: str) -> None:
    headers = {} if place == TALK else ASYNC
    with DashScopeServer() as server:
        wrong = {"model": "wan9-t2i-new", "input": {}, "parameters": {"size": "1*1"}}
        came = requests.post(f"{server.url}/api/v1/services/aigc/{place}", json=wrong, headers=headers, timeout=5)
    assert (came.status_code, came.json()["code"]) == (404, "ModelNotFound")


@pytest.mark.parametrize("name", sorted(known_models()))
def test_every_model_that_the_client_knows_is_served(name: str) -> None:
    with DashScopeServer(Behaviour(picture_px=64, job_seconds=0.05)) as server:
        service = replace(DashScope.usual_service, base_url=server.url, key_env="")
        generator = DashScope(name, account=Account(service))
        source = Picture(encoded(painted("a cat", 1, (600, 400)), "PNG"), "s.png")
        for kind in sorted(generator.task_types):
            given = None if kind is TaskType.T2I else source
            inputs = TaskInputs(Task("1", kind, "a cat", None, None, 0), given)
            assert len(generator.generate(inputs, generator.recipes(inputs, 1, 3)[0]).image) > 0


def test_the_help_names_every_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out.replace("+", "").split()
    assert set(ALL) <= set(said) and len(ALL) == len(set(ALL)) >= 30


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--share", "nosuch=0.5"], "there is no fault 'nosuch': take one of 429, "),
        (["--share", "refuse"], "the share of 'refuse' must be 0 to 1, as in refuse=0.05"),
        (["--share", "refuse=2"], "must be 0 to 1"),
        (["--port", "99999"], "port 99999 cannot be had"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    told = capsys.readouterr().err
    assert caught.value.code == 2 and said in told and told.count("\n") == 1


def test_it_serves_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.servers.dashscope_server", "--running", "1", "--share", "429=1.0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert requests.post(url + PLACE, json=body(), headers=ASYNC, timeout=5).status_code == 429
        stats = requests.get(url + "/_stats", timeout=5).json()
        assert stats["faults"] == {"429": 1} and stats["jobs"] == 0
        assert requests.get(url + "/_jobs", timeout=5).json() == []
        process.terminate()
        assert process.wait(10) == 0


def test_a_client_that_is_gone_when_its_picture_is_made_has_paid_and_was_told_nothing(server: DashScopeServer) -> None:
    message = {"role": "user", "content": [{"text": "a cat"}]}
    asked = {"model": "qwen-image", "input": {"messages": [message]}, "parameters": {"n": 1, "size": "1328*1328"}}
    talk = "/api/v1/services/aigc/multimodal-generation/generation"
    with pytest.raises(requests.Timeout):  # it hangs up, as the system does for a process that was killed
        requests.post(server.url + talk, json=asked, timeout=0.1)
    time.sleep(0.6)
    stats = server.state.stats()
    assert (stats["paid"], stats["paid_lost"]) == (1, 1)
