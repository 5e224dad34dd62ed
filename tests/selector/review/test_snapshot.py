"""Estimates as a file, made by a process of their own."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
from review_pages import EACH, TASKS, Open, folder, serve  # noqa: F401

from selector import Campaign
from selector.review._outlining import boxes
from selector.review._snapshot_file import CandidateEstimate, SnapshotFacts, TaskEstimate, read_snapshot, write_snapshot
from selector.review._watch import first_step


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "estimates.db"
    estimate = CandidateEstimate(5.0, 1.0, 6.0, 4.0, True, False, 0.5, 5.1, 7, "gate.readable is 0 (…)")
    facts = SnapshotFacts(
        key={"score": 3}, at="now", calibrated=True, versions={"technical": "2"}, reading=["spatial"], told=[], stale=[]
    )
    write_snapshot(
        path,
        facts,
        {"1": TaskEstimate(5.5, None, 1)},
        {("1", "ab"): estimate},
        [("1", {"why": None})],
        [("ab", 4), ("ab", 2)],
    )
    found = read_snapshot(path)
    assert found is not None and found.facts == facts and found.candidates == {("1", "ab"): estimate}
    assert found.tasks == {"1": TaskEstimate(5.5, None, 1)}
    assert found.detail("1") == {"why": None} and found.detail("2") == {} and found.replies("ab") == [2, 4]


def test_no_file_and_a_damaged_one_are_no_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "estimates.db"
    assert read_snapshot(path) is None
    path.write_bytes(b"no database" * 100)
    assert read_snapshot(path) is None
    path.unlink()
    write_snapshot(path, SnapshotFacts(), {}, {}, [], [])
    path.write_bytes(path.read_bytes().replace(b"format1", b"format0"))
    assert read_snapshot(path) is None


def test_the_estimates_are_those_of_explain(few_tasks: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(few_tasks, tmp_path / "campaign"))
    found = read_snapshot(folder / "cache" / "review" / "estimates.db")
    assert found is not None and len(found.candidates) == TASKS * EACH
    with Campaign(folder) as campaign:
        explained = campaign.explain("2")
    for rival in explained.rivals:
        own = found.candidates["2", rival.candidate_id]
        assert abs(own.overall - rival.overall) < 1e-3 and abs(own.p_best - rival.p_best) < 0.05
    assert found.detail("2")["why"]["pick"] == explained.rivals[0].candidate_id
    best = found.tasks["2"].best
    assert best is not None and best >= max(rival.overall for rival in explained.rivals) - 0.05


def test_estimates_are_made_anew_when_something_is_told(folder: Path, serve: Open) -> None:
    page = serve(folder)
    before = page.get("api/state")["snapshot"]["at"]
    with Campaign(folder) as campaign:
        campaign.record("00000005", 3.0, reason="it was misread")
    for _ in range(200):
        state = page.get("api/state")["snapshot"]
        if state["at"] != before:
            break
        assert state["building"] or state["stale"] == ["observation", "submission_event"] or state["stale"]
        time.sleep(0.2)
    assert state["at"] != before and state["stale"] == [] and state["fault"] is None


def test_a_page_without_estimates_shows_the_tasks_in_the_tables_order(folder: Path, serve: Open) -> None:
    shutil.rmtree(folder / "cache")
    page = serve(folder)
    tasks = page.get("api/queue")["tasks"]
    assert [task["id"] for task in tasks] == [str(n) for n in range(TASKS)] and tasks[0]["worth"] is None
    card = page.get("api/task/1")["candidates"][0]
    assert card["estimate"] is None and card["rank"] is None


def test_boxes_of_two_places_that_changed() -> None:
    mask = np.zeros((512, 1024), bool)
    mask[100:200, 100:300] = mask[400:440, 900:960] = True
    largest, other = boxes(mask)
    assert abs(largest["left"] - 100 / 1024) < 0.01 and abs(largest["bottom"] - 200 / 512) < 0.01
    assert abs(other["right"] - 960 / 1024) < 0.01
    assert boxes(np.ones((64, 64), bool)) == [{"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}]
    assert boxes(np.zeros((64, 64), bool)) == []


def test_the_first_of_the_next_steps() -> None:
    step = '{"words": "score what is new", "command": "bestshot score", "by_person": false}'
    wanted = {"words": "score what is new", "command": "bestshot score", "person": False}
    assert first_step(f"[{step}]") == wanted == first_step(f'{{"steps": [{step}]}}')
    for nothing in ("", "[]", "{}", "[1]", '{"error": "x"}'):
        assert first_step(nothing) is None
