"""FID and KID by torchmetrics on vectors that are there already: its feature network is the identity.

Their arithmetic is the field's; ``set_distance`` holds an independent one, and the tests compare the two.
"""

from __future__ import annotations

import importlib.util
import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from selector.domain import MissingPart

Floats = np.ndarray[Any, np.dtype[Any]]

LEAST_FOR_FID = 2048  # images a side: below it the published covariances have no full rank


def need_torchmetrics() -> None:
    """Raises ``MissingPart`` with the cure."""
    for package in ("torch", "torchmetrics"):
        if importlib.util.find_spec(package) is None:
            raise MissingPart(f"set metrics need {package}: pip install 'bestshot[models]'")


def fid(x: Floats, y: Floats) -> float:
    """Fréchet distance between the Gaussians of (n, d) and (m, d), 0 or more; biased upwards, the more the fewer."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_identity(x.shape[1]))
    metric.update(_tensor(y), real=True)
    metric.update(_tensor(x), real=False)
    return max(0.0, float(metric.compute()))


def kid(x: Floats, y: Floats) -> float:
    """Unbiased squared discrepancy with the kernel (x.y / d + 1)^3 of two samples of one size, (n, d) each.

    One subset, chosen by the caller: torchmetrics would draw its subsets from torch's global generator, and cannot
    leave out a candidate's own photograph.
    """
    import torch
    from torchmetrics.image.kid import KernelInceptionDistance

    if len(x) != len(y):
        raise ValueError(f"expected two samples of one size, got {len(x)} and {len(y)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it keeps all features in memory
        metric = KernelInceptionDistance(feature=_identity(x.shape[1]), subsets=1, subset_size=len(x))
    metric.update(_tensor(y), real=True)
    metric.update(_tensor(x), real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # it shuffles the subset, which changes the last digits
        return float(metric.compute()[0])


@lru_cache(maxsize=4)
def _identity(dim: int) -> Any:
    import torch

    feature = torch.nn.Identity()
    feature.num_features = dim  # type: ignore[assignment]
    return feature


def _tensor(vectors: Floats) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(vectors, np.float64))
