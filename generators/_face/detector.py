"""Faces by a detector of SCRFD type in ONNX: boxes, scores and five points, found at three scales.

Model: one input (1, 3, H, W), RGB as (value - 127.5) / 128; per stride 8, 16 and 32 one output of scores (rows, 1), of
distances to the four sides of the box (rows, 4) and to the five points (rows, 10), both in strides. Rows are the cells
of the grid, row by row, each with its anchors (two in published files). Outputs are told apart by their sizes and may
come in any order. InsightFace's ``det_10g.onnx`` and ``scrfd_10g_bnkps.onnx`` are of this kind (weights: non-commercial
research). Source: Guo et al., ICLR 2022. Not run here with published weights, but with small files of these shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators._face.faces import FoundFace
from selector.domain import InputError
from selector.sight.faces import PADDING
from selector.sight.onnx_session import OnnxModel, open_model

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

USUAL_SIDE_PX = 640  # where the file leaves it free
OVERLAP = 0.4  # of two boxes, intersection over union, from which they are one face
_WANTED = (
    "a face detector needs one input (1, 3, H, W) and for each of its strides scores (rows, 1), boxes (rows, 4) "
    "and five points (rows, 10)"
)


@dataclass(frozen=True)
class Detector:
    """A loaded detector."""

    model: OnnxModel
    height: int
    width: int

    def faces(self, rgb: Pixels, least_score: float) -> list[FoundFace]:
        """Faces of a picture (H, W, 3), surest first; one without a face is padded by 15% and tried again."""
        found = self._detect(rgb, least_score)
        if found:
            return found
        pad = round(PADDING * max(rgb.shape[:2]))
        padded = np.pad(rgb, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
        return self._detect(padded, least_score, -pad, (rgb.shape[1], rgb.shape[0]))

    def _detect(
        self, rgb: Pixels, least_score: float, shift: int = 0, size: tuple[int, int] | None = None
    ) -> list[FoundFace]:
        scale, image = _fitted_in(rgb, self.height, self.width)
        ready = ((image.astype(np.float32) - 127.5) / 128).transpose(2, 0, 1)[None]
        outputs = self.model.run({self.model.inputs[0].name: ready})
        scores, boxes, points = decode(outputs, self.height, self.width, str(self.model.path))
        sure = np.flatnonzero(
            (scores >= least_score) & np.isfinite(boxes).all(axis=1) & np.isfinite(points).all((1, 2))
        )
        sure = sure[np.argsort(-scores[sure], kind="stable")]
        width, height = size or (rgb.shape[1], rgb.shape[0])
        faces = []
        for i in sure[distinct(boxes[sure])]:
            corners = np.clip(np.round(boxes[i].reshape(2, 2) / scale + shift), 0, [width, height]).astype(int)
            (x0, y0), (x1, y1) = corners.tolist()
            if x1 > x0 and y1 > y0:
                faces.append(FoundFace((x0, y0, x1, y1), float(scores[i]), points[i] / scale + shift))
        return faces


def load_detector(path: Path, device: str = "auto") -> Detector:
    """The detector of a file. Raises ``InputError`` for a file of another kind, ``MissingPart`` for none."""
    model = open_model(path, device)
    if len(model.inputs) != 1 or not model.inputs[0].takes(1, 3, None, None) or len(model.outputs) % 3:
        raise InputError(f"{path}: {_WANTED}; this model {model.signature()}")
    _, _, height, width = model.inputs[0].shape
    return Detector(model, height or USUAL_SIDE_PX, width or USUAL_SIDE_PX)


def decode(outputs: Sequence[NDArray[Any]], height: int, width: int, who: str) -> tuple[Floats, Floats, Floats]:
    """Scores (N,), boxes (N, 4) as corners and points (N, 5, 2) in px of the detector's input, all anchors of it.

    Raises:
        InputError: the outputs are not those of such a detector on an input of this size.
    """
    kinds = {last: _of_kind(outputs, last) for last in (1, 4, 10)}
    levels = len(kinds[1])
    shapes = [list(np.shape(output)) for output in outputs]
    if not levels or any(len(kind) != levels for kind in kinds.values()) or 3 * levels != len(outputs):
        raise InputError(f"{who}: {_WANTED}; this one gave {shapes}")
    found = []
    for level in range(levels):
        stride = 8 << level
        centres = _centres(height // stride, width // stride, len(kinds[1][level]), stride)
        if centres is None or not len(centres) == len(kinds[4][level]) == len(kinds[10][level]):
            raise InputError(
                f"{who}: outputs {shapes} do not fit strides 8, 16, … of an input of {width} x {height} px"
            )
        sides, points = kinds[4][level] * stride, kinds[10][level].reshape(-1, 5, 2) * stride
        boxes = np.column_stack([centres - sides[:, :2], centres + sides[:, 2:]])
        found.append((kinds[1][level][:, 0], boxes, points + centres[:, None]))
    scores, boxes, points = (np.concatenate(part) for part in zip(*found, strict=True))
    return scores, boxes, points


def distinct(boxes: Floats) -> list[int]:
    """Places of the boxes (N, 4), surest first, that no surer one covers: non-maximum suppression."""
    kept: list[int] = []
    areas = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(axis=1)
    for i in range(len(boxes)):
        corner, far = np.maximum(boxes[kept, :2], boxes[i, :2]), np.minimum(boxes[kept, 2:], boxes[i, 2:])
        shared = np.maximum(far - corner, 0).prod(axis=1)
        if not (shared > OVERLAP * (areas[kept] + areas[i] - shared)).any():
            kept.append(i)
    return kept


def _of_kind(outputs: Sequence[NDArray[Any]], last: int) -> list[Floats]:
    """Outputs with this many numbers a row, the finest grid first."""
    kind = [np.asarray(o, np.float64).reshape(-1, last) for o in outputs if np.ndim(o) >= 2 and np.shape(o)[-1] == last]
    return sorted(kind, key=lambda rows: -len(rows))


def _centres(rows: int, columns: int, count: int, stride: int) -> Floats | None:
    """Where ``count`` anchors lie, (count, 2) in px, as many in every cell; None when they do not divide evenly."""
    cells = rows * columns
    if not cells or not count or count % cells:
        return None
    y, x = np.mgrid[:rows, :columns]
    return np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2) * float(stride), count // cells, axis=0)


def _fitted_in(rgb: Pixels, height: int, width: int) -> tuple[float, Pixels]:
    """The picture as large as it fits into the detector's input, in its upper left corner, and its scale.

    The scale is taken without the half pixel between centres and corners, as the training of these networks does.
    """
    import cv2

    scale = min(width / rgb.shape[1], height / rgb.shape[0])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    canvas = np.zeros((height, width, 3), np.uint8)
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas[: size[1], : size[0]] = small
    return scale, canvas
