"""A backbone without a model: every crop and every text has a vector of its own, the same in every process."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SHARED_WEIGHTS = Path(__file__).resolve().parents[2] / "shared" / "weights"


def published(name: str) -> Path:
    """A published head beside the repository, or a skipped test."""
    path = SHARED_WEIGHTS / name
    if not path.is_file():
        pytest.skip(f"the published head {name} is not beside this repository (shared/weights)")
    return path


class FixedBackbone:
    """Vectors follow from the bytes of a crop or a text. Counts what it is asked for; ``broken`` raises instead."""

    on_cpu = on_torch = True
    side_px = 8

    def __init__(self, dim: int = 768, length: float = 10.0, reads_all: bool = False, space: str = "fixed") -> None:
        self.dim, self.length, self.reads_all, self.space = dim, length, reads_all, space
        self.batch = 32
        self.crops_seen = 0
        self.texts_seen: list[str] = []
        self.broken = False

    def check(self) -> None:
        return None

    def embed_crops(self, crops: Any) -> Any:
        if self.broken:
            raise AssertionError("the backbone was asked for a picture")
        self.crops_seen += len(crops)
        vectors = [_direction(np.ascontiguousarray(crop).tobytes(), self.dim) for crop in crops]
        return np.array(vectors, np.float32) * np.float32(self.length)

    def embed_texts(self, texts: Sequence[str]) -> Any:
        if self.broken:
            raise AssertionError("the backbone was asked for a text")
        self.texts_seen += texts
        return np.array([_direction(text.encode(), self.dim) for text in texts], np.float32)


def _direction(data: bytes, dim: int) -> Any:
    vector = np.random.default_rng(zlib.crc32(data)).normal(size=dim)
    return vector / np.linalg.norm(vector)
