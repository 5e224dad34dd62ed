"""The task table: a CSV of the contest to tasks in the program's terms. Every message names row and line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from selector.contest._near_words import near_columns, near_type
from selector.contest.input_images import check_image_name, resolve_image
from selector.contest.profile import MAX_ID_BYTES, ContestProfile, TaskFacts
from selector.contest.table_rows import Record, read_records, split_sep_line
from selector.contest.table_text import read_table_text
from selector.domain import InputError, Task, TaskType
from selector.domain.errors import InputProblems
from selector.domain.names import check_name, name_fault, same_file_key
from selector.domain.words import half_width

_FirstRows = dict[str, tuple[str, int]]  # id as written and line, by what must be unique


@dataclass(frozen=True)
class _Row:
    number: int  # 1-based; the header and empty lines are not counted
    line: int  # 1-based line of the file on which the row begins
    cells: dict[str, str]  # by column, stripped


def read_task_table(path: Path, profile: ContestProfile, images: Path) -> list[Task]:
    """Read the contest's task table (UTF-8, separated by commas or as a first line ``sep=;`` of Excel says).

    ``images`` is the folder that image names lie in.

    Cells are stripped of outer white space, ids otherwise kept as written; columns that the profile does not name and
    empty lines are ignored. That the pictures exist is left to ``check_input_images``.

    Raises:
        InputError: no readable CSV in UTF-8, or a column is missing.
        InputProblems: rows are wrong; its ``problems`` are all of them, each with its row and line.
    """
    columns, records = _header_and_rows(read_table_text(path), path)
    _check_columns(columns, profile, path)
    first_rows: _FirstRows = {}
    outcomes = [
        _task_or_problem(number, record, columns, profile, images, first_rows)
        for number, record in enumerate(records, 1)
    ]
    problems = [f"{path}: {outcome}" for outcome in outcomes if isinstance(outcome, str)]
    if problems:
        raise InputProblems(problems)
    if not outcomes:
        raise InputError(f"{path} has a header but no task; give a table with one row a task")
    return [outcome for outcome in outcomes if isinstance(outcome, Task)]


def check_stored_names(tasks: Iterable[Task], inputs: Path) -> None:
    """Raise ``InputError`` when ids or image names of tasks that a store holds would lead out of a folder."""
    for task in tasks:
        check_name(task.id, "the store's task", "restore the database from a backup")
        for name in (task.source, task.reference):
            if name is not None:
                check_image_name(name, inputs)


def _header_and_rows(text: str, path: Path) -> tuple[list[str], list[Record]]:
    """The columns of the CSV, and its rows."""
    said, text = split_sep_line(text)
    records = list(read_records(text, said or ",", path))
    if not records:
        raise InputError(f"{path} is empty; a header line and one row a task are expected")
    return [cell.strip() for cell in records[0].cells], records[1:]


def _row(number: int, record: Record, columns: list[str]) -> _Row:
    """A row by columns; one that is too short lacks what a spreadsheet leaves out, empty cells at its end."""
    surplus = len(record.cells) - len(columns)
    if surplus > 0:
        raise InputError(
            f"{len(record.cells)} fields instead of {len(columns)}; put a prompt with commas in double quotes"
        )
    cells = [cell.strip() for cell in record.cells] + [""] * -surplus
    return _Row(number, record.line, dict(zip(columns, cells, strict=True)))


def _check_columns(columns: list[str], profile: ContestProfile, path: Path) -> None:
    for name in profile.columns:
        if columns.count(name) > 1:
            raise InputError(f"{path}: column {name!r} occurs {columns.count(name)} times; keep one")
    missing = [name for name in profile.columns if name not in columns]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        named = f"column{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))}"
        raise InputError(f"{path}: {named} {are} missing{_missing_hint(missing, columns, profile)}")


def _missing_hint(missing: list[str], columns: list[str], profile: ContestProfile) -> str:
    if len(columns) == 1 and ";" in columns[0]:
        return ": the table is separated by semicolons; save it with commas, or put sep=; on top"
    if len(columns) == 1 and "\t" in columns[0]:
        return ": the table is separated by tabs; save it with commas"
    near = near_columns(missing, columns, profile)
    renames = ", ".join(f"rename {column!r} to {name!r}?" for name, column in near.items())
    return f"; {renames}" if renames else f"; the table has {', '.join(map(repr, columns[:12]))}"


def _task_or_problem(
    number: int, record: Record, columns: list[str], profile: ContestProfile, images: Path, first_rows: _FirstRows
) -> Task | str:
    try:
        row = _row(number, record, columns)
        task = _task(row, profile, images)
        _check_unique(task.id, row, profile, first_rows)
    except InputError as error:
        return f"row {number} (line {record.line}): {error}"
    return task


def _task(row: _Row, profile: ContestProfile, images: Path) -> Task:
    table = profile.table
    task_id = _checked_id(row.cells[table.id_column], profile)
    task_type, facts = _type_of(row.cells[table.type_column], profile)
    prompt = row.cells[table.prompt_column]
    if facts.prompt == "required" and not prompt:
        raise InputError(f"column {table.prompt_column!r} is empty, but a {facts.word!r} task needs a prompt")
    return Task(
        id=task_id,
        type=task_type,
        prompt=prompt,
        source=_image_name(row, facts.source, facts, images),
        reference=_image_name(row, facts.reference, facts, images),
        position=row.number - 1,
    )


def _checked_id(task_id: str, profile: ContestProfile) -> str:
    column = profile.table.id_column
    if profile.table.integer_ids and not re.fullmatch(r"[0-9]+", task_id):
        typed = half_width(task_id)
        if re.fullmatch(r"[0-9]+", typed):  # not read as that: ids are written into the submission as they are
            raise InputError(f"column {column!r} has {task_id!r} in full-width digits: type {typed!r}")
        if re.fullmatch(r"[0-9]+\.0+", typed):  # Excel and pandas write numbers so where a cell of the column is empty
            raise InputError(f"column {column!r} must be a whole number, got {task_id!r}: write {typed.split('.')[0]}")
        raise InputError(f"column {column!r} must be a whole number, got {task_id!r}")
    fault = _id_fault(task_id) or _place_fault(task_id, profile)
    if fault:
        raise InputError(f"column {column!r} must be usable as a file name: {task_id[:60]!r} {fault}")
    return task_id


def _id_fault(task_id: str) -> str | None:
    if len(task_id.encode()) > MAX_ID_BYTES:
        return f"is longer than {MAX_ID_BYTES} bytes in UTF-8"
    if set(task_id) & set("{}"):
        return "holds a brace, which templates are filled at"
    return name_fault(task_id, written=True)


def _place_fault(task_id: str, profile: ContestProfile) -> str | None:
    """What is wrong with the place of the task's image in the ZIP."""
    place = profile.export.image_path.replace("{id}", task_id)
    fault = name_fault(place, folders=True, written=True)
    if not fault and profile.export.is_at_the_manifest(place):
        fault = "is the place of the manifest"
    return f"gives the image the place {place!r}, which {fault}" if fault else None


