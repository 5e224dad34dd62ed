"""Where phrases are in a picture, and what follows for a scene: pure arithmetic on scores of boxes.

Evidence comes from crops of a fixed grid, scored by an embedding, or from a detector's boxes; both are a table of boxes
and phrases. Every check is soft: a share of scores, or a logistic function of a margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]

LOGIT_SCALE = 100.0  # what CLIP learned to multiply its cosines with (Radford et al. 2021, its upper bound)
SMALLEST = 1e-12
MARGIN = 0.06  # of width or height: centres this far apart make an order 73% sure
HALF_SURE = 0.12  # a detection with this score counts half; OWLv2's are low and are cut at 0.1 to 0.2 by custom
SAME_OBJECT = 0.5  # boxes that share more of their union show one object


@dataclass(frozen=True)
class Evidence:
    """Scores of all phrases in the same boxes of one image.

    ``boxes`` (k, 4): left, top, right, bottom as shares of width and height. ``scores`` (k, t), above 0 and up to 1,
    comparable across boxes and phrases. ``outlines``: whether each box was drawn around one object (a detector), so
    that boxes can be counted; crops of a grid are not.
    """

    phrases: tuple[str, ...]
    boxes: Floats
    scores: Floats
    outlines: bool

    def of(self, phrase: str) -> Floats:
        """(k,) scores of one phrase."""
        return np.asarray(self.scores[:, self.phrases.index(phrase)])

    def share(self, phrase: str, rivals: Sequence[str]) -> Floats:
        """(k,) in [0, 1]: the phrase's part of the scores of itself and its rivals, in every box."""
        others = [self.of(rival) for rival in dict.fromkeys(rivals) if rival != phrase]
        own = self.of(phrase)
        return np.asarray(own / np.sum([own, *others], axis=0))

    @property
    def centres(self) -> Floats:
        """(k, 2) x and y of the boxes' centres."""
        return np.asarray((self.boxes[:, :2] + self.boxes[:, 2:]) / 2)


def grid_evidence(phrases: Sequence[str], boxes: Any, cosines: Any) -> Evidence:
    """Evidence of crops (k, 4) and their cosines with the phrases (k, t): ratios of scores are CLIP's softmax."""
    values = np.asarray(cosines, np.float64)
    scores = np.exp(LOGIT_SCALE * (values - values.max()))
    return Evidence(tuple(phrases), np.asarray(boxes, np.float64), np.maximum(scores, SMALLEST), outlines=False)


def detector_evidence(phrases: Sequence[str], boxes: Any, scores: Any) -> Evidence:
    """Evidence of a detector's boxes (k, 4) and their scores (k, t) in [0, 1]."""
    values = np.clip(np.asarray(scores, np.float64), SMALLEST, 1.0)
    return Evidence(tuple(phrases), np.asarray(boxes, np.float64).reshape(-1, 4), values, outlines=True)


def found(evidence: Evidence, name: str, others: Sequence[str]) -> float:
    """How sure it is that the thing is somewhere, rather than one of ``others`` everywhere: [0, 1]."""
    if not len(evidence.boxes):
        return 0.0
    return float((evidence.share(name, others) * _sureness(evidence, name)).max())


def place(evidence: Evidence, name: str, others: Sequence[str]) -> Floats:
    """(k,) weights of the boxes, summing to 1: where the thing is. No boxes, no weights.

    A crop counts by its score and by how much more it looks like the thing than like the others. Scores of a grid are
    first divided by the phrase's mean over the crops: a phrase that fits everything better is nowhere in particular.
    """
    if not len(evidence.boxes):
        return np.zeros(0)
    if evidence.outlines:
        logs = 4 * np.log(evidence.of(name) * evidence.share(name, others))  # the best box, and its near duplicates
    else:
        logs = np.log(evidence.of(name)) + np.log(_centred(evidence).share(name, others))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def binding(evidence: Evidence, weights: Floats, own: str, rivals: Sequence[str]) -> float:
    """How much more the thing looks like its own attribute than like the rivals, where it is: [0, 1]."""
    return float(weights @ evidence.share(own, rivals)) if len(weights) else 0.0


def order(evidence: Evidence, first: Floats, second: Floats, kind: str) -> float | None:
    """How well the things at ``first`` and ``second`` lie in the order of a relation: [0, 1], 0.5 for no order.

    None where a flat picture, or this grounding, does not show the relation (in front of; inside, without outlines).
    """
    if not (len(first) and len(second)):
        return 0.0
    x, y = (evidence.centres.T @ second) - (evidence.centres.T @ first)
    if kind == "in":
        return _inside(evidence, first, second) if evidence.outlines else None
    margins = {"left": x, "right": -x, "above": y, "on": y, "below": -y, "under": -y, "beside": abs(x) - abs(y)}
    return None if kind not in margins else float(1 / (1 + np.exp(-margins[kind] / MARGIN)))


def counted(evidence: Evidence, name: str, others: Sequence[str], count: int) -> float:
    """Probability that exactly ``count`` of the thing are there, each box being one with its own sureness."""
    sure = evidence.share(name, others) * _sureness(evidence, name) if len(evidence.boxes) else np.zeros(0)
    return _exactly(count, sure[_one_each(evidence.boxes, sure)])


def _sureness(evidence: Evidence, name: str) -> Floats:
    """(k,): a detector's score as a degree of belief; crops say nothing of the kind."""
    if not evidence.outlines:
        return np.ones(len(evidence.boxes))
    squares = evidence.of(name) ** 2
    return np.asarray(squares / (squares + HALF_SURE**2))


def _centred(evidence: Evidence) -> Evidence:
    means = np.exp(np.log(evidence.scores).mean(axis=0))
    return Evidence(evidence.phrases, evidence.boxes, evidence.scores / means, outlines=False)


def _inside(evidence: Evidence, first: Floats, second: Floats) -> float:
    """Share of the best box of the first that lies in the best box of the second."""
    inner, outer = evidence.boxes[first.argmax()], evidence.boxes[second.argmax()]
    area = _area(inner)
    return float(_area(_common(inner, outer)) / area) if area > 0 and not np.array_equal(inner, outer) else 0.0


def _area(box: Floats) -> float:
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def _common(a: Floats, b: Floats) -> Floats:
    return np.concatenate([np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])])


def _one_each(boxes: Floats, sure: Floats) -> list[int]:
    """Non-maximum suppression: indexes of boxes, the surest of every group that overlaps."""
    kept: list[int] = []
    for i in np.argsort(-sure, kind="stable"):
        common = [_area(_common(boxes[i], boxes[j])) for j in kept]
        unions = [_area(boxes[i]) + _area(boxes[j]) - c for j, c in zip(kept, common, strict=True)]
        if all(c <= SAME_OBJECT * union for c, union in zip(common, unions, strict=True)):
            kept.append(int(i))
    return kept


def _exactly(count: int, chances: Floats) -> float:
    """Probability that exactly ``count`` of independent events happen (Poisson binomial)."""
    spread = np.zeros(len(chances) + 1)
    spread[0] = 1.0
    for chance in chances:
        spread[1:] = spread[1:] * (1 - chance) + spread[:-1] * chance
        spread[0] *= 1 - chance
    return float(spread[count]) if count < len(spread) else 0.0
