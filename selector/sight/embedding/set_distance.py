"""How far pictures are from real ones, as arithmetic on vectors: of two sets, or of one picture and a set.

Of two sets: the Fréchet distance of Gaussians (Heusel et al. 2017, FID), and squared maximum mean discrepancies with a
polynomial kernel (Binkowski et al. 2018, KID) and with a Gaussian one on unit vectors (Jayasumana et al. 2024, CMMD).
Of one picture: k nearest neighbours, and Mahalanobis under a shrunk covariance (Ledoit and Wolf 2004).

The discrepancies are U-statistics over *groups*, the tasks. Candidates of one task resemble each other, and an edit
resembles its own source; as independent pairs both would count as realism. So pairs within a group, and of a candidate
with its own photograph, are left out. Then a set of unchanged photographs is at 0 on average at any size, two sets of
different size can be compared, and every task weighs the same. The published CMMD keeps the diagonals instead, which
adds a positive bias that goes with 1/n.

``fid`` and ``kid`` are torchmetrics' on vectors that are there already, its feature network being the identity: the
field's arithmetic, with which the tests compare ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from selector.sight.embedding.device import need_packages

Floats = np.ndarray[Any, np.dtype[Any]]
Kernel = Callable[[Floats, Floats], Floats]

SIGMA, SCALE = 10.0, 1000.0  # of CMMD, as published
DEGREE = 3  # of KID's kernel
LEAST_FOR_FID = 2048  # images a side: below it the published covariances have no full rank
_BLOCK = 2048  # rows of a kernel matrix in memory at once


def frechet_distance(x: Floats, y: Floats) -> float:
    """|mean difference|^2 + tr(A + B - 2 (A B)^(1/2)) of the Gaussians fitted to (n, d) and (m, d); 0 for equal ones.

    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(frechet_distance(x, x + [3.0, 4.0, 0.0]), 6)
    25.0
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    a, b = (np.atleast_2d(np.cov(side, rowvar=False)) for side in (x, y))
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T  # eigenvalues of A B are those of root B root
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ b @ root), 0)).sum()
    shift = x.mean(axis=0) - y.mean(axis=0)
    return max(0.0, float(shift @ shift + np.trace(a) + np.trace(b) - 2 * mixed))


def gaussian_unlikeness(x: Floats, y: Floats) -> Floats:
    """CMMD's kernel as 1 - k of unit vectors, (n, m): k lies so near to 1 that its own digits would be lost."""
    return np.asarray(-np.expm1((x @ y.T - 1) / SIGMA**2))  # |x - y|^2 = 2 - 2 x.y, over 2 sigma^2


def polynomial_unlikeness(x: Floats, y: Floats) -> Floats:
    """KID's kernel (x.y / d + 1)^3 with its sign turned, (n, m)."""
    return np.asarray(-((x @ y.T / x.shape[1] + 1) ** DEGREE))


def group_means(x: Floats, x_starts: Floats, y: Floats, y_starts: Floats, kernel: Kernel) -> Floats:
    """(groups of x, groups of y) mean of the kernel over pairs; groups lie together, each begins at its start."""
    x_ends, widths = np.append(x_starts[1:], len(x)), np.diff(np.append(y_starts, len(y)))
    found = np.empty((len(x_starts), len(y_starts)))
    first = 0
    while first < len(x_starts):  # whole groups at a time
        last = max(first + 1, int(np.searchsorted(x_ends, x_starts[first] + _BLOCK, side="right")))
        block = kernel(x[x_starts[first] : x_ends[last - 1]], y)
        columns = np.add.reduceat(block, y_starts, axis=1, dtype=np.float64) / widths
        sums = np.add.reduceat(columns, x_starts[first:last] - x_starts[first], axis=0)
        found[first:last] = sums / (x_ends - x_starts)[first:last, None]
        first = last
    return found


