"""What every experiment shares: options, a printed table with n and interval, and ``--json OUT``."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from selector.domain.files import write_atomically

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


def ratio(above: ArrayLike, below: ArrayLike, seed: int = 0) -> Figure:
    """Mean of ``above`` by mean of ``below``, (n,) each, cases drawn with both; NaN unless the latter is above 0."""

    def of(means: Floats) -> Floats:
        there = means[..., 1] > 0
        return np.where(there, means[..., 0] / np.where(there, means[..., 1], 1.0), np.nan)

    return figure_of(np.column_stack([above, below]), of, seed)


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


def parser(module: str, text: str) -> argparse.ArgumentParser:
    """An argument parser with ``--json OUT`` and ``--seed``."""
    made = argparse.ArgumentParser(
        prog=f"python -m experiments.{module}", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", type=Path, metavar="OUT", help='write {"results": …} to this file')
    made.add_argument("--seed", type=int, default=0, help="seed of every random choice (default 0)")
    return made


def finish(results: Any, lines: Sequence[str], out: Path | None, more: Mapping[str, Any] | None = None) -> None:
    """Print the lines and, if asked for, write the results as JSON, ``more`` (how they came about) beside them.

    What is NaN or infinite becomes null: JSON has no word for it.
    """
    print("\n".join(lines))
    if out is not None:
        whole = _finite({"results": results, **(more or {})})
        write_atomically(out, (json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode())


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
