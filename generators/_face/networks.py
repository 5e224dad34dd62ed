"""The two networks that redraw an aligned face: the swapper, which gives it an identity, and the restorer.

Both take pictures (1, 3, side, side), RGB, and give one of the same size; which input and output is which is told by
their shapes, not by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import GenerationFailed, InputError
from selector.sight.onnx_session import OnnxModel, Port, open_model

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

USUAL_SIDE_PX = {"swapper": 128, "restorer": 512}  # where the file leaves it free
FLATTEST = 0.5  # standard deviation, of 255, under which a picture shows nothing
_FLOATS = (np.float32, np.float16, np.float64)
_SWAPPER = "a face swapper needs an input (1, 3, side, side), an input (1, length) and an output (1, 3, side, side)"
_RESTORER = "a face restorer needs an input (1, 3, side, side), at most one number besides, and an output of that size"


@dataclass(frozen=True)
class _Redrawer:
    """What both are: a network from a picture to a picture. A pixel enters as (value - mean) / scale."""

    model: OnnxModel
    picture: Port
    side_px: int
    mean: float
    scale: float

    def _redrawn(self, image: Image, others: Mapping[str, NDArray[Any]]) -> Image:
        """Another picture (side, side, 3) on 0 to 255. Raises ``GenerationFailed`` when it shows nothing."""
        ready = ((image - self.mean) / self.scale).transpose(2, 0, 1)[None]
        outputs = self.model.run({self.picture.name: ready, **others})
        wanted = (1, 3, self.side_px, self.side_px)
        found = next((output for output in outputs if output.shape == wanted), None)
        if found is None:
            shapes = ", ".join(str(list(output.shape)) for output in outputs)
            raise InputError(f"{self.model.path}: expected an output {list(wanted)}, the model gave {shapes}")
        drawn = found[0].transpose(1, 2, 0).astype(np.float32) * self.scale + self.mean
        if not np.isfinite(drawn).all() or drawn.std() < FLATTEST:
            what = f"{self.model.path.name} gave a picture without content (NaN or one colour)"
            raise GenerationFailed(f"{what}: half-precision files do so on some devices, use the float32 one")
        return np.asarray(np.clip(drawn, 0, 255), dtype=np.float32)


@dataclass(frozen=True)
class Swapper(_Redrawer):
    """A loaded swapper; ``length`` numbers describe the identity."""

    identity: Port
    length: int

    def swapped(self, face: Image, latent: Floats) -> Image:
        """The aligned face (side, side, 3), 0 to 255, with the identity of a latent (length,)."""
        return self._redrawn(face, {self.identity.name: latent.reshape(1, -1)})


@dataclass(frozen=True)
class Restorer(_Redrawer):
    """A loaded restorer; ``knob`` is the input of those (CodeFormer) that can be told how faithful to be."""

    knob: Port | None

    def restored(self, face: Image, fidelity: float) -> Image:
        """The aligned face (side, side, 3), 0 to 255, drawn anew; ``fidelity`` 0 to 1 where the network takes one."""
        if self.knob is None:
            return self._redrawn(face, {})
        return self._redrawn(face, {self.knob.name: np.full([n or 1 for n in self.knob.shape], fidelity)})


def load_swapper(path: Path, device: str, side_px: int, mean: float, scale: float) -> Swapper:
    """The swapper of a file; ``side_px`` 0 is what the file says, or 128.

    Raises:
        InputError: the file holds no such network, or one of another side. MissingPart: no file or device.
    """
    model = open_model(path, device)
    picture, others = _picture_input(model, _SWAPPER), _other_inputs(model)
    length = others[0].shape[1] if len(others) == 1 and others[0].takes(1, None) else None
    if length is None:
        raise InputError(f"{path}: {_SWAPPER}; this model {model.signature()}")
    side = _side(model, picture, _SWAPPER, side_px, "swapper")
    return Swapper(model, picture, side, mean, scale, others[0], length)


def load_restorer(path: Path, device: str) -> Restorer:
    """The restorer of a file: GFPGAN, CodeFormer, GPEN, RestoreFormer and the like. Raises as ``load_swapper``."""
    model = open_model(path, device)
    picture, others = _picture_input(model, _RESTORER), _other_inputs(model)
    if len(others) > 1 or not all(n in (1, None) for port in others for n in port.shape):
        raise InputError(f"{path}: {_RESTORER}; this model {model.signature()}")
    side = _side(model, picture, _RESTORER, 0, "restorer")
    return Restorer(model, picture, side, 127.5, 127.5, others[0] if others else None)


def latent_of(embedding: Floats, emap: Floats | None) -> Floats:
    """What a swapper is told of an identity: the embedding at length 1, mapped by ``emap`` and at length 1 again.

    Raises:
        GenerationFailed: the embedding has no direction. InputError: it is of another length than the map.
    """
    if emap is not None and len(embedding) != len(emap):
        raise InputError(f"the embedder gives {len(embedding)} numbers, the swapper's emap takes {len(emap)}")
    for matrix in (None,) if emap is None else (None, emap):
        embedding = embedding if matrix is None else embedding @ matrix
        length = float(np.linalg.norm(embedding))
        if not np.isfinite(length) or length == 0:
            raise GenerationFailed("the embedder gave no usable embedding of the reference's face")
        embedding = embedding / length
    return embedding


def _picture_input(model: OnnxModel, wanted: str) -> Port:
    found = [port for port in model.inputs if port.takes(1, 3, None, None) and port.dtype in _FLOATS]
    if len(found) != 1:
        raise InputError(f"{model.path}: {wanted}; this model {model.signature()}")
    return found[0]


def _other_inputs(model: OnnxModel) -> list[Port]:
    return [port for port in model.inputs if not port.takes(1, 3, None, None)]


def _side(model: OnnxModel, picture: Port, wanted: str, asked_px: int, kind: str) -> int:
    """The side of the aligned face, from the file where it says so."""
    side = next((n for n in (*picture.shape[2:], asked_px) if n), USUAL_SIDE_PX[kind])
    if not picture.takes(1, 3, side, side) or not any(port.takes(1, 3, side, side) for port in model.outputs):
        raise InputError(f"{model.path}: {wanted}; this model {model.signature()}")
    if asked_px and asked_px != side:
        raise InputError(f"{model.path} takes faces of {side} px, side_px = {asked_px}: leave side_px out")
    return side
