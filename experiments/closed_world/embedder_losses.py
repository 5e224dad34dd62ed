"""How the embedding model is trained: what each part of its loss asks, and how a batch is made.

The contrastive loss runs over families of near-equal scenes, and over windows with phrases. Beside it each cell of the
picture tower's grid says what is painted there; and one head names the outermost shape on each side, from the vector of
a picture and from that of a caption: the same head, so that both put it into the same directions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.closed_world.dataset import FAMILY, NOTHING, Dataset, Ints, scene_of, words
from experiments.closed_world.embedder import OF_SHAPE, Embedder, prepared
from experiments.closed_world.text_encoder import token_ids
from experiments.closed_world.training import Chance, Loss, Plan
from experiments.closed_world.windows import Windows, cut_out, windows
from selector.demo.closed_world.render import SIDE_PX
from selector.demo.closed_world.scene import COLOURS, SHAPES

FAMILIES, WINDOWS = 40, 64  # of a batch
CELL_WEIGHT = 0.5
SIDE_WEIGHT = 2.0
WINDOW_WEIGHT = 0.5
GREATEST_SCALE = 100.0
UNTOLD = -100  # an answer that is not asked for, as cross_entropy ignores it
_BORDER_PX = 1.5  # a cell whose centre is that near to a shape's box shows some of it
PLAN = Plan("embedder", steps=2500, rate=1e-3, warm_up=150, average=0.99, decay=0.05, look_every=200)
Truths = np.ndarray[Any, np.dtype[np.bool_]]


def loss_of(embedder: Embedder, tokenizer: Any, known: Dataset) -> Loss:
    """The loss of one batch: families, windows, cells, sides."""

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


def roughened(pictures: torch.Tensor, chance: Chance) -> torch.Tensor:
    """A third of the pictures a little blurred, all with a little noise: drawn ones are crisper than generated ones."""
    soft = nn.functional.avg_pool2d(nn.functional.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.from_numpy(chance.numpy.uniform(0, 1, len(pictures)).astype(np.float32) - 0.5).clamp(min=0)
    share = share.view(-1, 1, 1, 1) * 1.6
    noise = torch.randn(pictures.shape, generator=chance.torch) * 0.03
    return pictures * (1 - share) + soft * share + noise


def _family_loss(logits: torch.Tensor, true: Any, malformed: Any) -> torch.Tensor:
    """Cross-entropy both ways, (captions, pictures); pairs that are true as well are left out."""
    return _both_ways(logits, left_out=true, kept=np.asarray(malformed).reshape(-1) == 0)


def _window_loss(logits: torch.Tensor, looked: Windows) -> torch.Tensor:
    """As above; only what is false for certain counts against a pair."""
    return _both_ways(logits, left_out=~looked.false, kept=looked.true.diagonal().copy())


def _both_ways(logits: torch.Tensor, left_out: Any, kept: Any) -> torch.Tensor:
    """Of captions among pictures, and of pictures among captions: who belongs together lies on the diagonal.

    ``left_out`` (n, n): pairs that do not count against the diagonal. ``kept`` (n,): whose pair is asked about.
    """
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(torch.from_numpy(left_out).to(logits.device) & ~own, -1e4)
    asked = torch.from_numpy(kept).to(logits.device)
    aims = torch.arange(len(logits), device=logits.device)[asked]
    return nn.functional.cross_entropy(logits[asked], aims) + nn.functional.cross_entropy(logits.T[asked], aims)


def _side_loss(answers: torch.Tensor, known: Dataset, rows: Any) -> torch.Tensor:
    """Which shape a picture has outermost on each side.

    ``answers`` (pictures, 4 * sum(OF_SHAPE)): logits, FAMILY pictures for each of ``rows``; malformed ones count not.
    """
    kept = np.flatnonzero(np.asarray(known.malformed[rows]).reshape(-1) == 0)
    aims = side_truths(known.boxes[rows], known.kinds[rows]).reshape(-1, 4, len(OF_SHAPE))[kept]
    return _of_sides(answers[torch.from_numpy(kept)], aims)


def _said_loss(answers: torch.Tensor, known: Dataset, rows: Any) -> torch.Tensor:
    """The same of captions: along the axis that one tells, the first group is left or at the top, the second opposite.

    ``answers`` as in ``_side_loss``, of the captions; what a caption does not tell is not asked.
    """
    groups = np.asarray(known.groups[rows]).reshape(-1, 2, 4).astype(np.int64)
    alone = groups[:, 1, 1] == NOTHING
    first, last = groups[:, 0, 1:], np.where(alone[:, None], groups[:, 0, 1:], groups[:, 1, 1:])
    aims = np.stack([first, last, first, last], axis=1)
    along_y = np.asarray(known.axis[rows]).reshape(-1) == 1
    aims[along_y & ~alone, :2] = UNTOLD
    aims[~along_y & ~alone, 2:] = UNTOLD
    aims[np.asarray(known.said[rows]).reshape(-1, 2)[:, 0] == 0, :, 2] = UNTOLD
    return _of_sides(answers, aims)


def _of_sides(answers: torch.Tensor, aims: Any) -> torch.Tensor:
    """Mean cross-entropy over sides and what is asked of each. ``aims`` (n, 4, len(OF_SHAPE)) int64, or UNTOLD."""
    parts = torch.split(answers.float(), list(4 * OF_SHAPE), dim=1)
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


def _cell_loss(answers: torch.Tensor, known: Dataset, rows: Any) -> torch.Tensor:
    """Which colour and which shape is painted on each cell, or nothing; malformed pictures do not count.

    ``answers`` (pictures, cells, colours + 1 + shapes + 1): logits, FAMILY pictures for each of ``rows``.
    """
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
    reach = boxes[..., 2, None] + _BORDER_PX
    near = np.maximum(abs(boxes[..., 0, None] - x), abs(boxes[..., 1, None] - y)) <= reach
    near &= boxes[..., 2, None] > 0
    which, some = near.argmax(-2), near.any(-2)
    found = [np.take_along_axis(kinds[..., i], which, -1).astype(np.int64) for i in range(2)]
    return np.where(some, found[0], len(COLOURS)), np.where(some, found[1], len(SHAPES))


def true_pairs(known: Dataset, rows: Any) -> Truths:
    """(k, k) whether the caption of member i of these families is true of the picture of member j; k = rows x family.

    A malformed picture agrees with none.
    """
    flat = {
        name: _flat(getattr(known, name)[rows]) for name in ("groups", "axis", "order", "ground", "said", "malformed")
    }
    groups, said = flat["groups"], flat["said"]
    same = _agree(groups[:, None, :, None], groups[None, :, None, :], said[:, None, None, None, 0])
    straight = same[..., 0, 0] & same[..., 1, 1]  # the first said is the first shown
    crossed = same[..., 0, 1] & same[..., 1, 0]
    order = flat["order"][:, flat["axis"]].swapaxes(0, 1)  # (caption, picture, before or after)
    alone = groups[:, 1, 1] == NOTHING
    orders = (straight & (order[..., 0] == 1)) | (crossed & (order[..., 1] == 1))
    holds = np.where(alone[:, None], straight, orders)
    ground = (said[:, None, 1] == 0) | (flat["ground"][:, None] == flat["ground"][None, :])
    return np.asarray(holds & ground & (flat["malformed"][None, :] == 0))


def _agree(said: Ints, shown: Ints, says_size: Ints) -> Truths:
    """(…) whether a group as said is the group as shown; sizes count where they are said."""
    rest = (said[..., :3] == shown[..., :3]).all(-1)
    return np.asarray(rest & ((says_size == 0) | (said[..., 3] == shown[..., 3])))


def _flat(values: Any) -> Any:
    return np.asarray(values).reshape(-1, *values.shape[2:])
