"""The submission day, a calendar day in the contest's time zone, and how many submissions are left."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from selector.contest.profile import ContestProfile


def day_of(moment: datetime, profile: ContestProfile) -> date:
    """The contest's calendar day at ``moment``.

    Raises:
        ValueError: ``moment`` has no time zone; a naive time would silently mean that of the computer.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"a moment with a time zone is needed, got the naive {moment.isoformat()}")
    return moment.astimezone(ZoneInfo(profile.quota.time_zone)).date()


def next_turn(moment: datetime, profile: ContestProfile) -> datetime:
    """The first instant after ``moment`` at which a new contest day begins, in the contest's time zone.

    Where clocks are put forward at midnight the day begins later than 00:00, and so does the answer. Where they are put
    back over midnight, the day before goes on, and 00:00 comes once more.
    """
    zone = ZoneInfo(profile.quota.time_zone)
    midnight = datetime.combine(day_of(moment, profile) + timedelta(days=1), time(), tzinfo=zone)
    if midnight.astimezone(timezone.utc) <= moment:
        midnight = midnight.replace(fold=1)
    # A midnight that the zone skips is read with the offset before the change, which in UTC is the instant of the
    # change itself; coming back from UTC gives it its true local name.
    return midnight.astimezone(timezone.utc).astimezone(zone)


def remaining_submissions(profile: ContestProfile, today: date, used_today: int) -> int | None:
    """Submissions from ``today`` to the profile's last day, both included; None where the profile names no last day."""
    if profile.last_day is None:
        return None
    days = (profile.last_day - today).days + 1
    return max(days * profile.quota.per_day - used_today, 0) if days > 0 else 0
