"""What a campaign knows by now: scores, judgements and totals from the store, as a fitted calibrator and estimates."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from selector.decide._beliefs import JUDGE_PREFIX, beliefs_of, judge_repeats, judged_balance, load_prior
from selector.decide.candidates import lost_images, read_pool
from selector.domain import Scorer, Task, TaskType, stable_hash
from selector.learn.calibrator import Calibrator, Fitted
from selector.learn.estimates import Estimates, balance_of, combine, prior_estimates, split
from selector.learn.gaussian import clipped_normal
from selector.learn.passes import Repeats, gains
from selector.learn.pool import Bools, Choices, Floats, Ints, Pool
from selector.learn.totals import Total
from selector.store.observations import Judgement, TotalRow, load_judgements, load_pending, load_totals
from selector.store.picks import SubmittedPick, load_submission_picks
from selector.workspace.workspace import Workspace

_FALLBACK, _FALLBACK_SD = 0.3, 0.5  # overall of a last resort: near 0, but some judges are kind
_LOST, _LOST_SD = 5.0, 2.0  # of a pick that is no longer among the candidates


@dataclass(frozen=True)
class Knowledge:
    """What was learned of the campaign's candidates, and the estimates that picks are made from.

    ``told`` are the totals in the order in which they were learned from, ``totals`` the same as observations;
    ``pending`` the picks (rows) of uploads whose total is still to come, and of all uploads where totals may not teach
    (``learns`` is not set, ``told`` empty); ``repeats`` says by judges' columns how often they looked and how noisy
    that is; ``digest`` is another one whenever a total or a judgement came or was corrected, "" before the first.
    """

    fitted: Fitted
    estimates: Estimates
    told: tuple[TotalRow, ...]
    totals: tuple[Total, ...]
    pending: tuple[Ints, ...]
    judged: int
    repeats: Mapping[str, Repeats]
    digest: str
    tasks: int  # in the mean of the leaderboard, those without a candidate included
    learns: bool = True  # whether the contest allows learning from totals

    @property
    def pool(self) -> Pool:
        return self.fitted.pool

    @property
    def choices(self) -> Choices:
        """The tasks that have a candidate to pick."""
        return Choices(self.pool.choices, self.tasks).chosen()

    @property
    def elsewhere(self) -> float:
        """Summed overall that is expected of the tasks that have none: their last resorts."""
        return _FALLBACK * (self.tasks - len(self.choices.rows))

    @property
    def learned_from(self) -> dict[str, int | str]:
        """How many totals and judgements the estimates rest on, and the digest "told"; what is not there is left out.

        A plan stays good as long as this stays the same.
        """
        told: dict[str, int | str] = {"told": self.digest} if self.digest else {}
        return {what: n for what, n in self._counts if n} | told

    @property
    def everything(self) -> str:
        """Names all that a plan follows from, down to the scores, settings and uploads: another one is news."""
        pool, believed = self.pool, self.fitted.calibrator
        said = "\n".join(map(repr, (pool.task_ids, pool.candidate_ids, pool.columns, pool.excluded, self.learned_from)))
        settings = repr((believed.beliefs, believed.learned, believed.noise_sd, self.tasks))
        numbers = [pool.values.tobytes(), *(rows.tobytes() for rows in self.pending)]
        parts = [said.encode(), settings.encode(), *numbers]
        return stable_hash([hashlib.sha256(part).hexdigest() for part in parts])

    @property
    def _counts(self) -> tuple[tuple[str, int], ...]:
        return ("totals", len(self.told)), ("judgements", self.judged)

    @property
    def basis(self) -> str:
        """What the estimates rest on, in words."""
        words = [f"{n} {what if n > 1 else what[:-1]}" for what, n in self._counts if n]
        return " and ".join(["the prior", *words]) if words else "the prior alone"


def learn(ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer]) -> Knowledge | None:
    """Fit everything that was told; None as long as there is no candidate. ``Context.known`` asks, once."""
    lost = lost_images(ws)
    with ws.db.read() as connection:
        judgements = load_judgements(connection)
        table = read_pool(connection, tasks, scorers, judgements, lost)
        if table is None:
            return None
        rows, waiting = load_totals(connection), load_pending(connection)
        uploaded = load_submission_picks(connection, {*waiting, *(row.submission_id for row in rows)})
        learns = ws.profile.rules.learn_from_totals
        if not learns:
            waiting, rows = tuple(sorted({*waiting, *(row.submission_id for row in rows)})), []
        told, totals = _totals(rows, uploaded, table, tasks)
        pending = tuple(_rows(table, uploaded[s])[0] for s in waiting if s in uploaded)
    written = prior_estimates(table)
    seen = written.informed | _judged(table)
    may = np.array([not reason for reason in table.excluded])
    chosen = np.array([bool(by_hand) for by_hand in table.pinned])
    repeats = judge_repeats(table, judgements)
    pool = replace(table, eligible=(seen | chosen) & may, prior_overall=written.overall, gain=gains(repeats))
    believed = ws.config.calibrate
    borrowed = load_prior(ws.folder)
    calibrator = Calibrator(
        beliefs_of(scorers, judgements, believed.judges, believed.scores),
        noise_sd=believed.noise_sd,
        learned=borrowed.effects if borrowed else None,
        rounding=10.0**-ws.profile.score.decimals,
    )
    fitted = calibrator.fit(pool, totals)
    return Knowledge(
        fitted,
        _calibrated(written, fitted, judged_balance(pool, judgements)),
        told,
        tuple(totals),
        tuple(rows for rows in pending if len(rows)),
        len(judgements),
        repeats,
        _digest(told, judgements),
        len(tasks),
        learns,
    )


def _judged(pool: Pool) -> Bools:
    """(n,) where a judge has said anything."""
    judges = [name for name in pool.columns if name.startswith(JUDGE_PREFIX)]
    said = np.zeros(len(pool.task_ids), dtype=bool)
    for name in judges:
        said |= ~np.isnan(pool.column(name))
    return said


def _digest(told: Sequence[TotalRow], judgements: Sequence[Judgement]) -> str:
    if not told and not judgements:
        return ""
    totals = [[r.submission_id, r.scope.value if r.scope else None, r.value] for r in told]
    return stable_hash([totals, [[*j.key, j.sc, j.pq, *([len(j.passes)] if j.passes else [])] for j in judgements]])


def _totals(
    rows: Sequence[TotalRow], uploaded: Mapping[str, Mapping[str, SubmittedPick]], pool: Pool, tasks: Sequence[Task]
) -> tuple[tuple[TotalRow, ...], list[Total]]:
    """Totals as observations of the pool, without those that only repeat what others of the submission say."""
    types = {t.id: t.type for t in tasks}
    scopes = {s: {r.scope for r in rows if r.submission_id == s} for s in {r.submission_id for r in rows}}
    told, totals = [], []
    for row in rows:
        if _repeats(row, scopes[row.submission_id], set(types.values())):
            continue
        counted = {t for t in types if row.scope in (None, types[t])}
        picks = {t: p for t, p in uploaded.get(row.submission_id, {}).items() if t in counted}
        places, fallbacks, lost = _rows(pool, picks)
        if len(places):
            told.append(row)
            constant = fallbacks * _FALLBACK + lost * _LOST
            spread = fallbacks * _FALLBACK_SD + lost * _LOST_SD  # they are alike: their errors add up
            totals.append(Total(places, len(counted), row.value, constant, spread, row.submission_id))
    return tuple(told), totals


def _repeats(row: TotalRow, scopes: Container[TaskType | None], types: Collection[TaskType]) -> bool:
    """Is it the total of all tasks where every type has its own, or with a single type that type's beside it?"""
    if len(types) == 1:
        return row.scope is not None and None in scopes
    return row.scope is None and all(t in scopes for t in types)


