"""Case of artefacts: a photograph that is blurred, enlarged, or has a part with other grain or another JPEG grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from skimage import data

from scorer_cases.cases import Case, Series
from scorer_cases.pictures import Array, inputs_of, jpeg, levels
from scorer_cases.pixels import blurred, compressed
from selector.domain import Item, TaskType


def under(damage: Callable[[Array, float], Array], *amounts: float) -> Callable[[], Sequence[Item]]:
    """A photograph of 512 px under rising damage, as the final JPEG that a campaign would score."""
    return lambda: [Item(inputs_of(TaskType.T2I), jpeg(damage(data.astronaut(), amount))) for amount in amounts]


def with_doubled_detail(rgb: Array, share: float) -> Array:
    """The photograph fading into its half-sized self, doubled."""
    doubled = cv2.resize(rgb[::2, ::2], rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return levels((1 - share) * rgb + share * doubled.astype(float))


def with_grainy_part(rgb: Array, sigma: float) -> Array:
    """Two fifths of each side have grain of their own."""
    part = np.zeros((*rgb.shape[:2], 1))
    part[160:360, 128:328] = sigma
    return levels(rgb + part * np.random.default_rng(2).normal(size=rgb.shape))


def with_moved_part(rgb: Array, loss: float) -> Array:
    """A JPEG with a part of itself moved by 4 and 3 px, off its grid; no loss: as it was."""
    made = compressed(rgb, loss).copy()
    if loss:
        made[160:360, 128:328] = made[164:364, 131:331].copy()
    return made


CASES = {
    "artefacts": Case(
        {
            "spectral_slope": Series(under(blurred, 0, 0.7, 1, 2, 3), least=0.5),
            "upsampling_peaks": Series(under(with_doubled_detail, 0, 0.5, 0.75, 1), least=0.5),
            "noise_consistency": Series(under(with_grainy_part, 0, 3, 6, 10), least=0.1),
            "jpeg_grid": Series(under(with_moved_part, 0, 40, 60, 75), least=0.3),
        },
        looked_at=frozenset({TaskType.TIE}),  # it sees nothing but the candidate, which must not be tiny
    )
}
