"""The loop over a small campaign: what every verb leaves behind, and what running it again does not."""

from __future__ import annotations

import io
import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest
from conftest import Clock, ToyGenerator, ToyScorer, noise_jpeg
from sqlalchemy import update

from selector import Campaign
from selector.domain import InputError, SubmissionError, TaskType
from selector.store import schema

Files = Callable[[Sequence[str]], tuple[Path, Path]]


def whole_loop(campaign: Campaign) -> None:
    campaign.generate()
    campaign.score()
    campaign.pick()


def made_campaign(tmp_path: Path, files: Files, prompts: Sequence[str], **config: object) -> Campaign:
    table, images = files(prompts)
    settings = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}, **config}
    return Campaign.init(tmp_path / "campaign", table, images, **settings)


def test_the_brightest_candidate_of_every_task_is_picked_and_exported(campaign: Campaign) -> None:
    whole_loop(campaign)
    exported = campaign.export()
    assert campaign.submissions.verify(exported.zip_path).valid
    with zipfile.ZipFile(exported.zip_path) as archive:
        assert archive.read("result.csv").decode("utf-8-sig").split() == [
            "index,gen_image",
            "3,3.jpg",
            "10,10.jpg",
            "17,17.jpg",
        ]
    manifest = json.loads(exported.manifest_path.read_text())
    assert [p["made_by"]["variant"] for p in manifest["picks"]] == ["tint2", "tint2", "tint2"]
    assert all(len(digest) == 64 for digest in manifest["program"]["weights"].values())
    assert manifest["config"]["seed"] == campaign.config.seed


def test_running_every_verb_again_makes_and_measures_nothing(campaign: Campaign) -> None:
    whole_loop(campaign)
    first = campaign.export()
    made, measured = list(ToyGenerator.calls), list(ToyScorer.calls)
    whole_loop(campaign)
    second = campaign.export()
    assert (ToyGenerator.calls, ToyScorer.calls) == (made, measured)
    assert first.submission.id == second.submission.id
    assert first.submission.zip_sha256 == second.submission.zip_sha256
    assert len(list(campaign.submissions)) == 1


def test_two_campaigns_from_the_same_files_export_the_same_bytes(
    campaign: Campaign, tmp_path: Path, contest_files: Files
) -> None:
    whole_loop(campaign)
    table, images = contest_files(["brighter", "把图片变亮", "much brighter"])
    other = Campaign.init(
        tmp_path / "other", table, images, generate={"tie": {"toy": 3}}, score={"scorers": ["technical"]}
    )
    whole_loop(other)
    assert campaign.export().zip_path.read_bytes() == other.export().zip_path.read_bytes()


def test_more_candidates_redo_nothing(campaign: Campaign) -> None:
    campaign.generate()
    summary = campaign.generate(n=5)
    assert (summary.made, summary.already) == (6, 9)


@pytest.mark.usefixtures("toys")
def test_one_failing_task_ends_no_run_and_status_says_why(tmp_path: Path, contest_files: Files) -> None:
    campaign = made_campaign(tmp_path, contest_files, ["please decline", "please fail", "please crash", "fine"])
    summary = campaign.generate()
    assert (summary.made, summary.failed, summary.declined) == (5, 4, 1)
    failures = campaign.status().failures
    assert failures["toy declined: this toy does not do that"] == 1
    assert failures["toy failed: the toy broke"] == 1
    assert failures["toy failed: ZeroDivisionError: a bug in a plug-in"] == 3


@pytest.mark.usefixtures("toys")
def test_failures_are_tried_again_only_when_asked_and_every_try_is_kept(tmp_path: Path, contest_files: Files) -> None:
    campaign = made_campaign(tmp_path, contest_files, ["please fail"])
    campaign.generate()
    assert campaign.generate().failed == 0
    assert campaign.generate(retry_failed=True).failed == 1
    assert sum(campaign.status().failures.values()) == 1, "the newest try counts, not each"


@pytest.mark.usefixtures("toys")
def test_a_task_without_candidates_gets_the_flagged_fallback_and_export_refuses_it(
    tmp_path: Path, contest_files: Files
) -> None:
    campaign = made_campaign(tmp_path, contest_files, ["please decline", "fine"])
    whole_loop(campaign)
    picks = campaign.pick()
    assert [p.fallback for p in picks] == [True, False]
    with pytest.raises(SubmissionError, match="1 of 2 tasks have only a fallback: 3"):
        campaign.export()
    exported = campaign.export(allow_fallbacks=True)
    assert exported.submission.fallbacks == 1
    verdict = campaign.submissions.verify(exported.zip_path)
    assert (verdict.valid, verdict.problems) == (False, ("1 image is a fallback, not an answer: task 3",))
    assert campaign.submissions.verify(exported.zip_path, allow_fallbacks=True).valid


