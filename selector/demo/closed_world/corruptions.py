"""Ways to spoil what the checker is tried on: damage that leaves a scene true, changes that make it false.

Each damage takes a (64, 64, 3) uint8 picture and gives one of the same kind (or larger); each change takes a scene and
gives one that the picture does not show.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from scipy import ndimage

from selector.demo.closed_world.render import GAP_PX, HALF_PX, PAINT, PAPER, SIDE_PX, Pixels, coverage, paint, placed
from selector.demo.closed_world.scene import BACKGROUNDS, COLOURS, MOST, SHAPES, SIZES, Group, Scene, other

Damage: TypeAlias = Callable[[Pixels, np.random.Generator], Pixels]
Change: TypeAlias = Callable[[Scene, np.random.Generator], Scene]

ENLARGED_PX = 256
TRIES = 200  # places for one shape more, before all others are placed again
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


def enlarged(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """To 256 pixels, bicubic."""
    from PIL import Image

    del rng
    return np.asarray(Image.fromarray(picture).resize((ENLARGED_PX, ENLARGED_PX), Image.Resampling.BICUBIC))


DAMAGES: dict[str, Damage] = {
    "clean": lambda picture, _: picture,
    "enlarged to 256": enlarged,
    "blur 1": blurred(1),
    "blur 1.5": blurred(1.5),
    "blur 2": blurred(2),
    "noise 10": noisy(10),
    "noise 20": noisy(20),
    "jpeg 50": jpeg(50),
    "jpeg 20": jpeg(20),
    "jpeg 10": jpeg(10),
    "jpeg 50, 4:2:0": jpeg(50, halved_chroma=True),
}


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


def bitten(scene: Scene, rng: np.random.Generator) -> Pixels:
    """A drawn scene, two fifths of one shape missing on the right."""
    return _cut(scene, rng, None)


def in_two_colours(scene: Scene, rng: np.random.Generator) -> Pixels:
    """A drawn scene, two fifths of one shape in another colour."""
    return _cut(scene, rng, rng)


def with_a_stranger(scene: Scene, rng: np.random.Generator) -> Pixels:
    """A drawn scene with one small shape more than it says."""
    stranger = Group(1, str(rng.choice(COLOURS)), str(rng.choice(SHAPES)), "small")
    while True:
        shapes = placed(scene, rng)
        for _ in range(TRIES):
            half = rng.uniform(*HALF_PX["small"])
            x, y = rng.uniform(half + 2, SIDE_PX - half - 3, 2)
            if all(max(abs(x - a), abs(y - b)) > half + other + GAP_PX for _, (a, b, other) in shapes):
                return paint(scene, [*shapes, (stranger, (x, y, half))], rng)


def _cut(scene: Scene, rng: np.random.Generator, colours: np.random.Generator | None) -> Pixels:
    shapes = placed(scene, rng)
    picture = paint(scene, shapes, rng).astype(np.float32)
    group, (x, y, half) = shapes[int(rng.integers(len(shapes)))]
    mask = np.clip(coverage(group.shape, (x, y, half)) * 4, 0, 1)
    mask[:, : round(x + CUT * half)] = 0
    filling = PAPER[scene.background] if colours is None else PAINT[other(COLOURS, group.colour, colours)]
    return _pixels(picture + mask[..., None] * (np.asarray(filling, np.float32) - picture))


MALFORMED: dict[str, Callable[[Scene, np.random.Generator], Pixels]] = {
    "bitten shape": bitten,
    "shape in two colours": in_two_colours,
    "one shape too many": with_a_stranger,
}


def _pixels(values: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
