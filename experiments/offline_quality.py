"""How good the offline picks are: face swaps and text edits, beside a random candidate, the baseline and the oracle.

    python -m experiments.offline_quality --json out.json

Faces: two real portraits, each as scene and as identity, in five states each (as it is, mirrored, rescaled, darkened,
JPEG-damaged): 50 pairs of inputs, but only two people. Distances are Euclidean between dlib descriptors (same person
below about 0.6). The picks are made with the same descriptor, so that judge is not independent; a second one, local
binary patterns, shares no features with it.
Texts: drawn signs in fonts that the editor does not know, both languages. "Exact" is re-reading by the reader that the
editor and the scorer use too, so that judge is not independent either; the second one compares with the sign as it
would have been drawn with the new text (SSIM around the text), which no part of the program sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.support.local_pick import Candidate, inputs_of, make_candidates, picked, scorers_for
from experiments.support.outcome import finish, parser
from experiments.support.signs import HELD_OUT, make_sign, matches_truth, reads_exactly
from generators.faceswap import FaceSwap
from generators.textedit import TextEditor
from selector.demo.play.figures import Figure, figure
from selector.demo.shipped import darkened, jpeg_damaged, mirrored, photograph, resized
from selector.domain import Picture, TaskType, encode_final
from selector.sight.faces import descriptor, main_face

BASELINE = "baseline_triangles"
STATES: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda rgb: rgb,
    "mirrored": mirrored,
    "rescaled": lambda rgb: resized(rgb, 300),
    "darkened": lambda rgb: darkened(rgb, 0.4),
    "jpeg": lambda rgb: jpeg_damaged(rgb, 25),
}
NO_FACE = 2.0  # distance that a picture without a face counts as: the top of the score column's range
NO_PICK = {
    "distance to wanted": NO_FACE,
    "distance to original": 0.0,
    "nearer to wanted": 0.0,
    "nearer by texture": 0.0,
}
SIDE_PX = 128  # of the faces whose textures are compared
GRID = 8
INNER = (slice(2, 7), slice(1, 7))  # rows, columns of the grid between brows, jaw and cheeks: no hair, no background
POINTS, RADIUS_PX = 8, 5
BLUR_PX = 2.5  # features, not grain: sharpness is matched to the scene by a swap and says nothing of identity
Floats = NDArray[np.float64]


def main(arguments: list[str] | None = None) -> int:
    options = parser("offline_quality", __doc__ or "")
    options.add_argument("--candidates", type=int, default=8, help="candidates a task (default 8)")
    options.add_argument("--pairs", type=int, default=50, help="face pairs, at most 50 (default 50); 0 leaves them out")
    options.add_argument("--signs", type=int, default=36, help="drawn signs (default 36); 0 leaves them out")
    chosen = options.parse_args(arguments)
    results: dict[str, Any] = {}
    lines: list[str] = []
    for name, measure, cases in (("faces", faces, chosen.pairs), ("texts", texts, chosen.signs)):
        if not cases:
            continue
        measured = measure(cases, chosen.candidates, chosen.seed)
        results[name] = {who: {what: asdict(f) for what, f in row.items()} for who, row in measured.items()}
        lines += [*_table(name, measured), ""]
    finish(results, lines, chosen.json)
    return 0


def faces(pairs: int, n: int, seed: int) -> dict[str, dict[str, Figure]]:
    """Distances to the wanted and the original identity, and how often the wanted one is nearer, by both judges."""
    people = {"astronaut": photograph("astronaut"), "hopper": photograph("hopper")}
    combinations = [
        (scene, identity, s, r)
        for scene, identity in (("astronaut", "hopper"), ("hopper", "astronaut"))
        for s in STATES
        for r in STATES
    ]
    order = np.random.default_rng(seed).permutation(len(combinations))[:pairs]
    generator, scorers = FaceSwap(), scorers_for(TaskType.DEEPFAKE)
    rows: dict[str, list[dict[str, float]]] = {who: [] for who in ("pick", "random", "baseline", "oracle")}
    for scene, identity, s, r in (combinations[i] for i in sorted(order)):
        source = _picture(STATES[s](people[scene]), f"{scene} {s}")
        reference = _picture(STATES[r](people[identity]), f"{identity} {r}")
        inputs = inputs_of(TaskType.DEEPFAKE, "", source, reference)
        everything = make_candidates(generator, inputs, 99, seed)
        baseline = next(c for c in everything if c.variant == BASELINE)
        candidates = [c for c in everything if c is not baseline][:n]
        measured = [_identity(c.picture, source, reference) for c in [*candidates, baseline]]
        index = picked(inputs, candidates, scorers)
        rows["pick"].append(NO_PICK if index is None else measured[index])
        rows["random"].append(_mean(measured[:-1]))
        rows["baseline"].append(measured[-1])
        rows["oracle"].append(min(measured[:-1], key=lambda m: m["distance to wanted"]))
    return _figures(rows, seed)


def texts(signs: int, n: int, seed: int) -> dict[str, dict[str, Figure]]:
    """Share of signs that read exactly as wanted, and likeness to the sign drawn with the new text."""
    generator, scorers = TextEditor(exclude_fonts=HELD_OUT), scorers_for(TaskType.VTTIE)
    rows: dict[str, list[dict[str, float]]] = {who: [] for who in ("pick", "random", "first recipe", "oracle")}
    for number in range(signs):
        sign = make_sign(number)
        inputs = sign.inputs()
        candidates = make_candidates(generator, inputs, n, seed)
        measured = [_reading(c, sign) for c in candidates]
        index = picked(inputs, candidates, scorers) if candidates else None
        nothing = {"exact": 0.0, "likeness to truth": 0.0}
        rows["pick"].append(nothing if index is None else measured[index])
        rows["random"].append(_mean(measured) if measured else nothing)
        rows["first recipe"].append(measured[0] if measured else nothing)
        best = {what: max((m[what] for m in measured), default=0.0) for what in nothing}
        rows["oracle"].append(best)
    return _figures(rows, seed)


def _identity(candidate: Picture, source: Picture, reference: Picture) -> dict[str, float]:
    wanted, original = _distance(candidate, reference), _distance(candidate, source)
    textures = [texture(p) for p in (candidate, reference, source)]
    found = [t for t in textures if t is not None]
    nearer = chi_square(found[0], found[1]) < chi_square(found[0], found[2]) if len(found) == 3 else False
    return {
        "distance to wanted": wanted,
        "distance to original": original,
        "nearer to wanted": float(wanted < original),
        "nearer by texture": float(nearer),
    }


def _distance(a: Picture, b: Picture) -> float:
    face_a, face_b = main_face(a), main_face(b)
    if face_a is None or face_b is None:
        return NO_FACE
    return float(np.linalg.norm(descriptor(a, face_a) - descriptor(b, face_b)))


def _reading(candidate: Candidate, sign: Any) -> dict[str, float]:
    return {
        "exact": float(reads_exactly(candidate.picture, sign)),
        "likeness to truth": matches_truth(candidate.picture, sign),
    }


def _picture(rgb: Any, name: str) -> Picture:
    return Picture(encode_final(np.ascontiguousarray(rgb)), name)


def _mean(measured: Sequence[dict[str, float]]) -> dict[str, float]:
    """What a random candidate is expected to give."""
    return {what: float(np.mean([m[what] for m in measured])) for what in measured[0]}


def _figures(rows: dict[str, list[dict[str, float]]], seed: int) -> dict[str, dict[str, Figure]]:
    return {
        who: {what: figure([m[what] for m in measured], seed) for what in measured[0]}
        for who, measured in rows.items()
        if measured
    }


def _table(name: str, measured: dict[str, dict[str, Figure]]) -> list[str]:
    lines = [name]
    for what in next(iter(measured.values())):
        lines.append(f"  {what}")
        lines += [f"    {who:14} {row[what]}" for who, row in measured.items()]
    return lines


def texture(picture: Picture) -> Floats | None:
    """Histograms (cells, POINTS + 2), each summing to 1, of the inner main face; None when there is none."""
    import cv2
    from skimage.feature import local_binary_pattern

    face = main_face(picture)
    if face is None:
        return None
    left, right, mouth = (face.landmarks[s].mean(axis=0) for s in (slice(36, 42), slice(42, 48), slice(48, 60)))
    wanted = np.array([[0.32, 0.38], [0.68, 0.38], [0.5, 0.75]], np.float32) * SIDE_PX
    warp = cv2.getAffineTransform(np.array([left, right, mouth], np.float32), wanted)
    grey = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY)
    chip: Any = cv2.warpAffine(grey, warp, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(cv2.equalizeHist(chip), (0, 0), BLUR_PX)
    pattern = local_binary_pattern(  # type: ignore[no-untyped-call]
        soft, POINTS, RADIUS_PX, method="uniform"
    )
    cell = SIDE_PX // GRID
    cells = pattern.reshape(GRID, cell, GRID, cell).swapaxes(1, 2)[INNER].reshape(-1, cell * cell)
    return np.array([np.histogram(c, bins=POINTS + 2, range=(0, POINTS + 2))[0] / c.size for c in cells])


def chi_square(a: Floats, b: Floats) -> float:
    """Mean chi-square distance of two textures, 0 (equal) to 1."""
    return float((0.5 * (a - b) ** 2 / np.maximum(a + b, 1e-9)).sum(axis=1).mean())


if __name__ == "__main__":
    raise SystemExit(main())
