"""Detail and noise: sharpen, blur and pencil sketch of `retouch`, denoise and grain of finishes.

The former take and give sRGB floats (H, W, 3), 0 to 1; their radii follow the picture's shorter side, so that a preview
and a large picture look alike. The latter take and give pixels, beside what they measured.
"""

from __future__ import annotations

import numpy as np

from selector.domain.types import JSONValue
from selector.sight.colour_spaces import Floats, Pixels, from_lab, from_linear, luminance, to_floats, to_lab, to_linear

Notes = dict[str, JSONValue]

MAX_LENS_RADIUS_PX = 60.0
PATCH_PX, SEARCH_PX = 5, 15
LEAST_NOISE_LEVELS = 0.5  # below it there is nothing to take away: rounding to levels alone makes 0.3
GRAIN_BLUR_PX = 0.5  # film's grain is not white; and white noise is what JPEG spends most bytes on
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def sharpen(srgb: Floats, method: str, strength: float) -> Floats:
    """Sharpen L* only, so that no colour fringes appear, with halos held near the local range of tones.

    "unsharp" is one radius; "fine" three radii; "edges" spares flat areas and so their noise.
    """
    lab = to_lab(srgb)
    tone = lab[..., 0]
    radius = float(np.clip(min(tone.shape) / 500, 0.8, 3.0))
    if method == "fine":
        detail = sum(
            weight * (tone - _gaussian(tone, radius * scale)) for scale, weight in ((0.6, 0.9), (1.2, 0.5), (3, 0.25))
        )
    else:
        detail = 1.3 * (tone - _gaussian(tone, radius))
    if method == "edges":
        energy = np.sqrt(_gaussian((tone - _gaussian(tone, radius)) ** 2, 2 * radius))
        detail = 1.4 * detail * energy**2 / (energy**2 + 1.5**2)
    low, high = _local_range(tone, int(np.ceil(radius)))
    sharp = np.clip(tone + strength * np.asarray(detail), low - 4 * strength, high + 4 * strength)
    return from_lab(np.concatenate([np.clip(sharp, 0, 100)[..., None], lab[..., 1:]], axis=2))


def blur(srgb: Floats, method: str, strength: float) -> Floats:
    """Blur the whole picture in linear light: "gaussian", or "lens" (a disc, as an aperture gives)."""
    radius = blur_radius_px(srgb, strength)
    light = to_linear(srgb)
    return from_linear(_gaussian(light, radius / 2) if method == "gaussian" else _disc(light, radius))


def blur_outside(srgb: Floats, kept: Floats, method: str, strength: float, seed: int) -> Floats:
    """The blurred surroundings of what ``kept`` (H, W) in 0 to 1 marks, ready to be laid behind it.

    What is kept does not bleed into the blur (normalised convolution), and the blur gets back the grain that the
    picture has, which a lens would not have removed.
    """
    radius = blur_radius_px(srgb, strength)
    weight = np.clip(1 - kept, 0, 1)[..., None] ** 2 + 1e-4
    light = np.concatenate([to_linear(srgb) * weight, weight], axis=2).astype(np.float32)
    soft = _gaussian(light, radius / 2) if method == "gaussian" else _disc(light, radius)
    return _with_grain(from_linear(soft[..., :3] / soft[..., 3:]), noise_level(srgb), seed)


def blur_radius_px(srgb: Floats, strength: float) -> float:
    """Radius of the aperture's disc: 2.6% of the shorter side for a plain request."""
    return float(np.clip(0.026 * min(srgb.shape[:2]) * strength, 1.5, MAX_LENS_RADIUS_PX))


def pencil_sketch(srgb: Floats, method: str, strength: float, seed: int) -> Floats:
    """A drawing on white paper. "dodge" divides the tones by their surroundings; "shaded" adds light shading from the
    tones; "hatched" draws the shading with strokes. ``strength`` darkens the lines."""
    tone = from_linear(luminance(to_linear(srgb)))
    side = min(tone.shape)
    smooth = _gaussian(tone, max(side / 500, 0.7))
    lines = np.clip(smooth / np.maximum(_gaussian(smooth, side / 70), 0.02), 0, 1) ** (1.7 * strength)
    if method == "dodge":
        paper = lines
    else:
        shade = 0.55 + 0.45 * np.clip(_gaussian(tone, side / 250) * 1.25, 0, 1)
        strokes = _strokes(tone.shape, seed)
        shade = shade if method == "shaded" else 1 - (1 - shade) * (0.55 + 1.1 * strokes)
        grain = 0.5 + 0.5 * strokes
        paper = lines * shade * (1 - 0.06 * grain)
        paper = paper / max(float(np.quantile(paper, 0.98)), 0.2)
    graphite = 0.12 + 0.88 * np.clip(paper, 0, 1)
    return np.repeat(graphite[..., None], 3, axis=2).astype(np.float32)


