"""The verb ``import-scores``: columns that any tool computed become scores like all others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from selector.domain import Column, InputError, Task
from selector.measure._names_in_tables import Candidates, Exported, Key
from selector.measure._score_table import ScoreRow, ScoreTable, column_from, read_score_table
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
    others, each with its reason. Values are ``new``, ``changed`` from an earlier import, or ``known`` already;
    ``empty`` cells of matched rows say nothing. ``passed_over``: columns that are neither names nor declared.
    ``lacking``: columns in which a task of the table has candidates with a value and without, and how many.
    """

    columns: dict[str, str]
    version: str
    matched: int
    unmatched: tuple[str, ...]
    new: int
    changed: int
    known: int
    empty: int
    passed_over: tuple[str, ...]
    lacking: dict[str, Lacking]


def import_scores(ws: Workspace, tasks: Sequence[Task], path: Path, columns: Sequence[str] = ()) -> ImportedSummary:
    """Store the values of a table, and what its columns mean.

    Args:
        path: one row a candidate: see ``docs/scoring.md``.
        columns: what they mean, in the form of ``column_from``; what an earlier import told need not be told again.

    Raises:
        InputError: the table or a declaration is wrong, two rows contradict each other, or no row names a candidate;
            nothing was stored then.
    """
    declared = [column_from(text) for text in columns]
    with ws.db.read() as connection:
        before = imported_columns(ws.db, connection)
    table = read_score_table(path, declared, before.columns if before else ())
    with ws.db.write() as connection:
        if imported_columns(ws.db, connection) != before:
            raise InputError("another process has imported scores meanwhile: run the same command again")
        candidates = _candidates(ws, connection, tasks)
        said, unmatched = _matched(table, candidates, path)
        stored = imported_values(connection, before.version) if before else {}
        now, changed = _together(before, table.columns, stored, said)
        if before is None or now != before:
            declare(ws.db, connection, now)
        begins = before is None or now.version != before.version
        there = {} if begins else stored
        lacking = {key: value for key, value in {**stored, **said}.items() if key not in there}
        add_imported(ws.db, connection, now.version, lacking)
        keys = [(task, candidate) for task, candidate, fallback in candidate_keys(connection) if not fallback]
    matched = len(table.rows) - len(unmatched)
    new = sum(key not in stored for key in said)
    return ImportedSummary(
        columns={column.name: column.what for column in table.columns},
        version=now.version,
        matched=matched,
        unmatched=tuple(unmatched),
        new=new,
        changed=changed,
        known=len(said) - new - changed,
        empty=matched * len(table.columns) - len(said),
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


def _together(before: Imported | None, columns: Sequence[Column], stored: Values, said: Values) -> tuple[Imported, int]:
    """What holds from now on, and how many values changed: a new version where one did, or a column's range."""
    if before is None:
        return Imported("1", tuple(columns)), 0
    changed = sum(stored.get(key, value) != value for key, value in said.items())
    old = {column.name: column for column in before.columns}
    moved = any((c.low, c.high) != (old[c.name].low, old[c.name].high) for c in columns if c.name in old)
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


def _matched(table: ScoreTable, candidates: Candidates, path: Path) -> tuple[Values, list[str]]:
    """Values by candidate, and the rows that named none, with the reasons."""
    said: Values = {}
    rows: dict[Key, ScoreRow] = {}
    unmatched: list[str] = []
    for row in table.rows:
        try:
            key = candidates.named(row.names)
        except InputError as error:
            unmatched.append(f"row {row.number}: {error}")
            continue
        first = rows.setdefault(key, row)
        if first is not row and dict(first.values) != dict(row.values):
            raise InputError(
                f"{path}: rows {first.number} and {row.number} have other scores of the same candidate {key[1][:12]} "
                f"of task {key[0]}: keep one"
            )
        said |= {(*key, name): value for name, value in row.values.items()}
    if not rows:
        raise InputError(f"{path}: no row names a candidate of this campaign; {unmatched[0]}")
    return said, unmatched


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
