"""The pick: the eligible candidate with the highest estimated overall; ties go to the smaller candidate id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from selector.domain import Pick
from selector.learn.estimate import EstimateTable


def pick_best(table: EstimateTable, excluded: Mapping[tuple[str, str], str]) -> list[Pick]:
    """One pick for every task of the table, in the order of its rows.

    Args:
        table: estimates of all candidates of one task type.
        excluded: (task id, candidate id) to the reason why this candidate must not be picked (gate, fallback).

    A candidate whose estimate is NaN, or that no scorer could measure, never wins.
    """
    rows: dict[str, list[int]] = {}
    for i, task_id in enumerate(table.features.task_ids):
        rows.setdefault(task_id, []).append(i)
    return [_pick_task(table, task_id, indices, excluded) for task_id, indices in rows.items()]


def _pick_task(
    table: EstimateTable, task_id: str, rows: Sequence[int], excluded: Mapping[tuple[str, str], str]
) -> Pick:
    ids = table.features.candidate_ids
    eligible = [
        i for i in rows if (task_id, ids[i]) not in excluded and table.informed[i] and np.isfinite(table.merit[i])
    ]
    if not eligible:
        return Pick(task_id, None, None, False, _why_none(table, task_id, rows, excluded))
    ranked = sorted(eligible, key=lambda i: (-table.merit[i], ids[i]))
    return Pick(
        task_id,
        ids[ranked[0]],
        table.row(ranked[0]),
        False,
        _why(table, ranked, len(rows)),
        bool(table.sc_informed[ranked[0]]),
    )


def _why(table: EstimateTable, ranked: Sequence[int], total: int) -> str:
    best = ranked[0]
    sc = f"SC {table.sc[best]:.1f}" if table.sc_informed[best] else "SC not measured"
    pq = f"PQ {table.pq[best]:.1f}" if table.pq_informed[best] else "PQ not measured"
    words = f"highest estimated overall {table.overall[best]:.2f} ({sc}, {pq})"
    if len(ranked) > 1:
        words += f", runner-up {table.overall[ranked[1]]:.2f}"
    left_out = total - len(ranked)
    return words + (f"; {len(ranked)} of {total} were eligible" if left_out else f" of {total}")


def _why_none(table: EstimateTable, task_id: str, rows: Sequence[int], excluded: Mapping[tuple[str, str], str]) -> str:
    ids = table.features.candidate_ids
    reasons = sorted({excluded.get((task_id, ids[i]), "nothing has scored it (run `bestshot score`)") for i in rows})
    return f"none of {len(rows)} candidates is eligible: {'; '.join(reasons)}"
