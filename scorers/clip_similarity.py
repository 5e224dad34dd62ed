"""clip_similarity: how well the picture fits its prompt, by the shared embedding."""

from __future__ import annotations

from collections.abc import Mapping

from scorers._embedded import EmbeddingScorer, clipped
from selector.domain import Axis, Column, Item, Score, TaskInputs, TaskType
from selector.domain.embedding import Seen


class ClipSimilarity(EmbeddingScorer):
    """clip_similarity: how well the picture fits its prompt, by the shared embedding.

    Estimates: cosine of the picture's and the prompt's vectors (CLIPScore without its scale: Hessel et al., EMNLP
        2021).
    Range and direction: [-1, 1], up; usual values are 0.15 to 0.40, so only differences within a task mean something.
    Axis: SC. Tasks: text to image.
    Input: the candidate, seen whole, and the prompt; a long prompt is embedded in pieces.
    Model and licence: the backbone of ``[embedding]``, by default OpenAI's ViT-L/14 (MIT).
    Source: Hessel et al., EMNLP 2021.
    Cost: one forward pass a candidate, shared with every other head of the whole view.
    Fails: blind to counts, to which thing is left of which, and to fine text; likes what is typical. A prompt in a
        language that the backbone does not read is unscored.

    Example:
        The model that ships with bestshot knows coloured shapes, and is small enough for an example:

        >>> import numpy as np
        >>> from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_scorer
        >>> red = Picture(encode_final(np.full((64, 64, 3), (220, 30, 30), np.uint8)))
        >>> tasks = [Task("1", TaskType.T2I, f"a {colour} square", None, None, 0) for colour in ("red", "blue")]
        >>> scorer = create_scorer("clip_similarity", {"model": "embedded"})
        >>> scores = scorer.score([Item(TaskInputs(task), red) for task in tasks])
        >>> scores[0]["similarity"].value > scores[1]["similarity"].value
        True
    """

    name = "clip_similarity"
    task_types = frozenset({TaskType.T2I})
    columns = (Column("similarity", -1.0, 1.0, True, Axis.SC, "cosine of picture and prompt in CLIP's space"),)

    def texts(self, inputs: TaskInputs) -> tuple[str, ...]:
        return (inputs.task.prompt,)

    def read(self, item: Item, seen: Seen) -> Mapping[str, Score]:  # noqa: ARG002
        why = seen.unreadable[0]
        return self._unscored(why) if why else {"similarity": clipped(float(seen.cosines[0, 0]), self.columns[0])}
