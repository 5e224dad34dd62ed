"""The main subject of a photograph, without a trained segmenter: where the eye is drawn, and a soft mask.

Cues (faces with the body below them, what stands out, what is in the middle) are turned into an outline by GrabCut
(Rother, Kolmogorov, Blake 2004); a guided filter (He, Sun, Tang 2010) fits it to the edges of the full picture. Cost:
about 0.3 s. Fails where the subject has the colours of its surroundings, or where nothing stands out; then the soft
mask is the honest one.
"""

from __future__ import annotations

import numpy as np

from generators._photo.outlines import grabcut, guided_filter, main_parts, step_along
from selector.domain import Picture
from selector.sight.colour_spaces import Floats, to_floats, to_lab
from selector.sight.memory import RecentResults

CUE_SIDE_PX = 96
WORKING_SIDE_PX = 320
SMALLEST_SHARE, LARGEST_SHARE = 0.03, 0.85  # of the picture; another outline is not believed
LEAST_STEP = 10.0  # delta E across a believable outline, see step_along
MEMORY_BYTES = 64_000_000
_masks: RecentResults[Floats | None] = RecentResults(MEMORY_BYTES, lambda mask: 1_000 if mask is None else mask.nbytes)


def attention_centre(srgb: Floats) -> tuple[float, float]:
    """Where the eye is drawn, (x, y) as fractions of width and height."""
    saliency = saliency_map(srgb) ** 2
    y, x = np.mgrid[0 : 1 : saliency.shape[0] * 1j, 0 : 1 : saliency.shape[1] * 1j]
    return float((saliency * x).sum() / saliency.sum()), float((saliency * y).sum() / saliency.sum())


