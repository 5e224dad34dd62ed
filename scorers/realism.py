"""realism: how far the picture lies from real photographs, in the embedding."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scorers._embedded import EmbeddingScorer, clipped
from selector.domain import Axis, Column, Item, MissingPart, Picture, Score, TaskType
from selector.domain.embedding import Backbone, ContestContext, EmbeddingSettings, Floats, Seen
from selector.sight.embedding.real_pictures import RealPictures, folder_of_photographs, gather, input_photographs
from selector.sight.embedding.set_distance import Shrunk, nearest_distance
from selector.sight.embedding.vectors import RecentVectors, Vectors

LEAST_PICTURES = 20
TOO_FEW = f"there are fewer than {LEAST_PICTURES} real photographs to compare with"


class Realism(EmbeddingScorer):
    """realism: how far the picture lies from real photographs, in the embedding.

    Estimates: whether a picture looks like a photograph that was taken: its distance to the contest's own input
        photographs (or those of a folder). ``knn_distance``: mean cosine distance to the 5 nearest. ``mahalanobis``:
        distance under their Gaussian (covariance shrunk after Ledoit and Wolf 2004) over the square root of the
        dimensions, about 1 for another photograph of the kind. The task's own pictures are left out of both, and so is
        the picture itself: a copy of the source does not win by being it.
    Range and direction: [0, 2] and, cut at 10, [0, 10]; both down. Axis: PQ. Tasks: all.
    Input: the candidate.
    Model and licence: the backbone's.
    Source: the same vectors and reference as set distances have, FID (Heusel et al. 2017) and CMMD (Jayasumana et al.
        2024); ``bestshot realism`` has those.
    Cost: one product with the photographs' vectors, which are embedded once a campaign.
    Fails: an embedding sees motifs before damage: a rare motif lies far off however well it is made, so compare
        candidates of one task only. What smooths a picture may bring it *nearer*, because many photographs have smooth
        parts. Fine artefacts vanish at the backbone's resolution. Below 20 photographs nothing is scored, and where
        there are fewer of them than dimensions the shrinkage decides much of ``mahalanobis``.

    Args:
        reference_folder: real photographs instead of the contest's input pictures.
        neighbours: how many of the nearest count.
        model, pretrained, weights_path, config_path: see ``EmbeddingScorer``.

    Example:
        In ``campaign.toml``, with photographs of another folder than the contest's own:

        [scorers.realism]
        reference_folder = "photographs"
    """

    name = "realism"
    settings_in_version = (*EmbeddingScorer.settings_in_version, "reference_folder")  # by the pictures' content
    task_types = frozenset(TaskType)
    columns = (
        Column("knn_distance", 0.0, 2.0, False, Axis.PQ, "cosine distance to the nearest real photographs"),
        Column("mahalanobis", 0.0, 10.0, False, Axis.PQ, "distance from the mass of real photographs, about 1 for one"),
    )

    def __init__(
        self,
        reference_folder: str = "",
        neighbours: int = 5,
        model: str = "",
        pretrained: str = "",
        weights_path: str = "",
        config_path: str = "",
    ) -> None:
        if neighbours < 1:
            raise ValueError(f"neighbours is a number above 0, got {neighbours}")
        self._folder, self._neighbours = reference_folder, neighbours
        self._contest: ContestContext | None = None
        self._found: RealPictures | None = None
        self._reference: Reference | None = None
        super().__init__(model, pretrained, weights_path, config_path)

    def meet(self, contest: ContestContext) -> None:
        self._contest, self._found = contest, None
        super().meet(contest)

    def check(self) -> None:
        """Raise ``MissingPart`` when the backbone's weights or the named folder are not here."""
        super().check()
        self._pictures()

    def keep_in(self, vectors: Vectors) -> None:
        """Look the photographs' vectors up in ``vectors``, and add them there."""
        self._real().keep_in(vectors)

    def own_pictures(self) -> tuple[Sequence[str], Callable[[str], Picture]]:
        """Ids of the photographs, and how one is read: a run embeds them on all cores before it scores."""
        pictures = self._pictures()
        return sorted(pictures.by_id), pictures.read

    def read(self, item: Item, seen: Seen) -> Mapping[str, Score]:
        fitted = self._real().fitted()
        if fitted is None or len(fitted.rows) < LEAST_PICTURES:
            return self._unscored(TOO_FEW)
        values = fitted.distances(seen.units[0], _own(item), self._neighbours)
        if values is None:
            return self._unscored(TOO_FEW)
        return {c.name: clipped(value, c) for c, value in zip(self.columns, values, strict=True)}

    def _use(self, settings: EmbeddingSettings) -> None:
        super()._use(settings)
        self._reference = None  # of another backbone, or of other pictures

    def _real(self) -> Reference:
        if self._reference is None:
            self._reference = Reference(self._pictures(), self.backbone)
        return self._reference

    def _pictures(self) -> RealPictures:
        if self._found is None:
            contest = self._contest
            if self._folder:
                self._found = folder_of_photographs(Path(self._folder))
            elif contest is None:
                self._found = input_photographs((), Path(), {})
            else:
                self._found = input_photographs(contest.tasks, contest.inputs_folder, contest.input_ids)
        return self._found

    def _more_version(self) -> list[str]:
        """The photographs; no texts are read, so translations change nothing."""
        try:
            return [f"r{self._pictures().digest}"]
        except MissingPart:
            return ["absent"]


