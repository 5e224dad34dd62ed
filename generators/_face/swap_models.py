"""The networks of a swap by their paths: what must be here, and an identity's latent.

The emap is a square matrix that a swapper of the inswapper kind keeps in its file and no node of its graph uses:
whoever runs the swapper multiplies the embedding by it. The graph is read without the files that lie beside it: of
those only the matrix itself is looked up, where it lies in one.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators._face.detector import load_detector
from generators._face.faces import FoundFace
from generators._face.networks import Restorer, Swapper, latent_of, load_restorer, load_swapper
from selector.domain import InputError, MissingPart, Picture, raise_shortage
from selector.domain.files import followed
from selector.domain.names import name_fault
from selector.sight.face_align import crop_of_points, face_input, face_net, five_points
from selector.sight.faces import check_face_models, find_faces
from selector.sight.onnx_session import check_onnx, model_file
from selector.weights import tag_or_absent, why_unreadable

Floats = NDArray[np.float64]

WHO = "generators.inswapper"
# What lies at each path.
_WHAT = {
    "model_path": "a face swapper (inswapper_128.onnx or of its kind)",
    "embedder_path": "an ArcFace-type face embedder (w600k_r50.onnx for inswapper)",
    "detector_path": "an SCRFD-type face detector",
    "restorer_path": "a face restorer",
    "emap_path": "the swapper's matrix",
}
_REQUIRED = ("model_path", "embedder_path")
_reading = threading.Lock()  # two threads would hold the file twice
_KNOWN_NAME = "buff2fs"  # of the emap in the published files
_KINDS = {1: "<f4", 10: "<f2", 11: "<f8"}  # numpy's types by ONNX's numbers


@dataclass(frozen=True)
class SwapModels:
    """Paths ("" is none) and how the networks are used; the settings of ``generators.inswapper``."""

    paths: dict[str, str]
    device: str
    latent: str
    input: tuple[int, float, float]  # side_px, mean, scale
    threshold: float

    def tags(self) -> dict[str, str]:
        """What tells the models' contents apart, by the setting's name."""
        return {name: tag_or_absent(Path(path)) for name, path in self.paths.items() if path}

    def check(self) -> None:
        """Raise ``MissingPart`` for what is not here; loads nothing."""
        check_onnx(self.device)
        if self.latent != "raw" and not self.paths["emap_path"] and importlib.util.find_spec("onnx") is None:
            raise MissingPart(
                f"inswapper finds the swapper's matrix with onnx: pip install onnx, or set [{WHO}] emap_path"
            )
        for name, what in _WHAT.items():
            if self.paths[name] or name in _REQUIRED:
                model_file(self.paths[name], WHO, what, name)
        if not self.paths["detector_path"]:
            check_face_models()

    def try_out(self) -> None:
        """Load every model. Raises ``InputError`` for a file of another kind, or where two do not fit."""
        self.check()
        _ = self.emap
        length = face_net(self._path("embedder_path"), self.device).length
        self._fit(length or self.swapper().length)
        if self.paths["detector_path"]:
            load_detector(self._path("detector_path"), self.device)
        if self.paths["restorer_path"]:
            self.restorer()

    def swapper(self) -> Swapper:
        """Loaded once a process, as all of them."""
        return load_swapper(self._path("model_path"), self.device, *self.input)

    def restorer(self) -> Restorer:
        return load_restorer(self._path("restorer_path"), self.device)

    def faces(self, picture: Picture) -> tuple[FoundFace, ...]:
        """All faces of a picture: of the ONNX detector, or as all of the program sees them, with 68 landmarks."""
        if not self.paths["detector_path"]:
            return tuple(FoundFace(f.box, f.score, five_points(f.landmarks), f.landmarks) for f in find_faces(picture))
        return tuple(load_detector(self._path("detector_path"), self.device).faces(picture.rgb, self.threshold))

    def latent_of(self, picture: Picture, face: FoundFace) -> Floats:
        """What the swapper is told of the identity of a picture's face, (length,), of length 1."""
        net = face_net(self._path("embedder_path"), self.device)
        (embedding,) = net.vectors([face_input(crop_of_points(picture.rgb, face.points))])
        self._fit(len(embedding))
        return latent_of(embedding, self.emap)

    @cached_property
    def emap(self) -> Floats | None:
        """The swapper's matrix, or None where the embedding goes in as it is."""
        if self.latent == "raw":
            return None
        path, length = self._path("model_path"), self.swapper().length
        if self.paths["emap_path"]:
            return emap_of_file(Path(self.paths["emap_path"]), length)
        found = emap_of_model(path, length, only_unused=self.latent == "auto")
        if found is None and self.latent == "emap":
            raise InputError(f'{path} keeps no matrix {length} x {length}: set [{WHO}] emap_path, or latent = "raw"')
        return found

    def _fit(self, length: int) -> None:
        if length != self.swapper().length:
            raise InputError(
                f"the embedder gives {length} numbers, the swapper takes {self.swapper().length}: "
                f"set [{WHO}] embedder_path to the embedder that the swapper was trained with"
            )

    def _path(self, name: str) -> Path:
        return model_file(self.paths[name], WHO, _WHAT[name], name)


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
    except Exception as error:
        raise InputError(f"{path}: its matrix cannot be read ({why_unreadable(error, path)}): set emap_path") from error


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
        raise_shortage(error)
        raise MissingPart(f"emap_path: {path} cannot be read ({error.strerror or error}): mend the path") from error
    except Exception as error:
        raise InputError(
            f"emap_path: {path} is no array of numbers as numpy saves it ({why_unreadable(error, path)})"
        ) from error
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
    if fault or not followed(file).is_relative_to(followed(folder)) or not file.is_file():
        raise ValueError("it lies in another file, which is not beside the model")
    return file
