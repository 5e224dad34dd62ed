"""Where vectors are kept between passes: the contract, and a small memory for use without a campaign."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from selector.domain.embedding import View

Floats = np.ndarray[Any, np.dtype[np.float32]]


class Vectors(Protocol):
    """Vectors by space. What was added is found again with the same values, or, if it was dropped, made again."""

    def pictures(self, space: str, view: View, ids: Iterable[str]) -> dict[str, Floats]:
        """Picture id to (crops, dim), of those that are here."""

    def add_pictures(self, space: str, view: View, found: Mapping[str, Floats]) -> None: ...

    def texts(self, space: str, texts: Iterable[str]) -> dict[str, Floats]:
        """Text to (dim,), of those that are here."""

    def add_texts(self, space: str, found: Mapping[str, Floats]) -> None: ...


def as_kept(vectors: Floats) -> Floats:
    """Picture vectors at the precision that is stored (float16), so that a fresh one and a stored one are the same.

    float16 has three bits more than the bfloat16 that made most of them; its largest value is 65504, and a value beyond
    it is cut there.
    """
    return np.clip(vectors, -65504, 65504).astype(np.float16).astype(np.float32)


class RecentVectors:
    """The most recently used vectors, in memory."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, ...], Floats] = OrderedDict()
        self._lock = threading.Lock()

    def pictures(self, space: str, view: View, ids: Iterable[str]) -> dict[str, Floats]:
        return self._find((space, view.value), ids)

    def add_pictures(self, space: str, view: View, found: Mapping[str, Floats]) -> None:
        self._add((space, view.value), found)

    def texts(self, space: str, texts: Iterable[str]) -> dict[str, Floats]:
        return self._find((space,), texts)

    def add_texts(self, space: str, found: Mapping[str, Floats]) -> None:
        self._add((space,), found)

    def _find(self, place: tuple[str, ...], keys: Iterable[str]) -> dict[str, Floats]:
        with self._lock:
            places = {key: (*place, key) for key in keys}
            found = {key: self._kept[at] for key, at in places.items() if at in self._kept}
            for key in found:
                self._kept.move_to_end(places[key])
        return found

    def _add(self, place: tuple[str, ...], found: Mapping[str, Floats]) -> None:
        with self._lock:
            self._kept.update({(*place, key): vector for key, vector in found.items()})
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
