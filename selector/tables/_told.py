"""What was told of a table of scores: leaderboard totals with their picks, and judgements of single candidates."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from selector.contest.score import overall
from selector.domain import InputError
from selector.domain.words import did_you_mean, near_or_all
from selector.learn.pool import Floats, Ints
from selector.tables._files import read_table
from selector.tables._scores import Names, keys_of, numbers, why_no_number

if TYPE_CHECKING:
    import pandas as pd

_HIGHEST = 10.0  # of SC, PQ and totals

Locate = Callable[[Sequence[str], Sequence[str], str], Ints]  # tasks, candidates and their source to rows


@dataclass(frozen=True)
class Submission:
    """A submission: its picks as rows of the scores, and its total (0 to 10), None while it is still to come."""

    place: str  # "totals.csv: row 2", for messages
    picks: Path
    rows: Ints
    total: float | None
    label: str = ""


@dataclass(frozen=True)
class Judgements:
    """What one judge said: ``overall`` (n,) mean over its passes, NaN where it saw nothing.

    ``passes`` (m,) and ``rows`` (m,) are what it said each time, and of which row of the scores.
    """

    column: str  # under which it stands beside the scores
    overall: Floats
    passes: Floats
    rows: Ints


def locator(table: pd.DataFrame) -> Locate:
    """A function that finds rows of the scores by task and candidate, and raises ``InputError`` for an unknown one."""
    import pandas as pd

    from selector.learn.study import texts

    tasks, candidates = texts(table["task"]), texts(table["candidate"])
    index = pd.MultiIndex.from_arrays([tasks, candidates])

    def locate(task: Sequence[str], candidate: Sequence[str], source: str) -> Ints:
        rows: Ints = index.get_indexer(pd.MultiIndex.from_arrays([task, candidate]))
        if (rows < 0).any():
            row = int(np.argmax(rows < 0))
            t, c = task[row], candidate[row]
            known = [one for of, one in zip(tasks, candidates, strict=True) if of == t]
            hint = near_or_all(c, known) if known else f": there is no such task{did_you_mean(t, tasks)}"
            raise InputError(f"{source}: row {row + 1}: task '{t}' has no candidate '{c}'{hint}")
        return rows

    return locate


def read_totals(path: Path, names: Names, locate: Locate) -> list[Submission]:
    """Submissions, oldest first, from a table with columns ``total`` and ``picks`` and maybe ``label``.

    ``picks`` is the file of a table with task and candidate, beside the table of totals; an empty total is pending.

    Raises:
        InputError: a column or a file is missing, a total out of range, picks of an unknown candidate.
    """
    table = read_table(path, "table of totals", ("picks", "label"))
    _check_columns(table, ("total", "picks"), path)
    totals = numbers(table["total"], f"{path}: column 'total'")
    if totals is None:
        totals = np.full(len(table), np.nan)
        if table["total"].notna().any():
            raise InputError(f"{path}: column 'total' holds no number{why_no_number(table['total'])}")
    labels = table["label"].fillna("").astype(str) if "label" in table.columns else [""] * len(table)
    made = []
    for row, (total, picks, label) in enumerate(zip(totals.tolist(), table["picks"], labels, strict=True), 1):
        place = f"{path}: row {row}"
        if not isinstance(picks, str) or not picks.strip():
            raise InputError(f"{place} names no file in 'picks': give the table that `bestshot select --out` wrote")
        if total == total and not 0.0 <= total <= _HIGHEST:
            raise InputError(f"{place}: a total lies between 0 and {_HIGHEST:g}, got {total:g}: scale it if need be")
        file = path.parent / picks.strip()
        if not os.path.isfile(file):  # noqa: PTH113 (a name that no disk takes is none, not an error)
            raise InputError(
                f"{place}: there is no file '{picks}' beside the table of totals: give its path from there"
            )
        chosen = read_table(file, "table of picks", names.columns)
        rows = locate(*keys_of(chosen, names, str(file)), str(file))
        made.append(Submission(place, file, rows, total if total == total else None, label))
    return made


def read_judgements(path: Path, names: Names, locate: Locate, n: int) -> list[Judgements]:
    """What judges said, one entry a judge, from a table with task, candidate, and ``overall`` or ``sc`` and ``pq``.

    ``judge`` may name who judged. Several rows of one candidate by one judge are passes: their mean counts.

    Raises:
        InputError: a column is missing, a score out of range, an unknown candidate.
    """
    table = read_table(path, "table of judgements", (*names.columns, "judge"))
    rows = locate(*keys_of(table, names, str(path)), str(path))
    scores = _overall(table, path)
    judges = table["judge"].fillna("").astype(str).str.strip() if "judge" in table.columns else None
    of_judge = np.full(len(table), "") if judges is None else judges.to_numpy(dtype=str)
    made = []
    for judge in sorted(set(of_judge.tolist())):
        seen = (of_judge == judge) & ~np.isnan(scores)
        counts = np.bincount(rows[seen], minlength=n)
        sums = np.bincount(rows[seen], weights=scores[seen], minlength=n)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        made.append(Judgements(f"judged by {judge}" if judge else "judged", means, scores[seen], rows[seen]))
    return made


def _overall(table: pd.DataFrame, path: Path) -> Floats:
    if "overall" in table.columns:
        return _scores(table, "overall", path)
    if not {"sc", "pq"} <= set(table.columns):
        raise InputError(f"{path} needs a column 'overall', or the two columns 'sc' and 'pq'; it has {_listed(table)}")
    both: Floats = overall(*(_scores(table, name, path) for name in ("sc", "pq")))
    return both


def _scores(table: pd.DataFrame, name: str, path: Path) -> Floats:
    found = numbers(table[name], f"{path}: column '{name}'")
    if found is None:
        raise InputError(f"{path}: column '{name}' holds no number{why_no_number(table[name])}")
    wrong = np.flatnonzero((found < 0) | (found > _HIGHEST))
    if len(wrong):
        raise InputError(
            f"{path}: row {wrong[0] + 1}: {name} is {found[wrong[0]]:g}, not from 0 to {_HIGHEST:g}: rescale the column"
        )
    return found


def _check_columns(table: pd.DataFrame, needed: Sequence[str], path: Path) -> None:
    for name in needed:
        if name not in table.columns:
            raise InputError(f"{path} has no column '{name}'; it has {_listed(table)}")


def _listed(table: pd.DataFrame) -> str:
    return ", ".join(map(str, table.columns))
