"""When a running job is asked for: hand numbers."""

from __future__ import annotations

import pytest

from selector.generate._job_store import KEPT, PollingSchedule


def clock(*seconds: float) -> PollingSchedule:
    made = PollingSchedule()
    for one in seconds:
        made.note(one)
    return made


@pytest.mark.parametrize(("elapsed", "wait"), [(0.0, 0.5), (2.0, 0.5), (10.0, 1.5), (60.0, 9.0), (1000.0, 15.0)])
def test_before_any_job_has_ended_questions_grow_with_the_time_waited(elapsed: float, wait: float) -> None:
    assert clock().wait(elapsed) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("elapsed", "wait"),
    [
        (0.0, 54.0),  # 0.9 of the usual shortest, 60 s
        (50.0, 4.0),
        (54.0, 4.0),  # 0.04 of the usual, 100 s
        (140.0, 4.0),
        (141.0, 14.1),  # later than the usual longest: 0.1 of the time waited
        (400.0, 15.0),  # at most
    ],
)
def test_questions_are_near_the_usual_times(elapsed: float, wait: float) -> None:
    assert clock(100.0, 60.0, 140.0).wait(elapsed) == pytest.approx(wait)


def test_the_first_question_does_not_hang_on_a_single_odd_job() -> None:
    usual = clock(*[100.0] * 39, 1.0)  # the shortest of 40 is no usual one: 2 of 40 are left out on each side
    assert usual.wait(0.0) == pytest.approx(90.0)
    late = clock(*[100.0] * 39, 900.0)
    assert late.wait(101.0) == pytest.approx(10.1)


def test_quick_jobs_are_asked_for_at_most_ten_times_a_second() -> None:
    assert clock(0.2).wait(0.19) == pytest.approx(0.1)


def test_old_times_are_forgotten() -> None:
    assert clock(*[500.0] * 10, *[10.0] * KEPT).wait(0.0) == pytest.approx(9.0)
