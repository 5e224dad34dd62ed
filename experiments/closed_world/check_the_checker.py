"""Whether the checker of the closed world can be trusted: on drawn pictures, whose scene is known.

    python -m experiments.closed_world.check_the_checker --json out.json

How often does it call a true scene right, on clean and on damaged pictures, and which parts does it misread? How often
does it call a scene right of which one fact was changed, or a picture that was malformed? What PQ has each damage, and
how long does it take? Shares carry 95% Wilson intervals.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from experiments.support.gap_plots import wilson
from experiments.support.outcome import finish, parser
from selector.demo.closed_world.checker import PARTS, Truth, judged, read
from selector.demo.closed_world.render import Pixels, draw
from selector.demo.closed_world.scene import Scene, random_scene
from selector.demo.closed_world.simulated import CHANGES, MALFORMED, Damage, blurred, jpeg, noisy
from selector.demo.play.figures import Figure

Z95 = 1.959964
ENLARGED_PX = 256


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


def main(arguments: list[str] | None = None) -> int:
    options = parser("closed_world.check_the_checker", __doc__ or "")
    options.add_argument("--scenes", type=int, default=1000, help="pictures of each kind (default 1000)")
    chosen = options.parse_args(arguments)
    if chosen.scenes < 1 or chosen.seed < 0:
        print("error: --scenes: expected at least 1, and --seed at least 0", file=sys.stderr)
        return 2
    rng = np.random.default_rng(chosen.seed)
    scenes = [random_scene(rng) for _ in range(chosen.scenes)]
    pictures = [draw(scene, rng) for scene in scenes]
    agreement = {name: _agreement(pictures, scenes, damage, rng) for name, damage in DAMAGES.items()}
    changed = {name: asdict(_called_right_when(name, pictures, scenes, rng)) for name in CHANGES}
    malformed = {name: asdict(_called_right_malformed(name, scenes, rng)) for name in MALFORMED}
    results = {"agreement": agreement, "false_right": changed, "malformed_right": malformed}
    finish(results, _lines(agreement, changed, malformed), chosen.json)
    return 0


def share(yes: Sequence[bool]) -> Figure:
    """A share with its 95% Wilson interval; of no cases 0 with the interval 0 to 1."""
    if not yes:
        return Figure(0.0, 0.0, 1.0, 0)
    low, high = wilson(sum(yes), len(yes), Z95)
    return Figure(float(np.mean(yes)), low, high, len(yes))


def _agreement(
    pictures: Sequence[Pixels], scenes: Sequence[Scene], damage: Damage, rng: np.random.Generator
) -> dict[str, Any]:
    damaged = [damage(picture, rng) for picture in pictures]
    begun = time.process_time()
    truths = [judged(read(picture), scene) for picture, scene in zip(damaged, scenes, strict=True)]
    took = (time.process_time() - begun) / len(damaged)
    pqs = [truth.pq for truth in truths]
    return {
        "right": asdict(share([truth.right for truth in truths])),
        "parts": {part: asdict(_part(truths, part)) for part in PARTS},
        "pq": {name: round(float(np.percentile(pqs, at)), 2) for name, at in (("p5", 5), ("median", 50), ("p95", 95))},
        "ms_a_picture": round(1000 * took, 2),
    }


def _part(truths: Sequence[Truth], part: str) -> Figure:
    """Share of pictures in which all of a part was read as it is."""
    return share([getattr(truth, part) == 1 for truth in truths if getattr(truth, part) is not None])


def _called_right_when(
    change: str, pictures: Sequence[Pixels], scenes: Sequence[Scene], rng: np.random.Generator
) -> Figure:
    used = [i for i, scene in enumerate(scenes) if change != "relation" or len(scene.groups) == 2]
    return share([judged(read(pictures[i]), CHANGES[change](scenes[i], rng)).right for i in used])


def _called_right_malformed(name: str, scenes: Sequence[Scene], rng: np.random.Generator) -> Figure:
    small = [scene for scene in scenes if sum(group.count for group in scene.groups) < 4]  # there is room for one more
    return share([judged(read(MALFORMED[name](scene, rng)), scene).right for scene in small])


def _lines(agreement: dict[str, Any], changed: dict[str, Any], malformed: dict[str, Any]) -> list[str]:
    lines = ["True scenes called right, by damage; misread parts; PQ (median, 5th to 95th percentile)"]
    for name, row in agreement.items():
        wrong = [f"{part} {1 - f['mean']:.1%}" for part, f in row["parts"].items() if f["mean"] < 0.9995]
        pq = f"PQ {row['pq']['median']:5.2f} ({row['pq']['p5']:.2f} to {row['pq']['p95']:.2f})"
        lines.append(f"{name:>16}  {_shown(row['right'])}  {pq}  {row['ms_a_picture']:.1f} ms  {', '.join(wrong)}")
    lines += ["", "False scenes called right, by the one fact that was changed"]
    lines += [f"{name:>16}  {_shown(row)}" for name, row in changed.items()]
    lines += ["", "Malformed pictures called right"]
    return [*lines, *(f"{name:>20}  {_shown(row)}" for name, row in malformed.items())]


def _shown(row: dict[str, Any]) -> str:
    return str(Figure(**row))


if __name__ == "__main__":
    raise SystemExit(main())
