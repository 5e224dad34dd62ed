"""Quota and ledger: the third of a day is refused, totals may come late, nothing recorded is lost."""

from __future__ import annotations

import multiprocessing
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from conftest import Clock

from selector import Campaign
from selector.domain import BestshotError, InputError, QuotaExceeded, SubmissionError, TaskType
from selector.store.observations import load_pending


@pytest.fixture
def exported(campaign: Campaign) -> list[str]:
    """Ids of three different submissions."""
    ids = []
    for n in (1, 2, 3):
        campaign.generate(n=n)
        campaign.score()
        campaign.pick()
        ids.append(campaign.export().submission.id)
    assert len(set(ids)) == 3
    return ids


def test_third_submission_of_a_day_is_refused(campaign: Campaign, exported: list[str]) -> None:
    campaign.record(exported[0], submitted=True)
    campaign.record(exported[1], submitted=True)
    assert campaign.submissions.quota().left == 0
    with pytest.raises(QuotaExceeded, match="2 submissions of 2025-07-01 are used up"):
        campaign.record(exported[2], submitted=True)


def test_the_day_turns_at_midnight_in_shanghai(campaign: Campaign, exported: list[str], clock: Clock) -> None:
    clock.now = datetime(2025, 7, 1, 15, 59, 59, tzinfo=timezone.utc)
    campaign.record(exported[0], submitted=True)
    campaign.record(exported[1], submitted=True)
    clock.now += timedelta(seconds=1)
    assert campaign.submissions.quota().day == date(2025, 7, 2)
    assert campaign.record(exported[2], submitted=True).day == "2025-07-02"


def test_a_total_may_come_late_and_notes_the_upload(campaign: Campaign, exported: list[str], clock: Clock) -> None:
    clock.now += timedelta(days=3)
    entry = campaign.record(exported[0], 1.63, on=date(2025, 7, 2))
    assert (entry.state, entry.day, entry.total) == ("scored", "2025-07-02", 1.63)
    assert campaign.submissions.quota().left == 2


def test_an_upload_before_the_export_is_refused(campaign: Campaign, exported: list[str]) -> None:
    with pytest.raises(InputError, match="was exported on 2025-07-01"):
        campaign.record(exported[0], 1.63, on=date(2025, 6, 30))


def test_a_second_total_needs_a_reason_and_the_first_is_kept(campaign: Campaign, exported: list[str]) -> None:
    campaign.record(exported[0], 1.63)
    with pytest.raises(InputError, match="give --reason"):
        campaign.record(exported[0], 1.36)
    entry = campaign.record(exported[0], 1.36, reason="digits swapped")
    assert (entry.total, entry.corrections) == (1.36, 1)


def test_a_total_recorded_twice_says_so_and_adds_nothing(campaign: Campaign, exported: list[str]) -> None:
    assert not campaign.record(exported[0], 1.63).already_done
    for reason in (None, "to be sure"):
        assert campaign.record(exported[0], 1.63, reason=reason).already_done
    assert next(iter(campaign.submissions)).corrections == 0
    with pytest.raises(SubmissionError, match="was submitted on 2025-07-01, not on 2025-06-30"):
        campaign.record(exported[0], 1.63, on=date(2025, 6, 30))


def test_totals_by_type_may_come_alone_with_the_total_or_after_it(campaign: Campaign, exported: list[str]) -> None:
    alone = campaign.record(exported[0], types={"tie": 1.6})
    assert (alone.state, alone.total, alone.type_totals) == ("submitted", None, {"tie": 1.6})
    both = campaign.record(exported[1], 1.63, types={TaskType.TIE: 1.62})
    assert (both.state, both.total, both.type_totals) == ("scored", 1.63, {"tie": 1.62})
    after = campaign.record(exported[0], 1.61, types={"tie": 1.6})
    assert (after.state, after.total, after.type_totals, after.corrections) == ("scored", 1.61, {"tie": 1.6}, 0)


def test_a_corrected_total_by_type_needs_a_reason(campaign: Campaign, exported: list[str]) -> None:
    campaign.record(exported[0], types={"tie": 1.6})
    with pytest.raises(InputError, match=r"has the tie total 1\.6 already: give --reason to correct it to 1\.7"):
        campaign.record(exported[0], types={"tie": 1.7})
    assert campaign.record(exported[0], types={"tie": 1.7}, reason="misread").type_totals == {"tie": 1.7}


