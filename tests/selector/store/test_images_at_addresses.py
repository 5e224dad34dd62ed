"""Images at addresses: an S3 server with faults between the calls, a shared folder, and another file system."""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from selector.domain import InputError, MissingPart, OutOfResources
from selector.store import ImageFolder, Images, _object_store, open_images
from tests.servers.s3_server import Fault, S3Server

OWNER = "ab12"
Open = Callable[..., Images]


@pytest.fixture(params=["s3", "folder", "file", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "s3":
        return f"s3://{request.getfixturevalue('s3_bucket')}/team/images"
    places = {"folder": "../shared", "file": f"file://{tmp_path}/shared of all", "memory": f"memory://{tmp_path.name}"}
    return places[request.param]


def opened(place: str, tmp_path: Path, machine: str = "one", cache_mb: int = 16) -> Images:
    if place.startswith("file:"):
        (tmp_path / "shared of all").mkdir(exist_ok=True)
    (tmp_path / machine).mkdir(exist_ok=True)
    return open_images(place, tmp_path / machine / "images", ".jpg", cache_mb, OWNER)


def bytes_of(number: int, size: int = 2000) -> bytes:
    return hashlib.sha256(str(number).encode()).digest() * (size // 32)


def test_images_of_one_machine_are_read_on_another(place: str, tmp_path: Path) -> None:
    here, there = opened(place, tmp_path), opened(place, tmp_path, "two")
    image_id = here.put(bytes_of(1))
    assert image_id == hashlib.sha256(bytes_of(1)).hexdigest()
    assert here.put(bytes_of(1)) == image_id
    assert there.picture(image_id).data == there.file(image_id).read_bytes() == bytes_of(1)
    assert there.size_of(image_id) == len(bytes_of(1))
    assert there.size_of("cd" * 32) is None
    assert there.is_whole(image_id, len(bytes_of(1)))
    assert there.users() == (OWNER,)
    assert image_id in there.place(image_id)


def test_what_is_no_id_leads_nowhere(place: str, tmp_path: Path) -> None:
    images = opened(place, tmp_path)
    victims = [tmp_path / "victim.jpg", tmp_path / "one" / "victim.jpg", tmp_path / "shared" / "victim.jpg"]
    for victim in victims:
        victim.parent.mkdir(exist_ok=True)
        victim.write_bytes(b"dear")
    for name in ("../victim", "../../victim", "victim", "", "ab" * 31, "AB" * 32, "ab" * 32 + "\n"):
        assert images.size_of(name) is None
        for act in (images.remove, images.picture, images.file, images.path):
            with pytest.raises(InputError, match="no id of a picture"):
                act(name)
    assert all(victim.exists() for victim in victims)


def test_a_missing_image_is_told_and_is_to_be_made_again(place: str, tmp_path: Path) -> None:
    images = opened(place, tmp_path)
    lost = images.put(bytes_of(1))
    images.remove(lost)
    images.remove(lost)
    with pytest.raises(InputError, match=r"is missing.*bestshot generate"):
        images.picture(lost)
    assert not images.is_whole(lost, len(bytes_of(1)))
    assert list(images.known_lost([lost])) == [lost]
    images.put(bytes_of(1))
    assert images.is_whole(lost, len(bytes_of(1)))
    assert not list(images.known_lost([lost]))
    assert images.picture(lost).data == bytes_of(1)


def test_images_are_opened_by_pickle_and_put_by_many_threads(place: str, tmp_path: Path) -> None:
    images: Images = pickle.loads(pickle.dumps(opened(place, tmp_path)))
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(images.put, [bytes_of(n) for n in range(48)]))
    other = opened(place, tmp_path, "two")
    with ThreadPoolExecutor(16) as pool:
        assert [one.data for one in pool.map(other.picture, ids)] == [bytes_of(n) for n in range(48)]


def test_the_place_is_tried_and_left_as_it_was(place: str, tmp_path: Path) -> None:
    images = opened(place, tmp_path)
    image_id = images.put(bytes_of(1))
    assert "can be written" in images.check()
    assert images.sweep() == 0
    assert images.picture(image_id).data == bytes_of(1)


def test_a_process_that_forks_reads_on(s3_bucket: str, tmp_path: Path) -> None:
    images = opened(f"s3://{s3_bucket}/x", tmp_path)
    image_id = images.put(bytes_of(1))
    images.path(image_id).unlink()
    code = (
        "import os, pickle, sys\n"
        "images = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "assert images.size_of(sys.argv[2])\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if images.picture(sys.argv[2]).data else 1)\n"
        "sys.exit(os.waitpid(child, 0)[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, pickle.dumps(images).hex(), image_id], timeout=60, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("kind", "puts", "gets"),
    [("drop", 2, 2), ("lost", 2, 2), ("500", 2, 2), ("503", 2, 2), ("slow", 1, 1), ("cut", 1, 2)],
)
def test_faults_between_the_calls_cost_another_try(
    kind: str, puts: int, gets: int, s3: S3Server, s3_bucket: str, tmp_path: Path
) -> None:
    here, there = (opened(f"s3://{s3_bucket}", tmp_path, machine) for machine in ("one", "two"))
    here.put(bytes_of(0))
    s3.faults += [Fault(kind, 0.3, "PUT")] * puts
    image_id = here.put(bytes_of(1, 100_000))
    s3.faults += [Fault(kind, 0.3, "GET")] * gets
    assert there.picture(image_id).data == bytes_of(1, 100_000)
    assert not s3.faults
    assert [key for key in s3.keys(s3_bucket) if image_id in key] == [f"{image_id[:2]}/{image_id}.jpg"]


def test_a_server_that_comes_back_is_waited_for(s3: S3Server, s3_bucket: str, tmp_path: Path) -> None:
    images = opened(f"s3://{s3_bucket}", tmp_path)
    images.put(bytes_of(0))
    s3.end()
    back = threading.Timer(1.0, s3.begin)
    back.start()
    try:
        image_id = images.put(bytes_of(1))
    finally:
        back.join()
    assert images.size_of(image_id) == len(bytes_of(1))


def test_a_server_that_stays_away_ends_the_run_in_one_line(
    s3: S3Server, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_object_store, "PATIENCE_SECONDS", 0.5)
    images = opened(f"s3://{s3_bucket}", tmp_path)
    image_id = images.put(bytes_of(1))
    with s3.away():
        assert images.picture(image_id).data == bytes_of(1)  # this machine has it
        images.path(image_id).unlink()
        for ask in (lambda: images.picture(image_id), lambda: images.put(bytes_of(2))):
            with pytest.raises(OutOfResources, match=r"does not answer .*nothing is lost") as told:
                ask()
            assert "\n" not in str(told.value)
    assert images.is_whole(image_id, None)  # nobody could tell, so it is not to be made again
    assert images.picture(image_id).data == bytes_of(1)


def test_a_changed_object_is_told_and_made_anew(s3: S3Server, s3_bucket: str, tmp_path: Path) -> None:
    here, there = (opened(f"s3://{s3_bucket}", tmp_path, machine) for machine in ("one", "two"))
    image_id = here.put(bytes_of(1))
    here._store.write(f"{image_id[:2]}/{image_id}.jpg", bytes_of(2))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="damaged or changed"):
        there.picture(image_id)
    assert not there.is_whole(image_id, len(bytes_of(1)))
    there.put(bytes_of(1))
    assert there.picture(image_id).data == bytes_of(1)
    assert sum(method == "GET" for method, _ in s3.requests) == 3


