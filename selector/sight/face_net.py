"""An ArcFace-type network in ONNX: its input read from the file, aligned faces in, one vector a face out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import InputError
from selector.sight.face_align import CROP_PX
from selector.sight.onnx_session import OnnxModel, Port, open_model

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

_WANTED = f"one input (n, 3, {CROP_PX}, {CROP_PX}) or (n, {CROP_PX}, {CROP_PX}, 3) of floats and one output (n, length)"


@dataclass(frozen=True)
class FaceNet:
    """A loaded network. ``batch`` is the number of faces that it takes at once, 0 for any."""

    model: OnnxModel  # threads may share it
    channels_first: bool
    batch: int

    @property
    def length(self) -> int | None:
        """Numbers of an embedding, where the file states it."""
        return next((n for n in self.model.outputs[0].shape[1:] if n != 1), None)

    def vectors(self, faces: Sequence[NDArray[np.float32]]) -> Floats:
        """Embeddings (n, length) float64 of prepared faces, each (112, 112, 3) float32; in one run where it can."""
        stack = np.stack(faces)
        stack = stack.transpose(0, 3, 1, 2) if self.channels_first else stack
        step = self.batch or len(stack)
        return np.concatenate([self._run(stack[start : start + step], step) for start in range(0, len(stack), step)])

    def _run(self, part: NDArray[Any], size: int) -> Floats:
        full = np.concatenate([part, np.zeros((size - len(part), *part.shape[1:]), part.dtype)])
        (found,) = self.model.run({self.model.inputs[0].name: full})
        if found.size % size or found.size < 2 * size:
            raise InputError(f"a face network needs {_WANTED}; this one gave an output of shape {found.shape}")
        return np.asarray(found, dtype=np.float64).reshape(size, -1)[: len(part)]


def face_input(crop: Pixels, mean: float = 127.5, scale: float = 127.5, channels: str = "rgb") -> NDArray[np.float32]:
    """An aligned face (112, 112, 3) RGB as such a network takes it: (value - mean) / scale, ``rgb`` or ``bgr``."""
    ordered = crop if channels == "rgb" else crop[:, :, ::-1]
    return np.asarray((ordered.astype(np.float32) - mean) / scale, dtype=np.float32)


def face_net(path: Path, device: str = "auto") -> FaceNet:
    """The network of a file, loaded once as long as the file stays as it is.

    Raises:
        InputError: it cannot be read as ONNX, or it is no network from an aligned face to one vector.
        MissingPart: there is no such file or device.
    """
    model = open_model(path, device)
    axis = _channel_axis(model.inputs[0]) if len(model.inputs) == 1 else None
    if axis is None or len(model.outputs) != 1 or not _is_vector(model.outputs[0]):
        raise InputError(f"{path}: a face network needs {_WANTED}; this model {model.signature()}")
    return FaceNet(model, axis == 1, model.inputs[0].shape[0] or 0)


def _channel_axis(port: Port) -> int | None:
    """Where the three colours of an input lie, 1 or 3; None when it takes no aligned face."""
    if port.dtype not in (np.float32, np.float16):
        return None
    layouts = {1: (None, 3, CROP_PX, CROP_PX), 3: (None, CROP_PX, CROP_PX, 3)}
    return next((a for a, sizes in layouts.items() if port.takes(*sizes) and port.shape[a] == 3), None)


def _is_vector(port: Port) -> bool:
    """One of the sizes of one face's output may be above 1."""
    return len(port.shape) >= 2 and sum(n != 1 for n in port.shape[1:]) == 1
