"""A contest that is a table of scores: read with all that was told of it, and asked for picks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from selector.domain import InputError
from selector.domain.words import did_you_mean, n_of
from selector.learn.belief import JUDGE, UNKNOWN, Belief
from selector.learn.calibrator import DEFAULT_NOISE_SD, WeightEstimate
from selector.learn.contributions import GENERATOR, OWN, ahead_of_task, contributions
from selector.learn.gaussian import probability_best
from selector.learn.passes import gains, measure_repeats
from selector.learn.plan_submission import Plan
from selector.learn.pool import Choices, Floats, Ints
from selector.learn.study import Id, Study, Told
from selector.tables._files import read_table, write_table
from selector.tables._scores import Names, Scores, read_scores
from selector.tables._told import Judgements, Submission, locator, read_judgements, read_totals

if TYPE_CHECKING:
    import pandas as pd

_MOST_PARTS = 3  # of a reason
_LEAST_NAMED = 0.05  # points: what sets a pick apart by less is not in its reason
_LEAST_AGREED = 0.1  # believed correlation from which the agreement of scores is worth a word
_DRAWS_FOR_ONE = 4096  # where the probabilities of one task alone are asked for


@dataclass(frozen=True, slots=True)
class Selected:
    """The pick of a task. Overall on 0 to 10; ``p_best``: the probability that it is the best of its task.

    ``runner_up`` is the best of the task's other candidates, None where there is none.
    """

    task: Id
    candidate: Id
    overall: float
    overall_sd: float
    p_best: float
    runner_up: Id | None
    runner_up_p_best: float | None
    reason: str


@dataclass(frozen=True)
class Selection:
    """Picks in the order in which tasks appear in the table, and what they rest on.

    ``plan`` is what the picks should bring and teach where they are a next submission. ``expected`` is the total that
    the picks are expected to get, 0 to 10; ``told`` has the totals that were learned from, with what was expected.
    """

    picks: tuple[Selected, ...]
    expected: float
    candidates: int
    generators: int
    scores: Mapping[str, Belief]
    passed_over: tuple[str, ...]
    judged: int  # candidates that a judge has seen
    told: tuple[Told, ...]
    pending: int
    weights: tuple[WeightEstimate, ...]
    plan: Plan | None
    notes: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write the picks as a table (CSV, TSV, JSON, JSON lines or Parquet by the suffix), whole or not at all.

        Raises:
            InputError: an unknown suffix, or the folder cannot be written. MissingPart: Parquet without pyarrow.
        """
        import pandas as pd

        columns = tuple(Selected.__dataclass_fields__)
        write_table(path, pd.DataFrame({name: [getattr(pick, name) for pick in self.picks] for name in columns}))


@dataclass(frozen=True)
class ExplainedCandidate:
    """A candidate's estimate, and the points by which each part sets it apart from the mean of its task."""

    candidate: Id
    made_with: str
    overall: float
    overall_sd: float
    p_best: float
    parts: Mapping[str, float]


@dataclass(frozen=True)
class ExplainedTask:
    """A task's candidates, the pick first. ``level`` and a candidate's parts add up to its overall before it is cut."""

    task: Id
    level: float
    candidates: tuple[ExplainedCandidate, ...]


