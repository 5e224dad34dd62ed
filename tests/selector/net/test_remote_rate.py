"""How many requests a server sees in a second, by its own count, and that slow replies do not make a client slow."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from dashscope_service import Serve, account_at, generator_at, serving, text_task

from generators.openai_images import OpenAIImages
from selector.domain.remote import ServiceStopped
from selector.net import Account, Service, Trouble, troubles
from tests.servers.openai_images_server import Behaviour, OpenAIImagesServer

serve = serving  # the fixture


def account(**facts: object) -> Account:
    return Account(Service("s", "http://127.0.0.1:1", **{"backoff_seconds": 0.001, **facts}))  # type: ignore[arg-type]


def late_way_to(port: int, most_seconds: float) -> int:
    """The port of a way to a server on which everything that is sent comes later by up to so much."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)

    def carry(source: socket.socket, target: socket.socket, longest: float, seed: int) -> None:
        rng = Random(seed)
        try:
            while data := source.recv(1 << 16):
                time.sleep(rng.uniform(0.0, longest))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def accept() -> None:
        for number in range(10_000):
            ours, _ = listener.accept()
            theirs = socket.create_connection(("127.0.0.1", port))
            for end in (ours, theirs):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=carry, args=(ours, theirs, most_seconds, number), daemon=True).start()
            threading.Thread(target=carry, args=(theirs, ours, 0.0, number), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


def test_a_server_never_sees_more_than_it_allows_however_late_requests_come_and_replies_go(serve: Serve) -> None:
    server = serve(submits_per_second=20.0, job_seconds=1.5)
    url = f"http://127.0.0.1:{late_way_to(int(server.url.rpartition(':')[2]), 0.12)}"
    ours = account_at(url, submits_per_second=20.0)
    quick, slow = (generator_at(server, ours, model=model) for model in ("wanx2.1-t2i-turbo", "qwen-image"))

    def submit(number: int) -> None:
        generator, inputs = (slow if number % 3 else quick), text_task(f"cat {number}")
        generator.submit(inputs, generator.recipes(inputs, 1, number))

    started = time.monotonic()
    with ThreadPoolExecutor(64) as pool:
        list(pool.map(submit, range(300)))
    # What a busy machine adds to the way is no promise of ours; without our allowance 28 of 300 come too early.
    assert server.state.violations.total() <= 9
    assert server.state.requests["submits"] == 300 + server.state.violations.total()
    assert time.monotonic() - started < 300 / 20 * 1.25 + 5.0


def test_a_model_that_answers_at_once_but_slowly_works_on_as_many_jobs_as_may_run(serve: Serve) -> None:
    server = serve(running=8, submits_per_second=4.0, job_seconds=4.0)  # 3 to 4 s each, the eighth is sent after 2
    ours = account_at(server.url, running=8, submits_per_second=4.0)
    slow = generator_at(server, ours, model="qwen-image")

    def work(number: int) -> None:
        inputs = text_task(f"cat {number}")
        with ours.slot():
            slow.submit(inputs, slow.recipes(inputs, 1, number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert server.state.most_running == 8
    assert not server.state.violations


def test_the_images_api_is_told_apart_when_its_request_has_left_and_when_it_is_answered() -> None:
    with OpenAIImagesServer(Behaviour(seconds=2.0)) as server:
        ours = Account(Service("s", server.url, running=6, submits_per_second=4.0))
        generator, inputs = OpenAIImages(model="toy-image", account=ours), text_task("a cube")
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda seed: generator.submit(inputs, generator.recipes(inputs, 1, seed)), range(6)))
        assert server.most_at_once == 6  # the fifth would wait for the first reply otherwise


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="the system does not tell what it holds back")
def test_a_body_that_takes_long_to_upload_holds_its_place_until_it_has_arrived() -> None:
    arrived: list[float] = []
    text = "1" * 600_000  # takes 0.75 s where it is read slowly
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)

    def answer(connection: socket.socket, slow: bool) -> None:
        left = len(text)
        while left > 0 and (data := connection.recv(12_000)):
            left -= len(data)
            time.sleep(0.015 if slow else 0.0)
        arrived.append(time.monotonic())
        time.sleep(2.0)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        connection.close()

    def accept() -> None:
        for number in range(4):
            threading.Thread(target=answer, args=(listener.accept()[0], number < 2), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    ours = Account(Service("s", f"http://127.0.0.1:{listener.getsockname()[1]}", submits_per_second=2.0))
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ours.call(lambda: ours.request("POST", "/x", json=text), ours.submits), range(4)))
    listener.close()
    times = sorted(moment - started for moment in arrived)
    assert times[0] > 0.5  # else nothing was slow
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[2:], strict=False))
    assert times[2] - times[1] < 1.9  # and nobody waited for a reply


def test_whoever_does_not_say_that_a_request_has_left_holds_its_place_until_a_second_after_the_reply() -> None:
    ours = account(submits_per_second=5.0)
    begun: list[float] = []
    ended: list[float] = []

    def send() -> int:
        begun.append(time.monotonic())
        time.sleep(0.01 if len(begun) % 2 else 0.3)
        ended.append(time.monotonic())
        return 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ours.call(send, ours.submits), range(11)))
    # When the request i + 5 begins, i + 1 others must have ended a second ago: no matter which.
    assert all(begin - end >= 1.0 for end, begin in zip(sorted(ended), sorted(begun)[5:], strict=False))


@pytest.mark.parametrize("rate", [0.0, 2.0])
def test_workers_that_wait_send_nothing_once_the_service_is_given_up(rate: float) -> None:
    ours = account(submits_per_second=rate)
    (ours.submits if rate else ours.rest).pause(1.5)  # all wait, and would then go one after the other
    sent: list[float] = []

    def send() -> Trouble:
        sent.append(time.monotonic())
        return Trouble(troubles.FATAL, "a wrong key")

    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(ours.call, send, ours.submits if rate else None) for _ in range(12)]
        for each in waiting:
            with pytest.raises(ServiceStopped, match="a wrong key"):
                each.result(timeout=5)
    assert len(sent) <= 6  # not all 12; some may have begun before the first was answered


@pytest.mark.parametrize("wait", [lambda ours: ours.submits.sleep(60.0), lambda ours: ours.call(int, ours.submits)])
def test_no_wait_outlives_the_service(wait: Callable[[Account], object]) -> None:
    ours = account(submits_per_second=0.01)
    ours.call(int, ours.submits)  # the place is taken for 100 s
    threading.Timer(0.1, ours.breaker.stop, ("dead",)).start()
    with ThreadPoolExecutor(3) as pool:
        for each in [pool.submit(wait, ours) for _ in range(3)]:
            with pytest.raises(ServiceStopped, match="dead"):
                each.result(timeout=2)
