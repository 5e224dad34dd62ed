"""fake_universal: how much the picture looks generated to a linear detector on CLIP's features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scorers._embedded import LinearHead, clipped
from selector.domain import Axis, Column, Item, Score, TaskType
from selector.domain.embedding import Seen, View


class FakeUniversal(LinearHead):
    """fake_universal: how much the picture looks generated to a linear detector on CLIP's features.

    Estimates: P(generated) by UniversalFakeDetect (Ojha, Li and Lee, CVPR 2023), on five crops at native resolution
        (corners and centre), because resizing removes the traces that it reads; their mean, and how much they disagree.
    Range and direction: probability [0, 1] and logit [-30, 30] down; spread, the logits' standard deviation, [0, 30]
        down.
    Axis: PQ. Tasks: all.
    Input: the candidate. The vectors are *not* normalised: the head was trained so.
    Model and licence: weights ``fake-head`` (MIT) on OpenAI's CLIP ViT-L/14 (MIT); no other backbone fits.
    Source: GitHub WisconsinAIVision/UniversalFakeDetect.
    Cost: five crops through the backbone; with ``crops = "whole"`` none of its own: it then shares the view of the
        other heads and sees a resized picture.
    Fails: trained on one GAN's pictures, so it is a weak and relative signal for diffusion models; JPEG moves it.
        Detectors rank your own candidates here; nothing is built to defeat them.

    Args:
        crops: "native" or "whole".
        head_path, model, pretrained, weights_path, config_path: see ``LinearHead``.

    Example:
        ``bestshot weights get fake-head`` brings the head. In ``campaign.toml``:

        [scorers.fake_universal]
        crops = "whole"  # cheaper: the view of the other heads
    """

    name = "fake_universal"
    head = "fake-head"
    task_types = frozenset(TaskType)
    columns = (
        Column("probability", 0.0, 1.0, False, Axis.PQ, "mean P(generated) of the crops"),
        Column("logit", -30.0, 30.0, False, Axis.PQ, "mean logit of the crops: orders what the probability saturates"),
        Column("spread", 0.0, 30.0, False, Axis.PQ, "disagreement of the crops, standard deviation of their logits"),
    )

    def __init__(
        self,
        crops: str = "native",
        head_path: str = "",
        model: str = "",
        pretrained: str = "",
        weights_path: str = "",
        config_path: str = "",
    ) -> None:
        super().__init__(head_path, model, pretrained, weights_path, config_path)
        if crops not in ("native", "whole"):
            raise ValueError(f"crops must be native or whole, got '{crops}'")
        self.view = View(crops)

    def read(self, item: Item, seen: Seen) -> Mapping[str, Score]:  # noqa: ARG002
        logits = seen.own[:, 0].astype(np.float64) + self.offset
        probabilities = 1.0 / (1.0 + np.exp(-np.clip(logits, -500, 500)))
        values = (probabilities.mean(), logits.mean(), logits.std())
        return {c.name: clipped(float(value), c) for c, value in zip(self.columns, values, strict=True)}
