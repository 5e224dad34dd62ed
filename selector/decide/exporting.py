"""The verb ``scores``: everything that is known of every candidate, as one table for other tools."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.decide.candidates import Key
from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.domain.columns import STATE
from selector.domain.decisions import Decisions
from selector.learn.prior import RECIPE_ORDER
from selector.store.candidates import SHORT_ID, makers_by_candidate
from selector.store.decisions import load_decisions
from selector.store.imported import MadeAs, made_as, submissions_by_age
from selector.store.picks import load_submission_picks, newest_picks
from selector.store.scores import unscored_reasons
from selector.tables import check_writable, write_table

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

USUAL_NAME = "scores.csv"  # in the campaign's folder
NAMING = ("task", "type", "candidate", "short", "generator", "variant", "seed", "file")
LONG_NAMING = ("task", "candidate", "short", "generator", "decision")


@dataclass(frozen=True)
class ScoresWritten:
    """``rows`` and ``columns`` of the table that lies at ``path``; ``candidates`` of ``tasks`` are in it."""

    path: Path
    rows: int
    columns: int
    candidates: int
    tasks: int


def write_scores(context: Context, path: Path, task_ids: Collection[str], long: bool) -> ScoresWritten:
    """Write the table by the suffix of ``path``; an unknown one is refused before anything is computed."""
    check_writable(path)
    table = scores_table(context, task_ids, long)
    write_table(path, table, exactly=True)
    pairs = table[["task", "candidate"]].drop_duplicates()
    return ScoresWritten(path, len(table), len(table.columns), len(pairs), pairs["task"].nunique())


def scores_table(context: Context, task_ids: Collection[str], long: bool) -> pd.DataFrame:
    """A row a candidate, or with ``long`` a row a score; in the order of the task table, then by candidate id.

    Last resorts are left out: they are no answer to a task, and nothing measures them.

    Raises:
        InputError: there is no candidate yet.
    """
    known = context.need_candidates()
    wide = _wide(context, known)
    wanted = set(task_ids)
    place = {task.id: task.position for task in context.tasks}
    order = sorted(
        (i for i, task_id in enumerate(known.pool.task_ids) if task_id in wanted),
        key=lambda i: (place[known.pool.task_ids[i]], known.pool.candidate_ids[i]),
    )
    wide = wide.iloc[order].reset_index(drop=True)
    return _long(context, wide) if long else wide


def _wide(context: Context, known: Knowledge) -> pd.DataFrame:
    import pandas as pd

    pool, estimates = known.pool, known.estimates
    keys = list(zip(pool.task_ids, pool.candidate_ids, strict=True))
    with context.ws.db.read() as connection:
        made = _made(connection, dict(zip(keys, pool.generators, strict=True)))
        decisions, makers = load_decisions(connection), makers_by_candidate(connection)
        newest, submitted = newest_picks(connection), _submitted(connection)
    picked = {(pick.task_id, pick.candidate_id) for pick in newest[1]} if newest else set()
    said = zip(pool.excluded, pool.pinned, strict=True)
    columns: dict[str, Any] = {
        "task": pool.task_ids,
        "type": pool.task_types,
        "candidate": pool.candidate_ids,
        "short": [candidate_id[:SHORT_ID] for candidate_id in pool.candidate_ids],
        "generator": pool.generators,
        "variant": [made[key].variant if key in made else "" for key in keys],
        "seed": pd.array([made[key].seed if key in made else None for key in keys], dtype="Int64"),
        "file": [made[key].file if key in made else "" for key in keys],
        "eligible": pool.eligible,
        "decision": [_decision(decisions, key, makers.get(key, set())) for key in keys],
        "reason": [against or by_hand for against, by_hand in said],
        "picked": [key in picked for key in keys],
        "submissions": [" ".join(submitted.get(key, ())) for key in keys],
        "overall": estimates.overall,
        "overall_sd": estimates.overall_sd,
        "sc": estimates.sc,
        "sc_sd": estimates.sc_sd,
        "sc_measured": estimates.sc_informed,
        "pq": estimates.pq,
        "pq_sd": estimates.pq_sd,
        "pq_measured": estimates.pq_informed,
    }
    scores = {name: pool.values[:, j] for j, name in enumerate(pool.columns) if name != RECIPE_ORDER}
    return pd.DataFrame(columns | scores)


def _made(connection: Connection, generators: Mapping[Key, str]) -> dict[Key, MadeAs]:
    """How each candidate came to be: by its generator in the pool, and of several ways the first by variant."""
    found: dict[Key, MadeAs] = {}
    for made in made_as(connection):
        key = made.task_id, made.candidate_id
        if generators.get(key) == made.generator and (key not in found or made.variant < found[key].variant):
            found[key] = made
    return found


def _decision(decisions: Decisions, key: Key, makers: Collection[str]) -> str:
    if decisions.against(*key, makers):
        return "excluded"
    return "pinned" if decisions.pinned(key[0]) == key[1] else ""


def _submitted(connection: Connection) -> dict[Key, list[str]]:
    """Candidate to the submissions that hold it, oldest first."""
    found: dict[Key, list[str]] = {}
    picks = load_submission_picks(connection)
    for submission in submissions_by_age(connection):
        for task_id, pick in picks.get(submission, {}).items():
            found.setdefault((task_id, pick.candidate_id), []).append(submission)
    return found


def _long(context: Context, wide: pd.DataFrame) -> pd.DataFrame:
    """A row a value, estimates included, and a row for every score that could not be taken, with the reason."""
    import pandas as pd

    numbers = [name for name in wide.columns if name not in (*NAMING, *STATE, "sc_measured", "pq_measured")]
    place = {name: j for j, name in enumerate(numbers)}
    values = wide[numbers].reset_index(names="row").melt("row", var_name="column", value_name="value")
    values = values[values["value"].notna()].assign(reason="")
    row_of = {key: i for i, key in enumerate(zip(wide["task"], wide["candidate"], strict=True))}
    with context.ws.db.read() as connection:
        reasons = unscored_reasons(connection, context.versions, context.reading)
    unscored = pd.DataFrame(
        [
            (row_of[task_id, candidate_id], column, float("nan"), reason)
            for (task_id, candidate_id, column), reason in reasons.items()
            if (task_id, candidate_id) in row_of and column in place
        ],
        columns=["row", "column", "value", "reason"],
    )
    both = pd.concat([values, unscored] if len(unscored) else [values], ignore_index=True)
    both = both.assign(place=both["column"].map(place)).sort_values(["row", "place"], kind="stable")
    named = wide[list(LONG_NAMING)].iloc[both["row"]].reset_index(drop=True)
    return named.join(both[["column", "value", "reason"]].reset_index(drop=True))