def _rows(pool: Pool, picks: Mapping[str, SubmittedPick]) -> tuple[Ints, int, int]:
    """Rows of the picks in the pool, and how many were last resorts or are no longer there."""
    found = [pool.row_of.get((t, p.candidate_id)) for t, p in picks.items() if not p.fallback]
    rows = np.array([i for i in found if i is not None], dtype=np.intp)
    return rows, len(picks) - len(found), len(found) - len(rows)


def _calibrated(written: Estimates, fitted: Fitted, judged: Floats) -> Estimates:
    """The prior's estimates with overall, SC and PQ as calibrated; ``judged`` is the balance that judges saw."""
    balance, balance_sd = combine(balance_of(written.sc, written.pq), judged)
    # As a leaderboard gives it, 0 to 10: above 0 however low the totals are, so that candidates stay apart.
    overall, overall_sd = clipped_normal(fitted.posterior.mean, fitted.overall_sd)
    sc, sc_sd, pq, pq_sd = split(overall, overall_sd, balance, balance_sd)
    seen = ~np.isnan(judged)
    return Estimates(
        sc=sc,
        sc_sd=sc_sd,
        pq=pq,
        pq_sd=pq_sd,
        overall=overall,
        overall_sd=overall_sd,
        sc_informed=written.sc_informed | seen,
        pq_informed=written.pq_informed | seen,
        merit=fitted.posterior.mean,
        belief=fitted.posterior,
    )
