"""What finishes do to damaged photographs: to our scorers of the pixels, and to the distance from the truth.

    python -m experiments.finishing_study --json out.json

Real photographs, each left as it is, saved as a poor JPEG, made noisy, softened or enlarged twofold, then finished and
encoded as a contest's final JPEG. ``points``: change of PQ by the prior's rows of ``technical`` and ``artefacts`` (0 to
10; judgements with reasons, not measurements), against the same picture without a finish. ``error``: change of the root
mean square difference to the photograph before the damage, in levels (below 0: nearer to the truth); none for
``upscale``, whose picture has another size. No judge has seen these pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.support.outcome import finish, parser
from scorers.artefacts import Artefacts
from scorers.technical import Technical
from selector.demo.play.figures import Figure, figure
from selector.domain import Axis, Item, Picture, Task, TaskInputs, TaskType, encode_final
from selector.finishing import Finishing
from selector.learn.prior import PRIOR

Pixels = NDArray[np.uint8]

LONG_SIDE_PX = 640
FINISHES = ("denoise", "sharpen", "grain", "denoise+sharpen", "denoise+sharpen+grain", "upscale")
TASK = TaskInputs(Task("1", TaskType.T2I, "a photograph", None, None, 0))


def main(arguments: list[str] | None = None) -> int:
    options = parser("finishing_study", __doc__ or "")
    options.add_argument("--photographs", type=int, default=10, help="how many (default 10, all)")
    chosen = options.parse_args(arguments)
    pictures = photographs()[: chosen.photographs]
    results = {
        damage: {name: study(pictures, spoil, name, chosen.seed) for name in FINISHES}
        for damage, spoil in damages(chosen.seed).items()
    }
    lines = [f"{'damage':10} {'finish':22} {'points of PQ (prior)':32} error, levels"]
    lines += [
        f"{damage:10} {name:22} {found['points']!s:32} {found.get('error', '-')}"
        for damage, row in results.items()
        for name, found in row.items()
    ]
    written = {d: {n: {k: asdict(v) for k, v in f.items()} for n, f in row.items()} for d, row in results.items()}
    finish(written, lines, chosen.json)
    return 0


def study(pictures: list[Pixels], spoil: Callable[[Pixels], Pixels], name: str, seed: int) -> Mapping[str, Figure]:
    """Changes that a finish makes, over all pictures."""
    points, errors = [], []
    for truth in pictures:
        given = spoil(truth)
        made = Finishing().apply(TASK, given, name, seed).image
        before, after = encode_final(given), encode_final(made)
        points.append(prior_points(after) - prior_points(before))
        if made.shape == truth.shape:
            errors.append(_error(after, truth) - _error(before, truth))
    return {"points": figure(points, seed), **({"error": figure(errors, seed)} if errors else {})}


def damages(seed: int) -> dict[str, Callable[[Pixels], Pixels]]:
    """Ways to spoil a photograph."""
    import cv2

    def noisy(rgb: Pixels) -> Pixels:
        noise = np.random.default_rng(seed).normal(0, 6, rgb.shape)
        return np.clip(np.round(rgb + noise), 0, 255).astype(np.uint8)

    def enlarged(rgb: Pixels) -> Pixels:
        half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(half, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_CUBIC))

    return {
        "none": lambda rgb: rgb,
        "JPEG 40": lambda rgb: Picture(encode_final(rgb, quality=40)).rgb,
        "noise 6": noisy,
        "blur 1 px": lambda rgb: np.asarray(cv2.GaussianBlur(rgb, (0, 0), 1.0)),
        "enlarged": enlarged,
    }


@lru_cache(maxsize=512)
def prior_points(data: bytes) -> float:
    """What the prior's rows of the two scorers add to PQ of a picture made from text."""
    scores: dict[str, float | None] = {}
    scorers: list[Any] = [Technical(), Artefacts()]
    for scorer in scorers:
        (found,) = scorer.score([Item(TASK, Picture(data))])
        scores |= {f"{scorer.name}.{column}": score.value for column, score in found.items()}
    total = 0.0
    for row in PRIOR[TaskType.T2I, Axis.PQ].weights:
        value = scores.get(row.column)
        if value is not None:
            total += row.points * float(np.clip((value - row.centre) / row.spread, -2, 2))
    return total


def photographs() -> list[Pixels]:
    """Ten that installed packages ship, with a longer side of at most ``LONG_SIDE_PX``."""
    import matplotlib
    from skimage import data
    from sklearn.datasets import load_sample_image

    from selector.sight.resize import shrink

    hopper = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    folder = Path(data.__file__).parent
    names = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "retina.jpg")
    files = [*(folder / name for name in (*names, "hubble_deep_field.jpg")), hopper]
    found: list[Any] = [Picture(path.read_bytes(), path.name).rgb for path in files if path.is_file()]
    found += [load_sample_image("china.jpg"), load_sample_image("flower.jpg")]
    return [np.ascontiguousarray(shrink(rgb, LONG_SIDE_PX)) for rgb in found]


def _error(data: bytes, truth: Pixels) -> float:
    return float(np.sqrt(np.mean((Picture(data).rgb.astype(np.float64) - truth) ** 2)))


if __name__ == "__main__":
    raise SystemExit(main())
