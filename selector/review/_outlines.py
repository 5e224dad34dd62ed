"""Outlines of edits for the page, asked of a process beside the server and remembered."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_KEPT = 2000  # tasks
_IDLE_SECONDS = 90.0  # then the process ends: its models take some hundred MB


class Outlines:
    """``of`` asks about one task at a time; who asks waits in ``executor``. After ``end`` nothing is found any more."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._ended = False
        self.executor = ThreadPoolExecutor(1, "review-outlines")

    def known(self, task_id: str, digest: str) -> dict[str, Any] | None:
        """What was found of a task with these candidates; None before it was asked for."""
        return self._kept.get((task_id, digest))

    def of(self, task_id: str, digest: str) -> dict[str, Any]:
        """Boxes that the task asks to change (``asked``) and that its candidates changed; both may be nothing."""
        found = self.known(task_id, digest)
        if found is None:
            with self._lock:
                found = self.known(task_id, digest) or self._ask(task_id)
                if not self._ended:
                    self._kept[task_id, digest] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found

    def end(self) -> None:
        """Who waits is told that nothing was found, at once; what was cut off is not remembered."""
        self._ended = True
        self._end()

    def close(self) -> None:
        self.end()
        self.executor.shutdown()

    def _ask(self, task_id: str) -> dict[str, Any]:
        if self._timer is not None:
            self._timer.cancel()
        if self._ended:
            return {}
        try:
            process = self._process
            if process is None or process.poll() is not None:
                process = self._process = self._started()
            if self._ended:  # by another thread, which may have come before there was a process
                self._end()
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(task_id) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            found = json.loads(line) if line else {}
        except (OSError, ValueError):
            found = {}
        self._timer = threading.Timer(_IDLE_SECONDS, self._end)
        self._timer.daemon = True
        self._timer.start()
        return found if isinstance(found, dict) else {}

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
            process.terminate()
            process.wait()
