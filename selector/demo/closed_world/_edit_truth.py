"""The truth of an edited picture: VIEScore's rule for edits on what the checker's eyes see.

SC is the smaller of *edit success* (is what was asked for there?) and *minimal over-editing* (did the rest stay?), each
0 to 10; PQ is the checker's. Shapes are known by their places: an edit does not move them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from selector.demo.closed_world._edits import Edit, Source, edited_background, edited_group, group_of
from selector.demo.closed_world._shapes_seen import SeenShape
from selector.demo.closed_world.checker import SIZE_WEIGHT, Seen, read
from selector.demo.closed_world.render import Box, Pixels
from selector.demo.closed_world.scene import Group

SAME_PLACE_PX, OTHER_PLACE_PX = 2.5, 12.0  # between the centres; a large shape has a half side of 9.5 to 11
MOVED = 0.5  # of its credit that a shape keeps at another place
OTHER_BACKGROUND = 0.5  # factor of what was kept where nobody asked for another one
SAME_FACTS = 0.1  # of a shape's place, for who is who where several are near


@dataclass(frozen=True)
class EditTruth:
    """All 0 to 10. ``success``: what was asked for is there; ``kept``: the rest is as it was."""

    success: float
    kept: float
    pq: float

    @property
    def sc(self) -> float:
        return min(self.success, self.kept)

    @property
    def overall(self) -> float:
        """VIEScore: the geometric mean of sc and pq."""
        return float(np.sqrt(self.sc * self.pq))


def check_edit(picture: Pixels, source: Source, edit: Edit) -> EditTruth:
    """The truth of a square RGB picture, uint8, that should be the edited source."""
    return judged_edit(read(picture), source, edit)


def judged_edit(seen: Seen, source: Source, edit: Edit) -> EditTruth:
    """What was seen, held against what was there and what was asked for."""
    there = _matched(seen.shapes, source, edit)
    background = seen.background == edited_background(source.scene, edit)
    kept = _kept(there, seen.shapes, source, edit)
    if edit.kind != "background" and not background:
        kept *= OTHER_BACKGROUND
    success = float(background) if edit.kind == "background" else _success(there, source, edit)
    return EditTruth(10 * success, 10 * kept, seen.quality.pq)


def _matched(shapes: tuple[SeenShape, ...], source: Source, edit: Edit) -> dict[int, SeenShape]:
    """The number of a placed shape to the seen one that took its place, or is what became of it."""
    if not shapes:
        return {}
    wanted = [(edited_group(was, group_of(source, i), edit) or was, box) for i, (was, box) in enumerate(source.shapes)]
    worth = np.array(
        [[_place(box, seen) + SAME_FACTS * _alike(group, seen) for seen in shapes] for group, box in wanted]
    )
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return {int(i): shapes[int(j)] for i, j in zip(rows, columns, strict=True)}


def _success(there: dict[int, SeenShape], source: Source, edit: Edit) -> float:
    """The share of the shapes asked about that became what they should."""
    done = []
    for i, (_, box) in enumerate(source.shapes):
        if group_of(source, i) == edit.group:
            seen = there.get(i)
            at_its_place = seen is not None and _place(box, seen) > 0
            if edit.kind == "removal":
                done.append(not at_its_place)
            else:
                done.append(seen is not None and getattr(seen, edit.kind) == edit.to)
    return float(np.mean(done))


def _kept(there: dict[int, SeenShape], shapes: tuple[SeenShape, ...], source: Source, edit: Edit) -> float:
    """Credit of what should have stayed, 0 to 1: the mean and the worst count alike, as in PQ.

    A shape that was not there before counts as one that was lost.
    """
    credits, known = [], set()
    for i, (was, box) in enumerate(source.shapes):
        seen, asked = there.get(i), group_of(source, i) == edit.group
        if asked and edit.kind == "removal":
            if seen is not None and _place(box, seen) > 0:  # a failed removal is no over-editing
                known.add(id(seen))
            continue
        if seen is None:
            credits.append(0.0)
            continue
        known.add(id(seen))
        changed = edit.kind if asked else ""
        credits.append(_same(was, seen, changed) * (MOVED + (1 - MOVED) * _place(box, seen)))
    credits += [0.0 for seen in shapes if id(seen) not in known]
    return (min(credits) + sum(credits) / len(credits)) / 2


def _same(group: Group, seen: SeenShape, but: str) -> float:
    """The share of colour, shape and size, but for one of them, that is as it was."""
    half = (1 - SIZE_WEIGHT) / 2
    weights = {"colour": half, "shape": half, "size": SIZE_WEIGHT}
    counted = {fact: weight for fact, weight in weights.items() if fact != but}
    same = sum(weight for fact, weight in counted.items() if getattr(seen, fact) == getattr(group, fact))
    return same / sum(counted.values())


def _alike(group: Group, seen: SeenShape) -> float:
    return (float(group.colour == seen.colour) + float(group.shape == seen.shape)) / 2


def _place(box: Box, seen: SeenShape) -> float:
    """1 at the same place, 0 at another."""
    apart = float(np.hypot(seen.x - box[0], seen.y - box[1]))
    return float(np.clip((OTHER_PLACE_PX - apart) / (OTHER_PLACE_PX - SAME_PLACE_PX), 0, 1))
