"""Vectors of pictures and texts in the store: read by workers, written with the scores that rest on them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select

from selector.domain.embedding import View
from selector.store import schema
from selector.store.database import Database

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

_AT_ONCE = 500  # keys in one query: SQLite takes 32,766 variables, older builds 999

# Made once: a query built for each batch is cyclic garbage, which keeps the keys until the collector comes to it.
_PICTURES = select(*schema.embedding.c["picture_id", "crops", "vectors"]).where(
    schema.embedding.c.space == bindparam("space"),
    schema.embedding.c.view == bindparam("view"),
    schema.embedding.c.picture_id.in_(bindparam("keys", expanding=True)),
)
_TEXTS = select(*schema.text_embedding.c["digest", "vector"]).where(
    schema.text_embedding.c.space == bindparam("space"),
    schema.text_embedding.c.digest.in_(bindparam("keys", expanding=True)),
)


class StoredVectors:
    """Looks vectors up in the store and collects new ones, for the writer's transaction in ``saving``.

    Fulfils ``selector.sight.embedding.vectors.Vectors``. What was added is found again before it is saved. Text
    vectors stay in memory: there is one a prompt. Safe to call from threads; one of them saves.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._texts: dict[tuple[str, str], Floats] = {}
        self._new_pictures: dict[tuple[str, str, str], Floats] = {}
        self._new_texts: dict[tuple[str, str], Floats] = {}

    def pictures(self, space: str, view: View, ids: Iterable[str]) -> dict[str, Floats]:
        import numpy as np

        ids = list(ids)
        with self._lock:
            found = {i: v for i in ids if (v := self._new_pictures.get((i, space, view.value))) is not None}
        with self._db.read() as connection:
            for some in _parts([i for i in ids if i not in found]):
                for row in connection.execute(_PICTURES, {"space": space, "view": view.value, "keys": some}):
                    vectors = np.frombuffer(row.vectors, "<f2").reshape(row.crops, -1)
                    found[row.picture_id] = vectors.astype(np.float32)
        return found

    def add_pictures(self, space: str, view: View, found: Mapping[str, Floats]) -> None:
        with self._lock:
            self._new_pictures.update({(i, space, view.value): vectors for i, vectors in found.items()})

    def texts(self, space: str, texts: Iterable[str]) -> dict[str, Floats]:
        import numpy as np

        texts = list(texts)
        with self._lock:
            found = {text: v for text in texts if (v := self._texts.get((space, text))) is not None}
        digests = {_digest(text): text for text in texts if text not in found}
        with self._db.read() as connection:
            for some in _parts(list(digests)):
                for row in connection.execute(_TEXTS, {"space": space, "keys": some}):
                    found[digests[row.digest]] = np.frombuffer(row.vector, "<f4")
        with self._lock:
            self._texts.update({(space, text): vector for text, vector in found.items()})
        return found

    def add_texts(self, space: str, found: Mapping[str, Floats]) -> None:
        new = {(space, text): vector for text, vector in found.items()}
        with self._lock:
            self._texts.update(new)
            self._new_texts.update(new)

    @contextmanager
    def saving(self) -> Iterator[Connection]:
        """A transaction that also writes what was added so far; what another process wrote meanwhile stays.

        Without a commit all of it stays here, for the next transaction.
        """
        with self._lock:
            pictures, texts = dict(self._new_pictures), dict(self._new_texts)
        with self._db.write() as connection:
            self._write(connection, pictures, texts)
            yield connection
        with self._lock:  # not before the commit, or a reader would find them neither here nor there
            for picture in pictures:
                self._new_pictures.pop(picture, None)
            for text in texts:
                self._new_texts.pop(text, None)

    def save(self) -> None:
        """``saving`` with nothing else in the transaction."""
        with self.saving():
            pass

    def _write(
        self,
        connection: Connection,
        pictures: Mapping[tuple[str, str, str], Floats],
        texts: Mapping[tuple[str, str], Floats],
    ) -> None:
        rows: list[dict[str, Any]] = [
            {"picture_id": i, "space": space, "view": view, "crops": len(v), "vectors": v.astype("<f2").tobytes()}
            for (i, space, view), v in pictures.items()
        ]
        self._db.insert_missing(connection, schema.embedding, rows)
        rows = [
            {"digest": _digest(text), "space": space, "vector": v.astype("<f4").tobytes()}
            for (space, text), v in texts.items()
        ]
        self._db.insert_missing(connection, schema.text_embedding, rows)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _parts(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
