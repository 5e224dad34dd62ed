"""Stand-ins for a backbone and a detector on rendered scenes: they measure colour and shape, and know no places.

For unit tests only: they show whether the arithmetic of the ``spatial`` scorer is right, and nothing of how well a real
model grounds phrases. To them a text is a bag of colour and shape words; only a phrase of one colour and one shape also
asks for both together. So the whole prompt's similarity cannot tell a swap, by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.support.scenes import CHINESE, COLOURS, PAPER, SHAPES
from scorers._grounding import Evidence, detector_evidence

Floats = np.ndarray[Any, np.dtype[np.float32]]
Crops = np.ndarray[Any, np.dtype[np.uint8]]

FILLED = {"square": 1.0, "circle": 0.785, "triangle": 0.5, "star": 0.356}  # shares of the bounding box
SMALLEST_PX = 30  # of a patch of colour
CUT = 0.3  # weight of a shape that the crop's edge cuts
COMMON = 3.0  # what all crops and texts share: cosines lie close together, as CLIP's do
FEATURES = [*COLOURS, *SHAPES, *(f"{c} {s}" for c in COLOURS for s in SHAPES), "nothing"]
INDEX = {name: i for i, name in enumerate(FEATURES)}
FILLER, SHARED = -2, -1  # places after the features: what makes all crops equally long, and what all vectors share
FULL = 4.0  # length of a crop's features and filler together


@dataclass(frozen=True)
class Patch:
    """A coloured shape that was found: names, box in px (left, top, right, bottom), and whether an edge cuts it."""

    colour: str
    shape: str
    box: tuple[int, int, int, int]
    is_cut: bool


def patches(rgb: Crops) -> list[Patch]:
    """The shapes of a picture (H, W, 3) uint8, by nearest colour and by how much of their box they fill."""
    from scipy import ndimage

    palette = np.array([*COLOURS.values(), (PAPER,) * 3], np.float32)
    nearest = ((rgb[:, :, None].astype(np.float32) - palette) ** 2).sum(axis=-1).argmin(axis=-1)
    found = []
    for number, colour in enumerate(COLOURS):
        solid = ndimage.binary_erosion(nearest == number, np.ones((3, 3)))
        labels, _ = ndimage.label(nearest == number)
        for i, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
            filled = labels[rows, columns] == i
            if filled.sum() < SMALLEST_PX or not solid[rows, columns][filled].any():
                continue  # an edge between two colours, which can pass for a third one
            shape = min(FILLED, key=lambda name: abs(FILLED[name] - filled.mean()))
            box = (columns.start, rows.start, columns.stop, rows.stop)
            is_cut = min(box[:2]) == 0 or box[2] == rgb.shape[1] or box[3] == rgb.shape[0]
            found.append(Patch(colour, shape, box, is_cut))
    return found


def said(text: str) -> list[str]:
    """The features that a text names, in English or Chinese."""
    words = text.lower() + " " + " ".join(name for name, chinese in CHINESE.items() if chinese in text)
    colours, shapes = ([name for name in names if name in words] for names in (COLOURS, SHAPES))
    together = [f"{colours[0]} {shapes[0]}"] if len(colours) == len(shapes) == 1 else []
    return [*colours, *shapes, *together] or ["nothing"]


class StubBackbone:
    """A ``selector.domain.embedding.Backbone``. ``noise``: standard deviation added to every feature of a crop."""

    side_px = 96
    reads_all = True
    on_cpu = on_torch = True
    batch = 32

    def __init__(self, noise: float, seed: int = 0) -> None:
        self.noise, self.seed = noise, seed

    @property
    def space(self) -> str:
        return f"stub-{self.noise}-{self.seed}"

    def check(self) -> None:
        """Needs nothing."""

    def embed_crops(self, crops: Crops) -> Floats:
        return np.stack([self._vector(crop) for crop in crops])

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        vectors = np.zeros((len(texts), len(FEATURES) + 2), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[[INDEX[name] for name in said(text)]] = 1 / len(said(text)) ** 0.5
            row[SHARED] = COMMON
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def _vector(self, crop: Crops) -> Floats:
        vector = np.zeros(len(FEATURES) + 2, np.float32)
        for patch in patches(crop):
            weight = CUT if patch.is_cut else 1.0
            for name in (patch.colour, patch.shape, f"{patch.colour} {patch.shape}"):
                vector[INDEX[name]] = max(vector[INDEX[name]], weight)
        vector[INDEX["nothing"]] = 1.0 - vector.max()
        # By the crop's pixels, so that the same crop is the same vector in any batch and process.
        rng = np.random.default_rng([self.seed, *np.frombuffer(crop.tobytes(), np.uint8)[:: crop.size // 64]])
        vector[:FILLER] += rng.normal(0, self.noise, len(FEATURES))
        vector[FILLER] = max(0.0, FULL**2 - float(vector @ vector)) ** 0.5
        vector[SHARED] = COMMON
        return vector


def stub_detector(rgb: Crops, phrases: Sequence[str], noise: float, seed: int = 0) -> Evidence:
    """Boxes of all shapes; a phrase's score is 0.6 times the share of its words that fit, with noise on its logit."""
    found = patches(rgb)
    rng = np.random.default_rng([seed, len(found), int(rgb.sum())])
    size = np.array([rgb.shape[1], rgb.shape[0]] * 2)
    boxes = np.array([patch.box for patch in found], float).reshape(-1, 4) / size
    fits = np.array([[_fit(patch, said(phrase)) for phrase in phrases] for patch in found]).reshape(-1, len(phrases))
    scores = np.clip(0.6 * fits, 0.01, 0.99)
    logits = np.log(scores / (1 - scores)) + rng.normal(0, noise, scores.shape)
    return detector_evidence(phrases, boxes, 1 / (1 + np.exp(-logits)))


def _fit(patch: Patch, words: Sequence[str]) -> float:
    shown = {patch.colour, patch.shape, f"{patch.colour} {patch.shape}"}
    return sum(word in shown for word in words) / len(words)
