"""Scores by heads of an embedding: batches of candidates across tasks, one pass of the backbone for all heads.

Locally each core has a batch of its own on a CPU, which it decodes and embeds in one thread: no core waits for another.
On another device two batches are under way, so that a pool decodes one while the other is embedded. Workers of a
cluster do the same, each in its process. They know no store: what is known of a batch's pictures and texts goes along,
and what was made comes back.

A head may look at pictures beside the candidates, such as photographs to compare with (``own_pictures``). They are
embedded before the first candidate, in the same way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TypeVar

from selector.domain import (
    BestshotError,
    InputError,
    Picture,
    TaskInputs,
    raise_shortage,
    reason_of,
)
from selector.domain.embedding import ContestContext, Head, View
from selector.domain.progress import Progress
from selector.engine import Engine, Pool, WorkerLost, in_parts
from selector.measure._head_stage import Beside, Candidates, HeadStage, Looked, SentVectors
from selector.measure._scorer_set import ScorerSet
from selector.measure.scored import Due, DueCandidates, Failure, Scored, lost
from selector.sight.embedding.device import cores_shared_by
from selector.sight.embedding.looking import texts_of
from selector.store.embeddings import StoredVectors
from selector.store.scores import add_scores
from selector.workspace.executor import stream
from selector.workspace.workspace import Workspace

MOST_STREAMS = 8  # batches under way on a CPU; with more cores each has several
CPU_BATCH = 32  # candidates of a batch there: in one thread a larger one is no faster
_KEPT_INPUTS = 64  # tasks whose source pictures stay in memory

_T = TypeVar("_T", range, Sequence[str])


def _even(n: int, most: int, streams: int) -> int:
    """Size of batches, at most ``most``, with which ``streams`` end at about the same time."""
    rounds = -(-n // (most * streams))
    return max(1, -(-n // (rounds * streams))) if n else 1


@dataclass(frozen=True)
class _Pictures:
    """How many pictures of the heads' own are embedded, and of how many that were not known."""

    done: int
    total: int


