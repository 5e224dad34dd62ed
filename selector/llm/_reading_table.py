"""The table of readings in a campaign's folder: one row a task, written for people, who may correct it.

The last column holds a digest of what was written, so that a row tells by itself whether a person has changed it: also
after another version of the rules reads otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selector.contest.table_rows import csv_text, read_columns
from selector.domain import InputError, Task, TaskInputs, stable_hash
from selector.domain.reading import Reading
from selector.llm._cell_words import WrongCell
from selector.llm._reading_cells import CELLS, cells_of, reading_of_cells
from selector.prompts.reading import reading_of
from selector.store.readings import TABLE

COLUMNS = ("task", "type", "prompt", "by", *CELLS, "as_written")


@dataclass(frozen=True)
class Corrections:
    """Readings by task id: that people ``changed``, and what counts where they took a correction back."""

    changed: Mapping[str, Reading]
    taken_back: Mapping[str, Reading]


def table_text(readings: Iterable[tuple[Task, Reading]]) -> str:
    """The table, header first."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    for task, reading in readings:
        cells = cells_of(reading)
        told = (cells[column] for column in CELLS)
        rows.append((task.id, task.type.value, task.prompt, reading.by, *told, _digest(cells)))
    return csv_text(rows)


def corrections(
    path: Path, tasks: Sequence[Task], known: Mapping[str, Reading], earlier: Mapping[str, Reading]
) -> Corrections:
    """What people changed since the table was written.

    Args:
        path: of the table.
        tasks: all that it may name.
        known: stored readings by task id.
        earlier: what a model read, by task id: it counts again where the row of a correction is gone.

    Raises:
        InputError: no such table, or a wrong cell; the message names row and column.
    """
    by_id = {task.id: task for task in tasks}
    changed: dict[str, Reading] = {}
    named = set()
    for number, row in enumerate(read_columns(path, "table of readings", COLUMNS), start=2):
        task = by_id.get(row["task"])
        if task is None or task.id in named:
            why = "named by an earlier row" if task else "not in this campaign, or without words"
            raise InputError(f"{path}: row {number}, column task: '{row['task']}' is {why}: take the row out")
        named.add(task.id)
        cells = {column: row[column] for column in CELLS}
        if _digest(cells) == row["as_written"]:
            continue
        present = reading_of(TaskInputs(task, reading=known.get(task.id)))
        reading = _read(path, number, task, cells, present)
        if cells_of(reading) != cells_of(present):
            changed[task.id] = reading
    gone = [key for key, reading in known.items() if reading.by == TABLE and key in by_id.keys() - named]
    return Corrections(changed, {key: earlier.get(key, Reading()) for key in gone})


def _read(path: Path, number: int, task: Task, cells: Mapping[str, str], present: Reading) -> Reading:
    try:
        return reading_of_cells(task.type, task.prompt, cells, TABLE, present)
    except WrongCell as error:
        column, expected = error.args
        came = cells[column]
        raise InputError(f"{path}: row {number}, column {column}: expected {expected}, got '{came}'") from None


def _digest(cells: Mapping[str, str]) -> str:
    """Of what a spreadsheet leaves as it is; the letter keeps it from being taken for a number."""
    return "w" + stable_hash([" ".join(cells[column].split()) for column in CELLS], 10)
