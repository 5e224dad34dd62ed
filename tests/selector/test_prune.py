"""``prune``: what goes, what stays, what still counts, and a kill between the row and the bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import pytest
from conftest import Clock, Run, ToyGenerator

from selector import Campaign, prune
from selector.domain import InputError, SubmissionError
from selector.store.candidates import load_candidates
from selector.store.pruned import load_gone

Files = Callable[[Sequence[str]], tuple[Path, Path]]


def whole_loop(campaign: Campaign) -> None:
    campaign.generate()
    campaign.score()
    campaign.pick()


def ids_of(campaign: Campaign, task: str) -> list[str]:
    with campaign._ws.db.read() as connection:
        return [one.id for one in load_candidates(connection, task)]


def files_of(campaign: Campaign) -> set[str]:
    return {path.stem for path in (campaign.folder / "images").rglob("*.jpg")}


def picks_of(campaign: Campaign) -> dict[str, str | None]:
    return {pick.task_id: pick.candidate_id for pick in campaign.pick()}


def test_without_options_it_says_what_lies_there_and_changes_nothing(campaign: Campaign) -> None:
    whole_loop(campaign)
    before = files_of(campaign)
    found = campaign.prune()
    assert [(one.generator, one.pictures) for one in found.holds] == [("toy", 9)]
    size = sum(path.stat().st_size for path in (campaign.folder / "images").rglob("*.jpg"))
    assert sum(one.bytes for one in found.holds) == size
    assert (found.spare, found.chosen, found.to_make, found.deleted) == (6, 0, 0, False)
    assert 0 < found.spare_bytes < size
    assert found.beside["inputs/"] > 0
    assert files_of(campaign) == before


def test_losers_go_and_what_was_learned_of_them_stays(campaign: Campaign) -> None:
    whole_loop(campaign)
    picked = picks_of(campaign)
    scores = campaign.scores()
    assert campaign.prune(losers=True).chosen == 6
    assert len(files_of(campaign)) == 9
    done = campaign.prune(losers=True, delete=True, reason="  the disk\n is full ", by="Ann")
    assert (done.chosen, done.deleted, done.gone, done.unfinished, done.spare) == (6, True, 6, 0, 0)
    assert files_of(campaign) == set(picked.values())
    with campaign._ws.db.read() as connection:
        assert {gone.words for gone in load_gone(connection).values()} == {"deleted by Ann: the disk is full"}
    kept = campaign.scores()
    columns = [name for name in kept.columns if name.startswith("technical.")]
    assert columns
    assert kept[columns].equals(scores[columns])
    assert picks_of(campaign) == picked
    excluded = campaign._context().need().pool.excluded
    assert sorted(excluded) == [""] * 3 + ["deleted by Ann: the disk is full"] * 6
    assert campaign.export().submission.id


def test_what_was_deleted_is_not_made_measured_or_counted_as_missing(campaign: Campaign) -> None:
    whole_loop(campaign)
    campaign.prune(losers=True, delete=True, reason="full")
    made = list(ToyGenerator.calls)
    campaign.generate()
    assert campaign.score().candidates == 0
    status = campaign.status()
    assert ToyGenerator.calls == made
    assert status.to_make is not None
    assert sum(one.to_make for one in status.to_make.generators.values()) == 0
    assert status.deleted == 6
    assert all(check.ok for check in campaign.doctor() if check.subject in ("candidates", "input images"))
    campaign.report()


def test_the_best_stay_and_so_does_what_is_needed(campaign: Campaign) -> None:
    whole_loop(campaign)
    campaign.export()
    picked = picks_of(campaign)
    worst, *_ = (one for one in ids_of(campaign, "3") if one != picked["3"])
    campaign.decisions.note("remember this one", "3", worst)
    campaign.decisions.note("and this", "10", next(one for one in ids_of(campaign, "10") if one != picked["10"]))
    assert campaign.prune(keep=2).chosen <= 3
    found = campaign.prune(keep=0)
    assert (found.chosen, found.stays) == (4, 5)
    only = campaign.prune(tasks=["3"], delete=True, reason="full")
    assert (only.chosen, only.stays) == (1, 2)
    assert len(files_of(campaign)) == 8


def test_a_named_picture_goes_whatever_needs_it_and_the_loss_is_told(campaign: Campaign) -> None:
    whole_loop(campaign)
    exported = campaign.export()
    picked = str(picks_of(campaign)["3"])
    dry = campaign.prune(pictures=picked[:8])
    assert any(exported.submission.id in line and "cannot be written again" in line for line in dry.warnings)
    campaign.prune(pictures=[picked[:8]], delete=True, reason="not ours")
    assert picked not in files_of(campaign)
    assert campaign.submissions.verify(exported.zip_path).valid
    assert picks_of(campaign)["3"] not in (picked, None)


def exported_one_by_one(campaign: Campaign) -> list[str]:
    """Ids of submissions that hold the task 3's candidates one after the other, and the last of them once more."""
    found = []
    for n in range(3):
        if n:
            campaign.decisions.exclude("for now", task="3", candidate=str(picks_of(campaign)["3"]))
            campaign.pick()
        found.append(campaign.export().submission.id)
    campaign.decisions.exclude("for now", task="10", candidate=str(picks_of(campaign)["10"]))
    campaign.pick()
    return [*found, campaign.export().submission.id]


