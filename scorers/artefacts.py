"""artefacts: traces of making and mending, from the pixels alone.

TODO
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from selector.domain import Axis, Column, InputError, Item, Score, TaskType

Array = np.ndarray[Any, np.dtype[Any]]

WINDOW_PX = 1024
NATURAL_SLOPE = (2.0, 3.2)
SLOPE_SCALE = 1.5
LINE_SCALE = 0.15
SPREAD_SCALE = 0.45
GRID_SCALE = 0.04

FLAT = "the picture is too small or too flat to have a spectrum"
NOT_SMOOTH = "too few smooth, unclipped places to compare their noise"
SMALL = "the picture is too small to compare the JPEG grids of its parts"


class Artefacts:
    """Scorer; the module's docstring holds the facts."""

    name = "artefacts"
    version = "1"
    task_types = frozenset(TaskType)
    columns = (
        Column("spectral_slope", 0.0, 1.0, False, Axis.PQ, "power falls with frequency otherwise than in photographs"),
        Column(
            "upsampling_peaks", 0.0, 1.0, False, Axis.PQ, "detail that repeats every 2, 3 or 4 px, as enlarging does"
        ),
        Column("noise_consistency", 0.0, 1.0, True, Axis.PQ, "smooth places of the picture have the same grain"),
        Column("jpeg_grid", 0.0, 1.0, False, Axis.PQ, "parts of the picture show another JPEG grid than the rest"),
    )

    def check(self) -> None:
        """Nothing optional is needed."""

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """Scores of each candidate; a damaged one is unscored in every column."""
        return [self._score(item) for item in items]

    def _score(self, item: Item) -> Mapping[str, Score]:
        try:
            return measures(item.picture.rgb)
        except InputError as error:
            return {column.name: Score.unscored(str(error)) for column in self.columns}


def measures(rgb: Array) -> dict[str, Score]:
    """All columns of one picture (H, W, 3) uint8, each in [0, 1] or unscored."""
    from scorers._spectrum import enlarging_lines, power_slope
    from scorers._unevenness import foreign_grid, noise_spread

    luma = central_luma(rgb)
    return {
        "spectral_slope": _score_of(power_slope(luma), slope_deviation, FLAT),
        "upsampling_peaks": _score_of(enlarging_lines(luma), lambda line: line / (line + LINE_SCALE), FLAT),
        "noise_consistency": _score_of(noise_spread(luma), lambda s: SPREAD_SCALE / (s + SPREAD_SCALE), NOT_SMOOTH),
        "jpeg_grid": _score_of(foreign_grid(luma), lambda share: share / (share + GRID_SCALE), SMALL),
    }


def slope_deviation(slope: float) -> float:
    """How far an exponent lies outside the natural range, [0, 1): 1 - exp(-distance)."""
    low, high = NATURAL_SLOPE
    return 1.0 - float(np.exp(-max(0.0, low - slope, slope - high) / SLOPE_SCALE))


def central_luma(rgb: Array) -> Array:
    """Luminance float32 of the central window of at most ``WINDOW_PX`` a side, its corner on JPEG's 8 px grid."""
    import cv2

    top, left = (max(0, side - WINDOW_PX) // 16 * 8 for side in rgb.shape[:2])
    window = np.ascontiguousarray(rgb[top : top + WINDOW_PX, left : left + WINDOW_PX])
    return np.asarray(cv2.cvtColor(window, cv2.COLOR_RGB2GRAY), dtype=np.float32)


def _score_of(measured: float | None, mapped: Callable[[float], float], reason: str) -> Score:
    return Score.unscored(reason) if measured is None else Score.of(mapped(measured))
