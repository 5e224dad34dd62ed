"""What the throughput of scoring is measured on: models of real shapes, photographs, and scoring as it is done today.

Backbones have random weights, and heads the published format: for measuring speed, not taste.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selector import Campaign
from selector.demo.shipped import PHOTOGRAPHS, photograph
from selector.domain import encode_final

SIDE_PX = 1024
CANDIDATES_A_TASK = 16
THINGS = ("a cat", "a rocket", "two people", "a cup of coffee", "an old temple", "a flower", "a street", "a motorcycle")
LOOKS = ("in the rain", "at night, cinematic light", "as an oil painting", "in deep snow", "seen from above", "at dawn")
PUBLISHED_LAYERS = (1024, 128, 64, 16, 1)  # of the aesthetic head, after the embedding

Scores = dict[str, list[float]]


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


class Habit:
    """Three scores as notebooks make them: each opens the file, preprocesses and embeds again, one picture at a time.

    Written as its users would, with torchvision's preprocessing and float32; it is the yardstick of ``throughput``.
    """

    def __init__(self, shaped: Shaped) -> None:
        import open_clip
        import torch

        # A local file carries no tag, so the model's own preprocessing (CLIP's) applies.
        self.model, _, self.preprocess = open_clip.create_model_and_transforms(
            shaped.model, pretrained=str(shaped.weights)
        )
        self.model.eval()
        self.tokenizer = open_clip.get_tokenizer(shaped.model)
        state = torch.load(shaped.aesthetic_head, weights_only=True)
        numbers = range(len(PUBLISHED_LAYERS))
        self.aesthetic = [(state[f"layers.{i}.weight"], state[f"layers.{i}.bias"]) for i in numbers]
        state = torch.load(shaped.fake_head, weights_only=True)
        self.detector = (state["weight"], state["bias"])

    def score(self, files: Sequence[tuple[Path, str]], native_crops: bool) -> Scores:
        """Scores of (file, prompt) pairs; ``native_crops``: the detector sees five crops at native resolution."""
        import torch

        found: Scores = {"similarity": [], "rating": [], "logit": []}
        with torch.no_grad():
            for path, prompt in files:
                found["similarity"].append(self._similarity(path, prompt))
                found["rating"].append(self._rating(path))
                found["logit"].append(self._logit(path, native_crops))
        return found

    def _similarity(self, path: Path, prompt: str) -> float:
        picture = self._embed(self._open(path))
        text = self.model.encode_text(self.tokenizer([prompt]))
        return float((picture / picture.norm() * (text / text.norm())).sum())

    def _rating(self, path: Path) -> float:
        vector = self._embed(self._open(path))
        vector = vector / vector.norm()
        for weight, bias in self.aesthetic:
            vector = vector @ weight.T + bias
        return float(vector)

    def _logit(self, path: Path, native_crops: bool) -> float:
        weight, bias = self.detector
        crops = self._native(path) if native_crops else [self._open(path)]
        return float(np.mean([float(self._embed(crop) @ weight.T + bias) for crop in crops]))

    def _open(self, path: Path) -> Any:
        from PIL import Image

        return self.preprocess(Image.open(path).convert("RGB"))

    def _native(self, path: Path) -> list[Any]:
        from PIL import Image
        from torchvision.transforms.functional import five_crop

        *_, to_rgb, to_tensor, normalize = self.preprocess.transforms
        side = self.model.visual.image_size[0]
        return [normalize(to_tensor(to_rgb(crop))) for crop in five_crop(Image.open(path), [side, side])]

    def _embed(self, tensor: Any) -> Any:
        return self.model.encode_image(tensor.unsqueeze(0))


def photo_campaign(place: Path, n: int, seed: int, **config: Any) -> Campaign:
    """A campaign of text-to-image tasks with ``n`` candidates, 1024 px JPEGs of quality 95."""
    tasks = -(-n // CANDIDATES_A_TASK)
    finished = place / "finished"
    rng = np.random.default_rng(seed)
    for i in range(n):
        folder = finished / str(i // CANDIDATES_A_TASK)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:05d}.jpg").write_bytes(encode_final(varied_photograph(rng)))
    (place / "imgs").mkdir()
    rows = [f'{i},t2i,"{THINGS[i % len(THINGS)]} {LOOKS[i % len(LOOKS)]}, number {i}",,' for i in range(tasks)]
    table = place / "task.csv"
    table.write_text("\n".join(["index,task_type,prompt,ori_image,target_image", *rows]) + "\n", encoding="utf-8")
    campaign = Campaign.init(place / "campaign", table, place / "imgs", **config)
    campaign.import_folder(finished)
    return campaign


def varied_photograph(rng: np.random.Generator) -> Any:
    """A random part of a shipped photograph with other colours, contrast, and grain, (1024, 1024, 3) uint8."""
    from PIL import Image

    rgb = photograph(str(rng.choice(sorted(PHOTOGRAPHS))))
    height, width = rgb.shape[:2]
    side = int(min(height, width) * rng.uniform(0.35, 1.0))
    top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    part = np.rot90(rgb[top : top + side, left : left + side], int(rng.integers(0, 4)))
    part = np.asarray(Image.fromarray(np.ascontiguousarray(part)).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))
    mixed = part.astype(np.float32)[:, :, rng.permutation(3)] * rng.uniform(0.4, 1.3, 3) + rng.uniform(-30, 60)
    return np.clip(mixed + rng.normal(0, rng.uniform(1, 5), mixed.shape), 0, 255).astype(np.uint8)
