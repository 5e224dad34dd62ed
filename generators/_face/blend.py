"""How the new face is brought into the scene: mask, colour, light, sharpness and edge.

Pictures are RGB (H, W, 3): uint8, or float32 on 0 to 255 between steps. Lengths are in face widths (jaw end to jaw
end), so that the same recipe does the same to a face of 60 px and to one of 600 px.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.sight.faces import BROWS, OUTER_LIPS, forehead_points, hull_mask

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

MAX_GAIN = 1.5  # of contrast in the colour transfer: a flat face has no contrast to borrow
LIGHT_SIGMA = 0.12  # of the face width: light is what changes more slowly than features
LIGHT_PX = 100  # face width at which light is measured
MAX_LIGHT = 60.0  # grey levels: a stronger difference is an object in front of the face, not light
SKIN_RANGE = 3.0  # standard deviations of the skin's colour that still count as skin
FOREHEAD_SHARES = (1.0, 0.8, 0.6, 0.45)  # of the wished height; the lowest adds next to nothing over the brow margin
TEMPLE_LIFT = 0.1  # of the face width, over the line of the brows: rims reach over it, and the feather needs room
BARE = 0.5  # share of skin over which a temple counts as bare
LEAST_SKIN = 0.9  # of the forehead's pixels
BLURS_PX = np.arange(0.0, 3.01, 0.25)  # standard deviations that are tried to make a sharp face as soft as its scene
SHARPEN_AT_MOST = 1.0  # of an unsharp mask: more makes halos and brings out JPEG blocks


def swap_mask(scene: Floats, placed: Floats, shape: tuple[int, int], grow: float, brows: float) -> Mask:
    """The face without its forehead: the scene's jaw, both pairs of brows and a margin over them of ``brows``.

    ``scene`` and ``placed`` are the landmarks of the scene's face and of the new one, in px of the crop.
    """
    lift = _lift(scene, brows)
    mask = hull_mask(np.vstack([scene, scene[BROWS] + lift, placed[BROWS] + lift]), shape, grow)
    # Beyond the new face's own outline lies the reference's background.
    return mask & hull_mask(np.vstack([placed, placed[BROWS] + lift]), shape, grow)


def forehead_mask(scene: Floats, images: tuple[Image, Image], core: Mask, skin: Mask, height: float) -> Mask:
    """``core`` and as much forehead, up to ``height``, as is skin in the scene and in the new face alike.

    One height for the whole brow: a mask that follows hair strand by strand gives a blotched forehead.
    """
    both = _looks_like_skin(images[0], skin) & _looks_like_skin(images[1], skin)
    for share in FOREHEAD_SHARES:
        raised = core | hull_mask(np.vstack([scene, forehead_points(scene, share * height)]), (*core.shape,), 0.0)
        added = raised & ~core
        if added.any() and both[added].mean() >= LEAST_SKIN:
            return raised
    return core


def temple_mask(scene: Floats, placed: Floats, images: tuple[Image, Image], core: Mask, skin: Mask) -> Mask:
    """``core`` and the corners between brows and ears, where the sides of glasses are.

    A corner is left out where the scene shows bare skin and the new face does not: that is the reference's hair.
    """
    shape = (core.shape[0], core.shape[1])
    bare, new_bare = (_looks_like_skin(image, skin) for image in images)
    own = hull_mask(placed, shape)
    mask: Mask = core.copy()
    for brow, ear in ((17, 0), (26, 16)):
        corner = _temple(scene, brow, ear, shape) & ~core & (_temple(placed, brow, ear, shape) | own)
        if corner.any() and not (bare[corner].mean() > BARE and new_bare[corner].mean() < BARE):
            mask |= corner
    return mask


def skin_mask(landmarks: Floats, core: Mask) -> Mask:
    """Cheeks, nose and chin inside the hull: colour is measured here, not on eyes, brows and lips."""
    shape = (core.shape[0], core.shape[1])
    skin = core & hull_mask(landmarks[:68], shape, -0.12)
    for part in (slice(36, 42), slice(42, 48), slice(17, 22), slice(22, 27), OUTER_LIPS):
        skin &= ~hull_mask(landmarks[part], shape, 0.25)
    return skin


def match_colour(face: Image, scene: Image, skin: Mask, strength: float) -> Image:
    """Bring mean and spread of the face's skin to the scene's, in CIE Lab (Reinhard et al., IEEE CG&A 21(5), 2001)."""
    lab, goal = _lab(face), _lab(scene)
    ours, theirs = _trimmed(lab[skin]), _trimmed(goal[skin])
    gain = np.clip(theirs.std(axis=0) / np.maximum(ours.std(axis=0), 1e-3), 1 / MAX_GAIN, [MAX_GAIN, 1.1, 1.1])
    if theirs.std(axis=0)[1:].max() < 1.0:
        gain[1:] = 0.0  # a grey scene takes no colour, not even a red mouth
    moved = (lab - ours.mean(axis=0)) * gain + theirs.mean(axis=0)
    mixed = (lab + strength * (moved - lab)).astype(np.float32)
    return _from_lab(mixed)


def match_light(face: Image, scene: Image, skin: Mask, width_px: float, strength: float) -> Image:
    """Give the face the scene's light and shade: the slow part of the difference between the skins, spread smoothly."""
    import cv2

    if strength == 0:
        return face
    shrink = max(1, int(width_px / LIGHT_PX))  # what is slow needs no resolution, and wide blurs are slow
    size = (max(1, skin.shape[1] // shrink), max(1, skin.shape[0] // shrink))
    known = np.dstack([(scene - face) * skin[..., None], skin]).astype(np.float32)
    spread = _blurred(_resized(known, size, cv2.INTER_AREA), LIGHT_SIGMA * width_px / shrink)
    slow, weight = spread[..., :3] / np.maximum(spread[..., 3:], 1e-3), spread[..., 3:]
    sure = np.clip(weight / 0.2, 0, 1)  # far from skin there is nothing to go by
    change = _resized(sure * np.clip(slow, -MAX_LIGHT, MAX_LIGHT), (skin.shape[1], skin.shape[0]), cv2.INTER_LINEAR)
    return np.asarray(np.clip(face + strength * change, 0, 255), dtype=np.float32)


def match_sharpness(face: Image, scene: Image, mask: Mask, strength: float) -> Image:
    """Soften or sharpen the face until its fine detail is as strong as the scene's, inside the mask."""
    goal, have = _detail(scene, mask), _detail(face, mask)
    if strength == 0 or have == 0 or goal == 0:
        return face
    if have <= goal:
        blurred = _blurred(face, 1.0)
        amount = strength * min(SHARPEN_AT_MOST, goal / have - 1)
        return np.asarray(np.clip(face + amount * (face - blurred), 0, 255), dtype=np.float32)
    softened = [face, *(_blurred(face, float(sigma)) for sigma in BLURS_PX[1:])]
    best = min(softened, key=lambda image: abs(_detail(image, mask) - goal))
    return np.asarray(face + strength * (best - face), dtype=np.float32)


def feather(mask: Mask, width_px: float) -> Image:
    """Alpha (H, W) that rises from 0 at the mask's border to 1 at ``width_px`` inside: nothing outside is touched."""
    import cv2

    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    rise = np.clip(inside / max(width_px, 1.0), 0, 1)
    return np.asarray(rise * rise * (3 - 2 * rise) * mask, dtype=np.float32)


def mix(scene: Pixels, face: Image, alpha: Image) -> Pixels:
    """The face over the scene; where alpha is 0 the scene's very bytes."""
    blended = scene + alpha[..., None] * (face - scene)
    return np.where(alpha[..., None] > 0, np.round(np.clip(blended, 0, 255)), scene).astype(np.uint8)


def poisson_clone(scene: Pixels, face: Image, mask: Mask) -> Pixels:
    """The face's gradients inside the scene's border colours (Perez, Gangnet & Blake, SIGGRAPH 2003)."""
    import cv2

    whole = mask.copy()
    whole[[0, -1]] = whole[:, [0, -1]] = False  # the equation needs a border
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    centre = (int(columns[0] + columns[-1]) // 2, int(rows[0] + rows[-1]) // 2)
    patch = np.round(face).astype(np.uint8)
    cloned: Any = cv2.seamlessClone(patch, scene, whole.astype(np.uint8) * 255, centre, cv2.NORMAL_CLONE)
    return np.where(whole[..., None], cloned, scene).astype(np.uint8)


def _lift(landmarks: Floats, share: float) -> Floats:
    """A shift (2,) up the axis of the face by a share of its width."""
    up = landmarks[BROWS].mean(axis=0) - landmarks[33]
    return np.asarray(share * np.linalg.norm(landmarks[16] - landmarks[0]) * up / np.linalg.norm(up))


def _temple(landmarks: Floats, brow: int, ear: int, shape: tuple[int, int]) -> Mask:
    """The wedge between the end of a brow, the end of the jaw line and the corner over the latter."""
    across = (landmarks[16] - landmarks[0]) / np.linalg.norm(landmarks[16] - landmarks[0])
    corner = landmarks[brow] + across * ((landmarks[ear] - landmarks[brow]) @ across)
    lift = _lift(landmarks, TEMPLE_LIFT)
    wedge = np.array([landmarks[brow], landmarks[brow] + lift, corner, corner + lift, landmarks[ear]])
    return hull_mask(wedge, shape, 0.0)


def _lab(image: Image) -> Image:
    import cv2

    return np.asarray(cv2.cvtColor(image / 255, cv2.COLOR_RGB2Lab), dtype=np.float32)


def _from_lab(lab: Image) -> Image:
    import cv2

    rgb: Any = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)
    return np.asarray(np.clip(rgb * 255, 0, 255), dtype=np.float32)


def _resized(image: Image, size: tuple[int, int], how: int) -> Image:
    import cv2

    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.float32)


def _blurred(image: Image, sigma_px: float) -> Image:
    import cv2

    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), dtype=np.float32)


def _trimmed(values: Image) -> Image:
    """Without the darkest and brightest tenth: glasses, shadows and highlights are not the skin's colour."""
    low, high = np.quantile(values[:, 0], [0.1, 0.9])
    return np.asarray(values[(values[:, 0] >= low) & (values[:, 0] <= high)])


def _looks_like_skin(image: Image, skin: Mask) -> Mask:
    lab = _lab(image)
    sample = _trimmed(lab[skin])
    spread = np.maximum(sample.std(axis=0), [4.0, 2.0, 2.0])
    return np.asarray((np.abs(lab - sample.mean(axis=0)) < SKIN_RANGE * spread * [1.5, 1, 1]).all(axis=-1))


def _detail(image: Image, mask: Mask) -> float:
    """Mean strength of the Laplacian of the lightness inside the mask."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return float(np.mean(np.abs(cv2.Laplacian(grey, cv2.CV_32F))[mask]))
