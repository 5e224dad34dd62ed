"""How far long work is, on stderr: bars on a terminal, else plain lines now and then, or JSON lines for a program.

A stage that waits long for its next step still shows that time passes. The rate counts what this run has done.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from selector.cli._language import show_json, tell
from selector.domain.visible import visible

if TYPE_CHECKING:
    from selector.domain.progress import Progress

VARIABLE = "BESTSHOT_PROGRESS"  # "json": lines for a program that started this one
FIRST_SECONDS = 10.0  # before a stage's first plain line: what is done by then needs none
_TICK_SECONDS = 0.25
_JSON_SECONDS = 0.25  # between two lines for a program
_FRAME_SECONDS = 1.0  # between two looks at the clock of a bar


@dataclass
class Stage:
    """How far one stage is. ``began_with``: what earlier runs had done of it; ``now`` is of the monotonic clock."""

    name: str
    done: int
    total: int
    since: float
    note: str = ""
    began_with: int = 0
    told: float | None = None  # when its last line was written

    def seconds(self, now: float) -> float:
        """Since its first call."""
        return now - self.since

    def rate(self, now: float) -> float | None:
        """Steps a second, None before there is one to judge by."""
        fresh = self.done - self.began_with
        return fresh / self.seconds(now) if fresh > 0 and self.seconds(now) > 0 else None

    def left(self, now: float) -> float | None:
        """Seconds that it will still take at this rate."""
        rate = self.rate(now)
        return None if rate is None else max(0, self.total - self.done) / rate


class _Display:
    """Keeps the open stages and writes what ``_show`` makes of them; safe for threads, of which one looks at the clock.

    That thread ends with the display, or when nothing is under way.
    """

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}
        self._lock = threading.Lock()
        self._ticking = False

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        stage, note = visible(stage), visible(note)
        with self._lock:
            now = monotonic()
            found = self._stages.setdefault(stage, Stage(stage, done, total, now, began_with=done))
            found.done, found.total, found.note = done, total, note
            self._show(found, now, called=True)
            if done >= total:
                del self._stages[stage]
            elif not self._ticking:
                self._ticking = True
                threading.Thread(target=_tick, args=(weakref.ref(self),), daemon=True, name="progress").start()

    def tick(self) -> bool:
        """Look at the clock; whether anything is still under way."""
        with self._lock, contextlib.suppress(ValueError, OSError):  # stderr may be closed by now
            for stage in self._stages.values():
                self._show(stage, monotonic(), called=False)
        with self._lock:
            self._ticking = bool(self._stages)
            return self._ticking

    def _show(self, stage: Stage, now: float, called: bool) -> None:
        """``called``: by the work itself, not by the clock."""
        raise NotImplementedError


def _tick(shown: weakref.ref[_Display]) -> None:
    while True:
        sleep(_TICK_SECONDS)
        display = shown()
        if display is None or not display.tick():
            return
        del display


class _Bars(_Display):
    def __init__(self) -> None:
        super().__init__()
        self._bars: dict[str, Any] = {}

    def _show(self, stage: Stage, now: float, called: bool) -> None:
        bar = self._bars.get(stage.name) or self._new(stage)
        if not called:
            if now - (stage.told or stage.since) >= _FRAME_SECONDS:
                stage.told = now
                bar.refresh()
            return
        bar.total = stage.total  # it grows when refusals fall through to another generator
        bar.set_postfix_str(stage.note, refresh=stage.done == bar.n)
        bar.update(stage.done - bar.n)
        if stage.done >= stage.total:
            bar.close()
            del self._bars[stage.name]

    def _new(self, stage: Stage) -> Any:
        from tqdm import tqdm

        large = stage.total >= 10**6  # bytes
        bar = tqdm(
            initial=stage.done,
            total=stage.total,
            desc=f"{stage.name:9}",
            unit="B" if large else "",
            unit_scale=large,
            disable=None,
            leave=True,
            mininterval=0.2,
            dynamic_ncols=True,
        )
        return self._bars.setdefault(stage.name, bar)


class _Lines(_Display):
    """Lines such as "dashscope: 120 of 4000, 8 running; 2.1/s, 31 min left", for the log of a long run."""

    def __init__(self, every_seconds: float) -> None:
        super().__init__()
        self._every, self._first = every_seconds, min(FIRST_SECONDS, every_seconds)

    def _show(self, stage: Stage, now: float, called: bool) -> None:  # noqa: ARG002
        due = stage.since + self._first if stage.told is None else stage.told + self._every
        if now >= due and stage.done < stage.total:
            stage.told = now
            tell(line_of(stage, now))


class _JsonLines(_Display):
    """A JSON object a line: stage, done, total, note, seconds, left (null: not known)."""

    _told = 0.0

    def _show(self, stage: Stage, now: float, called: bool) -> None:
        if stage.done < stage.total and now - self._told < _JSON_SECONDS:
            return  # the clock's next look has it
        if not called and now - (stage.told or 0.0) < _FRAME_SECONDS:
            return
        self._told = stage.told = now
        left = stage.left(now)
        told = {"stage": stage.name, "done": stage.done, "total": stage.total, "note": stage.note}
        told |= {"seconds": round(stage.seconds(now), 2), "left": None if left is None else round(left, 1)}
        show_json(told, err=True)


def line_of(stage: Stage, now: float) -> str:
    """A stage in words, with its rate and the time left where they are known."""
    rate, left = stage.rate(now), stage.left(now)
    counted = f"{stage.name}: {stage.done} of {stage.total}{stage.note and ', '}{stage.note}"
    if rate is None or left is None or stage.seconds(now) < 1:
        waited = stage.seconds(now) >= 1 and f"; {duration(stage.seconds(now))} so far"
        return counted + (waited or "")
    each = f"{rate:.3g}/s" if rate >= 1 else f"{duration(1 / rate)} each"
    return f"{counted}; {each}, {duration(left)} left"


def duration(seconds: float) -> str:
    """ "4 s", "12 min", "2 h 5 min": as much as one wants to know of a time to wait."""
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def progress_bar(every_seconds: float = 60.0) -> Progress:
    """Progress on stderr: bars, one a stage, of which several may run; without a terminal a plain line now and then.

    Args:
        every_seconds: between two plain lines of a stage, of which the first comes after ten; what takes less prints
            none. With BESTSHOT_PROGRESS=json, a program gets at most four lines a second instead.
    """
    if os.environ.get(VARIABLE) == "json":
        return _JsonLines()
    return _Bars() if sys.stderr.isatty() else _Lines(every_seconds)
