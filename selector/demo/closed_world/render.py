"""Draws scenes: shapes with soft shadows under an even or slanting light, on slightly rough paper."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from selector.demo.closed_world.scene import Group, Scene

Pixels: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"
Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"
Box: TypeAlias = tuple[float, float, float]  # centre x, centre y, half the side, in pixels

SIDE_PX = 64
FINER = 4  # drawn this much larger and averaged: smooth edges
PAINT: dict[str, tuple[int, int, int]] = {
    "red": (214, 40, 44),
    "orange": (240, 132, 28),
    "yellow": (236, 214, 44),
    "green": (46, 160, 67),
    "blue": (44, 84, 214),
    "purple": (148, 60, 180),
}
PAPER = {"white": 238, "grey": 142, "black": 34}
HALF_PX = {"small": (6.5, 7.5), "large": (9.5, 11.0)}  # half a side
GAP_PX = 3.0  # between two shapes
TRIES_AT_ONCE = 512  # of placing a scene's shapes
SHADOW = 0.22  # of the light
ARM = 0.36  # half the width of a cross's arm, as a share of half its side


def draw(scene: Scene, rng: np.random.Generator) -> Pixels:
    """(64, 64, 3) uint8; another ``rng`` gives other places, light and grain for the same scene."""
    return paint(scene, placed(scene, rng), rng)


def placed(scene: Scene, rng: np.random.Generator) -> list[tuple[Group, Box]]:
    """Every shape with its place; the groups lie clear of each other along the scene's axis."""
    groups = [group for group in scene.groups for _ in range(group.count)]
    while True:
        shapes = [(group, _box(group, rng)) for group in groups]
        if _apart([box for _, box in shapes]) and _in_order(shapes, scene):
            return shapes
        _pass_over(scene, groups, rng)


def _pass_over(scene: Scene, groups: list[Group], rng: np.random.Generator) -> None:
    """Draw what tries that are in vain would draw: of a crowded scene there are millions, minutes if one by one.

    The next try has the places that it would have had after all the others.
    """
    before = rng.bit_generator.state
    draws = np.ascontiguousarray(rng.random((TRIES_AT_ONCE, len(groups), 3)).transpose(1, 2, 0))
    low, high = np.array([HALF_PX[group.size] for group in groups]).T[..., None]
    half = low + (high - low) * draws[:, 0]
    centre = (half + 2)[:, None] + (SIDE_PX - 5 - 2 * half)[:, None] * draws[:, 1:]
    first, second = np.triu_indices(len(groups), 1)
    room = abs(centre[first] - centre[second]).max(1) - half[first] - half[second]
    clear = room.min(0)
    if len(scene.groups) > 1:
        along, n = centre[:, 0 if scene.axis == "x" else 1], scene.groups[0].count
        clear = np.minimum(clear, (along - half)[n:].min(0) - (along + half)[:n].max(0))
    hopeful = np.flatnonzero(clear > GAP_PX - 1e-6)  # roundings are for the try itself to decide
    if hopeful.size:
        rng.bit_generator.state = before
        rng.random((hopeful[0], len(groups), 3))


def paint(scene: Scene, shapes: list[tuple[Group, Box]], rng: np.random.Generator) -> Pixels:
    """The picture of shapes that have their places."""
    paper = np.full((SIDE_PX, SIDE_PX, 3), PAPER[scene.background] + rng.uniform(-8, 8), np.float32)
    dx, dy = rng.uniform(0.8, 1.8), rng.uniform(0.8, 1.8)
    for group, (x, y, half) in shapes:
        paper *= 1 - SHADOW * coverage(group.shape, (x + dx, y + dy, half))[..., None]
    for group, box in shapes:
        mask = coverage(group.shape, box)[..., None]
        paper += mask * (np.asarray(PAINT[group.colour], np.float32) + rng.uniform(-10, 10, 3) - paper)
    paper *= _light(rng)[..., None]
    grain = rng.normal(0, rng.uniform(0, 2.5), (SIDE_PX, SIDE_PX, 1))
    return np.clip(np.round(paper + grain), 0, 255).astype(np.uint8)


def coverage(shape: str, box: Box) -> Floats:
    """(64, 64) how much of each pixel the shape covers, 0 to 1."""
    x, y, half = box
    left, top = int(x - half), int(y - half)  # never negative: shapes keep clear of the border
    side = int(2 * half) + 3
    inside = np.arange(side * FINER, dtype=np.float32) / FINER + 0.5 / FINER
    drawn = _inside(shape, inside[None, :] + np.float32(left - x), inside[:, None] + np.float32(top - y), half)
    part = drawn.reshape(side, FINER, side, FINER).mean((1, 3))
    whole = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    place = whole[top : top + side, left : left + side]
    place[...] = part[: place.shape[0], : place.shape[1]]
    return whole


def _light(rng: np.random.Generator) -> Floats:
    """(64, 64) even, or brighter towards one side."""
    along = np.arange(SIDE_PX, dtype=np.float32) / SIDE_PX - 0.5
    turn = rng.uniform(0, 2 * np.pi)
    slope = along[None, :] * np.cos(turn) + along[:, None] * np.sin(turn)
    return np.asarray(1 + rng.uniform(0, 0.12) * slope, np.float32)


def _box(group: Group, rng: np.random.Generator) -> Box:
    half = rng.uniform(*HALF_PX[group.size])
    low, high = half + 2, SIDE_PX - half - 3
    return rng.uniform(low, high), rng.uniform(low, high), half


def _apart(boxes: list[Box]) -> bool:
    for i, (x, y, half) in enumerate(boxes):
        for other_x, other_y, other_half in boxes[:i]:
            if max(abs(x - other_x), abs(y - other_y)) < half + other_half + GAP_PX:
                return False
    return True


def _in_order(shapes: list[tuple[Group, Box]], scene: Scene) -> bool:
    """Whether each shape of the first group ends before any of the second begins."""
    if len(scene.groups) < 2:
        return True
    along = 0 if scene.axis == "x" else 1
    n = scene.groups[0].count
    ends = max(box[along] + box[2] for _, box in shapes[:n])
    begins = min(box[along] - box[2] for _, box in shapes[n:])
    return ends + GAP_PX <= begins


def _inside(shape: str, x: Floats, y: Floats, half: float) -> Floats:
    """1 where (x, y), seen from the centre, is within the shape, else 0."""
    if shape == "circle":
        inside = x**2 + y**2 <= half**2
    elif shape == "square":
        inside = np.maximum(abs(x), abs(y)) <= half * 0.92
    elif shape == "triangle":
        inside = (abs(x) <= (y + half) / 2) & (y <= half)
    else:
        arm = half * ARM
        inside = (np.maximum(abs(x), abs(y)) <= half) & (np.minimum(abs(x), abs(y)) <= arm)
    return inside.astype(np.float32)
