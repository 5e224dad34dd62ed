"""What is believed before any total: of every score column, of the columns that judges add, and of another campaign."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from selector.domain import Axis, InputError, Scorer
from selector.domain.files import write_atomically
from selector.domain.json_text import parse_json
from selector.domain.words import near_or_all
from selector.learn.belief import JUDGE, JUDGE_PART, JUDGE_PQ, JUDGE_SC, KNOWN_DIRECTION, MEASURED, RATING, Belief
from selector.learn.estimates import balance_of
from selector.learn.passes import Repeats, measure_repeats
from selector.learn.pool import Floats, Pool
from selector.learn.prior import PRIOR, RECIPE_ORDER, WITHOUT_POINTS
from selector.store.observations import RATING as RATED
from selector.store.observations import Judgement

JUDGE_PREFIX = "judge:"  # of the names of judges' columns
_BEYOND_PRIOR = Belief(0.0, 0.03, "the written prior holds it already: only what it gets wrong", beyond=True)
PRIOR_FILE = "prior.json"
_LEAST_SD = 1e-6  # written for what is known exactly: a prior needs some width


def beliefs_of(
    scorers: Mapping[str, Scorer],
    judgements: Sequence[Judgement],
    told: Mapping[str, float],
    measured: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Belief]:
    """Beliefs in every column: what the written prior holds already, plug-ins' own scores, judges.

    Args:
        told: judge to its correlation, where the configuration tells one. measured: the same of score columns.
    """
    in_prior = {w.column for axis in PRIOR.values() for w in axis.weights} | {RECIPE_ORDER, *WITHOUT_POINTS}
    beliefs = dict.fromkeys(sorted(in_prior), _BEYOND_PRIOR)  # a set has another order in every process
    for name, scorer in scorers.items():
        for column in scorer.columns:
            key = f"{name}.{column.name}"
            if key not in in_prior:
                usual = _BEYOND_PRIOR if column.axis is Axis.GATE else KNOWN_DIRECTION
                sign = 1.0 if column.higher_is_better else -1.0
                beliefs[key] = replace(usual, correlation=sign * usual.correlation)
    beliefs |= _measured_beliefs(scorers, measured)
    for name in sorted({j.judge for j in judgements}):
        beliefs |= _judge_beliefs(name, [j for j in judgements if j.judge == name], told)
    return beliefs


def _measured_beliefs(scorers: Mapping[str, Scorer], measured: Mapping[str, float]) -> dict[str, Belief]:
    """In columns whose correlation the user knows; those of scorers that do not run are passed over."""
    columns = {f"{name}.{column.name}" for name, scorer in scorers.items() for column in scorer.columns}
    own = {column: r for column, r in measured.items() if column.partition(".")[0] in scorers}
    for column in sorted(set(own) - columns):
        raise InputError(
            f"[calibrate] scores names the column '{column}', which is not known{near_or_all(column, columns)}"
        )
    return {column: replace(MEASURED, correlation=r) for column, r in own.items()}


def _judge_beliefs(name: str, own: Sequence[Judgement], told: Mapping[str, float]) -> dict[str, Belief]:
    """In a judge's three columns. One that never says both SC and PQ is believed in what it says."""
    overall, sc, pq = judge_columns(name)
    if any(j.sc is not None and j.pq is not None for j in own):
        belief = judge_belief(name, told, own[0].kind == RATED)
        return {overall: belief, sc: JUDGE_PART, pq: JUDGE_PART}
    return {c: replace(b, correlation=told.get(name, b.correlation)) for c, b in ((sc, JUDGE_SC), (pq, JUDGE_PQ))}


def judge_belief(name: str, told: Mapping[str, float], rating: bool = False) -> Belief:
    """What is believed of a judge's overall, with the correlation that the configuration tells."""
    usual = RATING if rating else JUDGE
    return replace(usual, correlation=told.get(name, usual.correlation))


def judge_columns(name: str) -> tuple[str, str, str]:
    """Columns of a judge in the pool: overall, SC, PQ."""
    overall = f"{JUDGE_PREFIX}{name}"
    return overall, f"{overall}.sc", f"{overall}.pq"


def judges_of(columns: Sequence[str]) -> list[str]:
    """Names of the judges that have columns."""
    named = [c.removeprefix(JUDGE_PREFIX) for c in columns if c.startswith(JUDGE_PREFIX)]
    return [name for name in named if set(judge_columns(name)) <= set(columns)]


