"""Requests and downloads against small real servers: what is bounded, refused, followed and tried again."""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hostile_server import HostileServer

from selector.domain import GenerationFailed, OutOfResources, Picture, encode_final
from selector.net import Account, Answer, Interrupted, Service, Trouble, http, troubles
from selector.net._reading import read_body
from selector.net._watch import TooSlow
from selector.net.download import download
from selector.net.http import as_json, origin

PNG = encode_final(np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8), "png")
Reply = Callable[[BaseHTTPRequestHandler], None]


class Place:
    """A server whose answers are functions; keeps the headers of every request."""

    def __init__(self, answer: Reply, host: str = "127.0.0.1") -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        place = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                place.connections += 1
                super().setup()

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                place.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                answer(self)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                return

        self.http = ThreadingHTTPServer((host, 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://{host}:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def place() -> Iterator[Callable[[Reply], Place]]:
    places: list[Place] = []

    def start(answer: Reply) -> Place:
        places.append(Place(answer))
        return places[-1]

    yield start
    for each in places:
        each.http.shutdown()
        each.http.server_close()


Start = Callable[[Reply], Place]


def sends(data: bytes, kind: str = "image/png", status: int = 200, length: int | None = None, **headers: str) -> Reply:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("content-type", kind)
        handler.send_header("content-length", str(len(data) if length is None else length))
        handler.close_connection = length is not None
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def in_turn(*answers: Reply) -> Reply:
    """Each request gets the next answer; the last one stays."""
    left = list(answers)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def account(url: str = "http://127.0.0.1:1", **facts: object) -> Account:
    usual = {"backoff_seconds": 0.005, "max_retries": 2, "timeout_seconds": 5.0}
    return Account(Service("s", url, **{**usual, **facts}))  # type: ignore[arg-type]


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("REMOTE_TEST_KEY", "sk-0123456789abcdef")
    return "sk-0123456789abcdef"


def test_json_goes_out_and_comes_back_with_the_key(place: Start, key: str) -> None:
    there = place(sends(b'{"a": [1, "\xe7\x8c\xab"]}', "application/json"))
    came = account(there.url + "/", key_env="REMOTE_TEST_KEY").request(
        "POST", "/x", json={"t": "猫\ud83d"}, headers={"X-Y": "z"}
    )
    assert isinstance(came, Answer)
    assert (came.status, came.body) == (200, {"a": [1, "猫"]})
    path, headers = there.seen[0]
    assert (path, headers["authorization"], headers["x-y"]) == ("/x", f"Bearer {key}", "z")


def test_no_key_sends_no_header(place: Start) -> None:
    there = place(sends(b"{}", "application/json"))
    account(there.url).request("GET", "/x")
    assert "authorization" not in there.seen[0][1]


@pytest.mark.parametrize(("status", "body"), [(500, {"code": "x"}), (429, {}), (404, None)])
def test_errors_come_back_with_their_status_and_what_they_say(place: Start, status: int, body: object) -> None:
    data = b"<html>" if body is None else as_json(body)
    came = account(place(sends(data, "application/json", status)).url).request("GET", "/x")
    assert isinstance(came, Answer) and (came.status, came.body) == (status, body)


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.close()


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "100")
    handler.end_headers()
    for _ in range(100):
        try:
            handler.wfile.write(b" ")
        except OSError:
            return
        time.sleep(0.05)


def stalls(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", str(len(PNG)))
    handler.end_headers()
    handler.wfile.write(PNG[:300])
    time.sleep(0.5)
    handler.close_connection = True


@pytest.mark.parametrize(
    ("answer", "said", "fate"),
    [
        (sends(b"<html>", "text/html"), "the reply is no JSON", troubles.ANSWERED),
        (sends(b'{"a": ', "application/json"), "the reply is no JSON", troubles.UNANSWERED),
        (sends(b'{"a"', "application/json", 200, 50), "the connection failed", troubles.UNANSWERED),
        (sends(b'{"a"', "application/json", 500, 50), "the connection failed", troubles.ANSWERED),
        (hangs_up, "the connection failed", troubles.UNANSWERED),
        (drips, "the server did not answer in time", troubles.UNANSWERED),
        (lambda _: time.sleep(1.0), "the server did not answer in time", troubles.UNANSWERED),
    ],
)
def test_a_damaged_or_late_answer_is_a_trouble_that_may_pass(place: Start, answer: Reply, said: str, fate: str) -> None:
    came = account(place(answer).url, timeout_seconds=0.5).request("POST", "/x", json={})
    assert came == Trouble(troubles.BUSY, said, fate=fate)


def test_nobody_listening_is_told_apart() -> None:
    came = account("http://127.0.0.1:1").request("GET", "/x")
    assert came == Trouble(troubles.BUSY, "the server cannot be reached", fate=troubles.UNREACHED)


def test_a_name_that_no_server_has_is_an_unreached_one() -> None:
    came = account("http://no-such-host.invalid").request("POST", "/x", json={})
    assert isinstance(came, Trouble) and came.fate == troubles.UNREACHED


@pytest.mark.parametrize("url", ["example.com", "ftp://example.com", "http://", "http://exa mple.com:x/"])
def test_what_is_no_address_says_what_one_looks_like(url: str) -> None:
    came = account(url).request("GET", "/x")
    assert isinstance(came, Trouble) and came.kind == troubles.FATAL and "base_url" in came.reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_request_follows_a_redirect_with_the_key(place: Start, key: str, status: int) -> None:  # noqa: ARG001
    other = place(sends(b"{}", "application/json"))
    there = place(sends(b"", "text/plain", status, location=f"http://me:pw@{other.url[7:]}/y"))
    for came in (
        account(there.url, key_env="REMOTE_TEST_KEY").request("GET", "/x"),
        account(there.url, key_env="REMOTE_TEST_KEY").request("POST", "/x", json={}),
    ):
        assert isinstance(came, Trouble) and came.kind == troubles.FATAL
        assert other.url[7:] in came.reason and "pw" not in came.reason and "base_url" in came.reason
    assert other.seen == []


def test_connections_are_used_again_by_all_threads(place: Start) -> None:
    there = place(sends(b"{}", "application/json"))
    ours = account(there.url)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ours.request("GET", "/x"), range(60)))
    assert len(there.seen) == 60
    assert there.connections <= 6


