"""Scores by heads of an embedding: batches of candidates across tasks, one pass of the backbone for all heads.

On a CPU each core has a batch of its own, which it decodes and embeds in one thread: no core waits for another. On
another device two batches are under way, so that a pool decodes one while the other is embedded.

A head may look at pictures beside the candidates, such as photographs to compare with (``own_pictures``). They are
embedded before the first candidate, in the same way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from typing import Any, TypeVar

from selector.domain import (
    BestshotError,
    InputError,
    Item,
    Picture,
    Score,
    Task,
    TaskInputs,
    raise_shortage,
    reason_of,
)
from selector.domain.embedding import Head, View
from selector.domain.progress import Progress
from selector.measure.scored import Due, Failure, Scored, Versions, checked, due, rows_of
from selector.sight.embedding.device import cores_shared_by
from selector.sight.embedding.looking import Map, Request, know_texts, look
from selector.sight.embedding.real_pictures import gather
from selector.sight.embedding.vectors import Vectors
from selector.store.embeddings import StoredVectors
from selector.store.scores import add_scores
from selector.workspace.executor import stream
from selector.workspace.workspace import Workspace

MOST_STREAMS = 8  # batches under way on a CPU; with more cores each has several
CPU_BATCH = 32  # candidates of a batch there: in one thread a larger one is no faster
_KEPT_INPUTS = 64  # tasks whose source pictures stay in memory

_T = TypeVar("_T")


def _even(n: int, most: int, streams: int) -> int:
    """Size of batches, at most ``most``, with which ``streams`` end at about the same time."""
    rounds = -(-n // (most * streams))
    return max(1, -(-n // (rounds * streams))) if n else 1


def score_by_heads(
    ws: Workspace,
    tasks: Sequence[Task],
    heads: Mapping[str, Head],
    translations: Mapping[str, str],
    count: Callable[[Scored], None],
    progress: Progress,
) -> None:
    """Score every candidate of ``tasks`` that a head has not read; ``count`` gets what each batch brought."""
    by_space: dict[str, dict[str, Head]] = {}
    for name, head in heads.items():
        by_space.setdefault(head.backbone.space, {})[name] = head
    groups = [_Group(ws, group, due(ws, tasks, group), translations) for group in by_space.values()]
    total, done = sum(len(group.due) for group in groups), 0
    for group in groups:
        for result in group.results() if group.due else ():
            if isinstance(result, _Pictures):
                group.vectors.save()
                progress("photographs", result.done, result.total)
                continue
            with group.vectors.saving() as connection:
                add_scores(ws.db, connection, result.rows)
            count(result)
            done += result.candidates
            progress("embed", done, total, f"{len(group.heads)} heads")


@dataclass(frozen=True)
class _Pictures:
    """How many pictures of the heads' own are embedded, and of how many that were not known."""

    done: int
    total: int


