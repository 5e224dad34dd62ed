"""What is made where people excluded something: nothing of who is excluded, and others where nothing is left."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Clock, Run, ToyGenerator, noise_jpeg
from decided_campaigns import TASK, exclude_all, of_task
from toy_services import Files

from selector import Campaign
from selector.domain import InputError, SubmissionError


@pytest.fixture
def scored(campaign: Campaign) -> Campaign:
    """Three tasks of three candidates, all measured."""
    campaign.generate()
    campaign.score()
    return campaign


def test_a_task_that_is_left_empty_has_its_fallback_until_generate_refills_it(scored: Campaign, clock: Clock) -> None:
    scored.pick()
    exclude_all(scored)
    with pytest.raises(SubmissionError, match="1 of 3 tasks have only a fallback: 3"):
        scored.export()
    assert scored.export(allow_fallbacks=True).submission.fallbacks == 1
    clock.now += timedelta(minutes=1)
    estimate = scored.estimate()
    assert (estimate.generators["toy"].to_make, estimate.refilled) == (3, [TASK])
    summary = scored.generate()
    assert (summary.made, summary.refilled) == (3, [TASK])
    scored.score()
    exported = scored.export()
    assert [(one.task_id, one.reason) for one in exported.replaced] == [(TASK, "in place of the fallback")]
    again = scored.generate()
    assert (again.made, again.refilled) == (0, [])
    clock.now += timedelta(minutes=1)
    assert scored.generate().made == 0


def test_a_refill_that_was_interrupted_is_completed_by_the_next_run(
    scored: Campaign, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    exclude_all(scored)
    clock.now += timedelta(minutes=1)
    make, left = ToyGenerator.generate, [1]

    def once(self: ToyGenerator, inputs: object, recipe: object) -> object:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return make(self, inputs, recipe)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ToyGenerator, "generate", once)
        with pytest.raises(KeyboardInterrupt):
            scored.generate()
    assert len(of_task(scored)) == 4
    assert scored.generate().made == 2
    assert scored.generate().made == 0


def test_a_refill_that_gives_the_same_bytes_asks_for_no_more(
    scored: Campaign, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    exclude_all(scored)
    clock.now += timedelta(minutes=1)
    make = ToyGenerator.generate

    def same(self: ToyGenerator, inputs: object, _: object) -> object:
        first = ToyGenerator.recipes(self, inputs, 1, 0)[0]  # type: ignore[arg-type]
        return make(self, inputs, first)  # type: ignore[arg-type]

    monkeypatch.setattr(ToyGenerator, "generate", same)
    assert scored.generate().made == 3
    again = scored.generate()
    assert (again.made, again.refilled) == (0, [TASK])


def test_an_excluded_generator_is_asked_for_nothing(campaign: Campaign, run: Run) -> None:
    campaign.decisions.exclude("blurred", generator="toy", task=TASK, by="ann")
    summary = campaign.generate()
    assert summary.not_asked == {"toy: excluded by ann: blurred": 1}
    assert {task for task, _ in ToyGenerator.calls} == {"10", "17"}
    campaign.decisions.exclude("all blurred", generator="toy", by="ann")
    estimate = campaign.estimate()
    assert (estimate.generators, estimate.not_asked) == ({}, {"toy: excluded by ann: all blurred": 3})
    assert campaign.generate().made == 0
    code, out, _ = run("generate", "-C", campaign.folder, "--dry-run")
    assert code == 0 and "not asked for 3 tasks: toy: excluded by ann: all blurred" in out
    with pytest.raises(InputError, match="`bestshot include --generator toy` before it is asked"):
        campaign.generate(generators=["toy"])
    campaign.decisions.include(generator="toy")
    campaign.decisions.include(generator="toy", task=TASK)
    assert campaign.generate().made == 3


def test_no_generator_that_is_excluded_is_proposed(scored: Campaign) -> None:
    assert scored.plan_candidates(5)
    scored.decisions.exclude("blurred", generator="toy", task=TASK)
    assert TASK not in {wish.task_id for wish in scored.plan_candidates(9)}
    assert {wish.task_id for wish in scored.plan_candidates(9)} == {"10", "17"}


def test_an_excluded_label_is_not_imported_again(scored: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    (folder / f"{TASK}.jpg").write_bytes(noise_jpeg(77))
    scored.import_folder(folder, "painter")
    scored.decisions.exclude("another contest's", generator="folder:painter", by="ann")
    with pytest.raises(InputError, match="excluded by ann: another contest's; `bestshot include --label painter`"):
        scored.import_folder(folder, "painter")
    assert scored.import_folder(folder, "another").already == 0


def test_the_same_picture_by_another_label_is_another_generators_too(scored: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    (folder / f"{TASK}.jpg").write_bytes(noise_jpeg(77))
    scored.import_folder(folder, "painter")
    (made,) = (r.candidate_id for r in scored.explain(TASK).rivals if r.generator == "folder:painter")
    scored.decisions.exclude("wrong folder", generator="folder:painter")
    assert _reason(scored, made).startswith("excluded by")
    scored.import_folder(folder, "again")
    assert not _reason(scored, made).startswith("excluded by")


def _reason(campaign: Campaign, candidate_id: str) -> str:
    return next(r.excluded or "" for r in campaign.explain(TASK).rivals if r.candidate_id == candidate_id)


@pytest.mark.usefixtures("toys")
def test_where_only_a_reserve_is_left_it_is_asked_for_as_many(
    tmp_path: Path, contest_files: Files, clock: Clock
) -> None:
    table, images = contest_files(["brighter", "brighter"])
    plan = {"generate": {"tie": {"toy": 2, "retouch": {"reserve": True}}}, "score": {"scorers": ["technical"]}}
    campaign = Campaign.init(tmp_path / "campaign", table, images, clock=clock, **plan)
    assert campaign.generate().made == 4
    campaign.decisions.exclude("blurred", generator="toy", by="ann")
    campaign.decisions.include(generator="toy")
    assert campaign.generate().made == 0
    campaign.decisions.exclude("blurred", generator="toy", task=TASK, by="ann")
    clock.now += timedelta(minutes=1)
    summary = campaign.generate()
    assert (summary.made, summary.refilled) == (2, [TASK])
    assert campaign.generate().made == 0
