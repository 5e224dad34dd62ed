"""How the mean face descriptor that centres the identity cosine was made, and whether it separates people.

    python -m experiments.face_mean --json out.json

The mean is taken over the faces of ``skimage.data.lfw_subset`` (100 photographs of as many people, 25 x 25 px, grey)
enlarged to 150 px with a border, those in which the detector finds one. They are far smaller than contest pictures, so
the second part checks the mean where it is used: on the two colour portraits, which have no part in it, and on damaged
variants of them. A useful mean puts different people near 0 and one person near 1.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.support.outcome import finish, parser
from selector.demo.shipped import photograph
from selector.domain import Picture, encode_final
from selector.sight.faces import MEAN_DESCRIPTOR, centred_cosine, descriptor, main_face

FACE_PX = 150
LFW_FACES = 100  # the other half of the subset are pictures without a face

Floats = NDArray[np.float64]


def main(arguments: list[str] | None = None) -> int:
    chosen = parser("face_mean", __doc__ or "").parse_args(arguments)
    vectors = lfw_descriptors()
    mean = vectors.mean(axis=0)
    off = float(np.abs(mean - MEAN_DESCRIPTOR).max())
    pairs = separation(portrait_variants())
    results = {
        "faces": len(vectors),
        "largest_difference_to_shipped": round(off, 5),
        "mean": [round(float(value), 4) for value in mean],
        **pairs,
    }
    lines = [f"mean of {len(vectors)} faces; largest difference to the shipped mean {off:.5f}"]
    lines += [
        f"{kind:>9}: n={row['n']:3d}  centred {row['centred_mean']:.3f} "
        f"({row['centred_min']:.3f} to {row['centred_max']:.3f})  raw {row['raw_mean']:.3f}"
        for kind, row in pairs.items()
    ]
    finish(results, lines, chosen.json)
    return 0


def lfw_descriptors() -> Floats:
    """Descriptors (n, 128) of those of the 100 small faces that are found."""
    import cv2
    from skimage import data

    shipped: Any = data  # partly typed

    found = []
    for grey in shipped.lfw_subset()[:LFW_FACES]:
        grey8 = np.clip(grey * 255, 0, 255).astype(np.uint8)
        large = cv2.resize(grey8, (FACE_PX, FACE_PX), interpolation=cv2.INTER_CUBIC)
        bordered = np.pad(large, FACE_PX // 2, mode="edge")
        vector = _described(np.repeat(bordered[..., None], 3, axis=2))
        if vector is not None:
            found.append(vector)
    return np.array(found)


def portrait_variants() -> dict[str, dict[str, Floats]]:
    """Descriptors of the two shipped portraits and of their damaged variants, by person."""
    return {name: _variants(photograph(name)) for name in ("astronaut", "hopper")}


def separation(people: dict[str, dict[str, Floats]]) -> dict[str, Any]:
    """Centred and raw cosines between variants of one person, and between people."""
    same = [pair for variants in people.values() for pair in combinations(variants.values(), 2)]
    first, second = people.values()
    different = [(a, b) for a in first.values() for b in second.values()]
    return {"same": _summary(same), "different": _summary(different)}


def _summary(pairs: list[tuple[Floats, Floats]]) -> dict[str, float]:
    centred = np.array([centred_cosine(a, b) for a, b in pairs])
    raw = np.array([a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in pairs])
    return {
        "n": len(pairs),
        "centred_mean": round(float(centred.mean()), 3),
        "centred_min": round(float(centred.min()), 3),
        "centred_max": round(float(centred.max()), 3),
        "raw_mean": round(float(raw.mean()), 3),
    }


def _variants(rgb: NDArray[np.uint8]) -> dict[str, Floats]:
    import cv2

    changed = {
        "plain": rgb,
        "mirrored": rgb[:, ::-1],
        "halved": cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        "darkened": (rgb * 0.45).astype(np.uint8),
        "jpeg 20": Picture(encode_final(rgb, quality=20)).rgb,
    }
    vectors = {name: _described(np.ascontiguousarray(image, dtype=np.uint8)) for name, image in changed.items()}
    return {name: vector for name, vector in vectors.items() if vector is not None}


def _described(rgb: NDArray[np.uint8]) -> Floats | None:
    picture = Picture(encode_final(rgb, "png"))
    face = main_face(picture)
    return None if face is None else descriptor(picture, face)


if __name__ == "__main__":
    raise SystemExit(main())
