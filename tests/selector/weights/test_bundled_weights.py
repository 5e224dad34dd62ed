"""Tags of weights: cheap, the same every time, another for every package and file."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorers.identity import Identity
from scorers.lettering import Lettering
from scorers.ocr_text import OcrText
from scorers.preservation import Preservation
from scorers.seams import Seams
from selector.weights import bundled as weights
from selector.weights.bundled import FACE_PACKAGES, TEXT_PACKAGES, weights_tag

SCORERS = [Identity, Lettering, OcrText, Preservation, Seams]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    weights_tag.cache_clear()
    yield
    weights_tag.cache_clear()


def test_a_tag_is_eight_hex_digits_and_differs_by_package() -> None:
    tags = {weights_tag(*FACE_PACKAGES), weights_tag(*TEXT_PACKAGES), weights_tag("no-such-package")}
    assert len(tags) == 3
    assert all(len(tag) == 8 and int(tag, 16) >= 0 for tag in tags)


def test_another_file_of_weights_is_another_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "det.onnx").write_bytes(b"1234")
    monkeypatch.setattr(weights, "_found", lambda package, patterns: [tmp_path / "det.onnx"])  # noqa: ARG005
    first = weights_tag("rapidocr")
    (tmp_path / "det.onnx").write_bytes(b"12345")
    weights_tag.cache_clear()
    assert weights_tag("rapidocr") != first


@pytest.mark.parametrize("kind", SCORERS)
def test_other_packages_make_other_versions_of_scorers(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    now = kind().version
    assert kind().version == now
    weights_tag.cache_clear()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"99.0 of {name}")
    assert kind().version != now


@pytest.mark.parametrize("kind", SCORERS)
def test_making_a_scorer_is_quick(kind: type) -> None:
    started = time.thread_time()
    kind()
    assert time.thread_time() - started < 0.5  # a few milliseconds