def saliency_map(srgb: Floats) -> Floats:
    """Cues of a subject at ``CUE_SIDE_PX``: contrast to the borders, focus, nearness to the centre; 0 to 1."""
    small = resized(srgb, shrunk(srgb.shape, CUE_SIDE_PX))
    lab = to_lab(small) / np.array([2.0, 1.0, 1.0], np.float32)  # lightness varies within a thing more than colour does
    height, width = lab.shape[:2]
    sides = (lab[:3].reshape(-1, 3), lab[-3:].reshape(-1, 3), lab[:, :3].reshape(-1, 3), lab[:, -3:].reshape(-1, 3))
    contrasts = np.sort([_distance_to(lab, side[:: max(len(side) // 48, 1)]) for side in sides], axis=0)
    contrast = contrasts[1:3].mean(axis=0)  # a subject may touch one side, clutter may match one
    focus = blurred(np.abs(_detail(srgb, lab.shape)), 3.0)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    centre = np.exp(-(x**2 + y**2) / 0.7)
    saliency = (unit(contrast) + 0.35 * unit(focus) + 0.15) * centre
    return np.asarray(unit(blurred(saliency.astype(np.float32), 1.5)) + np.float32(1e-3))


def _distance_to(lab: Floats, colours: Floats) -> Floats:
    """Distance of every pixel to the third nearest of the colours."""
    distances = np.linalg.norm(lab[:, :, None, :] - colours[None, None], axis=3)
    return np.asarray(np.partition(distances, 2, axis=2)[:, :, 2])


def _detail(srgb: Floats, shape: tuple[int, ...]) -> Floats:
    grey = resized(srgb.mean(axis=2), shrunk(srgb.shape, 4 * CUE_SIDE_PX))
    return resized(np.abs(grey - blurred(grey, 1.5)), shape)


def shrunk(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    scale = min(side / max(shape[:2]), 1.0)
    return max(round(shape[0] * scale), 8), max(round(shape[1] * scale), 8)


def resized(image: Floats, shape: tuple[int, ...]) -> Floats:
    import cv2

    enlarge = shape[0] * shape[1] > image.shape[0] * image.shape[1]
    return np.asarray(
        cv2.resize(image, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR if enlarge else cv2.INTER_AREA)
    )


def blurred(image: Floats, sigma: float) -> Floats:
    import cv2

    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma, 0.3), borderType=cv2.BORDER_REFLECT))


def unit(values: Floats) -> Floats:
    low, high = np.quantile(values, (0.02, 0.98))
    return np.asarray(np.clip((values - low) / max(float(high - low), 1e-6), 0, 1), dtype=np.float32)


def cue_labels(srgb: Floats, method: str) -> Floats:
    """GrabCut's four labels at working size, from the saliency or from an ellipse."""
    import cv2

    height, width = shrunk(srgb.shape, WORKING_SIDE_PX)
    if method == "central":
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        belief = 1 - np.clip(np.hypot(x / 0.95, y / 0.95), 0, 1)
        return _labelled(belief, sure=0.72, likely=0.3, unlikely=0.05)
    belief = resized(saliency_map(srgb), (height, width))
    high, low = np.quantile(belief, 0.93), np.quantile(belief, 0.3)
    threshold, _ = cv2.threshold((np.clip(belief, 0, 1) * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    middle = float(threshold) / 255
    return _labelled(belief, sure=max(float(high), middle), likely=middle, unlikely=min(float(low), middle))


def _labelled(belief: Floats, sure: float, likely: float, unlikely: float) -> Floats:
    import cv2

    labels = np.where(belief >= likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[belief >= sure] = cv2.GC_FGD
    labels[belief <= unlikely] = cv2.GC_BGD
    return labels


def face_labels(picture: Picture) -> Floats | None:
    """Labels from every good face: the head is sure, hair and a body below it are likely."""
    import cv2

    from selector.sight.faces import find_faces

    faces = find_faces(picture)
    if not faces:
        return None
    height, width = shrunk(picture.rgb.shape, WORKING_SIDE_PX)
    scale = height / picture.rgb.shape[0]
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    largest = max(face.box[2] - face.box[0] for face in faces)
    boxes = [np.array(face.box) * scale for face in faces if face.box[2] - face.box[0] >= 0.4 * largest]
    for label in (cv2.GC_PR_BGD, cv2.GC_PR_FGD, cv2.GC_FGD):  # no one's surroundings may hide another's head
        for box in boxes:
            _draw_person(labels, box, label)
    return labels


def _draw_person(labels: Floats, box: Floats, label: int) -> None:
    """One layer of a person of whom the face is known: what surrounds head and body, both of them, or the head."""
    import cv2

    x, y, size, bottom = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], labels.shape[0]
    middle = int(x)

    def ellipse(up: float, wide: float, high: float) -> None:
        axes = (int(wide * size), int(high * size))
        cv2.ellipse(labels, (middle, int(y - up * size)), axes, 0, 0, 360, label, -1)

    def down_from(below: float, wide: float) -> None:
        left, right = int(middle - wide * size), int(middle + wide * size)
        cv2.rectangle(labels, (left, int(y + below * size)), (right, bottom), label, -1)

    if label == cv2.GC_PR_BGD:
        ellipse(0.1, 1.3, 1.45)
        down_from(0.3, 2.4)
    elif label == cv2.GC_PR_FGD:
        ellipse(0.1, 0.75, 0.95)
        outline = (0.45, y + 0.4 * size), (1.4, int(y + 1.0 * size) + 0.3 * size), (1.5, bottom)
        left, right = ([(middle + side * wide * size, at) for wide, at in outline] for side in (-1, 1))
        body = [*right, *left[::-1]]
        cv2.fillPoly(labels, [np.array(body).astype(np.int32)], label)
    else:
        ellipse(0.0, 0.42, 0.55)
        down_from(0.5, 0.25)


def mask_methods(picture: Picture) -> tuple[str, ...]:
    """Names of the methods to be used for this picture, the most trustworthy first; never empty.

    A person is believed alone; "soft" is only for pictures in which no outline can be believed.
    """
    if subject_mask(picture, "person") is not None:
        return ("person",)
    return tuple(name for name in ("salient", "central") if subject_mask(picture, name) is not None) or ("soft",)


def subject_mask(picture: Picture, method: str) -> Floats | None:
    """Opacity of the subject, (H, W) float32 in 0 to 1, read-only; None when the method finds no believable subject.

    "person" starts from the faces, "salient" from what stands out, "central" from an ellipse in the middle; "soft" is
    no outline but a smooth weight.
    """
    return _masks.get((picture.id, method), lambda: _make(picture, method))


def _make(picture: Picture, method: str) -> Floats | None:
    srgb = to_floats(picture.rgb)
    if method == "soft":
        weight = np.clip(unit(blurred(saliency_map(srgb), CUE_SIDE_PX / 14)) / 0.6, 0, 1)
        mask = resized(_smoothstep(weight), srgb.shape)
    else:
        seeds = face_labels(picture) if method == "person" else cue_labels(srgb, method)
        outline = None if seeds is None else _believed(srgb, seeds)
        if outline is None:
            return None
        mask = _refined(resized(outline, srgb.shape), srgb)
    mask.setflags(write=False)
    return mask


def _believed(srgb: Floats, labels: Floats) -> Floats | None:
    """GrabCut's outline at working size, 0 or 1; None when it is empty, nearly everything, or follows no edges."""
    import cv2

    if not (np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).any() and np.isin(labels, (cv2.GC_BGD, cv2.GC_PR_BGD)).any()):
        return None
    small = resized(srgb, labels.shape)
    outline = main_parts(grabcut(small, labels)).astype(np.float32)
    believable = SMALLEST_SHARE <= outline.mean() <= LARGEST_SHARE and step_along(outline, small) >= LEAST_STEP
    return outline if believable else None


def _refined(mask: Floats, srgb: Floats) -> Floats:
    """Fit a coarse mask to the edges of the picture, with a soft rim."""
    radius = max(int(max(mask.shape) / 90), 2)
    alpha = guided_filter(srgb.mean(axis=2), blurred(mask, radius / 3), radius, 1e-3)
    return _smoothstep(np.clip((alpha - 0.12) / 0.76, 0, 1))


def _smoothstep(share: Floats) -> Floats:
    return np.asarray(share * share * (3 - 2 * share), dtype=np.float32)
