"""The embedding model: a small CLIP (Radford et al. 2021) in open_clip's format, for pictures of the closed world.

The text tower starts from the text encoder of the text-to-image model, which can read already. The picture tower is
CLIP's ResNet, which learns sooner than a ViT what is where: after 400 steps it named 90% of the cells' contents
rightly, a ViT of patches of 8 pixels 40% after 1,000. Two heads sit on top for the training alone
(``embedder_losses``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.closed_world.text_encoder import LENGTH, WIDTH
from selector.demo.closed_world.scene import COLOURS, SHAPES, SIZES

SEEN_PX = 96  # what pictures are enlarged to, so that the last map has 3 x 3 cells and not 2 x 2
DIMENSIONS = 128
OF_SHAPE = (len(COLOURS), len(SHAPES), len(SIZES))  # answers about one shape
# Of the ResNet's maps, the stem's and those of four layers, cells are read from the third layer's, 6 x 6: of the last
# one's 3 x 3 one alone is larger than a small shape. The first layer has four times the stem's channels, each further
# one doubles them.
CELLS_FROM = 3
CELLS_CHANNELS = 4 * 2 * 2  # times the stem's


def configuration(pieces: int) -> dict[str, Any]:
    """The architecture as open_clip writes it; ``pieces``: of the tokenizer."""
    return {
        "embed_dim": DIMENSIONS,
        "vision_cfg": {
            "image_size": SEEN_PX,
            "layers": [1, 2, 2, 1],
            "width": 16,
            "head_width": 64,
        },
        "text_cfg": {
            "context_length": LENGTH,
            "vocab_size": pieces,
            "width": WIDTH,
            "heads": 4,
            "layers": 4,
            "mlp_ratio": 3.0,
            "hf_tokenizer_name": "embedded",
        },
    }


class Embedder(nn.Module):
    """The model with the answers of its cells and of its vector on top."""

    def __init__(self, clip: Any) -> None:
        super().__init__()
        self.clip = clip
        channels = CELLS_CHANNELS * clip.visual.conv3.out_channels  # conv3 is the stem's last
        self.cells = nn.Conv2d(channels, len(COLOURS) + 1 + len(SHAPES) + 1, 1)
        self.sides = nn.Linear(DIMENSIONS, 4 * sum(OF_SHAPE), bias=False)
        nn.init.orthogonal_(self.sides.weight, gain=8.0)

    def seen(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Unit vectors (n, dim), what the cells say (n, cells, answers), and the vectors of the sides (n, …)."""
        found = self.clip.visual.forward_intermediates(pictures)
        pooled, cells = found["image_features"], self.cells(found["image_intermediates"][CELLS_FROM])
        vectors = nn.functional.normalize(pooled.float(), dim=-1)
        return vectors, cells.flatten(2).mT, self.sides(vectors)

    def read(self, ids: torch.Tensor) -> torch.Tensor:
        """Unit vectors (n, dim)."""
        return self.read_with_sides(ids)[0]

    def read_with_sides(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Unit vectors (n, dim), and what the captions say of the sides (n, …)."""
        vectors = nn.functional.normalize(self.clip.encode_text(ids).float(), dim=-1)
        return vectors, self.sides(vectors)


def build(tokenizer: Any, text_encoder: Any = None) -> Any:
    """A new model of open_clip; its text tower takes over what ``text_encoder`` has learned."""
    from open_clip.model import CLIP

    made = configuration(len(tokenizer))
    text = {key: value for key, value in made["text_cfg"].items() if key != "hf_tokenizer_name"}
    clip = CLIP(made["embed_dim"], made["vision_cfg"], text)
    if text_encoder is not None:
        clip.load_state_dict(_taken_over(text_encoder), strict=False)
    return clip


def _taken_over(text_encoder: Any) -> dict[str, torch.Tensor]:
    """The weights of a ``CLIPTextModel`` under the names of open_clip; the two are one architecture."""
    theirs = {key.removeprefix("text_model."): value for key, value in text_encoder.state_dict().items()}
    ours = {
        "token_embedding.weight": theirs["embeddings.token_embedding.weight"],
        "positional_embedding": theirs["embeddings.position_embedding.weight"],
    }
    for end in ("weight", "bias"):
        ours[f"ln_final.{end}"] = theirs[f"final_layer_norm.{end}"]
        for i in range(text_encoder.config.num_hidden_layers):
            old, new = f"encoder.layers.{i}", f"transformer.resblocks.{i}"
            ours[f"{new}.attn.in_proj_{end}"] = torch.cat([theirs[f"{old}.self_attn.{p}_proj.{end}"] for p in "qkv"])
            for old_name, new_name in _SAME_PARTS.items():
                ours[f"{new}.{new_name}.{end}"] = theirs[f"{old}.{old_name}.{end}"]
    return ours


_SAME_PARTS = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def prepared(pictures: Any) -> torch.Tensor:
    """(n, h, w, 3) uint8 to (n, 3, 96, 96), bicubic, with OpenAI's mean and deviation, open_clip's default."""
    from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    values = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255
    values = nn.functional.interpolate(values, (SEEN_PX, SEEN_PX), mode="bicubic", antialias=True).clamp(0, 1)
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD))
    return (values - mean) / deviation
