"""The pass that heads of one backbone share: every picture once a view, every text once, one matrix product a view.

All that a head wants of a crop is linear in its vector: similarities to texts, and directions of its own (an affine
aesthetic head, a linear detector). So the vectors of a batch are multiplied once with the directions of all heads and
the texts of all tasks, and each head reads its columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from selector.domain import InputError, Item, Picture, Score, TaskInputs, not_applicable, reason_of
from selector.domain.embedding import Backbone, Head, Seen, View
from selector.sight.embedding.texts import readable_form
from selector.sight.embedding.vectors import Vectors, as_kept
from selector.sight.embedding.views import boxes, crops

Floats = np.ndarray[Any, np.dtype[np.float32]]
Result = Mapping[str, Score]
Map = Callable[..., Iterable[Any]]  # the built-in map, or that of a pool of threads


@dataclass(frozen=True)
class Request:
    """A head and the items that it is to read."""

    head: Head
    items: Sequence[Item]


def look(
    requests: Sequence[Request], vectors: Vectors, translations: Mapping[str, str], each: Map = map
) -> list[list[Result]]:
    """The results of every request, in order. All heads must have the same backbone.

    Args:
        vectors: where vectors are looked up and added.
        translations: English of texts in other languages.
        each: how pictures are decoded; a pool's ``map`` decodes several at once.
    """
    if not requests:
        return []
    idle = [{i: why for i, item in enumerate(r.items) if (why := r.head.idle(item.inputs))} for r in requests]
    busy = [
        Request(r.head, [item for i, item in enumerate(r.items) if i not in reasons])
        for r, reasons in zip(requests, idle, strict=True)
    ]
    backbone = requests[0].head.backbone
    texts = _Texts(backbone, busy, vectors, translations)
    looked = _pictures(backbone, busy, vectors, each)
    found: list[Iterator[Result]] = [iter(()) for _ in requests]
    for view in View:
        places = [i for i, r in enumerate(busy) if r.head.view is view]
        for i, read in zip(places, _read(view, [busy[i] for i in places], looked, texts), strict=True):
            found[i] = iter(read)
    return [
        [_unscored(r.head, reasons[i]) if i in reasons else next(results) for i in range(len(r.items))]
        for r, reasons, results in zip(requests, idle, found, strict=True)
    ]


Looked = dict[tuple[View, str], "Floats | str"]  # vectors, or why there are none


def _pictures(backbone: Backbone, requests: Sequence[Request], vectors: Vectors, each: Map) -> Looked:
    """Vectors of every picture that a head asks for, known or made in one pass."""
    wanted: dict[View, dict[str, Picture]] = {}
    for request in requests:
        of_view = wanted.setdefault(request.head.view, {})
        for item in request.items:
            of_view[item.picture.id] = item.picture
            if request.head.with_source and item.inputs.source is not None:
                of_view[item.inputs.source.id] = item.inputs.source
    looked: Looked = {}
    missing: list[tuple[View, str, Picture]] = []
    for view, pictures in wanted.items():
        known = vectors.pictures(backbone.space, view, pictures)
        looked |= {(view, key): found for key, found in known.items()}
        missing += [(view, key, picture) for key, picture in pictures.items() if key not in known]
    made = embed_pictures(backbone, missing, each)
    for view in wanted:
        vectors.add_pictures(
            backbone.space, view, {key: v for (of, key), v in made.items() if of is view and not isinstance(v, str)}
        )
    return looked | made


def embed_pictures(backbone: Backbone, missing: Sequence[tuple[View, str, Picture]], each: Map = map) -> Looked:
    """Vectors of pictures under their keys, as they are kept, or why there are none; one batch of the backbone."""
    if not missing:
        return {}
    side, by_torch = backbone.side_px, backbone.on_torch
    cut = list(each(lambda job: _cut(job[2], job[0], side, by_torch), missing))
    whole = [c for c in cut if not isinstance(c, str)]
    embedded = as_kept(backbone.embed_crops(np.concatenate(whole))) if whole else np.zeros((0, 0), np.float32)
    made: Looked = {}
    start = 0
    for (view, key, _), found in zip(missing, cut, strict=True):
        if isinstance(found, str):
            made[view, key] = found
            continue
        part = embedded[start : start + len(found)]
        made[view, key] = part if np.isfinite(part).all() else "the backbone gave no finite vector"
        start += len(found)
    return made


def _cut(picture: Picture, view: View, side: int, by_torch: bool) -> Any:
    try:
        return crops(picture, view, side, by_torch)
    except InputError as error:
        return reason_of(error).split(": ", 1)[-1]  # without the picture's name: equal reasons are counted together


def texts_of(heads: Sequence[Head], inputs: TaskInputs, translations: Mapping[str, str]) -> list[str]:
    """The texts of a task that heads of one backbone ask for, as it reads them; without those that it cannot read."""
    reads_all = heads[0].backbone.reads_all
    asked = dict.fromkeys(text for h in heads if inputs.task.type in h.task_types for text in h.texts(inputs))
    forms = dict.fromkeys(readable_form(text, reads_all, translations)[0] for text in asked)
    return [form for form in forms if form]


def _known(backbone: Backbone, readable: Sequence[str], vectors: Vectors) -> dict[str, Floats]:
    """The vector of every text, from where they are kept or new."""
    known = vectors.texts(backbone.space, readable)
    new = [text for text in readable if text not in known]
    if new:
        made = dict(zip(new, backbone.embed_texts(new), strict=True))
        vectors.add_texts(backbone.space, made)
        known = known | made
    return known


class _Texts:
    """Unit vectors of all texts of a pass, one row each, and which rows a head's tuple of texts has."""

    def __init__(
        self, backbone: Backbone, requests: Sequence[Request], vectors: Vectors, translations: Mapping[str, str]
    ) -> None:
        inputs = {id(item.inputs): item.inputs for request in requests for item in request.items}
        of_head = ((r.head, {id(i.inputs) for i in r.items}) for r in requests)
        asked = {text: None for head, keys in of_head for key in keys for text in head.texts(inputs[key])}
        forms = {text: readable_form(text, backbone.reads_all, translations) for text in asked}
        readable = list(dict.fromkeys(form for form, why in forms.values() if why is None))
        known = _known(backbone, readable, vectors)
        self.matrix: Floats = np.stack([known[text] for text in readable]) if readable else np.zeros((0, 0), np.float32)
        row = {text: i for i, text in enumerate(readable)}
        self._row = {text: row[form] if why is None else -1 for text, (form, why) in forms.items()}
        self._why = {text: why for text, (_, why) in forms.items()}
        self._rows: dict[tuple[str, ...], Any] = {}

    def rows(self, texts: tuple[str, ...]) -> Any:
        """(t,) rows of the matrix, -1 where a text cannot be read."""
        if texts not in self._rows:
            self._rows[texts] = np.array([self._row[text] for text in texts], int)
        return self._rows[texts]

    def why(self, texts: tuple[str, ...]) -> tuple[str | None, ...]:
        return tuple(self._why[text] for text in texts)


