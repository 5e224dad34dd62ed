"""Simulated makers of pictures with a known skill: editors, and generators that stand in for a text-to-image model.

They know the scene that is asked for and draw it, or fail on purpose: they misunderstand, change what should stay, or
paint badly (blur, noise, JPEG). No model is behind them; they exist because the truth of what they make is known and
because nobody has an editing model of the closed world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from selector.demo.closed_world.corruptions import CHANGES, MALFORMED, blurred, jpeg, noisy
from selector.demo.closed_world.edits import (
    Edit,
    Placed,
    Source,
    edited_background,
    edited_shapes,
    group_of,
    random_edit,
    repainted,
)
from selector.demo.closed_world.render import SIDE_PX, Box, Pixels, draw
from selector.demo.closed_world.scene import BACKGROUNDS, COLOURS, Group, Scene, has_room

MOVES_PX = 9.0  # sd, of a shape that should have stayed


@dataclass(frozen=True)
class Maker:
    """Probabilities: that it ``does`` what is asked, ``keeps`` the rest (an editor), ``paints`` cleanly."""

    name: str
    does: float
    keeps: float
    paints: float


EDITORS = (
    Maker("careful", does=0.75, keeps=0.85, paints=0.8),
    Maker("bold", does=0.9, keeps=0.45, paints=0.8),
    Maker("timid", does=0.4, keeps=0.95, paints=0.95),
    Maker("smudging", does=0.8, keeps=0.8, paints=0.25),
)
GENERATORS = (
    Maker("first", does=0.25, keeps=1, paints=0.7),
    Maker("second", does=0.45, keeps=1, paints=0.8),
    Maker("third", does=0.6, keeps=1, paints=0.7),
    Maker("fourth", does=0.6, keeps=1, paints=0.3),
)


def edited(source: Source, edit: Edit, editor: Maker, rng: np.random.Generator) -> Pixels:
    """The editor's picture, (64, 64, 3) uint8."""
    if rng.random() < editor.does:
        background, shapes = edited_background(source.scene, edit), edited_shapes(source, edit)
    elif rng.random() < 0.5:
        background, shapes = source.scene.background, source.shapes  # nothing happens
    else:
        wrong = random_edit(source, rng)  # another edit than the one asked for, as a rule
        background, shapes = edited_background(source.scene, wrong), edited_shapes(source, wrong)
    if rng.random() >= editor.keeps:
        background, shapes = _over_edited(source, edit, background, shapes, rng)
    picture = repainted(source, background, shapes)
    return picture if rng.random() < editor.paints else _spoiled(picture, rng)


def generated(scene: Scene, generator: Maker, rng: np.random.Generator) -> Pixels:
    """The generator's picture of a scene, (64, 64, 3) uint8."""
    if rng.random() < generator.does:
        picture = draw(scene, rng)
    elif rng.random() < 0.25:
        picture = MALFORMED[str(rng.choice(list(MALFORMED)))](scene, rng)
    else:
        picture = draw(_misunderstood(scene, rng), rng)
    return picture if rng.random() < generator.paints else _spoiled(picture, rng)


def _misunderstood(scene: Scene, rng: np.random.Generator) -> Scene:
    """One fact is another, or two are."""
    facts = ["colour", "shape", "count", *(["relation"] if len(scene.groups) > 1 else [])]
    for name in rng.choice(facts, int(rng.integers(1, 3)), replace=False):
        changed = CHANGES[str(name)](scene, rng)
        scene = changed if has_room(changed) else scene
    return scene


def _over_edited(
    source: Source, edit: Edit, background: str, shapes: Placed, rng: np.random.Generator
) -> tuple[str, Placed]:
    """Another background, or a shape that was not asked about moves or becomes another colour."""
    others = [i for i in range(len(shapes)) if group_of(source, i) != edit.group]
    if edit.kind != "background" and (not others or rng.random() < 0.3):
        return str(rng.choice([one for one in BACKGROUNDS if one != source.scene.background])), shapes
    which = int(rng.choice(others))
    change = _moved if rng.random() < 0.5 else _recoloured
    return background, tuple(change(*one, rng) if i == which else one for i, one in enumerate(shapes))


def _moved(group: Group, box: Box, rng: np.random.Generator) -> tuple[Group, Box]:
    low, high = box[2] + 2, SIDE_PX - box[2] - 3
    x, y = np.clip(np.array(box[:2]) + rng.normal(0, MOVES_PX, 2), low, high)
    return group, (float(x), float(y), box[2])


def _recoloured(group: Group, box: Box, rng: np.random.Generator) -> tuple[Group, Box]:
    return replace(group, colour=str(rng.choice([c for c in COLOURS if c != group.colour]))), box


def _spoiled(picture: Pixels, rng: np.random.Generator) -> Pixels:
    damages: list[Callable[[Pixels, np.random.Generator], Pixels]] = [
        blurred(float(rng.uniform(0.8, 2.0))),
        noisy(float(rng.uniform(8, 25))),
        jpeg(int(rng.integers(8, 30)), halved_chroma=True),
    ]
    return damages[int(rng.integers(len(damages)))](picture, rng)
