"""Whatever a server sends: no client hangs, bursts, tells the key or what steers a terminal, and one line says why."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hostile_server as hostile
import pytest
from hostile_server import HostileServer

from selector.domain import GenerationFailed
from selector.net import Account, Interrupted, Service, Trouble, http
from selector.net._addresses import ANY, HERE, PRIVATE, PUBLIC, reach_of, resolved
from selector.net.download import download

KEY = "sk-Zq4.7Hb_x9Tm2+WcR8vJk3Ld6Pf5Ns0Y"
MOST_SECONDS = 15.0  # of a mode, at limits of 0.4 s: the machine may be busy with five clients and other tests
MOST_CPU_SECONDS = 3.0
MOST_MB = 300
CHILDREN = Path(hostile.__file__).with_name("hostile_clients.py")
CLIENTS = {
    "dashscope": tuple(hostile.MODES),
    "dashscope_at_once": tuple(hostile.MODES),
    "openai_images": tuple(hostile.MODES),
    "download": tuple(hostile.PICTURES),
    "judge": tuple(hostile.MODES),
}


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


@pytest.fixture(scope="module")
def children(server: HostileServer) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """All clients at once: most of the time is waiting for limits."""
    started = {}
    for name, modes in CLIENTS.items():
        command = [sys.executable, str(CHILDREN), name, server.url("")[:-1], *modes]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        here = {**os.environ, "no_proxy": "*", "NO_PROXY": "*"}
        started[name] = subprocess.Popen(command, text=True, env=here, **pipes)
        assert started[name].stdin is not None
        started[name].stdin.write(KEY)
        started[name].stdin.close()
        started[name].stdin = None
    yield started
    for child in started.values():
        child.kill()


@pytest.fixture(scope="module")
def outcomes(children: dict[str, subprocess.Popen[str]]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, child in children.items():
        out, err = child.communicate(timeout=120)
        assert child.returncode == 0, err[-2000:]
        found[name] = {**json.loads(out), "stderr": err}
    return found


def told(outcome: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for mode, came in outcome["modes"].items():
        yield mode, came["said"]
    yield "log", outcome["log"]
    yield "stderr", outcome["stderr"]


@pytest.mark.parametrize("client", CLIENTS)
def test_no_mode_hangs_or_bursts_and_each_ends_with_one_line(outcomes: dict[str, Any], client: str) -> None:
    modes = outcomes[client]["modes"]
    assert set(modes) == set(CLIENTS[client]) and len(modes) >= 30
    assert {mode: came for mode, came in modes.items() if came["seconds"] > MOST_SECONDS} == {}
    assert {mode: came for mode, came in modes.items() if came["cpu_seconds"] > MOST_CPU_SECONDS} == {}
    assert {mode: came for mode, came in modes.items() if came["peak_mb"] > MOST_MB} == {}
    short = {mode: came for mode, came in modes.items() if mode != "entity_in_a_good_reply"}  # that is kept as it is
    assert {mode: came for mode, came in short.items() if "\n" in came["said"] or len(came["said"]) > 2500} == {}
    ours = {"", "GenerationFailed", "Unanswered", "Declined", "ServiceStopped", "TicketLost", "JudgeStopped"}
    assert {mode: came for mode, came in modes.items() if came["error"] not in ours} == {}


def test_a_good_reply_is_kept_whatever_entity_is_in_it(outcomes: dict[str, Any]) -> None:
    came = outcomes["judge"]["modes"]["entity_in_a_good_reply"]
    assert came["error"] == "" and hostile.HUGE_ENTITY in came["said"]


@pytest.mark.parametrize("client", CLIENTS)
def test_no_part_of_the_key_is_told_in_any_spelling(outcomes: dict[str, Any], client: str) -> None:
    bare = "".join(c for c in KEY if c.isalnum()).lower()
    for mode, text in told(outcomes[client]):
        plain = text.encode().decode("unicode_escape", "replace")
        for each in (text, plain, http.clean(plain, "")):
            assert not [KEY[i : i + 8] for i in range(len(KEY) - 7) if KEY[i : i + 8] in each], mode
            squeezed = "".join(c for c in each if c.isascii() and c.isalnum()).lower()
            assert not [bare[i : i + 10] for i in range(len(bare) - 9) if bare[i : i + 10] in squeezed], mode
            assert not [spelt for spelt in hostile.spellings(KEY) if spelt in each], mode


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_is_told_that_steers_a_terminal_or_that_no_file_takes(outcomes: dict[str, Any], client: str) -> None:
    for mode, text in told({**outcomes[client], "log": ""}):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text), mode
        assert not re.search(r"\\x1b|\\u001b|\\u202e|\\ud8", text), mode


def test_a_redirect_is_followed_by_nobody_who_carries_a_key(server: HostileServer, outcomes: dict[str, Any]) -> None:
    for client in outcomes:
        for mode, came in outcomes[client]["modes"].items():
            if mode.startswith("moved") and client != "download":
                assert "redirect" in came["said"], (client, mode)
    assert sum(path.startswith("/elsewhere") for path in server.seen) <= 3  # downloads, which carry none


def account(url: str, stop: threading.Event | None = None, **facts: Any) -> Account:
    usual = {"timeout_seconds": 2.0, "max_retries": 0, "backoff_seconds": 0.001}
    return Account(Service("s", url, **{**usual, **facts}), stop)


@pytest.mark.parametrize("url", [*hostile.INTERNAL, *hostile.PRIVATE])
def test_no_service_in_the_world_can_name_an_address_within(url: str) -> None:
    with pytest.raises(GenerationFailed, match=r"private network|no address"):
        download(account("http://93.184.216.34"), url)


@pytest.mark.parametrize("url", hostile.INTERNAL)
def test_nor_can_a_service_on_this_machine_name_one_that_is_never_meant(server: HostileServer, url: str) -> None:
    with pytest.raises(GenerationFailed, match=r"private network|no address"):
        download(account(server.url("")), url)


@pytest.mark.parametrize("host", hostile.HERE)
def test_this_machine_is_named_by_none_but_services_on_it(server: HostileServer, host: str) -> None:
    path = f"/picture_cut?from={host}"
    url = f"http://{host}:{server.port}{path}"
    for base in ("http://93.184.216.34", "http://10.0.0.1"):
        with pytest.raises(GenerationFailed, match="private network"):
            download(account(base), url)
    assert path not in server.seen
    with pytest.raises(GenerationFailed, match=r"damaged|connection|reached"):
        download(account(server.url("")), url)


def test_a_name_that_turns_into_another_address_is_looked_at_as_it_is_used(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    real, asked = socket.getaddrinfo, list[str]()

    def rebound(host: str, *more: Any, **options: Any) -> Any:
        if host != "rebound.example":
            return real(host, *more, **options)
        asked.append(host)
        return real("93.184.216.34" if not asked[1:] and len(asked) > 9 else "127.0.0.1", *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    before = len(server.seen)
    with pytest.raises(GenerationFailed, match="private network"):
        download(account("http://93.184.216.34"), f"http://rebound.example:{server.port}/picture_cut")
    assert len(asked) == 1 and len(server.seen) == before


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (["169.254.169.254"], "private network"),
        (["10.0.0.1"], "private network"),
        (["93.184.216.34", "127.0.0.1"], "private network"),
        ([], "not known on this machine"),
        (["93.184.216.34"], "address has expired"),  # by the proxy's answer
    ],
)
def test_a_proxy_is_asked_for_no_name_that_lies_within_or_nowhere(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, found: list[str], why: str
) -> None:
    import socket

    real = socket.getaddrinfo

    def told(host: str, *more: Any, **options: Any) -> Any:
        if host != "named.example":
            return real(host, *more, **options)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [each for address in found for each in real(address, *more, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", told)
    monkeypatch.setenv("http_proxy", server.url("").rstrip("/"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(hostile.MODES, "", hostile.PICTURES["picture_gone"])  # how a proxy is asked
    before = len(server.seen)
    with pytest.raises(GenerationFailed, match=why):
        download(account("http://93.184.216.34"), "http://named.example/x")
    assert len(server.seen) - before == (why == "address has expired")


def test_a_redirect_into_a_private_network_is_not_followed(server: HostileServer) -> None:
    for mode in ("moved_to_link_local", "moved_to_file", "moved_to_ftp", "moved_to_brackets"):
        with pytest.raises(GenerationFailed, match=r"private network|no address"):
            download(account(server.url("")), server.url(mode))


@pytest.mark.parametrize("url", hostile.NO_ADDRESSES, ids=lambda url: ascii(url[:20]))
def test_what_is_no_address_of_the_web_is_not_fetched(url: str) -> None:
    with pytest.raises(GenerationFailed, match="no address of a picture"):
        download(account("http://93.184.216.34"), url)


def test_whatever_the_decoding_of_a_picture_raises_fails_that_picture_alone(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: bytes) -> None:
        raise ArithmeticError("with words of the server")

    monkeypatch.setattr("selector.net.download.decoded", fails)
    with pytest.raises(GenerationFailed, match=r"cannot be read \(ArithmeticError\)"):
        download(account(server.url("")), server.url("picture_cut"))


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("93.184.216.34", PUBLIC),
        ("2606:2800:220:1::1", PUBLIC),
        ("10.1.2.3", PRIVATE),
        ("100.64.0.1", PRIVATE),
        ("fd12::1", PRIVATE),
        ("::ffff:10.1.2.3", PRIVATE),
        ("127.9.9.9", HERE),
        ("::1", HERE),
        ("::ffff:127.0.0.1", HERE),
        ("64:ff9b::7f00:1", HERE),
        ("169.254.1.1", ANY),
        ("fe80::1%eth0", ANY),
        ("0.0.0.0", ANY),
        ("240.0.0.1", ANY),
        ("100.100.100.200", ANY),
    ],
)
def test_where_an_address_lies(address: str, reach: int) -> None:
    assert reach_of(address) == reach


@pytest.mark.parametrize("host", ["slow.invalid%2ename", "127.0.0.1%x", "fe80::1%slow.invalid"])
def test_a_name_with_a_percent_sign_is_asked_of_no_one(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Whoever answers for a name may take a minute over it, and nothing ends the question."""
    usual = socket.getaddrinfo

    def slow(*arguments: Any) -> Any:
        if not arguments[5:] or not arguments[5] & socket.AI_NUMERICHOST:
            time.sleep(MOST_SECONDS)
        return usual(*arguments)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    began = time.monotonic()
    with pytest.raises(OSError):
        resolved(host, 80, 0.2)
    assert time.monotonic() - began < MOST_SECONDS / 2


