"""faceswap: puts the face of the reference picture into the scene of the source picture."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from generators._face import blend
from generators._face.faces import no_face, params_of, scene_and_reference
from generators._face.geometry import Warp, face_width_px, fit_face, with_forehead
from selector.domain import Declined, Generator, Made, MissingPart, Picture, Recipe, TaskInputs, TaskType
from selector.sight.faces import Face, check_face_models, main_face

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

CROP_MARGIN = 0.3  # of the face width around the face: what blurs and the Poisson border may look at
LEAST_SKIN_PX = 30  # under this no colour statistics
SHRINK_FROM = 0.8  # below this size ratio linear sampling would skip pixels


@dataclass(frozen=True)
class Swap:
    """How one swap is made. Lengths in face widths (jaw end to jaw end), strengths from 0 (off) to 1."""

    warp: Warp = "outline"
    edge: Literal["feather", "poisson"] = "feather"
    feather: float = 0.08  # width of the transition, inwards from the border of the mask
    grow: float = 0.0  # of the mask, about its centre
    brows: float = 0.07  # margin over both pairs of brows: the scene's must not show as a second pair
    forehead: float = 0.6  # height over the brows, in distances from brows to nose base; 0: up to the brows
    temples: bool = True  # the corners between brows and ears too, unless the reference has hair there
    colour: float = 1.0  # skin mean and spread of the scene
    light: float = 0.5  # light and shade of the scene
    sharpness: float = 0.7  # fine detail as strong as the scene's
    pose: float = 0.1  # outline only: features moved towards the scene's


# Best first, by distance to the wanted identity and by eye, on real pairs; the first six hold four methods.
SWAPS: tuple[tuple[str, Swap], ...] = (
    ("outline", Swap()),
    ("similarity", Swap("similarity", forehead=0.0)),
    ("poisson", Swap(edge="poisson", feather=0.05, grow=-0.08, forehead=0.0, temples=False)),
    ("outline", Swap(pose=0.35, light=0.7, feather=0.12)),
    ("affine", Swap("affine", feather=0.12)),
    ("outline", Swap(pose=0.0, colour=0.7, light=0.3)),
    ("triangles", Swap("triangles")),
    ("outline", Swap(forehead=0.0, grow=-0.05, temples=False)),
    ("similarity", Swap("similarity", feather=0.15, light=0.8)),
    ("outline", Swap(grow=0.06, feather=0.15, light=0.8)),
    ("poisson", Swap("affine", edge="poisson", feather=0.05, grow=-0.08, light=0.0, temples=False)),
    ("outline", Swap(sharpness=0.0, light=0.2)),
    ("triangles", Swap("triangles", edge="poisson", feather=0.05, grow=-0.05)),
    (
        "baseline_triangles",
        Swap(
            "plain_triangles", "poisson", feather=0, brows=0, forehead=0, temples=False, colour=0, light=0, sharpness=0
        ),
    ),
)


class FaceSwap(Generator):
    """faceswap: puts the face of the reference picture into the scene of the source picture.

    Input: ``inputs.source`` is the scene (pose, hair, light, all pixels outside the face stay, bit by bit);
        ``inputs.reference`` gives the identity. The profile has already resolved which is which.
    Output: the source's size.
    Methods (recipe variants):
    - ``outline``: thin-plate spline: the reference's features keep their proportions, its jaw line bends onto the
      scene's; Lab colour transfer, the scene's light, inward feather. The most natural of them.
    - ``similarity``, ``affine``: rotation, scale and shift (and shear) only, same blending. The most alike.
    - ``poisson``: outline's warp, gradients cloned into the scene's colours (cv2.seamlessClone).
    - ``triangles``: Delaunay triangles with forehead points: the scene's face shape, the reference's texture.
    - ``baseline_triangles``: the contest's baseline: triangles of the 68 points, seamlessClone; for comparison.
    Models: dlib's detector and 68 landmarks (see ``selector.sight.faces``; non-commercial training data).
    Cost: 10 to 40 ms for a face of 100 px once the faces are found (0.2 s for both pictures). No randomness.
    Fails with ``Declined`` when one of the pictures shows no face that can be used. Weak where the poses differ by more
        than about 30 degrees, where the scene's face wears glasses (their sides may stay), where hair crosses the
        reference's face, and under hard side light.

    Example:
        >>> from skimage import data
        >>> from selector.domain import Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_generator
        >>> scene = reference = Picture(encode_final(data.astronaut()))
        >>> inputs = TaskInputs(Task("7", TaskType.DEEPFAKE, "", "a.jpg", "b.jpg", 0), scene, reference)
        >>> swap = create_generator("faceswap")
        >>> [recipe.variant for recipe in swap.recipes(inputs, 3, 0)]
        ['outline', 'similarity', 'poisson']
        >>> swap.generate(inputs, swap.recipes(inputs, 1, 0)[0]).image.shape == scene.rgb.shape
        True
    """

    name = "faceswap"
    version = "1"
    task_types = frozenset({TaskType.DEEPFAKE})

    def check(self) -> None:
        check_face_models()
        if importlib.util.find_spec("cv2") is None:
            raise MissingPart("faceswap needs OpenCV, which is not installed: pip install opencv-python-headless")

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """The first ``n`` of 14, whatever the seed: another one would give the same faces again."""
        del seed
        scene_and_reference(inputs, self.name)
        return [Recipe(variant, 0, asdict(swap)) for variant, swap in SWAPS[: max(0, n)]]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        source, reference = scene_and_reference(inputs, self.name)
        swap = Swap(**params_of(recipe, Swap, self.name))
        scene_face, new_face = _face_of(source, "scene (source)"), _face_of(reference, "reference")
        image = swap_faces(source.rgb, scene_face.landmarks, reference.rgb, new_face.landmarks, swap)
        return Made(image, {"scene_face_px": list(scene_face.box), "reference_face_px": list(new_face.box)})


def swap_faces(scene: Pixels, onto: Floats, reference: Pixels, landmarks: Floats, swap: Swap) -> Pixels:
    """The scene (H, W, 3) with the face of ``reference``; ``onto`` and ``landmarks`` are the two faces' (68, 2), in px.

    Raises ``Declined`` when too little of a face lies inside the pictures.
    """
    left, top, right, bottom = _crop_box(onto, scene.shape[1], scene.shape[0])
    crop, onto = scene[top:bottom, left:right], onto - [left, top]
    if min(crop.shape[:2]) < 8:
        raise Declined("the scene's face lies outside of the picture: nothing to swap")
    reference, landmarks = _at_scale(reference, landmarks, face_width_px(onto) / face_width_px(landmarks))
    result: Pixels = scene.copy()
    result[top:bottom, left:right] = _blended(crop, onto, reference, landmarks, swap)
    return result


def _blended(crop: Pixels, onto: Floats, reference: Pixels, landmarks: Floats, swap: Swap) -> Pixels:
    import cv2

    shape, width_px = (crop.shape[0], crop.shape[1]), face_width_px(onto)
    fit = fit_face(swap.warp, landmarks, onto, shape, swap.pose)
    x, y = fit.map_xy[..., 0], fit.map_xy[..., 1]
    face = cv2.remap(reference, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT).astype(np.float32)
    core = blend.swap_mask(onto, fit.placed, shape, swap.grow, swap.brows)
    skin = blend.skin_mask(onto, core) & blend.skin_mask(fit.placed, core)
    if skin.sum() < LEAST_SKIN_PX:
        raise Declined(f"the faces share only {int(skin.sum())} px of skin: too small or too turned to swap")
    face, mask = _fitted_in(face, crop.astype(np.float32), onto, fit.placed, core, skin, swap)
    if swap.edge == "poisson":
        face = blend.poisson_clone(crop, face, mask).astype(np.float32)
    return blend.mix(crop, face, blend.feather(mask, swap.feather * width_px))


def _fitted_in(
    face: blend.Image, scene: blend.Image, onto: Floats, placed: Floats, core: blend.Mask, skin: blend.Mask, swap: Swap
) -> tuple[blend.Image, blend.Mask]:
    """The face with the scene's colour, light and sharpness, and the mask with as much forehead as both have."""
    face = blend.match_colour(face, scene, skin, swap.colour)
    face = blend.match_light(face, scene, skin, face_width_px(onto), swap.light)
    face = blend.match_sharpness(face, scene, core, swap.sharpness)
    mask = blend.temple_mask(onto, placed, (scene, face), core, skin) if swap.temples else core
    if swap.forehead > 0:
        mask = mask | blend.forehead_mask(onto, (scene, face), core, skin, swap.forehead)
    return face, mask


def _crop_box(landmarks: Floats, width: int, height: int) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the face and its surroundings, inside the picture."""
    points, margin = with_forehead(landmarks), CROP_MARGIN * face_width_px(landmarks)
    left, top = np.maximum(np.floor(points.min(axis=0) - margin), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(points.max(axis=0) + margin), [width, height]).astype(int).tolist()
    return left, top, right, bottom


def _at_scale(picture: Pixels, landmarks: Floats, scale: float) -> tuple[Pixels, Floats]:
    """A reference larger than the scene is shrunk by area first: sampling it with gaps would alias."""
    import cv2

    if scale >= SHRINK_FROM:
        return picture, landmarks
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    factor = np.array([size[0] / width, size[1] / height])
    shrunk = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return shrunk, (landmarks + 0.5) * factor - 0.5  # pixel centres, not corners, keep their place


def _face_of(picture: Picture, role: str) -> Face:
    face = main_face(picture)
    if face is None:
        raise no_face(role, picture)
    return face
