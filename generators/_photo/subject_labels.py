"""First guesses of the subject, as GrabCut's four labels, for `subject_mask`: from faces, saliency, the middle.

Labels are (H, W) uint8 at ``WORKING_SIDE_PX``. A head with a sure face is surely the subject, and so is what stands out
most; the rest is likely or unlikely, and GrabCut decides.
"""

from __future__ import annotations

import numpy as np

from generators._photo.saliency import resized, saliency_map, shrunk
from selector.domain import Picture
from selector.sight.colour_spaces import Floats

WORKING_SIDE_PX = 320


def cue_labels(srgb: Floats, method: str) -> Floats:
    """GrabCut's four labels at working size, from the saliency or from an ellipse."""
    height, width = shrunk(srgb.shape, WORKING_SIDE_PX)
    if method == "central":
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        belief = 1 - np.clip(np.hypot(x / 0.95, y / 0.95), 0, 1)
        return _labelled(belief, sure=0.72, likely=0.3, unlikely=0.05)
    belief = resized(saliency_map(srgb), (height, width))
    high, low = np.quantile(belief, 0.93), np.quantile(belief, 0.3)
    middle = _otsu(belief)
    return _labelled(belief, sure=max(float(high), middle), likely=middle, unlikely=min(float(low), middle))


def _labelled(belief: Floats, sure: float, likely: float, unlikely: float) -> Floats:
    import cv2

    labels = np.where(belief >= likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[belief >= sure] = cv2.GC_FGD
    labels[belief <= unlikely] = cv2.GC_BGD
    return labels


def _otsu(values: Floats) -> float:
    import cv2

    threshold, _ = cv2.threshold((np.clip(values, 0, 1) * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    return float(threshold) / 255


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
