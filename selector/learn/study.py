"""Ask and tell: a table of scores in, picks out. Needs no campaign, no store and no images.

The caller owns the slow step in between: upload what ``ask`` proposes, wait for the leaderboard, ``tell`` its total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selector.domain import InputError
from selector.domain.words import did_you_mean, near_or_all
from selector.learn.belief import Belief, check_beliefs
from selector.learn.calibrator import DEFAULT_NOISE_SD, Calibrator
from selector.learn.chances import probability_best
from selector.learn.design import DEFAULT_SCALES, Scales
from selector.learn.lookahead import Effort
from selector.learn.plan import DEFAULT_EFFORT, HOLD_BELOW, Plan, Submitted, plan_submission
from selector.learn.pool import Floats, Ints, Pool, codes
from selector.learn.teaching import Choices
from selector.learn.totals import Total

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("task", "candidate", "generator")
_KEYS = (*_NEEDED, "task_type", "variant")
_TREATMENTS = ("prompt_style", "finish", "finished_from")  # only where they hold text: a column of numbers is a score


@dataclass(frozen=True)
class Proposal:
    """What to submit next: task id to candidate id, and the plan behind it."""

    picks: Mapping[str, str]
    plan: Plan


class Study:
    """A contest as a table of candidates that learns from totals.

    Args:
        table: one row a candidate: columns ``task``, ``candidate``, ``generator``, optionally ``task_type``,
            ``variant``, ``prompt_style``, ``finish`` and ``finished_from`` (the candidate that a finish was applied
            to). The last four may be blank where there is none, the others never. Every other column is a score, NaN
            where unscored. Rows of a task may lie anywhere. 1, 1.0 and "1" are one name.
        beliefs: score column to :class:`Belief`; what is not named must earn its weight, direction included.
        noise_sd: standard deviation of a total beyond its rounding, in points.
        seed: of all random choices; the same seed, table and totals give the same answer in every process.

    Raises:
        InputError: a missing column, a row without its name, no candidates, two candidates of a task with one id, an
            infinite score.

    Example:
        >>> import pandas as pd
        >>> rows = [("a", "1", "m", 7.0), ("a", "2", "n", 4.0), ("b", "3", "m", 5.0), ("b", "4", "n", 6.0)]
        >>> study = Study(pd.DataFrame(rows, columns=["task", "candidate", "generator", "judge"]))
        >>> proposal = study.ask(remaining=2)
        >>> study.tell(proposal.picks, total=6.1)
        >>> sorted(study.picks())
        ['a', 'b']
    """

    def __init__(
        self,
        table: pd.DataFrame | Pool,
        beliefs: Mapping[str, Belief] | None = None,
        noise_sd: float = DEFAULT_NOISE_SD,
        seed: int = 0,
        scales: Scales = DEFAULT_SCALES,
        effort: Effort = DEFAULT_EFFORT,
    ) -> None:
        check_beliefs(beliefs or {})
        self.pool = table if isinstance(table, Pool) else pool_from_table(table)
        unknown = [name for name in beliefs or {} if name not in self.pool.columns]
        if unknown:
            raise InputError(f"beliefs name the column '{unknown[0]}'{near_or_all(unknown[0], self.pool.columns)}")
        self.seed = seed
        self.effort = effort
        self._choices = Choices(self.pool.choices, len(self.pool.tasks))
        if (self._choices.rows[:, 0] < 0).any():
            raise InputError("every task needs a candidate that may be picked")
        self._totals: list[Total] = []
        self._blank = Calibrator(beliefs, scales, noise_sd)
        self._fitted: Calibrator | None = None

    @property
    def calibrator(self) -> Calibrator:
        """Fitted to everything told so far."""
        if self._fitted is None:
            self._fitted = Calibrator(self._blank.beliefs, self._blank.scales, self._blank.noise_sd)
            self._fitted.fit(self.pool, self._totals)
        return self._fitted

    def ask(
        self, remaining: int, hold_below: float = HOLD_BELOW, pending: Sequence[Mapping[str, str] | Ints] = ()
    ) -> Proposal:
        """The next submission when ``remaining`` of them, this one included, are left.

        ``pending`` are picks that were submitted and whose totals are still to be told.
        """
        plan = plan_submission(
            self.calibrator,
            len(self.pool.tasks),
            remaining,
            submitted=[Submitted(t.rows) for t in self._totals],
            pending=[Submitted(self._complete(p)) for p in pending],
            hold_below=hold_below,
            effort=self.effort,
            seed=self.seed,
        )
        return Proposal(self._named(plan.picked), plan)

    def tell(self, picks: Mapping[str, str] | Ints, total: float) -> None:
        """Learn the leaderboard's total (0 to 10) of a complete set of picks, as ids or as rows of the pool.

        Raises:
            InputError: an unknown task or candidate, a task without a pick, or a total out of range.

        Picks that were told before count as looked at once more, with noise of its own.
        """
        self._totals.append(Total(self._complete(picks), len(self.pool.tasks), float(total)))
        self._fitted = None

    def picks(self) -> dict[str, str]:
        """Task id to the candidate that is expected to be best by now."""
        return self._named(self.best_rows())

    def best_rows(self) -> Ints:
        """(tasks,) rows of :meth:`picks` in the pool."""
        return self._choices.best(self.calibrator.posterior_.mean)

    def estimates(self, draws: int = 512) -> pd.DataFrame:
        """Mean and sd of every candidate's overall (0 to 10), and the probability that it is its task's best."""
        import pandas as pd

        mean, sd = self.calibrator.predict(return_std=True)
        ids = {"task": self.pool.task_ids, "candidate": self.pool.candidate_ids}
        best = probability_best(self.calibrator.posterior_, self._choices, draws, self.seed)
        return pd.DataFrame({**ids, "overall": mean, "overall_sd": sd, "p_best": best})

    def _complete(self, picks: Mapping[str, str] | Ints) -> Ints:
        """Rows of a complete set of picks."""
        rows = self._rows(picks) if isinstance(picks, Mapping) else np.asarray(picks, dtype=np.intp)
        inside = rows[(rows >= 0) & (rows < len(self.pool.task_ids))]
        if len(inside) < len(rows) or sorted(self.pool.task_of[inside]) != list(range(len(self.pool.tasks))):
            raise InputError(f"a submission needs exactly one pick for each of the {len(self.pool.tasks)} tasks")
        return rows

    def _named(self, rows: Ints) -> dict[str, str]:
        return {self.pool.task_ids[i]: self.pool.candidate_ids[i] for i in rows}

    def _rows(self, picks: Mapping[str, str]) -> Ints:
        rows = []
        for task, candidate in ((_name(t), _name(c)) for t, c in picks.items()):
            row = self.pool.row_of.get((task, candidate))
            if row is None:
                known = [c for t, c in self.pool.row_of if t == task]
                hint = (
                    near_or_all(candidate, known)
                    if known
                    else f": there is no such task{did_you_mean(task, self.pool.tasks)}"
                )
                raise InputError(f"task '{task}' has no candidate '{candidate}'{hint}")
            rows.append(row)
        return np.array(rows, dtype=np.intp)


def pool_from_table(table: pd.DataFrame) -> Pool:
    """A pool from a table of scores; see :class:`Study` for its columns."""
    missing = [key for key in _NEEDED if key not in table.columns]
    if missing:
        raise InputError(f"the table has no column '{missing[0]}': it needs task, candidate and generator")
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise InputError(f"the table has two columns '{twice}': rename one of them")
    for column in (*_NEEDED, "task_type"):
        _check_filled(table, column)
    table = table.iloc[np.argsort(codes(_texts(table, "task"))[1], kind="stable")]
    treatments = [c for c in _TREATMENTS if c in table.columns and table[c].dtype.kind not in "biufc"]
    scores = [c for c in table.columns if c not in (*_KEYS, *treatments)]
    values = np.column_stack([np.zeros((len(table), 0)), *(_numbers(table, name) for name in scores)])
    text = {column: _texts(table, column) for column in (*_KEYS, *treatments) if column in table.columns}
    return Pool(
        text["task"],
        text["candidate"],
        text.get("task_type", ("all",) * len(table)),
        text["generator"],
        tuple(str(c) for c in scores),
        values,
        text.get("variant", ()),
        styles=text.get("prompt_style", ()),
        finishes=text.get("finish", ()),
        origins=text.get("finished_from", ()),
    )


def _texts(table: pd.DataFrame, column: str) -> tuple[str, ...]:
    """The names in a column, "" where there is none."""
    cells = table[column]
    names = ("" if is_hole else _name(cell) for cell, is_hole in zip(cells, cells.isna(), strict=True))
    return tuple(name if name.strip() else "" for name in names)


def _check_filled(table: pd.DataFrame, column: str) -> None:
    """Raise ``InputError`` where a row has no name: as text, NaN would be one."""
    if column not in table.columns:
        return
    for place, (label, name) in enumerate(zip(table.index, _texts(table, column), strict=True), 1):
        if not name:
            raise InputError(
                f"column '{column}' is empty in row {place} of the table (index {label}): fill it in, or leave the row "
                "out"
            )


def _name(cell: object) -> str:
    """As text: a column of whole numbers that once had a hole holds 1.0 for 1."""
    return str(int(cell)) if isinstance(cell, (float, np.floating)) and cell == cell // 1 else str(cell)


def _numbers(table: pd.DataFrame, name: str) -> Floats:
    try:
        if table[name].dtype.kind in "mM":
            raise TypeError("they are dates")
        values: Floats = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"column '{name}': every column beside {', '.join(_KEYS)} is a score and must hold numbers: {error}"
        ) from error
    return values
