"""Soft masks of a photograph's main subject, without a trained segmenter.

Cues (faces with the body below them, what stands out, what is in the middle) are turned into an outline by GrabCut
(Rother, Kolmogorov, Blake 2004); a guided filter (He, Sun, Tang 2010) fits it to the edges of the full picture. Cost:
about 0.3 s. Fails where the subject has the colours of its surroundings, or where nothing stands out; then the soft
mask is the honest one.
"""

from __future__ import annotations

import numpy as np

from generators._photo.outlines import grabcut, guided_filter, main_parts, step_along
from generators._photo.saliency import CUE_SIDE_PX, blurred, resized, saliency_map, unit
from generators._photo.subject_labels import cue_labels, face_labels
from selector.domain import Picture
from selector.sight.colour_spaces import Floats, to_floats
from selector.sight.memory import RecentResults

SMALLEST_SHARE, LARGEST_SHARE = 0.03, 0.85  # of the picture; another outline is not believed
LEAST_STEP = 10.0  # delta E across a believable outline, see step_along
MEMORY_BYTES = 64_000_000

_masks: RecentResults[Floats | None] = RecentResults(MEMORY_BYTES, lambda mask: 1_000 if mask is None else mask.nbytes)


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
        mask = resized(_smooth(saliency_map(srgb)), srgb.shape)
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
    alpha = np.clip((alpha - 0.12) / 0.76, 0, 1)
    return np.asarray(alpha * alpha * (3 - 2 * alpha), dtype=np.float32)


def _smooth(saliency: Floats) -> Floats:
    """A wide, gentle weight: the soft alternative to an outline."""
    weight = unit(blurred(saliency, CUE_SIDE_PX / 14)) / 0.6
    weight = np.clip(weight, 0, 1)
    return np.asarray(weight * weight * (3 - 2 * weight), dtype=np.float32)
