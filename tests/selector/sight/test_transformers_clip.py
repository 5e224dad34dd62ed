"""A backbone from a folder of transformers: what belongs to its space. The preference tests look at its vectors."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tiny_folders import tiny_pickscore

from selector.domain.embedding import EmbeddingSettings
from selector.sight.embedding.transformers_clip import TransformersClip

FP32 = EmbeddingSettings(device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return tiny_pickscore(tmp_path_factory.mktemp("pickscore"))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "preprocessor_config.json", "tokenizer.json"])
def test_space_changes_with_every_file_that_changes_vectors(folder: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "README.md").write_text("of no matter")
    space = TransformersClip(folder, FP32).space
    assert TransformersClip(copy, FP32).space == space
    (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
    assert TransformersClip(copy, FP32).space != space


def test_space_without_weights_is_found_once_they_are_here(folder: Path, tmp_path: Path) -> None:
    backbone = TransformersClip(tmp_path / "copy", FP32)
    assert "absent" in backbone.space
    shutil.copytree(folder, tmp_path / "copy")
    assert backbone.space == TransformersClip(folder, FP32).space