def zips_named(lines: Sequence[str]) -> set[str]:
    return {line.split("/")[1] for line in lines if "delete it yourself" in line}


def test_every_zip_that_holds_a_named_picture_is_named_until_it_is_deleted(campaign: Campaign, run: Run) -> None:
    whole_loop(campaign)
    *firsts, last, again = exported_one_by_one(campaign)
    campaign.record(last, None, submitted=True)
    shared = str(campaign.submissions.picks(last)[0].candidate_id)
    assert campaign.submissions.picks(again)[0].candidate_id == shared
    assert zips_named(campaign.prune(pictures=shared).warnings) == {last, again}
    everyone = {*firsts, last, again}
    for n in range(2):
        found = campaign.prune(person_of="3", delete=True, reason="withdrew consent")
        assert zips_named(found.warnings) == everyone
        lost = {line.split()[4] for line in found.warnings if "cannot be written again" in line}
        assert lost == (everyone if n == 0 else set()), "what is gone is no news"
    said = run("prune", "-C", campaign.folder, "--person-of", "3")[1]
    assert all(f"submissions/{one}/" in said for one in everyone)
    written = json.loads(run("prune", "-C", campaign.folder, "--picture", shared, "--json")[1])
    assert zips_named(written["warnings"]) == {last, again}
    for path in (campaign.folder / "submissions" / last).glob("*.zip"):
        path.unlink()
    assert zips_named(campaign.prune(pictures=shared).warnings) == {again}
    assert zips_named(campaign.prune().warnings) == everyone - {last}, "what another folder or run deleted"
    assert not zips_named(campaign.prune(losers=True).warnings)


def test_a_zip_that_the_ledger_does_not_know_is_looked_into(campaign: Campaign) -> None:
    whole_loop(campaign)
    exported = campaign.export()
    stray = campaign.folder / "submissions" / "stray"
    stray.mkdir()
    (stray / "half.zip").write_bytes(exported.zip_path.read_bytes()[:-60])
    (stray / "whole.zip").write_bytes(exported.zip_path.read_bytes())
    found = campaign.prune(person_of="3", delete=True, reason="withdrew consent").warnings
    assert any(line.startswith("submissions/stray/whole.zip still holds") for line in found)
    other = next(one for one in ids_of(campaign, "10") if one not in picks_of(campaign).values())
    assert not zips_named(campaign.prune(pictures=other).warnings)