@dataclass(frozen=True)
class TableContest:
    """A table of scores with what was told of it; :func:`read_contest` makes one."""

    study: Study
    scores: Scores
    submissions: tuple[Submission, ...]
    judgements: tuple[Judgements, ...]

    def picks(self) -> Selection:
        """The candidates that are expected to be best by now."""
        return self._selection(self.study.best_rows(), None)

    def next_picks(self, remaining: int) -> Selection:
        """The next submission when ``remaining`` of them, this one included, are left: to win, or to learn."""
        plan = self.study.ask(remaining, pending=[s.rows for s in self.submissions if s.total is None]).plan
        return self._selection(plan.picked, plan)

    def explain(self, task: str) -> ExplainedTask:
        """What is known of a task's candidates, and why.

        Raises:
            InputError: there is no such task.
        """
        study, pool = self.study, self.study.pool
        rows = pool.rows_of(task)
        if not len(rows):
            raise InputError(f"there is no task '{task}'{did_you_mean(task, pool.tasks)}")
        fitted = study.fitted
        best = probability_best(fitted.posterior, Choices(rows[None, :], 1), _DRAWS_FOR_ONE, study.seed)
        parts = {name: points - points.mean() for name, points in contributions(fitted, rows).items()}
        merit = fitted.posterior.mean[rows]
        ranked = [
            ExplainedCandidate(
                study.ids[1][rows[i]],
                pool.made_with[rows[i]],
                float(fitted.overall[rows[i]]),
                float(fitted.overall_sd[rows[i]]),
                float(best[rows[i]]),
                {name: float(points[i]) for name, points in parts.items()},
            )
            for i in np.lexsort((pool.lots[rows], -merit))
        ]
        return ExplainedTask(study.ids[0][rows[0]], float(merit.mean()), tuple(ranked))

    def _selection(self, rows: Ints, plan: Plan | None) -> Selection:
        study, pool = self.study, self.study.pool
        named = {name: study.calibrator.beliefs or {} for name in pool.columns}
        return Selection(
            tuple(_selected(study, rows, self._order())),
            float(study.fitted.overall[rows].mean()),
            len(pool.task_ids),
            len(set(pool.generators)),
            {name: beliefs.get(name, UNKNOWN) for name, beliefs in named.items()},
            self.scores.passed_over,
            len({row for one in self.judgements for row in one.rows.tolist()}),
            study.history,
            sum(s.total is None for s in self.submissions),
            tuple(w for w in study.fitted.weights if w.effect.kind not in ("level", "between")),
            plan,
            tuple(self._notes()),
        )

    def _order(self) -> Ints:
        """Places of the pool's tasks in the order in which the table has them first."""
        first = np.full(len(self.study.pool.tasks), len(self.scores.place))
        np.minimum.at(first, self.study.pool.task_of, self.scores.place)
        return np.argsort(first)

    def _notes(self) -> Iterator[str]:
        beliefs = (self.study.calibrator.beliefs or {}).values()
        if self.study.history or any(belief.correlation for belief in beliefs):
            return
        effects = self.study.fitted.design.effects
        agreed = any(effect.kind == "consensus" and effect.mean >= _LEAST_AGREED for effect in effects)
        follow = (
            "these picks follow what the scores agree on, more taken for better, and that may be wrong"
            if agreed
            else "these picks are no better than chance"
        )
        yield (
            f"nothing says which end of a score is better, so {follow}: name what is known, as in --column NAME=up, or "
            "tell totals"
        )


def read_contest(
    scores: Path | str | pd.DataFrame,
    columns: Mapping[str, Belief | float | str] | None = None,
    totals: Path | str | None = None,
    judged: Path | str | None = None,
    names: Names | None = None,
    noise_sd: float = DEFAULT_NOISE_SD,
    seed: int = 0,
) -> TableContest:
    """Read a table of scores, one row a candidate, and what was told of it.

    Args:
        scores: a CSV, TSV, JSON, JSON lines or Parquet file, ``-`` for CSV on standard input, or a table in memory. The
            order of its rows says nothing. Columns of text that name nothing are passed over.
        columns: score to "up", "down", "judge", a correlation, a ``Belief``, or "ignore".
        totals: a table with ``total`` (0 to 10; empty while it is to come), ``picks`` (the file of a table of picks,
            beside it) and maybe ``label``.
        judged: a table with the task, the candidate, ``overall`` or ``sc`` and ``pq``, and maybe ``judge``.
        names: which columns name tasks, candidates and generators.
        noise_sd: standard deviation of a total beyond its rounding, in points.
        seed: of all random choices.

    Raises:
        InputError: what is wrong with a table, in one line with the place. MissingPart: Parquet without pyarrow.

    Example:
        >>> import pandas as pd
        >>> rows = [("a", "x", 7.0), ("a", "y", 4.0), ("b", "x", 3.0), ("b", "y", 6.0)]
        >>> contest = read_contest(pd.DataFrame(rows, columns=["task", "candidate", "judge"]), {"judge": "judge"})
        >>> [(pick.task, pick.candidate) for pick in contest.picks().picks]
        [('a', 'x'), ('b', 'y')]
    """
    names = names or Names()
    table, source = scores, "the table"
    if isinstance(scores, (str, Path)):
        table, source = read_table(Path(scores), "table of scores", names.columns), str(scores)
    elif not hasattr(table, "columns"):
        raise InputError(f"a table of scores is a file or a pandas DataFrame, got {type(scores).__name__}")
    found = read_scores(table, columns or {}, names, source)
    locate = locator(found.table)
    submissions = read_totals(Path(totals), names, locate) if totals else []
    judgements = read_judgements(Path(judged), names, locate, len(found.table)) if judged else []
    beliefs = {**found.beliefs, **{one.column: JUDGE for one in judgements}}
    with_judged = found.table.assign(**{one.column: one.overall for one in judgements})
    try:
        study = Study(with_judged, beliefs, noise_sd, seed)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    task_of = study.pool.task_of
    repeats = {one.column: measure_repeats(one.overall, task_of, one.passes, one.rows) for one in judgements}
    if gain := gains(repeats):  # a pool is checked anew: not for nothing where it has a million rows
        study.pool = replace(study.pool, gain=gain)
    for submission in submissions:
        _tell(study, submission)
    return TableContest(study, found, tuple(submissions), tuple(judgements))


