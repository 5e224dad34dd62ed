"""From a table as it came to one that ``Study`` takes: names, scores with what is believed of them, and the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selector.contest.table_numbers import comma_hint, has_decimal_comma, with_point
from selector.domain import InputError
from selector.domain.words import did_you_mean, half_width, near_or_all
from selector.learn.belief import WORDS, Belief, checked_beliefs
from selector.learn.pool import Floats, Ints
from selector.learn.study import texts
from selector.tables._files import UNSCORED

if TYPE_CHECKING:
    import pandas as pd

IGNORE = "ignore"
_TRUTHS = {"true": "1", "false": "0"}  # of a test that a program passes, say
_OPTIONAL = ("task_type", "variant", "prompt_style", "finish", "finished_from")


@dataclass(frozen=True)
class Names:
    """Columns that name a row's task, candidate and generator.

    Where ``candidate`` is None, it is the column "candidate", or without one the row's number within its task; a
    generator is the column "generator", or without one all candidates have the same.
    """

    task: str = "task"
    candidate: str | None = None
    generator: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of names that a table may have."""
        chosen = (self.task, self.candidate or "candidate", self.generator or "generator", "task", "candidate")
        return tuple(dict.fromkeys((*chosen, *_OPTIONAL)))


@dataclass(frozen=True)
class Scores:
    """A table in the form of ``Study``, sorted by task and candidate, so that the order of its rows says nothing.

    ``place`` (n,) is each row's place in the table as it came. ``passed_over`` are columns that hold text.
    """

    table: pd.DataFrame
    place: Ints
    beliefs: Mapping[str, Belief]
    passed_over: tuple[str, ...]


def read_scores(table: pd.DataFrame, columns: Mapping[str, Belief | float | str], names: Names, source: str) -> Scores:
    """Check a table of scores and sort it.

    Args:
        table: one row a candidate.
        columns: score to what is believed of it, in the words of ``Study``, or "ignore".
        names: the columns of names.
        source: what the table is called in messages.

    Raises:
        InputError: a column that is not there, a row without a name, a score that is no number or is infinite.
    """
    made = _names_of(table, names, source)
    _check_columns(columns, [c for c in table.columns if c not in (*made, *names.columns)], source)
    passed_over = []
    for column in table.columns:
        if column in made or column in names.columns or columns.get(column) == IGNORE:
            continue
        found = numbers(table[column], f"{source}: column '{column}'")
        if found is not None:
            made[column] = found
        elif column in columns:
            raise InputError(
                f"{source}: column '{column}' holds text and no number, so it cannot be '{columns[column]}'"
                + why_no_number(table[column])
            )
        else:
            passed_over.append(str(column))
    beliefs = checked_beliefs({name: told for name, told in columns.items() if told != IGNORE})
    return _sorted(made, beliefs, tuple(passed_over))


def numbers(cells: pd.Series, place: str, cure: str = "(--column NAME=ignore leaves the column out)") -> Floats | None:
    """(n,) numbers, NaN where unscored, true and false as 1 and 0; None where nothing is a number.

    Args:
        cells: of one column.
        place: what it is called in messages.
        cure: what else can be done, beside mending the cell.

    Raises:
        InputError: some cells are numbers and others are not, or one is infinite; with the row.
    """
    import pandas as pd

    if cells.dtype.kind in "mM":
        return None
    if cells.dtype.kind in "biuf":
        values: Floats = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        text = cells.map(lambda cell: half_width(str(cell)).strip(), na_action="ignore")
        text = text.replace({word: one for truth, one in _TRUTHS.items() for word in (truth, truth.capitalize())})
        text = text.where(~text.isin(UNSCORED))
        values = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = np.flatnonzero(np.isnan(values) & text.notna().to_numpy())
        if len(wrong) and np.isnan(values).all():
            return None
        if len(wrong) and has_decimal_comma(cell := str(text.iloc[wrong[0]])):
            raise InputError(
                f"{place} has numbers with a point, but '{cell[:40]}' in row {wrong[0] + 1}, probably with a decimal "
                f"comma: write {with_point(cell)[:40]}, or commas in the whole column of a table with sep=; on top"
            )
        if len(wrong):
            raise InputError(
                f"{place} holds numbers, but '{str(cells.iloc[wrong[0]])[:40]}' in row {wrong[0] + 1}: put a number or "
                f"leave the cell empty {cure}".rstrip()
            )
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise InputError(
            f"{place} is infinite in row {infinite[0] + 1}: a score is a finite number, or empty where unscored"
        )
    return values


