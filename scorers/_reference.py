"""The real photographs that a picture's realism is measured against: embedded once, fitted once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from selector.domain.embedding import Backbone
from selector.sight.embedding.real_pictures import RealPictures, gather
from selector.sight.embedding.set_distance import Shrunk, nearest_distance
from selector.sight.embedding.vectors import RecentVectors, Vectors

Floats = np.ndarray[Any, np.dtype[np.float32]]


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