@pytest.mark.usefixtures("toys")
def test_a_pin_does_not_bring_a_deleted_picture_back(tmp_path: Path, contest_files: Files, clock: Clock) -> None:
    text = (resources.files("selector") / "profiles" / "tianchi-532389.toml").read_text("utf-8")
    profile = tmp_path / "own.toml"
    profile.write_text(text.replace('decisions = "exclusions"', 'decisions = "exclusions_and_pins"'), "utf-8")
    table, images = contest_files(["brighter"])
    plan = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}}
    campaign = Campaign.init(tmp_path / "pins", table, images, profile=str(profile), clock=clock, **plan)
    whole_loop(campaign)
    first, second = (one for one in ids_of(campaign, "3") if one not in picks_of(campaign).values())
    campaign.decisions.pin("3", first, reason="the text is right")
    assert campaign.prune(losers=True).chosen == 1
    campaign.prune(pictures=first, delete=True, reason="not ours", by="Ann")
    assert picks_of(campaign)["3"] not in (first, None)
    with pytest.raises(InputError, match="was deleted by Ann"):
        campaign.decisions.pin("3", first, reason="but I like it")
    assert second in files_of(campaign)


def test_picks_that_were_deleted_since_are_told_at_export(campaign: Campaign) -> None:
    whole_loop(campaign)
    picked = next(p.candidate_id for p in campaign.pick() if p.task_id == "3")
    campaign.prune(pictures=str(picked), delete=True, reason="not ours", by="Ann")
    with pytest.raises(SubmissionError, match="deleted by Ann: not ours"):
        campaign.export()


def test_an_input_picture_goes_with_everything_that_was_made_from_it(campaign: Campaign) -> None:
    whole_loop(campaign)
    campaign.report()
    task = campaign.tasks[0]
    mine = set(ids_of(campaign, task.id))
    found = campaign.prune(person_of=task.id, delete=True, reason="she asked for it", by="Ann")
    assert task.source in found.inputs
    assert not (campaign.folder / "inputs" / str(task.source)).exists()
    assert not mine & files_of(campaign)
    left = {path.parent.name + path.stem for path in (campaign.folder / "report" / "thumbs").rglob("*.jpg")}
    assert not {one[:34] for one in mine} & {name[:34] for name in left}
    assert next(check for check in campaign.doctor() if check.subject == "input images").ok
    campaign.generate()
    campaign.score()
    campaign.status()
    assert not mine & files_of(campaign)
    assert campaign.prune(pictures=f"inputs/{task.source}").inputs == ()


def test_a_kill_between_row_and_bytes_is_completed_by_the_next_run(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_loop(campaign)
    picked = set(picks_of(campaign).values())
    with monkeypatch.context() as patched:
        patched.setattr(prune, "_remove", lambda *_: None)
        campaign.prune(losers=True, delete=True, reason="full")
    assert len(files_of(campaign)) == 9
    assert campaign.prune().unfinished == 6
    assert set(picks_of(campaign).values()) == picked
    done = campaign.prune(losers=True, delete=True, reason="full")
    assert (done.chosen, done.unfinished) == (0, 0)
    assert files_of(campaign) == picked


def test_bytes_that_are_imported_again_lie_there_again(campaign: Campaign, tmp_path: Path) -> None:
    whole_loop(campaign)
    lost = next(one for one in ids_of(campaign, "3") if one not in picks_of(campaign).values())
    bytes_ = campaign._ws.images.picture(lost).data
    campaign.prune(losers=True, delete=True, reason="full")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "3.jpg").write_bytes(bytes_)
    for _ in range(2):
        campaign.import_folder(tmp_path / "again", "again")
        known = ids_of(campaign, "3")
        back = [one for one in known if (campaign.folder / "images" / one[:2] / f"{one}.jpg").exists()]
        assert len(back) == 2
        gone = campaign.prune(tasks=["3"], delete=True, reason="full")
        assert gone.chosen == 1
    with campaign._ws.db.read() as connection:
        assert lost in load_gone(connection)


def test_deleting_needs_a_reason_and_known_names(campaign: Campaign) -> None:
    whole_loop(campaign)
    with pytest.raises(InputError, match="--reason"):
        campaign.prune(losers=True, delete=True)
    with pytest.raises(InputError, match="there is no input picture"):
        campaign.prune(pictures="inputs/nobody.jpg")
    with pytest.raises(InputError, match="there is no task"):
        campaign.prune(tasks="99")
    assert len(files_of(campaign)) == 9


