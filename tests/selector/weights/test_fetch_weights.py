"""Fetching models from a hub that redirects, tires, drops, lies and refuses: huggingface_hub over HTTP on loopback."""

from __future__ import annotations

import errno
import hashlib
import importlib
import json
import logging
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import hub_server
import pytest
from hub_server import Fault, Hub, running_hub

from selector.domain import InputError, MissingPart, OutOfResources
from selector.weights import Model, ModelFile, Repository, model_named, weights_folder
from selector.weights import hub as way
from selector.weights._part import Part, open_part
from selector.weights._refusals import NotThere
from selector.weights.address import address_of
from selector.weights.fetch import fetch, quiet
from selector.weights.hashes import read_note

DATA = bytes(range(256)) * 4_000  # 1 MB, in several blocks
SHA256 = hashlib.sha256(DATA).hexdigest()
HEADS = Path(__file__).resolve().parents[4] / "shared" / "weights"
KEY = "team/net/resolve/abc123/net.safetensors"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    importlib.import_module("huggingface_hub.file_download")  # a second of its own, when the machine is busy
    with running_hub() as running:
        monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path / "weights"))
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint + "/")
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", running.endpoint)
        running.large[KEY] = DATA
        yield running


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were to be waited; none is."""
    waited: list[float] = []
    real = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (waited.append(seconds), real(min(seconds, 0.01)))[1])
    return waited


def net(sha256: str | None = SHA256, size_bytes: int | None = len(DATA), **more: object) -> Model:
    repository = Repository("team/net", "abc123", modelscope="mirror/net")
    file = ModelFile("net.safetensors", sha256, size_bytes, repository=repository, **more)  # type: ignore[arg-type]
    return Model("net", ("a scorer",), "MIT", (file,))


def leftovers() -> list[str]:
    return sorted(path.name for path in weights_folder().rglob("*") if ".part" in path.name)


@pytest.mark.parametrize("known", [SHA256, None])
def test_a_file_comes_over_a_redirect_and_its_hash_is_noted(hub: Hub, known: str | None) -> None:
    path = fetch(net(known))
    assert path == weights_folder() / "net" / "net.safetensors"
    assert path.read_bytes() == DATA
    assert read_note(path) == SHA256
    assert leftovers() == []
    assert [(seen.method, seen.port) for seen in hub.seen] == [("HEAD", "hub"), ("GET", "storage")]


def test_what_is_here_is_not_asked_for_again(hub: Hub) -> None:
    fetch(net())
    asked = len(hub.seen)
    fetch(net())
    assert len(hub.seen) == asked
    fetch(net(), again=True)
    assert len(hub.seen) == 2 * asked


def test_the_token_goes_to_the_hub_and_to_nobody_else(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub.token = "secret"
    fetch(net())
    assert [(seen.port, seen.headers.get("authorization")) for seen in hub.seen] == [
        ("hub", "Bearer secret"),
        ("storage", None),
    ]


def test_the_token_is_not_sent_in_the_clear_or_to_modelscope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    file = net().files[0]
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example")
    assert address_of(net(), file, "hub").token == ""
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    address = address_of(net(), file, "hub")
    assert (address.token, address.url) == (
        "secret",
        "https://mirror.example/team/net/resolve/abc123/net.safetensors",
    )
    assert address_of(net(), file, "modelscope").token == ""


def test_a_busy_and_a_broken_answer_are_borne(hub: Hub) -> None:
    hub.hub_faults = [Fault(429, headers=(("Retry-After", "0"),))]
    hub.faults = [Fault(500), Fault(503)]
    assert fetch(net()).read_bytes() == DATA


def test_retry_after_is_waited_for(hub: Hub, waits: list[float]) -> None:
    hub.hub_faults = [Fault(429, headers=(("Retry-After", "7"),))]
    fetch(net())
    assert waits == [7.0]


@pytest.mark.parametrize(
    "written",
    ["inf", "9" * 400, "nan", "-5", "²", "Fri, 31 Dec 9999 23:59:59 +99999999999", "Fri, 31 Dec 99999", "soon"],
)
def test_a_retry_after_that_makes_no_sense_delays_nobody_for_long(hub: Hub, written: str, waits: list[float]) -> None:
    hub.hub_faults = [Fault(429, headers=(("Retry-After", written),))]
    assert fetch(net()).read_bytes() == DATA
    assert max(waits) <= 60


def test_a_server_that_stays_broken_is_given_up(hub: Hub, waits: list[float]) -> None:
    hub.faults = [Fault(500)] * 50
    with pytest.raises(MissingPart, match=r"answered 500 \(6 times in a row\).*--from"):
        fetch(net())
    assert len(hub.ranges()) == 6
    assert waits == [1, 2, 4, 8, 16]
    assert leftovers() == []


def test_dropped_connections_are_resumed_where_they_broke(hub: Hub) -> None:
    hub.faults = [Fault(drop_after_bytes=n) for n in (300_000, 600_000)]
    hub.large[KEY] = DATA * 3
    model = net(hashlib.sha256(DATA * 3).hexdigest(), len(DATA) * 3)
    assert fetch(model).stat().st_size == len(DATA) * 3
    assert hub.ranges()[0] == ""
    assert all(asked.startswith("bytes=") for asked in hub.ranges()[1:])
    assert hub.sent_bytes < len(DATA) * 3 + 2 * 262_144 + 1  # a block that is not whole is lost, no more


def test_many_drops_are_borne_while_bytes_keep_coming(hub: Hub) -> None:
    hub.faults = [Fault(drop_after_bytes=300_000)] * 11
    hub.large[KEY] = DATA * 3
    model = net(hashlib.sha256(DATA * 3).hexdigest(), len(DATA) * 3)
    assert fetch(model).stat().st_size == len(DATA) * 3


def test_a_server_that_never_gets_further_is_given_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "STALLED_SECONDS", 2.0)
    hub.faults = [Fault(drop_after_bytes=600_000, ignore_range=True)] * 5_000
    with pytest.raises(MissingPart, match=r"nothing new came for 2 s|dropped \(3 times in a row\)"):  # by its version
        fetch(net())


@pytest.mark.parametrize(
    ("at_hub", "fault"),
    [
        (True, Fault(drip_headers=True)),
        (False, Fault(drip_headers=True)),
        (False, Fault(drip=True)),
        (False, Fault(stall_after_bytes=300_000)),
    ],
    ids=["the hub's headers", "the storage's headers", "bytes", "nothing more"],
)
def test_what_drips_or_stalls_is_left(hub: Hub, at_hub: bool, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    (hub.hub_faults if at_hub else hub.faults).append(fault)
    started = time.monotonic()
    with monkeypatch.context() as hasty:
        hasty.setattr(way, "STALLED_SECONDS", 2.0)
        with pytest.raises(MissingPart, match=r"nothing new came for 2 s; (what came is kept|try again later)"):
            fetch(net())
    assert time.monotonic() - started < 20
    assert bool(leftovers()) == bool(fault.stall_after_bytes)
    assert fetch(net()).read_bytes() == DATA  # what was left behind keeps nobody from the file


# In a process of its own, whose memory can be measured, and where no other fetch has left a thread.
CHILD = """
import json, sys, threading, time
from hostile_clients import peak_mb
from selector.weights import Model, ModelFile, Repository, hub
from selector.weights.fetch import fetch

