"""Backbones of real shapes with random weights, and heads in the published format: for measuring speed, not taste."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PUBLISHED_LAYERS = (1024, 128, 64, 16, 1)  # of the aesthetic head, after the embedding


@dataclass(frozen=True)
class Shaped:
    """Files of a backbone and of the two heads on it."""

    model: str
    weights: Path
    aesthetic_head: Path
    fake_head: Path


def write_shaped(model: str, folder: Path, seed: int) -> Shaped:
    """Write a model of open_clip with random weights (some GB for the larger ones) and two random heads.

    Random weights cost what trained ones cost. Their vectors of different pictures lie close together, which makes
    agreement in ranks harder than with trained ones.
    """
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    made = open_clip.create_model(model)
    name = model.lower()
    places = Shaped(model, *(folder / f"{name}{part}" for part in (".safetensors", "-aesthetic.pth", "-fake.pth")))
    save_file({key: value.contiguous() for key, value in made.state_dict().items()}, places.weights)
    dim = int(open_clip.get_model_config(model)["embed_dim"])
    layers: dict[str, torch.Tensor] = {}
    width = dim
    for i, size in enumerate(PUBLISHED_LAYERS):
        layer = torch.nn.Linear(width, size)
        layers |= {f"layers.{i}.weight": layer.weight.data, f"layers.{i}.bias": layer.bias.data}
        width = size
    layers[f"layers.{len(PUBLISHED_LAYERS) - 1}.bias"] += 5.0  # to the middle of the scale, where nothing is cut
    torch.save(layers, places.aesthetic_head)
    fake = torch.nn.Linear(dim, 1)
    torch.save({"weight": fake.weight.data, "bias": fake.bias.data}, places.fake_head)
    return places
