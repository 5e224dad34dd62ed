"""The verb ``import-scores``: columns that any tool computed become scores like all others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from selector.domain import Column, InputError, Task
from selector.measure._names_in_tables import Candidates, Exported, Key
from selector.measure._score_table import ScoreTable, column_from, read_score_table, told_as
from selector.store.candidates import candidate_keys
from selector.store.imported import (
    Imported,
    Values,
    add_imported,
    declare,
    imported_columns,
    imported_values,
    made_as,
    submissions_by_age,
)
from selector.store.picks import load_submission_picks
from selector.workspace.workspace import Workspace


@dataclass(frozen=True)
class Lacking:
    """``candidates`` of ``tasks`` that have no value, where others of the same task have one."""

    candidates: int
    tasks: int


@dataclass(frozen=True)
class ImportedSummary:
    """What a table of scores brought.

    ``columns``: name to what is declared of it, in words. ``matched``: rows that named a candidate; ``unmatched``: the
    others, each with its reason; ``repeated``: matched rows whose candidate an earlier row names. Values are ``new``,
    ``changed`` from an earlier import, or ``known`` already; ``empty`` cells of matched rows say nothing.
    ``passed_over``: columns that are neither names nor declared. ``lacking``: columns in which a task of the table has
    candidates with a value and without, and how many.
    """

    columns: dict[str, str]
    version: str
    matched: int
    repeated: int
    unmatched: tuple[str, ...]
    new: int
    changed: int
    known: int
    empty: int
    passed_over: tuple[str, ...]
    lacking: dict[str, Lacking]


@dataclass(frozen=True)
class _Matched:
    """``values`` by candidate and column, and of the table's rows what ``ImportedSummary`` says of them."""

    values: Values
    repeated: int
    empty: int
    unmatched: tuple[str, ...]


def import_scores(
    ws: Workspace, tasks: Sequence[Task], path: Path, columns: Sequence[str] = (), redeclare: bool = False
) -> ImportedSummary:
    """Store the values of a table, and what its columns mean.

    Args:
        path: one row a candidate: see ``docs/scoring.md``.
        columns: what they mean, in the form of ``column_from``; what an earlier import told need not be told again.
        redeclare: whether ``columns`` may say something else than an earlier import did; values that are there stay.

    Raises:
        InputError: the table or a declaration is wrong, two rows contradict each other, or no row names a candidate;
            nothing was stored then.
    """
    declared = [column_from(text) for text in columns]
    with ws.db.read() as connection:
        before = imported_columns(ws.db, connection)
    if before is not None and not redeclare:
        _check_same(declared, before.columns)
    table = read_score_table(path, declared, before.columns if before else ())
    with ws.db.write() as connection:
        if imported_columns(ws.db, connection) != before:
            raise InputError("another process has imported scores meanwhile: run the same command again")
        candidates = _candidates(ws, connection, tasks)
        matched = _matched(table, candidates, path)
        said = matched.values
        stored = imported_values(connection, before.version) if before else {}
        now, changed = _together(before, table.columns, stored, said)
        if before is None or now != before:
            declare(ws.db, connection, now)
        begins = before is None or now.version != before.version
        there = {} if begins else stored
        lacking = {key: value for key, value in {**stored, **said}.items() if key not in there}
        add_imported(ws.db, connection, now.version, lacking)
        keys = [(task, candidate) for task, candidate, fallback in candidate_keys(connection) if not fallback]
    new = sum(key not in stored for key in said)
    return ImportedSummary(
        columns={column.name: column.what for column in table.columns},
        version=now.version,
        matched=len(table.rows) - len(matched.unmatched),
        repeated=matched.repeated,
        unmatched=matched.unmatched,
        new=new,
        changed=changed,
        known=len(said) - new - changed,
        empty=matched.empty,
        passed_over=table.passed_over,
        lacking=_lacking(table.columns, {task for task, _, _ in said}, keys, {**stored, **said}),
    )


