"""Pictures that fulfil a prompt, each with one that breaks it in one way: order, binding of colours, or count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from selector.demo.closed_world.render import Pixels, draw
from selector.demo.closed_world.scene import MOST, Scene, caption, random_scene


@dataclass(frozen=True)
class Swap:
    """A prompt and two pictures."""

    prompt: str
    right: Pixels
    wrong: Pixels


def swaps(kind: str, n: int, seed: int, language: str) -> list[Swap]:
    """``n`` of one ``kind``: relation, attribute or count."""
    found = []
    for i in range(n):
        rng = np.random.default_rng([seed, sorted(_BROKEN).index(kind), i])
        scene = _suitable(kind, rng)
        prompt = caption(scene, rng, language)
        found.append(Swap(prompt, draw(scene, rng), draw(_BROKEN[kind](scene, rng), rng)))
    return found


def _suitable(kind: str, rng: np.random.Generator) -> Scene:
    while True:
        scene = random_scene(rng)
        if kind == "count" and len(scene.groups) == 1:
            return scene
        if kind != "count" and len(scene.groups) == 2:
            first, second = scene.groups
            if kind == "relation" or (first.colour != second.colour and first.shape != second.shape):
                return scene


def _places_exchanged(scene: Scene, rng: np.random.Generator) -> Scene:
    del rng
    return replace(scene, groups=scene.groups[::-1])


def _repainted(scene: Scene, rng: np.random.Generator) -> Scene:
    del rng
    first, second = scene.groups
    return replace(scene, groups=(replace(first, colour=second.colour), replace(second, colour=first.colour)))


def _recounted(scene: Scene, rng: np.random.Generator) -> Scene:
    group = scene.groups[0]
    others = [count for count in range(1, MOST + 1) if count != group.count]
    return replace(scene, groups=(replace(group, count=int(rng.choice(others))),))


_BROKEN: dict[str, Callable[[Scene, np.random.Generator], Scene]] = {
    "relation": _places_exchanged,
    "attribute": _repainted,
    "count": _recounted,
}
