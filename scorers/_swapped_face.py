"""Which faces a face swap is judged by: the candidate's in the scene's place, and the main ones of both inputs.

Shared by the scorers of identity, so that two embedders always look at the same face.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from selector.domain import InputError, Item, Picture, reason_of
from selector.sight.faces import Face, find_faces, main_face

Floats = NDArray[np.float64]

FARTHEST = 0.75  # a face this many widths of the scene's face away from it is another one


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
