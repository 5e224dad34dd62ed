"""Measures what is missing, in two passes over the candidates.

Scorers by task share one read and one decode of a candidate. Heads of an embedding come after them and share one more
read, which decodes at a reduced scale, and one pass of their backbone; a stored vector needs no decode and no pass.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from selector.domain import InputError, Item, Score, Scorer, Task, TaskInputs, is_applicable, reason_of
from selector.domain.embedding import Head
from selector.domain.progress import Progress, silent
from selector.measure._embedding import score_by_heads
from selector.measure.scored import Due, Failure, Scored, Versions, checked, due, rows_of
from selector.store.scores import add_scores, scored_candidates
from selector.workspace.executor import Executor, WorkQueue
from selector.workspace.plug_ins import reading_words
from selector.workspace.workspace import Workspace

CHUNK = 8  # candidates in memory at once in each worker, however many a task has
_WAITING = 16  # results of a worker that wait to be stored, all in one commit: rows, and no pictures


@dataclass(frozen=True)
class Broken:
    """How often a scorer failed, and its first reason, which is the cause: later ones may only say that it goes on."""

    times: int
    reason: str


@dataclass
class ScoreSummary:
    """What a run did: candidates touched, values measured, and columns left unscored, by reason.

    ``not_applicable``: by reason, how often a task did not call for a column; these are not among the unscored.
    """

    candidates: int = 0
    values: int = 0
    unscored: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    not_applicable: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)  # not stored, so tried again by the next run
    left_out: dict[str, str] = field(default_factory=dict)  # scorer -> why it could not run here
    broken: dict[str, Broken] = field(default_factory=dict)  # scorer that has measured nothing at all -> how it failed


def score(
    ws: Workspace,
    tasks: Sequence[Task],
    scorers: Mapping[str, Scorer],
    translations: Mapping[str, str],
    progress: Progress = silent,
) -> ScoreSummary:
    """Score every candidate of ``tasks`` that lacks scores of these versions; what is scored is not touched."""
    summary, touched = ScoreSummary(), set[tuple[str, str]]()
    failed: dict[str, list[str]] = {}

    def count(scored: Scored) -> None:
        _count(summary, scored)
        for failure in scored.failures:
            for name in failure.scorers:
                failed.setdefault(name, []).append(failure.reason)
        touched.update((row["task_id"], row["candidate_id"]) for row in scored.rows)
        summary.candidates = len(touched)  # a candidate that both ways have scored counts once

    heads = {name: scorer for name, scorer in scorers.items() if isinstance(scorer, Head)}
    _score_by_task(ws, tasks, {n: s for n, s in scorers.items() if n not in heads}, count, progress)
    if heads:
        score_by_heads(ws, tasks, heads, translations, count, progress)
    summary.broken = _broken(ws, {name: scorers[name] for name in failed}, failed)
    return summary


def _broken(ws: Workspace, scorers: Mapping[str, Scorer], failed: Mapping[str, Sequence[str]]) -> dict[str, Broken]:
    """Those of them that have scored no candidate, now or in an earlier run."""
    if not scorers:
        return {}
    with ws.db.read() as connection:
        versions = {name: scorer.version for name, scorer in scorers.items()}
        known = scored_candidates(connection, versions, reading_words(scorers))
    working = {name for of_task in known.values() for names in of_task.values() for name in names}
    return {name: Broken(len(reasons), reasons[0]) for name, reasons in failed.items() if name not in working}


def _score_by_task(
    ws: Workspace,
    tasks: Sequence[Task],
    scorers: Mapping[str, Scorer],
    count: Callable[[Scored], None],
    progress: Progress,
) -> None:
    lacking = [list(of_task) for _, of_task in groupby(due(ws, tasks, scorers), key=lambda one: one[0].id)]
    done, values = len(tasks) - len(lacking), 0
    executor = Executor(_Worker(ws, scorers).work, threading.Event(), room=_WAITING * ws.config.workers)
    place = WorkQueue("score", ws.config.workers)

    def store(batch: Sequence[Scored | None]) -> None:
        nonlocal done, values
        results = [result for result in batch if result is not None]
        if rows := [row for result in results for row in result.rows]:
            with ws.db.write() as connection:
                add_scores(ws.db, connection, rows)
        for result in results:
            count(result)
        done += len(batch) - len(results)
        values += sum(row["reason"] is None for row in rows)

    progress("score", done, len(tasks))
    try:
        for of_task in lacking:
            executor.add(place, of_task)
        for batch in executor.batches():
            store(batch)
            progress("score", done, len(tasks), f"{values} values")
    finally:
        for scorer in scorers.values():
            scorer.close()  # before what is under way is waited for: one may wait for a program of its own
        for batch in executor.finish():
            store(batch)


def _count(summary: ScoreSummary, scored: Scored) -> None:
    for reason in map(str, scored.failures):
        summary.failures[reason] = summary.failures.get(reason, 0) + 1
    for row in scored.rows:
        if row["reason"] is None:
            summary.values += 1
            continue
        is_missing = is_applicable(row["reason"])
        summary.unscored += is_missing
        reasons = summary.reasons if is_missing else summary.not_applicable
        key = f"{row['scorer']}.{row['column']}: {row['reason']}"
        reasons[key] = reasons.get(key, 0) + 1


class _Worker:
    """Reads, decodes and scores in a worker thread; only reads the store."""

    def __init__(self, ws: Workspace, scorers: Mapping[str, Scorer]) -> None:
        self._ws = ws
        self._scorers = scorers
        self._versions = Versions(scorers)

    def work(self, of_task: Sequence[Due]) -> Iterator[Scored | None]:
        """What a task lacks, a few candidates at a time, and None at its end."""
        task = of_task[0][0]
        try:
            inputs = self._ws.task_inputs(task)
        except InputError as error:
            yield Scored([], 0, [Failure(f"task {task.id}: {reason_of(error)}")])
        else:
            for start in range(0, len(of_task), CHUNK):
                yield self._score_chunk(inputs, {key: names for _, key, names in of_task[start : start + CHUNK]})
        yield None

    def _score_chunk(self, inputs: TaskInputs, lacking: Mapping[str, Sequence[str]]) -> Scored:
        items, failures = self._read(inputs, lacking)
        rows: list[dict[str, Any]] = []
        for name, scorer in self._scorers.items():
            mine = {candidate_id: item for candidate_id, item in items.items() if name in lacking[candidate_id]}
            for candidate_id, result in _run_scorer(name, scorer, mine, failures).items():
                rows += rows_of(inputs.task.id, candidate_id, name, self._versions.of(name, inputs), result)
        return Scored(rows, len(items), failures)

    def _read(self, inputs: TaskInputs, ids: Iterable[str]) -> tuple[dict[str, Item], list[Failure]]:
        items: dict[str, Item] = {}
        failures: list[Failure] = []
        for candidate_id in ids:
            try:
                items[candidate_id] = Item(inputs, self._ws.images.picture(candidate_id))
            except InputError as error:
                failures.append(Failure(reason_of(error)))
        return items, failures


def _run_scorer(
    name: str, scorer: Scorer, items: Mapping[str, Item], failures: list[Failure]
) -> dict[str, Mapping[str, Score]]:
    """Results by candidate id. What makes the scorer raise is tried alone, then noted in ``failures`` and left out.

    Raises:
        OutOfResources: the machine lacks something for one candidate alone.
    """
    if not items:
        return {}
    try:
        results = list(scorer.score(list(items.values())))
        if len(results) != len(items):
            raise ValueError(f"{len(results)} results for {len(items)} items")
        return dict(zip(items, [checked(scorer.columns, result) for result in results], strict=True))
    except Exception as error:
        if len(items) == 1:
            failures.append(Failure.of([name], error))
            return {}
    # Not in the block above: what fails alone would bear the fault of all as its context.
    alone = [_run_scorer(name, scorer, {key: item}, failures) for key, item in items.items()]
    return {key: result for part in alone for key, result in part.items()}
