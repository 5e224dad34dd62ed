"""Replies of a judge that was asked, as judgements: the median of each sub-score over repeats, and its spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean, median

from selector.contest.score import smallest_part
from selector.domain import Axis, TaskType
from selector.llm import SCORED
from selector.llm.asking_calls import Call, Key
from selector.store.observations import JUDGE, Judgement
from selector.store.replies import ReplyRow

MORE_REPLIES = "median over more replies"
EQUAL = "several alike"


def judgement_of(judge: str, calls: Sequence[Call], replies: Mapping[str, Sequence[ReplyRow]]) -> Judgement | None:
    """What the replies to the calls about one candidate come to; None when none is scored.

    An axis of which no reply is scored is not judged. Every scored repeat counts, whatever became of the others.
    """
    values: dict[Axis, float] = {}
    parts: dict[str, float] = {}
    spread: dict[str, float] = {}
    for axis in (Axis.SC, Axis.PQ):
        scored = [s for call in calls if call.question.axis is axis for s in _scores(replies.get(call.key, ()))]
        if scored:
            said = {part: [scores[part] for scores in scored] for part in scored[0]}
            parts |= {part: median(numbers) for part, numbers in said.items()}
            spread |= {part: max(numbers) - min(numbers) for part, numbers in said.items() if len(numbers) > 1}
            values[axis] = float(smallest_part([parts[part] for part in said]))
    if not values:
        return None
    first = calls[0]
    return Judgement(
        first.task.id, first.candidate_id, judge, JUDGE, values.get(Axis.SC), values.get(Axis.PQ), parts, spread=spread
    )


def news(said: Judgement | None, standing: Judgement | None, at: str) -> Judgement | None:
    """The judgement to add, or None when it says nothing new; a correction carries its reason.

    What came from a table stays: it was put there by hand.
    """
    if said is None or (standing is not None and (standing.spread is None or _content(said) == _content(standing))):
        return None
    before = {} if standing is None else _values(standing)
    now = _values(said)
    corrected = any(now.get(name) != value for name, value in before.items())
    return replace(said, at=at, reason=MORE_REPLIES if corrected else None)


def mean_spread(judgements: Iterable[Judgement]) -> dict[str, float]:
    """Mean of (largest - smallest) by sub-score, over the candidates of which it was said more than once."""
    found: dict[str, list[float]] = {}
    for judgement in judgements:
        for part, width in (judgement.spread or {}).items():
            found.setdefault(part, []).append(width)
    return {part: fmean(widths) for part, widths in sorted(found.items())}


def binding_parts(judgements: Mapping[Key, Judgement], types: Mapping[str, TaskType]) -> dict[str, dict[str, int]]:
    """Task type to how often each sub-score was the smallest of all of its candidate, the one that rules."""
    found: dict[str, Counter[str]] = {}
    for (task_id, _), judgement in judgements.items():
        if judgement.sc is None or judgement.pq is None or len(judgement.parts) < 2:
            continue
        least = min(judgement.parts.values())
        ruling = [part for part, value in judgement.parts.items() if value == least]
        found.setdefault(types[task_id].value, Counter())[ruling[0] if len(ruling) == 1 else EQUAL] += 1
    return {k: dict(sorted(n.items(), key=lambda pair: (-pair[1], pair[0]))) for k, n in sorted(found.items())}


def _scores(replies: Sequence[ReplyRow]) -> list[Mapping[str, float]]:
    return [reply.scores for reply in replies if reply.outcome == SCORED][:1]


def _values(judgement: Judgement) -> dict[str, float]:
    axes = {"sc": judgement.sc, "pq": judgement.pq}
    return {**{name: value for name, value in axes.items() if value is not None}, **judgement.parts}


def _content(judgement: Judgement) -> tuple[dict[str, float], dict[str, float]]:
    return _values(judgement), dict(judgement.spread or {})
