"""Cases of the scorers that look at pixels alone: gate and technical."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image
from skimage import data

from scorer_cases.cases import Case, Series
from scorer_cases.pictures import Array, inputs_of, items_of, levels, png, resized
from selector.domain import Item, Picture, TaskType


def photograph() -> Array:
    return np.asarray(data.chelsea()[:256, 60:380])


def under(damage: Callable[[Array, float], Array], *amounts: float) -> Callable[[], Sequence[Item]]:
    """A photograph under rising damage, for a task without a source."""
    return lambda: [Item(inputs_of(TaskType.T2I), png(damage(photograph(), amount))) for amount in amounts]


def blurred(rgb: Array, sigma_px: float) -> Array:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma_px)) if sigma_px else rgb


def noisy(rgb: Array, sigma: float) -> Array:
    return levels(rgb + sigma * np.random.default_rng(1).normal(size=rgb.shape))


def compressed(rgb: Array, loss: float) -> Array:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=round(100 - loss))
    return np.asarray(Image.open(buffer))


def stretched(rgb: Array, contrast: float) -> Array:
    return levels((rgb.astype(float) - 128) * contrast + 128)


def posterised(rgb: Array, step: float) -> Array:
    return levels((np.floor(rgb / step) + 0.5) * step) if step > 1 else rgb


def tinted(rgb: Array, strength: float) -> Array:
    grey = rgb * (rgb.mean() / rgb.mean(axis=(0, 1)))  # balanced first: a tint against a cast would first mend it
    return levels(0.8 * grey * np.array([1 + strength, 1.0, 1 - strength]))


def smaller(rgb: Array, factor: float) -> Array:
    return resized(rgb, round(rgb.shape[1] / factor), round(rgb.shape[0] / factor))


def _cut_short() -> list[Item]:
    item = items_of(frozenset({TaskType.T2I}))[1]
    whole = item.picture.data
    return [Item(item.inputs, Picture(whole[: round(share * len(whole))])) for share in (1.0, 0.9, 0.5, 0.1)]


def _narrower() -> list[Item]:
    """An edit that loses more and more of the picture's width."""
    item = items_of(frozenset({TaskType.TIE}))[0]
    return [Item(item.inputs, png(item.picture.rgb[:, lost:])) for lost in (0, 4, 40, 100)]


def faded_edit() -> list[Item]:
    """An edit that fades into the source, to nothing."""
    item = items_of(frozenset({TaskType.TIE}))[0]
    source = item.inputs.source
    assert source is not None
    before, now = source.rgb.astype(float), item.picture.rgb.astype(float)
    return [Item(item.inputs, png(levels(before + share * (now - before)))) for share in (1.0, 0.5, 0.2, 0.0)]


CASES = {
    "gate": Case(
        {
            "readable": Series(_cut_short),
            "large_enough": Series(under(smaller, 1, 3, 5, 20)),
            "not_plain": Series(under(lambda rgb, loss: stretched(rgb, 1 - loss), 0, 0.7, 0.98, 1)),
            "right_shape": Series(_narrower),
            "differs": Series(faded_edit),
        }
    ),
    "technical": Case(
        {
            "sharpness": Series(under(blurred, 0, 0.8, 1.5, 3, 5), least=0.3),
            "noise": Series(under(noisy, 0, 4, 10, 20, 30), least=0.3),
            "blocking": Series(under(compressed, 5, 50, 75, 90), least=0.1),
            "clipping": Series(under(stretched, 1, 1.7, 3, 4), least=0.05),
            "banding": Series(under(posterised, 1, 8, 16, 32), least=0.1),
            "colour_cast": Series(under(tinted, 0, 0.1, 0.2, 0.4), least=0.3),
            "resolution": Series(under(smaller, 1, 1.5, 2, 4), least=0.1),
        },
        looked_at=frozenset({TaskType.T2I}),  # it sees nothing but the candidate
    ),
}