def test_cookies_are_not_kept(place: Start) -> None:
    there = place(sends(b"{}", "application/json", set_cookie="a=b"))
    for _ in range(2):
        account(there.url).request("GET", "/x")
    assert "cookie" not in there.seen[1][1]


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://Example.com/a") == origin("https://example.com:443/b")
    assert origin("http://example.com") != origin("https://example.com")
    assert origin("http://example.com:81") != origin("http://example.com")
    assert origin("http://example.com:99999999")[2] == 80


def test_a_picture_is_downloaded_and_decoded_without_the_key(place: Start, key: str) -> None:  # noqa: ARG001
    there = place(sends(PNG))
    picture = download(account(there.url, key_env="REMOTE_TEST_KEY"), there.url + "/a.png?Signature=x%2B")
    assert picture.data == PNG and picture.rgb.shape == (64, 64, 3)
    assert there.seen[0][0] == "/a.png?Signature=x%2B"
    assert "authorization" not in there.seen[0][1]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (sends(b"<html>hello</html>", "text/html"), "page of text"),
        (sends(b"  <!DOCTYPE html>", "image/png"), "page of text"),
        (sends(b'{"error": 1}', "application/octet-stream"), "page of text"),
        (sends(PNG[: len(PNG) // 2]), "damaged"),
        (sends(PNG[:300], length=len(PNG)), "connection failed"),
        (stalls, "did not answer in time"),
        (sends(b"", status=500), "HTTP 500"),
        (sends(b"", status=429, retry_after="0.01"), "HTTP 429"),
        (sends(b""), "damaged"),
        (hangs_up, "connection failed"),
    ],
)
def test_a_bad_download_is_tried_again_and_given_up_with_its_reason(place: Start, bad: Reply, said: str) -> None:
    seconds = 0.4 if bad is stalls else 5.0
    once = place(in_turn(bad, sends(PNG)))
    ours = account(timeout_seconds=seconds)
    assert download(ours, once.url).data == PNG
    assert sum(ours.troubles.values()) == 1
    always = place(bad)
    with pytest.raises(GenerationFailed, match=rf"{said}.*\(3 times\)"):
        download(account(timeout_seconds=seconds), always.url)
    assert len(always.seen) == 3


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_address_that_ran_out_is_not_tried_again(place: Start, status: int) -> None:
    there = place(sends(b"<Error/>", "application/xml", status))
    with pytest.raises(GenerationFailed, match="expired"):
        download(account(), there.url)
    assert len(there.seen) == 1


@pytest.mark.parametrize("length", [True, False])
def test_a_download_has_a_largest_size_whether_it_is_said_or_not(place: Start, length: bool) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if length:
            handler.send_header("content-length", str(10**9))
        handler.send_header("connection", "close")
        handler.end_headers()
        handler.close_connection = True
        for _ in range(400):
            handler.wfile.write(bytes(1 << 16))

    with pytest.raises(GenerationFailed, match=r"MB|too large"):
        download(account(), place(endless).url, most_bytes=1_000_000)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "/results/1.png", "ftp://a/b", "http://"])
def test_only_addresses_of_the_web_are_fetched(url: str) -> None:
    with pytest.raises(GenerationFailed, match="no address"):
        download(account(), url)


def test_redirects_are_followed_without_a_key_but_not_for_ever(place: Start) -> None:
    there = place(sends(PNG))
    first = place(sends(b"", status=302, location=there.url + "/real.png"))
    assert download(account(), first.url).data == PNG
    loop = place(sends(b"", status=302, location="/again"))
    with pytest.raises(GenerationFailed, match="redirects too often"):
        download(account(), loop.url)
    assert len(loop.seen) == 6


