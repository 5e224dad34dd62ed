"""identity: whose face a face swap shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scorers._swapped_face import given_face, swapped_face
from selector.domain import Axis, Column, Item, Picture, Score, Scorer, TaskType
from selector.sight.faces import centred_cosine, check_face_models, descriptor
from selector.weights.bundled import FACE_PACKAGES, weights_tag

Floats = NDArray[np.float64]

LARGEST_DISTANCE = 2.0


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
