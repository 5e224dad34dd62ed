"""What a picture of the closed world shows, before it is drawn: one or two groups of equal shapes on a background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")
SHAPES = ("circle", "square", "triangle", "cross")
SIZES = ("small", "large")
BACKGROUNDS = ("white", "grey", "black")
MOST = 4  # shapes of one group, and of a picture

Axis: TypeAlias = Literal["x", "y"]
# Seeds of series of scenes: a model learns from the scenes of the first and of no other.
TRAINING_SEED, HELD_OUT_SEED = 1, 2


@dataclass(frozen=True)
class Group:
    """``count`` equal shapes of one ``colour`` and ``size``, each word one of the tables above."""

    count: int
    colour: str
    shape: str
    size: str


@dataclass(frozen=True)
class Scene:
    """One or two groups; of two the first lies left of the second (``axis`` x) or above it (y).

    ``says_size`` and ``says_background``: whether captions tell these, so that a picture must obey them.
    """

    groups: tuple[Group, ...]
    axis: Axis
    background: str
    says_size: bool = True
    says_background: bool = True


def scene_at(i: int, seed: int = TRAINING_SEED) -> Scene:
    """The ``i``-th scene of a series."""
    return random_scene(np.random.default_rng([seed, i]))


def random_scene(rng: np.random.Generator) -> Scene:
    """Mostly two single shapes beside or above each other, sometimes groups, sometimes one group alone."""
    kind = rng.random()
    if kind < 0.25:
        groups: tuple[Group, ...] = (_group(rng, int(rng.integers(1, MOST + 1))),)
    else:
        first = int(rng.choice([1, 1, 1, 2]))
        second = int(rng.choice([1, 1, 1, 2])) if first == 1 else 1
        groups = (_group(rng, first), _group(rng, second))
        while (groups[0].colour, groups[0].shape) == (groups[1].colour, groups[1].shape):
            groups = (groups[0], _group(rng, second))
    axis: Axis = "x" if rng.random() < 0.5 else "y"
    says_size, says_background = bool(rng.random() < 0.4), bool(rng.random() < 0.6)
    return Scene(groups, axis, str(rng.choice(BACKGROUNDS)), says_size, says_background)


def other(words: tuple[str, ...], word: str, rng: np.random.Generator) -> str:
    """Another word of a table."""
    return str(rng.choice([one for one in words if one != word]))


def has_room(scene: Scene) -> bool:
    """Whether the shapes find places: as many as captions speak of, MOST of one group and three of two."""
    return sum(group.count for group in scene.groups) <= (MOST if len(scene.groups) == 1 else 3)


def _group(rng: np.random.Generator, count: int) -> Group:
    return Group(count, str(rng.choice(COLOURS)), str(rng.choice(SHAPES)), str(rng.choice(SIZES)))
