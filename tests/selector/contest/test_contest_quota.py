"""The contest's day turns at midnight of its own zone, on whatever continent the team's computer stands."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selector.contest.profile import ContestProfile, load_profile
from selector.contest.quota import day_of, next_turn

TIANCHI = load_profile("tianchi-532389")
UTC = timezone.utc


def in_zone(zone: str) -> ContestProfile:
    return TIANCHI.model_copy(update={"quota": TIANCHI.quota.model_copy(update={"time_zone": zone})})


def test_the_day_turns_at_16_utc_in_shanghai() -> None:
    assert day_of(datetime(2025, 11, 22, 15, 59, 59, 999999, UTC), TIANCHI) == date(2025, 11, 22)
    assert day_of(datetime(2025, 11, 22, 16, 0, 0, 0, UTC), TIANCHI) == date(2025, 11, 23)


def test_the_zone_of_the_given_moment_does_not_matter() -> None:
    evening_in_new_york = datetime(2025, 11, 22, 20, 0, tzinfo=ZoneInfo("America/New_York"))
    assert day_of(evening_in_new_york, TIANCHI) == date(2025, 11, 23)
    assert next_turn(evening_in_new_york, TIANCHI) == datetime(2025, 11, 23, 16, 0, tzinfo=UTC)


def test_next_turn_is_the_coming_midnight_in_shanghai() -> None:
    turn = next_turn(datetime(2025, 12, 31, 15, 59, 59, tzinfo=UTC), TIANCHI)
    assert turn == datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
    assert (turn.isoformat(), turn.date()) == ("2026-01-01T00:00:00+08:00", date(2026, 1, 1))


def test_at_the_turn_itself_the_next_one_is_a_day_away() -> None:
    turn = datetime(2025, 11, 22, 16, 0, tzinfo=UTC)
    assert next_turn(turn, TIANCHI) - turn == timedelta(days=1)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        day_of(datetime(2025, 11, 22, 12, 0), TIANCHI)
    with pytest.raises(ValueError, match="time zone"):
        next_turn(datetime(2025, 11, 22, 12, 0), TIANCHI)


@pytest.mark.parametrize(("day", "hours"), [(date(2025, 3, 30), 23), (date(2025, 10, 26), 25), (date(2025, 7, 1), 24)])
def test_a_day_in_berlin_may_have_23_or_25_hours(day: date, hours: int) -> None:
    berlin = in_zone("Europe/Berlin")
    start = next_turn(datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=12), berlin)
    assert day_of(start, berlin) == day
    assert next_turn(start, berlin).astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)


def test_a_midnight_that_the_clocks_skip_moves_to_the_change_itself() -> None:
    sao_paulo = in_zone("America/Sao_Paulo")  # on 4 November 2018 the clocks went from 00:00 to 01:00
    turn = next_turn(datetime(2018, 11, 3, 20, 0, tzinfo=ZoneInfo("America/Sao_Paulo")), sao_paulo)
    assert turn.isoformat() == "2018-11-04T01:00:00-02:00"


@pytest.mark.parametrize(
    ("zone", "at", "turn"),
    [
        # At 00:01 of 1 November 2009 the clocks went back to 23:01 of the day before.
        ("America/St_Johns", "2009-11-01T02:29:59+00:00", "2009-11-01T00:00:00-02:30"),
        ("America/St_Johns", "2009-11-01T02:31:00+00:00", "2009-11-01T00:00:00-03:30"),
        ("America/St_Johns", "2009-11-01T03:29:59+00:00", "2009-11-01T00:00:00-03:30"),
        # At 01:00 they went back to 00:00 of the same day: it begins the first time.
        ("America/Havana", "2018-11-04T03:59:59+00:00", "2018-11-04T00:00:00-04:00"),
        ("America/Havana", "2018-11-04T04:30:00+00:00", "2018-11-05T00:00:00-05:00"),
        # At 24:00 they went back to 23:00: the day has 25 hours.
        ("America/Sao_Paulo", "2019-02-17T01:30:00+00:00", "2019-02-17T00:00:00-03:00"),
        ("Asia/Beirut", "2024-10-26T20:59:59+00:00", "2024-10-27T00:00:00+02:00"),
        ("Africa/Cairo", "2024-04-25T21:59:59+00:00", "2024-04-26T01:00:00+03:00"),
        ("Antarctica/Troll", "2024-03-31T00:59:59+00:00", "2024-04-01T00:00:00+02:00"),
        ("Pacific/Apia", "2011-12-30T09:59:59+00:00", "2011-12-31T00:00:00+14:00"),  # which had no 30 December
    ],
)
def test_days_that_begin_twice_or_late_or_never(zone: str, at: str, turn: str) -> None:
    moment, profile = datetime.fromisoformat(at), in_zone(zone)
    found = next_turn(moment, profile)
    assert found.isoformat() == turn and found > moment
    assert day_of(found.astimezone(UTC) - timedelta(seconds=1), profile) == day_of(moment, profile)


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(
        ["Asia/Shanghai", "UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Africa/Cairo", "Pacific/Apia"]
    ),
)
def test_next_turn_is_the_first_instant_of_a_later_day(moment: datetime, zone: str) -> None:
    profile = in_zone(zone)
    turn = next_turn(moment, profile)
    assert moment < turn <= moment + timedelta(hours=49)
    assert day_of(turn, profile) > day_of(moment, profile)
    assert day_of(turn.astimezone(UTC) - timedelta(microseconds=1), profile) == day_of(moment, profile)
