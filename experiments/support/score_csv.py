"""Reads tables of published scores (CSV, one row a candidate) into a ``ScoreTable``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.score_table import PQ, SC, TOP, Floats, ScoreTable, Shown, overall, proxy_of
from selector.domain import InputError

SETS = ("cheap", "cheap+judge")
CHEAP_JUDGES = ("llava", "qwenvl", "blip2", "instructblip")
LOCAL_JUDGE = "gemini"
SHOT = "_0shot"
# People and the families of judges that leaderboards use: never a feature, whatever they are called further.
NEVER = ("human", "gpt4o", "gpt4v")


def parse_sets(text: str) -> tuple[str, ...]:
    """Names of proxy sets separated by commas, each once, in the order given.

    Raises:
        InputError: when a name is unknown, or there is none.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in SETS]
    if unknown or not names:
        came = repr(unknown[0]) if unknown else "nothing"
        raise InputError(f"--proxies: expected {' or '.join(SETS)} (or both with a comma), got {came}")
    return names


def columns_of(name: str, header: Iterable[str], leaderboard: str) -> tuple[str, ...]:
    """Columns of the set that ``header`` has, judges as pairs, without those of the leaderboard's own judge.

    Raises:
        InputError: when the local judge is asked for and is not there, or when no proxy is left.
    """
    present = list(header)
    autos = [column for column in present if column.startswith("auto_")]
    judges = [judge + SHOT for judge in CHEAP_JUDGES]
    if name == "cheap+judge":
        judge = LOCAL_JUDGE + SHOT
        if judge == leaderboard:
            raise InputError(f"--proxies cheap+judge: {judge} is the leaderboard here; choose cheap, or another judge")
        if not _has_judge(judge, present):
            raise InputError(
                f"--proxies cheap+judge: the judge {LOCAL_JUDGE} is absent from the table (columns {judge}{SC} and "
                f"{judge}{PQ}); choose cheap, or add them"
            )
        judges.append(judge)
    pairs = [judge + axis for judge in judges if _has_judge(judge, present) for axis in (SC, PQ)]
    found = tuple(column for column in [*autos, *pairs] if may_be_seen(column, leaderboard))
    if not found:
        raise InputError(
            f"--proxies {name}: the table has no proxy at all; expected an auto_* column or one of "
            f"{', '.join(judge + SHOT + '_sc/_pq' for judge in CHEAP_JUDGES)}"
        )
    return found


def may_be_seen(column: str, leaderboard: str) -> bool:
    """Whether a column may be a feature: nothing of people, of GPT-4 or of the leaderboard's judge may."""
    return not column.startswith(NEVER) and proxy_of(column) != leaderboard


def _has_judge(judge: str, header: Sequence[str]) -> bool:
    return judge + SC in header and judge + PQ in header


@dataclass(frozen=True, eq=False)
class Frame:
    """One table as read: texts that identify the rows, and all columns that may be numbers, as text."""

    path: Path
    data: Any  # pandas.DataFrame of str

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(self.data.columns)

    def numbers(self, column: str) -> Floats:
        """(rows,) values of a column; NaN where empty, or everywhere when the table does not have it."""
        import pandas as pd

        if column not in self.data.columns:
            return np.full(len(self.data), np.nan)
        text = self.data[column].str.strip().replace("", np.nan)
        values = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, copy=True)
        values[~np.isfinite(values)] = np.nan
        strange = text.notna().to_numpy() & np.isnan(values) & ~text.str.lower().isin(["nan", "inf", "-inf"]).to_numpy()
        if strange.any():
            row = int(np.argmax(strange))
            raise InputError(
                f"{self.path.name}: column {column} of data row {row + 1} has {text.iloc[row]!r}; expected a number, "
                "or nothing where unscored"
            )
        found: Floats = values
        return found


def read_frames(paths: Sequence[Path], leaderboard: str) -> list[Frame]:
    """The tables, checked for the columns that a replay cannot do without.

    Raises:
        InputError: when a file is missing, is no table, or lacks task_id, generator or the leaderboard's columns, or
            when a row has no task_id or generator.
    """
    return [_read(path, leaderboard) for path in paths]


