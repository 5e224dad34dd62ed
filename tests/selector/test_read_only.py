"""A campaign on a medium that cannot be written, a DVD, an archive, a colleague's folder: it can be looked at."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from conftest import Run

from selector import Campaign

Kept = Callable[[Path], None]


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Root may write whatever a file's mode says, but not into a mount that is read-only."""
    if os.name != "posix":
        pytest.skip("modes of POSIX")
    if os.geteuid():
        paths = [folder, *folder.rglob("*")]
        modes = [path.stat().st_mode for path in paths]
        try:
            for path in reversed(paths):
                path.chmod(0o500 if path.is_dir() else 0o400)
            yield
        finally:
            for path, mode in zip(paths, modes, strict=True):
                path.chmod(mode)
        return
    mount = ["mount", "--bind", str(folder), str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a mount needs permission")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True, capture_output=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def as_it_is(_folder: Path) -> None:
    """Nobody has it open."""


def copied_while_open(folder: Path, ends: tuple[str, ...]) -> None:
    """With a log that holds the newest decision, and what else of SQLite's files was copied."""
    database, place = folder / "campaign.db", folder.with_name("open")
    shutil.copytree(folder, place)
    with Campaign(place) as campaign:
        campaign.decisions.note("in the log", task="3")
        for end in ("", *ends):
            shutil.copyfile(f"{place / database.name}{end}", f"{database}{end}")
        log = Path(f"{database}-wal")
        assert log.stat().st_size
        assert sqlite3.connect(f"{database.as_uri()}?immutable=1", uri=True).execute(
            "SELECT count(*) FROM decision"
        ).fetchone() == (0,), "the decision is in the log alone"


def with_log_and_index(folder: Path) -> None:
    copied_while_open(folder, ("-wal", "-shm"))


def with_log(folder: Path) -> None:
    copied_while_open(folder, ("-wal",))


@pytest.mark.parametrize("kept", [as_it_is, with_log_and_index, with_log])
def test_all_that_only_looks_works_and_the_rest_says_one_line(
    campaign: Campaign, tmp_path: Path, run: Run, kept: Kept
) -> None:
    campaign.generate()
    campaign.score()
    campaign.pick()
    zip_path = campaign.export().zip_path
    campaign.close()
    kept(campaign.folder)
    with unwritable(campaign.folder):
        for arguments in (
            ("status",),
            ("quota",),
            ("explain", "3"),
            ("verify", zip_path),
            ("scores", "--out", tmp_path / "scores.csv"),
            ("report", "--bundle", tmp_path / "bundle.zip"),
            ("backup", tmp_path / "backup.zip"),
            ("doctor",),
        ):
            code, out, told = run(*arguments, "-C", campaign.folder)
            assert (code, told) == (0, ""), arguments
            assert kept is as_it_is or arguments[0] != "explain" or "in the log" in out
            assert arguments[0] != "doctor" or "is read-only: verbs that only look work there" in out
        for arguments in (("report",), ("exclude", "--task", "3", "--generator", "toy", "--reason", "x")):
            code, out, told = run(*arguments, "-C", campaign.folder)
            assert (code, out, told.count("\n")) == (2, "", 1) and "cannot" in told, arguments
        for verb, cure in (("scores", "--out"), ("report", "--bundle")):
            assert f"which is read-only: {cure} writes it elsewhere" in run(verb, "-C", campaign.folder)[2]
    assert run("init", tmp_path / "restored", "--from", tmp_path / "backup.zip")[0] == 0
    with Campaign(tmp_path / "restored") as restored:
        assert [one.reason for one in restored.decisions.history] == ([] if kept is as_it_is else ["in the log"])


def test_its_page_shows_it_and_a_decision_says_one_line(campaign: Campaign) -> None:
    campaign.generate()
    campaign.close()
    with unwritable(campaign.folder), Campaign(campaign.folder) as found, found.review(by="Li") as page:
        assert requests.get(f"{page.url}api/task/3", timeout=30).json()["candidates"]
        body = {"kind": "note", "task": "3", "reason": "x"}
        answer = requests.post(f"{page.url}api/decide", json=body, headers={"X-Bestshot": "1"}, timeout=30)
        assert answer.status_code == 400 and "cannot write" in answer.json()["error"]
