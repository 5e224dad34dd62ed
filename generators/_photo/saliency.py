"""Where the eye is drawn: contrast to the borders, focus, nearness to the centre. And the small tools of such maps."""

from __future__ import annotations

import numpy as np

from selector.sight.colour_spaces import Floats, to_lab

CUE_SIDE_PX = 96


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
