"""An ArcFace-type network in ONNX: its input read from the file, aligned faces in, one vector a face out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import InputError
from selector.perception.face_align import CROP_PX

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

_WANTED = f"one input (n, 3, {CROP_PX}, {CROP_PX}) or (n, {CROP_PX}, {CROP_PX}, 3) of floats and one output (n, length)"
_TYPES: dict[str, Any] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True)
class FaceNet:
    """A loaded network. ``batch`` is the number of faces that it takes at once, 0 for any."""

    session: Any  # onnxruntime.InferenceSession, which threads may share
    input_name: str
    dtype: Any
    channels_first: bool
    batch: int

    def vectors(self, faces: Sequence[NDArray[np.float32]]) -> Floats:
        """Embeddings (n, length) float64 of prepared faces, each (112, 112, 3) float32; in one run where it can."""
        stack = np.stack(faces).astype(self.dtype)
        stack = np.ascontiguousarray(stack.transpose(0, 3, 1, 2)) if self.channels_first else stack
        step = self.batch or len(stack)
        return np.concatenate([self._run(stack[start : start + step], step) for start in range(0, len(stack), step)])

    def _run(self, part: NDArray[Any], size: int) -> Floats:
        full = np.concatenate([part, np.zeros((size - len(part), *part.shape[1:]), part.dtype)])
        (found,) = self.session.run(None, {self.input_name: full})
        if found.size % size or found.size < 2 * size:
            raise InputError(f"a face network needs {_WANTED}; this one gave an output of shape {found.shape}")
        return np.asarray(found, dtype=np.float64).reshape(size, -1)[: len(part)]


def face_net(path: Path) -> FaceNet:
    """The network of a file, loaded once as long as the file stays as it is.

    Raises:
        InputError: it cannot be read as ONNX, or it is no network from an aligned face to one vector. That is
            remembered, so that it costs its time once and not with every candidate.
    """
    facts = path.stat()
    loaded = _loaded(path, facts.st_size, facts.st_mtime_ns)
    if isinstance(loaded, str):
        raise InputError(loaded)
    return loaded


@lru_cache(maxsize=2)
def _loaded(path: Path, size: int, mtime_ns: int) -> FaceNet | str:
    del size, mtime_ns  # of the key: another file at the same place is another network
    try:
        return _load(path)
    except InputError as error:
        return str(error)


def _load(path: Path) -> FaceNet:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # published files declare an output of one face and give as many as went in
    usable = [
        p for p in ("CUDAExecutionProvider", "CPUExecutionProvider") if p in onnxruntime.get_available_providers()
    ]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=usable)
    except Exception as error:  # onnxruntime's exceptions have no common class of their own
        what = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not an ONNX model that can be read here ({what})") from error
    return _understood(session, path)


def _understood(session: Any, path: Path) -> FaceNet:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    axis = _channel_axis(inputs[0].shape) if len(inputs) == 1 and inputs[0].type in _TYPES else None
    if axis is None or len(outputs) != 1 or not _is_vector(outputs[0].shape):
        has = "; ".join(f"{p.name} {list(p.shape)} {p.type}" for p in inputs)
        gives = "; ".join(f"{p.name} {list(p.shape)}" for p in outputs)
        raise InputError(f"{path}: a face network needs {_WANTED}; this model takes {has} and gives {gives}")
    batch = inputs[0].shape[0]
    return FaceNet(session, inputs[0].name, _TYPES[inputs[0].type], axis == 1, batch if isinstance(batch, int) else 0)


def _channel_axis(shape: Sequence[Any]) -> int | None:
    """Where the three colours of an input lie, 1 or 3; None when it takes no aligned face. Names are free sizes."""
    for axis, sides in ((1, shape[2:]), (3, shape[1:3])):
        if len(shape) == 4 and shape[axis] == 3 and all(not isinstance(side, int) or side == CROP_PX for side in sides):
            return axis
    return None


def _is_vector(shape: Sequence[Any]) -> bool:
    """One of the sizes of one face's output may be above 1."""
    return len(shape) >= 2 and sum(n != 1 for n in shape[1:]) == 1
