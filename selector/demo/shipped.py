"""Photographs and fonts that installed packages ship, and what can happen to a photograph before a contest.

They are found by file and never by importing the package: importing scikit-image or scikit-learn takes a second and may
try to download, opening their files does neither. The two portraits are official photographs of public figures in the
public domain. All functions take and give pixels (H, W, 3) uint8 and give the same pixels for the same arguments.
"""

from __future__ import annotations

import importlib.util
import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from selector.domain import InputError, MissingPart, Picture

if TYPE_CHECKING:
    from selector.domain.picture import Pixels

PHOTOGRAPHS = {  # name: (package, file, the distribution that brings it)
    "astronaut": ("skimage", "data/astronaut.png", "scikit-image"),
    "brick": ("skimage", "data/brick.png", "scikit-image"),
    "chelsea": ("skimage", "data/chelsea.png", "scikit-image"),
    "coffee": ("skimage", "data/coffee.png", "scikit-image"),
    "grass": ("skimage", "data/grass.png", "scikit-image"),
    "gravel": ("skimage", "data/gravel.png", "scikit-image"),
    "hubble": ("skimage", "data/hubble_deep_field.jpg", "scikit-image"),
    "motorcycle": ("skimage", "data/motorcycle_left.png", "scikit-image"),
    "page": ("skimage", "data/page.png", "scikit-image"),
    "rocket": ("skimage", "data/rocket.jpg", "scikit-image"),
    "china": ("sklearn", "datasets/images/china.jpg", "scikit-learn"),
    "flower": ("sklearn", "datasets/images/flower.jpg", "scikit-learn"),
    "hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "matplotlib"),
}

FONTS = {
    "sans": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf", "matplotlib"),
    "sans bold": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSans-Bold.ttf", "matplotlib"),
    "serif": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSerif.ttf", "matplotlib"),
    "serif bold": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSerif-Bold.ttf", "matplotlib"),
    "roman bold": ("matplotlib", "mpl-data/fonts/ttf/STIXGeneralBol.ttf", "matplotlib"),
    "hei": ("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf", "pylopdf-fonts-zh-cn"),
    "song": ("pylopdf_fonts_zh_cn", "NotoSerifSC-Regular.otf", "pylopdf-fonts-zh-cn"),
}


@lru_cache(maxsize=32)
def photograph(name: str) -> Pixels:
    """Pixels (H, W, 3) uint8 of a shipped photograph, read-only.

    Raises:
        MissingPart: when the package or its file is not installed.
    """
    path = _file(*PHOTOGRAPHS[name])
    try:
        return Picture(path.read_bytes(), name).rgb
    except (OSError, InputError) as error:
        raise MissingPart(f"the demo cannot read its photograph {name}: {error}; reinstall its package") from error


def font_file(name: str) -> Path:
    """Path of a shipped font. Raises ``MissingPart`` when its package is not installed."""
    return _file(*FONTS[name])


def _file(package: str, inside: str, distribution: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / inside
        if path.is_file():
            return path
    raise MissingPart(f"the demo needs {inside} of {distribution}, which is not here: pip install {distribution}")


def mirrored(rgb: Pixels) -> Pixels:
    """Left and right exchanged."""
    return np.ascontiguousarray(rgb[:, ::-1])


def resized(rgb: Pixels, width_px: int) -> Pixels:
    """At ``width_px``, same aspect ratio, Lanczos."""
    from PIL import Image

    height_px = round(rgb.shape[0] * width_px / rgb.shape[1])
    return np.asarray(Image.fromarray(rgb).resize((width_px, height_px), Image.Resampling.LANCZOS))


def darkened(rgb: Pixels, exposure: float) -> Pixels:
    """As if exposed ``exposure`` (0 to 1) of the light, in linear light with a plain gamma of 2.2."""
    table = 255.0 * (np.linspace(0.0, 1.0, 256) ** 2.2 * exposure) ** (1 / 2.2)
    pixels: Pixels = np.round(table).astype(np.uint8)[rgb]
    return pixels


def jpeg_damaged(rgb: Pixels, quality: int) -> Pixels:
    """Once through a JPEG of low ``quality`` (1 to 95) with halved colour."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(buffer).convert("RGB"))


def cut(rgb: Pixels, left_px: int, top_px: int, side_px: int) -> Pixels:
    """The square of ``side_px`` at (``left_px``, ``top_px``)."""
    return rgb[top_px : top_px + side_px, left_px : left_px + side_px]


def side_by_side(left: Pixels, right: Pixels) -> Pixels:
    """Two pictures of the same height as one, without a gap."""
    return np.concatenate([left, right], axis=1)
