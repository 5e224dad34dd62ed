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
from selector.demo.contest import make_demo_contest
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


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of two real scene edits."""
    place = tmp_path_factory.mktemp("template")
    contest = make_demo_contest(place / "contest")
    lines = contest.table.read_text(encoding="utf-8-sig").splitlines()
    rows = [line for line in lines[1:] if line.split(",")[1] == "tie"][:2]
    contest.table.write_text("\n".join([lines[0], *rows]) + "\n", encoding="utf-8")
    Campaign.init(place / "campaign", contest.table, contest.images).close()
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


@pytest.mark.parametrize("verb", ["score", "pick", "export", "report"])
def test_every_later_verb_says_that_the_disk_is_full_and_then_goes_on(
    small_disk: Path, template: Path, verb: str
) -> None:
    folder = small_disk / "campaign"
    shutil.copytree(template, folder)
    steps = ["generate", "score", "pick", "export", "report"]
    for step in steps[: steps.index(verb)]:
        assert bestshot(step, "-C", str(folder)).returncode == 0
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    done = bestshot(verb, "-C", str(folder))
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert "disk is full" in done.stderr
    ballast.unlink()
    for step in steps[steps.index(verb) :]:
        assert bestshot(step, "-C", str(folder)).returncode == 0


@pytest.mark.parametrize("free_kb", range(100, 1000, 100))
def test_a_campaign_that_finds_no_room_can_be_made_again(small_disk: Path, tmp_path: Path, free_kb: int) -> None:
    """What is left of the disk may be too small for the inputs, the database, or what is written beside it."""
    contest = make_demo_contest(tmp_path / "contest")
    lines = contest.table.read_text(encoding="utf-8-sig").splitlines()
    contest.table.write_text("\n".join([lines[0], lines[-1]]) + "\n", encoding="utf-8")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - free_kb * 1024))
    with contextlib.suppress(OutOfResources):
        Campaign.init(small_disk / "campaign", contest.table, contest.images).close()
    ballast.unlink()
    with Campaign.init(small_disk / "campaign", contest.table, contest.images) as campaign:
        assert len(campaign.tasks) == 1
        with campaign._ws.db.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    assert not list(small_disk.rglob(".bestshot-tmp-*"))
