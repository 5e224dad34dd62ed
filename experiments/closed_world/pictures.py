"""The pictures that the models learn from: drawn once into a file, scene i by the seed i, read back without copying."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tqdm import tqdm

from experiments.closed_world.render import SIDE_PX, Pixels, draw
from experiments.closed_world.scene import Scene, random_scene

TRAINING_SEED, HELD_OUT_SEED = 1, 2
_PART = 1000


def scene_at(i: int, seed: int = TRAINING_SEED) -> Scene:
    """The ``i``-th scene of a series."""
    return random_scene(np.random.default_rng([seed, i]))


def picture_at(i: int, seed: int = TRAINING_SEED) -> Pixels:
    """The picture of the ``i``-th scene, (64, 64, 3) uint8."""
    rng = np.random.default_rng([seed, i])
    return draw(random_scene(rng), rng)


def drawn(path: Path, n: int, workers: int) -> Pixels:
    """(n, 64, 64, 3) uint8 of the training series; drawn into ``path`` unless they are there."""
    if not path.exists():
        with replaced(path) as new, ProcessPoolExecutor(workers) as pool:
            shape = (n, SIDE_PX, SIDE_PX, 3)
            file = np.lib.format.open_memmap(new, mode="w+", dtype=np.uint8, shape=shape)
            parts = range(0, n, _PART)
            done = pool.map(_draw_part, [range(first, min(first + _PART, n)) for first in parts])
            for first, part in tqdm(zip(parts, done, strict=True), "pictures", len(parts), disable=None):
                file[first : first + len(part)] = part
            file.flush()
    pictures: Pixels = np.load(path, mmap_mode="r")
    return pictures


def _draw_part(numbers: range) -> Pixels:
    return np.stack([picture_at(i) for i in numbers])


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A name to write to, which takes the place of ``path`` once all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.part")
    yield new
    new.replace(path)
