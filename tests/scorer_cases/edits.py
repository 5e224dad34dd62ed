"""Cases of the scorers that compare a candidate with its source: preservation, seams, identity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import cv2
import numpy as np
from skimage import data

from scorer_cases.cases import Case, Series
from scorer_cases.pictures import Array, astronaut, inputs_of, items_of, levels, png, portrait, resized
from scorer_cases.pixels import faded_edit, noisy
from selector.domain import Item, Task, TaskInputs, TaskType


def damaged_outside(damage: Callable[[Array, float], Array], *amounts: float) -> Callable[[], Sequence[Item]]:
    """An edit of a corner of the picture, with rising damage to the other half of it."""

    def items() -> list[Item]:
        item = items_of(frozenset({TaskType.TIE}))[0]
        made = []
        for amount in amounts:
            rgb = item.picture.rgb.copy()
            rgb[:, 150:] = damage(rgb[:, 150:], amount)
            made.append(Item(item.inputs, png(rgb)))
        return made

    return items


def _darker(rgb: Array, levels_down: float) -> Array:
    return levels(rgb - levels_down)


@lru_cache(maxsize=1)
def _scene() -> tuple[TaskInputs, Array]:
    """An edit of a photograph without fur, which hides grain."""
    rgb = resized(data.astronaut(), 400, 400)
    return TaskInputs(Task("p", TaskType.TIE, "an edit", "p.png", None, 0), png(rgb)), rgb


def pasted(patch: Array, feather_px: float) -> Item:
    """A disc of ``patch`` laid into the scene."""
    inputs, rgb = _scene()
    mask = np.zeros(rgb.shape[:2], np.float32)
    cv2.circle(mask, (290, 130), 60, 1, -1)
    if feather_px:
        mask = cv2.GaussianBlur(mask, (0, 0), feather_px)
    return Item(inputs, png(levels(rgb * (1 - mask[..., None]) + patch * mask[..., None])))


def _brightened() -> Array:
    return _scene()[1] * 0.8 + 30.0


def _grainy(sigma: float) -> Array:
    return _brightened() + np.random.default_rng(0).normal(0, sigma, _brightened().shape)


def _cloned(grain: float) -> Item:
    """A patch of the scene laid over another one, under less and less grain of its own: an exact copy at last."""
    inputs, rgb = _scene()
    made = rgb.copy()
    made[60:180, 240:360] = noisy(rgb[240:360, 100:220], grain)
    return Item(inputs, png(made))


def blended_faces() -> list[Item]:
    """From the wanted person's picture to the scene's, one fading into the other."""
    inputs = inputs_of(TaskType.DEEPFAKE)
    wanted, scene = portrait().astype(float), astronaut().astype(float)
    return [Item(inputs, png(levels(wanted + share * (scene - wanted)))) for share in (0.0, 0.35, 0.65, 1.0)]


CASES = {
    "preservation": Case(
        {
            "outside_ssim": Series(damaged_outside(noisy, 0, 8, 20, 40), least=0.1),
            "outside_delta_e": Series(damaged_outside(_darker, 0, 20, 40, 60)),
            "edit_visible": Series(faded_edit, least=0.3),
        }
    ),
    "seams": Case(
        {
            "boundary_gradient": Series(lambda: [pasted(_brightened(), feather) for feather in (10, 5, 2, 0)]),
            "noise_mismatch": Series(lambda: [pasted(_grainy(sigma), 5) for sigma in (0, 4, 8, 16)], least=0.3),
            "copy_paste": Series(lambda: [_cloned(grain) for grain in (40, 10, 4, 0)], least=0.3),
        }
    ),
    "identity": Case(
        {
            column: Series(blended_faces, least=0.1)
            for column in ("wanted_cosine", "original_cosine", "wanted_distance", "original_distance")
        }
    ),
}
