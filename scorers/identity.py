"""identity: whose face a face swap shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from selector.domain import Axis, Column, InputError, Item, Picture, Score, Scorer, TaskType, reason_of
from selector.sight.faces import Face, centred_cosine, check_face_models, descriptor, find_faces, main_face
from selector.weights.bundled import FACE_PACKAGES, weights_tag

Floats = NDArray[np.float64]

LARGEST_DISTANCE = 2.0
FARTHEST = 0.75  # a face this many widths of the scene's face away from it is another one


class Identity(Scorer):
    """identity: whose face a face swap shows.

    Estimates: likeness of the candidate's face to the wanted identity (the reference's) and to the original one (the
        scene's), by dlib's ResNet descriptor; the contest's own metric is such a cosine, of a net that it does not
        name.
    Range and direction: cosines about the mean face [-1, 1] and Euclidean distances [0, 2]; to the wanted identity the
        cosine should be high and the distance low, to the original one the other way round. One person is usually below
        a distance of 0.6 and above a cosine of 0.5; different people lie at 0.6 to 0.95 and at about 0.1.
    Axis: SC. Tasks: deepfake.
    Input: the candidate, the scene, the reference.
    Model and licence: dlib's detector, 68 landmarks and ResNet (see ``selector.sight.faces``), the mean face of
        ``selector.sight.faces``.
    Source: King, JMLR 10, 2009; the face net of dlib 19.
    Cost: 0.2 s an image on one core; scene and reference once a task.
    Fails: the descriptor reads skin tone, glasses and age strongly and shape weakly, and an image that was made by
        pasting the reference is judged by the same pixels it was made of: compare methods also by another measure.
        Where no face is found, the columns are unscored; a face far from the scene's is another person and counts as
        not found.

    Example:
        >>> from skimage import data
        >>> from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_scorer
        >>> scene = Picture(encode_final(data.astronaut()))
        >>> task = Task("7", TaskType.DEEPFAKE, "", "scene.jpg", "face.jpg", 0)
        >>> (scores,) = create_scorer("identity").score([Item(TaskInputs(task, scene, scene), scene)])
        >>> round(scores["wanted_cosine"].value, 3), round(scores["wanted_distance"].value, 3)
        (1.0, 0.0)
    """

    name = "identity"
    version: str
    task_types = frozenset({TaskType.DEEPFAKE})
    columns = (
        Column("wanted_cosine", -1.0, 1.0, True, Axis.SC, "likeness to the reference, about the mean face"),
        Column("original_cosine", -1.0, 1.0, False, Axis.SC, "likeness left to the scene's own face"),
        Column("wanted_distance", 0.0, LARGEST_DISTANCE, False, Axis.SC, "distance to the reference's face"),
        Column("original_distance", 0.0, LARGEST_DISTANCE, True, Axis.SC, "distance to the scene's own face"),
    )

    def __init__(self) -> None:
        self.version = f"1-dlib-resnet-v1-mean-lfw90-{weights_tag(*FACE_PACKAGES)}"  # other weights, other scores

    def check(self) -> None:
        """Raise ``MissingPart`` when dlib or its weights are not installed."""
        check_face_models()

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """Scores of each item, in order."""
        return [_measured(item) for item in items]


def _measured(item: Item) -> dict[str, Score]:
    face = swapped_face(item)
    if isinstance(face, str):
        return _compared("wanted", face) | _compared("original", face)
    vector = descriptor(item.picture, face)
    return _compared("wanted", _likeness(vector, item.inputs.reference, "reference")) | _compared(
        "original", _likeness(vector, item.inputs.source, "scene")
    )


def _likeness(vector: Floats, picture: Picture | None, role: str) -> tuple[float, float] | str:
    """(cosine, distance) of a descriptor to the main face of a picture, or why there is none."""
    given = given_face(picture, role)
    if isinstance(given, str):
        return given
    other = descriptor(*given)
    # Descriptors have a length of about 1.4 and mostly positive entries: distances over 2 do not occur in practice.
    return centred_cosine(vector, other), min(LARGEST_DISTANCE, float(np.linalg.norm(vector - other)))


def _compared(to: str, likeness: tuple[float, float] | str) -> dict[str, Score]:
    if isinstance(likeness, str):
        return {f"{to}_{measure}": Score.unscored(likeness) for measure in ("cosine", "distance")}
    return {f"{to}_cosine": Score.of(likeness[0]), f"{to}_distance": Score.of(likeness[1])}


def swapped_face(item: Item) -> Face | str:
    """The candidate's face that stands where the scene has its own, or why there is none."""
    scene = item.inputs.source
    try:
        face = face_in_place(item.picture, scene) if scene else main_face(item.picture)
    except InputError as error:
        return reason_of(error)
    if face is None:
        return "no face found in the candidate" + (" where the scene has its face" if scene else "")
    return face


def given_face(picture: Picture | None, role: str) -> tuple[Picture, Face] | str:
    """An input picture of the task and its main face, or why there is none; ``role`` is scene or reference."""
    if picture is None:
        return f"the task has no {role} picture"
    try:
        face = main_face(picture)
    except InputError as error:
        return f"{role} picture: {reason_of(error)}"
    return (picture, face) if face is not None else f"no face found in the {role} picture"


def face_in_place(candidate: Picture, scene: Picture) -> Face | None:
    """The candidate's face where the scene has its main face; the candidate's main face when the scene has none.

    Places are compared as shares of width and height, so the candidate may have another size than the scene.
    """
    wanted = main_face(scene)
    if wanted is None:
        return main_face(candidate)
    centre, side = _place(wanted, scene)
    away = [(float(np.abs((_place(face, candidate)[0] - centre) / side).max()), face) for face in find_faces(candidate)]
    near = [entry for entry in away if entry[0] <= FARTHEST]
    return min(near, key=lambda entry: entry[0])[1] if near else None


def _place(face: Face, picture: Picture) -> tuple[Floats, Floats]:
    """Centre and sides of a face's box as shares of the picture's width and height."""
    box = np.array(face.box, dtype=float).reshape(2, 2) / picture.size
    return box.mean(axis=0), box[1] - box[0]