def _own(item: Item) -> list[str]:
    """The picture itself, should a folder hold it, and those that it was made from."""
    pictures = (item.picture, item.inputs.source, item.inputs.reference)
    return [picture.id for picture in pictures if picture is not None]


@dataclass(frozen=True)
class Fitted:
    """Unit vectors (n, d) of the photographs, the row of each by its id, and their Gaussian."""

    units: Floats
    rows: dict[str, int]
    gaussian: Shrunk

    def distances(self, unit: Floats, without: Iterable[str], k: int) -> tuple[float, float] | None:
        """To the nearest ``k`` and under the Gaussian, both without the named ones; None where none is left."""
        out = sorted({self.rows[key] for key in without if key in self.rows})
        rest = np.delete(self.units, out, axis=0)
        if not len(rest):
            return None
        return nearest_distance(unit, rest, k), self.gaussian.distance(unit, self.units[out])


class Reference:
    """Fits at first use; safe to call from threads.

    A run has embedded the photographs by then, see ``selector.measure.embedding``; what it has not is embedded here, in
    the thread that asks first.
    """

    def __init__(self, pictures: RealPictures, backbone: Backbone) -> None:
        self._pictures, self._backbone = pictures, backbone
        self._vectors: Vectors | None = None
        self._fitted: Fitted | None = None
        self._tried = False
        self._lock = threading.Lock()

    def keep_in(self, vectors: Vectors) -> None:
        """Where vectors are looked up and added from now on."""
        self._vectors = vectors

    def fitted(self) -> Fitted | None:
        """None where no photograph could be embedded. What cannot be read is left out."""
        with self._lock:
            if not self._tried:
                self._fitted = self._fit()
                self._tried = True
            return self._fitted

    def _fit(self) -> Fitted | None:
        ids = sorted(self._pictures.by_id)
        vectors = self._vectors or RecentVectors(len(ids) + 1)
        found: dict[str, Any] = {}
        for batch in gather(self._backbone, ids, self._pictures.read, vectors):
            found |= {key: v for key, v in batch.items() if not isinstance(v, str)}
        if not found:
            return None
        keys = sorted(found)
        stacked = np.stack([found[key] for key in keys])
        units = stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)
        return Fitted(units, {key: row for row, key in enumerate(keys)}, Shrunk.fitted(units))
