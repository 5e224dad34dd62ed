"""What a face swap begins with: the two pictures of its task, and the faces in them, whoever found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import Declined, InputError, Picture, Recipe, TaskInputs, TaskType
from selector.sight.faces import prominence

Floats = NDArray[np.float64]

WHICH = ("main", "largest", "most_central")


def scene_and_reference(inputs: TaskInputs, who: str) -> tuple[Picture, Picture]:
    """The scene, which stays, and the picture that gives the identity; ``who`` is the generator's name.

    Raises:
        Declined: the task is no face swap, or one of its pictures is missing.
    """
    if inputs.task.type is not TaskType.DEEPFAKE:
        raise Declined(f"{who} does {TaskType.DEEPFAKE.value} tasks, this is a {inputs.task.type.value} task")
    if inputs.source is None or inputs.reference is None:
        missing = "scene (source)" if inputs.source is None else "reference"
        raise Declined(f"{who} needs two pictures, and the task has no {missing} picture")
    return inputs.source, inputs.reference


def no_face(role: str, picture: Picture) -> Declined:
    """The refusal of a pair of which one picture shows no face."""
    return Declined(
        f"no face found in the {role} picture {picture.name}, also not after padding it by 15%; "
        "another generator may do this task"
    )


def params_of(recipe: Recipe, how: type, who: str) -> dict[str, Any]:
    """The parameters of a recipe, for the dataclass ``how``. Raises ``InputError`` for one that it has not."""
    known = {field.name for field in fields(how)}
    unknown = sorted(set(recipe.params) - known)
    if unknown:
        raise InputError(f"{who} knows the parameters {', '.join(sorted(known))}; got {', '.join(unknown)}")
    return dict(recipe.params)


@dataclass(frozen=True, eq=False)
class FoundFace:
    """In px of the picture: ``box`` (x0, y0, x1, y1) inside of it, five ``points`` (5, 2), 68 ``landmarks``.

    ``score``, of 0 to 1 where an ONNX detector gave it, tells how sure its finder is.
    """

    box: tuple[int, int, int, int]
    score: float
    points: Floats
    landmarks: Floats | None = None


def chosen(faces: Sequence[FoundFace], which: str, width: int, height: int) -> FoundFace:
    """The face that a setting means (one of ``WHICH``) in a picture of this size; the surer one where two are equal."""

    def rank(face: FoundFace) -> float:
        x0, y0, x1, y1 = face.box
        if which == "main":
            return prominence(face.box, face.score, width, height)
        return float((x1 - x0) * (y1 - y0) if which == "largest" else -np.hypot(x0 + x1 - width, y0 + y1 - height))

    return max(sorted(faces, key=lambda face: -face.score), key=rank)
