"""What a picture of the closed world shows, before it is drawn, and ways to say it in English or Chinese words.

A caption is true of its scene and leaves out what it may."""

from __future__ import annotations

from collections.abc import Mapping
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
NUMBERS = {1: "a", 2: "two", 3: "three", 4: "four"}
CHINESE_NUMBERS = {1: "一", 2: "两", 3: "三", 4: "四"}
CHINESE = {
    "red": "红色",
    "orange": "橙色",
    "yellow": "黄色",
    "green": "绿色",
    "blue": "蓝色",
    "purple": "紫色",
    "circle": "圆形",
    "square": "正方形",
    "triangle": "三角形",
    "cross": "十字形",
    "small": "小",
    "large": "大",
    "white": "白色",
    "grey": "灰色",
    "black": "黑色",
}
# (axis, whether the first thing said is the second in place): the ways to say it
BETWEEN = {
    ("x", False): ("to the left of", "left of", "on the left of"),
    ("x", True): ("to the right of", "right of", "on the right of"),
    ("y", False): ("above", "over"),
    ("y", True): ("below", "under"),
}
CHINESE_BETWEEN = {
    ("x", False): ("左边", "左侧"),
    ("x", True): ("右边", "右侧"),
    ("y", False): ("上方", "上面"),
    ("y", True): ("下方", "下面"),
}
LANGUAGES = ("en", "zh")


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


def caption(scene: Scene, rng: np.random.Generator, language: str) -> str:
    """One of the ways to say it. ``language``: en or zh."""
    return {"en": _english, "zh": _chinese}[language](scene, rng)


def _english(scene: Scene, rng: np.random.Generator) -> str:
    named = [_named(group, scene.says_size) for group in scene.groups]
    text = named[0]
    if len(named) == 2:
        first, lies, second = _either_way(scene, named, BETWEEN, rng)
        text = f"{first} {lies} {second}"
    if rng.random() < 0.3:
        text = f"a picture of {text}"
    if scene.says_background:
        text += f" on a {scene.background} background"
    return text


def _named(group: Group, says_size: bool) -> str:
    words = [group.size] * says_size + [group.colour, group.shape]
    if group.count > 1:
        return plural(" ".join([NUMBERS[group.count], *words]))
    return " ".join(["an" if words[0][0] in "aeiou" else "a", *words])


def plural(named: str) -> str:
    """Of what ends with a shape."""
    return named + ("es" if named.endswith("cross") else "s")


def _chinese(scene: Scene, rng: np.random.Generator) -> str:
    named = [_named_chinese(group, scene.says_size) for group in scene.groups]
    text = named[0]
    if len(named) == 2:
        first, lies, second = _either_way(scene, named, CHINESE_BETWEEN, rng)
        text = f"{first}在{second}的{lies}"
    if rng.random() < 0.3:
        text = f"图中{text}" if len(named) == 2 else f"图中有{text}"
    if scene.says_background:
        text += f"，{CHINESE[scene.background]}背景"
    return text


def _named_chinese(group: Group, says_size: bool) -> str:
    size = CHINESE[group.size] if says_size else ""
    return f"{CHINESE_NUMBERS[group.count]}个{CHINESE[group.colour]}的{size}{CHINESE[group.shape]}"


def _either_way(
    scene: Scene, named: list[str], ways: Mapping[tuple[str, bool], tuple[str, ...]], rng: np.random.Generator
) -> tuple[str, str, str]:
    """What is said first, where it lies, and of what: of the two groups either may come first."""
    turned = bool(rng.random() < 0.5)
    first, second = reversed(named) if turned else named
    return first, _one(rng, ways[scene.axis, turned]), second


def _one(rng: np.random.Generator, ways: tuple[str, ...]) -> str:
    return ways[int(rng.integers(len(ways)))]