def load_table(frames: Sequence[Frame], leaderboard: str, proxies: str, top: float = TOP) -> ScoreTable:
    """All tables as one contest; each is a task type of its own.

    Rows without the leaderboard's score are left out, and so are tasks that have no other; ``notes`` says how many.
    Scores of judges outside 0 to 10 count as unscored. ``top`` is the highest score that the leaderboard's judge gives:
    true scores are brought to 0 to 10.

    Raises:
        InputError: when no proxy of the set, or no row, is left, or when a cell is no number.
    """
    header = list(dict.fromkeys(column for frame in frames for column in frame.header))
    columns = columns_of(proxies, header, leaderboard)
    notes: list[str] = []
    parts = [_part(frame, columns, leaderboard, top, notes) for frame in frames]
    ids = [f"{number}:{task}" for number, part in enumerate(parts) for task in part.task_ids]
    names = [name for part in parts for name in part.generator_names]
    if not ids:
        raise InputError(f"no row has a score of the leaderboard {leaderboard}; nothing can be replayed")
    types = np.repeat(np.arange(len(parts)), [len(part.task_ids) for part in parts])
    scores = np.vstack([part.scores for part in parts])
    table = assemble(ids, types, names, columns, scores, np.concatenate([part.truth for part in parts]))
    return ScoreTable(table.shown, table.truth, tuple(notes))


def assemble(
    task_ids: Sequence[str],
    types: Any,
    generator_names: Sequence[str],
    columns: Sequence[str],
    scores: Floats,
    truth: Floats,
) -> ScoreTable:
    """A ``ScoreTable`` of rows in any order: tasks keep the order in which they first come; generators are sorted."""
    number = {task: i for i, task in enumerate(dict.fromkeys(task_ids))}
    task = np.array([number[name] for name in task_ids], dtype=np.int64)
    generators = tuple(sorted(set(generator_names)))
    place = {name: i for i, name in enumerate(generators)}
    generator = np.array([place[name] for name in generator_names], dtype=np.int64)
    order = np.lexsort((np.arange(len(task)), generator, task))
    task_type = np.zeros(len(number), dtype=np.int64)
    task_type[task] = np.asarray(types, dtype=np.int64)
    shown = Shown(task[order], task_type, generator[order], generators, tuple(columns), scores[order])
    return ScoreTable(shown, truth[order])


@dataclass(frozen=True, eq=False)
class _Part:
    task_ids: list[str]
    generator_names: list[str]
    scores: Floats
    truth: Floats


def _read(path: Path, leaderboard: str) -> Frame:
    import pandas as pd

    if not path.is_file():
        raise InputError(f"--table {path}: no such file")
    try:
        data = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise InputError(f"--table {path}: not a CSV table ({str(error).splitlines()[0]})") from error
    lacking = [c for c in ("task_id", "generator", leaderboard + SC, leaderboard + PQ) if c not in data.columns]
    if lacking:
        boards = [
            c.removesuffix(SC) for c in data.columns if c.endswith(SC) and c.removesuffix(SC) + PQ in data.columns
        ]
        hint = f"; --leaderboard can be {', '.join(boards)}" if leaderboard + SC in lacking and boards else ""
        raise InputError(f"--table {path}: column {' and '.join(lacking)} missing{hint}")
    for column in ("task_id", "generator"):
        holes = (data[column].str.strip() == "").to_numpy()
        if holes.any():
            raise InputError(f"--table {path}: column {column} of data row {int(np.argmax(holes)) + 1} is empty")
    return Frame(path, data)


def _part(frame: Frame, columns: Sequence[str], leaderboard: str, top: float, notes: list[str]) -> _Part:
    """Rows of one table that can be replayed."""
    truth = overall(*(_judged(frame, leaderboard + axis, notes, top) for axis in (SC, PQ))) * (TOP / top)
    scores = np.column_stack([_judged(frame, column, notes) for column in columns])
    absent = [column for column in columns if column not in frame.header]
    if absent:
        notes.append(f"{frame.path.name}: no column {', '.join(absent)}; unscored there")
    kept = np.isfinite(truth)
    tasks, generators = frame.data["task_id"].to_numpy(), frame.data["generator"].to_numpy()
    if not kept.all():
        lost = len(set(tasks)) - len(set(tasks[kept]))
        notes.append(
            f"{frame.path.name}: {int((~kept).sum())} of {len(kept)} rows have no score of {leaderboard} and are left "
            f"out" + (f", with them {lost} whole tasks" if lost else "")
        )
    return _Part(list(tasks[kept]), list(generators[kept]), scores[kept], truth[kept])


def _judged(frame: Frame, column: str, notes: list[str], top: float = TOP) -> Floats:
    """Values of a column; a judge's beyond 0 to ``top`` are unscored, and a note says so."""
    values = frame.numbers(column)
    if column.startswith("auto_"):
        return values
    beyond = (values < 0) | (values > top)
    if beyond.any():
        n = int(beyond.sum())
        notes.append(f"{frame.path.name}: {n} values of {column} outside 0 to {top:g} count as unscored")
        values[beyond] = np.nan
    return values
