"""What `do` begins, leaves out and does again, and what it says that a person is needed for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import pytest
from conftest import Clock, ToyGenerator, noise_jpeg
from toy_services import reopened

from selector import Campaign
from selector.advice import StepKind, _making, next_steps
from selector.advice.step import Doing, Step
from selector.store.picks import newest_picks
from selector.submit._events import WITHDRAWN

Run = Callable[..., tuple[int, str, str]]


def kinds(steps: Sequence[Step]) -> list[StepKind]:
    return [step.kind for step in steps]


def done_of(doing: Doing) -> list[StepKind]:
    return kinds([one.step for one in doing.done])


def with_long_work(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """The campaign with six more images to make, of which each takes months."""
    campaign.generate()
    campaign.score()
    monkeypatch.setattr(_making, "seconds_by_generator", lambda _: {"toy": 3e6})
    return reopened(campaign, {"toy": 5})


def add_pictures(campaign: Campaign, folder: Path, seed: int) -> None:
    """One more picture a task, bright enough to be picked."""
    folder.mkdir()
    for number, task in enumerate(campaign.tasks):
        (folder / f"{task.id}.jpg").write_bytes(noise_jpeg(seed + number))
    campaign.import_folder(folder)


def test_work_that_takes_longer_than_the_day_is_left_out_and_said(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = with_long_work(campaign, monkeypatch)
    before = len(ToyGenerator.calls)
    doing = campaign.do()
    assert done_of(doing) == [StepKind.PLAN, StepKind.EXPORT] and kinds(doing.persons) == [StepKind.UPLOAD]
    (left,) = [step for step in doing.left_out if step.kind is StepKind.GENERATE]
    assert left.waits.endswith("and the day ends in about 4.0 h: say how long it may take with --hours")
    assert len(ToyGenerator.calls) == before


def test_work_that_is_too_long_for_the_hours_waits_for_an_upload_and_is_then_begun(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = with_long_work(campaign, monkeypatch)
    before = len(ToyGenerator.calls)
    doing = campaign.do(hours=1)
    assert done_of(doing) == [StepKind.PLAN, StepKind.EXPORT] and len(ToyGenerator.calls) == before
    assert "upload first" in next(step for step in doing.left_out if step.kind is StepKind.GENERATE).waits
    again = []
    while doing.person is not None and doing.person.kind is StepKind.UPLOAD:
        campaign.record(doing.person.about[0], 4.0)
        doing = campaign.do(hours=1)
        again += done_of(doing)
    assert len(ToyGenerator.calls) == before + 6 and kinds(doing.persons) == [StepKind.WAIT]
    assert again[again.index(StepKind.GENERATE) :] == [StepKind.GENERATE, StepKind.SCORE]


def test_a_plan_is_made_again_in_a_call_that_brought_new_work_after_it(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = with_long_work(campaign, monkeypatch)
    monkeypatch.setattr(next_steps, "_bounded", lambda _view, step, _is_ready: step)  # long work follows the export
    order = done_of(campaign.do())
    assert order[:4] == [StepKind.PLAN, StepKind.EXPORT, StepKind.GENERATE, StepKind.SCORE]
    assert StepKind.PLAN in order[4:]


def test_without_hours_the_work_ends_with_the_day(campaign: Campaign, clock: Clock) -> None:
    clock.now = datetime(2025, 7, 1, 15, 59, 59, 999_900, timezone.utc)
    doing = campaign.do()
    assert "the time is up" in doing.ended and done_of(doing) == [StepKind.GENERATE]


def test_a_file_that_is_ready_is_named_though_totals_are_to_come(campaign: Campaign, tmp_path: Path, run: Run) -> None:
    first = campaign.do().person
    assert first is not None
    campaign.record(first.about[0], submitted=True)
    add_pictures(campaign, tmp_path / "more", 500)
    campaign.score()
    campaign.pick()
    second = campaign.export().submission.id
    assert [step.about for step in campaign.do().persons] == [(second,), (first.about[0],)]
    shown = run("next", "-C", campaign.folder, "--do")[1]
    assert shown.index(f"record {second} --submitted") < shown.index(f"record {first.about[0]} --score TOTAL")
    campaign.record(second, submitted=True)
    persons = campaign.do().persons
    assert [step.about[0] for step in persons[:2]] == [first.about[0], second], "two totals are to come"
    assert kinds(persons)[:2] == [StepKind.RECORD, StepKind.RECORD]


def test_what_was_withdrawn_is_not_exported_again_unasked(campaign: Campaign) -> None:
    upload = campaign.do().person
    assert upload is not None
    campaign.submissions.withdraw(upload.about[0], "a face is wrong")
    doing = campaign.do()
    assert doing.done == () and doing.person is not None and doing.person.kind is StepKind.WAIT
    assert f"submission {upload.about[0]}, which was withdrawn: a face is wrong;" in doing.person.words
    assert [one.state for one in campaign.submissions] == [WITHDRAWN]


def test_where_people_excluded_all_that_is_said(campaign: Campaign) -> None:
    campaign.generate()
    campaign.score()
    campaign.decisions.exclude("nothing of it is usable", generator="toy")
    (wait,) = [step for step in campaign.next() if step.kind is StepKind.WAIT]
    assert "people excluded 9 of 9" in wait.words
    assert campaign.do().person == wait


def test_to_look_at_the_best_known_picks_stores_nothing(campaign: Campaign) -> None:
    campaign.generate()
    campaign.score()
    best = campaign.best_known()
    with campaign._ws.db.read() as connection:
        assert newest_picks(connection) is None
    assert [pick.candidate_id for pick in best] == [pick.candidate_id for pick in campaign.pick()]
