"""Vectors of texts of any length, from a tower that holds only so many tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from selector.sight.embedding.texts import pieces

Floats = np.ndarray[Any, np.dtype[np.float32]]

TEXT_BATCH = 64


def embed_long(
    texts: Sequence[str],
    fits: Callable[[str], bool],
    tokens: Callable[[str], int],
    embed: Callable[[Sequence[str]], Floats],
    dim: int,
) -> Floats:
    """(n, dim), length 1: the pieces of a text are embedded, normalised and averaged by their length in tokens.

    Args:
        fits, tokens: whether a text fits the tower, and how many tokens it has.
        embed: vectors (m, dim) of texts that fit.
    """
    split = [pieces(text, fits) for text in texts]
    flat = [piece for parts in split for piece in parts]
    chunks = [embed(flat[start : start + TEXT_BATCH]) for start in range(0, len(flat), TEXT_BATCH)]
    units = _units(np.concatenate(chunks)) if chunks else np.zeros((0, dim))
    weights = np.array([tokens(piece) for piece in flat], np.float64)
    ends = np.cumsum([len(parts) for parts in split], dtype=int)
    means = [
        np.average(units[end - len(parts) : end], axis=0, weights=weights[end - len(parts) : end])
        for parts, end in zip(split, ends, strict=True)
    ]
    return np.asarray(_units(np.array(means).reshape(len(texts), dim)), np.float32)


def _units(vectors: Any) -> Any:
    exact = np.asarray(vectors, np.float64)
    return exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-12)
