"""Scoring as notebooks do it today: every score opens the file, preprocesses and embeds again, one picture at a time.

Written as its users would, with torchvision's preprocessing and float32; it is the yardstick of ``throughput``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.embedding_shapes import PUBLISHED_LAYERS, Shaped

Scores = dict[str, list[float]]


class Habit:
    """Three scores of a picture, each by its own pass."""

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
