"""Faces in a picture: box, 68 landmarks, the region they cover, and a descriptor of the identity.

Detector: dlib's frontal HOG detector with one upsampling; scores above 0.3 are kept (false faces score about 0.1).
Landmarks: dlib's 68-point ensemble of regression trees (Kazemi & Sullivan, CVPR 2014). Descriptor: dlib's ResNet on a
150 px aligned chip (128 numbers, L2 norm about 1.4; the same person below a Euclidean distance of about 0.6).
Weights: the files inside the package ``face_recognition_models`` (CC0, but the 68-point model was trained on iBUG
300-W, whose licence excludes commercial use). Cost on one core: detection 0.1 s at 512 px, landmarks 3 ms, descriptor
85 ms. Fails on profiles, on heads tilted by more than about 30 degrees and on faces under about 20 px.
"""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import MissingPart, Picture
from selector.sight.memory import RecentResults

MIN_SCORE = 0.3
PADDING = 0.15  # of each side, added when nothing is found: a face cut by the border has no HOG margin
WORKING_SIDE_PX = (500, 1100)  # the shorter side is brought up to the first, the longer one down to the second
MAX_ENLARGEMENT = 4.0
FOREHEAD = 0.6  # height of the forehead over the brows, in distances from brows to nose base (the hairline is near 1)

JAW, BROWS = slice(0, 17), slice(17, 27)
OUTER_LIPS, INNER_LIPS = slice(48, 60), slice(60, 68)

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# Descriptors of dlib's net are not centred: their raw cosine is 0.81 to 0.91 even between different people, so it
# hardly tells them apart. About the mean face it is near 0.1 between different people (standard deviation 0.15) and 0.8
# between two photographs of one person. The mean is of the 90 detected faces of ``skimage.data.lfw_subset`` (100
# people, the dataset is LFW): `python -m experiments.face_mean` computes it again and measures how well it separates
# people. It is constant, so that a score never depends on which other pictures a campaign has.
# fmt: off
MEAN_DESCRIPTOR: Floats = np.array([
    -0.0859, 0.0769, 0.0407, -0.0217, -0.0861, -0.0110, -0.0047, -0.1428,
    0.1379, -0.0790, 0.1664, -0.0525, -0.2342, -0.0811, -0.0394, 0.1233,
    -0.1396, -0.1238, -0.1040, -0.0804, 0.0246, 0.0443, 0.0519, 0.0104,
    -0.1417, -0.2964, -0.0666, -0.0919, 0.0426, -0.0664, 0.0199, 0.0831,
    -0.2115, -0.0612, 0.0146, 0.0803, -0.0469, -0.0449, 0.2232, 0.0153,
    -0.1673, 0.0437, 0.0706, 0.2307, 0.2045, -0.0218, 0.0090, -0.0602,
    0.1199, -0.2349, 0.0338, 0.1523, 0.1501, 0.0732, 0.0755, -0.1232,
    0.0191, 0.1330, -0.1847, 0.0775, 0.0708, -0.0890, -0.0313, -0.0012,
    0.1324, 0.0747, -0.0742, -0.1431, 0.1613, -0.1543, -0.0425, 0.0845,
    -0.0910, -0.1502, -0.2771, 0.0304, 0.3413, 0.1169, -0.1776, 0.0113,
    -0.0707, -0.0208, 0.0271, 0.0364, -0.0611, -0.0560, -0.0907, 0.0163,
    0.1793, -0.0183, -0.0301, 0.2302, 0.0282, -0.0171, 0.0288, 0.0399,
    -0.1174, -0.0171, -0.1147, -0.0234, 0.0359, -0.1054, 0.0138, 0.0982,
    -0.1825, 0.1656, -0.0394, -0.0277, -0.0079, -0.0167, -0.0765, 0.0153,
    0.1546, -0.2369, 0.2060, 0.1589, -0.0295, 0.1203, 0.0678, 0.0676,
    -0.0061, 0.0085, -0.1250, -0.1313, 0.0274, -0.0248, 0.0268, 0.0415,
])
# fmt: on
MEAN_DESCRIPTOR.setflags(write=False)


@dataclass(frozen=True, eq=False)
class Face:
    """One detected face, in px of the picture.

    ``box`` is (x0, y0, x1, y1), inside the picture; ``score`` is the detector's (0.3 to about 3); ``landmarks`` are the
    68 iBUG points, (68, 2) float64 as (x, y), which may lie outside of a picture that cuts the face.
    """

    box: tuple[int, int, int, int]
    score: float
    landmarks: Floats


def find_faces(picture: Picture) -> tuple[Face, ...]:
    """All faces, the main one first: by area x score (capped at 1) x a weight from 1 in the centre to 1/2 in a corner.

    A picture without a face is padded by 15% and tried again; ``()`` when there is still none.
    Raises ``InputError`` for a damaged picture and ``MissingPart`` without dlib or its weights.
    """
    return _found.get(picture.id, lambda: _search(picture.rgb))


def main_face(picture: Picture) -> Face | None:
    """The largest, most central face, or None."""
    faces = find_faces(picture)
    return faces[0] if faces else None


def prominence(box: tuple[int, int, int, int], score: float, width: int, height: int) -> float:
    """How much a face is the main one of a picture of this size: see ``find_faces``."""
    x0, y0, x1, y1 = box
    off_x, off_y = (x0 + x1) / width - 1, (y0 + y1) / height - 1  # each -1 to 1 from border to border
    off_centre = min(1.0, float(np.hypot(off_x, off_y)) / np.sqrt(2))
    # Over 1 the score says how frontal a face is, not how prominent: a sharp bystander must not win by it.
    return float((x1 - x0) * (y1 - y0) * min(1.0, score) * (1.0 - 0.5 * off_centre))


