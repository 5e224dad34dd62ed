"""What servers write into Retry-After, and what becomes of it."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest

from selector.domain.remote import ServiceStopped
from selector.net import Account, Service, Trouble, retry_after, troubles

NOON = datetime(2025, 7, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("12", 12.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("Tue, 01 Jul 2025 12:00:30 GMT", 30.0),
        ("Tue, 01 Jul 2025 14:01:00 +0200", 60.0),
        ("Tue, 01 Jul 2025 11:00:00 GMT", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("inf", float("inf")),
        ("9" * 400, float("inf")),
        ("-5", None),
        ("-inf", None),
        ("nan", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 +99999999999", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_wait_is_a_number_or_a_date_and_nonsense_is_none(written: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": written}, NOON) == seconds


def test_milliseconds_go_first() -> None:
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert retry_after({"retry-after-ms": "nan", "retry-after": "9"}) == 9.0
    assert retry_after({}) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("601", "for 10 minutes"),
        ("7200", "for 120 minutes"),
        ("1e300", "more than a week"),
        ("inf", "more than a week"),
    ],
)
@pytest.mark.parametrize("kind", [troubles.THROTTLED, troubles.BUSY])
def test_too_long_a_wait_ends_the_run_in_one_readable_line(written: str, said: str, kind: str) -> None:
    ours = Account(Service("s", "http://127.0.0.1:1"))
    trouble = Trouble(kind, "t", retry_after({"retry-after": written}))
    with pytest.raises(ServiceStopped, match=said):
        ours.call(lambda: trouble)


@pytest.mark.parametrize("written", ["nan", "-5", "Fri, 31 Dec 1999 23:59:59 GMT"])
def test_a_wait_that_makes_no_sense_delays_nobody_for_long(written: str) -> None:
    ours = Account(Service("s", "http://127.0.0.1:1", backoff_seconds=0.01))
    comes: list[object] = [Trouble(troubles.THROTTLED, "t", retry_after({"retry-after": written})), "yes"]
    started = time.monotonic()
    assert ours.call(lambda: comes.pop(0)) == "yes"
    assert time.monotonic() - started < 4
