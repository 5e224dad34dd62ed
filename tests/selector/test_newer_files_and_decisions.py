"""Pictures that a newer file of the same name replaced, and what people decided of either: both together."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest
from conftest import Clock, noise_jpeg
from decided_campaigns import TASK, of_task, picked
from toy_services import Files

from selector import Campaign
from selector.decide.planning import candidates_in_order

SUPERSEDED = f"superseded by the newer {TASK}.jpg"


@pytest.fixture
def free(toys: None, tmp_path: Path, contest_files: Files, clock: Clock) -> Campaign:  # noqa: ARG001
    """Three scene edits in a contest that allows exclusions and pins; nothing is made yet."""
    text = (resources.files("selector") / "profiles" / "tianchi-532389.toml").read_text("utf-8")
    profile = tmp_path / "own.toml"
    profile.write_text(text.replace('decisions = "exclusions"', 'decisions = "exclusions_and_pins"'), "utf-8")
    table, images = contest_files(["brighter", "brighter still"])
    plan = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}}
    return Campaign.init(tmp_path / "free", table, images, profile=str(profile), clock=clock, **plan)


def twice_imported(campaign: Campaign, folder: Path) -> tuple[str, str]:
    """Ids of the older and the newer picture under one name."""
    folder.mkdir()
    (folder / f"{TASK}.jpg").write_bytes(noise_jpeg(41))
    campaign.import_folder(folder)
    (folder / f"{TASK}.jpg").write_bytes(noise_jpeg(42))
    (replaced,) = campaign.import_folder(folder).replaced
    return replaced.older, replaced.newer


def reasons(campaign: Campaign) -> dict[str, str]:
    return {rival.candidate_id: rival.excluded or "" for rival in campaign.explain(TASK).rivals}


def test_the_older_one_does_not_come_back_when_the_newer_is_excluded(free: Campaign, tmp_path: Path) -> None:
    older, newer = twice_imported(free, tmp_path / "qwen")
    free.score()
    free.decisions.exclude("six fingers", newer, by="ann")
    assert reasons(free) == {newer: "excluded by ann: six fingers", older: f"{SUPERSEDED} ({newer[:8]})"}
    assert picked(free.pick()).fallback
    free.decisions.include("five", newer, by="ann")
    assert picked(free.pick()).candidate_id == newer


def test_the_older_one_stays_superseded_after_it_was_excluded_and_included(free: Campaign, tmp_path: Path) -> None:
    older, newer = twice_imported(free, tmp_path / "qwen")
    free.score()
    free.decisions.exclude("six fingers", older, by="ann")
    assert reasons(free)[older] == "excluded by ann: six fingers"
    free.decisions.include("five", older, by="ann")
    assert reasons(free)[older] == f"{SUPERSEDED} ({newer[:8]})"


def test_a_pin_holds_the_older_one_and_lets_it_go_again(free: Campaign, tmp_path: Path) -> None:
    older, newer = twice_imported(free, tmp_path / "qwen")
    free.score()
    free.decisions.pin(TASK, older, "the client's wish", by="ann")
    assert picked(free.pick()).candidate_id == older
    assert reasons(free) == {older: "", newer: "another one is pinned by ann: the client's wish"}
    free.decisions.release(TASK, "no more", by="ann")
    assert picked(free.pick()).candidate_id == newer


def test_a_task_whose_only_other_picture_is_superseded_is_refilled(
    free: Campaign, tmp_path: Path, clock: Clock
) -> None:
    older, newer = twice_imported(free, tmp_path / "qwen")
    free.generate()
    free.score()
    own = [one for one in of_task(free) if one not in (older, newer)]
    clock.now += timedelta(minutes=1)
    free.decisions.exclude("broken", [newer, *own], TASK, by="ann")
    clock.now += timedelta(minutes=1)
    summary = free.generate()
    assert (summary.made, summary.refilled) == (3, [TASK])


def test_a_task_whose_superseded_picture_is_pinned_is_not_refilled(
    free: Campaign, tmp_path: Path, clock: Clock
) -> None:
    older, newer = twice_imported(free, tmp_path / "qwen")
    free.generate()
    free.score()
    own = [one for one in of_task(free) if one not in (older, newer)]
    free.decisions.pin(TASK, older, "the client's wish", by="ann")
    free.decisions.exclude("broken", [newer, *own], by="ann")
    clock.now += timedelta(minutes=1)
    assert free.generate().made == 0


def test_no_judge_is_asked_about_what_is_superseded_before_anything_is_scored(free: Campaign, tmp_path: Path) -> None:
    older, newer = twice_imported(free, tmp_path / "qwen")
    asked = [candidate for _, candidate in candidates_in_order(free._context(), "vlm")]
    assert newer in asked and older not in asked


def test_the_table_of_scores_tells_both(free: Campaign, tmp_path: Path) -> None:
    older, newer = twice_imported(free, tmp_path / "qwen")
    free.score()
    free.decisions.exclude("six fingers", newer, by="ann")
    told = free.scores().set_index("candidate")
    assert (told.decision[older], told.eligible[older], told.reason[older]) == (
        "",
        False,
        f"{SUPERSEDED} ({newer[:8]})",
    )
    assert (told.decision[newer], told.reason[newer]) == ("excluded", "excluded by ann: six fingers")
    status = free.status()
    assert (status.superseded, status.decisions.candidates) == (1, 1)
