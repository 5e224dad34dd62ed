"""What a manifest tells of decisions, and the same ZIP from it in a copy of the campaign."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Clock, Run
from decided_campaigns import TASK, exclude_all, of_task
from toy_services import Files

from selector import Campaign
from selector.domain import InputError, SubmissionError
from selector.store import schema


@pytest.fixture
def scored(campaign: Campaign) -> Campaign:
    """Three tasks of three candidates, all measured."""
    campaign.generate()
    campaign.score()
    return campaign


def test_the_manifest_tells_what_was_decided_and_by_whom(scored: Campaign, clock: Clock) -> None:
    best, second, _ = of_task(scored)
    scored.decisions.exclude("six fingers", best, by="ann")
    scored.decisions.include("five", best, by="bob")
    scored.decisions.exclude("blurred", second, by="ann")
    scored.decisions.note("look again", TASK, by="ann")
    scored.pick()
    exported = scored.export()
    told = json.loads(exported.manifest_path.read_text())["decisions"]
    assert told["rule"] == "exclusions" and told["pinned"] == []
    at = "2025-07-01T12:00:00.000+00:00"
    assert told["excluded"] == [{"task": TASK, "candidate": second, "reason": "blurred", "by": "ann", "at": at}]
    assert [d["kind"] for d in told["history"]] == ["exclude", "include", "exclude", "note"]
    before = exported.manifest_path.read_bytes()
    exported.manifest_path.unlink()
    clock.now += timedelta(days=1)
    scored.decisions.note("later", TASK)
    assert scored.export().manifest_path.read_bytes() == before, "what came later is no part of these picks"


@pytest.fixture
def decided(scored: Campaign) -> Campaign:
    """With an exclusion, and exported; its newest picks hold a fallback."""
    scored.decisions.exclude("six fingers", of_task(scored, "10")[0], by="ann")
    exclude_all(scored)
    scored.pick()
    scored.export(allow_fallbacks=True)
    return scored


def copied(campaign: Campaign, folder: Path) -> Path:
    """The folder of a copy without its submissions."""
    shutil.copytree(campaign.folder, folder, ignore=shutil.ignore_patterns("submissions"))
    return folder


def test_the_manifest_alone_makes_the_same_zip_in_a_copy(decided: Campaign, tmp_path: Path, run: Run) -> None:
    (submission,) = decided.submissions
    manifest = decided.folder / "submissions" / submission.id / "manifest.json"
    decided.close()
    with Campaign(copied(decided, tmp_path / "copy")) as copy:
        made = copy.submissions.reproduce(manifest)
        assert made.submission.zip_sha256 == submission.zip_sha256
        assert made.manifest_path.read_bytes() == manifest.read_bytes()
        assert [s.id for s in copy.submissions] == [submission.id]
    code, out, _ = run("export", "-C", tmp_path / "copy", "--from-manifest", manifest)
    assert code == 0 and out.startswith(f"submission {submission.id}: 3 images, 1 of them a fallback")


def test_a_copy_that_knows_none_of_the_candidates_makes_it_too(
    decided: Campaign, tmp_path: Path, contest_files: Files, clock: Clock
) -> None:
    """A new campaign from the same table and pictures, with nothing but the folder of images."""
    (submission,) = decided.submissions
    manifest = decided.folder / "submissions" / submission.id / "manifest.json"
    table, images = contest_files(["brighter", "把图片变亮", "much brighter"])
    plan = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}}
    new = Campaign.init(tmp_path / "new", table, images, clock=clock, **plan)
    with pytest.raises(SubmissionError, match=r"picked for task 3 cannot be exported: images/.* is missing"):
        new.submissions.reproduce(manifest)
    assert len(new.submissions) == 0
    shutil.copytree(decided.folder / "images", new.folder / "images", dirs_exist_ok=True)
    for _ in range(2):
        made = new.submissions.reproduce(manifest)
    assert made.submission.zip_sha256 == submission.zip_sha256
    assert len(new.submissions) == 1
    assert new.submissions.verify(made.zip_path, allow_fallbacks=True).warnings != ()
    assert new.submissions.verify(made.zip_path, allow_fallbacks=True).valid
    new.score()
    assert {r.generator for r in new.explain("10").rivals} == {"toy"}
    new.record(submission.id, 4.0)
    assert new.submissions.best_total == 4.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["profile"].update(hash="0"), "another version of the profile 'tianchi-532389'"),
        (lambda m: m["profile"].update(name="other"), "is of the profile 'other'"),
        (lambda m: m["contest"].update(table="0"), "made from another task table"),
        (lambda m: m["contest"].update(inputs="0"), "made from another set of input pictures"),
        (lambda m: m["zip"].update(name="x.zip"), "set `team`"),
        (lambda m: m["picks"].pop(), "does not pick exactly the tasks"),
        (lambda m: m["picks"][0].update(candidate="../../x"), "key 'picks.0.candidate'"),
        (lambda m: m["picks"][0].update(candidate="0" * 64), "was changed: its picks are submission"),
        (lambda m: m.update(format=99), "upgrade bestshot"),
        (lambda m: m.pop("picks"), "is no manifest"),
        (lambda m: m["zip"].update(sha256="0" * 64), "with other bytes"),
    ],
)
def test_a_manifest_that_is_not_of_this_contest_or_was_changed_is_refused(
    decided: Campaign, tmp_path: Path, change: object, message: str
) -> None:
    (submission,) = decided.submissions
    content = json.loads((decided.folder / "submissions" / submission.id / "manifest.json").read_text())
    change(content)  # type: ignore[operator]
    other = tmp_path / "manifest.json"
    other.write_text(json.dumps(content))
    known = submission if message == "with other bytes" else None
    if known:  # where the ledger knows it, its own hash is what counts
        with decided._ws.db.write() as connection:
            connection.execute(schema.submission.delete())
        (decided.folder / "submissions" / submission.id / submission.zip_name).unlink()
    with pytest.raises((InputError, SubmissionError)) as told:
        decided.submissions.reproduce(other)
    assert message in str(told.value) and "\n" not in str(told.value)
