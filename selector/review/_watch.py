"""Watches the store: tells open pages what is new, and has the estimates made again when they are old."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO, Any

from selector.domain import BestshotError
from selector.review._desk import Desk
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
        self._child: subprocess.Popen[bytes] | None = None
        self._child_began = 0.0
        self._said: IO[bytes]
        self._seen: dict[str, Any] = {}
        self._last_news = self._first_news = self._not_before = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True, name="review-watch")
        self.next_step: dict[str, Any] | None = None  # the first of `bestshot next`
        self.fault = ""  # why the estimates could not be made

    @property
    def building(self) -> bool:
        """Whether estimates are being made."""
        return self._child is not None

    def stale_words(self) -> list[str]:
        """What the estimates do not know yet, by its key; nothing where they are of the present."""
        facts = self._desk.known.snapshot.facts
        return sorted(differing(facts.key, snapshot_key(self._desk.ws))) if facts.key else []

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        if self._child is not None:
            self._child.terminate()
            self._child.wait()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._look()
            except BestshotError as error:  # the disk is full, or the store is held: it may not be so in a moment
                _log.warning("the store could not be looked at: %s", error)
            self._stop.wait(_LOOK_SECONDS)

    def _look(self) -> None:
        self._reap()
        with self._desk.ws.db.read() as connection:
            rows = newest_rows(connection)
        now = time.monotonic()
        told = {name: number for name, number in rows.items() if name not in _NOISE}
        told |= {"snapshot": self._desk.known.snapshot.facts.at, "building": self.building}
        if rows != self._seen:
            self._seen, self._last_news = rows, now
        self._news(told)
        if self._child is None and now >= self._not_before:
            self._make_if_old(now)

    def _make_if_old(self, now: float) -> None:
        old = differing(self._desk.known.snapshot.facts.key, snapshot_key(self._desk.ws))
        if not old:
            self._first_news = 0.0
            return
        self._first_news = self._first_news or now
        quiet = _QUIET_AFTER_DECISIONS if old <= SHOWN_AT_ONCE else _QUIET_SECONDS
        first = not self._desk.known.snapshot.facts.key
        if first or now - self._last_news >= quiet or now - self._first_news >= _LONGEST_SECONDS:
            self._first_news, self._child_began = 0.0, now
            folder, target = self._desk.ws.folder.resolve(), self._desk.snapshot_path
            command = [sys.executable, "-m", "selector.review._estimating", str(folder), str(target)]
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe that nobody reads would fill and stop it
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said, start_new_session=True
            )

    def _reap(self) -> None:
        if self._child is None or self._child.poll() is None:
            return
        child, self._child = self._child, None
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        self._said.close()
        if child.returncode == 0:
            self.fault = ""
            self._desk.load_snapshot()
            _log.debug("estimates were made in %.1f s", time.monotonic() - self._child_began)
            return
        self.fault = (
            said.splitlines()[-1].rpartition("Error: ")[2][:500] if said else f"it ended with {child.returncode}"
        )
        self._not_before = time.monotonic() + _RETRY_SECONDS
        _log.warning("estimates could not be made: %s", self.fault)
