"""artefacts: traces of making and mending in the pixels, without a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scorers._compare import central
from scorers._item_scorer import ItemScorer
from scorers._spectrum import enlarging_lines, power_slope
from scorers._unevenness import foreign_grid, noise_spread
from selector.domain import Axis, Column, Item, Score, TaskType
from selector.sight.colour_spaces import luma_of

Array = np.ndarray[Any, np.dtype[Any]]

WINDOW_PX = 1024
NATURAL_SLOPE = (2.0, 3.2)
SLOPE_SCALE = 1.5
LINE_SCALE = 0.15
SPREAD_SCALE = 0.6
GRID_SCALE = 0.04
LEAST_CONTRAST = 1.0  # levels, standard deviation: below it rounding is all that there is

FLAT = "the picture is flat: it shows no trace of how it was made"
TINY = "the picture is too small to have a spectrum"
NOT_SMOOTH = "too few smooth, unclipped places to compare their noise"
SMALL = "the picture is too small to compare the JPEG grids of its parts"


class Artefacts(ItemScorer):
    """artefacts: traces of making and mending in the pixels, without a model.

    Estimates: four signs that a picture, or a part of it, did not come out of a camera, from the candidate alone. Such
        detectors only rank candidates of one task: none of them tells real from fake, and each has honest causes too.
    - ``spectral_slope``: how far the exponent a of ``power ~ 1 / f^a`` lies outside 2.0 to 3.2, where sharp photographs
      lie (radial means from 0.03 to 0.45 cycles a px); 1 - exp(-distance / 1.5). Blur and weak detail lie above it,
      oversharpening and grain below. After Field 1987 (natural images: about 2; nearer to Nyquist, optics and resizing
      make it steeper) and Durall, Keuper and Keuper 2020 (what up-convolution does to the radial spectrum).
    - ``upsampling_peaks``: lines at 1/2, 1/3 and 1/4 cycles a px in the mean size of the first three differences
      (Gallagher 2005: interpolated pixels are smoother, at regular places) or in a fixed pattern of the Laplacian
      (checkerboards of transposed convolutions, Odena, Dumoulin and Olah 2016; Frank et al. 2020), less what JPEG's 8
      px grid gives there; s / (s + 0.15).
    - ``noise_consistency``: spread s of log noise (Immerkaer 1996) over smooth neighbourhoods of 48 px beyond what
      their brightness and texture explain, fitted robustly (after Mahdian and Saic 2009); 0.6 / (s + 0.6).
    - ``jpeg_grid``: how far another phase of an 8 px grid outvotes both the picture's main one and that of its final
      JPEG in the worst 5% of 64 px windows, beyond 2.5 standard deviations (inconsistent grids: Ye, Sun and Chang 2007;
      Li, Yuan and Yu 2009); s / (s + 0.04).
    Range and direction: all [0, 1]; noise_consistency up, the others down. Axis: PQ. Tasks: all.
    Input: the candidate's pixels, the central 1024 px at their own size.
    Model and licence: none.
    Cost: about 45 ms at 1024 px on one core.

    What survives the final JPEG (quality 95, 4:4:4), medians over 17 sample photographs, as they are -> damaged:
    - slope 0.00 (largest 0.29) -> Gaussian blur of 1 px 0.41, 2 px 0.70; strong sharpening 0.15; doubled (Lanczos)
      0.20.
    - peaks 0.05 -> doubled by repetition 0.90, linear 0.78, cubic 0.69, Lanczos 0.63, x 1.5 0.41; a checkerboard of +-1
      level 0.84; saved once as JPEG 50 0.17. Of 17 photographs one is above 0.5, and it has indeed been doubled.
    - noise 0.85 -> a sixth of the picture with grain of sigma 4 added 0.72, of 8 0.62; below 3, JPEG hides it.
    - grid 0.00 (largest 0.16) -> a sixth of a JPEG 60 moved off its grid 0.36, JPEG 40 0.59; JPEG 80 0.02: lost.

    Unlike ``seams.noise_mismatch``, which compares an edited region with its source, noise_consistency needs neither,
    so it serves pictures made from text; but what is uneven by nature counts too, and a small clean edit does not.
    Fails: enlarging 8 times looks like JPEG's grid and is passed over; unresized photographs of a camera whose raw
        pixels were interpolated have lines as well (0.39 in a simulation); texture hides noise and blur evens it out,
        so that soft pictures look consistent; a region without any grid is not told from a smooth one; two grids in one
        picture raise the peaks as well (0.28); pages and drawings have no natural slope. What lies outside the window
        is not seen.
    Source: the papers named above; the mappings to [0, 1] are our own.

    Example:
        >>> from skimage import data
        >>> from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_scorer
        >>> doubled = data.astronaut().repeat(2, axis=0).repeat(2, axis=1)
        >>> task = Task("7", TaskType.T2I, "an astronaut", None, None, 0)
        >>> item = Item(TaskInputs(task), Picture(encode_final(doubled)))
        >>> (scores,) = create_scorer("artefacts").score([item])
        >>> scores["upsampling_peaks"].value > 0.8
        True
    """

    name = "artefacts"
    version = "1"
    tolerance = 1e-8  # the fit of the noise is BLAS's: its last digits differ from process to process
    task_types = frozenset(TaskType)
    columns = (
        Column("spectral_slope", 0.0, 1.0, False, Axis.PQ, "power falls with frequency otherwise than in photographs"),
        Column(
            "upsampling_peaks", 0.0, 1.0, False, Axis.PQ, "detail that repeats every 2, 3 or 4 px, as enlarging does"
        ),
        Column("noise_consistency", 0.0, 1.0, True, Axis.PQ, "smooth places of the picture have the same grain"),
        Column("jpeg_grid", 0.0, 1.0, False, Axis.PQ, "parts of the picture show another JPEG grid than the rest"),
    )

    def measure(self, item: Item) -> Mapping[str, Score]:
        return measures(item.picture.rgb)


def measures(rgb: Array) -> dict[str, Score]:
    """All columns of one picture (H, W, 3) uint8, each in [0, 1] or unscored."""
    luma = central_luma(rgb)
    if float(luma.std()) < LEAST_CONTRAST:
        return {column.name: Score.unscored(FLAT) for column in Artefacts.columns}
    return {
        "spectral_slope": _score_of(power_slope(luma), slope_deviation, TINY),
        "upsampling_peaks": _score_of(enlarging_lines(luma), lambda line: line / (line + LINE_SCALE), TINY),
        "noise_consistency": _score_of(noise_spread(luma), lambda s: SPREAD_SCALE / (s + SPREAD_SCALE), NOT_SMOOTH),
        "jpeg_grid": _score_of(foreign_grid(luma), lambda share: share / (share + GRID_SCALE), SMALL),
    }


def slope_deviation(slope: float) -> float:
    """How far an exponent lies outside the natural range, [0, 1): 1 - exp(-distance)."""
    low, high = NATURAL_SLOPE
    return 1.0 - float(np.exp(-max(0.0, low - slope, slope - high) / SLOPE_SCALE))


def central_luma(rgb: Array) -> Array:
    """Luminance float32 of the central window of at most ``WINDOW_PX`` a side, its corner on JPEG's 8 px grid."""
    return luma_of(central(rgb, WINDOW_PX))


def _score_of(measured: float | None, mapped: Callable[[float], float], reason: str) -> Score:
    return Score.unscored(reason) if measured is None else Score.of(mapped(measured))
