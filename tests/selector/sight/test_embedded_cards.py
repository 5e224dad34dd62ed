"""The model cards of the shipped models say of them what their weights say."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path

import pytest

from selector.sight.embedded import EMBEDDING, EMBEDDING_CONFIG, TEXT_TO_IMAGE

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # of BatchNorm: counted, but not learned


def parameters(folder: Path) -> int:
    """Numbers of all safetensors below the folder that were learned, from the files' headers."""
    return sum(_learned(path) for path in folder.rglob("*.safetensors"))


def _learned(path: Path) -> int:
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    return sum(prod(entry["shape"]) for name, entry in tensors.items() if not name.endswith(STATISTICS))


def side_px(folder: Path) -> int:
    """Of the pictures that the model makes, or looks at."""
    if folder == EMBEDDING:
        described = json.loads((folder / EMBEDDING_CONFIG).read_text(encoding="utf-8"))
        return int(described["model_cfg"]["vision_cfg"]["image_size"])
    unet, vae = (json.loads((folder / part / "config.json").read_text(encoding="utf-8")) for part in ("unet", "vae"))
    return int(unet["sample_size"]) * 2 ** (len(vae["block_out_channels"]) - 1)


@pytest.mark.parametrize("folder", [TEXT_TO_IMAGE, EMBEDDING], ids=lambda folder: folder.name)
def test_card_has_the_parameters_and_the_side_of_the_weights(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"{parameters(folder):,} parameters" in card
    assert f"{side_px(folder)} x {side_px(folder)} pixels" in card
