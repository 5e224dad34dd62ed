"""Scoring by heads of an embedding as a stage: one pass of the backbone for all heads, vectors in and out as data."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from selector.domain import InputError, Item, Picture, Score, TaskInputs
from selector.domain.embedding import Backbone, Floats, Head, View
from selector.engine import Stage
from selector.measure._scorer_set import ScorerSet
from selector.measure.scored import Failure, Scored, checked, rows_of
from selector.sight.embedding.looking import Map, Request, embed_pictures, look
from selector.store import Images


@dataclass
class SentVectors:
    """Vectors of one space that a batch brings along, and those that were made with it.

    Fulfils ``selector.sight.embedding.vectors.Vectors``. Pictures: (view, id) to (crops, dim).
    """

    pictures_known: dict[tuple[View, str], Floats] = field(default_factory=dict)
    texts_known: dict[str, Floats] = field(default_factory=dict)
    pictures_new: dict[tuple[View, str], Floats] = field(default_factory=dict)
    texts_new: dict[str, Floats] = field(default_factory=dict)

    def pictures(self, space: str, view: View, ids: Iterable[str]) -> dict[str, Floats]:  # noqa: ARG002
        both = ((i, self.pictures_known.get((view, i), self.pictures_new.get((view, i)))) for i in ids)
        return {i: found for i, found in both if found is not None}

    def add_pictures(self, space: str, view: View, found: Mapping[str, Floats]) -> None:  # noqa: ARG002
        self.pictures_new.update({(view, i): vectors for i, vectors in found.items()})

    def texts(self, space: str, texts: Iterable[str]) -> dict[str, Floats]:  # noqa: ARG002
        both = ((text, self.texts_known.get(text, self.texts_new.get(text))) for text in texts)
        return {text: found for text, found in both if found is not None}

    def add_texts(self, space: str, found: Mapping[str, Floats]) -> None:  # noqa: ARG002
        self.texts_new.update(found)


@dataclass(frozen=True)
class Candidates:
    """(task's id, candidate's id, heads that have not read it), the tasks' inputs by id, and what is known of both."""

    due: Sequence[tuple[str, str, Sequence[str]]]
    inputs: Mapping[str, TaskInputs]
    vectors: SentVectors


@dataclass(frozen=True)
class Beside:
    """What is embedded before any candidate: texts, and pictures of the heads' own by id."""

    texts: Sequence[str] = ()
    pictures: Sequence[tuple[str, Picture]] = ()


@dataclass(frozen=True)
class Looked:
    """What a batch brought; ``made``: the vectors that the driver did not know."""

    scored: Scored
    made: SentVectors