def _tell(study: Study, submission: Submission) -> None:
    """Tell a total; picks that are none for this table are found here, those without a total included."""
    tasks = study.pool.task_of[submission.rows]
    if len(tasks) != len(study.pool.tasks) or len(set(tasks.tolist())) != len(tasks):
        raise InputError(
            f"{submission.place}: {submission.picks} has {n_of(len(tasks), 'pick')} for "
            f"{n_of(len(set(tasks.tolist())), 'task')}: a submission needs exactly one for each of the "
            f"{len(study.pool.tasks)} tasks of the scores"
        )
    if submission.total is not None:
        study.tell(submission.rows, submission.total)


def _selected(study: Study, rows: Ints, order: Ints) -> Iterator[Selected]:
    """One pick for each of the pool's tasks, whose rows (tasks,) are given, in ``order``."""
    fitted, pool, (tasks, candidates) = study.fitted, study.pool, study.ids
    best, known = study.probability_best(), study.best_rows().tolist()
    second = _runners_up(fitted.posterior.mean, pool.choices, rows)
    reasons = _reasons(study, rows)
    figures = zip(*(of[rows].tolist() for of in (fitted.overall, fitted.overall_sd, best)), strict=True)
    picked = list(zip(rows.tolist(), second.tolist(), figures, reasons, strict=True))
    chances = best.tolist()
    for place in order.tolist():
        row, other, (overall, sd, p_best), moved = picked[place]
        if other < 0:
            yield Selected(tasks[row], candidates[row], overall, sd, p_best, None, None, "the only candidate")
            continue
        learns = "" if row == known[place] else "submitted to learn: "
        reason = learns + "; ".join(
            [
                f"chosen, {p_best:.2f} to be the best",
                *([moved] if moved else []),
                f"runner-up {candidates[other]} {chances[other]:.2f}",
            ]
        )
        yield Selected(tasks[row], candidates[row], overall, sd, p_best, candidates[other], chances[other], reason)


def _runners_up(mean: Floats, choices: Ints, rows: Ints) -> Ints:
    """(tasks,) rows of the best candidates beside the picked ``rows``, -1 where there is none."""
    others = np.where((choices >= 0) & (choices != rows[:, None]), mean[choices], -np.inf)
    place = others.argmax(axis=1)
    lines = np.arange(len(rows))
    found: Ints = np.where(np.isfinite(others[lines, place]), choices[lines, place], -1)
    return found


def _reasons(study: Study, rows: Ints) -> list[str]:
    """What sets each pick apart from the mean of its task, the largest first: "judge +0.8, generator m +0.3"."""
    ahead = ahead_of_task(study.fitted, rows)
    if not ahead:
        return [""] * len(rows)
    names, points = list(ahead), np.column_stack(list(ahead.values()))
    largest = np.argsort(-np.abs(points), axis=1, kind="stable")[:, :_MOST_PARTS]
    sizes = np.take_along_axis(points, largest, axis=1)
    makers, short = study.pool.generators, {OWN: "what totals told of it"}
    return [
        ", ".join(
            f"{f'generator {makers[row]}' if names[j] == GENERATOR else short.get(names[j], names[j])} {size:+.1f}"
            for j, size in zip(parts, of_parts, strict=True)
            if abs(size) >= _LEAST_NAMED
        )
        for row, parts, of_parts in zip(rows.tolist(), largest.tolist(), sizes.tolist(), strict=True)
    ]