@pytest.mark.parametrize(
    "mode", ["dripped_status", "dripped_body", "dripped_headers", "dripped_continue", "dripped_chunks"]
)
def test_the_runs_end_cuts_off_what_is_under_way(server: HostileServer, mode: str) -> None:
    stop = threading.Event()
    ours = account(server.url(mode), stop, timeout_seconds=60.0)
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    came = ours.request("POST", "/x", json={})
    assert time.monotonic() - started < 2.5
    assert came == Trouble("busy", http.STOPPED, fate="unanswered")
    with pytest.raises(Interrupted):
        ours.request("POST", "/x", json={})
    with pytest.raises(Interrupted):
        ours.call(lambda: ours.request("POST", "/x", json={}), ours.submits)


@pytest.mark.parametrize(("method", "seconds"), [("GET", 1.4), ("POST", 3.0)])
def test_the_runs_end_waits_for_a_silent_server_only_where_something_is_paid(
    server: HostileServer, method: str, seconds: float
) -> None:
    stop = threading.Event()
    stop_soon = threading.Timer(0.3, stop.set)
    stop_soon.start()
    started = time.monotonic()
    came = account(server.url("silent"), stop, timeout_seconds=3.0).request(method, "/x")
    assert isinstance(came, Trouble) and came.fate == "unanswered"
    assert abs(time.monotonic() - started - seconds) < 0.9


def test_a_job_that_the_runs_end_cut_off_counts_as_perhaps_paid(server: HostileServer) -> None:
    stop, noted = threading.Event(), list[str]()
    ours = account(server.url("dripped_body"), stop, timeout_seconds=60.0, budget=10.0, max_retries=5)
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Interrupted), ours.paying(1.0, noted.append):
        ours.call(lambda: ours.request("POST", "/x", json={}), ours.submits)
    assert (noted, ours.spending.spent) == ([http.STOPPED], 1.0)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
@pytest.mark.parametrize("mode", ["silent", "dripped_body"])
def test_an_interrupt_in_the_main_thread_ends_the_request_at_once(server: HostileServer, mode: str) -> None:
    import signal

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            account(server.url(mode), timeout_seconds=30.0).request("GET", "/x")
            time.sleep(1.0)
        assert time.monotonic() - started < 2.0
    finally:
        signal.signal(signal.SIGINT, before)