hub.STALLED_SECONDS, said = 3.0, ""
file = ModelFile("net.safetensors", sys.argv[1], int(sys.argv[2]), repository=Repository("team/net", "abc123"))
try:
    fetch(Model("net", (), "MIT", (file,)))
except Exception as error:
    said = f"{type(error).__name__}: {error}"
until = time.monotonic() + 8
while (left := "fetch" in [thread.name for thread in threading.enumerate()]) and time.monotonic() < until:
    time.sleep(0.05)
print(json.dumps({"said": said, "left": left, "peak_mb": peak_mb()}))
"""


def bomb() -> bytes:
    """600 MB as gzip."""
    pack, block = zlib.compressobj(1, zlib.DEFLATED, 31), bytes(10_000_000)
    return b"".join(pack.compress(block) for _ in range(60)) + pack.flush()


PACKED = (("Content-Encoding", "gzip"), ("Content-Type", "application/json"))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda _: Fault(400, endless=True, headers=PACKED[1:]), "answered 400"),
        (lambda _: Fault(400, headers=PACKED, body=bomb()), "answered 400"),
        (lambda hub: Fault(302, endless=True, headers=(("Location", f"{hub.storage}/blob/{KEY}"),)), ""),
        (lambda _: Fault(304, endless=True), "answered 304"),
        (lambda _: Fault(headers=PACKED, body=bomb()), "sends net.safetensors of team/net@abc123 compressed"),
        (lambda _: Fault(endless=True), "sends more than net.safetensors"),
        (lambda _: Fault(drip=True), "nothing new came for 3 s"),
        (lambda _: Fault(drip_headers=True), "nothing new came for 3 s"),
        (lambda _: Fault(stall_after_bytes=300_000), "nothing new came for 3 s"),
    ],
    ids=["error", "bomb as error", "redirect", "no file", "bomb", "too long", "drip", "headers that drip", "stall"],
)
def test_nothing_that_is_sent_fills_the_memory_or_keeps_a_thread(
    hub: Hub, fault: Callable[[Hub], Fault], words: str
) -> None:
    pytest.importorskip("resource")
    hub.faults = [fault(hub)]
    places = Path(hub_server.__file__).parent, Path(hub_server.__file__).parents[1]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places)), "HF_HUB_DOWNLOAD_TIMEOUT": "5"}
    child = [sys.executable, "-c", CHILD, SHA256, str(len(DATA))]
    done = subprocess.run(child, env=env, capture_output=True, text=True, timeout=60, check=False)
    came = json.loads(done.stdout or "{}")
    assert came, done.stderr
    assert words in came["said"] if words else not came["said"]
    assert came["peak_mb"] < 300
    assert not came["left"]


def test_the_storage_s_retry_after_is_waited_for_by_our_own_bounds(hub: Hub, waits: list[float]) -> None:
    hub.faults = [Fault(429, headers=(("Retry-After", "7"),)), Fault(429, headers=(("Retry-After", "999999"),))]
    fetch(net())
    assert waits == [7.0, 60.0]


def test_the_library_s_clients_for_others_stay_as_they_are(hub: Hub) -> None:
    from huggingface_hub import get_session

    fetch(net())
    hub.faults = [Fault(400, body=b"why")]
    assert get_session().get(f"{hub.storage}/blob/{KEY}").text == "why"
    assert fetch(net(), again=True).read_bytes() == DATA


@pytest.mark.parametrize("known", [SHA256, None])
def test_no_more_bytes_are_taken_than_the_file_has(hub: Hub, known: str | None) -> None:
    hub.faults = [Fault(body=DATA * 3, unsized=True)]
    with pytest.raises(InputError, match=r"sends more than net\.safetensors"):
        fetch(net(known))
    assert leftovers() == []


def interrupted_after(first_bytes: int, model: Model | None = None) -> None:
    def show(name: str, done_bytes: int, total_bytes: int | None) -> None:
        assert (name, total_bytes) == ("net.safetensors", len(DATA))
        if done_bytes >= first_bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(model or net(), progress=show)


def test_an_interrupted_fetch_goes_on_in_the_next_run(hub: Hub) -> None:
    interrupted_after(500_000)
    part = weights_folder() / "net" / "net.safetensors.part"
    kept = part.stat().st_size
    assert 500_000 <= kept < len(DATA)
    assert fetch(net()).read_bytes() == DATA
    assert hub.ranges()[-1] == f"bytes={kept}-"
    assert leftovers() == []


def test_what_the_version_before_has_left_is_gone_on_with(hub: Hub) -> None:
    part = weights_folder() / "net" / "net.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA[:700_000])
    part.with_name("net.safetensors.part.json").write_text(f'{{"identity": "{SHA256}"}}')
    assert fetch(net()).read_bytes() == DATA
    assert hub.ranges() == ["bytes=700000-"]


def test_a_fetch_that_ended_before_its_rename_needs_no_bytes(hub: Hub) -> None:
    interrupted_after(len(DATA))
    sent = hub.sent_bytes
    assert fetch(net()).read_bytes() == DATA
    assert hub.sent_bytes == sent


def test_a_server_that_ignores_ranges_begins_anew(hub: Hub) -> None:
    interrupted_after(500_000)
    hub.faults = [Fault(ignore_range=True)]
    assert fetch(net()).read_bytes() == DATA


def test_a_file_that_changed_meanwhile_begins_anew(hub: Hub) -> None:
    interrupted_after(500_000)
    hub.large[KEY] = changed = DATA[::-1]
    assert fetch(net(None, None)).read_bytes() == changed


def test_another_mirror_goes_on_where_the_first_stopped(hub: Hub) -> None:
    interrupted_after(500_000)
    kept = (weights_folder() / "net" / "net.safetensors.part").stat().st_size
    hub.large["models/mirror/net/resolve/master/net.safetensors"] = DATA
    assert fetch(net(), "modelscope").read_bytes() == DATA
    assert hub.ranges()[-1] == f"bytes={kept}-"


@pytest.mark.parametrize("data", [DATA, DATA[::-1]])
def test_without_a_hash_a_part_is_known_by_its_git_hash(hub: Hub, data: bytes) -> None:
    hub.small[KEY] = hub.large.pop(KEY)
    interrupted_after(500_000, net(None, None))
    hub.small[KEY] = data
    assert fetch(net(None, None)).read_bytes() == data
    assert ("range" in hub.seen[-1].headers) == (data == DATA)


def test_a_source_that_states_nothing_is_not_gone_on_with(hub: Hub) -> None:
    key = "models/mirror/net/resolve/master/net.safetensors"
    hub.large[key] = DATA

    def stop(_name: str, done_bytes: int, _total_bytes: int | None) -> None:
        if done_bytes > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(net(None, None), "modelscope", stop)
    hub.large[key] = DATA[::-1]
    assert fetch(net(None, None), "modelscope").read_bytes() == DATA[::-1]
    assert hub.ranges() == ["", ""]


def test_a_part_of_unknown_origin_is_not_gone_on_with(hub: Hub) -> None:
    part = weights_folder() / "net" / "net.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"of somebody else")
    assert fetch(net()).read_bytes() == DATA
    assert hub.ranges() == [""]


def test_wrong_bytes_are_refused_and_removed(hub: Hub) -> None:
    hub.faults = [Fault(body=b"x" * len(DATA))]
    with pytest.raises(InputError, match=r"is not that file \(SHA-256 .* was removed"):
        fetch(net())
    assert list((weights_folder() / "net").iterdir()) == []


def test_wrong_bytes_are_refused_by_the_stated_hash_alone(hub: Hub) -> None:
    hub.faults = [Fault(body=b"x" * len(DATA))]
    with pytest.raises(InputError, match="is not that file"):
        fetch(net(None, None))


def test_a_hub_with_another_version_is_refused_before_its_bytes_are_taken(hub: Hub) -> None:
    with pytest.raises(InputError, match="states another SHA-256"):
        fetch(net("0" * 64))
    hub.large[KEY], hub.stated_sha256 = DATA[:100], "f" * 64
    with pytest.raises(InputError, match="states another SHA-256"):
        fetch(net())
    assert list((weights_folder() / "net").iterdir()) == []


def test_a_body_that_ends_early_without_a_length_is_noticed(hub: Hub) -> None:
    hub.faults = [Fault(unsized=True, body=DATA[:400_000])]
    assert fetch(net(None, None)).read_bytes() == DATA


def test_a_missing_file_is_final_and_its_stand_in_is_taken(hub: Hub) -> None:
    del hub.large[KEY]
    with pytest.raises(NotThere, match=r"has no net\.safetensors of team/net@abc123 \(it answered 404"):
        fetch(net())
    assert len(hub.seen) == 1
    hub.large["team/net/resolve/abc123/net.bin"] = DATA
    stand_in = ModelFile("net.bin", SHA256, repository=Repository("team/net", "abc123"))
    assert fetch(net(or_else=stand_in)).name == "net.bin"


@pytest.mark.parametrize(
    ("token", "words"),
    [("", "wants a login .*401.*accept .*then set HF_TOKEN"), ("mine", "does not let this HF_TOKEN .*403.*accept")],
)
def test_a_gated_model_says_what_to_do(hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str, words: str) -> None:
    hub.token = "another"
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(MissingPart, match=words) as refused:
        fetch(net())
    assert f"{hub.endpoint}/team/net" in str(refused.value)
    assert "mine" not in str(refused.value).replace("HF_TOKEN", "")
    assert len(hub.seen) == 1


def test_a_web_page_is_no_model(hub: Hub) -> None:
    hub.faults = [Fault(headers=(("Content-Type", "text/html; charset=utf-8"),), body=b"<html>log in</html>")]
    with pytest.raises(MissingPart, match="sent a web page"):
        fetch(net(None, None))
    page = Fault(bare=True, headers=(("Content-Type", "text/html"),))
    hub.hub_faults = [page, Fault(body=b"<!DOCTYPE html><title>mirror</title>")]  # of a mirror that is none
    hub.small[KEY] = hub.large.pop(KEY)
    with pytest.raises(MissingPart, match=r"sent a web page .*a login page or a proxy"):
        fetch(net(None, None))
    assert leftovers() == []


def test_a_machine_without_a_network_fails_soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(MissingPart, match=r"the connection was refused \(3 times in a row\).*HF_ENDPOINT"):
        fetch(net())


def test_a_redirect_within_the_hub_is_followed_with_the_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub.token, hub.moved, hub.small[KEY] = "secret", True, b"{}"
    del hub.large[KEY]
    assert fetch(net(None, None)).read_bytes() == b"{}"


def test_a_redirect_without_end_is_one_line(hub: Hub) -> None:
    at = f"{hub.storage}/blob/{KEY}"
    hub.faults = [Fault(302, headers=(("Location", at),))] * 500
    with pytest.raises(MissingPart, match=r"it redirects without end \(3 times in a row\)"):
        fetch(net())


def test_no_word_of_the_server_is_repeated(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    said = (("X-Error-Message", "no hf_secret, n-o h f _ s e c r e t \x1b[2J"), ("X-Error-Code", "hf_secret"))
    for status in (400, 401, 403, 404, 410, 418, 451):
        hub.hub_faults = [Fault(status, headers=said)]
        with pytest.raises(MissingPart, match=str(status)) as refused:
            fetch(net())
        assert "secret" not in str(refused.value) and "\x1b" not in str(refused.value)


def test_a_user_who_is_offline_asks_nobody(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MissingPart, match=r"HF_HUB_OFFLINE is set, so 127\.0\.0\.1:\d+ is not asked: unset it, or"):
        fetch(net())
    assert hub.seen == []


def test_the_stored_login_goes_to_the_hub_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "of the login")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert address_of(net(), net().files[0], "hub").token == "of the login"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    assert address_of(net(), net().files[0], "hub").token == ""


def test_the_library_says_nothing_of_its_own(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    hub.faults = [Fault(drop_after_bytes=300_000), Fault(500)]
    hub.hub_faults = [Fault(429)]
    fetch(net())
    assert capfd.readouterr() == ("", "")


def test_the_library_is_quiet_until_the_last_of_several_fetches_ends(hub: Hub) -> None:
    from huggingface_hub import constants
    from huggingface_hub.utils import are_progress_bars_disabled

    def state() -> tuple[object, ...]:
        level = logging.getLogger("huggingface_hub").level
        return level, constants.DOWNLOAD_CHUNK_SIZE, constants.HF_HUB_DISABLE_TELEMETRY, are_progress_bars_disabled()

    before, during = state(), list[tuple[object, ...]]()
    hub.large["team/net/resolve/abc123/other.bin"] = DATA
    other = ModelFile("other.bin", SHA256, len(DATA), repository=Repository("team/net", "abc123"))
    first_runs, last_runs, first_is_over = threading.Event(), threading.Event(), threading.Event()

    def of_first(*_: object) -> None:
        first_runs.set()
        last_runs.wait(10)

    def of_last(*_: object) -> None:
        last_runs.set()
        first_is_over.wait(10)
        during.append(state())

    with ThreadPoolExecutor() as pool:
        first = pool.submit(fetch, net(), progress=of_first)
        first_runs.wait(10)
        last = pool.submit(fetch, Model("other", (), "MIT", (other,)), progress=of_last)
        first.result()
        first_is_over.set()
        last.result()
    assert set(during) == {(logging.CRITICAL, 1 << 18, True, True)}
    assert state() == before != during[0]


def test_a_small_file_is_checked_by_its_git_hash(hub: Hub) -> None:
    del hub.large[KEY]
    hub.small[KEY] = b"{}"
    assert fetch(net(None, None)).read_bytes() == b"{}"
    hub.hub_faults = [Fault(body=b"[]")]
    with pytest.raises(InputError, match="git hash"):
        fetch(net(None, None), again=True)


def test_modelscope_has_its_own_form_of_address(hub: Hub) -> None:
    hub.large["models/mirror/net/resolve/master/net.safetensors"] = DATA
    assert fetch(net(), "modelscope").read_bytes() == DATA
    elsewhere = ModelFile("net.safetensors", repository=Repository("team/net"))
    with pytest.raises(InputError, match=r"not known to be on ModelScope: --from hub"):
        fetch(Model("other", (), "MIT", (elsewhere,)), "modelscope")


def test_a_plain_url_needs_a_checksum(hub: Hub) -> None:
    url = f"{hub.endpoint}/{KEY}"
    with pytest.raises(InputError, match="--sha256"):
        fetch(net(None), url)
    assert fetch(net(None), url, sha256=SHA256.upper()).read_bytes() == DATA
    assert fetch(net(), url.rpartition("/")[0] + "/", again=True).read_bytes() == DATA
    with pytest.raises(InputError, match="published SHA-256"):
        fetch(net(), url, sha256="0" * 64)
    with pytest.raises(InputError, match="64 hex digits"):
        fetch(net(None), url, sha256="abc")


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hush@mirror.example/heads/",
        "https://me:hush@mirror.example/net.safetensors?signature=hush",
        "http://me:hush@127.0.0.1:port/net.safetensors",
        "http://me:hu/hush@127.0.0.1/net.safetensors",
        "http://me:hush@[::1/net.safetensors",
        "ftp://me:hush@mirror.example/net.safetensors",
    ],
)
def test_no_line_shows_the_password_of_an_address(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", url)
    pair = Model("pair", ("a scorer",), "MIT", (net().files[0], ModelFile("other.bin", SHA256, len(DATA))))
    if "mirror" in url:  # a name that nobody is asked for here: only what is said before
        lines = [address_of(net(), net().files[0], "hub").page] if url.startswith("http") else []
        with pytest.raises(InputError) as caught:
            address_of(pair, pair.files[0], url.rstrip("/"))
        lines.append(str(caught.value))
    else:
        with pytest.raises((InputError, MissingPart)) as failed:
            fetch(net(), url)
        lines = [str(failed.value)]
    assert lines and not any("hush" in line or "me:" in line for line in lines)


def test_another_fetch_of_the_same_file_is_refused(hub: Hub) -> None:
    pytest.importorskip("fcntl")
    with (
        open_part(weights_folder() / "net" / "net.safetensors", quiet),
        pytest.raises(InputError, match="another process"),
    ):
        fetch(net())
    assert hub.sent_bytes == 0


def test_too_little_room_is_said_before_the_bytes_come(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub.large
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500_000))
    with pytest.raises(InputError, match=r"needs 1.0 MB more and 500 kB are free .*BESTSHOT_WEIGHTS"):
        fetch(net())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    with (
        Path("/dev/full").open("r+b", buffering=0) as full,
        pytest.raises(OutOfResources, match="is full: free some space"),
    ):
        Part(tmp_path / "net.bin", full, quiet).write(b"x")


def test_a_disk_that_fills_up_keeps_what_came(hub: Hub) -> None:
    def full(name: str, done_bytes: int, total_bytes: int | None) -> None:  # noqa: ARG001
        if done_bytes > 500_000:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutOfResources, match="the disk is full: free some space and run the same command again"):
        fetch(net(), progress=full)
    assert leftovers() == ["net.safetensors.part", "net.safetensors.part.json"]
    assert fetch(net()).read_bytes() == DATA
    assert hub.ranges()[-1].startswith("bytes=")


def test_a_folder_that_cannot_be_written_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot write .*BESTSHOT_WEIGHTS"):
        fetch(net())


# --- from a folder ---


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user's folder."""
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path / "weights"))
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("where", ["net.safetensors", "net/net.safetensors", "deep/down/renamed.bin"])
def test_a_folder_gives_a_file_by_its_name_or_by_its_hash(shelf: Path, where: str) -> None:
    (shelf / where).parent.mkdir(parents=True, exist_ok=True)
    (shelf / "of-the-same-size").write_bytes(DATA[::-1])
    (shelf / where).write_bytes(DATA)
    path = fetch(net(), shelf)
    assert path.read_bytes() == DATA
    assert read_note(path) == SHA256


