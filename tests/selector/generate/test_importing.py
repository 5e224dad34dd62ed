"""Imports: a newer file of a name takes the older one's place, every file is accounted for, and counts agree."""

from __future__ import annotations

import csv
import errno
import os
from collections import Counter
from pathlib import Path

import pytest
from conftest import Run, noise_jpeg
from toy_services import Make

from selector import Campaign
from selector.decide.candidates import lost_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "qwen"
    place.mkdir()
    return place


def put(folder: Path, **seeds: int) -> Path:
    """Files by task id and the number of their picture: ``put(folder, _3=1)`` writes picture 1 as 3.jpg."""
    for name, seed in seeds.items():
        (folder / f"{name.lstrip('_')}.jpg").write_bytes(noise_jpeg(40 + seed))  # the first few are input pictures
    return folder


def eligible(campaign: Campaign, task: str = "3") -> dict[str, str]:
    """Candidate to why it must not be picked, of those of a task."""
    campaign.score()
    return {rival.candidate_id: rival.excluded or "" for rival in campaign.explain(task).rivals}


def test_a_newer_file_of_the_same_name_takes_the_place_of_the_older_one(campaign: Campaign, folder: Path) -> None:
    campaign.import_folder(put(folder, _3=1, _10=2))
    (older,) = eligible(campaign)
    summary = campaign.import_folder(put(folder, _3=3))
    (replaced,) = summary.replaced
    assert (replaced.task, replaced.file, replaced.older, replaced.back_again) == ("3", "3.jpg", older, False)
    found = eligible(campaign)
    assert found == {replaced.newer: "", older: f"superseded by the newer 3.jpg ({replaced.newer[:8]})"}
    assert len(eligible(campaign, "10")) == 1
    assert {pick.candidate_id for pick in campaign.pick() if pick.task_id == "3"} == {replaced.newer}
    assert campaign.import_folder(folder).replaced == (), "the same again changes nothing"


def test_older_bytes_that_are_imported_again_win(campaign: Campaign, folder: Path) -> None:
    campaign.import_folder(put(folder, _3=1))
    campaign.import_folder(put(folder, _3=2))
    (back,) = campaign.import_folder(put(folder, _3=1)).replaced
    assert back.back_again
    assert [why == "" for _, why in sorted(eligible(campaign).items(), key=lambda one: one[1])] == [True, False]
    assert eligible(campaign)[back.newer] == ""


def test_keep_keeps_both_also_when_it_is_said_later(campaign: Campaign, folder: Path) -> None:
    campaign.import_folder(put(folder, _3=1))
    assert campaign.import_folder(put(folder, _3=2), keep=True).replaced == ()
    assert set(eligible(campaign).values()) == {""}
    campaign.import_folder(folder)
    assert set(eligible(campaign).values()) == {""}, "what is there already replaces nothing"
    campaign.import_folder(put(folder, _3=3))
    assert sorted(map(bool, eligible(campaign).values())) == [False, True, True]
    campaign.import_folder(folder, keep=True)
    assert set(eligible(campaign).values()) == {""}


def test_another_label_another_name_and_a_damaged_file_replace_nothing(campaign: Campaign, folder: Path) -> None:
    campaign.import_folder(put(folder, _3=1), "flux")
    campaign.import_folder(put(folder, _3=2), "qwen")
    (folder / "3.jpg").rename(folder / "3_b.jpg")
    campaign.import_folder(put(folder, _3_b=4), "qwen")
    (folder / "3_b.jpg").write_bytes(noise_jpeg(5)[:800])
    summary = campaign.import_folder(folder, "qwen")
    assert (summary.failed, summary.replaced) == (1, ())
    assert set(eligible(campaign).values()) == {""}


def test_an_older_picture_that_another_maker_has_too_stays_eligible(campaign: Campaign, folder: Path) -> None:
    campaign.import_folder(put(folder, _3=1), "flux")
    campaign.import_folder(folder, "qwen")
    campaign.import_folder(put(folder, _3=2), "qwen")
    assert set(eligible(campaign).values()) == {""}


def test_totals_with_a_superseded_picture_still_teach(campaign: Campaign, folder: Path) -> None:
    campaign.generate()
    campaign.import_folder(put(folder, _3=1, _10=2, _17=3))
    campaign.score()
    campaign.pick()
    campaign.record(campaign.export(allow_fallbacks=True).submission.id, 5.0)
    before = campaign.calibrate()
    campaign.import_folder(put(folder, _3=4))
    after = campaign.calibrate()
    assert len(after.told) == len(before.told) == 1
    assert after.candidates == before.candidates + 1


def test_every_file_of_a_messy_import_is_accounted_for_and_all_counts_agree(
    run: Run, campaign: Campaign, folder: Path
) -> None:
    at = ("-C", campaign.folder)
    campaign.generate(task_ids=["3", "10"])
    campaign.import_folder(put(folder, _3=1, _3_twin=1, _10=2), "flux")
    put(folder, _3=6, _10_b=2, _10_c=7, _99=8, noid=9)
    (folder / "17_bad.jpg").write_bytes(noise_jpeg(1)[:700])
    (folder / "notes.txt").write_text("no picture")
    summary = campaign.import_folder(folder, "flux")
    # 3.jpg is better, 3_twin and 10 were there, 10_b is the picture of 10, 10_c is new, 17_bad is damaged.
    assert (summary.new, summary.same, summary.already, summary.failed, len(summary.unmatched)) == (2, 1, 2, 1, 3)
    assert summary.files == 9
    assert (summary.known_as, len(summary.replaced)) == ({"folder:flux": 1}, 0), "3_twin is the older picture still"
    assert summary.report == campaign.folder / "import-report.csv"
    rows = list(csv.DictReader(summary.report.read_text(encoding="utf-8-sig").splitlines()))
    assert Counter(row["outcome"] for row in rows) == {"taken": 3, "same picture": 2, "failed": 1, "not taken": 3}
    campaign.score()
    campaign.pick()
    status = campaign.status()
    counts = status.types["tie"]
    made = 2 * 3  # the toy's, of two tasks
    assert counts.candidates == made + 4
    assert status.fallbacks == counts.fallbacks_picked == 1, "task 17 has only a damaged file"
    pictures = counts.candidates + status.fallbacks
    said = {check.subject: check.text for check in campaign.doctor()}["candidates"]
    assert said.startswith(f"{pictures} images match their ids")
    assert f"{counts.candidates} candidates, 1 fallback" in said
    page = campaign.report().read_text(encoding="utf-8")
    assert f"<dt>candidates</dt><dd>{counts.candidates}</dd>" in page
    assert "<dt>fallbacks made</dt><dd>1</dd>" in page
    out = run("import", folder, "--label", "flux", *at)[1]
    assert " 0 " not in out