def _lacking(
    columns: Sequence[Column], tasks: Collection[str], keys: Sequence[Key], values: Values
) -> dict[str, Lacking]:
    found = {}
    for column in columns:
        partly = {task for task, _, name in values if name == column.name} & set(tasks)
        without = [task for task, candidate in keys if task in partly and (task, candidate, column.name) not in values]
        if without:
            found[column.name] = Lacking(len(without), len(set(without)))
    return found


def _check_same(declared: Sequence[Column], before: Sequence[Column]) -> None:
    """A slip in --column must not turn what is stored round: where up becomes down, the best becomes the worst."""
    old = {column.name: column for column in before}
    for column in declared:
        was, now = told_as(old.get(column.name, column)), told_as(column)
        if was != now:
            raise InputError(
                f"column '{column.name}' was declared as {was} by an earlier import, and now as {now}: leave out "
                "--column to keep it, add --redeclare to change it for all its values, or give the column another name"
            )


def _together(before: Imported | None, columns: Sequence[Column], stored: Values, said: Values) -> tuple[Imported, int]:
    """What holds from now on, and how many values changed: a new version where one did, or what a column means."""
    if before is None:
        return Imported("1", tuple(columns)), 0
    changed = sum(stored.get(key, value) != value for key, value in said.items())
    old = {column.name: column for column in before.columns}
    moved = any(told_as(column) != told_as(old[column.name]) for column in columns if column.name in old)
    version = str(int(before.version) + 1) if changed or moved else before.version
    merged = {**old, **{column.name: column for column in columns}}
    _check_ranges(columns, {key: value for key, value in stored.items() if key not in said})
    return Imported(version, tuple(merged.values())), changed


def _check_ranges(columns: Sequence[Column], kept: Values) -> None:
    """Values that stay must lie in the range that is declared now."""
    ranges = {column.name: column for column in columns}
    for (task_id, candidate_id, name), value in kept.items():
        column = ranges.get(name)
        if column is not None and not column.low <= value <= column.high:
            raise InputError(
                f"column '{name}' is declared as {column.low:g} to {column.high:g}, but candidate {candidate_id[:12]} "
                f"of task {task_id} has {value:g} from an earlier import: declare a range that holds it"
            )


def _matched(table: ScoreTable, candidates: Candidates, path: Path) -> _Matched:
    """Values by candidate, and what became of the rows: several may say of one candidate what does not differ."""
    values: Values = {}
    rows: dict[tuple[str, str, str], int] = {}  # which gave each value
    seen = set[Key]()
    repeated = empty = 0
    unmatched: list[str] = []
    for row in table.rows:
        try:
            key = candidates.named(row.names)
        except InputError as error:
            unmatched.append(f"row {row.number}: {error}")
            continue
        repeated += key in seen
        seen.add(key)
        empty += len(table.columns) - len(row.values)
        for name, value in row.values.items():
            cell = (*key, name)
            if values.setdefault(cell, value) != value:
                raise InputError(
                    f"{path}: rows {rows[cell]} and {row.number} have other scores of the same candidate {key[1][:12]} "
                    f"of task {key[0]}: keep one"
                )
            rows.setdefault(cell, row.number)
    if not seen:
        raise InputError(f"{path}: no row names a candidate of this campaign; {unmatched[0]}")
    return _Matched(values, repeated, empty, tuple(unmatched))


def _candidates(ws: Workspace, connection: Connection, tasks: Sequence[Task]) -> Candidates:
    keys = [(task_id, candidate_id) for task_id, candidate_id, _ in candidate_keys(connection)]
    by_age, picks = submissions_by_age(connection), load_submission_picks(connection)
    exported = [
        Exported((task_id, pick.candidate_id), submission, _place(ws, task_id), submission == by_age[-1])
        for submission in by_age
        for task_id, pick in picks.get(submission, {}).items()
    ]
    return Candidates(keys, [task.id for task in tasks], made_as(connection), exported)


def _place(ws: Workspace, task_id: str) -> str:
    return ws.profile.export.image_path.replace("{id}", task_id)
