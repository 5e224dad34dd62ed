"""arcface: whose face a face swap shows, by a second embedder of the user's choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scorers.identity import given_face, swapped_face
from selector.domain import Axis, Column, Item, Picture, Score, Scorer, TaskType, stable_hash
from selector.sight.face_align import FaceNet, aligned_crop, face_input, face_net
from selector.sight.faces import Face, check_face_models
from selector.sight.memory import RecentResults
from selector.sight.onnx_session import model_file
from selector.weights import tag_or_absent
from selector.weights.bundled import FACE_PACKAGES, weights_tag

Floats = NDArray[np.float64]
Embedding = Floats | str  # a vector, or why there is none


class ArcFace(Scorer):
    """arcface: whose face a face swap shows, by a second embedder of the user's choice.

    Estimates: likeness of the candidate's face to the wanted identity (the reference's) and to the original one (the
        scene's), by any ArcFace-type network; the contest's own metric is such a cosine, of a net that it does not
        name. It looks at the same faces as ``identity`` does, so the two differ by their embedders only.
    Range and direction: both [-1, 1]; wanted_cosine up, original_cosine down. These nets are trained on the angle, so
        the cosine is taken as it is: near 0 between different people, 0.4 to 0.8 between photographs of one person.
    Axis: SC. Tasks: deepfake.
    Input: the candidate, the scene, the reference; each face is aligned by five points of dlib's 68 landmarks to the
        112 px crop of ``selector.sight.face_align``.
    Model and licence: an ONNX file, none comes with the program; one input (n, 3, 112, 112) or (n, 112, 112, 3), one
        output (n, length). InsightFace's ``w600k_r50.onnx`` is of this kind; its published weights are for
        non-commercial research.
    Source: Deng et al., CVPR 2019.
    Settings: ``model_path`` (required); a pixel enters as (value - ``input_mean``) / ``input_scale``, by default -1 to
        1 (exports that normalise inside want 0 and 1); ``channels`` "rgb" (default) or "bgr".
    Cost: detection 0.1 s an image, and the network; the faces of a batch go through it in one run where its batch is
        free.
    Fails: as ``identity`` does where no face is found (after a second try on a padded picture): unscored. Wrong
        settings of the input give wrong cosines without any other sign: check that two photographs of one person come
        above 0.4. Not run here with published weights (none can be reached), but with small networks of the same
        shapes.

    Example:
        In ``campaign.toml``:

        [scorers.arcface]
        model_path = "models/w600k_r50.onnx"
    """

    name = "arcface"
    settings_in_version = True  # by what they do: the same model at another path gives the same scores
    tolerance = 1e-5
    task_types = frozenset({TaskType.DEEPFAKE})
    columns = (
        Column("wanted_cosine", -1.0, 1.0, True, Axis.SC, "likeness to the reference by the ArcFace network"),
        Column("original_cosine", -1.0, 1.0, False, Axis.SC, "likeness left to the scene's own face, likewise"),
    )

    def __init__(
        self, model_path: str = "", input_mean: float = 127.5, input_scale: float = 127.5, channels: str = "rgb"
    ) -> None:
        if channels not in ("rgb", "bgr"):
            raise ValueError(f"channels must be 'rgb' or 'bgr', got {channels!r}")
        if not (np.isfinite([input_mean, input_scale]).all() and input_scale > 0):
            raise ValueError(f"input_mean must be finite, input_scale above 0, got {input_mean!r} and {input_scale!r}")
        self._path = Path(model_path) if model_path else None
        self._input = (float(input_mean), float(input_scale), channels)
        self._given: RecentResults[Embedding] = RecentResults(256)  # of scenes and references

    @cached_property
    def version(self) -> str:
        """The model's SHA-256, what is done to its input, and the packages that find the face."""
        model = tag_or_absent(self._path) if self._path else "none"
        return f"1-{model}-{stable_hash(list(self._input), 8)}-{weights_tag(*FACE_PACKAGES)}"

    def check(self) -> None:
        """Raise ``MissingPart`` without dlib or the model's file, which is only looked for."""
        check_face_models()
        self._file()

    def try_out(self) -> None:
        """Load the network, for ``bestshot doctor``; raises ``InputError`` for a file that is none."""
        face_net(self._file())

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """Scores of each item, in order; the faces of all items are embedded together."""
        candidates = self._embedded([(item.picture, swapped_face(item)) for item in items])
        return [self._measured(item, vector) for item, vector in zip(items, candidates, strict=True)]

    def _measured(self, item: Item, candidate: Embedding) -> dict[str, Score]:
        if isinstance(candidate, str):
            return {column.name: Score.unscored(candidate) for column in self.columns}
        return {
            "wanted_cosine": _cosine(candidate, self._of_input(item.inputs.reference, "reference")),
            "original_cosine": _cosine(candidate, self._of_input(item.inputs.source, "scene")),
        }

    def _of_input(self, picture: Picture | None, role: str) -> Embedding:
        """Embedding of an input's main face: the same for all candidates of a task, so it is kept."""
        if picture is None:
            return f"the task has no {role} picture"

        def embed() -> Embedding:
            given = given_face(picture, role)
            return given if isinstance(given, str) else self._embedded([given])[0]

        return self._given.get((picture.id, role), embed)

    def _embedded(self, faces: Sequence[tuple[Picture, Face | str]]) -> list[Embedding]:
        """Embeddings of length 1, or the reasons that stand in place of a face."""
        found: list[Embedding] = [face if isinstance(face, str) else "" for _, face in faces]
        places = [i for i, (_, face) in enumerate(faces) if isinstance(face, Face)]
        crops = [aligned_crop(picture.rgb, face.landmarks) for picture, face in faces if isinstance(face, Face)]
        if crops:
            vectors = self._net.vectors([face_input(crop, *self._input) for crop in crops])
            for i, vector in zip(places, vectors, strict=True):
                length = float(np.linalg.norm(vector))
                fine = np.isfinite(length) and length > 0
                found[i] = vector / length if fine else "the model gave no usable embedding of the face"
        return found

    @cached_property
    def _net(self) -> FaceNet:
        return face_net(self._file())

    def _file(self) -> Path:
        return model_file(self._path or "", "scorers.arcface", "a face network")


def _cosine(one: Floats, other: Embedding) -> Score:
    if isinstance(other, str):
        return Score.unscored(other)
    return Score.of(float(np.clip(one @ other, -1.0, 1.0)))