def _read(view: View, requests: Sequence[Request], looked: Looked, texts: _Texts) -> list[list[Result]]:
    """What every head of a view reads, from one product of the vectors with all directions and texts."""
    keys = dict.fromkeys(item.picture.id for r in requests for item in r.items)
    whole = {key: v for key in keys if not isinstance(v := looked[view, key], str)}
    dim = next((v.shape[1] for v in whole.values()), 0)
    own = [_fitting(r.head.directions(), dim) for r in requests]
    columns = [d for d in own if d.size] + ([texts.matrix.T] if texts.matrix.size else [])
    if whole and columns:
        product = np.concatenate(list(whole.values())) @ np.concatenate(columns, axis=1)
        ends = np.cumsum([len(v) for v in whole.values()])
        products = dict(zip(whole, np.split(product, ends[:-1]), strict=True))
    else:
        products = {key: np.zeros((len(v), 0), np.float32) for key, v in whole.items()}
    widths = np.cumsum([0, *(d.shape[1] for d in own)])
    found = []
    for i, request in enumerate(requests):
        mine = slice(widths[i], widths[i + 1])
        reader = _Reader(request.head, view, mine, int(widths[-1]), texts, looked)
        found.append([reader.read(item, products.get(item.picture.id)) for item in request.items])
    return found


def _fitting(directions: Floats, dim: int) -> Floats:
    """The directions, or none where they are of another embedding than the backbone's: see ``_Reader.read``."""
    return directions if not directions.size or directions.shape[0] == dim else np.zeros((0, 0), np.float32)


class _Reader:
    """Hands a head its part of the product, item by item."""

    def __init__(self, head: Head, view: View, own: slice, texts_from: int, texts: _Texts, looked: Looked) -> None:
        self._head, self._view, self._own = head, view, own
        self._texts_from, self._texts, self._looked = texts_from, texts, looked

    def read(self, item: Item, product: Floats | None) -> Result:
        vectors = self._looked[self._view, item.picture.id]
        if product is None or isinstance(vectors, str):
            return _unscored(self._head, str(vectors))
        if self._own.stop == self._own.start and self._head.directions().size:
            reason = "the head belongs to another backbone: its directions have another number of dimensions"
            return _unscored(self._head, reason)
        asked = self._head.texts(item.inputs)
        rows = self._texts.rows(asked)
        lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)[:, None]
        cosines = np.full((len(vectors), len(rows)), np.nan, np.float32)
        cosines[:, rows >= 0] = product[:, self._texts_from + rows[rows >= 0]] / lengths
        source, no_source = self._source(item)
        return self._head.read(
            item,
            Seen(
                vectors=vectors,
                boxes=boxes(self._view, *item.picture.size, self._head.backbone.side_px),
                own=product[:, self._own],
                cosines=cosines,
                all_texts=self._texts.matrix,
                text_rows=rows,
                unreadable=self._texts.why(asked),
                source_vectors=source,
                no_source=no_source,
            ),
        )

    def _source(self, item: Item) -> tuple[Floats | None, str | None]:
        if not self._head.with_source:
            return None, None
        if item.inputs.source is None:
            return None, not_applicable("the task has no source picture")
        found = self._looked[self._view, item.inputs.source.id]
        return (None, f"the source picture: {found}") if isinstance(found, str) else (found, None)


def _unscored(head: Head, reason: str) -> Result:
    return {column.name: Score.unscored(reason) for column in head.columns}
