"""Renders scenes whose truth is known: coloured shapes on plain paper, with the prompt that describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 40, 40),
    "blue": (40, 70, 210),
    "green": (40, 150, 60),
    "yellow": (240, 205, 40),
    "black": (25, 25, 25),
    "purple": (140, 50, 170),
}
SHAPES = ("square", "circle", "triangle", "star")
CHINESE = {
    "red": "红色",
    "blue": "蓝色",
    "green": "绿色",
    "yellow": "黄色",
    "black": "黑色",
    "purple": "紫色",
    "square": "正方形",
    "circle": "圆形",
    "triangle": "三角形",
    "star": "星星",
}
ENGLISH_RELATIONS = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}
CHINESE_RELATIONS = {"left": "左边", "right": "右边", "above": "上方", "below": "下方"}
NUMBERS = {2: ("two", "两"), 3: ("three", "三"), 4: ("four", "四")}
PAPER = 244
SIDE_PX = 384


@dataclass(frozen=True)
class Drawn:
    """One shape: its colour and shape by name, centre and half its size as shares of the picture's side."""

    colour: str
    shape: str
    x: float
    y: float
    half: float


@dataclass(frozen=True)
class Example:
    """A prompt, the shapes that fulfil it, and shapes that break it in one way: ``swap``."""

    swap: str  # relation, attribute or count
    prompt: str
    right: tuple[Drawn, ...]
    wrong: tuple[Drawn, ...]


def render(shapes: Sequence[Drawn], seed: int) -> Pixels:
    """(SIDE_PX, SIDE_PX, 3) uint8: the shapes on paper with a little grain."""
    from PIL import Image, ImageDraw

    large = Image.new("RGB", (2 * SIDE_PX, 2 * SIDE_PX), (PAPER, PAPER, PAPER))
    draw = ImageDraw.Draw(large)
    for drawn in shapes:
        points = [(2 * SIDE_PX * x, 2 * SIDE_PX * y) for x, y in outline(drawn)]
        draw.polygon(points, fill=COLOURS[drawn.colour])
    small = np.asarray(large.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX), np.float64)
    grain = np.random.default_rng(seed).normal(0, 2.0, small.shape)
    return np.clip(np.round(small + grain), 0, 255).astype(np.uint8)


def outline(drawn: Drawn) -> list[tuple[float, float]]:
    """The corners of a shape as shares of the picture's side; a circle has many."""
    if drawn.shape == "square":
        turns, radii = np.arange(4) * 90 + 45, np.full(4, 2**0.5 * 0.89)
    elif drawn.shape == "triangle":
        turns, radii = np.arange(3) * 120 - 90, np.full(3, 1.2)
    elif drawn.shape == "star":
        turns, radii = np.arange(10) * 36 - 90, np.where(np.arange(10) % 2, 0.5, 1.2)
    else:
        turns, radii = np.arange(60) * 6, np.ones(60)
    angles = np.deg2rad(turns)
    xs, ys = drawn.x + drawn.half * radii * np.cos(angles), drawn.y + drawn.half * radii * np.sin(angles)
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def examples(swap: str, n: int, seed: int, language: str = "en") -> list[Example]:
    """``n`` examples whose wrong picture breaks the relation, the binding of colours, or the count."""
    makers = {"relation": _relation, "attribute": _attribute, "count": _count}
    order = sorted(makers).index(swap)
    return [makers[swap](np.random.default_rng([seed, order, i]), language) for i in range(n)]


def _pair(rng: np.random.Generator, kind: str) -> tuple[Drawn, Drawn]:
    """Two shapes of different shape and colour, the first ``kind`` of the second."""
    shapes = [str(s) for s in rng.choice(SHAPES, 2, replace=False)]
    colours = [str(c) for c in rng.choice(list(COLOURS), 2, replace=False)]
    low, high = rng.uniform(0.2, 0.33), rng.uniform(0.67, 0.8)
    across = rng.uniform(0.3, 0.7, 2)
    ends = (low, high) if kind in ("left", "above") else (high, low)
    places = [(e, a) if kind in ("left", "right") else (a, e) for e, a in zip(ends, across, strict=True)]
    first, second = (
        Drawn(c, s, float(x), float(y), float(rng.uniform(0.1, 0.15)))
        for c, s, (x, y) in zip(colours, shapes, places, strict=True)
    )
    return first, second


def _relation(rng: np.random.Generator, language: str) -> Example:
    kind = str(rng.choice(list(ENGLISH_RELATIONS)))
    first, second = _pair(rng, kind)
    moved = (replace(first, x=second.x, y=second.y), replace(second, x=first.x, y=first.y))
    return Example("relation", _related(first, second, kind, language), (first, second), moved)


def _attribute(rng: np.random.Generator, language: str) -> Example:
    first, second = _pair(rng, str(rng.choice(list(ENGLISH_RELATIONS))))
    painted = (replace(first, colour=second.colour), replace(second, colour=first.colour))
    joined = "和" if language == "zh" else " and "
    prompt = joined.join(_named(drawn, language) for drawn in (first, second))
    return Example("attribute", prompt, (first, second), painted)


def _count(rng: np.random.Generator, language: str) -> Example:
    colour, shape = str(rng.choice(list(COLOURS))), str(rng.choice(SHAPES))
    right, wrong = (int(n) for n in rng.choice([2, 3, 4], 2, replace=False))
    places = [(x, y) for x in (0.25, 0.75) for y in (0.25, 0.75)]
    drawn = [Drawn(colour, shape, x, y, float(rng.uniform(0.1, 0.14))) for x, y in rng.permutation(places)]
    word = NUMBERS[right][language == "zh"]
    prompt = f"{word}个{CHINESE[colour]}的{CHINESE[shape]}" if language == "zh" else f"{word} {colour} {shape}s"
    return Example("count", prompt, tuple(drawn[:right]), tuple(drawn[:wrong]))


def _named(drawn: Drawn, language: str) -> str:
    if language == "zh":
        return f"一个{CHINESE[drawn.colour]}的{CHINESE[drawn.shape]}"
    return f"{'an' if drawn.colour[0] in 'aeiou' else 'a'} {drawn.colour} {drawn.shape}"


def _related(first: Drawn, second: Drawn, kind: str, language: str) -> str:
    if language == "zh":
        return f"{_named(first, language)}在{_named(second, language)}的{CHINESE_RELATIONS[kind]}"
    return f"{_named(first, language)} {ENGLISH_RELATIONS[kind]} {_named(second, language)}"