def test_the_verb_tells_what_it_would_do(campaign: Campaign, run: Run) -> None:
    whole_loop(campaign)
    code, said, _ = run("prune", "-C", campaign.folder, "--losers")
    assert code == 0
    assert "would be deleted: 6 pictures" in said
    assert "nothing was changed" in said
    code, said, _ = run("prune", "-C", campaign.folder, "--losers", "--delete", "--reason", "full")
    assert (code, "deleted now: 6 pictures" in said) == (0, True)


@pytest.mark.usefixtures("toys")
def test_where_others_have_images_only_what_is_named_goes(tmp_path: Path, contest_files: Files, clock: Clock) -> None:
    table, images = contest_files(["brighter", "much brighter"])
    settings = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}}
    shared = {"store": {"images": "../shared"}}
    one, two = (
        Campaign.init(tmp_path / team, table, images, clock=clock, team=team, **settings, **shared)
        for team in ("one", "two")
    )
    one.generate()
    two.generate()
    with pytest.raises(InputError, match="1 other campaign has images"):
        one.prune(losers=True, delete=True, reason="full")
    found = one.prune(pictures=ids_of(one, one.tasks[0].id)[0], delete=True, reason="full")
    assert any("1 other campaign" in line for line in found.warnings)


def test_it_works_on_postgresql(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Files,
    clock: Clock,
    postgresql_url: str,
) -> None:
    table, images = contest_files(["brighter"])
    plan = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}, "store": {"url": postgresql_url}}
    with Campaign.init(tmp_path / "team", table, images, clock=clock, **plan) as campaign:
        whole_loop(campaign)
        assert campaign.prune(losers=True, delete=True, reason="full", by="Ann").chosen == 2
        assert campaign.prune().gone == 2
        assert campaign.status().deleted == 2
        assert len(files_of(campaign)) == 1


def test_a_task_that_lost_its_input_picture_gets_the_grey_fallback_and_takes_an_import(
    campaign: Campaign, tmp_path: Path, run: Run
) -> None:
    whole_loop(campaign)
    task = campaign.tasks[0]
    kept = campaign._ws.images.picture(ids_of(campaign, campaign.tasks[1].id)[0]).data
    assert any(
        line.startswith("1 task loses its input picture (") for line in campaign.prune(person_of=task.id).warnings
    )
    campaign.prune(person_of=task.id, delete=True, reason="she asked", by="Ann")
    for estimate in (campaign.status().to_make, campaign.estimate()):
        assert not isinstance(estimate, str)
        assert estimate is not None
        assert sum(one.to_make + one.falling for one in estimate.generators.values()) == 0
        assert estimate.not_asked == {"toy: its input picture was deleted by Ann: she asked": 1}
    assert task.id not in {wish.task_id for wish in campaign.plan_generating(20).wishes}
    for _ in range(2):  # the second deletion of the same person leaves the grey picture
        pick = campaign.pick()[0]
        assert (pick.task_id, pick.fallback, pick.candidate_id is not None) == (task.id, True, True)
        assert campaign.export(allow_fallbacks=True).submission.fallbacks == 1
        campaign.prune(person_of=task.id, delete=True, reason="again", by="Ann")
    (tmp_path / "hand").mkdir()
    (tmp_path / "hand" / f"{task.id}.jpg").write_bytes(kept)
    assert campaign.import_folder(tmp_path / "hand", "hand").new == 1
    campaign.score()
    assert not campaign.pick()[0].fallback
    assert run("next", "-C", campaign.folder)[0] == 0


def test_counts_agree_and_options_that_do_nothing_are_refused(campaign: Campaign, run: Run) -> None:
    whole_loop(campaign)
    task, at = campaign.tasks[0].id, ("-C", campaign.folder)
    for wrong in (("--delete",), ("--delete", "--reason", "full"), ("--losers", "--reason", "full")):
        code, _, said = run("prune", *at, *wrong)
        assert (code, "nothing is chosen" in said or "with --delete only" in said) == (2, True)
    said = run("prune", *at, "--person-of", task, "--delete", "--reason", "asked")[1]
    assert "deleted now: 3 pictures and 1 input picture" in said
    assert "deleted so far: 3 pictures of candidates" in said
    assert "deleted so far: 1 input picture" in said
    said = run("status", *at)[1]
    assert "of the candidates 3 deleted" in said
    assert "1 input picture deleted" in said
