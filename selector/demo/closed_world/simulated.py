"""Simulated makers of pictures with a known skill: editors, and generators that stand in for a text-to-image model.

They know the scene that is asked for and draw it, or fail on purpose: they misunderstand, change what should stay, or
paint badly (blur, noise, JPEG). No model is behind them; they exist because the truth of what they make is known and
because nobody has an editing model of the closed world. A *damage* takes a (64, 64, 3) uint8 picture and leaves its
scene true; a *change* takes a scene and gives one that the picture does not show.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import ndimage

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
from selector.demo.closed_world.render import (
    GAP_PX,
    HALF_PX,
    PAINT,
    PAPER,
    SIDE_PX,
    Box,
    Pixels,
    coverage,
    draw,
    paint,
    placed,
)
from selector.demo.closed_world.scene import BACKGROUNDS, COLOURS, MOST, SHAPES, SIZES, Group, Scene, has_room, other

Damage: TypeAlias = Callable[[Pixels, np.random.Generator], Pixels]
Change: TypeAlias = Callable[[Scene, np.random.Generator], Scene]

TRIES = 200  # places for one shape more, before all others are placed again
MOVES_PX = 9.0  # sd, of a shape that should have stayed
CUT = 0.2  # where a shape is cut, from its centre, as a share of half its side


def blurred(sd_px: float) -> Damage:
    def damage(picture: Pixels, rng: np.random.Generator) -> Pixels:
        del rng
        return _pixels(ndimage.gaussian_filter(picture.astype(np.float32), (sd_px, sd_px, 0)))

    return damage


def noisy(sd: float) -> Damage:
    """Gaussian noise of ``sd`` grey levels, another in each channel."""
    return lambda picture, rng: _pixels(picture + rng.normal(0, sd, picture.shape))


def jpeg(quality: int, halved_chroma: bool = False) -> Damage:
    """``halved_chroma``: 4:2:0, else 4:4:4 as this project writes JPEG."""

    def damage(picture: Pixels, rng: np.random.Generator) -> Pixels:
        from PIL import Image

        del rng
        stored = io.BytesIO()
        Image.fromarray(picture).save(stored, "JPEG", quality=quality, subsampling=2 if halved_chroma else 0)
        return np.asarray(Image.open(stored))

    return damage


def _with_group(scene: Scene, rng: np.random.Generator, change: Callable[[Group], Group]) -> Scene:
    which = int(rng.integers(len(scene.groups)))
    return replace(scene, groups=tuple(change(g) if i == which else g for i, g in enumerate(scene.groups)))


def _count(count: int, rng: np.random.Generator) -> int:
    return count - 1 if count == MOST or (count > 1 and rng.random() < 0.5) else count + 1


CHANGES: dict[str, Change] = {
    "relation": lambda scene, _: replace(scene, groups=scene.groups[::-1]),  # a scene of one group stays true
    "colour": lambda scene, rng: _with_group(scene, rng, lambda g: replace(g, colour=other(COLOURS, g.colour, rng))),
    "shape": lambda scene, rng: _with_group(scene, rng, lambda g: replace(g, shape=other(SHAPES, g.shape, rng))),
    "count": lambda scene, rng: _with_group(scene, rng, lambda g: replace(g, count=_count(g.count, rng))),
    "size": lambda scene, rng: replace(
        _with_group(scene, rng, lambda g: replace(g, size=other(SIZES, g.size, rng))), says_size=True
    ),
    "background": lambda scene, rng: replace(
        scene, background=other(BACKGROUNDS, scene.background, rng), says_background=True
    ),
}


def _with_a_stranger(scene: Scene, rng: np.random.Generator) -> Pixels:
    """A drawn scene with one small shape more than it says."""
    stranger = Group(1, str(rng.choice(COLOURS)), str(rng.choice(SHAPES)), "small")
    while True:
        shapes = placed(scene, rng)
        for _ in range(TRIES):
            half = rng.uniform(*HALF_PX["small"])
            x, y = rng.uniform(half + 2, SIDE_PX - half - 3, 2)
            if all(max(abs(x - a), abs(y - b)) > half + other + GAP_PX for _, (a, b, other) in shapes):
                return paint(scene, [*shapes, (stranger, (x, y, half))], rng)


def _cut(scene: Scene, rng: np.random.Generator, recoloured: bool) -> Pixels:
    """A drawn scene, two fifths of one shape on the right missing, or in another colour."""
    shapes = placed(scene, rng)
    picture = paint(scene, shapes, rng).astype(np.float32)
    group, (x, y, half) = shapes[int(rng.integers(len(shapes)))]
    mask = np.clip(coverage(group.shape, (x, y, half)) * 4, 0, 1)
    mask[:, : round(x + CUT * half)] = 0
    filling = PAINT[other(COLOURS, group.colour, rng)] if recoloured else PAPER[scene.background]
    return _pixels(picture + mask[..., None] * (np.asarray(filling, np.float32) - picture))


MALFORMED: dict[str, Callable[[Scene, np.random.Generator], Pixels]] = {
    "bitten shape": lambda scene, rng: _cut(scene, rng, False),
    "shape in two colours": lambda scene, rng: _cut(scene, rng, True),
    "one shape too many": _with_a_stranger,
}


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
        return other(BACKGROUNDS, source.scene.background, rng), shapes
    which = int(rng.choice(others))
    change = _moved if rng.random() < 0.5 else _recoloured
    return background, tuple(change(*one, rng) if i == which else one for i, one in enumerate(shapes))


def _moved(group: Group, box: Box, rng: np.random.Generator) -> tuple[Group, Box]:
    low, high = box[2] + 2, SIDE_PX - box[2] - 3
    x, y = np.clip(np.array(box[:2]) + rng.normal(0, MOVES_PX, 2), low, high)
    return group, (float(x), float(y), box[2])


def _recoloured(group: Group, box: Box, rng: np.random.Generator) -> tuple[Group, Box]:
    return replace(group, colour=other(COLOURS, group.colour, rng)), box


def _spoiled(picture: Pixels, rng: np.random.Generator) -> Pixels:
    damages: list[Callable[[Pixels, np.random.Generator], Pixels]] = [
        blurred(float(rng.uniform(0.8, 2.0))),
        noisy(float(rng.uniform(8, 25))),
        jpeg(int(rng.integers(8, 30)), halved_chroma=True),
    ]
    return damages[int(rng.integers(len(damages)))](picture, rng)


def _pixels(values: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
