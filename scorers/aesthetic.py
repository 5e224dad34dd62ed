"""aesthetic: how pleasing people would find the picture, by the LAION aesthetic predictor V2."""

from __future__ import annotations

from collections.abc import Mapping

from scorers._embedded import LinearHead, clipped
from selector.domain import Axis, Column, Item, Score, TaskType
from selector.domain.embedding import Seen


class Aesthetic(LinearHead):
    """aesthetic: how pleasing people would find the picture, by the LAION aesthetic predictor V2.

    Estimates: the mean rating of people, trained on SAC, LAION-Logos and AVA (Schuhmann 2022).
    Range and direction: [0, 10], up; pictures lie at 3 to 8. What falls outside is cut.
    Axis: PQ. Tasks: all.
    Input: the candidate, seen whole. The vector is normalised to length 1 first: without that the head gives 20 to 30.
        Its five layers have no activations, so it is one affine map: one column of the pass's product.
    Model and licence: weights ``aesthetic-head`` (Apache-2.0) on OpenAI's CLIP ViT-L/14 (MIT); no other backbone fits.
    Source: GitHub christophschuhmann/improved-aesthetic-predictor.
    Cost: a forward pass that other heads share.
    Fails: likes paintings, sunsets and portraits, whatever was asked for; compare candidates of one task.

    Example:
        ``bestshot weights get aesthetic-head`` brings the head. In ``campaign.toml``:

        [scorers.aesthetic]
    """

    name = "aesthetic"
    head = "aesthetic-head"
    task_types = frozenset(TaskType)
    columns = (Column("rating", 0.0, 10.0, True, Axis.PQ, "expected rating by people, LAION aesthetic V2"),)

    def read(self, item: Item, seen: Seen) -> Mapping[str, Score]:  # noqa: ARG002
        return {"rating": clipped(float(seen.own[0, 0] / seen.lengths[0]) + self.offset, self.columns[0])}
