"""The embedding model: a small CLIP (Radford et al. 2021) in open_clip's format, for pictures of the closed world.

Trained by the contrastive loss over families of near-equal scenes, and over windows with phrases. Beside it the picture
tower says for each cell of a grid what is painted there, and its vector which shape is outermost on each side; both
heads are thrown away afterwards. The text tower starts from the text encoder of the text-to-image model, which can read
already. The picture tower is CLIP's ResNet: with the same budget a ViT of patches of 8 pixels learned colours, sizes
and shapes, and left who is left of whom at chance.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.closed_world.agreement import true_pairs
from experiments.closed_world.lessons import FAMILY, NOTHING, Lessons, scene_of, words
from experiments.closed_world.reader import WIDTH
from experiments.closed_world.render import SIDE_PX
from experiments.closed_world.scene import COLOURS, SHAPES, SIZES
from experiments.closed_world.training import Chance, Loss, Plan
from experiments.closed_world.windows import Windows, cut_out, windows
from experiments.closed_world.words import LENGTH, token_ids

SEEN_PX = 96  # what pictures are enlarged to, so that the last map has 3 x 3 cells and not 2 x 2
DIMENSIONS = 128
FAMILIES, WINDOWS = 40, 64  # of a batch
CELL_WEIGHT = 0.5
SIDE_WEIGHT = 2.0
WINDOW_WEIGHT = 0.5
GREATEST_SCALE = 100.0
UNTOLD = -100
PLAN = Plan("embedder", steps=2500, rate=1e-3, warm_up=150, average=0.99, decay=0.05, look_every=200)


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


_OF_SHAPE = (len(COLOURS), len(SHAPES), len(SIZES))  # answers about one shape


class Embedder(nn.Module):
    """The model with the answers of its cells and of its vector on top."""

    def __init__(self, clip: Any) -> None:
        super().__init__()
        self.clip = clip
        self.cells = nn.Conv2d(16 * clip.visual.conv3.out_channels, len(COLOURS) + 1 + len(SHAPES) + 1, 1)
        self.sides = nn.Linear(DIMENSIONS, 4 * sum(_OF_SHAPE), bias=False)
        nn.init.orthogonal_(self.sides.weight, gain=8.0)

    def seen(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Unit vectors (n, dim), what the cells say (n, cells, answers), and the vectors of the sides (n, …)."""
        found = self.clip.visual.forward_intermediates(pictures)
        pooled, cells = found["image_features"], self.cells(found["image_intermediates"][3])
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


def loss_of(embedder: Embedder, tokenizer: Any, known: Lessons) -> Loss:
    """The loss of one batch: families, windows, patches."""

    def loss_at(step: int, chance: Chance) -> torch.Tensor:
        del step
        device = next(embedder.parameters()).device
        rng = chance.numpy
        rows = rng.choice(len(known.pictures), FAMILIES + WINDOWS, replace=False)
        families, looked_at = np.sort(rows[:FAMILIES]), np.sort(rows[FAMILIES:])
        looked = windows(known, looked_at, rng)
        texts = [words(scene_of(known, r, m), rng) for r in families for m in range(FAMILY)] + looked.phrases
        whole = prepared(known.pictures[families].reshape(-1, SIDE_PX, SIDE_PX, 3))
        parts = cut_out(prepared(known.pictures[looked_at][:, 0]), looked.boxes)
        pictures = roughened(torch.cat([whole, parts]), chance)
        seen, cells, sides = embedder.seen(pictures.to(device))
        read, said = embedder.read_with_sides(token_ids(tokenizer, texts).to(device))
        scale = embedder.clip.logit_scale.exp().clamp(max=GREATEST_SCALE)
        n = len(whole)
        loss = _family_loss(scale * read[:n] @ seen[:n].T, true_pairs(known, families), known.malformed[families])
        loss = loss + WINDOW_WEIGHT * _window_loss(scale * read[n:] @ seen[n:].T, looked)
        loss = loss + CELL_WEIGHT * _cell_loss(cells[:n], known, families)
        loss = loss + SIDE_WEIGHT * _side_loss(sides[:n], known, families)
        return loss + SIDE_WEIGHT * _said_loss(said[:n], known, families)

    return loss_at


def prepared(pictures: Any) -> torch.Tensor:
    """(n, h, w, 3) uint8 to (n, 3, 96, 96), bicubic, with OpenAI's mean and deviation, open_clip's default."""
    from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    values = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255
    values = nn.functional.interpolate(values, (SEEN_PX, SEEN_PX), mode="bicubic", antialias=True).clamp(0, 1)
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD))
    return (values - mean) / deviation