def why_no_number(cells: pd.Series) -> str:
    """What may be mended in a column in which ``numbers`` found none, to follow a message; maybe nothing."""
    texts_of = [cell for cell in cells if isinstance(cell, str) and cell.strip() not in UNSCORED]
    return comma_hint(texts_of)


def keys_of(table: pd.DataFrame, names: Names, source: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tasks and candidates of another table's rows, as text; under the names of the scores' columns or the usual ones.

    Raises:
        InputError: a column is missing, or a row has no name.
    """
    chosen = {"task": names.task, "candidate": names.candidate or "candidate"}
    found = {usual: name if name in table.columns else usual for usual, name in chosen.items()}
    for column in found.values():
        if column not in table.columns:
            raise InputError(f"{source} has no column '{column}'{near_or_all(column, map(str, table.columns))}")
    task, candidate = (_filled(table[column], column, source) for column in found.values())
    return task, candidate


def _names_of(table: pd.DataFrame, names: Names, source: str) -> dict[str, Any]:
    """The columns of names that ``Study`` reads, by its own names for them."""
    if not table.columns.is_unique:
        raise InputError(f"{source} has two columns '{table.columns[table.columns.duplicated()][0]}': rename one")
    for option, name in (("task", names.task), ("candidate", names.candidate), ("generator", names.generator)):
        if name is not None and name not in table.columns:
            raise InputError(
                f"{source} has no column '{name}'{near_or_all(name, map(str, table.columns))}; "
                f"--{option} COLUMN says which one names {option}s"
            )
    candidate = names.candidate or ("candidate" if "candidate" in table.columns else None)
    generator = names.generator or ("generator" if "generator" in table.columns else None)
    made: dict[str, Any] = {"task": table[names.task]}
    _filled(table[names.task], names.task, source)
    if candidate is None:
        tasks = np.array(texts(table[names.task]), dtype=object)
        made["candidate"] = table.groupby(tasks, sort=False).cumcount().to_numpy() + 1
    else:
        made["candidate"] = table[candidate]
        _filled(table[candidate], candidate, source)
    made["generator"] = "all" if generator is None else table[generator]
    for column in (generator, "task_type"):
        if column is not None and column in table.columns:
            _filled(table[column], column, source)
    return {**made, **{name: table[name] for name in _OPTIONAL if name in table.columns}}


def _filled(cells: pd.Series, column: str, source: str) -> tuple[str, ...]:
    found = texts(cells)
    if "" in found:
        raise InputError(
            f"{source}: column '{column}' is empty in row {found.index('') + 1}: fill it in, or leave the row out"
        )
    return found


def _check_columns(columns: Mapping[str, object], known: Sequence[Any], source: str) -> None:
    for name, told in columns.items():
        if name not in known:
            raise InputError(f"{source} has no score '{name}'{near_or_all(name, map(str, known))}")
        if isinstance(told, str) and told not in (*WORDS, IGNORE):
            ways = (*WORDS, IGNORE)
            raise InputError(
                f"column '{name}' cannot be '{told}'{did_you_mean(told, ways)}: say {', '.join(ways)}, or its "
                "correlation with the leaderboard, such as 0.4"
            )


def _sorted(columns: Mapping[str, Any], beliefs: Mapping[str, Belief], passed_over: tuple[str, ...]) -> Scores:
    import pandas as pd

    table = pd.DataFrame(columns)
    keys = pd.DataFrame({"task": texts(table["task"]), "candidate": texts(table["candidate"])})
    place = keys.sort_values(["task", "candidate"], kind="stable").index.to_numpy()
    return Scores(table.iloc[place].reset_index(drop=True), place, beliefs, passed_over)
