"""A table of scores that a judge gave to single candidates: CSV or TSV to checked numbers. Knows no store.

Columns: ``task``, ``candidate``, and of the scores ``sc``, ``pq`` (0 to 10), the profile's sub-scores (the smallest of
an axis counts), and for face swaps ``cosine`` (-1 to 1). An empty cell is *not judged*. ``pass`` numbers the passes of
a candidate that has several rows. Other columns are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path

from selector.contest.profile import ContestProfile
from selector.contest.score import HIGHEST, LOWEST, sc_from_cosine, smallest_part
from selector.contest.table_numbers import (
    are_decimal_commas,
    has_decimal_comma,
    takes_decimal_commas,
    with_point,
)
from selector.contest.table_rows import Record, delimiter_of, read_records, unharmed
from selector.contest.table_text import read_table_text
from selector.domain import InputError, TaskType
from selector.domain.words import did_you_mean, half_width

TASK, CANDIDATE, PASS, COSINE = "task", "candidate", "pass", "cosine"
_NAMES = (TASK, CANDIDATE, PASS)  # of columns that hold no score
SC, PQ = "sc", "pq"
_SAME = 1e-6
_MOST_PASSES = 1000
_TYPING_ERROR = 0.85  # likeness of names: 'edit_sucess' has 0.96, the innocent 'prompt' to 'prompt_following' 0.55


@dataclass(frozen=True)
class JudgedRow:
    """One row as written. ``place``: "row 3 (line 4)", for messages; ``cells``: its scores by column, never empty.

    ``number``: of the pass, "" where the table does not say.
    """

    place: str
    task: str
    candidate: str
    number: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Axis:
    """What a row says of SC or PQ: its value on 0 to 10, or None for nothing, and what it was made of."""

    value: float | None
    parts: Mapping[str, float]


def read_judgement_table(
    path: Path, profile: ContestProfile, needs_scores: bool = True
) -> tuple[list[JudgedRow], tuple[str, ...]]:
    """The rows, and the columns that were passed over; a plan of what is to be judged needs no column of scores.

    Raises:
        InputError: no readable CSV or TSV in UTF-8, a column is missing or doubled, no row.
    """
    delimiter, text = delimiter_of(read_table_text(path, "table of judgements"))
    records = list(read_records(text, delimiter, path))
    if len(records) < 2:
        raise InputError(f"{path} holds no row: a header line and one row a judged candidate are expected")
    header = [cell.strip() for cell in records[0].cells]
    scores = score_columns(profile)
    _check_header(header, scores, path, needs_scores)
    rows = [_row(number, record, header, scores, path) for number, record in enumerate(records[1:], 1)]
    if takes_decimal_commas(delimiter):
        rows = _with_points(rows, scores)
    return rows, tuple(name for name in header if name and name not in (*_NAMES, *scores))


def _with_points(rows: Sequence[JudgedRow], scores: Sequence[str]) -> list[JudgedRow]:
    """The rows with the numbers of a column that has them all like ``7,5`` as ``7.5``."""
    commas = {name for name in scores if are_decimal_commas(row.cells[name] for row in rows if name in row.cells)}
    return [
        replace(row, cells={name: with_point(cell) if name in commas else cell for name, cell in row.cells.items()})
        for row in rows
    ]


def score_columns(profile: ContestProfile) -> tuple[str, ...]:
    """Every column that can hold a score under this profile."""
    names = [SC, PQ]
    for facts in profile.task_types.values():
        names += [*facts.sc_parts, *([COSINE] if facts.sc == "face_cosine" else [])]
    return tuple(dict.fromkeys([*names, *profile.score.pq_parts]))


def read_pass_number(text: str) -> int:
    """Number of a pass as a cell says it, 0 for an empty one; raises ``InputError``."""
    if text and not (text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= _MOST_PASSES):
        raise InputError(f"'{PASS}' must be a whole number from 1 to {_MOST_PASSES}, or empty, got '{text[:40]}'")
    return int(text or 0)


def read_axes(cells: Mapping[str, str], task_type: TaskType, profile: ContestProfile) -> tuple[Axis, Axis]:
    """(SC, PQ) that the cells of one row say of a candidate of this type.

    Raises:
        InputError: no number, out of range, some sub-scores of an axis without the others, a value that contradicts
            its sub-scores, a column that another task type has.
    """
    facts = profile.task_types[task_type]
    swap = facts.sc == "face_cosine"
    for name in cells:
        if name not in (SC, PQ, *facts.sc_parts, *profile.score.pq_parts) and not (swap and name == COSINE):
            raise InputError(f"column '{name}' says nothing of a {task_type.value} task: leave it empty there")
    sc, pq = _axis(cells, SC, facts.sc_parts), _axis(cells, PQ, profile.score.pq_parts)
    return (_with_cosine(cells, sc, profile) if COSINE in cells and swap else sc), pq


def _axis(cells: Mapping[str, str], name: str, part_names: Sequence[str]) -> Axis:
    parts = {part: _number(cells, part, LOWEST, HIGHEST) for part in part_names if part in cells}
    whole = _number(cells, name, LOWEST, HIGHEST) if name in cells else None
    if not parts:
        return Axis(whole, {})
    missing = [part for part in part_names if part not in parts]
    if missing:
        raise InputError(
            f"'{missing[0]}' is empty beside '{next(iter(parts))}', and {name} is their smallest: give all or none"
        )
    return Axis(_agreed(whole, float(smallest_part(list(parts.values()))), name, ", ".join(part_names)), parts)


def _with_cosine(cells: Mapping[str, str], sc: Axis, profile: ContestProfile) -> Axis:
    cosine = _number(cells, COSINE, -1.0, 1.0)
    value = float(sc_from_cosine(cosine, profile.score))
    return Axis(_agreed(sc.value, value, SC, COSINE), {**sc.parts, COSINE: cosine})


def _agreed(whole: float | None, from_parts: float, name: str, what: str) -> float:
    if whole is not None and abs(whole - from_parts) > _SAME:
        raise InputError(f"{name} is {whole:g}, but {from_parts:g} follows from {what}: keep one of the two")
    return from_parts


def _number(cells: Mapping[str, str], name: str, low: float, high: float) -> float:
    text = cells[name]
    try:
        value = float(half_width(text))
    except ValueError:
        value = float("nan")
    if has_decimal_comma(text):
        raise InputError(
            f"'{name}' must be a number with a point, got '{text[:40]}', probably with a decimal comma: write "
            f"{with_point(text)[:40]}, or commas in the whole column of a table with sep=; on top"
        )
    if not low <= value <= high:
        raise InputError(f"'{name}' must be a number from {low:g} to {high:g}, or empty, got '{text[:40]}'")
    return value + 0.0  # -0 is 0


def _check_header(header: Sequence[str], scores: Sequence[str], path: Path, needs_scores: bool) -> None:
    for name in (*_NAMES, *scores):
        if header.count(name) > 1:
            raise InputError(f"{path}: column '{name}' occurs {header.count(name)} times; keep one")
    for name in (TASK, CANDIDATE):
        if name not in header:
            raise InputError(f"{path}: column '{name}' is missing{_hint(name, header)}")
    if needs_scores and not set(header) & set(scores):
        raise InputError(f"{path} has no column of scores: expected are some of {', '.join(scores)}")
    for name in sorted(set(header) - {*_NAMES, *scores}):
        for meant in sorted(set(scores) - set(header)):
            if SequenceMatcher(None, name.casefold(), meant).ratio() >= _TYPING_ERROR:
                raise InputError(f"{path}: unknown column '{name}' (did you mean '{meant}'?): rename or remove it")


def _hint(name: str, header: Sequence[str]) -> str:
    if len(header) == 1 and ";" in header[0]:
        return ": the table is separated by semicolons; save it with commas or tabs, or put sep=; on top"
    return did_you_mean(name, header) or f"; the table has {', '.join(header[:12])}"


def _row(number: int, record: Record, header: Sequence[str], scores: Sequence[str], path: Path) -> JudgedRow:
    place, cells = f"row {number} (line {record.line})", record.cells
    if len(cells) != len(header):
        raise InputError(f"{path}: {place}: {len(cells)} fields instead of {len(header)}; quote a text with commas")
    named = {name: unharmed(cell.strip()) for name, cell in zip(header, cells, strict=True)}
    given = {name: named[name] for name in scores if named.get(name)}
    return JudgedRow(place, named[TASK], named[CANDIDATE].lower(), named.get(PASS, ""), given)
