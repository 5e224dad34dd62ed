"""A table of another tool's scores: which columns name candidates, which are scores, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from selector.config import IMPORTED
from selector.domain import Axis, Column, InputError
from selector.domain.columns import ESTIMATES, STATE, declared_column, need_unique
from selector.domain.words import near_or_all
from selector.learn.study import texts
from selector.tables import numbers, read_table, why_no_number

if TYPE_CHECKING:
    import pandas as pd

_ALIASES = {
    "task": ("task", "task_id"),
    "candidate": ("candidate", "candidate_id"),
    "file": ("file", "filename", "file_name", "image", "image_path", "path"),
    "generator": ("generator",),
    "variant": ("variant",),
    "seed": ("seed",),
}
_ALONE = ("candidate", "file")  # the others only narrow down
_FORM = "NAME:LOW:HIGH:up|down:sc|pq"
_AXES = (Axis.SC.value, Axis.PQ.value)
_TRUTHS = ("true", "false")


@dataclass(frozen=True)
class ScoreRow:
    """``number``: from 1; ``names``: what it says of its candidate, never empty; ``values``: by column."""

    number: int
    names: Mapping[str, str]
    values: Mapping[str, float]


@dataclass(frozen=True)
class ScoreTable:
    """``columns``: those whose values the rows hold. ``passed_over``: the table's other columns."""

    rows: tuple[ScoreRow, ...]
    columns: tuple[Column, ...]
    passed_over: tuple[str, ...]


def column_from(text: str) -> Column:
    """A column as the command line says it, ``hpsv3:-30:30:up:pq``.

    Raises:
        InputError: it is not of that form, or a part of it is wrong.
    """
    name, *facts = text.rsplit(":", 4)
    if len(facts) != 4:
        raise InputError(f"a column is told as {_FORM}, such as hpsv3:-30:30:up:sc; got '{text[:80]}'")
    try:
        low, high = (float(part) for part in facts[:2])
    except ValueError:
        raise InputError(f"column '{name}': LOW and HIGH of {_FORM} must be numbers, got '{text[:80]}'") from None
    if facts[3] not in (*_AXES, Axis.GATE.value):  # a gate has a message of its own, which says why
        raise InputError(f"column '{name}': axis must be one of {', '.join(_AXES)}; got '{facts[3][:40]}'")
    return declared_column({"name": name, "low": low, "high": high, "better": facts[2], "axis": facts[3]})


def told_as(column: Column) -> str:
    """The column's meaning as the command line says it, without its name: ``-30:30:up:pq``."""
    better = "up" if column.higher_is_better else "down"
    return f"{column.low:.15g}:{column.high:.15g}:{better}:{column.axis.value}"


def read_score_table(path: Path, declared: Sequence[Column], known: Sequence[Column]) -> ScoreTable:
    """Read and check the table.

    Args:
        path: CSV, TSV, JSON, JSON lines or Parquet.
        declared: what the user says of its columns. known: what was said of columns at earlier imports.

    Raises:
        InputError: unreadable; no column names candidates; a declared column is missing or a gate; no column is
            declared; a cell is no number, is infinite or out of its column's range.
    """
    need_unique(column.name for column in declared)
    table = read_table(path, "table of scores", [alias for names in _ALIASES.values() for alias in names])
    table = table.rename(columns={f"{IMPORTED}.{c.name}": c.name for c in known if c.name not in table.columns})
    naming = _naming(table, path)
    columns = _chosen(table, declared, known, path, [*naming.values()])
    values = {column.name: _values(table, column, path) for column in columns}
    names = {kind: texts(table[name]) for kind, name in naming.items()}
    rows = (
        ScoreRow(
            number + 1,
            {kind: own[number] for kind, own in names.items() if own[number]},
            {name: float(own[number]) for name, own in values.items() if not np.isnan(own[number])},
        )
        for number in range(len(table))
    )
    used = {*values, *naming.values()}
    return ScoreTable(tuple(rows), tuple(columns), tuple(str(c) for c in table.columns if c not in used))


def _naming(table: pd.DataFrame, path: Path) -> dict[str, str]:
    """What a row can say of its candidate to the column that says it."""
    found: dict[str, str] = {}
    for kind, aliases in _ALIASES.items():
        there = [alias for alias in aliases if alias in table.columns]
        if len(there) > 1:
            raise InputError(f"{path} has the columns '{there[0]}' and '{there[1]}', which say the same: leave one out")
        found |= {kind: there[0]} if there else {}
    if not set(found) & set(_ALONE) and not {"task", "generator"} <= set(found):
        raise InputError(
            f"{path} names no candidates: it needs a column candidate (an id), file, or task and generator; it has "
            f"{', '.join(map(str, table.columns[:12]))}"
        )
    return found


def _chosen(
    table: pd.DataFrame, declared: Sequence[Column], known: Sequence[Column], path: Path, naming: Sequence[str]
) -> list[Column]:
    """The columns to be taken: those declared now, and those of the table that are known from before."""
    for column in declared:
        if column.name not in table.columns:
            raise InputError(f"{path} has no column '{column.name}'{near_or_all(column.name, map(str, table.columns))}")
        if column.axis is Axis.GATE:
            raise InputError(f"column '{column.name}': an imported score informs sc or pq and cannot be a gate")
        if column.name in naming:
            raise InputError(f"column '{column.name}' names candidates, so it cannot be a score: rename it")
    own = {column.name for column in declared}
    chosen = [*declared, *(c for c in known if c.name in table.columns and c.name not in own)]
    if not chosen:
        raise InputError(f"{path}: {_what_to_say(table, naming)}")
    return chosen


def _what_to_say(table: pd.DataFrame, naming: Sequence[str]) -> str:
    """What is to be declared, with the range that the table shows; not what `bestshot scores` has written itself."""
    ours = {*naming, *STATE, *ESTIMATES}
    for name in sorted(table.columns, key=lambda name: "." in str(name)):  # scores of the campaign's scorers last
        cells: Any = table[name]
        if name not in ours and cells.dtype.kind in "biuf" and cells.notna().any():
            seen = f"it holds {float(cells.min()):g} to {float(cells.max()):g}"
            return f"say what its scores mean, as in --column '{name}:LOW:HIGH:up:pq' ({seen}); up or down, sc or pq"
    return "it has no column of numbers: a score is a number"


def _values(table: pd.DataFrame, column: Column, path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(n,) values, NaN where the cell is empty."""
    where = f"{path}: column '{column.name}'"
    _check_no_truths(table[column.name], where)
    found = numbers(table[column.name], where, "")
    if found is None or np.isnan(found).all():
        raise InputError(f"{where} holds no number{why_no_number(table[column.name])}")
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero((found < column.low) | (found > column.high))
    if len(wrong):
        raise InputError(
            f"{where} is declared as {column.low:g} to {column.high:g}, but row {wrong[0] + 1} has "
            f"{found[wrong[0]]:g}: mend the cell, or declare the range that the tool can give"
        )
    return found


def _check_no_truths(cells: pd.Series, where: str) -> None:
    """``numbers`` reads true as 1, for tests that a program passes; nobody meant that by a score within a range."""
    if cells.dtype.kind in "iuf":
        return
    wrong = np.flatnonzero(cells.map(lambda cell: str(cell).strip().lower() in _TRUTHS).to_numpy(dtype=bool))
    if len(wrong):
        cell = str(cells.iloc[wrong[0]]).strip().lower()
        raise InputError(f"{where} has {cell} in row {wrong[0] + 1}, which is no number: write 1 or 0 if that is meant")
