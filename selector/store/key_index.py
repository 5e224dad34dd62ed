"""Keys of candidates by the hundred thousand: one array instead of objects, and where each is in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Ints = np.ndarray[Any, np.dtype[np.intp]]
    Bytes = np.ndarray[Any, np.dtype[np.bytes_]]
    Octets = np.ndarray[Any, np.dtype[np.uint8]]

Key = tuple[str, str]  # task id, candidate id
_CODE = 4  # bytes of a task's number, before the candidate's id


class KeyIndex(Sequence[Key]):
    """(task id, candidate id) of candidates, none twice; an id of 64 characters makes it 68 bytes for each.

    Args:
        parts: task ids and candidate ids, some at a time; their order stays.
    """

    def __init__(self, parts: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
        self.task_ids: list[str] = []  # each once, in the order of their first candidates
        self._code: dict[str, int] = {}
        data, kind = bytearray(), np.dtype(f"S{_CODE}")  # grown in place: joining parts would hold all of it twice
        for task_ids, candidate_ids in parts:
            self._number(task_ids)
            part = self._coded(task_ids, candidate_ids)
            if part.dtype.itemsize > kind.itemsize:
                data, kind = bytearray(np.frombuffer(data, kind).astype(part.dtype).tobytes()), part.dtype
            data += part.astype(kind, copy=False).tobytes()
        self._keys: Bytes = np.frombuffer(data, kind)
        is_sorted = bool((self._keys[1:] > self._keys[:-1]).all())
        self._sorter = None if is_sorted else self._keys.argsort()

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, i: Any) -> Any:
        key = bytes(self._keys[i])
        return self.task_ids[int.from_bytes(key[:_CODE], "big")], key[_CODE:].decode()

    @property
    def tasks(self) -> Ints:
        """(n,) places in ``task_ids``."""
        width = self._keys.itemsize
        octets = self._keys.view(np.uint8).reshape(-1, width)[:, :_CODE]
        return np.ascontiguousarray(octets).view(">u4").ravel().astype(np.intp)

    def places(self, keys: Iterable[Sequence[Any]]) -> Ints:
        """Of keys that begin with a task id and a candidate id; -1 of one that is not here."""
        task_ids, candidate_ids = [], []
        for key in keys:
            task_ids.append(key[0])
            candidate_ids.append(key[1])
        return self._found(self._coded(task_ids, candidate_ids))

    def places_in(self, table: pa.Table) -> Ints:
        """Of the rows of a file of scores, without an object for each."""
        import pyarrow as pa

        tasks = table["task_id"].unify_dictionaries().combine_chunks()
        codes = self._codes(tasks.dictionary.to_pylist())[tasks.indices.to_numpy()]
        ids = table["candidate_id"].cast(pa.string()).combine_chunks()
        return self._found(_joined(codes, _octets(ids)))

    def _number(self, task_ids: Iterable[str]) -> None:
        for task_id in dict.fromkeys(task_ids):
            if task_id not in self._code:
                self._code[task_id] = len(self.task_ids)
                self.task_ids.append(task_id)

    def _codes(self, task_ids: Sequence[str]) -> Any:
        unknown = len(self.task_ids)
        return np.fromiter((self._code.get(t, unknown) for t in task_ids), np.dtype(">u4"), len(task_ids))

    def _coded(self, task_ids: Sequence[str], candidate_ids: Sequence[str]) -> Bytes:
        ids = np.array([i.encode() for i in candidate_ids], dtype=np.bytes_)
        return _joined(self._codes(task_ids), ids.view(np.uint8).reshape(len(ids), ids.itemsize))

    def _found(self, keys: Bytes) -> Ints:
        if not len(self._keys):
            return np.full(len(keys), -1, dtype=np.intp)
        at = np.searchsorted(self._keys, keys, sorter=self._sorter).clip(max=len(self._keys) - 1)
        if self._sorter is not None:
            at = self._sorter[at]
        return np.where(self._keys[at] == keys, at, -1)


def keys_of(task_ids: Sequence[str], candidate_ids: Sequence[str]) -> KeyIndex:
    """Of candidates that are in memory already."""
    return KeyIndex([(task_ids, candidate_ids)])


def _joined(codes: Any, ids: Octets) -> Bytes:
    """Each key as bytes, which are in the order of the codes and, for one code, of the ids.

    Args:
        codes: (n,) of the tasks, big-endian.
        ids: (n, width) UTF-8, with zeros behind.
    """
    n, width = ids.shape
    joined = np.empty((n, _CODE + width), np.uint8)
    joined[:, :_CODE] = codes.view(np.uint8).reshape(n, _CODE)
    joined[:, _CODE:] = ids
    return joined.view(f"S{_CODE + width}").ravel()


def _octets(texts: pa.Array) -> Octets:
    """(n, width) of texts without a null: as they lie there, where all are equally long."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    widths = np.diff(offsets)
    if len(texts) and widths[0] and (widths == widths[0]).all():
        whole = np.frombuffer(texts.buffers()[2], np.uint8)
        return whole[offsets[0] : offsets[-1]].reshape(len(texts), widths[0])
    ids = np.array([text.encode() for text in texts.to_pylist()], dtype=np.bytes_)
    return ids.view(np.uint8).reshape(len(ids), ids.itemsize)
