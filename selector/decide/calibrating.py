"""What a campaign knows by now: scores, judgements and totals from the store, as a fitted calibrator and estimates."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from selector.decide.beliefs import beliefs_of, judge_values, judged_balance
from selector.decide.estimating import Estimates, estimates
from selector.decide.prior_file import load_prior
from selector.domain import Scorer, Task, TaskType, stable_hash
from selector.generate.treatments import own_variant
from selector.learn.balance import balance_of, combine, split
from selector.learn.calibrator import Calibrator
from selector.learn.estimate import EstimateTable
from selector.learn.pool import Floats, Ints, Pool
from selector.learn.teaching import Choices
from selector.learn.totals import Total
from selector.store.makers import Maker, makers
from selector.store.observations import (
    Judgement,
    SubmittedPick,
    TotalRow,
    load_judgements,
    load_pending,
    load_submission_picks,
    load_totals,
)
from selector.workspace.workspace import Workspace

_FALLBACK, _FALLBACK_SD = 0.3, 0.5  # overall of a last resort: near 0, but some judges are kind
_LOST, _LOST_SD = 5.0, 2.0  # of a pick that is no longer among the candidates


@dataclass(frozen=True)
class Knowledge:
    """A fitted calibrator over the campaign's candidates, with the estimates that picks are made from.

    ``told`` are the totals in the order in which they were learned from, ``totals`` the same as observations;
    ``pending`` the picks (rows) of uploads whose total is still to come; ``digest`` is another one whenever a total or
    a judgement came or was corrected, "" before the first.
    """

    calibrator: Calibrator
    tables: Mapping[TaskType, EstimateTable]
    excluded: Mapping[tuple[str, str], str]
    told: tuple[TotalRow, ...]
    totals: tuple[Total, ...]
    pending: tuple[Ints, ...]
    judged: int
    digest: str
    tasks: int  # in the mean of the leaderboard, those without a candidate included

    @property
    def pool(self) -> Pool:
        return self.calibrator.pool_

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
    def _counts(self) -> tuple[tuple[str, int], ...]:
        return ("totals", len(self.told)), ("judgements", self.judged)

    @property
    def basis(self) -> str:
        """What the estimates rest on, in words."""
        words = [f"{n} {what if n > 1 else what[:-1]}" for what, n in self._counts if n]
        return " and ".join(["the prior", *words]) if words else "the prior alone"


def learn(ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer]) -> Knowledge | None:
    """Fit everything that was told; None as long as there is no candidate."""
    known = estimates(ws, tasks, scorers)
    with ws.db.read() as connection:
        judgements = load_judgements(connection)
        pool = _pool(known, connection, judgements)
        if pool is None:
            return None
        uploaded = load_submission_picks(connection)
        told, totals = _totals(load_totals(connection), uploaded, pool, tasks)
        pending = tuple(_rows(pool, uploaded[s])[0] for s in load_pending(connection) if s in uploaded)
    believed = ws.config.calibrate
    beliefs = beliefs_of(scorers, judgements, believed.judges, believed.scores)
    step = 10.0**-ws.profile.score.decimals
    calibrator = Calibrator(beliefs, noise_sd=believed.noise_sd, learned=_learned(ws), rounding=step)
    calibrator.fit(pool, totals)
    judged = judged_balance(pool, judgements)
    tables = _calibrated(known, calibrator, judged)
    uploads = tuple(p for p in pending if len(p))
    return Knowledge(
        calibrator,
        tables,
        known.excluded,
        told,
        tuple(totals),
        uploads,
        len(judgements),
        _digest(told, judgements),
        len(tasks),
    )


def _digest(told: Sequence[TotalRow], judgements: Sequence[Judgement]) -> str:
    if not told and not judgements:
        return ""
    totals = [[r.submission_id, r.scope.value if r.scope else None, r.value] for r in told]
    return stable_hash([totals, [[*j.key, j.sc, j.pq] for j in judgements]])


def _pool(known: Estimates, connection: Connection, judgements: Sequence[Judgement]) -> Pool | None:
    """All candidates that were estimated, one task type after the other."""
    tables = [t for t in known.tables.values() if t.features.candidate_ids]
    if not tables:
        return None
    keys = [k for t in tables for k in zip(t.features.task_ids, t.features.candidate_ids, strict=True)]
    known_makers = makers(connection)
    made_by = [known_makers.get(k, Maker("unknown", "")) for k in keys]
    columns = sorted({c for t in tables for c in t.features.columns})
    values = np.full((len(keys), len(columns)), np.nan)
    start = 0
    for table in tables:
        stop = start + len(table.features.candidate_ids)
        places = [columns.index(c) for c in table.features.columns]
        values[start:stop, places] = table.features.values
        start = stop
    names, judged = judge_values(keys, judgements)
    informed = np.concatenate([t.informed for t in tables])
    return Pool(
        task_ids=tuple(k[0] for k in keys),
        candidate_ids=tuple(k[1] for k in keys),
        task_types=tuple(t.features.task_type.value for t in tables for _ in t.features.task_ids),
        generators=tuple(m.generator for m in made_by),
        variants=tuple(own_variant(m.variant, m.style, m.finish) for m in made_by),
        styles=tuple(m.style for m in made_by),
        finishes=tuple(m.finish for m in made_by),
        origins=tuple(m.origin for m in made_by),
        columns=(*columns, *names),
        values=np.concatenate([values, judged], axis=1),
        eligible=(informed | ~np.isnan(judged).all(axis=1)) & np.array([k not in known.excluded for k in keys]),
        prior_overall=np.concatenate([t.overall for t in tables]),
    )


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


def _calibrated(known: Estimates, calibrator: Calibrator, judged: Floats) -> dict[TaskType, EstimateTable]:
    """The prior's tables with overall, SC and PQ as calibrated. Without totals and judges they stay as they are."""
    mean, sd = calibrator.predict(return_std=True)
    tables, start = {}, 0
    for task_type, table in known.tables.items():
        stop = start + len(table.features.candidate_ids)
        own = slice(start, stop)
        balance, balance_sd = combine(balance_of(table.sc, table.pq), judged[own])
        sc, sc_sd, pq, pq_sd = split(mean[own], sd[own], balance, balance_sd)
        seen = ~np.isnan(judged[own])
        tables[task_type] = replace(
            table,
            sc=sc,
            sc_sd=sc_sd,
            pq=pq,
            pq_sd=pq_sd,
            overall=mean[own],
            overall_sd=sd[own],
            sc_informed=table.sc_informed | seen,
            pq_informed=table.pq_informed | seen,
            order=calibrator.posterior_.mean[own],
        )
        start = stop
    return tables


def _learned(ws: Workspace) -> Mapping[str, tuple[float, float]] | None:
    """Weights of an earlier campaign, if `calibrate --prior-from` brought some."""
    borrowed = load_prior(ws.folder)
    return borrowed.effects if borrowed else None
