"""Outlines of edits for the page, asked of a process beside the server and remembered.

One task at a time, and only the one that was asked for last: who passes by twenty tasks wants to see the twentieth.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

LEFT_OUT = {"left_out": True}  # another task was asked for before this one's turn came
_KEPT = 2000  # tasks
_LONGEST_SECONDS = 120.0  # for one task: then the process hangs, and is ended
_IDLE_SECONDS = 90.0  # then the process ends: its models take some hundred MB


class Outlines:
    """What was found is kept; that nothing could be found out is not: it is tried again when it is wanted again.

    After ``end`` nothing is found any more.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self._process: subprocess.Popen[str] | None = None
        self._timer: threading.Timer | None = None
        self._wanted, self._ended = ("", ""), False
        self._executor = ThreadPoolExecutor(1, "review-outlines")

    def known(self, task_id: str, digest: str) -> dict[str, Any] | None:
        """What was found of a task with these candidates; None before it was asked for."""
        return self._kept.get((task_id, digest))

    async def wanted(self, task_id: str, digest: str) -> dict[str, Any] | None:
        """Boxes that the task asks to change (``asked``) and that its candidates changed; both may be nothing.

        ``LEFT_OUT`` where another task was asked for meanwhile; None where the process failed, or took too long.
        """
        self._wanted = task_id, digest
        loop = asyncio.get_running_loop()
        return self.known(task_id, digest) or await loop.run_in_executor(self._executor, self._turn, task_id, digest)

    def _turn(self, task_id: str, digest: str) -> dict[str, Any] | None:
        found = self.known(task_id, digest)
        if found is not None:
            return found
        if self._ended or (task_id, digest) != self._wanted:
            return LEFT_OUT
        found = self._ask(task_id)
        if found is not None:
            self._kept[task_id, digest] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def end(self) -> None:
        """Who waits is told that nothing was found, at once."""
        self._ended = True
        self._end()

    def close(self) -> None:
        self.end()
        self._executor.shutdown()

    def _ask(self, task_id: str) -> dict[str, Any] | None:
        if self._timer is not None:
            self._timer.cancel()
        try:
            process = self._process
            if process is None or process.poll() is not None:
                process = self._process = self._started()
            if self._ended:  # by another thread, which may have come before there was a process
                self._end()
            found = _answer(process, json.dumps(task_id))
        except (OSError, ValueError):
            found = None
        if found is None:
            self._end()
        else:
            self._timer = _later(_IDLE_SECONDS, self._end)
        return found

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "selector.review._outlining", str(self._folder.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        process, self._process = self._process, None
        if process is not None:
            process.kill()  # it stores nothing, and may hang
            process.wait()


def _answer(process: subprocess.Popen[str], question: str) -> dict[str, Any] | None:
    """What the process says to a line; None where it ends instead, or takes so long that it is ended."""
    assert process.stdin is not None and process.stdout is not None
    alarm = _later(_LONGEST_SECONDS, process.kill)
    try:
        process.stdin.write(question + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
    finally:
        alarm.cancel()
    found = json.loads(line) if line else None
    return found if isinstance(found, dict) else None


def _later(seconds: float, act: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer
