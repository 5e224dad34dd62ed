"""Operations of `retouch` on tone and colour. Each takes and gives sRGB floats (H, W, 3) in 0 to 1.

``strength`` is the amount that was asked for (1.0 a plain request, negative for less) times the recipe's variation.
Black and white are kept where they are, so that highlights do not burn out and shadows do not wash out.
"""

from __future__ import annotations

import numpy as np

from selector.sight.colour_spaces import Floats, from_lab, from_linear, luminance, scale_light, to_lab, to_linear


def brightness(srgb: Floats, method: str, strength: float) -> Floats:
    """Lift or lower the midtones.

    "exposure" is a gain in linear light with a shoulder (y = g x / (1 + (g - 1) x), so white stays white); "gamma" a
    power on L*; "curve" a parabola on each channel, as the curves tool of editors draws it, which raises
    saturation too.
    """
    if method == "exposure":
        gain = 2.0**strength
        shoulder = (gain - 1) * (1.0 if strength > 0 else 0.5)  # less light dims whites too, but not as much
        linear = to_linear(srgb)
        light = luminance(linear)
        return from_linear(scale_light(linear, gain * light / (1 + shoulder * light)))
    if method == "gamma":
        lab = to_lab(srgb)
        return from_lab(_with_lightness(lab, 100 * (lab[..., 0] / 100) ** (2.0 ** (-0.55 * strength))))
    bend = np.clip(0.55 * strength, -0.95, 0.95)
    return np.asarray(srgb + bend * srgb * (1 - srgb))


def contrast(srgb: Floats, method: str, strength: float) -> Floats:
    """Steepen or flatten the tones around the picture's own middle.

    "sigmoid" is an S-curve on L*; "linear" a line with soft ends; "local" CLAHE, mixed in (more contrast only).
    """
    lab = to_lab(srgb)
    tone = lab[..., 0] / 100
    middle = float(np.clip(np.median(tone), 0.35, 0.65))
    if method == "local" and strength > 0:
        import cv2

        clahe = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8))  # on 16 bits, so that no steps appear
        equalised = clahe.apply((np.clip(tone, 0, 1) * 65535).astype(np.uint16)).astype(np.float32) / 65535
        local = tone + min(0.45 * strength, 1.0) * (equalised - tone)
        new = _sigmoid(local, middle, 2.6 * strength)  # CLAHE alone may flatten the picture as a whole
    elif method == "sigmoid":
        steep = _sigmoid(tone, middle, 3.6 * abs(strength))
        new = steep if strength > 0 else np.clip(2 * tone - steep, 0, 1)
    else:
        slope = 1 + (0.35 if strength > 0 else 0.3) * strength
        line = middle + max(slope, 0.2) * (tone - middle)
        knee = 0.05  # what passes 5% or 95% bends towards black or white instead of being clipped
        top = 1 - knee * np.exp(-np.maximum(line - (1 - knee), 0) / knee)
        bottom = knee * np.exp(-np.maximum(knee - line, 0) / knee)
        new = np.where(line > 1 - knee, top, np.where(line < knee, bottom, line)).astype(np.float32)
    return from_lab(_with_lightness(lab, 100 * new))


def warmth(srgb: Floats, method: str, strength: float) -> Floats:
    """Shift the white point towards amber (positive) or blue, with the luminance kept.

    "temperature" scales red and blue in linear light as a white balance does; "lab" shifts a and b, least in black and
    white; "filter" lays a coloured glass over the picture.
    """
    if method == "lab":
        lab = to_lab(srgb)
        weight = 1 - np.abs(lab[..., 0] / 50 - 1) ** 4
        return from_lab(lab + np.stack([0 * weight, 2.0 * strength * weight, 11 * strength * weight], axis=2))
    linear = to_linear(srgb)
    if method == "temperature":
        gains = np.array([2.0 ** (0.28 * strength), 1.0, 2.0 ** (-0.3 * strength)], dtype=np.float32)
    else:
        glass = np.array([1.0, 0.78, 0.5] if strength > 0 else [0.55, 0.82, 1.0], dtype=np.float32)
        gains = 1 + min(0.45 * abs(strength), 1.0) * (glass - 1)
    return from_linear(scale_light(linear * gains, luminance(linear)))


def saturation(srgb: Floats, method: str, strength: float) -> Floats:
    """More or less chroma at the same lightness.

    "chroma" scales LAB chroma; "vibrance" scales weak colours more than strong ones; "light" mixes with the luminance
    in linear light.
    """
    factor = 1 + 0.45 * strength if strength > 0 else max(1 + 0.6 * strength, 0.0)
    if method == "light":
        linear = to_linear(srgb)
        grey = luminance(linear)[..., None]
        return from_linear(scale_light(np.maximum(grey + factor * (linear - grey), 0), grey[..., 0]))
    lab = to_lab(srgb)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    if method == "vibrance":
        gain = 1 + (factor - 1) * (1.5 * np.exp(-((chroma / 45) ** 2)) + 0.25)
    else:
        gain = 1 + (factor - 1) * np.clip((130 - chroma) / 60, 0, 1)  # strong colours have no room
    gain = np.maximum(gain, 0)[..., None] if factor > 1 else np.full_like(chroma, factor)[..., None]
    return from_lab(np.concatenate([lab[..., :1], lab[..., 1:] * gain], axis=2))


MIXERS = {  # parts of red, green and blue light, as the coloured filters of black-and-white film give them
    "luminance": (0.2126, 0.7152, 0.0722),
    "even": (1 / 3, 1 / 3, 1 / 3),
    "yellow_filter": (0.35, 0.60, 0.05),
    "orange_filter": (0.52, 0.43, 0.05),
    "red_filter": (0.75, 0.25, 0.0),
    "green_filter": (0.10, 0.85, 0.05),
}


def black_white(srgb: Floats, method: str, strength: float) -> Floats:
    """Grey by a channel mixer in linear light; ``strength`` above 1 adds contrast as a harder paper does."""
    grey = from_linear(to_linear(srgb) @ np.array(MIXERS[method], dtype=np.float32))
    if strength > 1:
        grey = _sigmoid(grey, float(np.clip(np.median(grey), 0.35, 0.65)), 4.5 * (strength - 1))
    return np.repeat(grey[..., None], 3, axis=2)


def sepia(srgb: Floats, method: str, strength: float) -> Floats:
    """Brown tones. "toned" tints L* (none in black and white); "duotone" runs from dark brown to cream; "matrix" is the
    classic matrix on sRGB values. ``strength`` scales the tint."""
    grey = from_linear(luminance(to_linear(srgb)))
    if method == "toned":
        tone = to_lab(np.repeat(grey[..., None], 3, axis=2))[..., 0]
        weight = strength * (1 - np.abs(tone / 50 - 1) ** 3)
        return from_lab(np.stack([tone, 10 * weight, 27 * weight], axis=2))
    if method == "duotone":
        dark, light = np.array([0.16, 0.09, 0.045]), np.array([1.0, 0.955, 0.85])
        tinted = dark + grey[..., None] ** 0.95 * (light - dark)
    else:
        matrix = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], dtype=np.float32)
        tinted = np.minimum(srgb @ matrix.T, 1)
    return np.asarray(grey[..., None] + min(strength, 1.2) * (tinted - grey[..., None]), dtype=np.float32)


def vignette(srgb: Floats, method: str, strength: float) -> Floats:
    """Darken the corners in linear light. "lens" follows the cos^4 law; "oval" starts later and follows the frame;
    "gaussian" falls off from the centre. The corners lose about 70% of their light at strength 1."""
    height, width = srgb.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    loss = min(0.72 * strength, 0.95)
    if method == "oval":
        radius = np.clip((np.sqrt((x**2 + y**2) / 2) - 0.42) / 0.58, 0, 1)
        falloff = 1 - loss * radius**2 * (3 - 2 * radius)
    else:
        scale = np.hypot(width, height)
        square = ((x * width) ** 2 + (y * height) ** 2) / scale**2  # 1 in the corners
        power = -np.log(1 - loss)
        falloff = np.exp(-power * square) if method == "gaussian" else (1 + square * (np.exp(power / 2) - 1)) ** -2
    return from_linear(to_linear(srgb) * falloff[..., None])


def _with_lightness(lab: Floats, lightness: Floats) -> Floats:
    """Another L*; chroma follows by the root of the ratio, as the eye expects of more light."""
    ratio = np.sqrt((lightness + 2) / (lab[..., 0] + 2))[..., None]
    return np.concatenate([lightness[..., None], lab[..., 1:] * np.clip(ratio, 0.5, 1.6)], axis=2).astype(np.float32)


def _sigmoid(tone: Floats, middle: float, slope: float) -> Floats:
    """S-curve through (0, 0) and (1, 1), steepest at ``middle``."""
    low, high = (1 / (1 + np.exp(slope * (middle - end))) for end in (0.0, 1.0))
    return np.asarray((1 / (1 + np.exp(slope * (middle - tone))) - low) / (high - low), dtype=np.float32)
