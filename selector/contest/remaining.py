"""How many submissions a contest has left."""

from __future__ import annotations

from datetime import date

from selector.contest.profile import ContestProfile


def remaining_submissions(profile: ContestProfile, today: date, used_today: int) -> int | None:
    """Submissions from ``today`` to the profile's last day, both included; None where the profile names no last day."""
    if profile.last_day is None:
        return None
    days = (profile.last_day - today).days + 1
    return max(days * profile.quota.per_day - used_today, 0) if days > 0 else 0
