"""Which captions are true of which pictures, for all pairs of a batch: what contrastive learning must not deny."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.closed_world.dataset import NOTHING, Dataset, Ints

Truths = np.ndarray[Any, np.dtype[np.bool_]]


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
