"""A full disk and an unwritable campaign: one line, exit code 2, and nothing that was stored is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from selector import Campaign
from selector.demo import DemoContest
from selector.domain import OutOfResources


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root and permission to mount")
    yield place
    subprocess.run(["mount", "-o", "remount,rw", str(place)], capture_output=True, check=False)
    subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def tasks_of(contest: DemoContest, folder: Path, kind: str, most: int) -> Path:
    """A table of the first tasks of a type."""
    header, *lines = contest.table.read_text(encoding="utf-8-sig").splitlines()
    rows = [line for line in lines if line.split(",")[1] == kind][:most]
    table = folder / "few.csv"
    table.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return table


@pytest.fixture(scope="module")
def template(demo_contest: DemoContest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of two real scene edits."""
    place = tmp_path_factory.mktemp("template")
    Campaign.init(place / "campaign", tasks_of(demo_contest, place, "tie", 2), demo_contest.images).close()
    return place / "campaign"


def bestshot(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "selector.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_full_disk_stops_with_one_line_and_the_run_goes_on_when_there_is_space(
    small_disk: Path, template: Path
) -> None:
    folder = small_disk / "campaign"
    shutil.copytree(template, folder)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - 300_000))
    done = bestshot("generate", "-C", str(folder))
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert "disk is full" in done.stderr
    ballast.unlink()
    assert bestshot("generate", "-C", str(folder)).returncode == 0
    with Campaign(folder) as campaign:
        assert all(t.without_candidates == 0 for t in campaign.status().types.values())
        assert all(c.ok for c in campaign.doctor() if c.subject == "candidates")
    assert not list(folder.glob("images/**/.tmp-*"))


def test_a_read_only_campaign_stops_with_one_line(small_disk: Path, template: Path) -> None:
    folder = small_disk / "campaign"
    shutil.copytree(template, folder)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, capture_output=True)
    done = bestshot("generate", "-C", str(folder))
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert "write" in done.stderr or "read" in done.stderr


def test_every_later_verb_says_that_the_disk_is_full_and_then_goes_on(small_disk: Path, template: Path) -> None:
    folder = small_disk / "campaign"
    shutil.copytree(template, folder)
    assert bestshot("generate", "-C", str(folder)).returncode == 0
    ballast = small_disk / "ballast"
    for verb in ("score", "pick", "export", "report"):
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        done = bestshot(verb, "-C", str(folder))
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), (verb, done.stderr)
        assert "disk is full" in done.stderr, verb
        ballast.unlink()
        assert bestshot(verb, "-C", str(folder)).returncode == 0, verb


@pytest.mark.parametrize("free_kb", range(100, 1000, 100))
def test_a_campaign_that_finds_no_room_can_be_made_again(
    small_disk: Path, demo_contest: DemoContest, tmp_path: Path, free_kb: int
) -> None:
    """What is left of the disk may be too small for the inputs, the database, or what is written beside it."""
    table = tasks_of(demo_contest, tmp_path, "deepfake", 1)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - free_kb * 1024))
    with contextlib.suppress(OutOfResources):
        Campaign.init(small_disk / "campaign", table, demo_contest.images).close()
    ballast.unlink()
    with Campaign.init(small_disk / "campaign", table, demo_contest.images) as campaign:
        assert len(campaign.tasks) == 1
        with campaign._ws.db.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    assert not list(small_disk.rglob(".bestshot-tmp-*"))


def test_a_campaign_on_a_full_disk_can_be_looked_at_and_backed_up_elsewhere(
    small_disk: Path, template: Path, tmp_path: Path
) -> None:
    folder = small_disk / "campaign"
    shutil.copytree(template, folder)
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    for words in (("status",), ("quota",), ("next",), ("explain", "3"), ("backup", str(tmp_path / "saved.zip"))):
        done = bestshot(*words, "-C", str(folder))
        assert "full" not in done.stderr, (words, done.stderr)
    assert bestshot("status", "-C", str(folder)).returncode == 0
    assert bestshot("init", str(tmp_path / "there"), "--from", str(tmp_path / "saved.zip")).returncode == 0
    done = bestshot("note", "3", "look again", "-C", str(folder))
    assert (done.returncode, "the disk is full" in done.stderr) == (2, True), done.stderr
    (small_disk / "ballast").unlink()
    assert bestshot("note", "3", "look again", "-C", str(folder)).returncode == 0
