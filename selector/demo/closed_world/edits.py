"""Edits of the closed world by an instruction, English or Chinese, and what the edited scene is.

A source is a scene whose shapes have their places and whose light and grain have a seed: so the same picture can be
painted again with one thing changed and all else kept to the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from selector.demo.closed_world.render import Box, Pixels, paint, placed
from selector.demo.closed_world.scene import (
    BACKGROUNDS,
    CHINESE,
    CHINESE_NUMBERS,
    COLOURS,
    NUMBERS,
    SHAPES,
    Group,
    Scene,
    other,
    plural,
    random_scene,
)

Kind: TypeAlias = Literal["colour", "shape", "removal", "background"]
Placed: TypeAlias = tuple[tuple[Group, Box], ...]

KINDS: tuple[Kind, ...] = ("colour", "shape", "removal", "background")
_ENGLISH = {
    "colour": ("Make {what} {to}", "Change the color of {what} to {to}"),
    "shape": ("Turn {what} into {to}",),
    "removal": ("Remove {what}",),
    "background": ("Make the background {to}", "Change the background to {to}"),
}
_CHINESE = {
    "colour": ("把{what}改成{to}", "把{what}变成{to}"),
    "shape": ("把{what}变成{to}",),
    "removal": ("删除{what}", "去掉{what}"),
    "background": ("把背景改成{to}", "将背景换成{to}"),
}


@dataclass(frozen=True)
class Source:
    """A picture to edit: its scene, the shapes with their places (of the first group first), the seed of its paint."""

    scene: Scene
    shapes: Placed
    seed: int

    @property
    def picture(self) -> Pixels:
        """(64, 64, 3) uint8."""
        return repainted(self, self.scene.background, self.shapes)


@dataclass(frozen=True)
class Edit:
    """What an instruction asks for: ``group`` becomes ``to`` (a colour, a shape; "" for a removal).

    Of a background ``group`` is -1 and ``to`` the new one.
    """

    kind: Kind
    group: int
    to: str


def random_source(rng: np.random.Generator) -> Source:
    """A scene of at least one group, placed."""
    scene = random_scene(rng)
    return Source(scene, tuple(placed(scene, rng)), int(rng.integers(2**31)))


def repainted(source: Source, background: str, shapes: Placed) -> Pixels:
    """The source's own light and grain over these shapes; as many as it has, a removed one has no side left."""
    scene = replace(source.scene, background=background)
    return paint(scene, list(shapes), np.random.default_rng(source.seed))


def random_edit(source: Source, rng: np.random.Generator) -> Edit:
    """One that the scene allows: two groups never become alike, and the last group is never removed."""
    scene = source.scene
    kind: Kind = KINDS[int(rng.integers(len(KINDS)))]
    if kind == "removal" and len(scene.groups) < 2:
        kind = "background"
    if kind == "background":
        return Edit(kind, -1, other(BACKGROUNDS, scene.background, rng))
    group = int(rng.integers(len(scene.groups)))
    if kind == "removal":
        return Edit(kind, group, "")
    words, now = (COLOURS, scene.groups[group].colour) if kind == "colour" else (SHAPES, scene.groups[group].shape)
    while True:
        edit = Edit(kind, group, other(words, now, rng))
        kinds = {(g.colour, g.shape) for g in edited_groups(scene, edit)}
        if len(kinds) == len(scene.groups):
            return edit


def edited_groups(scene: Scene, edit: Edit) -> tuple[Group, ...]:
    """The groups as they should be; a removed one is left out."""
    return tuple(group for i, was in enumerate(scene.groups) if (group := edited_group(was, i, edit)) is not None)


def edited_group(group: Group, number: int, edit: Edit) -> Group | None:
    """What becomes of the group of that number; None if it is removed."""
    if number != edit.group:
        return group
    if edit.kind == "removal":
        return None
    return replace(group, colour=edit.to) if edit.kind == "colour" else replace(group, shape=edit.to)


def edited_background(scene: Scene, edit: Edit) -> str:
    return edit.to if edit.kind == "background" else scene.background


def group_of(source: Source, shape: int) -> int:
    """The number of the group that a placed shape is of."""
    return 0 if shape < source.scene.groups[0].count else 1


def edited_shapes(source: Source, edit: Edit) -> Placed:
    """All shapes as they should be; removed ones have no side."""
    shapes = []
    for i, (was, (x, y, half)) in enumerate(source.shapes):
        group = edited_group(was, group_of(source, i), edit)
        shapes.append((was, (x, y, 0.0)) if group is None else (group, (x, y, half)))
    return tuple(shapes)


def instruction(source: Source, edit: Edit, rng: np.random.Generator, language: str) -> str:
    """The edit in words. ``language``: en or zh."""
    ways = (_ENGLISH if language == "en" else _CHINESE)[edit.kind]
    way = ways[int(rng.integers(len(ways)))]
    group = source.scene.groups[edit.group] if edit.group >= 0 else None
    named = _named if language == "en" else _named_chinese
    return way.format(what=named(group) if group else "", to=_to(edit, group, language))


def _to(edit: Edit, group: Group | None, language: str) -> str:
    if not edit.to:
        return ""
    if language == "zh":
        return CHINESE[edit.to]
    if edit.kind != "shape" or group is None:
        return edit.to
    return f"a {edit.to}" if group.count == 1 else plural(edit.to)


def _named(group: Group) -> str:
    if group.count == 1:
        return f"the {group.colour} {group.shape}"
    return f"the {NUMBERS[group.count]} {group.colour} {plural(group.shape)}"


def _named_chinese(group: Group) -> str:
    count = f"{CHINESE_NUMBERS[group.count]}个" if group.count > 1 else ""
    return f"{count}{CHINESE[group.colour]}的{CHINESE[group.shape]}"