class _Group:
    """The heads of one backbone and what they have not read yet."""

    def __init__(
        self, ws: Workspace, heads: Mapping[str, Head], due: Sequence[Due], translations: Mapping[str, str]
    ) -> None:
        self.heads, self.due = heads, due
        self.vectors = StoredVectors(ws.db)
        for head in heads.values():
            head.keep_in(self.vectors)  # those of pictures of its own are kept as well
        self._ws, self._translations = ws, translations
        self._backbone = next(iter(heads.values())).backbone

    def results(self) -> Iterator[Scored | _Pictures]:
        """Batches as they are done, to be saved; those of the heads' own pictures first."""
        on_cpu, cores = self._backbone.on_cpu, os.cpu_count() or 1
        streams = min(MOST_STREAMS, cores) if on_cpu else 2
        size = min(CPU_BATCH, self._backbone.batch) if on_cpu else self._backbone.batch
        try:
            self._know_texts()
        except BestshotError as error:
            yield self._failed(error)
            return
        shared = cores_shared_by(streams if on_cpu else 1) if self._backbone.on_torch else nullcontext()
        with ThreadPoolExecutor(cores) as pool, shared:
            each: Map = map if on_cpu else pool.map
            try:
                yield from self._know_pictures(each, size, streams)
            except BestshotError as error:
                yield self._failed(error)
                return
            worker = _Worker(self._ws, self.heads, self.vectors, self._translations, each)
            size = _even(len(self.due), size, streams)
            yield from stream(self._batches(size), worker.work, streams)

    def _batches(self, size: int) -> Iterator[Sequence[Due]]:
        """Batches of at most ``size``. Tasks with a source picture stay whole: two batches would both embed it."""
        if not any(head.with_source for head in self.heads.values()):
            yield from _parts(self.due, size)
            return
        batch: Sequence[Due] = []
        for _, of_task in groupby(self.due, lambda due: due[0].id):
            whole = list(of_task)
            if batch and len(batch) + len(whole) > size:
                yield batch
                batch = []
            *full, batch = _parts([*batch, *whole], size)
            yield from full
        yield batch

    def _failed(self, error: BestshotError) -> Scored:
        """Weights that cannot be loaded; other heads may have another backbone."""
        return Scored([], 0, [Failure.of(self.heads, error)])

    def _know_texts(self) -> None:
        tasks = {task.id: task for task, _, _ in self.due}.values()
        inputs = [TaskInputs(task, reading=self._ws.readings.of(task.id)) for task in tasks]
        try:
            know_texts(list(self.heads.values()), inputs, self.vectors, self._translations)
        except BestshotError:
            raise
        except Exception as error:  # a head's own fault: the batches find out of which item
            raise_shortage(error)

    def _know_pictures(self, each: Map, size: int, streams: int) -> Iterator[_Pictures]:
        """Embed what heads with work to do look at beside the candidates, as far as it is not stored."""
        try:
            reads = self._own_pictures()
            known = self.vectors.pictures(self._backbone.space, View.WHOLE, reads)
            missing = [key for key in reads if key not in known]

            def work(keys: Sequence[str]) -> Iterator[int]:
                for batch in gather(self._backbone, keys, lambda key: reads[key](), self.vectors, each):
                    yield len(batch)

            done = 0
            for found in stream(_parts(missing, size), work, streams):
                done += found
                yield _Pictures(done, len(missing))
        except BestshotError:
            raise
        except Exception as error:  # as above
            raise_shortage(error)

    def _own_pictures(self) -> dict[str, Callable[[], Picture]]:
        busy = {name for _, _, lacking in self.due for name in lacking}
        found: dict[str, Callable[[], Picture]] = {}
        for name, head in self.heads.items():
            if name in busy:
                ids, read = head.own_pictures()
                found |= {key: partial(read, key) for key in ids}
        return found


def _parts(whole: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (whole[start : start + size] for start in range(0, len(whole), size))


class _Worker:
    """Reads, decodes, embeds and scores batches; only reads the store."""

    def __init__(
        self, ws: Workspace, heads: Mapping[str, Head], vectors: Vectors, translations: Mapping[str, str], each: Map
    ) -> None:
        self._ws, self._heads, self._translations = ws, heads, translations
        self._vectors, self._each = vectors, each
        self._versions = Versions(heads)
        self._inputs = lru_cache(maxsize=_KEPT_INPUTS)(ws.task_inputs)

    def work(self, batch: Sequence[Due]) -> Iterator[Scored]:
        items: dict[int, Item] = {}
        failures: list[Failure] = []
        for i, found in enumerate(self._each(self._item, batch)):
            if isinstance(found, Item):
                items[i] = found
            else:
                failures.append(found)
        due = {name: [i for i in items if name in batch[i][2]] for name in self._heads}
        results = self._look({n: places for n, places in due.items() if places}, items, failures)
        rows: list[dict[str, Any]] = []
        for (name, i), result in results.items():
            task, candidate_id, _ = batch[i]
            rows += rows_of(task.id, candidate_id, name, self._versions.of(name, items[i].inputs), result)
        yield Scored(rows, len(batch), failures)

    def _item(self, due: Due) -> Item | Failure:
        task, candidate_id, _ = due
        try:
            inputs: TaskInputs = self._inputs(task)
            return Item(inputs, self._ws.images.picture(candidate_id))
        except InputError as error:
            return Failure(reason_of(error))

    def _look(
        self, due: Mapping[str, Sequence[int]], items: Mapping[int, Item], failures: list[Failure]
    ) -> dict[tuple[str, int], Mapping[str, Score]]:
        """Results by (head, place). What raises is tried in smaller parts, then noted and left out."""
        requests = [Request(self._heads[name], [items[i] for i in places]) for name, places in due.items()]
        try:
            found = look(requests, self._vectors, self._translations, self._each)
            return {
                (name, i): checked(self._heads[name].columns, result)
                for (name, places), results in zip(due.items(), found, strict=True)
                for i, result in zip(places, results, strict=True)
            }
        except Exception as error:
            smaller = _halves(due)
            if not smaller:
                failures.append(Failure.of(due, error))
                return {}
        return {key: result for part in smaller for key, result in self._look(part, items, failures).items()}


def _halves(due: Mapping[str, Sequence[int]]) -> list[dict[str, Sequence[int]]]:
    """The heads one by one; of one head its items in two halves; nothing where there is one of each."""
    if len(due) > 1:
        return [{name: places} for name, places in due.items()]
    ((name, places),) = due.items()
    middle = len(places) // 2
    return [{name: places[:middle]}, {name: places[middle:]}] if middle else []
