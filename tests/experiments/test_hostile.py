"""A small fixed part of the hostile inputs, in this process; and the experiment finds what it is made to find."""

from __future__ import annotations

import io
import os
import re
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from experiments import hostile
from experiments.support import hostile_workers
from experiments.support.hostile_inputs import input_of, mended
from experiments.support.hostile_readers import READERS
from experiments.support.hostile_trial import Reader, try_once
from experiments.support.hostile_workers import Batch, read_all, read_here
from selector.domain import InputError, Picture, encode_final

# What takes seconds to make its valid inputs, and what needs torch, is damaged by the experiment alone.
SLOW = ("backup", "database of a backup", "review page", "weights, .pt", "weights, old .pt", "weights, safetensors")
INPUTS = 12
ROOT = Path(__file__).resolve().parents[2]
MORE = "another number of lines than were told"


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    """As it was: readers of replies set a key, which later tests would see hidden in their texts."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("name", [name for name in READERS if name not in SLOW])
def test_reader_takes_valid_inputs_and_survives_others(name: str) -> None:
    reader = READERS[name]
    reader.warm_up()  # what it imports is no part of an input's time
    result = read_here(Batch(name, 0, 0, len(reader.seeds()) + INPUTS))
    assert result.findings == []


@pytest.mark.parametrize("name", READERS)
def test_valid_inputs_come_to_a_value(name: str) -> None:
    """Else nothing behind the first refusal would ever be reached."""
    if name.startswith(("weights, ", "part of")):
        pytest.importorskip("torch")
        pytest.importorskip("onnx")
    reader = READERS[name]
    reader.warm_up()
    kinds = [try_once(reader, data).kind for data in reader.seeds()]
    assert sorted(kinds) == ["error"] * reader.told + ["value"] * (len(kinds) - reader.told)
    assert "value" in kinds


def _reads(read: object) -> Reader:
    return Reader("a reader", lambda: [b"valid"], read)  # type: ignore[arg-type]


def _raising(error: BaseException) -> Reader:
    def read(data: bytes, folder: Path) -> Sequence[str]:
        del data, folder
        raise error

    return _reads(read)


def _leaves(_: bytes, folder: Path) -> Sequence[str]:
    (folder.parent / "left").touch()
    return ()


def _works(_: bytes, _folder: Path) -> Sequence[str]:
    ends = time.process_time() + 2.1
    while time.process_time() < ends:
        pass
    return ()


def _writes(text: str, error: Exception | None = None) -> Reader:
    """On stderr itself, as a library's warning does."""

    def read(data: bytes, folder: Path) -> Sequence[str]:
        del data, folder
        sys.stderr.write(text)
        if error is not None:
            raise error
        return ()

    return _reads(read)


@pytest.mark.parametrize(
    ("reader", "kind"),
    [
        (_reads(lambda *_: ()), "value"),
        (_raising(InputError("wrong: mend it")), "error"),
        (_raising(KeyError("x")), "KeyError"),
        (_raising(RecursionError()), "RecursionError"),
        (_raising(InputError("")), "says nothing"),
        (_reads(lambda *_: ["x" * 4000]), "line of over 2000 characters"),
        (_reads(lambda *_: ["a name with \x1b[2J in it"]), "error"),
        (_reads(lambda *_: ["two\nlines"]), MORE),
        (_raising(InputError("two\nlines")), "error"),
        (_writes("a warning\n"), MORE),
        (_writes("a warning\n", InputError("wrong: mend it")), MORE),
        (_writes("\x1b[2J"), "steers a terminal"),
        (_writes("\u202egnp\n"), "steers a terminal"),
        (_reads(_leaves), "left behind"),
        (_reads(_works), "slow"),
    ],
)
def test_what_is_no_value_and_no_error_of_ours_is_a_finding(reader: Reader, kind: str) -> None:
    assert try_once(reader, b"").kind == kind


def test_a_program_that_cleans_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selector.cli._language.visible", lambda text: text)
    assert try_once(_raising(InputError("\x1b[2J")), b"").kind == "steers a terminal"
    assert try_once(_raising(InputError("\ud800")), b"").kind == "error"  # no stream would take it: "?" is shown
    assert try_once(_reads(lambda *_: ["a\rb"]), b"").kind == "steers a terminal"


