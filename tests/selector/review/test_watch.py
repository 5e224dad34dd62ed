"""The thread that watches the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

import pytest
from review_pages import folder  # noqa: F401

from selector import Campaign
from selector.review import _watch
from selector.review._desk import Desk, Settings
from selector.review._watch import Watch


class Child:
    """Stands for a process that ends at once and says nothing."""

    code = 0
    asked: ClassVar[list[list[str]]] = []

    def __init__(self, module: str, arguments: list[str]) -> None:
        if module == "selector.cli":
            self.asked.append(arguments)

    def read(self) -> tuple[str, str]:
        return "", ""

    def close(self) -> None: ...


@pytest.fixture
def now() -> list[datetime]:
    return [datetime(2030, 1, 1, 12, tzinfo=timezone.utc)]


@pytest.fixture
def watch(folder: Path, now: list[datetime], monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    monkeypatch.setattr(_watch, "Beside", Child)
    monkeypatch.setattr(Child, "asked", [])
    with Campaign(folder, clock=lambda: now[0]) as campaign:
        yield Watch(Desk(campaign._ws, campaign._ledger, Settings(False, "Li", folder / "cache" / "review")), _nobody)


def test_the_next_step_is_asked_for_again_when_the_contests_day_turns(watch: Watch, now: list[datetime]) -> None:
    for _ in range(3):
        watch._look()
    assert len(Child.asked) == 1 and Child.asked[0][0] == "next"
    now[0] += timedelta(days=1)
    for _ in range(3):
        watch._look()
    assert len(Child.asked) == 2


def test_what_nobody_expected_does_not_end_it(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def fail() -> None:
        looks.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(watch, "_look", fail)
    monkeypatch.setattr(_watch, "_LOOK_SECONDS", 0.01)
    watch.start()
    _until(lambda: len(looks) > 2)
    watch.close()
    assert len(looks) > 2


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        time.sleep(0.01)


def _nobody(_news: dict[str, Any]) -> None: ...
