"""Fills the hole that erased text leaves: smooth ground with its grain, copied texture, or OpenCV's two inpainters.

- surface: second-order polynomial through the surroundings, corrected towards the hole's rim, grain added;
- exemplar: patches copied from the neighbourhood (see ``exemplar``);
- telea, ns: ``cv2.inpaint`` (Telea 2004; Navier-Stokes, Bertalmio 2001), grain added;
- auto: surface on smooth ground, exemplar on textured ground.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generators._lettering.exemplar import copied_ground

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_TEXTURED = 4.0  # 8-bit levels that a tenth of the ground is off the smooth one, beyond fine grain


def fill(crop: Floats, hole: Mask, avoid: Mask, method: str, rng: np.random.Generator) -> Floats:
    """The crop (H, W, 3), 0 to 255, with ``hole`` filled; pixels outside the hole are as they were.

    ``avoid`` (H, W) is other text: it stays, and nothing is learned or copied from it.
    """
    if not hole.any():
        return crop
    if method == "auto":
        method = "exemplar" if is_textured(crop, hole, avoid) else "surface"
    if method == "exemplar":
        copied = copied_ground(crop, hole, avoid)
        if copied is not None:
            return copied
        method = "surface"  # nothing to copy from
    filled = smooth_ground(crop, hole | avoid) if method == "surface" else _inpaint(crop, hole, method)
    return np.where(hole[..., None], filled + grain(crop, hole | avoid, rng), crop)


def is_textured(crop: Floats, hole: Mask, avoid: Mask) -> bool:
    """Whether the ground close to the hole varies more than its gradient and fine grain explain."""
    import cv2

    unknown = hole | avoid
    error = cv2.GaussianBlur(crop - smooth_ground(crop, unknown), (0, 0), 1.0)
    close = cv2.dilate(hole.astype(np.uint8), np.ones((17, 17), np.uint8)).astype(bool)
    known = error[close & ~cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)]
    return bool(known.size and np.quantile(np.abs(known), 0.9) > _TEXTURED)


def smooth_ground(crop: Floats, hole: Mask) -> Floats:
    """The ground without texture (H, W, 3): a polynomial of second order, bent to the mean of nearby known pixels."""
    import cv2

    surface = _polynomial(crop, ~hole)
    known = (~hole).astype(np.float32)
    parts = np.dstack([(crop - surface).astype(np.float32) * known[..., None], known])
    total = cv2.GaussianBlur(parts, (0, 0), 4.0)
    # coarse scales reach where the fine one cannot; a small copy serves them, for wide kernels are slow
    small = cv2.resize(parts, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    for sigma_px, trust in ((12.0, 0.05), (40.0, 0.002)):
        coarse = cv2.GaussianBlur(small, (0, 0), sigma_px / 4.0)
        total += trust * cv2.resize(coarse, parts.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    correction = total[..., :3] / np.maximum(total[..., 3:], 1e-6)
    return np.asarray(np.clip(surface + correction, 0.0, 255.0))


def _polynomial(crop: Floats, known: Mask) -> Floats:
    """Least squares on known pixels, twice, the second time without what the first leaves far off."""
    height, width = known.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    basis = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    used = known.copy()
    surface = np.broadcast_to(crop.mean(axis=(0, 1)), crop.shape)
    for _ in range(2):
        places = np.flatnonzero(used)
        if places.size < 40:
            break
        step = max(1, places.size // 6000)
        chosen = places[::step]
        factors = np.linalg.lstsq(basis.reshape(-1, 6)[chosen], crop.reshape(-1, 3)[chosen], rcond=None)[0]
        surface = basis @ factors
        error = np.linalg.norm(crop - surface, axis=2)
        used = known & (error <= max(6.0, 2.5 * float(np.median(error[known]))))
    return np.asarray(surface)


def grain(crop: Floats, hole: Mask, rng: np.random.Generator, shape: tuple[int, int] | None = None) -> Floats:
    """Noise (H, W, 3) as strong and as coarse as the fine noise of the known ground; at most 8 levels."""
    import cv2

    fine = crop - cv2.GaussianBlur(crop, (0, 0), 1.2)
    steady = ~hole & ~cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    known = fine[steady]
    size = shape or crop.shape[:2]
    if known.shape[0] < 50:
        return np.zeros((*size, 3))
    # the median of absolute values looks past edges; 1.2 undoes what the blur took away of white noise
    strength = np.minimum(1.2 * 1.4826 * np.median(np.abs(known), axis=0), 8.0)
    pairs = steady[:, 1:] & steady[:, :-1]
    variance = float((fine[:, 1:][pairs] ** 2).mean())
    likeness = float((fine[:, 1:][pairs] * fine[:, :-1][pairs]).mean()) / max(variance, 1e-9)
    noise = rng.normal(size=(*size, 3)) @ _channel_mix(known).T
    if likeness > 0.1:  # neighbours alike: the noise went through a blur or JPEG
        sigma_px = np.sqrt(-0.25 / np.log(min(likeness + 0.1, 0.9)))  # of the blur that makes white noise so alike
        noise = cv2.GaussianBlur(noise, (0, 0), float(np.clip(sigma_px, 0.3, 1.2)))
        noise = noise / max(float(noise.std()), 1e-9)
    return np.asarray(noise * strength)


def _channel_mix(noise: Floats) -> Floats:
    """Matrix (3, 3) that makes independent noise as alike between channels as ``noise`` (n, 3) is: grey stays grey."""
    spread = np.median(np.abs(noise), axis=0) * 4.0 + 1e-9
    usual = noise[(np.abs(noise) <= spread).all(axis=1)]
    scaled = usual / np.maximum(usual.std(axis=0), 1e-9)
    correlation = scaled.T @ scaled / max(len(scaled), 1)
    values, vectors = np.linalg.eigh(correlation)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _inpaint(crop: Floats, hole: Mask, method: str) -> Floats:
    import cv2

    way = cv2.INPAINT_TELEA if method == "telea" else cv2.INPAINT_NS
    return np.asarray(
        cv2.inpaint(np.clip(crop + 0.5, 0, 255).astype(np.uint8), hole.astype(np.uint8), 4.0, way).astype(np.float64)
    )
