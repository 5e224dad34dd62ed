"""The pick: the eligible candidate with the highest estimated overall; ties go to the smaller candidate id."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selector.domain import Pick
from selector.learn.estimates import Estimates
from selector.learn.pool import Pool


def pick_best(pool: Pool, estimates: Estimates) -> list[Pick]:
    """One pick for every task of the pool, in the order of its rows.

    What the pool excludes, what no scorer could measure, and what has the estimate NaN never wins.
    """
    may = np.array([not reason for reason in pool.excluded]) & estimates.informed & np.isfinite(estimates.merit)
    allowed, merit, ids = may.tolist(), estimates.merit.tolist(), pool.candidate_ids
    edges = [0, *(np.flatnonzero(np.diff(pool.task_of)) + 1).tolist(), len(ids)]
    picks = []
    for task_id, start, stop in zip(pool.tasks, edges[:-1], edges[1:], strict=True):
        ranked = sorted((i for i in range(start, stop) if allowed[i]), key=lambda i: (-merit[i], ids[i]))
        picks.append(_picked(pool, estimates, task_id, ranked, range(start, stop)))
    return picks


def _picked(pool: Pool, estimates: Estimates, task_id: str, ranked: Sequence[int], rows: Sequence[int]) -> Pick:
    if not ranked:
        reasons = sorted({pool.excluded[i] or "nothing has scored it (run `bestshot score`)" for i in rows})
        return Pick(task_id, None, None, False, f"none of {len(rows)} candidates is eligible: {'; '.join(reasons)}")
    best = ranked[0]
    reason, measured = _why(estimates, ranked, len(rows)), bool(estimates.sc_informed[best])
    return Pick(task_id, pool.candidate_ids[best], estimates.row(best), False, reason, measured)


def _why(estimates: Estimates, ranked: Sequence[int], total: int) -> str:
    best = ranked[0]
    sc = f"SC {estimates.sc[best]:.1f}" if estimates.sc_informed[best] else "SC not measured"
    pq = f"PQ {estimates.pq[best]:.1f}" if estimates.pq_informed[best] else "PQ not measured"
    words = f"highest estimated overall {estimates.overall[best]:.2f} ({sc}, {pq})"
    if len(ranked) > 1:
        words += f", runner-up {estimates.overall[ranked[1]]:.2f}"
    left_out = total - len(ranked)
    return words + (f"; {len(ranked)} of {total} were eligible" if left_out else f" of {total}")
