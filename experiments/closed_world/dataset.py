"""The dataset of the embedding model: families of near-equal scenes, which it has to tell apart.

A family is a scene, and scenes of which each differs in one thing that captions say: the order, a colour, a shape, both
things' colours exchanged, a number, a size, the background. Some families end with a malformed picture of their first
scene, which belongs to no caption.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.closed_world.made_from import readable
from experiments.closed_world.pictures import in_parts
from selector.demo.closed_world.render import Box, Pixels, paint, placed
from selector.demo.closed_world.scene import (
    BACKGROUNDS,
    COLOURS,
    LANGUAGES,
    MOST,
    SHAPES,
    SIZES,
    Axis,
    Group,
    Scene,
    caption,
    has_room,
    random_scene,
)
from selector.demo.closed_world.simulated import CHANGES, MALFORMED, blurred, noisy
from selector.domain.files import replacing

FAMILY = 4
SERIES = 5  # of seeds
MALFORMED_SHARE = 0.35
MOST_SHAPES = MOST  # of a picture
NOTHING = -1
_PART = 250  # families that one process makes at a time
Ints = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True)
class Dataset:
    """``pictures`` (n, FAMILY, 64, 64, 3). The rest says what is in them, words by their place in the tables.

    ``groups`` (n, FAMILY, 2, 4): count, colour, shape, size, NOTHING for no second group. ``axis`` (n, FAMILY): 1 for
    y. ``order`` (n, FAMILY, 2, 2): along x and y, whether the first group lies before the second, and after it.
    ``ground``, ``said`` (size, background) and ``malformed``: (n, FAMILY[, 2]). ``boxes`` (n, FAMILY, MOST_SHAPES, 3):
    centre and half a side in pixels, 0 for none; ``kinds`` (…, 3): colour, shape and size of each.
    """

    pictures: Pixels
    groups: Ints
    axis: Ints
    order: Ints
    ground: Ints
    said: Ints
    malformed: Ints
    boxes: np.ndarray[Any, np.dtype[np.float32]]
    kinds: Ints


def dataset(path: Path, n: int, workers: int) -> Dataset:
    """``n`` families, made once into the folder ``path``."""
    if not (path / "done").exists():
        path.mkdir(parents=True, exist_ok=True)
        made = list(in_parts(_make, n, _PART, workers, "dataset"))
        for field in fields(Dataset):
            with replacing(path / f"{field.name}.npy") as stream:
                np.save(stream, np.concatenate([part[field.name] for part in made]))
        (path / "done").touch()
    with readable(path / "done"):
        return Dataset(**{field.name: np.load(path / f"{field.name}.npy", mmap_mode="r") for field in fields(Dataset)})


def words(scene: Scene, rng: np.random.Generator) -> str:
    """A caption in either language."""
    return caption(scene, rng, LANGUAGES[int(rng.integers(len(LANGUAGES)))])


def scene_of(known: Dataset, row: int, member: int) -> Scene:
    """The scene again, from the tables."""
    groups = tuple(
        Group(int(count) + 1, COLOURS[colour], SHAPES[shape], SIZES[size])
        for count, colour, shape, size in known.groups[row, member]
        if colour != NOTHING
    )
    size, ground = known.said[row, member]
    axis: Axis = "y" if known.axis[row, member] else "x"
    return Scene(groups, axis, BACKGROUNDS[known.ground[row, member]], bool(size), bool(ground))


def _make(numbers: range) -> dict[str, Any]:
    families = [_family(np.random.default_rng([SERIES, i])) for i in numbers]
    return {field.name: np.stack([family[field.name] for family in families]) for field in fields(Dataset)}


def _family(rng: np.random.Generator) -> dict[str, Any]:
    scene = random_scene(rng)
    scenes = [scene]
    while len(scenes) < FAMILY:
        changed = _changed(scene, rng)
        if changed not in scenes:
            scenes.append(changed)
    is_malformed = bool(rng.random() < MALFORMED_SHARE)
    members = [_member(one, rng) for one in scenes]
    if is_malformed:
        way = _CORRUPTED[int(rng.integers(len(_CORRUPTED)))]
        members[-1] = {**members[-1], "pictures": way(scene, rng), "malformed": np.int8(1)}
    return {key: np.stack([member[key] for member in members]) for key in members[0]}


def _changed(scene: Scene, rng: np.random.Generator) -> Scene:
    names = ["colour", "shape", "count"]
    names += ["size"] * scene.says_size + ["background"] * scene.says_background
    names += ["relation", "relation", "axis", "binding", "binding"] * (len(scene.groups) == 2)
    while True:
        name = names[int(rng.integers(len(names)))]
        changed = _CHANGES[name](scene, rng)
        if changed != scene and _can_be_drawn(changed):
            return changed


def _can_be_drawn(scene: Scene) -> bool:
    """Whether the shapes find places, and the groups differ by more than size."""
    kinds = {(group.colour, group.shape) for group in scene.groups}
    return len(kinds) == len(scene.groups) and has_room(scene)


def _exchanged(scene: Scene, rng: np.random.Generator) -> Scene:
    """Both groups' colours, or shapes, exchanged."""
    first, second = scene.groups
    if rng.random() < 0.5:
        return replace(scene, groups=(replace(first, colour=second.colour), replace(second, colour=first.colour)))
    return replace(scene, groups=(replace(first, shape=second.shape), replace(second, shape=first.shape)))


