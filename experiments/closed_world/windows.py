"""Parts of pictures and what can be said of them in a phrase: what the ``spatial`` scorer asks an embedding about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from experiments.closed_world.dataset import Dataset
from selector.demo.closed_world.render import SIDE_PX
from selector.demo.closed_world.scene import CHINESE, COLOURS, SHAPES, SIZES

SHARES = (0.35, 1.0)  # of a window's side in the picture's
EMPTY_SHARE = 0.25
SEEN, HIDDEN = 0.6, 0.15  # a shape is there from the first share of its box on; below the second it is not
EMPTY = -1
ANY = -1


@dataclass(frozen=True)
class Windows:
    """``boxes`` (n, 4): left, top, right, bottom as shares. ``said`` (n, 3): colour, shape and size of the phrase, ANY
    where it does not tell; ``empty`` (n,): the phrase says that there is nothing. ``true`` and ``false`` (n phrases, n
    windows): what can be said for certain; of the rest, half-seen shapes, neither."""

    boxes: Any
    phrases: list[str]
    true: Any
    false: Any


def windows(known: Dataset, rows: Any, rng: np.random.Generator) -> Windows:
    """A window into the first picture of each family of ``rows``, and a phrase that is true of it."""
    cut, phrases, said = [], [], []
    for row in rows:
        window = _window(known, int(row), rng)
        shares = visible(known, int(row), window)
        there = np.flatnonzero(shares >= SEEN)
        cut.append(window)
        if len(there):
            colour, shape, size = (int(v) for v in known.kinds[row, 0, rng.choice(there)])
            facts = (colour if rng.random() < 0.7 else ANY, shape, size if rng.random() < 0.25 else ANY)
        else:
            facts = (EMPTY, EMPTY, EMPTY)
        said.append(facts)
        phrases.append(phrase(*facts, rng) if len(there) else _EMPTY[int(rng.integers(len(_EMPTY)))])
    return Windows(np.array(cut, np.float32), phrases, *_truths(known, rows, cut, said))


def visible(known: Dataset, row: int, window: Any) -> Any:
    """(MOST_SHAPES,) the share of each shape's box within the window; 0 where there is no shape."""
    x, y, half = known.boxes[row, 0].T
    left, top, right, bottom = (SIDE_PX * share for share in window)
    width = np.clip(np.minimum(right, x + half) - np.maximum(left, x - half), 0, None)
    height = np.clip(np.minimum(bottom, y + half) - np.maximum(top, y - half), 0, None)
    return np.where(half > 0, width * height / np.maximum(4 * half**2, 1e-6), 0)


def cut_out(pictures: torch.Tensor, boxes: Any) -> torch.Tensor:
    """(n, 3, side, side) the windows of (n, 3, side, side) pictures, enlarged to their size."""
    left, top, right, bottom = torch.from_numpy(boxes).unbind(1)
    zero = torch.zeros_like(left)
    across = torch.stack([right - left, zero, left + right - 1], 1)
    down = torch.stack([zero, bottom - top, top + bottom - 1], 1)
    grid = torch.nn.functional.affine_grid(torch.stack([across, down], 1), list(pictures.shape), align_corners=False)
    return torch.nn.functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def phrase(colour: int, shape: int, size: int, rng: np.random.Generator) -> str:
    """Names a shape; colour and size may be ANY."""
    words = [SIZES[size]] * (size != ANY) + [COLOURS[colour]] * (colour != ANY) + [SHAPES[shape]]
    if rng.random() < 0.5:
        named = [CHINESE[word] for word in words[:-1]]
        return "".join(word if len(word) == 1 else f"{word}的" for word in named) + CHINESE[words[-1]]
    if rng.random() < 0.2:
        return " ".join(words)
    return " ".join(["an" if words[0][0] in "aeiou" else "a", *words])


_EMPTY = ("an empty background", "空白的背景")


def _window(known: Dataset, row: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    side = float(rng.uniform(*SHARES))
    for _ in range(20):
        left, top = rng.uniform(0, 1 - side, 2)
        window = (float(left), float(top), float(left + side), float(top + side))
        shares = visible(known, row, window)
        empty = rng.random() < EMPTY_SHARE
        if (empty and shares.max() < HIDDEN) or (not empty and shares.max() >= SEEN):
            return window
    return (0.0, 0.0, 1.0, 1.0)


def _truths(known: Dataset, rows: Any, cut: list[Any], said: list[Any]) -> tuple[Any, Any]:
    facts = np.array(said)[:, None, None, :]
    kinds = known.kinds[rows][:, 0][None]
    shares = np.stack([visible(known, int(row), window) for row, window in zip(rows, cut, strict=True)])[None]
    fits = ((facts == ANY) | (facts == kinds)).all(-1) & (shares > 0)
    true, perhaps = (fits & (shares >= SEEN)).any(-1), (fits & (shares >= HIDDEN)).any(-1)
    nothing = (np.array(said)[:, 1] == EMPTY)[:, None]
    none, some = (shares < HIDDEN).all(-1), (shares >= SEEN).any(-1)
    return np.where(nothing, none, true), np.where(nothing, some, ~perhaps)