def test_progress_of_an_import_counts_files(campaign: Campaign, folder: Path) -> None:
    totals = set()
    campaign.import_folder(put(folder, _3=1, _3_b=2, _10=3), progress=lambda *told: totals.add(told[2]))
    assert totals == {3}


def test_the_report_goes_where_it_is_asked_for_and_tells_better_names(
    run: Run, campaign: Campaign, folder: Path, tmp_path: Path
) -> None:
    put(folder, _3=1)
    (folder / "10.flux.jpg").write_bytes(noise_jpeg(2))
    out = tmp_path / "told.csv"
    assert str(out) in run("import", folder, "--out", out, "-C", campaign.folder)[1]
    rows = list(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines()))
    assert [(row["file"], row["task"], row["rename to"]) for row in rows] == [
        ("3.jpg", "3", ""),
        ("10.flux.jpg", "", "10_flux.jpg"),
    ]
    assert not (campaign.folder / "import-report.csv").exists()


def test_declines_name_their_tasks_and_say_the_reason_once(run: Run, make: Make) -> None:
    campaign = make({"toy": 2}, ["decline", "a", "decline"])
    at = ("-C", campaign.folder)
    campaign.close()
    (line,) = (line for line in run("generate", *at)[1].splitlines() if "this toy does not do that" in line)
    assert line == "  2 x toy: this toy does not do that (tasks 3, 17)"
    (line,) = (line for line in run("status", *at)[1].splitlines() if "this toy does not do that" in line)
    assert line == "  2 x toy declined: this toy does not do that (tasks 3, 17)"


def test_a_file_that_was_mended_or_taken_away_or_excluded_is_no_failure_any_more(
    run: Run, campaign: Campaign, folder: Path
) -> None:
    def failures() -> list[str]:
        return [why for why in campaign.status().failures if why.startswith("folder:qwen")]

    for name in ("3.jpg", "10.jpg", "10_b.jpg", "17.jpg"):
        (folder / name).write_bytes(noise_jpeg(1)[:700])
    campaign.import_folder(folder)
    assert len(failures()) == 4
    campaign.import_folder(put(folder, _3=1))
    assert not any("3.jpg" in why for why in failures()) and len(failures()) == 3
    (folder / "10_b.jpg").unlink()
    campaign.import_folder(folder)
    assert len(failures()) == 2
    assert "17.jpg" in run("status", "-C", campaign.folder)[1]
    campaign.decisions.exclude("never mind", task="17", generator="folder:qwen")
    campaign.decisions.exclude("never mind", task="10", generator="folder:qwen")
    assert failures() == [] and "17.jpg" not in run("status", "-C", campaign.folder)[1]


def failing(_: object) -> list[str]:
    raise OSError(errno.EIO, "Input/output error")


def test_a_picture_that_is_lost_is_not_picked(
    campaign: Campaign, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign.generate()
    campaign.import_folder(put(folder, _3=1))
    campaign.score()
    mine = next(str(pick.candidate_id) for pick in campaign.pick() if pick.task_id == "3")
    campaign._ws.images.path(mine).unlink()
    (why,) = (r.excluded for r in campaign.explain("3").rivals if r.candidate_id == mine)
    assert why == "its image is lost: `bestshot doctor` says what to do"
    assert campaign.lost(campaign.pick()) == 0
    with monkeypatch.context() as patched:  # a disk that fails says nothing of what is on it
        patched.setattr(os, "listdir", failing)
        assert lost_images(campaign._ws) == frozenset()
    picks = {pick.task_id: pick for pick in campaign.pick()}
    assert picks["3"].candidate_id != mine and not picks["3"].fallback
    assert campaign.export().zip_path.is_file()


def test_what_is_restored_is_not_counted_once_more_as_known(run: Run, campaign: Campaign, folder: Path) -> None:
    campaign.import_folder(put(folder, _3=1, _10=2), "flux")
    lost, deleted = eligible(campaign, "3"), eligible(campaign, "10")
    next((campaign.folder / "images").rglob(f"{next(iter(lost))}*")).unlink()
    campaign.prune(pictures=list(deleted), delete=True, reason="not ours")
    summary = campaign.import_folder(put(folder, _3_twin=1, _17=3), "flux")
    assert (summary.restored, summary.same, summary.new, summary.already) == (2, 1, 1, 0)
    assert sorted(summary.restored_ids) == sorted([*lost, *deleted])
    assert summary.known_as == {"folder:flux": 1}, "the twin alone"
    next((campaign.folder / "images").rglob(f"{next(iter(lost))}*")).unlink()
    said = run("import", folder, "--label", "b", "-C", campaign.folder)[1]
    assert "1 lost or deleted picture restored" in said
    assert "known already as flux: 3 pictures" in said