@dataclass(frozen=True)
class Discrepancy:
    """What a squared maximum mean discrepancy is made of: unlikeness of pairs, ready to be weighed again and again.

    ``within`` (t, t) of the tasks of the set, ``across`` (t, m) with the real pictures, ``real`` (m, m); ``own`` (t, m)
    marks the real pictures that a task was made from.
    """

    within: Floats
    across: Floats
    real: Floats
    own: Floats

    def value(self) -> float:
        """Every task and every real picture once."""
        return float(self.weighed(np.ones((1, len(self.within))), np.ones((1, len(self.real))))[0])

    def weighed(self, tasks: Floats, pictures: Floats) -> Floats:
        """(r,) values under weights (r, t) and (r, m), such as the counts of a bootstrap; NaN without any pair.

        A picture that was drawn twice is not paired with itself, or a bootstrap would lie above what it repeats.
        """
        other = ~self.own
        pairs = ((tasks @ other) * pictures).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            across = ((tasks @ (self.across * other)) * pictures).sum(axis=1) / pairs
        return np.asarray(2 * across - _apart(self.within, tasks) - _apart(self.real, pictures))


def _apart(matrix: Floats, weights: Floats) -> Floats:
    """(r,) weighted means over pairs of two different ones."""
    diagonal = (weights**2) @ np.diag(matrix)
    pairs = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((((weights @ matrix) * weights).sum(axis=1) - diagonal) / pairs)


def resampled(n: int, times: int, rng: np.random.Generator) -> Floats:
    """(times, n) counts of n draws with replacement."""
    return rng.multinomial(n, np.full(n, 1 / n), size=times).astype(np.float64)


def nearest_distance(unit: Floats, real: Floats, k: int) -> float:
    """Mean cosine distance, 0 to 2, of a unit vector (d,) to the ``k`` nearest of (m, d); all of them if fewer."""
    cosines = np.clip(real @ unit, -1, 1)
    k = min(k, len(cosines))
    return float(1 - np.partition(cosines, len(cosines) - k)[len(cosines) - k :].mean())


@dataclass(frozen=True)
class Shrunk:
    """A Gaussian of few samples in many dimensions: covariance (1 - s) S + s (tr S / d) I, by its eigenvectors.

    ``mean`` (d,), ``axes`` (d, d), ``spreads`` (d,) eigenvalues of S, ``shrinkage`` s, ``n`` samples.
    """

    mean: Floats
    axes: Floats
    spreads: Floats
    shrinkage: float
    n: int

    @classmethod
    def fitted(cls, x: Floats) -> Shrunk:
        """Of (n, d), with the shrinkage of Ledoit and Wolf."""
        x = np.asarray(x, np.float64)
        mean = x.mean(axis=0)
        centred = x - mean
        spreads, axes = np.linalg.eigh(centred.T @ centred / len(x))
        return cls(mean, axes, np.maximum(spreads, 0), _shrinkage(centred), len(x))

    def distance(self, z: Floats, without: Floats | None = None) -> float:
        """Mahalanobis distance of (d,) over the square root of d: near 1 for another sample of the same kind.

        ``without`` (k, d): samples of the fit that are to be left out, by the formula of Woodbury instead of a new fit;
        the amount of shrinkage stays. A sample that was fitted lies nearer than one that was not.
        """
        d = len(self.mean)
        out = np.zeros((0, d)) if without is None else np.asarray(without, np.float64) - self.mean
        left = self.n - len(out)
        shift = -out.sum(axis=0) / left  # of the mean
        keep = 1 - self.shrinkage
        base = keep * self.n / left * self.spreads + max(self.shrinkage * self.spreads.mean(), 1e-12)
        away = (np.asarray(z, np.float64) - self.mean - shift) @ self.axes
        lost = np.vstack([out / np.sqrt(left), shift[None]]) @ self.axes * np.sqrt(keep)
        squared = (away**2 / base).sum()
        if len(out):
            seen = (lost / base) @ away
            squared += seen @ np.linalg.solve(np.eye(len(lost)) - (lost / base) @ lost.T, seen)
        return float(np.sqrt(max(squared, 0.0) / d))


def _shrinkage(centred: Floats) -> float:
    """The share, 0 to 1, of a sphere in the covariance of (n, d) that loses least (Ledoit & Wolf 2004, lemma 3.2)."""
    n, d = centred.shape
    squares = centred**2
    mean = squares.sum() / n / d
    of_sample = ((centred.T @ centred) ** 2).sum() / n**2
    lost = max(0.0, float((squares.sum(axis=1) ** 2).sum() / n - of_sample) / n)
    apart = float(of_sample - d * mean**2)
    return min(lost, apart) / apart if apart > 0 and lost > 0 else 0.0


def need_torchmetrics() -> None:
    """Raises ``MissingPart`` with the cure."""
    need_packages("set metrics need", "torch", "torchmetrics")


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
