"""Who may speak to the page: nobody but the page that this server gave out."""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from review_pages import Client, Open, folder, page, serve  # noqa: F401

from selector.review import _routes, serving
from selector.review._guard import Guard

OURS = {"X-Bestshot": "1"}


def test_a_wrong_token_and_no_token_are_nothing(page: Client) -> None:
    root = f"http://127.0.0.1:{page.review.port}"
    for path in ("/", "/api/state", "/wrong/api/state", f"/{'x' * 32}/", "/favicon.ico"):
        answer = requests.get(root + path, timeout=10)
        assert answer.status_code == 404 and "error" in answer.json()
    assert page.review.url.split("/")[3] not in answer.text


def test_the_address_without_its_slash_leads_to_the_page(page: Client) -> None:
    assert requests.get(page.review.url.rstrip("/"), timeout=10).status_code == 200


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.example.com:{port}", ""])
def test_another_host_name_is_refused(page: Client, host: str) -> None:
    answer = page.raw("api/state", headers={"Host": host.format(port=page.review.port)})
    assert answer.status_code in (400, 421)


def test_localhost_is_this_machine(page: Client) -> None:
    assert page.raw("api/state", headers={"Host": f"localhost:{page.review.port}"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://example.com", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"])
def test_another_origin_may_not_decide(page: Client, origin: str) -> None:
    headers = {**OURS, "Origin": origin.format(port=page.review.port)}
    assert page.raw("api/undo", "POST", json={}, headers=headers).status_code == 403


def test_our_own_origin_may(page: Client) -> None:
    headers = {**OURS, "Origin": f"http://127.0.0.1:{page.review.port}"}
    assert page.raw("api/undo", "POST", json={}, headers=headers).status_code == 200


def test_what_a_form_of_another_page_can_send_is_refused(page: Client) -> None:
    for headers in ({}, {"Content-Type": "text/plain", **OURS}, {"Content-Type": "application/x-www-form-urlencoded"}):
        assert page.raw("api/undo", "POST", data="{}", headers=headers).status_code == 403
    page.post("api/undo", 403, headers={})


def test_every_answer_says_what_the_browser_may_do(page: Client) -> None:
    for path in ("", "api/state", "api/nothing", "static/review.js"):
        headers = page.raw(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer" and headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers and "access-control-allow-origin" not in headers
    assert page.raw("api/state").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "input/..%2Fcampaign.toml",
        "input/%2Fetc%2Fpasswd",
        "input/../campaign.toml",
        "image/..%2F..%2Fcampaign.db",
        f"image/{'a' * 63}%2F",
        f"image/{'A' * 64}",
        f"image/{'0' * 64}",
        "image/..",
        "static/serving.py",
        "static/..%2Fserving.py",
        "static/words.toml",
    ],
)
def test_only_pictures_of_the_campaign_are_given_out(page: Client, path: str) -> None:
    address = urlsplit(page.review.url)
    request = f"GET {address.path}{path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
    answer = _spoken(page, request.encode())
    assert answer.startswith(b"HTTP/1.1 404"), answer[:200]


def test_a_body_is_bounded_and_must_be_json(page: Client) -> None:
    headers = {**OURS, "Content-Type": "application/json"}
    large = b'{"reason": "' + b"x" * 100_000 + b'"}'
    assert page.raw("api/decide", "POST", data=large, headers=headers).status_code == 413
    for wrong in (b"{", b"[]", b'"x"', b"\xff", b"nul", b"[" * 60_000, b'{"kind":' * 7_000, b"1" * 6_000):
        assert page.raw("api/decide", "POST", data=wrong, headers=headers).status_code == 400
    page.post("api/decide", 400, kind=["exclude"])
    page.post("api/decide", 400, kind="burn")


def test_a_slow_client_holds_up_nobody(page: Client) -> None:
    slow = [_connected(page) for _ in range(50)]
    for one in slow:
        one.sendall(_beginning_of_a_post(page))
    start = time.monotonic()
    page.get("api/queue")
    assert time.monotonic() - start < 5.0
    for one in slow:
        one.close()


def test_a_request_that_is_not_told_to_its_end_is_given_up(
    page: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_routes, "_BODY_SECONDS", 0.3)
    with _connected(page) as slow, _connected(page) as cut, _connected(page) as wrong:
        for one in (slow, cut):
            one.sendall(_beginning_of_a_post(page))
        cut.close()
        wrong.sendall(b"GET / HTTP/1.1\r\n\x1b[2J: " + b"x" * 100_000)
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
        assert wrong.recv(100).startswith(b"HTTP/1.1 400 ")
    page.get("api/queue")
    assert capfd.readouterr() == ("", "")


def test_connections_that_ask_for_nothing_make_room(folder: Path, serve: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_MOST_CONNECTIONS", 8)
    page = serve(folder)
    idle = [_connected(page) for _ in range(20)]
    for one in idle:
        one.sendall(b"GET / HT")
    end = time.monotonic() + 5.0
    while len(_ended(idle)) < 12 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(_ended(idle)) == 12
    monkeypatch.setattr(serving, "_ASK_SECONDS", 0.5)
    assert [one.recv(1) for one in idle] == [b""] * 20
    page.get("api/queue")
    for one in idle:
        one.close()


def test_forged_decisions_store_nothing(page: Client) -> None:
    first, other = page.get("api/queue", limit=2)["tasks"]
    theirs = other["pick"]["id"]
    for forged in (
        {"kind": "exclude", "task": first["id"], "candidate": theirs},
        {"kind": "note", "task": first["id"], "candidate": theirs},
        {"kind": "exclude", "candidate": "f" * 64},
        {"kind": "exclude", "task": first["id"], "generator": "%"},
        {"kind": "exclude", "task": first["id"] + "\0", "candidate": theirs},
        {"kind": "note", "task": first["id"], "reason": "x" * 3000},
        {"kind": "note", "task": first["id"], "reason": "half of a pair: \ud83d"},
        {"kind": "exclude"},
    ):
        page.post("api/decide", 400, **{"reason": "forged", "by": "somebody else", **forged})
    page.post("api/look", 404, task="nothing\ud83d")
    assert page.get("api/state")["version"]["decision"] == 0


def test_two_tabs_decide_the_same_once_and_are_told_what_is_taken_back(page: Client) -> None:
    first, other = (task["pick"]["id"] for task in page.get("api/queue", limit=2)["tasks"])
    told = [page.post("api/decide", kind="exclude", candidate=first, reason="bad")["decisions"] for _ in range(2)]
    assert [len(one) for one in told] == [1, 0]
    page.post("api/decide", kind="exclude", candidate=other, reason="bad")
    undone = [page.post("api/undo")["decision"] for _ in range(3)]
    assert [one and one["candidate"] for one in undone] == [other, first, None]


def test_the_server_ends_at_once_and_quietly_whatever_is_under_way(
    page: Client, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[object] = []

    def ask(path: str) -> None:
        try:
            ended.append(requests.get(page.review.url + path, timeout=30).status_code)
        except requests.RequestException as error:
            ended.append(error)

    paths = [
        "api/events",
        "api/region/1",
        "api/region/2",
        "api/region/3",
    ]  # the first goes on for ever, others are slow
    asking = [threading.Thread(target=ask, args=(path,)) for path in paths]
    for one in asking:
        one.start()
    time.sleep(0.5)
    start = time.monotonic()
    page.review.close()
    seconds = time.monotonic() - start
    for one in asking:
        one.join(10)
    assert len(ended) == len(paths) and seconds < 10.0
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_answer_that_is_cut_off_says_why() -> None:
    async def app(*_: object) -> None:
        raise asyncio.CancelledError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/t/api/state",
        "query_string": b"",
        "headers": [(b"host", b"localhost:1")],
    }
    answered = Guard(app, "t", 1, read_only=False)(scope, None, send)
    with ThreadPoolExecutor(1) as thread:  # in this one a browser's loop may be running
        thread.submit(asyncio.run, answered).result()
    assert sent[0]["status"] == 503 and b"the page has ended" in sent[1]["body"]


def test_a_page_that_only_shows_writes_nothing(folder: Path, serve: Open) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    page = serve(folder, read_only=True)
    task = page.get("api/queue", limit=1)["tasks"][0]
    page.get(f"api/task/{task['id']}")
    assert page.raw(f"image/{task['pick']['id']}", params={"size": 160}).status_code == 200
    state = page.get("api/state")
    assert state["read_only"] and not state["ratings"]
    for path in ("decide", "undo", "look", "run", "jobs/1/stop", "pair"):
        assert "--read-only" in page.post(f"api/{path}", 403)["error"]
    page.review.close()
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.suffix != ".toml"}
    assert {p: m for p, m in after.items() if before.get(p) != m and "campaign.db-" not in p.name} == {}


def _connected(page: Client) -> socket.socket:
    return socket.create_connection(("127.0.0.1", page.review.port), timeout=10)


def _ended(connections: list[socket.socket]) -> list[socket.socket]:
    """Those that the server has closed."""
    return select.select(connections, [], [], 0)[0]


def _beginning_of_a_post(page: Client) -> bytes:
    address = urlsplit(page.review.url)
    head = f"POST {address.path}api/undo HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    return f"{head}X-Bestshot: 1\r\nContent-Length: 1000\r\n\r\n{{".encode()


def _spoken(page: Client, request: bytes) -> bytes:
    with _connected(page) as connection:
        connection.sendall(request)
        found = b""
        while part := connection.recv(65536):
            found += part
    return found
