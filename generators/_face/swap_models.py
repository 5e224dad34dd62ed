"""The networks of a swap by their paths: what must be here, and an identity's latent."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generators._face.emap import emap_of_file, emap_of_model
from generators._face.faces import FoundFace, by_detector, by_dlib
from generators._face.onnx_detector import load_detector
from generators._face.onnx_networks import Restorer, Swapper, latent_of, load_restorer, load_swapper
from selector.domain import InputError, MissingPart, Picture
from selector.sight.face_align import crop_of_points, face_input, face_net
from selector.sight.faces import check_face_models
from selector.sight.onnx_session import check_onnx, model_file
from selector.weights import tag_or_absent

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
        """All faces of a picture."""
        if not self.paths["detector_path"]:
            return by_dlib(picture)
        return by_detector(picture, load_detector(self._path("detector_path"), self.device), self.threshold)

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
