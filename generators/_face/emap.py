"""The emap: a square matrix that a face swapper of the inswapper kind keeps in its file and no node of its graph uses.

Whoever runs the swapper multiplies the embedding by it. The graph is read without the files that lie beside it: of
those only the matrix itself is looked up, where it lies in one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import InputError, MissingPart, reason_of
from selector.domain.names import name_fault

Floats = NDArray[np.float64]

_reading = threading.Lock()  # two threads would hold the file twice
_KNOWN_NAME = "buff2fs"  # of the emap in the published files
_KINDS = {1: "<f4", 10: "<f2", 11: "<f8"}  # numpy's types by ONNX's numbers


def emap_of_model(path: Path, length: int, only_unused: bool) -> Floats | None:
    """The matrix (length, length) float64 that an ONNX file keeps for whoever runs it; None where it has none.

    Of several the one with the published name, then the last that no node uses, then the last one of all, which
    ``only_unused`` rules out: a graph that uses it needs no help. A file of 520 MB takes 2 s and, meanwhile, twice its
    size of memory; that is once a process, as long as the file stays as it is.

    Raises:
        InputError: the file is damaged, or keeps the matrix in a form that is not read here.
    """
    try:
        facts = path.stat()
        with _reading:
            return _read(path, (facts.st_size, facts.st_mtime_ns), length, only_unused)
    except Exception as error:  # onnx and protobuf have no common class for what is wrong with a file
        raise InputError(f"{path}: its matrix cannot be read ({reason_of(error)[:200]}): set emap_path") from error


@lru_cache(maxsize=4)
def _read(path: Path, version: tuple[int, int], length: int, only_unused: bool) -> Floats | None:
    import onnx

    del version  # the file's size and time: another file at the same place is read anew

    model = onnx.load(path, "protobuf", load_external_data=False)
    if not model.HasField("graph"):
        raise ValueError("no ONNX file")
    used = set(_names_used(model.graph))
    square = [tensor for tensor in model.graph.initializer if list(tensor.dims) == [length, length]]
    unused = [tensor for tensor in square if tensor.name not in used]
    named = [tensor for tensor in unused if tensor.name == _KNOWN_NAME]
    found = next((group[-1] for group in (named, unused, [] if only_unused else square) if group), None)
    return None if found is None else _values(found, path.parent)


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


def _names_used(graph: Any) -> Iterator[str]:
    """Names that nodes read, also those in the branches of an If, which see the outer names."""
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _names_used(inner)


def _values(tensor: Any, folder: Path) -> Floats:
    from onnx import TensorProto, numpy_helper

    if tensor.data_type not in _KINDS:
        raise ValueError(f"'{tensor.name}' has numbers of type {tensor.data_type}, expected float, half or double")
    if tensor.data_location == TensorProto.EXTERNAL:
        facts = {entry.key: entry.value for entry in tensor.external_data}
        file, count = _beside(folder, facts.get("location", "")), tensor.dims[0] * tensor.dims[1]
        values = np.fromfile(file, _KINDS[tensor.data_type], count, offset=int(facts.get("offset", "0")))
    else:
        values = numpy_helper.to_array(tensor)
    if not np.isfinite(values).all():
        raise ValueError(f"'{tensor.name}' has numbers that are none")
    return np.asarray(values.reshape(tuple(tensor.dims)), np.float64)


def _beside(folder: Path, location: str) -> Path:
    """The file that a tensor lies in, which neither its name nor a link may lead out of the model's folder."""
    file = folder / location.removeprefix("./")
    fault = name_fault(location.removeprefix("./"), folders=True)
    if fault or not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
        raise ValueError("it lies in another file, which is not beside the model")
    return file