def test_a_wrong_file_of_the_right_name_is_refused_unless_the_right_one_is_near(shelf: Path) -> None:
    (shelf / "net.safetensors").write_bytes(DATA[::-1])
    with pytest.raises(InputError, match="its SHA-256 is not"):
        fetch(net(), str(shelf))
    (shelf / "the-real-one").write_bytes(DATA)
    assert fetch(net(), str(shelf)).read_bytes() == DATA


def test_a_folder_without_the_file_says_so(shelf: Path) -> None:
    with pytest.raises(NotThere, match=r"does not have net\.safetensors"):
        fetch(net(), shelf)
    with pytest.raises(InputError, match="there is no folder"):
        fetch(net(), shelf / "absent")
    with pytest.raises(InputError, match="expected hub, modelscope, a folder that exists, or an http"):
        fetch(net(), str(shelf / "absent"))


def unhashed(name: str, about_bytes: int) -> Model:
    return Model("net", (), "MIT", (ModelFile(name, about_bytes=about_bytes, repository=Repository("team/net")),))


def test_a_folder_s_file_without_a_published_hash_must_look_like_it(shelf: Path) -> None:
    with zipfile.ZipFile(shelf / "net.pt", "w") as archive:
        archive.writestr("data", DATA)
    (shelf / "net.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}" + DATA)
    for name in ("net.pt", "net.safetensors"):
        with pytest.raises(InputError, match=r"has 1.0 MB, expected about 2.0 GB: copy it again"):
            fetch(unhashed(name, 1_970_000_000), shelf)
        assert fetch(unhashed(name, len(DATA)), shelf).name == name
        (shelf / name).write_bytes(pickle.dumps({"a": 1}) + DATA)
        with pytest.raises(InputError, match=r"is no (safetensors file|file of weights)"):
            fetch(unhashed(name, len(DATA)), shelf, again=True)


def test_a_source_that_does_not_have_a_published_file_is_not_replaced_by_the_internet(shelf: Path) -> None:
    with pytest.raises(InputError, match="expected hub, modelscope, a folder that exists, or an http"):
        fetch("fake-head", str(shelf / "nosuchdir"))
    with pytest.raises(InputError, match=r"'fake-head' is not known to be on ModelScope: --from hub"):
        fetch("fake-head", "modelscope")


@pytest.mark.parametrize("name", ["aesthetic-head", "fake-head"])
def test_the_published_heads_are_what_the_catalogue_says(shelf: Path, name: str) -> None:  # noqa: ARG001
    if not HEADS.is_dir():
        pytest.skip("the published heads are not beside the repository")
    file = model_named(name).files[0]
    path = fetch(name, HEADS)
    assert (path.name, path.stat().st_size) == (file.name, file.size_bytes)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
