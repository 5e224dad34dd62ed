"""Whole files, and what a sweep takes: only what a dead process left."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from selector.domain import InputError, files
from selector.domain.files import (
    expanded,
    followed,
    move_in,
    outlasted,
    publish,
    replacing,
    scratch_folder,
    sweep,
    write_atomically,
)

HOLD = """
import sys, time
from pathlib import Path
from selector.domain.files import replacing, scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder, replacing(Path(sys.argv[1]) / "table.csv") as stream:
    (folder / "half").write_bytes(b"half of it")
    stream.write(b"half of it")
    print("writing", flush=True)
    time.sleep(60)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that has written nowhere yet."""
    monkeypatch.setattr(files, "_swept", set())


@pytest.mark.usefixtures("fresh_process")
def test_what_a_killed_process_left_is_swept_and_never_what_a_living_one_writes(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        left = names(tmp_path)
        assert len(left) == 2
        assert sweep(tmp_path) == 0
        assert names(tmp_path) == left
        writer.send_signal(signal.SIGKILL)
    write_atomically(tmp_path / "other.csv", b"whole")  # the next run that writes there sweeps by itself
    assert names(tmp_path) == ["other.csv"]


def test_files_of_others_are_never_swept(tmp_path: Path) -> None:
    others = [".tmp-backup", ".tmp-12-notes", ".bestshot-tmp-mine", ".unchecked", "tmp-1-" + "a" * 32]
    for name in others:
        (tmp_path / name).touch()
    assert sweep(tmp_path) == 0
    assert names(tmp_path) == sorted(others)


def test_what_older_versions_left_is_swept_too(tmp_path: Path) -> None:
    (tmp_path / "ab").mkdir()
    for name in (f".tmp-17-{'0a' * 16}", ".tmp-17-campaign.db", ".tmp-17-campaign.db-wal", ".unchecked-mine.zip"):
        (tmp_path / "ab" / name).touch()
    assert (sweep(tmp_path), sweep(tmp_path, deep=True)) == (0, 4)


def test_on_a_disk_without_locks_age_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with replacing(tmp_path / "file") as stream:
        stream.write(b"x")
        assert sweep(tmp_path) == 0
        two_days_ago = time.time() - 2 * 86_400
        os.utime(stream.name, (two_days_ago, two_days_ago))
        assert sweep(tmp_path) == 1
        (tmp_path / Path(stream.name).name).touch()
    assert names(tmp_path) == ["file"]


def test_a_scratch_folder_is_gone_afterwards_also_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(KeyError), scratch_folder(tmp_path) as folder:
        (folder / "rest").touch()
        raise KeyError
    assert names(tmp_path) == []


def test_what_is_moved_in_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as scratch:
        for name, data in (("a.jpg", b"new"), ("in/b.jpg", b"b")):
            write_atomically(scratch / name, data, durable=False)
        (tmp_path / "a.jpg").write_bytes(b"old")
        move_in(scratch, tmp_path, ["a.jpg", "in/b.jpg"])
    assert names(tmp_path) == ["a.jpg", "in"]
    assert (tmp_path / "a.jpg").read_bytes() == b"new" and (tmp_path / "in" / "b.jpg").read_bytes() == b"b"


@pytest.mark.parametrize(
    ("left", "is_there"), [(b"\xff\xd8...\xff\xd9", True), (b"", False), (b"\xff" + bytes(9), False)]
)
def test_a_picture_that_lost_its_end_with_the_power_is_told(tmp_path: Path, left: bytes, is_there: bool) -> None:
    (tmp_path / "small.jpg").write_bytes(left)
    assert outlasted(tmp_path / "small.jpg") is is_there
    assert not outlasted(tmp_path / "none.jpg")


@pytest.mark.parametrize("links", [True, False])
def test_publishing_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:

        def link(*_: Any) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)
    for data in (b"first", b"second"):
        (tmp_path / "made").write_bytes(data)
        assert publish(tmp_path / "made", tmp_path / "name") is (data == b"first")
    assert (tmp_path / "name").read_bytes() == b"first"


def test_a_loop_of_links_and_a_home_that_is_not_there_are_paths_like_others(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "c").symlink_to(tmp_path)
    assert followed(tmp_path / "a").parent == followed(tmp_path) == followed(tmp_path / "c")
    assert expanded("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    assert expanded("~/x") == Path.home() / "x"


@pytest.mark.parametrize("below", ["", "below/it"])
def test_a_link_to_what_is_not_there_is_named_where_nothing_can_be_written(tmp_path: Path, below: str) -> None:
    """The system says that a folder of the name "exists"."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone" / "disk")
    with pytest.raises(InputError, match=f"{link} is a link that leads nowhere"):
        write_atomically(link / below / "file", b"x")
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("name", ["x" * 300, "file/below", "loop/file"])
def test_what_cannot_be_written_is_described_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match=r"^cannot write "):
        write_atomically(tmp_path / name, b"x")
