"""What every experiment shares: options, a printed table with n and interval, and ``--json OUT``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selector.store.files import write_atomically

RESAMPLES = 2_000


@dataclass(frozen=True)
class Figure:
    """A mean with its number of cases and a 95% percentile bootstrap interval over cases."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}] n={self.n}"


def figure(values: Sequence[float], seed: int = 0) -> Figure:
    """Mean and 95% percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13) of ``values``, not empty."""
    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, len(data), (RESAMPLES, len(data)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Figure(float(data.mean()), float(low), float(high), len(data))


def parser(module: str, text: str) -> argparse.ArgumentParser:
    """An argument parser with ``--json OUT`` and ``--seed``."""
    made = argparse.ArgumentParser(
        prog=f"python -m experiments.{module}", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", type=Path, metavar="OUT", help='write {"results": …} to this file')
    made.add_argument("--seed", type=int, default=0, help="seed of every random choice (default 0)")
    return made


def finish(results: Any, lines: Sequence[str], out: Path | None, more: Mapping[str, Any] | None = None) -> None:
    """Print the lines and, if asked for, write the results as JSON, ``more`` (how they came about) beside them."""
    print("\n".join(lines))
    if out is not None:
        write_atomically(
            out, (json.dumps({"results": results, **(more or {})}, ensure_ascii=False, indent=1) + "\n").encode()
        )