def test_a_type_without_tasks_or_out_of_range_is_refused_and_takes_no_slot(
    campaign: Campaign, exported: list[str]
) -> None:
    with pytest.raises(InputError, match="no deepfake task"):
        campaign.record(exported[0], 1.6, types={"deepfake": 1.6})
    with pytest.raises(InputError, match="total of tie lies between 0 and 10, got 11"):
        campaign.record(exported[0], types={"tie": 11})
    with pytest.raises(InputError, match=r"no task type 'tei' \(did you mean"):
        campaign.record(exported[0], types={"tei": 1})
    with pytest.raises(InputError, match=r"give 2\.00 over all tasks, not 1\.6"):
        campaign.record(exported[0], 1.6, types={"tie": 2.0})
    assert (campaign.submissions.quota().used, next(iter(campaign.submissions)).state) == (0, "exported")


@pytest.mark.parametrize("total", [-0.1, 10.01, float("nan"), float("inf")])
def test_a_total_out_of_range_is_refused(campaign: Campaign, exported: list[str], total: float) -> None:
    with pytest.raises(InputError, match="between 0 and 10"):
        campaign.record(exported[0], total)


def test_an_unknown_submission_is_named(campaign: Campaign, exported: list[str]) -> None:
    with pytest.raises(InputError, match="no submission 'zzz'"):
        campaign.record("zzz", 1.0)
    assert campaign.record(exported[0][:5], 1.0).id == exported[0], "a unique beginning is enough"


def test_an_upload_that_is_noted_twice_takes_one_slot_and_cannot_be_withdrawn(
    campaign: Campaign, exported: list[str]
) -> None:
    assert not campaign.record(exported[0], submitted=True).already_done
    assert campaign.record(exported[0], submitted=True).already_done
    assert campaign.record(exported[0], on=date(2025, 7, 1), submitted=True).already_done
    assert campaign.submissions.quota().used == 1
    with pytest.raises(SubmissionError, match="was submitted on 2025-07-01, not on 2025-06-30"):
        campaign.record(exported[0], on=date(2025, 6, 30), submitted=True)
    campaign.record(exported[0], 1.2)
    with pytest.raises(SubmissionError, match="has a total: what was scored cannot be withdrawn"):
        campaign.submissions.withdraw(exported[0], "changed my mind")
    with pytest.raises(SubmissionError, match="has a total"):
        campaign.submissions.withdraw(exported[0], "")


def test_a_wrong_day_is_corrected_with_a_reason_and_its_slot_is_free_again(
    campaign: Campaign, exported: list[str], clock: Clock
) -> None:
    first, second, third = exported
    clock.now += timedelta(days=1)
    for submission in (first, second):
        campaign.record(submission, submitted=True)
    yesterday = date(2025, 7, 1)
    with pytest.raises(SubmissionError, match="give --reason to correct the day"):
        campaign.record(first, on=yesterday, submitted=True)
    moved = campaign.record(first, on=yesterday, submitted=True, reason="uploaded before midnight")
    assert (moved.day, moved.day_before, moved.already_done) == ("2025-07-01", "2025-07-02", False)
    assert campaign.submissions.quota().used == 1
    again = campaign.record(first, on=yesterday, submitted=True, reason="uploaded before midnight")
    assert (again.already_done, again.day_before) == (True, None)
    assert campaign.record(third, submitted=True).day == "2025-07-02", "the freed slot is taken"
    with pytest.raises(QuotaExceeded, match="2025-07-02 are used up"):
        campaign.record(first, on=date(2025, 7, 2), submitted=True, reason="it was today, after all")
    assert campaign.submissions[first].day == "2025-07-01", "nothing of a refused correction stays"


def test_a_scored_submission_stays_scored_when_its_day_is_corrected(
    campaign: Campaign, exported: list[str], clock: Clock
) -> None:
    clock.now += timedelta(days=1)
    campaign.record(exported[0], 1.63)
    moved = campaign.record(exported[0], 1.63, on=date(2025, 7, 1), reason="uploaded yesterday")
    assert (moved.state, moved.day, moved.total, moved.corrections) == ("scored", "2025-07-01", 1.63, 0)
    assert campaign.record(exported[0], 1.63, on=date(2025, 7, 1)).already_done
    both = campaign.record(exported[0], 1.36, on=date(2025, 7, 2), reason="digits swapped, and the day")
    assert (both.day, both.total, both.corrections) == ("2025-07-02", 1.36, 1)