def judge_values(keys: Sequence[tuple[str, str]], judgements: Sequence[Judgement]) -> tuple[list[str], Floats]:
    """Three columns a judge: overall, SC and PQ, NaN where it did not say."""
    names = sorted({j.judge for j in judgements})
    seen = {(j.task_id, j.candidate_id) for j in judgements}
    row_of = {key: i for i, key in enumerate(keys) if key in seen}
    values = np.full((len(keys), 3 * len(names)), np.nan)
    for judgement in judgements:
        row = row_of.get((judgement.task_id, judgement.candidate_id))
        if row is not None:
            place = 3 * names.index(judgement.judge)
            said = (judgement.overall, judgement.sc, judgement.pq)
            values[row, place : place + 3] = [np.nan if v is None else v for v in said]
    return [column for name in names for column in judge_columns(name)], values


def judge_repeats(pool: Pool, judgements: Sequence[Judgement]) -> dict[str, Repeats]:
    """Judges' columns to how often each judge looked at the candidates, and how noisy one look is."""
    passes: dict[str, list[tuple[int, float]]] = {}
    for judgement in judgements:
        row = pool.row_of.get((judgement.task_id, judgement.candidate_id))
        if row is None:
            continue
        for one in judgement.looks:
            for column, value in zip(judge_columns(judgement.judge), (one.overall, one.sc, one.pq), strict=True):
                if value is not None:
                    passes.setdefault(column, []).append((row, value))
    found = {}
    for column, said in passes.items():
        rows, values = (np.array(part) for part in zip(*said, strict=True))
        found[column] = measure_repeats(pool.column(column), pool.task_of, values, rows)
    return found


def judged_balance(pool: Pool, judgements: Iterable[Judgement]) -> Floats:
    """(n,) balance that judges saw, NaN where none judged both SC and PQ; of several judges their mean."""
    seen: dict[int, list[float]] = {}
    for j in judgements:
        row = pool.row_of.get((j.task_id, j.candidate_id))
        if row is not None and j.sc is not None and j.pq is not None:
            seen.setdefault(row, []).append(float(balance_of(np.array(j.sc), np.array(j.pq))))
    balance = np.full(len(pool.task_ids), np.nan)
    for row, values in seen.items():
        balance[row] = sum(values) / len(values)
    return balance


@dataclass(frozen=True)
class BorrowedPrior:
    """``source`` names the earlier campaign; ``effects`` are effect keys with (mean, sd), finite, sd above 0."""

    source: str
    effects: Mapping[str, tuple[float, float]]


def save_prior(folder: Path, effects: Mapping[str, tuple[float, float]], source: str) -> Path:
    """Keep weights of an earlier campaign as this one's prior."""
    path = folder / PRIOR_FILE
    data = {"from": source, "effects": {k: [m, max(s, _LEAST_SD)] for k, (m, s) in sorted(effects.items())}}
    write_atomically(path, (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())
    return path


def load_prior(folder: Path) -> BorrowedPrior | None:
    """The prior that ``calibrate --prior-from`` brought, None if there is none.

    Raises:
        InputError: the file cannot be read, or says something else than finite means and sds above 0.
    """
    path = folder / PRIOR_FILE
    if not path.exists():
        return None
    try:
        data: Any = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(str(error)) from error
    if not isinstance(data, dict) or not isinstance(data.get("from"), str):
        raise _unreadable('"from" must name the earlier campaign')
    if not isinstance(data.get("effects"), dict):
        raise _unreadable('"effects" must map weights to [mean, sd]')
    return BorrowedPrior(data["from"], {key: _effect(key, value) for key, value in data["effects"].items()})


def _effect(key: str, value: Any) -> tuple[float, float]:
    try:
        mean, sd = (float(number) for number in value)
    except (ValueError, TypeError, OverflowError):
        mean = sd = math.nan
    if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0):
        raise _unreadable(f"'{key}' must be [mean, sd], both finite and sd above 0, got {value!r}")
    return mean, sd


def _unreadable(what: str) -> InputError:
    return InputError(
        f"{PRIOR_FILE} cannot be read ({what}): delete it; `bestshot calibrate --prior-from` brings it again"
    )
