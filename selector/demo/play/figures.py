"""Means, and what follows from means, with 95% bootstrap intervals."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2_000
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A mean, or what follows from means, with a 95% percentile bootstrap interval over its ``n`` cases."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.short} n={self.n}"

    @property
    def short(self) -> str:
        """Without the number of cases."""
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def figure(values: Sequence[float], seed: int = 0) -> Figure:
    """Mean and 95% percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13) of ``values``."""
    return figure_of(np.reshape(values, (-1, 1)), lambda means: means[..., 0], seed)


def figure_of(parts: ArrayLike, statistic: Callable[[Floats], Floats], seed: int = 0) -> Figure:
    """A statistic of means with its percentile bootstrap interval; a case is drawn with all its parts.

    Args:
        parts: (n, k), a row a case.
        statistic: of means (..., k) to (...); NaN where it has no value. Draws without one do not count, and without
            one for all cases, or without a case, all is NaN.
    """
    data = np.asarray(parts, dtype=np.float64)
    if not len(data) or not np.isfinite(value := float(statistic(data.mean(axis=0)))):
        return Figure(math.nan, math.nan, math.nan, len(data))
    rng = np.random.default_rng(seed)
    drawn = statistic(data[rng.integers(0, len(data), (RESAMPLES, len(data)))].mean(axis=1))
    low, high = np.percentile(drawn[np.isfinite(drawn)], [2.5, 97.5])
    return Figure(value, float(low), float(high), len(data))


def as_document(whole: Any) -> bytes:
    """As JSON; what is NaN or infinite becomes null, for JSON has no word for it."""
    return (json.dumps(finite(whole), ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def finite(value: Any) -> Any:
    """The same with None in the place of what is NaN or infinite; tuples become lists."""
    if isinstance(value, Mapping):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
