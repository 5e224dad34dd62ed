"""Watches the store: tells open pages what is new, and has the estimates made again when they are old."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from selector.contest.quota import day_of
from selector.domain import BestshotError
from selector.review._beside import Beside
from selector.review._desk import Desk
from selector.review._snapshot_file import SnapshotFacts
from selector.review._source import SHOWN_AT_ONCE, differing, snapshot_key
from selector.store.news import newest_rows

_log = logging.getLogger("bestshot.review")
_LOOK_SECONDS = 0.5
_QUIET_SECONDS = 2.0  # without news before estimates are made again: a run of `score` brings news all the time
_QUIET_AFTER_DECISIONS = 15.0  # decisions are shown at once, and who decides may decide again
_LONGEST_SECONDS = 120.0  # even if news goes on
_RETRY_SECONDS = 60.0  # after estimates could not be made
_NOISE = ("score", "attempt", "planning", "candidate")  # tables whose rows pages need not hear of one by one


class Watch:
    """One thread that looks at the store twice a second for as long as the server runs.

    Args:
        desk: whose estimates are kept fresh.
        news: called with what pages are told: the numbers of the newest rows, and the moment of the estimates.
    """

    def __init__(self, desk: Desk, news: Callable[[dict[str, Any]], None]) -> None:
        self._desk, self._news = desk, news
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="review-watch")
        self._estimating: Beside | None = None
        self._advising: Beside | None = None
        self._advised = ("", "")  # the moment of the estimates, and the contest's day, of the newest advice
        self._seen: dict[str, int] = {}
        self._last_news = self._first_news = self._not_before = 0.0
        self.next_step: dict[str, Any] | None = None  # the first of `bestshot next`
        self.fault = ""  # why the estimates could not be made

    @property
    def building(self) -> bool:
        """Whether estimates are being made."""
        return self._estimating is not None

    def stale(self, facts: SnapshotFacts) -> list[str]:
        """What these estimates do not know yet: names of tables and files; nothing where they are of the present."""
        return sorted(differing(facts.key, snapshot_key(self._desk.ws))) if facts.key else []

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for child in (self._estimating, self._advising):
            if child is not None:
                child.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._look()
            except (BestshotError, OSError) as error:  # a full disk, a store that is held: it may not be so in a moment
                _log.warning("the campaign could not be looked at: %s", error)
            except Exception:  # pages hear of nothing any more once this thread has ended
                _log.exception("the campaign could not be looked at")
            self._stop.wait(_LOOK_SECONDS)

    def _look(self) -> None:
        self._take_estimates()
        self._take_advice()
        with self._desk.ws.db.read() as connection:
            rows = newest_rows(connection)
        now = time.monotonic()
        if rows != self._seen:
            self._seen, self._last_news = rows, now
        told: dict[str, Any] = {name: number for name, number in rows.items() if name not in _NOISE}
        at = self._desk.known.snapshot.facts.at
        day = self._today()
        self._news({**told, "snapshot": at, "building": self.building, "next": self.next_step, "day": day})
        self._ask_for_advice(at, day)
        if self._estimating is None and now >= self._not_before:
            self._make_if_old(now)

    def _make_if_old(self, now: float) -> None:
        facts = self._desk.known.snapshot.facts
        old = differing(facts.key, snapshot_key(self._desk.ws))
        if not self._desk.snapshot_path.is_file():  # somebody has emptied the cache
            old.add("snapshot")
        if not old:
            self._first_news = 0.0
            return
        self._first_news = self._first_news or now
        quiet = _QUIET_AFTER_DECISIONS if old <= SHOWN_AT_ONCE else _QUIET_SECONDS
        is_first, is_long = not facts.key, now - self._first_news >= _LONGEST_SECONDS
        if is_first or is_long or now - self._last_news >= quiet:
            self._first_news = 0.0
            places = str(self._desk.ws.folder.resolve()), str(self._desk.snapshot_path)
            self._estimating = Beside("selector.review._estimating", places)

    def _take_estimates(self) -> None:
        child = self._estimating
        if child is None or child.code is None:
            return
        _, said = child.read()
        self._estimating, self.fault = None, ""
        if child.code == 0:
            self._desk.load_snapshot()
            return
        last = said.splitlines()[-1] if said else f"the process ended with {child.code}"
        self.fault = last.rpartition("Error: ")[2][:500]
        self._not_before = time.monotonic() + _RETRY_SECONDS
        _log.warning("estimates could not be made: %s", self.fault)

    def _today(self) -> str:
        """The contest's day, in which there are new submissions."""
        return day_of(self._desk.ws.clock(), self._desk.ws.profile).isoformat()

    def _ask_for_advice(self, at: str, day: str) -> None:
        """Once for each state of the estimates and each day, at first beside the estimates: it is the first line."""
        if self._advising is None and (at, day) != self._advised:
            self._advised = at, day
            folder = str(self._desk.ws.folder.resolve())
            self._advising = Beside("selector.cli", ["next", "-C", folder, "--json"])

    def _take_advice(self) -> None:
        child = self._advising
        if child is None or child.code is None:
            return
        said, _ = child.read()
        self._advising, self.next_step = None, first_step(said) if child.code == 0 else None


def first_step(said: str) -> dict[str, Any] | None:
    """The first of the steps that ``bestshot next --json`` named; None where there is none."""
    try:
        document = json.loads(said)
    except ValueError:
        return None
    steps = document.get("steps") if isinstance(document, dict) else document
    first = steps[0] if isinstance(steps, list) and steps else None
    if not isinstance(first, dict) or not isinstance(first.get("words"), str):
        return None
    return {"words": first["words"], "command": first.get("command"), "person": bool(first.get("by_person"))}
