"""A campaign with very many candidates a task, of rows alone: no picture of a candidate lies anywhere.

    python -m experiments.support.crowded_campaign FOLDER --tasks 1000 --candidates 1000 --store sqlite-columns

It makes FOLDER/campaign and FOLDER/scores.parquet, the same candidates as a table, and prints the seconds of each part
of the campaign as JSON, and those of its own work (cpu_s); ``experiments.scale`` starts it. A quarter of the tasks is
of each type; half of a task's candidates is of one generator, a quarter of each of two imports. A candidate has 20.5
scores on average, of five scorers that need no model, in their present versions; one in 33 is unscored, the gate
refuses one candidate in 20. Scores, judgements of a candidate of every tenth task and three totals follow from a
quality that each candidate has. The plan of the campaign names no generator, so nothing is to be made. Where scores are
in columns they come as `import-scores` stores a large table: as files at once, with no row of the database before.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from experiments.support.synthetic_campaign import generators_of, quality_of, submit, write_contest
from selector import Campaign
from selector.create import open_workspace
from selector.demo.play.figures import Floats
from selector.domain import Axis, Recipe, Scorer, Task, TaskType
from selector.registry import create_scorer
from selector.store import schema
from selector.store.moving_scores import add_columns
from selector.store.observations import JUDGE, Judgement, add_judgements
from selector.store.scores import add_scores

SCORERS = ("artefacts", "gate", "preservation", "seams", "technical")
STORES = ("sqlite", "sqlite-columns", "postgresql", "postgresql-columns")
SUBMISSIONS = 3
LEAST_CANDIDATES = 20  # a task
WITHOUT = "synthesised without a value"
_AT = "2025-07-01T12:00:00.000+00:00"
_BUILD = "1-synthetic"
_SIDE_PX, _BYTES = 1024, 150_000
_TASKS_AT_ONCE = 100  # in a transaction, and in a file of columns


@dataclass(frozen=True)
class Crowd:
    """The candidates of one task: ``ids`` ascending, ``quality`` (candidates,) about 0 to 10, who made each."""

    task: Task
    ids: Sequence[str]
    quality: Floats
    made_by: Sequence[str]


def make_crowded(
    folder: Path, contest: Path, each: int, seed: int, store: str = "sqlite", url: str = ""
) -> dict[str, float]:
    """A campaign in ``folder`` for the tasks that ``write_contest`` wrote to ``contest``; seconds by part.

    ``each``: candidates a task, a multiple of four. ``store``: one of ``STORES``; ``url``: of the PostgreSQL.
    """
    seconds = dict.fromkeys(("cpu_s", "candidates", "scores", "told"), 0.0)
    own = {"url": url, **({"images": "images"} if store.endswith("columns") else {})} if url else {}
    config: dict[str, Any] = {
        "generate": {kind.value: {} for kind in TaskType},
        "score": {"scorers": list(SCORERS)},
        "store": {"scores": "columns" if store.endswith("columns") else "rows", **own},
    }
    with Campaign.init(folder, contest / "task.csv", contest / "imgs", **config) as campaign:
        tasks, profile = campaign.tasks, campaign.profile
    scorers = {name: create_scorer(name) for name in SCORERS}
    rng = np.random.default_rng(seed)
    ws = open_workspace(folder, lambda: datetime.now(timezone.utc))
    best: list[Crowd] = []
    wide = WideTable(contest / "scores.parquet", scorers)
    for start in range(0, len(tasks), _TASKS_AT_ONCE):
        crowds = [_crowd(task, each, rng) for task in tasks[start : start + _TASKS_AT_ONCE]]
        with _Timed(seconds, "candidates"), ws.db.write() as connection:
            for crowd in crowds:
                _write_candidates(connection, crowd)
        values = {
            name: [(c, _values(c, scorer, rng)) for c in crowds if c.task.type in scorer.task_types]
            for name, scorer in scorers.items()
        }
        wide.add(crowds, values)
        with _Timed(seconds, "scores"), ws.db.write() as connection:
            for name, scorer in scorers.items():
                measured = values[name]
                if store.endswith("columns"):
                    _add_columns(connection, name, scorer, measured)
                    continue
                for crowd, of_crowd in measured:
                    add_scores(ws.db, connection, list(_rows(crowd, name, scorer, of_crowd)))
        best += [_some(crowd) for crowd in crowds]
    with _Timed(seconds, "told"):
        with ws.db.write() as connection:
            for crowd in best[::10]:
                sc, pq = np.clip(crowd.quality[0] + rng.standard_normal(2), 0, 10).tolist()
                add_judgements(connection, [Judgement(crowd.task.id, crowd.ids[0], "a-model", JUDGE, sc, pq, at=_AT)])
        for number in range(SUBMISSIONS):
            picked = {crowd.task.id: int(rng.integers(len(crowd.ids))) for crowd in best}
            submit(
                ws.db,
                profile,
                number,
                [(crowd.task.id, crowd.ids[picked[crowd.task.id]]) for crowd in best],
                float(np.clip([crowd.quality[picked[crowd.task.id]] for crowd in best], 0, 10).mean()),
            )
    wide.close()
    ws.db.close()
    return {what: round(s, 2) for what, s in seconds.items()}


class WideTable:
    """The candidates as a table with a column a score, written some tasks at a time."""

    def __init__(self, path: Path, scorers: Mapping[str, Scorer]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = [f"{name}.{column.name}" for name, scorer in scorers.items() for column in scorer.columns]
        texts, numbers = ("task", "candidate", "generator", "task_type"), [(name, pa.float64()) for name in names]
        self._schema = pa.schema([*((name, pa.string()) for name in texts), *numbers])
        self._scorers, self._writer = scorers, pq.ParquetWriter(path, self._schema)

    def add(self, crowds: Sequence[Crowd], values: Mapping[str, Sequence[tuple[Crowd, Floats]]]) -> None:
        import pyarrow as pa

        of = {(name, crowd.task.id): found for name, measured in values.items() for crowd, found in measured}
        for crowd in crowds:
            n = len(crowd.ids)
            columns: list[Any] = [[crowd.task.id] * n, crowd.ids, crowd.made_by, [crowd.task.type.value] * n]
            for name, scorer in self._scorers.items():
                found = of.get((name, crowd.task.id), np.full((n, len(scorer.columns)), np.nan))
                columns += [found[:, j] for j in range(len(scorer.columns))]
            self._writer.write_table(pa.table(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


class _Timed:
    """Adds the seconds that pass in a block to its part, and those of this process to ``cpu_s``."""

    def __init__(self, seconds: dict[str, float], part: str) -> None:
        self._seconds, self._part = seconds, part

    def __enter__(self) -> None:
        self._started, self._used = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._part] += time.perf_counter() - self._started
        self._seconds["cpu_s"] += time.process_time() - self._used


def _crowd(task: Task, each: int, rng: np.random.Generator) -> Crowd:
    text = rng.bytes(32 * each).hex()
    ids = sorted(text[64 * k : 64 * (k + 1)] for k in range(each))
    makers = [generators_of(task, each)[k] for k in rng.permutation(each)]
    return Crowd(task, ids, quality_of(makers) + 1.5 * rng.standard_normal(each), makers)


def _some(crowd: Crowd, most: int = 19) -> Crowd:
    """Its first candidates, none of which the gate refuses: what is judged and submitted."""
    return Crowd(crowd.task, crowd.ids[:most], crowd.quality[:most], crowd.made_by[:most])


def _write_candidates(connection: Connection, crowd: Crowd) -> None:
    task_id = crowd.task.id
    size = {"width_px": _SIDE_PX, "height_px": _SIDE_PX, "size_bytes": _BYTES, "at": _AT}
    connection.execute(insert(schema.candidate), [{"task_id": task_id, "id": one, **size} for one in crowd.ids])
    recipes: dict[str, list[Recipe]] = {}
    rows = []
    for k, (name, candidate_id) in enumerate(zip(crowd.made_by, crowd.ids, strict=True)):
        recipes.setdefault(name, []).append(recipe := _recipe(name, task_id, k))
        rows.append(
            {
                "task_id": task_id,
                "generator": name,
                "build": _BUILD,
                "recipe_key": recipe.key,
                "try_number": 1,
                "ordinal": None if "file" in recipe.params else len(recipes[name]) - 1,
                "variant": recipe.variant,
                "seed": recipe.seed,
                "params": dict(recipe.params),
                "outcome": "made",
                "fallback": False,
                "candidate_id": candidate_id,
                "reason": None,
                "notes": {},
                "seconds": 1.0,
                "at": _AT,
            }
        )
    connection.execute(insert(schema.attempt), rows)
    plannings = [
        {
            "task_id": task_id,
            "generator": name,
            "build": _BUILD,
            "asked": len(its),
            "recipes": [{"variant": r.variant, "seed": r.seed, "params": dict(r.params)} for r in its],
            "outcome": "planned",
            "reason": None,
            "at": _AT,
        }
        for name, its in recipes.items()
    ]
    connection.execute(insert(schema.planning), plannings)


def _recipe(generator: str, task_id: str, number: int) -> Recipe:
    if generator.startswith("folder:"):
        name = f"{task_id}_{number}.jpg"
        return Recipe(name, 0, {"file": name})
    return Recipe(f"method {number % 4}", number)


def _rows(crowd: Crowd, name: str, scorer: Scorer, values: Floats) -> Iterator[dict[str, Any]]:
    """Rows of the table ``score``, those of a candidate together."""
    names = [column.name for column in scorer.columns]
    for candidate_id, of_one in zip(crowd.ids, values.tolist(), strict=True):
        key = {"task_id": crowd.task.id, "candidate_id": candidate_id, "scorer": name, "version": scorer.version}
        for column, value in zip(names, of_one, strict=True):
            told = {"value": value, "reason": None} if value == value else {"value": None, "reason": WITHOUT}
            yield {**key, "column": column, **told}


def _add_columns(connection: Connection, name: str, scorer: Scorer, measured: Sequence[tuple[Crowd, Floats]]) -> None:
    """The same as one file for all of these tasks."""
    task_ids = [crowd.task.id for crowd, _ in measured for _ in crowd.ids]
    values = np.concatenate([values for _, values in measured])
    reasons = np.full(values.shape, None, dtype=object)
    reasons[np.isnan(values)] = WITHOUT
    columns = {column.name: (values[:, j], reasons[:, j].tolist()) for j, column in enumerate(scorer.columns)}
    candidate_ids = [one for crowd, _ in measured for one in crowd.ids]
    add_columns(connection, name, scorer.version, task_ids, candidate_ids, columns)


def _values(crowd: Crowd, scorer: Scorer, rng: np.random.Generator) -> Floats:
    """(candidates, columns) scores within their ranges, NaN where there is none."""
    n = len(crowd.ids)
    turn = np.arange(n)
    made = np.empty((n, len(scorer.columns)))
    for j, column in enumerate(scorer.columns):
        if column.axis is Axis.GATE:
            made[:, j] = turn % 20 != 19
            continue
        signal = crowd.quality / 5 - 1 + rng.standard_normal(n)
        share = 1 / (1 + np.exp(-signal if column.higher_is_better else signal))
        made[:, j] = np.where(
            (crowd.task.position + turn + j) % 33 == 0, np.nan, column.low + (column.high - column.low) * share
        )
    return made


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--tasks", type=int, default=1000)
    options.add_argument("--candidates", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--store", choices=STORES, default="sqlite")
    options.add_argument("--url", default="")
    chosen = options.parse_args()
    write_contest(chosen.folder, chosen.tasks, chosen.seed)
    place = chosen.folder / "campaign"
    print(json.dumps(make_crowded(place, chosen.folder, chosen.candidates, chosen.seed, chosen.store, chosen.url)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
