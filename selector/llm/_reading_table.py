"""The table of readings in a campaign's folder: one row a task, written for people, who may correct it.

The last column holds a digest of what was written, so that a row tells by itself whether a person has changed it: also
after another version of the rules reads otherwise. A row that came back from an earlier table is as it was written,
too: where it or what counts now is a correction, a person has put it back, and it counts again. Where models or rules
have read both, a run that was killed before it wrote the table leaves the same rows: they are told of, and what is
newer counts.
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
    """Readings by task id: that people ``changed``, and what counts where they took a correction back.

    ``outdated``: how many rows nobody has changed, but hold another reading than the one that counts now.
    """

    changed: Mapping[str, Reading]
    taken_back: Mapping[str, Reading]
    outdated: int = 0


def table_text(readings: Iterable[tuple[Task, Reading]]) -> str:
    """The table, header first."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    for task, reading in readings:
        cells = cells_of(reading)
        told = (cells[column] for column in CELLS)
        rows.append((task.id, task.type.value, task.prompt, reading.by, *told, _digest(cells)))
    return csv_text(rows, exactly=True)


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
    outdated = 0
    for number, row in enumerate(read_columns(path, "table of readings", COLUMNS), start=2):
        task = by_id.get(row["task"])
        if task is None or task.id in named:
            why = "named by an earlier row" if task else "not in this campaign, or without words"
            raise InputError(f"{path}: row {number}, column task: '{row['task']}' is {why}: take the row out")
        named.add(task.id)
        cells = {column: row[column] for column in CELLS}
        present = reading_of(TaskInputs(task, reading=known.get(task.id)))
        if _digest(cells) == _digest(cells_of(present)):
            continue
        if _digest(cells) == row["as_written"] and TABLE not in (present.by, row["by"]):
            outdated += 1
            continue
        reading = _read(path, number, task, cells, present)
        if cells_of(reading) != cells_of(present):
            changed[task.id] = reading
    gone = [key for key, reading in known.items() if reading.by == TABLE and key in by_id.keys() - named]
    return Corrections(changed, {key: earlier.get(key, Reading()) for key in gone}, outdated)


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