def _strokes(shape: tuple[int, ...], seed: int) -> Floats:
    """Diagonal pencil strokes, (H, W) in 0 to 1: noise smeared along 45 degrees."""
    import cv2

    length = int(np.clip(min(shape) // 24, 9, 61)) | 1
    noise = np.random.default_rng(seed).standard_normal(shape[:2]).astype(np.float32)
    smeared = cv2.filter2D(
        noise, -1, np.fliplr(np.eye(length, dtype=np.float32)) / length, borderType=cv2.BORDER_REFLECT
    )
    return np.asarray(np.clip(0.5 + 0.25 * smeared / max(float(smeared.std()), 1e-6), 0, 1))


def noise_level(srgb: Floats) -> float:
    """Standard deviation of the picture's grain in sRGB units, after Immerkaer (1996), from the calmest fifth of it.

    Of the mean of its channels (H, W, any); at most 0.03.
    """
    import cv2

    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    response = np.abs(cv2.filter2D(srgb.mean(axis=2), -1, kernel))
    blocks = cv2.resize(
        response, (max(response.shape[1] // 16, 1), max(response.shape[0] // 16, 1)), interpolation=cv2.INTER_AREA
    )
    return float(min(np.sqrt(np.pi / 2) / 6 * np.quantile(blocks, 0.2), 0.03))


def _with_grain(srgb: Floats, sigma: float, seed: int) -> Floats:
    noise = np.random.default_rng(seed).standard_normal(srgb.shape[:2]).astype(np.float32)
    return np.asarray(np.clip(srgb + sigma * noise[..., None], 0, 1))


def _gaussian(image: Floats, sigma: float) -> Floats:
    import cv2

    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT))


def _disc(light: Floats, radius: float) -> Floats:
    """Convolve with a disc with a soft rim; bright lights bloom as they do behind a lens."""
    import cv2

    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return np.asarray(cv2.filter2D(light, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT))


def _local_range(tone: Floats, reach: int) -> tuple[Floats, Floats]:
    import cv2

    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return np.asarray(cv2.erode(tone, kernel)), np.asarray(cv2.dilate(tone, kernel))


def noise_levels(rgb: Pixels) -> float:
    """Standard deviation of the noise of a channel, in levels of 255, at most 7.6: the mean over the channels."""
    srgb = to_floats(rgb)
    return float(np.mean([255 * noise_level(srgb[..., c : c + 1]) for c in range(3)]))


def denoise(rgb: Pixels, strength: float) -> tuple[Pixels, Notes]:
    """Mean of similar patches (non-local means; Buades, Coll and Morel, CVPR 2005), as strong as the measured noise.

    A ``strength`` below 1 leaves that much less of the noise out: what remains hides the steps of 8-bit levels. What
    differs from its surroundings by clearly more than the noise, such as edges and texture, finds no similar patch
    and stays. A picture without measurable noise comes back as it was.
    """
    import cv2

    noise = noise_levels(rgb)
    if noise < LEAST_NOISE_LEVELS or min(rgb.shape[:2]) < SEARCH_PX:
        return rgb, {"noise_levels": round(noise, 2), "left_as_it_was": True}
    smooth = cv2.fastNlMeansDenoising(np.ascontiguousarray(rgb), None, noise, PATCH_PX, SEARCH_PX)
    mixed = rgb + np.float32(strength) * (smooth.astype(np.float32) - rgb)
    return np.round(mixed).astype(np.uint8), {"noise_levels": round(noise, 2)}


def grain(rgb: Pixels, levels: float, seed: int) -> tuple[Pixels, Notes]:
    """Grain of luma with a standard deviation of ``levels`` in the middle tones, fading towards black and white.

    The three channels of a pixel move together, so that no colour noise appears. The same seed, the same grain.
    """
    import cv2

    white = np.random.default_rng(seed).standard_normal(rgb.shape[:2]).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(white, (0, 0), GRAIN_BLUR_PX, borderType=cv2.BORDER_REFLECT))
    luma = rgb @ _LUMA / 255
    room = 2 * np.sqrt(np.clip(luma * (1 - luma), 0, None))  # 1 in the middle, 0 at black and white
    noise = (levels / _blurred_sd()) * soft * room
    return np.round(np.clip(rgb + noise[..., None], 0, 255)).astype(np.uint8), {"seed": seed}


def _blurred_sd() -> float:
    """Standard deviation that ``GRAIN_BLUR_PX`` leaves of white noise of 1."""
    import cv2

    size_px = round(GRAIN_BLUR_PX * 8 + 1) | 1  # what OpenCV takes for floats when it is told no size
    return float((cv2.getGaussianKernel(size_px, GRAIN_BLUR_PX).astype(np.float64) ** 2).sum())  # a root for each axis