class HeadStage(Stage["Candidates | Beside", Looked]):
    """Reads, decodes, embeds and scores. On a GPU a pool of threads decodes one batch while another is embedded."""

    def __init__(self, heads: ScorerSet, images: Images) -> None:
        self._scorers, self._images = heads, images
        self._start()

    def __getstate__(self) -> dict[str, Any]:
        return {"scorers": self._scorers, "images": self._images}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self._scorers, self._images = state["scorers"], state["images"]
        self._start()

    def _start(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._cores = os.cpu_count() or 1

    @property
    def on_gpu(self) -> bool:
        return any(not head.backbone.on_cpu for head in self._heads().values())

    def prepare(self, cores: int) -> None:
        self._cores = cores
        self._scorers.check()
        if heads := self._heads():  # while its first batch is on its way, and in all workers at once
            backbone = next(iter(heads.values())).backbone
            threading.Thread(target=_load, args=(backbone,), daemon=True).start()

    def __call__(self, batch: Candidates | Beside) -> Looked:
        return self._look_beside(batch) if isinstance(batch, Beside) else self._score(batch)

    def tell(self, news: SentVectors) -> None:
        """The vectors of all pictures of the heads' own."""
        for head in self._heads().values():
            head.keep_in(news)

    def close(self) -> None:
        self._scorers.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    def _heads(self) -> dict[str, Head]:
        return {name: head for name, head in self._scorers.ready().items() if isinstance(head, Head)}

    def _each(self, backbone: Backbone) -> Map:
        if backbone.on_cpu:
            return map
        with self._lock:
            self._pool = self._pool or ThreadPoolExecutor(self._cores)
        return self._pool.map

    def _look_beside(self, batch: Beside) -> Looked:
        heads = self._heads()
        if not heads:
            raise InputError(self._scorers.failures()[0].reason)
        backbone = next(iter(heads.values())).backbone
        made = SentVectors()
        if batch.texts:
            made.texts_new = dict(zip(batch.texts, backbone.embed_texts(batch.texts), strict=True))
        pictures = [(View.WHOLE, key, picture) for key, picture in batch.pictures]
        found = embed_pictures(backbone, pictures, self._each(backbone))
        made.pictures_new = {key: vectors for key, vectors in found.items() if not isinstance(vectors, str)}
        return Looked(Scored([], 0, []), made)

    def _score(self, batch: Candidates) -> Looked:
        heads = self._heads()
        asked = dict.fromkeys(name for _, _, names in batch.due for name in names)
        failures = self._scorers.failures(asked)
        rows: list[dict[str, Any]] = []
        if heads:
            each = self._each(next(iter(heads.values())).backbone)
            rows = _Pass(heads, self._scorers, self._images, batch, each, failures).rows()
        made = SentVectors(pictures_new=batch.vectors.pictures_new, texts_new=batch.vectors.texts_new)
        return Looked(Scored(rows, len(batch.due), failures), made)


def _load(backbone: Backbone) -> None:
    """By a picture of nothing. What is wrong with it is said by the first batch."""
    with suppress(Exception):
        backbone.embed_crops(np.zeros((1, backbone.side_px, backbone.side_px, 3), np.uint8))


class _Pass:
    """One batch of candidates."""

    def __init__(
        self,
        heads: Mapping[str, Head],
        scorers: ScorerSet,
        images: Images,
        batch: Candidates,
        each: Map,
        failures: list[Failure],
    ) -> None:
        self._heads, self._scorers, self._images = heads, scorers, images
        self._batch, self._each, self._failures = batch, each, failures
        self._items: dict[int, Item] = {}

    def rows(self) -> list[dict[str, Any]]:
        due = self._batch.due
        for i, found in enumerate(self._each(self._item, due)):
            if isinstance(found, Item):
                self._items[i] = found
            else:
                self._failures.append(found)
        places = {name: [i for i in self._items if name in due[i][2]] for name in self._heads}
        rows: list[dict[str, Any]] = []
        for (name, i), result in self._look({n: of_head for n, of_head in places.items() if of_head}).items():
            task_id, candidate_id, _ = due[i]
            version = self._scorers.versions.of(name, self._items[i].inputs)
            rows += rows_of(task_id, candidate_id, name, version, result)
        return rows

    def _item(self, due: tuple[str, str, Sequence[str]]) -> Item | Failure:
        task_id, candidate_id, _ = due
        try:
            return Item(self._batch.inputs[task_id], self._images.picture(candidate_id))
        except InputError as error:
            return Failure.of_picture(candidate_id, error)

    def _look(self, due: Mapping[str, Sequence[int]]) -> dict[tuple[str, int], Mapping[str, Score]]:
        """Results by (head, place). What raises is tried in smaller parts, then noted and left out."""
        requests = [Request(self._heads[name], [self._items[i] for i in places]) for name, places in due.items()]
        try:
            found = look(requests, self._batch.vectors, self._scorers.translations, self._each)
            return {
                (name, i): checked(self._heads[name].columns, result)
                for (name, places), results in zip(due.items(), found, strict=True)
                for i, result in zip(places, results, strict=True)
            }
        except Exception as error:
            smaller = _halves(due)
            if not smaller:
                self._failures.append(Failure.of(due, error))
                return {}
        return {key: result for part in smaller for key, result in self._look(part).items()}


def _halves(due: Mapping[str, Sequence[int]]) -> list[dict[str, Sequence[int]]]:
    """The heads one by one; of one head its items in two halves; nothing where there is one of each."""
    if len(due) > 1:
        return [{name: places} for name, places in due.items()]
    ((name, places),) = due.items()
    middle = len(places) // 2
    return [{name: places[:middle]}, {name: places[middle:]}] if middle else []
