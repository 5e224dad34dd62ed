"""Real photographs, ways to damage them, and a backbone built by hand that sees the damage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from skimage import data

Array = np.ndarray[Any, np.dtype[Any]]

USUAL_FALL = (0.2, -0.3)  # of the photographs below, log energy an octave


class Bands:
    """A backbone built by hand: how energy falls from octave to octave in four cells, less the fall of photographs.

    Blur makes the fall steeper and noise flatter. One more coordinate is the same for all, as CLIP's vectors share a
    large part: without it the angle would forget how far a picture is off, and badly blurred ones would lie near the
    slightly soft ones.
    """

    space, side_px, reads_all, on_cpu, batch = "bands", 64, True, True, 32
    on_torch = True
    crops = 0

    def check(self) -> None:
        """Needs nothing."""

    def embed_crops(self, crops: Array) -> Array:
        type(self).crops += len(crops)
        return np.stack([self._bands(crop) for crop in crops]).astype(np.float32)

    def embed_texts(self, texts: Sequence[str]) -> Array:
        return np.zeros((len(texts), 9), np.float32)

    @staticmethod
    def _bands(crop: Array) -> Array:
        grey = crop.astype(np.float32).mean(axis=2)
        blurred = [grey, *(cv2.GaussianBlur(grey, (0, 0), s) for s in (0.7, 1.5, 3.0))]
        energy = [cv2.resize((a - b) ** 2, (2, 2), interpolation=cv2.INTER_AREA) for a, b in pairwise(blurred)]
        fine, middle, coarse = (np.log(e.ravel() + 0.02) for e in energy)
        falls = np.concatenate([fine - middle, middle - coarse]) - np.repeat(USUAL_FALL, 4)
        return np.append(falls, 4.0)


@lru_cache(maxsize=1)
def photographs() -> tuple[Array, ...]:
    """128 px squares of real photographs, about 60 of them."""
    whole = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    found = [p[y : y + 128, x : x + 128] for p in whole for y in range(0, 256, 64) for x in range(0, 256, 64)]
    return tuple(np.ascontiguousarray(crop) for crop in found if crop.shape == (128, 128, 3) and crop.std() > 20)


def blur(rgb: Array, sigma_px: float) -> Array:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma_px))


def grain(rgb: Array, sd: float) -> Array:
    noise = np.random.default_rng(0).normal(0, sd, rgb.shape)
    return np.asarray(np.clip(rgb + noise, 0, 255), np.uint8)