def test_no_key_is_listed_and_no_size_asked_before_a_read(s3: S3Server, s3_bucket: str, tmp_path: Path) -> None:
    here, there = (opened(f"s3://{s3_bucket}", tmp_path, machine) for machine in ("one", "two"))
    ids = [here.put(bytes_of(n)) for n in range(5)]
    s3.requests.clear()
    assert all(there.is_whole(one, None) for one in ids)
    assert s3.requests == []
    for one in [*ids, *ids]:
        there.picture(one)
    assert [method for method, _ in s3.requests] == ["GET"] * 5
    with pytest.raises(InputError, match="is missing"):
        there.picture("ab" * 32)
    assert not any("list-type" in path for _, path in s3.requests)


@pytest.mark.usefixtures("s3")
def test_a_server_that_accepts_and_never_answers_ends_the_run_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_object_store, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(_object_store, "_LEAST_TRY_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{mute.getsockname()[1]}")
        images = opened("s3://bucket/x", tmp_path)
        for ask in (lambda: images.put(bytes_of(1)), lambda: images.picture("ab" * 32)):
            started = time.monotonic()
            with pytest.raises(OutOfResources, match=r"does not answer \(s3://bucket/x: no answer in time\)"):
                ask()
            assert time.monotonic() - started < 10


@pytest.mark.usefixtures("s3")
def test_wrong_buckets_and_keys_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = opened("s3://no-such-bucket/x", tmp_path)
    started = time.monotonic()
    for ask in (lambda: nowhere.put(b"x"), lambda: nowhere.picture("ab" * 32), nowhere.check):
        with pytest.raises(OutOfResources, match="no such bucket"):
            ask()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(OutOfResources, match="AWS_ACCESS_KEY_ID"):
        opened("s3://no-such-bucket/x", tmp_path).put(b"x")
    assert time.monotonic() - started < 20


