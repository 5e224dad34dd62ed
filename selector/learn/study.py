"""Ask and tell: a table of scores in, picks out. Needs no campaign, no store and no images.

The caller owns the slow step in between: upload what ``ask`` proposes, wait for the leaderboard, ``tell`` its total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selector.domain import InputError
from selector.domain.words import did_you_mean, n_of, near_or_all
from selector.learn._knowledge_gradient import Effort
from selector.learn.belief import Belief, checked_beliefs
from selector.learn.calibrator import DEFAULT_NOISE_SD, Calibrator, Fitted
from selector.learn.design import DEFAULT_SCALES, Scales
from selector.learn.gaussian import probability_best
from selector.learn.holding import Held
from selector.learn.plan_submission import DEFAULT_EFFORT, HOLD_BELOW, Plan, Submitted, plan_submission
from selector.learn.pool import Choices, Floats, Ints, Pool, codes
from selector.learn.totals import Z80, Total

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("task", "candidate", "generator")
_KEYS = (*_NEEDED, "task_type", "variant")
_TREATMENTS = ("prompt_style", "finish", "finished_from")  # only where they hold text: a column of numbers is a score


Id = Any  # of a task or candidate, as the table holds it: text or a number
Ids = tuple[Sequence[Id], Sequence[Id]]  # (n,) tasks and (n,) candidates of the rows of a pool
Picks = Mapping[Id, Id]  # task to candidate


@dataclass(frozen=True)
class Proposal:
    """What to submit next: task id to candidate id, and the plan behind it."""

    picks: Picks
    plan: Plan


@dataclass(frozen=True)
class Told:
    """A total that a study was told of, 0 to 10, and its picks.

    ``expected`` is what all totals before it let expect (where totals may not teach: what is expected without any),
    with the 80% interval ``low`` to ``high``; ``outlier``: whether it fits the others so badly that it counts little.
    """

    picks: Picks
    total: float
    expected: float
    low: float
    high: float
    outlier: bool


class Study:
    """A contest as a table of candidates that learns from totals.

    Args:
        table: one row a candidate: columns ``task``, ``candidate``, ``generator``, optionally ``task_type``,
            ``variant``, ``prompt_style``, ``finish`` and ``finished_from`` (the candidate that a finish was applied
            to). The last four may be blank where there is none, the others never. Every other column is a score, NaN
            where unscored. Rows of a task may lie anywhere. 1, 1.0 and "1" are one name; ids of tasks and candidates
            come back as they came.
        beliefs: score column to "up" or "down" (which end is better), "judge" (a strong judge's overall), a
            correlation with the leaderboard within a task (-1 to 1) or a :class:`Belief`; what is not named must earn
            its weight, direction included.
        noise_sd: standard deviation of a total beyond its rounding, in points.
        seed: of all random choices; the same seed, table and totals give the same answer in every process.
        learn_from_totals: False where the contest forbids it: totals are kept for :attr:`history`, estimates rest on
            scores alone, and every proposal is the best picks known.

    Attributes:
        pool: the table as arrays, the rows of a task together.
        ids: the tasks and the candidates of the pool's rows, as they came.

    Raises:
        InputError: a missing column, a row without its name, no candidates, two candidates of a task with one id, an
            infinite score, a noise that is not above 0.

    Example:
        >>> import pandas as pd
        >>> rows = [("a", "1", "m", 7.0), ("a", "2", "n", 4.0), ("b", "3", "m", 5.0), ("b", "4", "n", 6.0)]
        >>> table = pd.DataFrame(rows, columns=["task", "candidate", "generator", "judge"])
        >>> study = Study(table, beliefs={"judge": 0.4})
        >>> proposal = study.ask(remaining=2)
        >>> study.tell(proposal.picks, total=6.1)
        >>> study
        Study(4 candidates of 2 tasks by 2 generators, 1 score column, 1 total)
        >>> study.history[0].total
        6.1
        >>> sorted(study.picks())
        ['a', 'b']
    """

    def __init__(
        self,
        table: pd.DataFrame | Pool,
        beliefs: Mapping[str, Belief | float | str] | None = None,
        noise_sd: float = DEFAULT_NOISE_SD,
        seed: int = 0,
        scales: Scales = DEFAULT_SCALES,
        effort: Effort = DEFAULT_EFFORT,
        learn_from_totals: bool = True,
    ) -> None:
        if beliefs is not None and not isinstance(beliefs, Mapping):
            raise InputError(f'beliefs are by score column, as in {{"judge": 0.4}}; got {beliefs!r}')
        believed = checked_beliefs(beliefs or {})
        if isinstance(table, Pool):
            self.pool = table
            self.ids: Ids = (table.task_ids, table.candidate_ids)
        else:
            if not hasattr(table, "columns"):
                raise InputError(f"a table is a pandas DataFrame, one row a candidate; got {type(table).__name__}")
            self.pool, self.ids = _read(table)
        unknown = [name for name in believed if name not in self.pool.columns]
        if unknown:
            raise InputError(f"beliefs name the column '{unknown[0]}'{near_or_all(unknown[0], self.pool.columns)}")
        self.seed = seed
        self.effort = effort
        self.learn_from_totals = learn_from_totals
        self._choices = Choices(self.pool.choices, len(self.pool.tasks))
        if (self._choices.rows[:, 0] < 0).any():
            raise InputError("every task needs a candidate that may be picked")
        self._totals: list[Total] = []
        self.calibrator = Calibrator(believed, scales, noise_sd)
        self._fitted: Fitted | None = None
        self._held: dict[float, Held] = {}  # by the bar: what the last plan decided

    def __repr__(self) -> str:
        pool = self.pool
        size = f"{n_of(len(pool.task_ids), 'candidate')} of {n_of(len(pool.tasks), 'task')}"
        makers = n_of(len(set(pool.generators)), "generator")
        scores = n_of(len(pool.columns), "score column")
        return f"Study({size} by {makers}, {scores}, {n_of(len(self._totals), 'total')})"

    @property
    def fitted(self) -> Fitted:
        """What is known by everything told so far; fitted when first asked for."""
        if self._fitted is None:
            self._fitted = self.calibrator.fit(self.pool, self._totals if self.learn_from_totals else ())
        return self._fitted

    @property
    def history(self) -> tuple[Told, ...]:
        """What was told, oldest first, with what the totals before each let expect of it."""
        fits = [self.fitted] if self.learn_from_totals else [self.calibrator.fit(self.pool, [t]) for t in self._totals]
        seen = [pair for f in fits for pair in zip(f.predictions, f.evidence.outliers.tolist(), strict=True)]
        return tuple(
            Told(self._named(t.rows), t.value, p.mean, p.mean - Z80 * p.sd, p.mean + Z80 * p.sd, odd)
            for t, (p, odd) in zip(self._totals, seen, strict=True)
        )

    def ask(self, remaining: int, hold_below: float = HOLD_BELOW, pending: Sequence[Picks | Ints] = ()) -> Proposal:
        """The next submission when ``remaining`` of them, this one included, are left.

        ``pending`` are picks that were submitted and whose totals are still to be told. Asked again without news (a
        total, an upload), it holds or submits as it did before: see :func:`~selector.learn.holding.holds`.
        """
        if isinstance(remaining, bool) or not isinstance(remaining, (int, np.integer)):
            raise InputError(f"remaining is a whole number of submissions, got {remaining!r}")
        if isinstance(pending, Mapping):
            raise InputError("pending is a list of picks, one for each submission without a total: [picks]")
        uploads = [self._complete(p) for p in pending]
        known = f"{len(self._totals)} totals, pending {[rows.tolist() for rows in uploads]}"
        plan = plan_submission(
            self.fitted,
            len(self.pool.tasks),
            remaining,
            submitted=[Submitted(t.rows) for t in self._totals],
            pending=[Submitted(rows) for rows in uploads],
            hold_below=hold_below,
            effort=self.effort,
            seed=self.seed,
            before=self._held.get(hold_below),
            known=known,
            learns=self.learn_from_totals,
        )
        self._held[hold_below] = Held(known, plan.hold, remaining)
        return Proposal(self._named(plan.picked), plan)

    def tell(self, picks: Picks | Ints | Proposal, total: float) -> None:
        """Learn the leaderboard's total (0 to 10) of a proposal, or of other picks: as ids or as rows of the pool.

        Picks that were told before count as looked at once more, with noise of its own.

        Raises:
            InputError: an unknown task or candidate, a task without a pick, or a total out of range.
        """
        if isinstance(total, (bool, str)):
            raise InputError(f"a total is a number from 0 to 10, got {total!r}")
        told = picks.picks if isinstance(picks, Proposal) else picks
        self._totals.append(Total(self._complete(told), len(self.pool.tasks), float(total)))
        self._fitted = None

    def picks(self) -> dict[Id, Id]:
        """Task id to the candidate that is expected to be best by now."""
        return self._named(self.best_rows())

    def best_rows(self) -> Ints:
        """(tasks,) rows of :meth:`picks` in the pool."""
        return self._choices.best(self.fitted.posterior.mean)

    def probability_best(self, draws: int = 512) -> Floats:
        """(n,) probabilities that a row of the pool is the best of its task."""
        return probability_best(self.fitted.posterior, self._choices, draws, self.seed)

    def estimates(self, draws: int = 512) -> pd.DataFrame:
        """Mean and sd of every candidate's overall (0 to 10), and the probability that it is its task's best."""
        import pandas as pd

        if draws < 1:
            raise InputError(f"draws is a number of samples above 0, got {draws}")
        ids = dict(zip(("task", "candidate"), self.ids, strict=True))
        best = self.probability_best(draws)
        known = {"overall": self.fitted.overall, "overall_sd": self.fitted.overall_sd, "p_best": best}
        return pd.DataFrame({**ids, **known})

    def _complete(self, picks: Picks | Ints) -> Ints:
        """Rows of a complete set of picks."""
        try:
            rows = self._rows(picks) if isinstance(picks, Mapping) else np.asarray(picks, dtype=np.intp).reshape(-1)
        except (TypeError, ValueError) as error:
            raise InputError(f"picks are a mapping of task to candidate, got {picks!r}") from error
        inside = rows[(rows >= 0) & (rows < len(self.pool.task_ids))]
        if len(inside) < len(rows) or sorted(self.pool.task_of[inside]) != list(range(len(self.pool.tasks))):
            raise InputError(f"a submission needs exactly one pick for each of the {len(self.pool.tasks)} tasks")
        return rows

    def _named(self, rows: Ints) -> dict[Id, Id]:
        tasks, candidates = self.ids
        return {tasks[i]: candidates[i] for i in rows.tolist()}

    def _rows(self, picks: Picks) -> Ints:
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
    return _read(table)[0]


def _read(table: pd.DataFrame) -> tuple[Pool, Ids]:
    """The pool, and tasks and candidates of its rows as the table holds them."""
    missing = [key for key in _NEEDED if key not in table.columns]
    if missing:
        raise InputError(f"the table has no column '{missing[0]}': it needs task, candidate and generator")
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise InputError(f"the table has two columns '{twice}': rename one of them")
    treatments = [c for c in _TREATMENTS if c in table.columns and table[c].dtype.kind not in "biufc"]
    text = {column: texts(table[column]) for column in (*_KEYS, *treatments) if column in table.columns}
    for column in (*_NEEDED, "task_type"):
        _check_filled(table, column, text.get(column, ()))
    task_of = codes(text["task"])[1]
    if (np.diff(task_of) < 0).any():  # the rows of a task must lie together
        order = np.argsort(task_of, kind="stable")
        table, text = table.iloc[order], {column: _taken(names, order) for column, names in text.items()}
    scores = [c for c in table.columns if c not in text]
    values = np.column_stack([np.zeros((len(table), 0)), *(_numbers(table, name) for name in scores)])
    pool = Pool(
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
    first: dict[str, Id] = {}  # of several spellings of a task, the first counts
    tasks = [first.setdefault(name, cell) for name, cell in zip(text["task"], table["task"].tolist(), strict=True)]
    return pool, (tasks, table["candidate"].tolist())


def _taken(names: Sequence[str], rows: Ints) -> tuple[str, ...]:
    return tuple(map(names.__getitem__, rows.tolist()))


def texts(cells: pd.Series) -> tuple[str, ...]:
    """The names in a column, "" where there is none."""
    import pandas as pd

    if pd.api.types.infer_dtype(cells, skipna=True) not in ("string", "integer", "floating", "empty"):
        return tuple(_name(cell) for cell in cells.where(cells.notna(), "").tolist())  # 1 and True are equal, no name
    place, distinct = pd.factorize(cells)  # NaN has place -1: the last
    names = [*(_name(cell) for cell in distinct.tolist()), ""]
    return _taken(names, place)


def _check_filled(table: pd.DataFrame, column: str, names: Sequence[str]) -> None:
    """Raise ``InputError`` where a row has no name: as text, NaN would be one."""
    if "" in names:
        place = names.index("")
        raise InputError(
            f"column '{column}' is empty in row {place + 1} of the table (index {table.index[place]}): fill it in, or "
            "leave the row out"
        )


def _name(cell: object) -> str:
    """As text, "" for blanks; a column of whole numbers that once had a hole holds 1.0 for 1."""
    if isinstance(cell, (float, np.floating)) and cell == cell // 1:
        return str(int(cell))
    name = cell if isinstance(cell, str) else str(cell)
    return "" if name.isspace() else name


def _numbers(table: pd.DataFrame, name: str) -> Floats:
    try:
        if table[name].dtype.kind in "mM":
            raise TypeError("they are dates")
        values: Floats = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"column '{name}': every column beside {', '.join((*_KEYS, *_TREATMENTS))} is a score and must hold "
            f"numbers: {error}"
        ) from error
    return values
