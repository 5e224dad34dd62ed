"""Soft masks of a photograph's main subject, without a trained segmenter.

Cues: what differs in colour from the picture's borders, what is in focus, what is near the centre, and faces with the
body below them. GrabCut (Rother, Kolmogorov, Blake 2004) turns the cues into an outline; a guided filter (He, Sun,
Tang 2010) fits it to the edges of the full picture. Cost: about 0.3 s. Fails where the subject has the colours of its
surroundings, or where nothing stands out; then the soft mask is the honest one.

OpenCV's GrabCut draws from the random generator of the calling thread; it is seeded here before every call, so the
mask is the same in every process and thread.
"""

from __future__ import annotations

import numpy as np

from generators.colour_spaces import Floats, to_floats, to_lab
from selector.domain import Picture
from selector.perception.memory import RecentResults

WORKING_SIDE_PX = 320
CUE_SIDE_PX = 96
GRABCUT_SEED = 20251
GRABCUT_ROUNDS = 5
SMALLEST_SHARE, LARGEST_SHARE = 0.03, 0.85  # of the picture; another outline is not believed
LEAST_STEP = 10.0  # delta E across a believable outline, see step_along
MEMORY_BYTES = 64_000_000

_masks: RecentResults[Floats | None] = RecentResults(MEMORY_BYTES, lambda mask: 1_000 if mask is None else mask.nbytes)


def mask_methods(picture: Picture) -> tuple[str, ...]:
    """Names of the methods that find a subject in this picture, the most trustworthy first; never empty."""
    found = tuple(name for name in ("person", "salient", "central") if subject_mask(picture, name) is not None)
    return (*found, "soft")


def subject_mask(picture: Picture, method: str) -> Floats | None:
    """Opacity of the subject, (H, W) float32 in 0 to 1, read-only; None when the method finds no believable subject.

    "person" starts from the faces, "salient" from what stands out, "central" from an ellipse in the middle; "soft" is
    no outline but a smooth weight.
    """
    return _masks.get((picture.id, method), lambda: _make(picture, method))


def attention_centre(srgb: Floats) -> tuple[float, float]:
    """Where the eye is drawn, (x, y) as fractions of width and height."""
    saliency = _saliency(srgb) ** 2
    y, x = np.mgrid[0 : 1 : saliency.shape[0] * 1j, 0 : 1 : saliency.shape[1] * 1j]
    return float((saliency * x).sum() / saliency.sum()), float((saliency * y).sum() / saliency.sum())


def _make(picture: Picture, method: str) -> Floats | None:
    srgb = to_floats(picture.rgb)
    if method == "soft":
        mask = _resized(_smooth(_saliency(srgb)), srgb.shape)
    else:
        seeds = _face_seeds(picture) if method == "person" else _seeds(srgb, method)
        outline = None if seeds is None else _believed(srgb, seeds)
        if outline is None:
            return None
        mask = _refined(_resized(outline, srgb.shape), srgb)
    mask.setflags(write=False)
    return mask