def test_no_protocols_key_is_in_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):  # a key that another test had would hide a part of it
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "k3y-0123456789abcdef")
    monkeypatch.setenv("GOOGLE_TOKEN_PATH", "/keys/of/google.json")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    error = OSError("k3y-0123456789abcdef at https://h/x?sv=1&sig=abcDEF123&se=2, not in /keys/of/google.json")
    assert _object_store._said(error) == "*** at https://h/x?sv=1&sig=***&se=2, not in /keys/of/google.json"


def test_the_cache_is_bounded_and_keeps_what_was_used_last(s3_bucket: str, tmp_path: Path) -> None:
    images = opened(f"s3://{s3_bucket}", tmp_path)  # 16 MB
    first, held = images.put(bytes_of(0, 1_000_000)), images.put(bytes_of(1, 1_000_000))
    images.file(held)
    os.utime(images.path(first), (1, 1))
    ids = [images.put(bytes_of(n, 1_000_000)) for n in range(2, 24)]
    size = sum(path.stat().st_size for path in images.root.rglob("*.jpg"))
    assert size <= 17_000_000
    assert not images.path(first).exists()
    assert images.path(held).exists()
    assert images.picture(first).data == bytes_of(0, 1_000_000)
    assert [len(images.picture(one).data) for one in ids] == [1_000_000 // 32 * 32] * 22


def test_a_damaged_file_of_the_cache_is_fetched_again(s3_bucket: str, tmp_path: Path) -> None:
    images = opened(f"s3://{s3_bucket}", tmp_path)
    image_id = images.put(bytes_of(1))
    images.path(image_id).write_bytes(b"half")
    assert images.file(image_id).read_bytes() == images.picture(image_id).data == bytes_of(1)


@pytest.mark.parametrize(
    "place",
    [
        "s3://key:secret@bucket/x",
        "s3://bucket/x?token=secret",
        "simplecache::s3://secret",
        "nothing://secret",
        "s3://",
        "s3:/secret/x",
        "/no/x",
    ],
)
def test_addresses_with_keys_and_unknown_ones_are_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`images` in \[store\]") as told:
        opened(place, tmp_path)
    assert "secret" not in str(told.value)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selector.store._opening_images.find_spec", lambda _: None)
    with pytest.raises(MissingPart, match=r"pip install 'bestshot\[s3\]'"):
        opened("s3://bucket/x", tmp_path)


def test_a_share_that_is_not_mounted_is_not_made(tmp_path: Path) -> None:
    for place in ((tmp_path / "share").as_posix(), f"file://{tmp_path}/share"):
        with pytest.raises(InputError, match=r"there is no folder .*share: make it, mount it"):
            opened(place, tmp_path)
    assert not (tmp_path / "share").exists()


def test_without_a_place_the_folder_of_the_campaign_is_it(tmp_path: Path) -> None:
    images = opened("", tmp_path)
    assert isinstance(images, ImageFolder)
    assert images.root == tmp_path / "one" / "images"
    images.put(bytes_of(1))
    assert images.users() == ()
