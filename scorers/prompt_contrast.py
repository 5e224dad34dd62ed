"""prompt_contrast: whether the picture fits its own prompt better than the prompts of other tasks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scorers._embedded import EmbeddingScorer, clipped
from selector.domain import Axis, Column, Item, Score, TaskInputs, TaskType, stable_hash
from selector.domain.embedding import ContestContext, Seen

LEAST_OTHERS = 4


class PromptContrast(EmbeddingScorer):
    """prompt_contrast: whether the picture fits its own prompt better than the prompts of other tasks.

    Estimates: retrieval by the shared embedding. A cosine has no scale of its own (some pictures are close to every
        text); the other tasks' prompts of the same type give it one.
    Range and direction: rank [0, 1], up: share of other prompts that fit the picture less; margin [-10, 10], up: how
        far the own prompt's cosine lies above the others', in their standard deviations.
    Axis: SC. Tasks: text to image.
    Input: the candidate, seen whole, its prompt, and the contest's other prompts.
    Model and licence: the backbone of ``[embedding]``.
    Source: retrieval as CLIP was evaluated (Radford et al. 2021).
    Cost: nothing beyond the pass: 1,000 prompts are 1,000 columns of its product.
    Fails: with few or near-equal prompts; rank saturates at 1 for good pictures, where margin goes on. Scores change
        with the task table, which is part of the version.

    Example:
        In ``campaign.toml``, and then ``bestshot score``; ``margin`` also where the rank saturates:

        [scorers.prompt_contrast]
    """

    name = "prompt_contrast"
    task_types = frozenset({TaskType.T2I})
    columns = (
        Column("rank", 0.0, 1.0, True, Axis.SC, "share of the other tasks' prompts that fit the picture less"),
        Column("margin", -10.0, 10.0, True, Axis.SC, "own prompt over the others, in their standard deviations"),
    )
    _prompts: tuple[str, ...] = ()

    def meet(self, contest: ContestContext) -> None:
        super().meet(contest)
        prompts = {task.prompt.strip() for task in contest.tasks if task.type in self.task_types}
        self._prompts = tuple(sorted(prompts - {""}))

    def texts(self, inputs: TaskInputs) -> tuple[str, ...]:
        """The own prompt, then all prompts in one order: the same tuple of rows for every task but the first."""
        return (inputs.task.prompt.strip(), *self._prompts)

    def read(self, item: Item, seen: Seen) -> Mapping[str, Score]:
        if seen.unreadable[0]:
            return self._unscored(seen.unreadable[0])
        own, others = float(seen.cosines[0, 0]), seen.cosines[0, 1:]
        others = others[[text != item.inputs.task.prompt.strip() for text in self._prompts] & np.isfinite(others)]
        if len(others) < LEAST_OTHERS:
            return self._unscored("too few other prompts to compare with")
        margin = (own - float(others.mean())) / max(float(others.std()), 1e-6)
        values = (float(np.mean((others < own) + 0.5 * (others == own))), margin)
        return {c.name: clipped(value, c) for c, value in zip(self.columns, values, strict=True)}

    def _more_version(self) -> list[str]:
        return [f"p{stable_hash(list(self._prompts), 6)}", *super()._more_version()]
