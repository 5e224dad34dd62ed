"""The table that ``plan --generate N --out gen.csv`` writes and ``generate --plan gen.csv`` takes.

A row is a wish: so many more of a generator for a task, on top of what it ``has`` tried. Both together are a total, so
a table that is carried out twice makes nothing twice. People may change ``candidates``, and leave rows out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from selector.config import CampaignConfig
from selector.contest.table_rows import csv_text, read_lines
from selector.domain import InputError, Task
from selector.domain.errors import InputProblems
from selector.domain.files import write_atomically
from selector.domain.words import half_width, near_or_all, no_task
from selector.learn.plan_generating import Wish

COLUMNS = ("task", "generator", "candidates", "has", "points")
_IMPORT = "folder:"
_MOST = 10_000  # recipes of a task and generator


def write_plan(path: Path, wishes: Sequence[Wish]) -> None:
    """A row a wish, in their order, for a spreadsheet."""
    rows = [(w.task_id, w.generator, w.count, w.has, f"{w.worth:.4f}") for w in wishes]
    write_atomically(path, csv_text([COLUMNS, *rows]).encode("utf-8-sig"))


def read_plan(path: Path, tasks: Sequence[Task], config: CampaignConfig) -> list[Wish]:
    """The wishes of a table, in its order; rows that ask for none are left out, and ``points`` is not read.

    Raises:
        InputProblems: rows are wrong: all of them, with their lines. InputError: no readable table, a missing column.
    """
    reader = _Reader({task.id: task for task in tasks}, config)
    found, problems = [], []
    for line, row in read_lines(path, "plan of candidates", COLUMNS[:-1]):
        try:
            found.append(reader.read(line, row))
        except InputError as error:
            problems.append(f"{path}: line {line}: {error}")
    if problems:
        raise InputProblems(problems, " (nothing was made)")
    return [wish for wish in found if wish.count]


def check_planned(config: CampaignConfig, task: Task, name: str) -> None:
    """Raise ``InputError`` where the configuration names no such generator for the task."""
    planned = [step.generator for step in config.generate.steps(task.type)]
    if name.startswith(_IMPORT):
        raise InputError(f"'{name}' is an import: make these with your tool, and `bestshot import` them")
    if name not in planned:
        where = f"[generate] {task.type.value} in campaign.toml"
        raise InputError(f"'{name[:60]}' is not in {where}{near_or_all(name, planned)}")


class _Reader:
    def __init__(self, tasks: Mapping[str, Task], config: CampaignConfig) -> None:
        self._tasks, self._config = tasks, config
        self._lines: dict[tuple[str, str], int] = {}

    def read(self, line: int, row: Mapping[str, str]) -> Wish:
        task = self._tasks.get(row["task"])
        if task is None:
            raise InputError(no_task(row["task"], self._tasks, in_table=True))
        name = row["generator"]
        check_planned(self._config, task, name)
        first = self._lines.setdefault((task.id, name), line)
        if first != line:
            raise InputError(f"'{name}' and task {task.id} stand on line {first} already: keep one row")
        if not row["has"]:
            raise InputError("'has' is empty: say how many of that generator were tried when this was planned, or 0")
        return Wish(task.id, name, _number(row, "candidates"), 0.0, has=_number(row, "has"))


def _number(row: Mapping[str, str], name: str) -> int:
    text = half_width(row[name])
    if not (text.isascii() and text.isdecimal() and int(text) <= _MOST):
        raise InputError(f"'{name}' must be a whole number from 0 to {_MOST}, got '{text[:40]}'")
    return int(text)
