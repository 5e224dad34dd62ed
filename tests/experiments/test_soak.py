"""The soak in small: its workers do run verbs, and its audit would notice what is amiss."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from experiments import soak
from experiments.support.crash_loop import CAMPAIGN, GIVEN, OUT, TEMPORARY, make_contest
from experiments.support.crash_store import FileStore
from experiments.support.soak_audit import Audit, audited
from experiments.support.soak_work import JOURNAL, TASKS, Ran, Worker, kind_of
from selector import Campaign


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a campaign whose pictures are made and scored."""
    place = tmp_path_factory.mktemp("soak")
    make_contest(place / GIVEN, TASKS[:3])
    for name in (JOURNAL, OUT, TEMPORARY):
        (place / name).mkdir()
    config: dict[str, Any] = {
        "generate": {"tie": {"retouch": 1}},
        "score": {"scorers": ["artefacts", "gate", "technical"]},
    }
    with Campaign.init(place / CAMPAIGN, place / GIVEN / "task.csv", place / GIVEN / "imgs", **config) as campaign:
        campaign.generate()
        campaign.score()
        campaign.decisions.note("seen", "1")
    return place


def audit(place: Path, *promised: dict[str, Any], notes: tuple[str, ...] = (), paid: int = 0) -> Audit:
    ran = [Ran("", (), 0, 1.0, "", "", promise) for promise in promised]
    return audited(place, FileStore(), ran, notes, Counter({("image", "x", str(n)): 1 for n in range(paid)}))


def test_a_promise_that_is_not_kept_is_lost(made: Path) -> None:
    kept = audit(made, {"note": "seen"})
    assert (kept.lost, kept.doubled) == ([], [])
    found = audit(
        made,
        {"note": "gone"},
        {"imported": ["folder:a", "1_x.jpg"]},
        {"total": ["1a2b", 3.0]},
        {"excluded": "a try"},
        {"backup": "out/no.zip"},
        notes=("of the page",),
        paid=1,
    )
    words = (
        "note 'of",
        "note 'gone",
        "imported 1_x",
        "total",
        "exclusion",
        "1 images paid for and 0 stored",
        "backup",
    )
    assert len(found.lost) == len(words) and found.doubled == []
    assert [word for word in words if not any(word in line for line in found.lost)] == []


def test_rows_that_are_there_twice_are_doubled_and_missing_scores_lost(made: Path, tmp_path: Path) -> None:
    place = tmp_path / "copy"
    FileStore().copy(made, place)
    with contextlib.closing(sqlite3.connect(place / CAMPAIGN / "campaign.db")) as connection, connection:
        connection.execute(
            "INSERT INTO decision (kind, task_id, reason, by, at) SELECT kind, task_id, reason, by, at FROM decision"
        )
        connection.execute("DELETE FROM score WHERE scorer = 'gate' AND task_id = '1'")
    found = audit(place, {"note": "seen"})
    assert len(found.lost) == 1 and "no score of gate" in found.lost[0]
    assert len(found.doubled) == 2 and "2 x the note 'seen'" in found.doubled


def test_all_verbs_are_drawn_and_the_seed_alone_says_which(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    drawn = {kind_of(step.words) for step in islice(Worker(0, 1).steps(), 200)}
    wanted = {"generate", "generate --plan", "score", "score --judge", "import", "plan", "pick", "export", "exclude"}
    assert wanted | {"include", "note", "status", "report", "backup", "next", "explain"} <= drawn
    assert len(list((made / GIVEN).glob("w0-*"))) > 10


def test_a_worker_runs_verbs_in_processes_of_their_own_and_keeps_a_journal(made: Path) -> None:
    command = [sys.executable, "-m", "experiments.support.soak_work", str(made), "7", "0.5", "3"]
    environment = {**os.environ, "PYTHONPATH": str(soak.ROOT)}
    subprocess.run(command, env=environment, check=True)
    lines = [json.loads(line) for line in (made / JOURNAL / "7.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines and all(line["status"] in (0, 2) and line["seconds"] > 0 for line in lines)
    assert all(not line["promise"] for line in lines if line["status"])


def test_an_end_that_follows_from_others_is_told_from_one_that_does_not() -> None:
    def ran(verb: str, status: int, said: str) -> Ran:
        return Ran(verb, (verb,), status, 1.0, "", said, {})

    assert soak._is_expected(ran("pick", 0, ""))
    assert soak._is_expected(ran("export", 2, "bestshot: nothing has been picked yet: run `bestshot pick` first"))
    assert not soak._is_expected(ran("export, alone", 2, "bestshot: nothing has been picked yet"))
    assert not soak._is_expected(ran("score", 2, "bestshot: the store was busy"))
    assert not soak._is_expected(ran("score", -9, ""))
