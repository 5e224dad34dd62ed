"""A scorer as a package of its own, which leaves a trace of what it measured, in whatever process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from installed_plug_ins import add_entry_points

PROBE = """
import os, time
from collections.abc import Sequence
from pathlib import Path
from selector.domain import Axis, Column, Score, Scorer, TaskType

class Probe(Scorer):
    name, version, task_types = "probe", "1", frozenset(TaskType)
    columns = (Column("size", 0.0, 1e9, True, Axis.PQ, "bytes"),)

    def __init__(self, log: str = "", deadly: Sequence[str] = (), seconds: float = 0.0, secret: str = "") -> None:
        self._log, self._deadly, self._seconds, self._secret = Path(log), deadly, seconds, secret

    def score(self, items):
        for item in items:
            with self._log.open("a") as file:
                file.write(f"{os.getpid()} {item.picture.id}\\\\n")
            if item.picture.id in self._deadly:
                os._exit(7)
            if self._secret in os.environ:
                raise RuntimeError("the worker has the key")
            time.sleep(self._seconds)
        return [{"size": Score.of(len(item.picture.data))} for item in items]
"""


def install_probe(monkeypatch: pytest.MonkeyPatch, place: Path) -> Path:
    """Put the scorer ``probe`` on the path of this process and of those that it starts; returns the file of traces."""
    place.mkdir()
    (place / "bestshot_probe.py").write_text(PROBE.replace("\\\\n", "\\n"), encoding="utf-8")
    add_entry_points(monkeypatch, place, "bestshot-probe", {"bestshot.scorers": {"probe": "bestshot_probe:Probe"}})
    ours = str(Path(__file__).resolve().parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(place), ours]))
    return place / "measured.txt"


def measured(log: Path) -> list[tuple[int, str]]:
    """(process, picture) in order."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [(int(process), picture) for process, picture in (line.split() for line in lines)]
