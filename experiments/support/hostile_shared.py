"""What readers share: the tasks of a small contest, and inputs as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np

from experiments.support.hostile_inputs import Strategy
from selector.contest.profile import load_profile
from selector.domain import Task, TaskType

Lines = Sequence[str]
TEMPORARY = gettempdir()  # while an input is read, it is elsewhere
TIANCHI, MINI = load_profile("tianchi-532389"), load_profile("mini-png")
TASKS = [
    Task("3", TaskType.T2I, "two red cups left of a blue car, a sign says “OPEN”", None, None, 0),
    Task("7", TaskType.TIE, "Replace the cup with a vase and keep the table.", "a.jpg", None, 1),
    Task("11", TaskType.VTTIE, "把“营业中”改成“休息中”", "b.jpg", None, 2),
    Task("15", TaskType.DEEPFAKE, "", "c.jpg", "d.jpg", 3),
]
CELLS = [
    "3", "7", "11", "15", "t2i", "tie", "vttie", "deepfake", "a red cube", "a.jpg", "5", "0.5", "-1", "10",
    "1a2b3c4d",
]  # fmt: skip
IDS = [f"{number:064x}" for number in (7 << 250, 9 << 250)]


def in_file(name: str, read: Callable[[Path], Any]) -> Callable[[bytes, Path], Lines]:
    """Reads an input as a file of that name; what is returned, if it is a list of lines, is looked at as well."""

    def reader(data: bytes, folder: Path) -> Lines:
        (folder / name).write_bytes(data)
        found = read(folder / name)
        return found if isinstance(found, list) else ()

    return reader


def strategy(make: Callable[..., Strategy], *arguments: Any, **more: Any) -> Callable[[], Sequence[Strategy]]:
    return lambda: [make(*arguments, **more)]


def texts_of(*made: str) -> Callable[[], Sequence[bytes]]:
    return lambda: [text.encode() for text in made]


def rgb(width: int = 24, height: int = 16) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(5).integers(0, 255, (height, width, 3), dtype=np.uint8)
