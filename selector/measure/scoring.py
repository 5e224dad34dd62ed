"""Measures what is missing, in two passes over the candidates.

Scorers by task share one read and one decode of a candidate. Heads of an embedding come after them and share one more
read, which decodes at a reduced scale, and one pass of their backbone; a stored vector needs no decode and no pass.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from selector.config import EngineConfig
from selector.domain import InputError, Scorer, Task, is_applicable, reason_of
from selector.domain.embedding import ContestContext, Head
from selector.domain.interruption import time_to_end
from selector.domain.progress import Progress, silent
from selector.engine import Engine, Pool, WorkerLost, check_reach, in_parts, open_engine
from selector.measure._embedding import HeadGroup
from selector.measure._item_stage import Chunk, ItemStage
from selector.measure._scorer_set import ScorerSet
from selector.measure.scored import Due, DueCandidates, Failure, Scored, due, lost
from selector.store.moving_scores import sweep_scores
from selector.store.score_shards import note_files
from selector.store.scores import add_scores, adding, present_counts
from selector.workspace.executor import Executor, WorkQueue
from selector.workspace.plug_ins import key_variables, reading_words
from selector.workspace.workspace import Workspace

CHUNK = 8  # candidates in memory at once in each worker, however many a task has
_CHUNKS = 8  # of one task in one thread, one after the other: its inputs are read once for them
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
    lost: dict[str, str] = field(default_factory=dict)  # candidate whose image is missing or damaged -> where
    left_out: dict[str, str] = field(default_factory=dict)  # scorer, or a worker of the engine -> why it could not run
    broken: dict[str, Broken] = field(default_factory=dict)  # scorer that has measured nothing at all -> how it failed


def score(
    ws: Workspace,
    tasks: Sequence[Task],
    scorers: Mapping[str, Scorer],
    contest: ContestContext,
    settings: EngineConfig,
    progress: Progress = silent,
) -> ScoreSummary:
    """Score every candidate of ``tasks`` that lacks scores of these versions; what is scored is not touched.

    Raises:
        InputError: the engine cannot be had, or cannot see the images.
    """
    summary, failed = ScoreSummary(), dict[str, list[str]]()

    def count(scored: Scored) -> None:
        _count(summary, scored)
        for failure in scored.failures:
            if failure.lost:  # the worker may have found it on another machine, and this one's `generate` shall know
                ws.images.note_lost(failure.lost)
                summary.lost[failure.lost] = failure.reason
            for name in failure.scorers:
                failed.setdefault(name, []).append(failure.reason)
        # A candidate that both ways have scored counts once.
        summary.candidates += new((row["task_id"], row["candidate_id"]) for row in scored.rows)

    by_space: dict[str, dict[str, Head]] = {}
    others = dict[str, Scorer]()
    for name, scorer in scorers.items():
        if isinstance(scorer, Head):
            by_space.setdefault(scorer.backbone.space, {})[name] = scorer
        else:
            others[name] = scorer
    if ws.config.store.scores == "columns":
        sweep_scores(ws.db)
    note_files(ws.db)
    found = due(ws, tasks, scorers)
    new, lacking = found.counter(), found.by(others)
    groups = [HeadGroup(ws, found.by(heads), heads, contest) for heads in by_space.values()]
    total = sum(len(group.due) for group in groups)
    is_idle = not lacking and not total  # a cluster is not started for nothing
    with open_engine(EngineConfig() if is_idle else settings, progress, key_variables(ws)) as engine:
        check_reach(engine, ws)
        _score_by_task(ws, lacking, len(tasks), ScorerSet(ws, others, contest, lacking), engine, count, progress)
        done = 0
        for group in groups:
            group.score(engine, count, progress, done, total)
            done += len(group.due)
    summary.left_out |= engine.left_out
    summary.broken = _broken(ws, {name: scorers[name] for name in failed}, failed)
    return summary


def _broken(ws: Workspace, scorers: Mapping[str, Scorer], failed: Mapping[str, Sequence[str]]) -> dict[str, Broken]:
    """Those of them that have scored no candidate, now or in an earlier run."""
    if not scorers:
        return {}
    with ws.db.read() as connection:
        versions = {name: scorer.version for name, scorer in scorers.items()}
        working = {name for name, _, _ in present_counts(connection, versions, reading_words(scorers))}
    return {name: Broken(len(reasons), reasons[0]) for name, reasons in failed.items() if name not in working}


def _score_by_task(
    ws: Workspace,
    lacking: DueCandidates,
    tasks: int,
    scorers: ScorerSet,
    engine: Engine,
    count: Callable[[Scored], None],
    progress: Progress,
) -> None:
    size = ws.config.engine.batch or CHUNK
    spans, most = lacking.spans(), size * _CHUNKS
    works = [span[start : start + most] for span in spans for start in range(0, len(span), most)]
    open_works = Counter({lacking[span.start][0].id: -(-len(span) // most) for span in spans})
    values = 0
    pool = engine.pool(ItemStage(scorers, ws.images), ws.config.workers, -(-len(lacking) // size))
    executor = Executor(partial(_work, ws, pool, size, lacking), threading.Event(), room=_WAITING * pool.threads)
    place = WorkQueue("score", pool.threads)

    def store(batch: Sequence[Scored | str]) -> None:
        nonlocal values
        results = [result for result in batch if isinstance(result, Scored)]
        if rows := [row for result in results for row in result.rows]:
            with adding(ws.db) as connection:
                add_scores(ws.db, connection, rows)
        for result in results:
            count(result)
        open_works.subtract(result for result in batch if isinstance(result, str))
        values += sum(row["reason"] is None for row in rows)

    def tell() -> None:
        progress("score", tasks - sum(n > 0 for n in open_works.values()), tasks, f"{values} values" if values else "")

    tell()
    try:
        for work in works:
            executor.add(place, work)
        for batch in executor.batches():
            store(batch)
            tell()
    finally:
        for batch in executor.finish(time_to_end(), pool.close):  # a scorer may wait for a program of its own
            store(batch)


def _work(
    ws: Workspace, pool: Pool[Chunk, Scored], size: int, lacking: DueCandidates, places: range
) -> Iterator[Scored | str]:
    """What candidates of a task lack, a few at a time, and the task's id at the end."""
    of_task = lacking[places.start : places.stop]
    task = of_task[0][0]
    try:
        inputs = ws.task_inputs(task, without_gone=True)
    except InputError as error:
        yield Scored([], 0, [Failure(f"task {task.id}: {reason_of(error)}")])
    else:

        def pack(part: Sequence[Due]) -> Chunk:
            return Chunk(inputs, {candidate_id: names for _, candidate_id, names in part})

        for start in range(0, len(of_task), size):
            for part, found in in_parts(pool, of_task[start : start + size], pack):
                yield lost(part, found) if isinstance(found, WorkerLost) else found
    yield task.id


def _count(summary: ScoreSummary, scored: Scored) -> None:
    for reason in [str(failure) for failure in scored.failures if not failure.lost]:
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