def _turned(scene: Scene, rng: np.random.Generator) -> Scene:
    """Beside instead of above, or above instead of beside."""
    del rng
    return replace(scene, axis="y" if scene.axis == "x" else "x")


_CHANGES: dict[str, Callable[[Scene, np.random.Generator], Scene]] = {
    **CHANGES,
    "axis": _turned,
    "binding": _exchanged,
}


def _rendered(scene: Scene, rng: np.random.Generator) -> Pixels:
    return paint(scene, placed(scene, rng), rng)


_CORRUPTED: list[Callable[[Scene, np.random.Generator], Pixels]] = [
    *MALFORMED.values(),
    lambda scene, rng: blurred(rng.uniform(1.5, 3))(_rendered(scene, rng), rng),
    lambda scene, rng: noisy(rng.uniform(15, 40))(_rendered(scene, rng), rng),
]


def _member(scene: Scene, rng: np.random.Generator) -> dict[str, Any]:
    shapes = placed(scene, rng)
    boxes, kinds = np.zeros((MOST_SHAPES, 3), np.float32), np.full((MOST_SHAPES, 3), NOTHING, np.int8)
    for i, (group, box) in enumerate(shapes):
        boxes[i] = box
        kinds[i] = COLOURS.index(group.colour), SHAPES.index(group.shape), SIZES.index(group.size)
    groups = np.full((2, 4), NOTHING, np.int8)
    for i, group in enumerate(scene.groups):
        groups[i] = group.count - 1, COLOURS.index(group.colour), SHAPES.index(group.shape), SIZES.index(group.size)
    return {
        "pictures": paint(scene, shapes, rng),
        "groups": groups,
        "axis": np.int8(scene.axis == "y"),
        "order": _orders(scene, [box for _, box in shapes]),
        "ground": np.int8(BACKGROUNDS.index(scene.background)),
        "said": np.array([scene.says_size, scene.says_background], np.int8),
        "malformed": np.int8(0),
        "boxes": boxes,
        "kinds": kinds,
    }


def _orders(scene: Scene, boxes: list[Box]) -> Ints:
    """[[before, after] along x, the same along y], by centres."""
    orders = np.zeros((2, 2), np.int8)
    if len(scene.groups) == 2:
        n = scene.groups[0].count
        for axis in range(2):
            first, second = ([box[axis] for box in some] for some in (boxes[:n], boxes[n:]))
            orders[axis] = max(first) < min(second), max(second) < min(first)
    return orders
