"""What a run of a judge asked and learned."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class AskSummary:
    """What a run asked and learned.

    ``candidates``: that were asked about; ``judged`` of them have a new or changed judgement; ``later``: those that a
    limit left for another run. ``questions`` are SC and PQ and repeats, ``scored`` of them have scores, ``unscored``
    count the others by reason; ``replies``: answers, those asked again included; ``sent_again``: retries by cause.
    ``cost`` is None where price or tokens are not known. ``spread``: mean of largest - smallest over repeats, by
    sub-score; ``binding``: by task type, how often each sub-score was the smallest, over all that this judge has
    judged. ``failures`` are not stored and tried again by the next run. ``stopped``: why not all were asked.
    """

    judge: str
    model: str
    provider: str
    candidates: int = 0
    judged: int = 0
    later: int = 0
    questions: int = 0
    scored: int = 0
    unscored: dict[str, int] = field(default_factory=dict)
    replies: int = 0
    sent_again: dict[str, int] = field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    currency: str = ""
    spread: dict[str, float] = field(default_factory=dict)
    binding: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    stopped: str | None = None
