"""Aligned faces, and ArcFace-type networks of them in ONNX, whose form is read from the file.

Such networks are trained on faces in one pose: eyes, nose and mouth at five fixed places.

The crop is 112 px a side. The five places are those of InsightFace's training crops (Deng et al., CVPR 2019, and the
112 x 96 crop of SphereFace, Liu et al., CVPR 2017, 8 px wider); the map is the similarity that brings the face's five
points nearest to them. Cost: 0.3 ms a face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import InputError
from selector.sight.onnx_session import OnnxModel, Port, open_model

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

CROP_PX = 112
# (x, y) in the crop: both pupils, tip of the nose, both corners of the mouth; left and right as the viewer sees them.
FIVE_PLACES: Floats = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
FIVE_PLACES.setflags(write=False)

_EYES, _NOSE_TIP, _MOUTH_CORNERS = (slice(36, 42), slice(42, 48)), 30, [48, 54]
_WANTED = f"one input (n, 3, {CROP_PX}, {CROP_PX}) or (n, {CROP_PX}, {CROP_PX}, 3) of floats and one output (n, length)"
_SAMPLED = 0.25  # a face this much larger than the crop does not alias yet
_FINEST = 8  # a face over 900 px wide loses nothing that a crop of 112 px could show


def five_points(landmarks: Floats) -> Floats:
    """Eyes (the middle of six points each), tip of the nose, corners of the mouth (5, 2) of 68 iBUG landmarks."""
    eyes = [landmarks[eye].mean(axis=0) for eye in _EYES]
    return np.vstack([*eyes, landmarks[_NOSE_TIP], landmarks[_MOUTH_CORNERS]])


def aligned_crop(rgb: Pixels, landmarks: Floats) -> Pixels:
    """The face of 68 landmarks (68, 2) in px of ``rgb`` as (112, 112, 3) uint8; black where the picture ends."""
    return crop_of_points(rgb, five_points(landmarks))


def crop_of_points(rgb: Pixels, points: Floats) -> Pixels:
    """``aligned_crop`` of a face by its five points (5, 2), which a detector of another kind gave."""
    return np.asarray(redrawn(rgb, similarity_matrix(points, FIVE_PLACES), (CROP_PX, CROP_PX)), dtype=np.uint8)


def redrawn(image: NDArray[Any], matrix: Floats, size_px: tuple[int, int], cubic: bool = False) -> NDArray[Any]:
    """An image (H, W, 3), uint8 or float32, moved by a similarity (2, 3) onto a canvas of (width, height).

    Pixel centres lie at whole numbers. What gets smaller is drawn larger and averaged down, so that it does not alias.
    Outside the image: black, or with ``cubic``, which is also the sharper of both, the colour of its border.
    """
    import cv2

    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    finer = int(np.clip(np.ceil(1 / max(scale, 1e-6) - _SAMPLED), 1, _FINEST))
    # The grid of pixel centres grows about (-0.5, -0.5).
    matrix = finer * matrix + [[0, 0, (finer - 1) / 2]]
    how, border = (cv2.INTER_CUBIC, cv2.BORDER_REPLICATE) if cubic else (cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
    size = (size_px[0] * finer, size_px[1] * finer)
    return _averaged(np.asarray(cv2.warpAffine(image, matrix, size, flags=how, borderMode=border)), finer)


def _averaged(drawn: NDArray[Any], finer: int) -> NDArray[Any]:
    if finer == 1:
        return drawn
    height, width = (side // finer for side in drawn.shape[:2])
    means = drawn.reshape(height, finer, width, finer, 3).mean(axis=(1, 3), dtype=np.float64)
    return np.asarray(np.round(means) if drawn.dtype == np.uint8 else means, dtype=drawn.dtype)


def similarity_matrix(points: Floats, onto: Floats) -> Floats:
    """The rotation, scale and shift (2, 3) that brings points (N, 2) nearest to others; never a mirror image.

    Least squares in closed form: Umeyama, IEEE TPAMI 13(4), 1991.
    """
    centre, goal = points.mean(axis=0), onto.mean(axis=0)
    a, b = points - centre, onto - goal
    u, spread, vt = np.linalg.svd(b.T @ a)
    proper = np.diag([1.0, float(np.sign(np.linalg.det(u @ vt)))])
    rotation = u @ proper @ vt
    scale = float((spread * np.diag(proper)).sum() / (a**2).sum())
    return np.column_stack([scale * rotation, goal - scale * rotation @ centre])


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