def roughened(pictures: torch.Tensor, chance: Chance) -> torch.Tensor:
    """A third of the pictures a little blurred, all with a little noise: drawn ones are crisper than generated ones."""
    soft = nn.functional.avg_pool2d(nn.functional.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.from_numpy(chance.numpy.uniform(0, 1, len(pictures)).astype(np.float32) - 0.5).clamp(min=0)
    share = share.view(-1, 1, 1, 1) * 1.6
    noise = torch.randn(pictures.shape, generator=chance.torch) * 0.03
    return pictures * (1 - share) + soft * share + noise


def _family_loss(logits: torch.Tensor, true: Any, malformed: Any) -> torch.Tensor:
    """Cross-entropy both ways, (captions, pictures); pairs that are true as well are left out."""
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(torch.from_numpy(true).to(logits.device) & ~own, -1e4)
    kept = torch.from_numpy(np.asarray(malformed).reshape(-1) == 0).to(logits.device)
    aims = torch.arange(len(logits), device=logits.device)
    by_text = nn.functional.cross_entropy(logits[kept], aims[kept])
    by_picture = nn.functional.cross_entropy(logits.T[kept], aims[kept])
    return by_text + by_picture


def _window_loss(logits: torch.Tensor, looked: Windows) -> torch.Tensor:
    """As above; only what is false for certain counts against a pair."""
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(~torch.from_numpy(looked.false).to(logits.device) & ~own, -1e4)
    kept = torch.from_numpy(looked.true.diagonal().copy()).to(logits.device)
    aims = torch.arange(len(logits), device=logits.device)
    by_text = nn.functional.cross_entropy(logits[kept], aims[kept])
    return by_text + nn.functional.cross_entropy(logits.T[kept], aims[kept])


def _side_loss(answers: torch.Tensor, known: Lessons, rows: Any) -> torch.Tensor:
    kept = np.flatnonzero(np.asarray(known.malformed[rows]).reshape(-1) == 0)
    aims = side_truths(known.boxes[rows], known.kinds[rows]).reshape(-1, 4 * len(_OF_SHAPE))[kept]
    parts = torch.split(answers[torch.from_numpy(kept)].float(), list(4 * _OF_SHAPE), dim=1)
    wanted = torch.from_numpy(aims).to(answers.device).T
    return torch.stack([nn.functional.cross_entropy(part, aim) for part, aim in zip(parts, wanted, strict=True)]).mean()


def _said_loss(answers: torch.Tensor, known: Lessons, rows: Any) -> torch.Tensor:
    """Along the axis that the caption tells, the first group is on the left or at the top, the second opposite."""
    groups = np.asarray(known.groups[rows]).reshape(-1, 2, 4).astype(np.int64)
    alone = groups[:, 1, 1] == NOTHING
    first, last = groups[:, 0, 1:], np.where(alone[:, None], groups[:, 0, 1:], groups[:, 1, 1:])
    aims = np.stack([first, last, first, last], axis=1)
    along_y = np.asarray(known.axis[rows]).reshape(-1) == 1
    aims[along_y & ~alone, :2] = UNTOLD
    aims[~along_y & ~alone, 2:] = UNTOLD
    aims[np.asarray(known.said[rows]).reshape(-1, 2)[:, 0] == 0, :, 2] = UNTOLD
    parts = torch.split(answers.float(), list(4 * _OF_SHAPE), dim=1)
    wanted = torch.from_numpy(aims.reshape(len(aims), -1)).to(answers.device).T
    losses = [nn.functional.cross_entropy(p, w, ignore_index=UNTOLD) for p, w in zip(parts, wanted, strict=True)]
    return torch.stack(losses).mean()


def side_truths(boxes: Any, kinds: Any) -> Any:
    """(…, 4, 3) int64: colour, shape and size of the leftmost, rightmost, topmost and bottommost shape, by centres."""
    there = boxes[..., 2] > 0
    found = []
    for along in range(2):
        for which, none in ((np.argmin, np.inf), (np.argmax, -np.inf)):
            place = which(np.where(there, boxes[..., along], none), axis=-1)
            found.append(np.take_along_axis(kinds, place[..., None, None], axis=-2)[..., 0, :])
    return np.stack(found, axis=-2).astype(np.int64)


def _cell_loss(answers: torch.Tensor, known: Lessons, rows: Any) -> torch.Tensor:
    colours, shapes = cell_truths(known.boxes[rows], known.kinds[rows], math.isqrt(answers.shape[1]))
    kept = torch.from_numpy(np.asarray(known.malformed[rows]).reshape(-1) == 0)
    answers, n = answers[kept].flatten(0, 1).float(), len(COLOURS) + 1
    losses = [
        nn.functional.cross_entropy(
            part, torch.from_numpy(aim.reshape(len(kept), -1)[kept.numpy()]).flatten().to(part.device)
        )
        for part, aim in ((answers[:, :n], colours), (answers[:, n:], shapes))
    ]
    return losses[0] + losses[1]


def cell_truths(boxes: Any, kinds: Any, cells: int) -> tuple[Any, Any]:
    """Colour and shape of what covers the centres of cells x cells, (…, cells²) int64; the last number: nothing."""
    centres = (np.arange(cells) + 0.5) * SIDE_PX / cells
    x, y = (axis.reshape(-1) for axis in np.meshgrid(centres, centres))
    near = np.maximum(abs(boxes[..., 0, None] - x), abs(boxes[..., 1, None] - y)) <= boxes[..., 2, None] + 1.5
    near &= boxes[..., 2, None] > 0
    which, some = near.argmax(-2), near.any(-2)
    found = [np.take_along_axis(kinds[..., i], which, -1).astype(np.int64) for i in range(2)]
    return np.where(some, found[0], len(COLOURS)), np.where(some, found[1], len(SHAPES))