def descriptor(picture: Picture, face: Face) -> Floats:
    """Identity descriptor of a face of this picture, (128,) float64, not centred: compare by ``centred_cosine``."""
    key = (picture.id, face.landmarks.tobytes())
    return _described.get(key, lambda: _describe(picture.rgb, face))


def centred_cosine(one: Floats, other: Floats) -> float:
    """Cosine of two descriptors (128,) about the mean face, -1 to 1; 0 when one of them is the mean face itself.

    >>> round(centred_cosine(MEAN_DESCRIPTOR + 1.0, MEAN_DESCRIPTOR + 3.0), 6)
    1.0
    """
    a, b = one - MEAN_DESCRIPTOR, other - MEAN_DESCRIPTOR
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip(a @ b / lengths, -1.0, 1.0)) if lengths > 0 else 0.0


def face_mask(face: Face, shape: tuple[int, int], grow: float = 0.0) -> Mask:
    """Convex hull of the landmarks with the forehead, (H, W) bool; 0.1 makes it 10% larger about its centre."""
    return hull_mask(np.vstack([face.landmarks, forehead_points(face.landmarks)]), shape, grow)


def hull_mask(points: Floats, shape: tuple[int, int], grow: float = 0.0) -> Mask:
    """Filled convex hull of points (N, 2) in px, grown about its centre, as (H, W) bool."""
    import cv2

    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    centre = (hull.min(axis=0) + hull.max(axis=0)) / 2
    hull = centre + (1.0 + grow) * (hull - centre)
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 1)
    return mask.astype(bool)


def forehead_points(landmarks: Floats, height: float = FOREHEAD) -> Floats:
    """Ten points (10, 2) over the ten brow points, along the axis of the face, lower at the temples."""
    brows = landmarks[BROWS]
    up = brows.mean(axis=0) - landmarks[33]
    arch = np.array([0.7, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.7])
    return np.asarray(brows + height * arch[:, None] * up)


def check_face_models() -> None:
    """Raise ``MissingPart`` with the cure when dlib or its weights are not installed; loads nothing."""
    if importlib.util.find_spec("dlib") is None:
        raise MissingPart("face work needs dlib, which is not installed: pip install dlib-bin")
    _weights("shape_predictor_68_face_landmarks.dat")


_found: RecentResults[tuple[Face, ...]] = RecentResults(256)
_described: RecentResults[Floats] = RecentResults(1024)
_dlib_lock = threading.RLock()  # dlib's detector and net keep scratch buffers: one caller at a time


@lru_cache(maxsize=1)
def _models() -> tuple[Any, Any, Any]:
    """Detector, predictor of landmarks and net: 120 MB of weights, loaded once; call with the lock held."""
    check_face_models()
    import dlib

    return (
        dlib.get_frontal_face_detector(),
        dlib.shape_predictor(_weights("shape_predictor_68_face_landmarks.dat")),
        dlib.face_recognition_model_v1(_weights("dlib_face_recognition_resnet_model_v1.dat")),
    )


def _weights(name: str) -> str:
    """Path of a weights file. The package is not imported: that needs ``pkg_resources``, which setuptools dropped."""
    spec = importlib.util.find_spec("face_recognition_models")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = next((file for folder in folders if (file := Path(folder) / "models" / name).is_file()), None)
    if path is None:
        raise MissingPart(f"face work needs {name}, which is not installed: pip install face_recognition_models")
    return str(path)


def _search(rgb: Pixels) -> tuple[Face, ...]:
    height, width = rgb.shape[:2]
    faces = _detect(rgb)
    if not faces:
        pad = round(PADDING * max(height, width))
        padded = np.pad(rgb, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
        faces = [
            _face(np.array(face.box).reshape(2, 2) - pad, face.score, face.landmarks - pad, width, height)
            for face in _detect(padded)
        ]
    return tuple(sorted(faces, key=lambda face: -prominence(face.box, face.score, width, height)))


def _detect(rgb: Pixels) -> list[Face]:
    """Faces of one array, unordered, in its px; detection and landmarks run at the working size."""
    import cv2

    height, width = rgb.shape[:2]
    least, most = WORKING_SIDE_PX
    scale = min(max(1.0, least / min(height, width)), most / max(height, width), MAX_ENLARGEMENT)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = cv2.resize(rgb, size, interpolation=how) if scale != 1 else rgb.copy()
    back = np.array([width / size[0], height / size[1]])
    with _dlib_lock:
        detector, predictor, _ = _models()
        boxes, scores, _ = detector.run(image, 1, MIN_SCORE)
        shapes = [predictor(image, box) for box in boxes]
    faces = []
    for box, score, shape in zip(boxes, scores, shapes, strict=True):
        corners = np.array([(box.left(), box.top()), (box.right() + 1, box.bottom() + 1)]) * back
        landmarks = np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64) * back
        faces.append(_face(corners, float(score), landmarks, width, height))
    return faces


def _face(corners: NDArray[Any], score: float, landmarks: Floats, width: int, height: int) -> Face:
    """A face with its box inside a picture of this size."""
    (x0, y0), (x1, y1) = np.round(corners).astype(int).tolist()
    landmarks.setflags(write=False)
    return Face((max(0, x0), max(0, y0), min(width, x1), min(height, y1)), score, landmarks)


def _describe(rgb: Pixels, face: Face) -> Floats:
    import dlib

    x0, y0, x1, y1 = face.box
    points = [dlib.point(round(x), round(y)) for x, y in face.landmarks]
    with _dlib_lock:
        shape = dlib.full_object_detection(dlib.rectangle(x0, y0, x1, y1), points)
        vector = np.array(_models()[2].compute_face_descriptor(rgb.copy(), shape), dtype=np.float64)
    vector.setflags(write=False)
    return vector