class HeadGroup:
    """The heads of one backbone and what they have not read yet."""

    def __init__(self, ws: Workspace, due: DueCandidates, heads: Mapping[str, Head], contest: ContestContext) -> None:
        self.heads, self.due = heads, due
        self._ws, self._contest = ws, contest
        self._vectors = StoredVectors(ws.db)
        self._backbone = next(iter(heads.values())).backbone
        self._texts: dict[str, list[str]] = {}  # by task's id
        self._inputs = lru_cache(maxsize=_KEPT_INPUTS)(partial(ws.task_inputs, without_gone=True))

    def score(self, engine: Engine, count: Callable[[Scored], None], progress: Progress, done: int, total: int) -> None:
        """Score and store all that is due; ``done`` of ``total`` candidates were scored by other groups."""
        for result in self._results(engine) if self.due else ():
            if isinstance(result, _Pictures):
                self._vectors.save()
                progress("photographs", result.done, result.total)
                continue
            with self._vectors.saving() as connection:
                add_scores(self._ws.db, connection, result.rows)
            count(result)
            done += result.candidates
            progress("embed", done, total, f"{len(self.heads)} heads")

    def _results(self, engine: Engine) -> Iterator[Scored | _Pictures]:
        """Batches as they are done, to be saved; those of the heads' own pictures first."""
        on_cpu, cores = self._backbone.on_cpu, os.cpu_count() or 1
        streams = min(MOST_STREAMS, cores) if on_cpu else 2
        size = min(CPU_BATCH, self._backbone.batch) if on_cpu else self._backbone.batch
        size = self._ws.config.engine.batch or size
        stage = HeadStage(ScorerSet(self._ws, self.heads, self._contest, self.due), self._ws.images)
        here = engine.is_local and self._backbone.on_torch
        shared = cores_shared_by(streams if on_cpu else 1) if here else nullcontext()
        with engine.pool(stage, streams, len(self.due)) as pool, shared:
            closing = None if engine.is_local else pool.close  # a thread of ours finishes its batch, as it always did
            try:
                self._know_texts(pool)
                yield from self._know_pictures(pool, size, closing)
            except BestshotError as error:  # weights that cannot be loaded; other heads may have another backbone
                yield Scored([], 0, [Failure.of(self.heads, error)])
                return
            size = _even(len(self.due), size, pool.workers)
            yield from stream(self._batches(size), partial(self._score, pool), pool.threads, closing)

    def _score(self, pool: Pool[Candidates | Beside, Looked], places: range) -> Iterator[Scored]:
        """In a thread: what is known of a batch goes to a worker, and what it made is kept until it is saved."""
        batch = self.due[places.start : places.stop]
        inputs: dict[str, TaskInputs] = {}
        failures: dict[str, Failure] = {}
        for task in {task.id: task for task, _, _ in batch}.values():
            try:
                inputs[task.id] = self._inputs(task)
            except InputError as error:
                failures[task.id] = Failure(reason_of(error))
        ready = [one for one in batch if one[0].id in inputs]
        if len(ready) < len(batch):
            yield Scored([], len(batch) - len(ready), [failures[t.id] for t, _, _ in batch if t.id in failures])
        if not ready:
            return
        for part, found in in_parts(pool, ready, partial(self._packed, inputs)):
            if isinstance(found, WorkerLost):
                yield lost(part, found)
                continue
            self._keep(found.made)
            yield found.scored

    def _packed(self, inputs: Mapping[str, TaskInputs], part: Sequence[Due]) -> Candidates:
        """A batch with the vectors that its heads will look up."""
        needed = {task.id: inputs[task.id] for task, _, _ in part}
        asked = dict.fromkeys(name for _, _, names in part for name in names)
        wanted: dict[View, dict[str, None]] = {}
        for head in (self.heads[name] for name in asked):
            of_view = wanted.setdefault(head.view, {})
            of_view |= dict.fromkeys(candidate_id for _, candidate_id, _ in part)
            if head.with_source:
                of_view |= dict.fromkeys(one.source.id for one in needed.values() if one.source is not None)
        texts = dict.fromkeys(text for task_id in needed for text in self._texts.get(task_id, ()))
        space = self._backbone.space
        known = {
            (view, key): vectors
            for view, ids in wanted.items()
            for key, vectors in self._vectors.pictures(space, view, ids).items()
        }
        sent = SentVectors(known, self._vectors.texts(space, texts))
        return Candidates([(task.id, candidate_id, names) for task, candidate_id, names in part], needed, sent)

    def _keep(self, made: SentVectors) -> None:
        space = self._backbone.space
        for view in View:
            of_view = {key: vectors for (of, key), vectors in made.pictures_new.items() if of is view}
            if of_view:
                self._vectors.add_pictures(space, view, of_view)
        if made.texts_new:
            self._vectors.add_texts(space, made.texts_new)

    def _batches(self, size: int) -> Iterator[range]:
        """Batches of at most ``size``. Tasks with a source picture stay whole: two batches would both embed it."""
        if not any(head.with_source for head in self.heads.values()):
            yield from _parts(range(len(self.due)), size)
            return
        batch = range(0)
        for span in self.due.spans():
            if batch and len(batch) + len(span) > size:
                yield batch
                batch = range(span.start, span.start)
            *full, batch = _parts(range(batch.start, span.stop), size)
            yield from full
        yield batch

    def _know_texts(self, pool: Pool[Candidates | Beside, Looked]) -> None:
        """Embed the texts of all tasks at once, so that no pass over pictures has to."""
        heads = list(self.heads.values())
        for task in self.due.tasks:
            with _own_faults():
                inputs = TaskInputs(task, reading=self._ws.readings.of(task.id))
                self._texts[task.id] = texts_of(heads, inputs, self._contest.translations)
        wanted = dict.fromkeys(text for texts in self._texts.values() for text in texts)
        known = self._vectors.texts(self._backbone.space, wanted)
        missing = [text for text in wanted if text not in known]
        if missing:
            with _own_faults():
                self._keep(pool.call(Beside(missing)).made)

    def _know_pictures(
        self, pool: Pool[Candidates | Beside, Looked], size: int, closing: Callable[[], None] | None
    ) -> Iterator[_Pictures]:
        """Embed what heads with work to do look at beside the candidates, as far as it is not stored."""
        with _own_faults():
            reads = self._own_pictures()
            if not reads:
                return
            known = self._vectors.pictures(self._backbone.space, View.WHOLE, reads)
            missing = [key for key in reads if key not in known]

            def work(keys: Sequence[str]) -> Iterator[int]:
                pictures: list[tuple[str, Picture]] = []
                for key in keys:
                    with suppress(InputError):  # it is left out of what they compare with
                        pictures.append((key, reads[key]()))
                if pictures:
                    for _, found in in_parts(pool, pictures, lambda part: Beside(pictures=part)):
                        if not isinstance(found, WorkerLost):
                            self._keep(found.made)
                yield len(keys)

            done = 0
            for n in stream(_parts(missing, size), work, pool.threads, closing):
                done += n
                yield _Pictures(done, len(missing))
            known = self._vectors.pictures(self._backbone.space, View.WHOLE, reads)
            pool.tell(SentVectors({(View.WHOLE, key): vectors for key, vectors in known.items()}))

    def _own_pictures(self) -> dict[str, Callable[[], Picture]]:
        busy, found = self.due.scorers, dict[str, Callable[[], Picture]]()
        for name, head in self.heads.items():
            if name in busy:
                ids, read = head.own_pictures()
                found |= {key: partial(read, key) for key in ids}
        return found


@contextmanager
def _own_faults() -> Iterator[None]:
    """What a head itself does wrong is found out by the batches, with the item at fault. Our errors pass."""
    try:
        yield
    except BestshotError:
        raise
    except Exception as error:
        raise_shortage(error)


def _parts(whole: _T, size: int) -> Iterator[_T]:
    return (whole[start : start + size] for start in range(0, len(whole), size))