def test_an_input_follows_from_reader_seed_and_number() -> None:
    reader = READERS["task table"]
    made = [reader.input(3, number) for number in range(40)]
    assert made == [reader.input(3, number) for number in range(40)]
    assert len(set(made)) > 30
    assert made != [reader.input(4, number) for number in range(40)]
    assert input_of("x", 0, 0, [b"valid"], ()) == b"valid"


def test_checksums_are_mended_so_that_damage_reaches_the_decoder() -> None:
    png = bytearray(encode_final(Picture(_jpeg()).rgb, "png"))
    png[19] ^= 1  # the width
    assert mended(bytes(png)) != bytes(png)
    with Image.open(io.BytesIO(mended(bytes(png)))) as image:
        assert image.width != 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", b"hello")
    with zipfile.ZipFile(io.BytesIO(mended(stream.getvalue().replace(b"hello", b"jello")))) as archive:
        assert archive.read("a.txt") == b"jello"


def _jpeg() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(stream, "JPEG")
    return stream.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="signals, /proc")
@pytest.mark.parametrize(
    ("act", "found"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", ("ends the process", r"SIGKILL")),
        (
            "time.sleep(1000)",
            ("hangs", r"experiments/support/hostile_workers\.py:\d+ \(in .*sitecustomize\.py:4\): over 2 s"),
        ),
    ],
    ids=["ends", "hangs"],
)
def test_a_process_that_ends_or_hangs_is_noticed_at_its_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, act: str, found: tuple[str, str]
) -> None:
    files = tmp_path / "files"
    (tmp_path / "sitecustomize.py").write_text(
        "import experiments.support.hostile_trial as trial, os, signal, tempfile, time\n"
        "usual = trial.Reader.input\n"
        "def made(self, seed, number):\n"
        f"    return tempfile.mkdtemp() and {act} if number == 3 else usual(self, seed, number)\n"
        "trial.Reader.input = made\n"
    )
    files.mkdir()
    # Read before a new process has the path of this one.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    monkeypatch.setattr(hostile_workers, "HANG_SECONDS", 2.0)
    monkeypatch.setattr(hostile_workers, "FILES", files)
    results = list(read_all([Batch("prior", 0, 0, 6)], jobs=1))
    ((number, kind, why),) = (one for result in results for one in result.findings)
    assert (number, kind) == (3, found[0])
    assert re.fullmatch(found[1], why)
    assert sum(sum(one.counts.values()) for one in results) == 6
    assert list(files.iterdir()) == []


def test_waiting_for_a_processor_is_no_hang(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    worker, queued = hostile_workers._Worker(tmp_path), {"1": 5.0}
    monkeypatch.setattr(worker, "_queued_seconds", lambda: dict(queued))
    worker._begin_input(10.0)
    worker._since -= 30.0
    assert worker._hangs()
    queued.update({"1": 10.0, "2": 16.0})  # 21 s of the 30, by two threads
    assert not worker._hangs()
    worker._since -= 200.0
    assert worker._hangs()


def test_where_a_process_hangs() -> None:
    stacks = f"""Thread 0x1 (most recent call first):
  File "/lib/threading.py", line 9 in run

Current thread 0x2 (most recent call first):
  File "/lib/socket.py", line 955 in getaddrinfo
  File "{ROOT}/selector/net/_addresses.py", line 73 in resolved
  File "{ROOT}/selector/net/http.py", line 5 in exchange
"""
    assert hostile_workers.where_of(stacks) == "selector/net/_addresses.py:73 (in /lib/socket.py:955)"
    assert hostile_workers.where_of("") == "nowhere known"


def test_every_reader_gets_its_share() -> None:
    batches = list(hostile.planned({"a": 1.0, "b": 3.0}, 4000, 5))
    counts = {name: sum(one.count for one in batches if one.reader == name) for name in "ab"}
    assert counts == {"a": 1000, "b": 3000}
    assert {one.first for one in batches if one.reader == "a"} == {0, 250, 500, 750}