def _type_of(word: str, profile: ContestProfile) -> tuple[TaskType, TaskFacts]:
    for task_type, facts in profile.task_types.items():
        if facts.word == word:
            return task_type, facts
    words = [facts.word for facts in profile.task_types.values()]
    raise InputError(f"unknown task type '{word}'{near_type(word, profile)}; the contest has {', '.join(words)}")


def _image_name(row: _Row, column: str | None, facts: TaskFacts, images: Path) -> str | None:
    if column is None:
        return None
    name = row.cells[column]
    if not name:
        raise InputError(f"column {column!r} is empty, but a {facts.word!r} task needs this image")
    check_image_name(name, images, written=True)  # `init` copies it into the campaign
    resolve_image(images, name)
    return name


def _check_unique(task_id: str, row: _Row, profile: ContestProfile, first_rows: _FirstRows) -> None:
    key = str(int(task_id)) if profile.table.integer_ids else same_file_key(task_id)
    if key not in first_rows:
        first_rows[key] = task_id, row.line
        return
    column, (first, line) = profile.table.id_column, first_rows[key]
    # 7 and 007 are one number, and a judge that reads the column as numbers would see one task.
    if first == task_id or profile.table.integer_ids:
        raise InputError(f"{column} {task_id!r} occurs twice, first on line {line}")
    raise InputError(f"{column} {task_id!r} is {first!r} of line {line} in other case: one file on Windows and macOS")