def _saliency(srgb: Floats) -> Floats:
    """Cues of a subject at ``CUE_SIDE_PX``: contrast to the borders, focus, nearness to the centre; 0 to 1."""
    small = _resized(srgb, _shrunk(srgb.shape, CUE_SIDE_PX))
    lab = to_lab(small) / np.array([2.0, 1.0, 1.0], np.float32)  # lightness varies within a thing more than colour does
    height, width = lab.shape[:2]
    sides = (lab[:3].reshape(-1, 3), lab[-3:].reshape(-1, 3), lab[:, :3].reshape(-1, 3), lab[:, -3:].reshape(-1, 3))
    contrasts = np.sort([_distance_to(lab, side[:: max(len(side) // 48, 1)]) for side in sides], axis=0)
    contrast = contrasts[1:3].mean(axis=0)  # a subject may touch one side, clutter may match one
    focus = _blurred(np.abs(_detail(srgb, lab.shape)), 3.0)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    centre = np.exp(-(x**2 + y**2) / 0.7)
    saliency = (_unit(contrast) + 0.35 * _unit(focus) + 0.15) * centre
    return np.asarray(_unit(_blurred(saliency.astype(np.float32), 1.5)) + np.float32(1e-3))


def _distance_to(lab: Floats, colours: Floats) -> Floats:
    """Distance of every pixel to the third nearest of the colours."""
    distances = np.linalg.norm(lab[:, :, None, :] - colours[None, None], axis=3)
    return np.asarray(np.partition(distances, 2, axis=2)[:, :, 2])


def _detail(srgb: Floats, shape: tuple[int, ...]) -> Floats:
    grey = _resized(srgb.mean(axis=2), _shrunk(srgb.shape, 4 * CUE_SIDE_PX))
    return _resized(np.abs(grey - _blurred(grey, 1.5)), shape)


def _seeds(srgb: Floats, method: str) -> Floats:
    """GrabCut's four labels at working size, from the saliency or from an ellipse."""
    height, width = _shrunk(srgb.shape, WORKING_SIDE_PX)
    if method == "central":
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        belief = 1 - np.clip(np.hypot(x / 0.95, y / 0.95), 0, 1)
        return _labelled(belief, sure=0.72, likely=0.3, unlikely=0.05)
    belief = _resized(_saliency(srgb), (height, width))
    high, low = np.quantile(belief, 0.93), np.quantile(belief, 0.3)
    middle = _otsu(belief)
    return _labelled(belief, sure=max(float(high), middle), likely=middle, unlikely=min(float(low), middle))


def _labelled(belief: Floats, sure: float, likely: float, unlikely: float) -> Floats:
    import cv2

    labels = np.where(belief >= likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[belief >= sure] = cv2.GC_FGD
    labels[belief <= unlikely] = cv2.GC_BGD
    return labels


def _face_seeds(picture: Picture) -> Floats | None:
    """Labels from every good face: the head is sure, hair and a body below it are likely."""
    import cv2

    from selector.perception.faces import find_faces

    faces = find_faces(picture)
    if not faces:
        return None
    height, width = _shrunk(picture.rgb.shape, WORKING_SIDE_PX)
    scale = height / picture.rgb.shape[0]
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    largest = max(face.box[2] - face.box[0] for face in faces)
    for draw in (_draw_surroundings, _draw_body, _draw_head):
        for face in faces:
            if face.box[2] - face.box[0] >= 0.4 * largest:
                draw(labels, np.array(face.box, dtype=np.float64) * scale)
    return labels


def _draw_surroundings(labels: Floats, box: Floats) -> None:
    import cv2

    centre, size, middle = _face_geometry(box)
    cv2.ellipse(
        labels, (middle, int(centre[1] - 0.1 * size)), (int(1.3 * size), int(1.45 * size)), 0, 0, 360, cv2.GC_PR_BGD, -1
    )
    left, right = int(middle - 2.4 * size), int(middle + 2.4 * size)
    cv2.rectangle(labels, (left, int(centre[1] + 0.3 * size)), (right, labels.shape[0]), cv2.GC_PR_BGD, -1)


def _draw_body(labels: Floats, box: Floats) -> None:
    import cv2

    centre, size, middle = _face_geometry(box)
    cv2.ellipse(
        labels,
        (middle, int(centre[1] - 0.1 * size)),
        (int(0.75 * size), int(0.95 * size)),
        0,
        0,
        360,
        cv2.GC_PR_FGD,
        -1,
    )
    shoulders = int(centre[1] + 1.0 * size)
    body = np.array(
        [
            (middle - 0.45 * size, centre[1] + 0.4 * size), (middle + 0.45 * size, centre[1] + 0.4 * size),
            (middle + 1.4 * size, shoulders + 0.3 * size), (middle + 1.5 * size, labels.shape[0]),
            (middle - 1.5 * size, labels.shape[0]), (middle - 1.4 * size, shoulders + 0.3 * size),
        ]
    )  # fmt: skip
    cv2.fillPoly(labels, [body.astype(np.int32)], cv2.GC_PR_FGD)


def _draw_head(labels: Floats, box: Floats) -> None:
    import cv2

    centre, size, middle = _face_geometry(box)
    cv2.ellipse(labels, (middle, int(centre[1])), (int(0.42 * size), int(0.55 * size)), 0, 0, 360, cv2.GC_FGD, -1)
    neck = (int(middle - 0.25 * size), int(centre[1] + 0.5 * size)), (int(middle + 0.25 * size), labels.shape[0])
    cv2.rectangle(labels, *neck, cv2.GC_FGD, -1)


def _face_geometry(box: Floats) -> tuple[Floats, float, int]:
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    return centre, float(box[2] - box[0]), int(centre[0])


def _believed(srgb: Floats, labels: Floats) -> Floats | None:
    """GrabCut's outline at working size, 0 or 1; None when it is empty, nearly everything, or follows no edges."""
    import cv2

    if not (np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).any() and np.isin(labels, (cv2.GC_BGD, cv2.GC_PR_BGD)).any()):
        return None
    small = _resized(srgb, labels.shape)
    outline = _main_parts(grabcut(small, labels)).astype(np.float32)
    believable = SMALLEST_SHARE <= outline.mean() <= LARGEST_SHARE and step_along(outline, small) >= LEAST_STEP
    return outline if believable else None


def grabcut(srgb: Floats, labels: Floats) -> Floats:
    """Foreground (H, W) bool from OpenCV's four labels; they must hold some of the foreground and the background."""
    import cv2

    labels, no_box = labels.copy(), (0, 0, 1, 1)
    cv2.setRNGSeed(GRABCUT_SEED)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut((srgb * 255 + 0.5).astype(np.uint8), labels, no_box, *models, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def step_along(outline: Floats, srgb: Floats, quantile: float = 0.1) -> float:
    """Colour difference (delta E) between the two sides of an outline (0 or 1) at a weak place of it.

    An outline that cuts through plain sky or through a face has next to none there: on the photographs of the tests,
    wrong outlines measure 0.7 to 4 at their weakest tenth, right ones 17 to 44.
    """
    import cv2

    lab = to_lab(srgb)

    def side(weight: Floats) -> Floats:
        window = (11, 11)
        return np.asarray(
            cv2.blur(lab * weight[..., None], window) / np.maximum(cv2.blur(weight, window), 1e-3)[..., None]
        )

    step = np.linalg.norm(side(outline) - side(1 - outline), axis=2)[3:-3, 3:-3]
    rim = cv2.morphologyEx(outline, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))[3:-3, 3:-3] > 0
    return float(np.quantile(step[rim], quantile)) if rim.any() else 0.0


def _main_parts(outline: Floats) -> Floats:
    """The parts that are at least a tenth of the largest, smoothed, with their holes filled."""
    import cv2
    from scipy import ndimage

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = cv2.morphologyEx(outline.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    parts, count = ndimage.label(opened)
    if count == 0:
        return np.zeros_like(outline)
    areas = np.bincount(parts.ravel())[1:]
    kept = np.isin(parts, 1 + np.flatnonzero(areas >= 0.1 * areas.max()))
    return np.asarray(ndimage.binary_fill_holes(cv2.morphologyEx(kept.astype(np.uint8), cv2.MORPH_CLOSE, kernel)))


def _refined(mask: Floats, srgb: Floats) -> Floats:
    """Fit a coarse mask to the edges of the picture, with a soft rim."""
    radius = max(int(max(mask.shape) / 90), 2)
    alpha = guided_filter(srgb.mean(axis=2), _blurred(mask, radius / 3), radius, 1e-3)
    alpha = np.clip((alpha - 0.12) / 0.76, 0, 1)
    return np.asarray(alpha * alpha * (3 - 2 * alpha), dtype=np.float32)


def guided_filter(guide: Floats, mask: Floats, radius_px: int, softness: float) -> Floats:
    """He, Sun, Tang (2010) with a grey guide: a local linear model of the mask in the guide."""
    import cv2

    def mean(image: Floats) -> Floats:
        return np.asarray(cv2.blur(image, (2 * radius_px + 1, 2 * radius_px + 1), borderType=cv2.BORDER_REFLECT))

    guide_mean, mask_mean = mean(guide), mean(mask)
    slope = (mean(guide * mask) - guide_mean * mask_mean) / (mean(guide * guide) - guide_mean**2 + softness)
    return np.asarray(np.clip(mean(slope) * guide + mean(mask_mean - slope * guide_mean), 0, 1))


def _shrunk(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    scale = min(side / max(shape[:2]), 1.0)
    return max(round(shape[0] * scale), 8), max(round(shape[1] * scale), 8)


def _resized(image: Floats, shape: tuple[int, ...]) -> Floats:
    import cv2

    enlarge = shape[0] * shape[1] > image.shape[0] * image.shape[1]
    return np.asarray(
        cv2.resize(image, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR if enlarge else cv2.INTER_AREA)
    )


def _blurred(image: Floats, sigma: float) -> Floats:
    import cv2

    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma, 0.3), borderType=cv2.BORDER_REFLECT))


def _unit(values: Floats) -> Floats:
    low, high = np.quantile(values, (0.02, 0.98))
    return np.asarray(np.clip((values - low) / max(float(high - low), 1e-6), 0, 1), dtype=np.float32)


def _smooth(saliency: Floats) -> Floats:
    """A wide, gentle weight: the soft alternative to an outline."""
    weight = _unit(_blurred(saliency, CUE_SIDE_PX / 14)) / 0.6
    weight = np.clip(weight, 0, 1)
    return np.asarray(weight * weight * (3 - 2 * weight), dtype=np.float32)


def _otsu(values: Floats) -> float:
    import cv2

    threshold, _ = cv2.threshold((np.clip(values, 0, 1) * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    return float(threshold) / 255
