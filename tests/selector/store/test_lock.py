"""The lock that one process holds at a time."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from selector.domain import InputError
from selector.store.lock import only_one


def test_one_holds_it_and_the_other_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with only_one(path) as first:
        with only_one(path) as second:
            assert (first, second) == (True, False)
        with only_one(path) as third:
            assert not third  # the second has not given back what it never held
    with only_one(path) as again:
        assert again


def test_it_is_given_back_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(KeyError), only_one(tmp_path / "lock"):
        raise KeyError
    with only_one(tmp_path / "lock") as again:
        assert again


def test_the_system_takes_it_back_when_its_holder_is_killed(tmp_path: Path) -> None:
    holds, goes = os.pipe(), os.pipe()
    process = os.fork()
    if not process:
        with only_one(tmp_path / "lock") as alone:
            os.write(holds[1], b"y" if alone else b"n")
            os.read(goes[0], 1)
            os._exit(9)
    assert os.read(holds[0], 1) == b"y"
    with only_one(tmp_path / "lock") as mine:
        assert not mine
    os.write(goes[1], b".")
    os.waitpid(process, 0)
    with only_one(tmp_path / "lock") as mine:
        assert mine
    for end in (*holds, *goes):
        os.close(end)


def test_a_disk_that_knows_no_locks_lets_everybody_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with only_one(tmp_path / "lock") as alone:
        assert alone


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"), only_one(tmp_path / "missing" / "lock"):
        pass