def test_export_before_pick_says_what_to_do(campaign: Campaign) -> None:
    with pytest.raises(SubmissionError, match="run `bestshot pick` first"):
        campaign.export()


def test_candidates_that_no_scorer_measured_are_never_picked(campaign: Campaign) -> None:
    campaign.generate()
    picks = campaign.pick()  # nothing is scored yet
    assert all(p.fallback and "run `bestshot score`" in p.reason for p in picks)


def test_imported_files_become_candidates_under_their_label_and_only_once(campaign: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "from qwen"
    (folder / "10").mkdir(parents=True)
    (folder / "3.jpg").write_bytes(noise_jpeg(50))
    (folder / "3_b.jpg").write_bytes(noise_jpeg(51))
    (folder / "10" / "最好.jpg").write_bytes(noise_jpeg(52))
    assert campaign.import_folder(folder, "qwen-image").made == 3
    assert campaign.import_folder(folder, "qwen-image").made == 0
    (folder / "17.jpg").write_bytes(noise_jpeg(53))
    assert campaign.import_folder(folder, "qwen-image").made == 1
    assert campaign.status().types["tie"].candidates == 4


def test_a_damaged_imported_file_is_a_failure_with_its_reason(campaign: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    (folder / "3.jpg").write_bytes(noise_jpeg(1)[:900])
    summary = campaign.import_folder(folder)
    assert (summary.made, summary.failed) == (0, 1)
    assert any("truncated" in reason or "damaged" in reason for reason in summary.reasons)


def test_a_candidate_that_was_changed_on_the_disk_is_noticed(campaign: Campaign) -> None:
    whole_loop(campaign)
    path = next(campaign.folder.glob("images/*/*.jpg"))
    path.write_bytes(path.read_bytes() + b"x")
    found = {c.subject: c for c in campaign.doctor()}
    assert not found["candidates"].ok
    assert "hash differs" in found["candidates"].text


@pytest.mark.parametrize("damage", ["cut", "gone", "zeroed"])
def test_export_names_the_damaged_file_and_following_its_advice_mends_it(campaign: Campaign, damage: str) -> None:
    campaign.generate()
    campaign.score()
    picked = campaign.pick()[0]
    path = campaign._ws.images.path(str(picked.candidate_id))
    data = path.read_bytes()
    path.write_bytes({"cut": data[:100], "gone": b"", "zeroed": bytes(len(data))}[damage])
    if damage == "gone":
        path.unlink()
    said = rf"task {picked.task_id} cannot be exported: images/../{path.name} .*run `bestshot generate`, which makes it"
    with pytest.raises(SubmissionError, match=said):
        campaign.export()
    if damage == "zeroed":  # as long as it should be: only those who read it notice
        path.unlink()
    campaign.generate()
    assert path.read_bytes() == data
    campaign.export()


def test_two_threads_on_one_campaign_share_the_work_and_corrupt_nothing(campaign: Campaign) -> None:
    others = [Campaign(campaign.folder) for _ in range(3)]
    threads = [threading.Thread(target=whole_loop, args=(c,)) for c in [campaign, *others]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert campaign.status().types["tie"].candidates == 9
    assert campaign.generate().made == 0
    assert campaign.score().values == 0


def test_init_refuses_a_folder_that_is_a_campaign_or_holds_other_things(
    campaign: Campaign, tmp_path: Path, contest_files: Files
) -> None:
    table, images = contest_files(["brighter"])
    with pytest.raises(InputError, match="is a campaign already"):
        Campaign.init(campaign.folder, table, images)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").touch()
    with pytest.raises(InputError, match="holds other things"):
        Campaign.init(tmp_path / "full", table, images)


def test_a_killed_init_can_be_run_again(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter", "darker"])
    Campaign.init(tmp_path / "c", table, images).close()
    (tmp_path / "c" / "campaign.toml").unlink()  # it is written last
    assert len(Campaign.init(tmp_path / "c", table, images).tasks) == 2


def test_a_type_filter_leaves_other_tasks_alone(campaign: Campaign) -> None:
    assert campaign.generate(types=[TaskType.DEEPFAKE]).made == 0
    assert campaign.generate(task_ids=["10"]).made == 3
    with pytest.raises(InputError, match="no task '11'"):
        campaign.generate(task_ids=["11"])


def test_the_contact_sheet_shows_every_candidate_and_the_pick(campaign: Campaign) -> None:
    whole_loop(campaign)
    page = campaign.report()
    text = page.read_text(encoding="utf-8")
    assert text.count("toy") >= 9
    assert "best of 3: estimated overall" in text


def test_a_manifest_names_everything_but_the_clock_and_the_store(campaign: Campaign, clock: Clock) -> None:
    whole_loop(campaign)
    first = campaign.export().manifest_path.read_bytes()
    clock.now += timedelta(days=3)
    assert campaign.export().manifest_path.read_bytes() == first
    content = json.loads(first)
    inputs = {"profile", "config", "contest", "program"}
    assert set(content) == {"format", "submission", "zip", *inputs, "basis", "decisions", "picks"}
    assert set(content["program"]) == {"bestshot", "git", "python", "packages", "weights"}
    assert "store" not in content["config"], "its URL may hold a password"
    assert content["basis"] == {"calibration": "prior-2", "scorers": {"technical": "toy-1"}}


def test_init_never_removes_a_database_that_holds_work(campaign: Campaign, contest_files: Files) -> None:
    campaign.generate()
    campaign.close()
    (campaign.folder / "campaign.toml").unlink()
    table, images = contest_files(["brighter"])
    with pytest.raises(InputError, match=r"database but no campaign\.toml"):
        Campaign.init(campaign.folder, table, images)
    assert (campaign.folder / "campaign.db").exists()


@pytest.mark.usefixtures("toys")
def test_a_folder_with_odd_characters_is_a_campaign_like_any_other(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    settings = {"generate": {"tie": {"toy": 1}}, "score": {"scorers": ["technical"]}}
    campaign = Campaign.init(tmp_path / "100% mine? #1 图片", table, images, **settings)
    whole_loop(campaign)
    assert campaign.submissions.verify(campaign.export().zip_path).valid


def test_a_profile_of_ones_own_is_copied_into_the_campaign(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    built_in = resources.files("selector") / "profiles" / "tianchi-532389.toml"
    own = tmp_path / "my contest.toml"
    own.write_text(built_in.read_text(encoding="utf-8").replace("per_day = 2 ", "per_day = 7 "), encoding="utf-8")
    campaign = Campaign.init(tmp_path / "c", table, images, profile=str(own))
    own.unlink()
    assert Campaign(campaign.folder).submissions.quota().allowed == 7


@pytest.mark.usefixtures("toys")
def test_an_imported_copy_of_the_source_does_not_block_the_export(tmp_path: Path, contest_files: Files) -> None:
    campaign = made_campaign(
        tmp_path, contest_files, ["please decline", "fine"], score={"scorers": ["gate", "technical"]}
    )
    (tmp_path / "finished").mkdir()
    shutil.copy(tmp_path / "imgs" / f"{0:032x}.jpg", tmp_path / "finished" / "3.jpg")
    campaign.import_folder(tmp_path / "finished")
    whole_loop(campaign)
    picks = campaign.pick()
    assert picks[0].fallback
    assert picks[0].candidate_id is not None
    exported = campaign.export(allow_fallbacks=True)
    assert exported.submission.fallbacks == 1
    assert not campaign.submissions.verify(exported.zip_path).valid, "the copy is a fallback, whoever made it"


@pytest.mark.usefixtures("toys")
def test_a_folder_that_is_called_as_a_last_resort_is_none(tmp_path: Path, contest_files: Files) -> None:
    (tmp_path / "finished").mkdir()
    (tmp_path / "finished" / "3.jpg").write_bytes(noise_jpeg(7))
    campaign = made_campaign(
        tmp_path,
        contest_files,
        ["brighter", "darker"],
        generate={"tie": {"source": 1}},
        generators={"source": {"kind": "folder", "path": str(tmp_path / "finished")}},
    )
    whole_loop(campaign)
    assert [pick.fallback for pick in campaign.pick()] == [False, True]
    assert campaign.export(allow_fallbacks=True).submission.fallbacks == 1


@pytest.mark.usefixtures("toys")
def test_picking_again_changes_no_reason_and_no_manifest(tmp_path: Path, contest_files: Files) -> None:
    campaign = made_campaign(tmp_path, contest_files, ["please decline", "fine"])
    whole_loop(campaign)
    first = campaign.export(allow_fallbacks=True).manifest_path.read_bytes()
    campaign.pick()
    assert campaign.export(allow_fallbacks=True).manifest_path.read_bytes() == first


def test_an_input_that_was_missing_for_a_while_is_no_lasting_failure(campaign: Campaign) -> None:
    task = campaign.tasks[0]
    path = campaign.folder / "inputs" / str(task.source)
    away = path.rename(campaign.folder / "away.jpg")
    assert campaign.generate().missing == 1
    assert campaign.pick()[0].candidate_id is None
    away.rename(path)
    assert campaign.generate().made == 3
    campaign.score()
    assert not campaign.pick()[0].fallback


def test_lost_image_files_are_made_again(campaign: Campaign) -> None:
    whole_loop(campaign)
    first = campaign.export().submission
    shutil.rmtree(campaign.folder / "images")
    assert campaign.lost(campaign.pick()) == 3
    summary = campaign.generate()
    assert (summary.made, summary.already) == (9, 0)
    assert campaign.export().submission == first
    assert campaign.score().values == 0, "the same bytes need no new scores"


def test_a_run_counts_only_what_it_tried(campaign: Campaign) -> None:
    campaign.generate()
    again = campaign.generate()
    assert (again.made, again.failed, again.declined, again.already) == (0, 0, 0, 9)


def test_export_refuses_images_that_were_changed_on_the_disk(campaign: Campaign) -> None:
    whole_loop(campaign)
    for path in campaign.folder.glob("images/*/*.jpg"):
        path.write_bytes(noise_jpeg(99))
    with pytest.raises(SubmissionError, match=r"task \S+ .*changed on the disk.*the same for .* more \(tasks"):
        campaign.export()
    assert not list(campaign.folder.glob("submissions/*/*.zip"))
    assert not list(campaign.submissions)


def test_a_second_export_never_replaces_the_bytes_of_a_submission(campaign: Campaign) -> None:
    whole_loop(campaign)
    exported = campaign.export()
    kept = exported.zip_path.read_bytes()
    with campaign._ws.db.write() as connection:
        connection.execute(
            update(schema.submission).values(zip_sha256="0" * 64)
        )  # as if another version had written it
    with pytest.raises(SubmissionError, match="the ZIP from then was kept"):
        campaign.export()
    assert exported.zip_path.read_bytes() == kept


def test_an_uploaded_submission_keeps_its_manifest(campaign: Campaign) -> None:
    whole_loop(campaign)
    exported = campaign.export()
    before = exported.manifest_path.read_bytes()
    campaign.record(exported.submission.id, submitted=True)
    with campaign._ws.db.write() as connection:  # the same picks for other reasons, as after a total
        connection.execute(update(schema.pick).values(reason="another reason"))
        connection.execute(update(schema.pick_set).values(basis={"calibration": "another"}))
    assert campaign.export().manifest_path.read_bytes() == before
    exported.zip_path.unlink()
    assert campaign.submissions.verify(campaign.export().zip_path).valid
    assert exported.manifest_path.read_bytes() == before


def test_exports_of_the_same_picks_at_once_all_succeed(campaign: Campaign) -> None:
    whole_loop(campaign)
    faults: list[BaseException] = []

    def export() -> None:
        try:
            with Campaign(campaign.folder) as own:
                own.export()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=export) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    (submission,) = campaign.folder.glob("submissions/*")
    assert len(list(submission.iterdir())) == 2


def test_a_tampered_zip_under_a_submissions_name_is_not_valid(campaign: Campaign) -> None:
    whole_loop(campaign)
    path = campaign.export().zip_path
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"hello"
    verdict = campaign.submissions.verify(path)
    assert not verdict.valid
    assert "not those that were exported" in verdict.problems[0]


def test_an_empty_or_foreign_database_is_no_campaign(campaign: Campaign) -> None:
    campaign.close()
    for file in campaign.folder.glob("campaign.db*"):
        file.unlink()
    (campaign.folder / "campaign.db").touch()
    with pytest.raises(InputError, match="holds no campaign"):
        Campaign(campaign.folder)


def test_another_profile_in_the_same_campaign_is_refused(campaign: Campaign) -> None:
    path = campaign.folder / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("tianchi-532389", "mini-png"), encoding="utf-8")
    with pytest.raises(InputError, match="made for the profile 'tianchi-532389'"):
        Campaign(campaign.folder)


def test_doctor_notices_an_input_that_was_replaced(campaign: Campaign) -> None:
    (campaign.folder / "inputs" / str(campaign.tasks[0].source)).write_bytes(noise_jpeg(77))
    found = {c.subject: c for c in campaign.doctor()}
    assert "changed since init" in found["input images"].text


def test_export_warns_when_candidates_came_after_the_picks(campaign: Campaign) -> None:
    whole_loop(campaign)
    assert campaign.export().warnings == ()
    campaign.generate(n=4)
    assert "3 candidates are not scored yet" in campaign.export().warnings[0]
    campaign.score()
    assert "3 tasks would be picked otherwise" in campaign.export().warnings[0]
    campaign.pick()
    assert campaign.export().warnings == ()


def test_pick_without_any_candidate_says_what_to_do(campaign: Campaign) -> None:
    with pytest.raises(InputError, match="run `bestshot generate`"):
        campaign.pick()
    assert not list(campaign.folder.glob("images/*/*"))


@pytest.mark.usefixtures("toys")
def test_a_run_names_the_tasks_that_still_have_no_candidate(tmp_path: Path, contest_files: Files) -> None:
    campaign = made_campaign(tmp_path, contest_files, ["please decline", "fine"])
    assert campaign.generate().without_candidates == ["3"]
    assert campaign.generate().without_candidates == ["3"], "also when there was nothing left to try"


def test_a_relative_place_makes_the_same_campaign_from_any_working_directory(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = campaign.folder / "campaign.toml"
    text = path.read_text(encoding="utf-8").replace("tie = { toy = 3 }", "tie = { folder = 3 }")
    path.write_text(text + '\n[generators.folder]\npath = "finished"\n', encoding="utf-8")
    (campaign.folder / "finished").mkdir()
    (campaign.folder / "finished" / "3.jpg").write_bytes(noise_jpeg(60))
    assert Campaign(campaign.folder).generate().made == 1
    monkeypatch.chdir(campaign.folder)
    again = Campaign(".").generate()
    assert (again.made, again.already) == (0, 1)


@pytest.mark.usefixtures("toys")
def test_a_task_that_a_generator_declined_is_not_planned_for_it_and_explained_with_its_reason(
    tmp_path: Path, contest_files: Files
) -> None:
    campaign = made_campaign(tmp_path, contest_files, ["please decline", "fine", "fine too"])
    whole_loop(campaign)
    wished = {w.task_id for w in campaign.plan_candidates(20)}
    assert wished and "3" not in wished
    with pytest.raises(InputError, match="toy declined: this toy does not do that"):
        campaign.explain("3")


def test_explain_names_the_file_of_an_imported_candidate(campaign: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    (folder / "3_b.jpg").write_bytes(noise_jpeg(51))
    campaign.import_folder(folder, "qwen-image")
    campaign.score()
    assert [r.file for r in campaign.explain("3").rivals if r.generator == "folder:qwen-image"] == ["3_b.jpg"]


def test_explain_shows_what_a_tool_wrote_into_an_imported_file(campaign: Campaign, tmp_path: Path) -> None:
    from click.testing import CliRunner
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from selector.cli.main import group

    folder, info = tmp_path / "finished", PngInfo()
    folder.mkdir()
    text = "a barn " + "very " * 30 + "red\nNegative prompt: fog\nSteps: 7, Sampler: Euler a, Seed: 99, Model: toyXL"
    info.add_text("parameters", text)
    with Image.open(io.BytesIO(noise_jpeg(51))) as picture:
        picture.save(folder / "3_b.png", pnginfo=info)
    (folder / "3_c.jpg").write_bytes(noise_jpeg(52))
    campaign.import_folder(folder, "toyxl")
    campaign.score()
    recorded = {r.file: r.recorded for r in campaign.explain("3").rivals if r.file}
    assert recorded["3_c.jpg"] == {}
    assert {name: recorded["3_b.png"][name] for name in ("seed", "steps", "model")} == {
        "seed": 99,
        "steps": 7,
        "model": "toyXL",
    }
    shown = CliRunner().invoke(group, ["explain", "3", "-C", str(campaign.folder)]).output
    (line,) = (line for line in shown.splitlines() if line.startswith("  3_b.png: "))
    assert "sampler Euler a" in line and "negative prompt fog" in line and "…" in line and "very red" not in line
    assert "  3_c.jpg: " not in shown


def test_the_page_warns_when_candidates_came_after_the_picks(campaign: Campaign) -> None:
    whole_loop(campaign)
    assert "candidates are not scored yet" not in campaign.report().read_text(encoding="utf-8")
    campaign.generate(n=4)
    assert "candidates are not scored yet" in campaign.report().read_text(encoding="utf-8")
