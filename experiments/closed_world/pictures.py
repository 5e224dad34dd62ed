"""The pictures that the models learn from: drawn once into a file, scene i by the seed i, read back without copying."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from experiments.closed_world.made_from import readable
from selector.demo.closed_world.render import SIDE_PX, Pixels, draw
from selector.demo.closed_world.scene import TRAINING_SEED, random_scene
from selector.domain.files import replacing

Part = TypeVar("Part")
_PART = 1000


def picture_at(i: int, seed: int = TRAINING_SEED) -> Pixels:
    """The picture of the ``i``-th scene, (64, 64, 3) uint8."""
    rng = np.random.default_rng([seed, i])
    return draw(random_scene(rng), rng)


def drawn(path: Path, n: int, workers: int) -> Pixels:
    """(n, 64, 64, 3) uint8 of the training series; drawn into ``path`` unless they are there."""
    if not path.exists():
        with replacing(path) as stream:
            shape = (n, SIDE_PX, SIDE_PX, 3)
            file = np.lib.format.open_memmap(stream.name, mode="w+", dtype=np.uint8, shape=shape)
            first = 0
            for part in in_parts(_draw_part, n, _PART, workers, "pictures"):
                file[first : first + len(part)] = part
                first += len(part)
            file.flush()
    with readable(path):
        pictures: Pixels = np.load(path, mmap_mode="r")
    return pictures


def in_parts(work: Callable[[range], Part], n: int, size: int, workers: int, name: str) -> Iterator[Part]:
    """``work`` of the numbers below ``n``, ``size`` at a time, in order, in processes; ``name``: of the bar."""
    parts = [range(first, min(first + size, n)) for first in range(0, n, size)]
    if min(workers, len(parts)) <= 1:
        yield from map(work, parts)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads of torch half
    with ProcessPoolExecutor(min(workers, len(parts)), mp_context=context) as pool:
        yield from tqdm(pool.map(work, parts), name, len(parts), disable=None)


def _draw_part(numbers: range) -> Pixels:
    return np.stack([picture_at(i) for i in numbers])