def test_an_upload_that_was_noted_of_the_wrong_one_is_taken_back(campaign: Campaign, exported: list[str]) -> None:
    wrong, right, other = exported
    for submission in (wrong, other):
        campaign.record(submission, submitted=True)
    with pytest.raises(InputError, match="needs a reason"):
        campaign.submissions.withdraw(wrong, "")
    taken = campaign.submissions.withdraw(wrong, "that was the other one")
    assert (taken.state, taken.day, taken.day_before) == ("withdrawn", None, "2025-07-01")
    assert campaign.record(right, submitted=True).state == "submitted"
    assert campaign.submissions.quota().used == 2
    with campaign._ws.db.read() as connection:
        assert load_pending(connection) == (other, right), "no total is waited for of what was not uploaded"
    assert campaign.submissions.withdraw(wrong, "").already_done
    with pytest.raises(QuotaExceeded):
        campaign.record(wrong, submitted=True, reason="it was uploaded after all")
    campaign.submissions.withdraw(right, "no, it was not")
    assert campaign.record(wrong, submitted=True, reason="it was uploaded after all").day == "2025-07-01"


@pytest.mark.parametrize("facts", [{"submitted": True}, {"total": 1.63}, {"types": {"tie": 1.63}}])
@pytest.mark.parametrize("more", [{}, {"on": date(2025, 7, 1)}, {"reason": "to be sure"}])
def test_the_same_facts_again_are_a_success_that_says_so(
    campaign: Campaign, exported: list[str], facts: dict[str, object], more: dict[str, object]
) -> None:
    assert not campaign.record(exported[0], **facts).already_done  # type: ignore[arg-type]
    assert campaign.record(exported[0], **facts, **more).already_done  # type: ignore[arg-type]
    assert campaign.record(exported[0], submitted=True, **more).already_done, "what has a total was uploaded"  # type: ignore[arg-type]
    assert campaign.submissions.quota().used == 1


def test_a_withdrawn_export_takes_no_slot_and_can_be_taken_up_again(campaign: Campaign, exported: list[str]) -> None:
    assert campaign.submissions.withdraw(exported[2], "a mistake in it").state == "withdrawn"
    assert campaign.submissions.withdraw(exported[2], "a mistake in it").already_done
    assert campaign.submissions.withdraw(exported[2], "").already_done, "no reason is asked for where nothing is noted"
    with pytest.raises(SubmissionError, match="was withdrawn"):
        campaign.record(exported[2], submitted=True)
    campaign.export()  # the newest picks are those of the third
    assert campaign.record(exported[2], submitted=True).state == "submitted"


def test_a_day_in_the_future_is_refused(campaign: Campaign, exported: list[str]) -> None:
    with pytest.raises(InputError, match="is in the future"):
        campaign.record(exported[0], on=date(2025, 7, 2), submitted=True)


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1)])
def test_a_clock_that_is_set_back_frees_no_slot_and_loses_no_upload(
    campaign: Campaign, exported: list[str], clock: Clock, back: timedelta
) -> None:
    clock.now = right = datetime(2025, 7, 1, 16, 30, tzinfo=timezone.utc)  # the day has begun half an hour ago
    campaign.record(exported[0], submitted=True)
    campaign.record(exported[1], submitted=True)
    clock.now -= back
    assert (campaign.submissions.quota().day, campaign.submissions.quota().left) == (date(2025, 7, 1), 0)
    with pytest.raises(QuotaExceeded, match="noted on days after 2025-07-01: set the clock right, or correct"):
        campaign.record(exported[2], submitted=True)
    # It was the other way round: the clock ran ahead before.
    for one in exported[:2]:
        assert campaign.record(one, on=date(2025, 7, 1), reason="the clock ran ahead", submitted=True).day_before
    clock.now = right
    assert campaign.record(exported[2], submitted=True).day == "2025-07-02"


def test_what_was_exported_under_a_clock_that_ran_ahead_can_be_noted_today(
    campaign: Campaign, exported: list[str], clock: Clock
) -> None:
    clock.now -= timedelta(days=1)
    assert campaign.record(exported[0], 1.5).day == "2025-06-30"
    with pytest.raises(InputError, match="was exported on"):
        campaign.record(exported[1], on=date(2025, 6, 29), submitted=True)


def _submit(folder: Path, submission: str, barrier: object, results: object) -> None:
    with Campaign(folder) as campaign:
        barrier.wait()  # type: ignore[attr-defined]
        try:
            campaign.record(submission, submitted=True)
            results.put("taken")  # type: ignore[attr-defined]
        except BestshotError as error:
            results.put(type(error).__name__)  # type: ignore[attr-defined]


def test_of_three_processes_at_once_two_get_a_slot(campaign: Campaign, exported: list[str]) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_submit, args=(campaign.folder, s, barrier, results)) for s in exported]
    for process in processes:
        process.start()
    outcomes = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    assert outcomes == ["QuotaExceeded", "taken", "taken"]