def test_a_download_that_carries_the_key_stays_at_the_services_own_origin(place: Start, key: str) -> None:
    other = place(sends(PNG))
    there = place(
        lambda handler: (
            sends(b"", status=302, location=other.url + "/x" if handler.path == "/away" else "/here")(handler)
            if handler.path in ("/away", "/near")
            else sends(PNG)(handler)
        )
    )
    ours = account(there.url, key_env="REMOTE_TEST_KEY")
    assert download(ours, there.url + "/near", carry_key=True).data == PNG
    assert [headers["authorization"] for _, headers in there.seen] == [f"Bearer {key}"] * 2
    for url in (there.url + "/away", other.url + "/x", there.url.replace("127.0.0.1", "localhost") + "/near"):
        with pytest.raises(GenerationFailed, match="the key is not sent to"):
            download(ours, url, carry_key=True)
    assert other.seen == []


def test_downloads_from_a_host_are_bounded(place: Start) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.05)
        with lock:
            at_once -= 1
        sends(PNG)(handler)

    ours, there = account(downloads=3), place(slow)
    with ThreadPoolExecutor(10) as pool:
        assert len(list(pool.map(lambda _: download(ours, there.url), range(15)))) == 15
    assert most == 3


def test_a_stopped_run_does_not_wait_for_its_turn_to_download(place: Start) -> None:
    ours, there = account(downloads=1), place(sends(PNG))
    ours.downloads_from(there.url[7:]).acquire()
    ours.stop.set()
    with pytest.raises(Interrupted):
        download(ours, there.url)


def test_many_downloads_leave_no_memory_behind(place: Start) -> None:
    ours, there = account(), place(sends(PNG))
    for _ in range(10):
        download(ours, there.url)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(60):
        there.seen.clear()
        download(ours, there.url)
    gc.collect()  # the command line, which other tests have called in this process, has it looked for seldom
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 200_000  # a picture is 12,000 bytes, its pixels as much


def test_jpeg_and_webp_pass_too(place: Start) -> None:
    from PIL import Image

    for fmt in ("JPEG", "WEBP"):
        buffer = io.BytesIO()
        Image.fromarray(Picture(PNG).rgb).save(buffer, fmt)
        assert download(account(), place(sends(buffer.getvalue(), "application/octet-stream")).url).size == (64, 64)


@pytest.mark.skipif(sys.platform != "linux", reason="only there is all of 127.0.0.0/8 this machine")
def test_a_password_in_netrc_goes_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.2 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    there = Place(sends(PNG), "127.0.0.2")  # no loopback name that the client knows: the environment is asked
    ours = account(there.url, key_env="REMOTE_TEST_KEY")
    try:
        download(ours, there.url)
        ours.request("GET", "/x")
    finally:
        there.http.shutdown()
        there.http.server_close()
    assert [headers.get("authorization") for _, headers in there.seen] == [None, f"Bearer {key}"]


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    place: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    there = place(sends(PNG))
    assert download(account(), there.url).data == PNG
    came = account("http://127.0.0.2:2").request("GET", "/x")
    assert came == Trouble(troubles.BUSY, "the proxy failed", fate=troubles.UNREACHED)


def test_without_sockets_nothing_is_sent_and_nothing_waited_for(place: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    there = place(sends(PNG))
    monkeypatch.setattr("socket.socket", no_socket)
    came = account(there.url).request("POST", "/x", json={})
    assert isinstance(came, Trouble) and (came.kind, came.fate) == (troubles.SHORT, troubles.UNREACHED)
    with pytest.raises(OutOfResources, match="ulimit -n"):
        download(account(there.url), f"{there.url}/a.png")
    assert not there.seen


def no_socket(*_: object, **__: object) -> None:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_whatever_the_reading_of_a_reply_raises_is_a_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ArithmeticError("with words of the server")

    with HostileServer() as server:
        monkeypatch.setattr(http, "cleaned", fails)
        came = http.request("POST", server.url("status_600"), json={})
        assert came == Trouble("busy", "the reply cannot be read (ArithmeticError)", fate="answered")
        came = http.request("POST", server.url("scalar"), json={})
        assert came == Trouble("busy", "the reply cannot be read (ArithmeticError)", fate="unanswered")


def test_a_connection_that_is_free_again_is_not_cut_off_by_who_had_it_before(place: Start) -> None:
    good = sends(b"{}", "application/json")

    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1.2)
        good(handler)

    there = place(in_turn(good, slow))
    with ThreadPoolExecutor() as pool, pytest.raises(TooSlow):
        with http.exchange("GET", there.url, {}, "", 5.0, 0.8) as response:
            read_body(response, 1000)
            second = pool.submit(http.request, "GET", there.url)
            time.sleep(1.0)  # past the deadline
        pytest.fail("not reached")
    assert second.result().body == {}
    assert there.connections == 1
