"""One matrix out of an ONNX file, without the package ``onnx``: a reader of just so much protobuf.

A face swapper of the inswapper kind keeps a square matrix in its file, the emap, that no node of its graph uses:
whoever runs it multiplies the embedding by it. Files have some hundred MB; they are mapped and not read, so this takes
milliseconds. Format: protobuf's wire encoding and the field numbers of ``onnx.proto`` (public specifications).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import InputError, MissingPart
from selector.domain.names import name_fault

Floats = NDArray[np.float64]

_KNOWN_NAME = "buff2fs"  # of the emap in the published files
_GRAPH, _NODE, _INITIALIZER = 7, 1, 5  # of a model; of a graph
_NODE_INPUT, _ATTRIBUTE, _ATTRIBUTE_GRAPHS = 1, 5, (6, 11)
_DIMS, _TYPE, _FLOATS, _INTS, _NAME, _RAW, _DOUBLES, _EXTERNAL = 1, 2, 4, 5, 8, 9, 10, 13
_TYPES: dict[int, Any] = {1: "<f4", 10: "<f2", 11: "<f8"}  # FLOAT, FLOAT16, DOUBLE

Span = tuple[int, int]  # of bytes: from, to


@dataclass(frozen=True)
class _Tensor:
    name: str
    dims: tuple[int, ...]
    kind: int
    span: Span


class _Damaged(Exception):
    """The bytes are no protobuf."""


def square_matrix(path: Path, length: int, only_unused: bool) -> Floats | None:
    """The matrix (length, length) float64 that an ONNX file keeps for whoever runs it; None where it has none.

    Of several the one with the published name, then the last that no node uses, then the last one of all, which
    ``only_unused`` rules out: a graph that uses it needs no help.

    Raises:
        InputError: the file is damaged, or keeps the matrix in a form that is not read here.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = _chosen(data, length, only_unused)
            return None if found is None else _values(data, found, path)
    except (_Damaged, ValueError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: its matrix cannot be read ({error or 'no ONNX file'}): set emap_path") from error


def emap_of_file(path: Path, length: int) -> Floats:
    """Such a matrix from a .npy file, (length, length) float64.

    Raises:
        InputError: the file holds anything else. MissingPart: there is none.
    """
    try:
        found = np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
    except OSError as error:
        raise MissingPart(f"emap_path: {path} cannot be read ({error.strerror or error}): mend the path") from error
    except ValueError as error:
        raise InputError(f"emap_path: {path} is no array of numbers as numpy saves it ({error})") from error
    if found.shape != (length, length):
        raise InputError(f"emap_path: {path} has the shape {list(found.shape)}, expected [{length}, {length}]")
    return found


def _chosen(data: mmap.mmap, length: int, only_unused: bool) -> _Tensor | None:
    used: set[bytes] = set()
    tensors: list[_Tensor] = []
    for number, value in _fields(data, (0, len(data))):
        if number == _GRAPH and isinstance(value, tuple):
            _read_graph(data, value, used, tensors)
    square = [t for t in tensors if t.dims == (length, length)]
    unused = [t for t in square if t.name.encode() not in used]
    named = [t for t in unused if t.name == _KNOWN_NAME]
    return next((group[-1] for group in (named, unused, [] if only_unused else square) if group), None)


def _read_graph(data: mmap.mmap, span: Span, used: set[bytes], tensors: list[_Tensor]) -> None:
    for number, value in _fields(data, span):
        if number == _NODE and isinstance(value, tuple):
            _read_node(data, value, used, tensors)
        elif number == _INITIALIZER and isinstance(value, tuple):
            tensors.append(_tensor(data, value))


def _read_node(data: mmap.mmap, span: Span, used: set[bytes], tensors: list[_Tensor]) -> None:
    for number, value in _fields(data, span):
        if number == _NODE_INPUT and isinstance(value, tuple):
            used.add(data[value[0] : value[1]])
        elif number == _ATTRIBUTE and isinstance(value, tuple):
            for inner, graph in _fields(data, value):  # the branches of an If see the outer names
                if inner in _ATTRIBUTE_GRAPHS and isinstance(graph, tuple):
                    _read_graph(data, graph, used, tensors)


def _tensor(data: mmap.mmap, span: Span) -> _Tensor:
    name, dims, kind = "", [], 0
    for number, value in _fields(data, span):
        if number == _DIMS:
            dims += [value] if isinstance(value, int) else list(_packed(data, value))
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif number == _NAME and isinstance(value, tuple):
            name = data[value[0] : value[1]].decode()
    return _Tensor(name, tuple(dims), kind, span)


def _values(data: mmap.mmap, tensor: _Tensor, path: Path) -> Floats:
    if tensor.kind not in _TYPES:
        raise _Damaged(f"'{tensor.name}' has numbers of type {tensor.kind}, expected float, half or double")
    kept = [(number, value) for number, value in _fields(data, tensor.span) if isinstance(value, tuple)]
    form = np.dtype(_TYPES[tensor.kind])
    count = tensor.dims[0] * tensor.dims[1]
    raw = b"".join(data[a:b] for number, (a, b) in kept if number in (_RAW, _FLOATS, _DOUBLES))
    if not raw and form.itemsize == 2:  # halves lie in a list of whole numbers
        bits = [n for number, span in kept if number == _INTS for n in _packed(data, span)]
        raw = np.array(bits, np.uint16).tobytes()
    if not raw:
        raw = _external(data, [span for number, span in kept if number == _EXTERNAL], path, count * form.itemsize)
    if len(raw) != count * form.itemsize:
        raise _Damaged(f"'{tensor.name}' has {len(raw)} bytes, expected {count * form.itemsize}")
    values = np.frombuffer(raw, form)
    if not np.isfinite(values).all():
        raise _Damaged(f"'{tensor.name}' has numbers that are none")
    return values.astype(np.float64).reshape(tensor.dims)


def _external(data: mmap.mmap, entries: list[Span], path: Path, size: int) -> bytes:
    """The bytes of a tensor that lies in a file beside the model."""
    facts: dict[str, str] = {}
    for entry in entries:
        pair = [data[value[0] : value[1]].decode() for _, value in _fields(data, entry) if isinstance(value, tuple)]
        facts.update({pair[0]: pair[1]} if len(pair) == 2 else {})
    folder, location = path.parent.resolve(), facts.get("location", "").removeprefix("./")
    fault = name_fault(location, folders=True)
    place = folder if fault else (folder / location).resolve()  # a link may lead out of the folder
    if not place.is_relative_to(folder) or not place.is_file():
        raise _Damaged("it lies in another file, which is not beside the model")
    with place.open("rb") as file:
        file.seek(int(facts.get("offset", "0")))
        return file.read(size)


def _fields(data: mmap.mmap, span: Span) -> Iterator[tuple[int, int | Span]]:
    """Fields of a message: number, and a whole number or where the bytes lie."""
    at, end = span
    while at < end:
        key, at = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at, end)
            yield number, value
            continue
        if wire not in (1, 2, 5):
            raise _Damaged("it is no ONNX file")
        size, at = _varint(data, at, end) if wire == 2 else (8 if wire == 1 else 4, at)
        if at + size > end:
            raise _Damaged("the file is cut short")
        yield number, (at, at + size)
        at += size


def _packed(data: mmap.mmap, span: Span | int) -> Iterator[int]:
    at, end = span if isinstance(span, tuple) else (0, 0)
    while at < end:
        value, at = _varint(data, at, end)
        yield value


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise _Damaged("the file is cut short")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _Damaged("it is no ONNX file")
