"""Cases of the scorers that need a model: small ones with random weights, so that only the plumbing is tried with them.

Directions of heads over an embedding are tried on an embedding whose meaning is known: ``Colours`` says how red, green
and blue a crop is, and what a prompt asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tiny_backbone import tiny_clip

from scorer_cases.cases import Case, Series
from scorer_cases.edits import blended_faces
from scorer_cases.pictures import Array, png
from selector.domain import Item, Scorer, Task, TaskInputs, TaskType

DIM = 16
ROUNDING = 2e-3  # vectors are kept in float16
REDUCED_DECODING = 0.1  # of a random network's scores, between a JPEG that is decoded at half its size and its pixels


def backbone(folder: Path) -> Mapping[str, Any]:
    return asdict(tiny_clip(folder, DIM))


def head(scale: float, offset: float) -> Callable[[Path], Mapping[str, Any]]:
    """Settings with a linear head that is large for red and small for blue, and random beyond the colours."""

    def settings(folder: Path) -> Mapping[str, Any]:
        import torch
        from safetensors.torch import save_file

        path = folder / f"head-{scale:g}-{offset:g}.safetensors"
        weights = np.random.default_rng(3).normal(0, 0.3, (1, DIM)).astype(np.float32)
        weights[0, :3] = 1, 0, -1
        save_file({"layer.bias": torch.tensor([offset]), "layer.weight": torch.from_numpy(scale * weights)}, path)
        return {"head_path": str(path)}

    return settings


class Colours:
    """A backbone whose vector is the mean colour of a crop, and whose texts are names of colours."""

    space, side_px, reads_all, concurrent = "colours", 8, True, False

    def check(self) -> None:
        """Needs nothing."""

    def embed_crops(self, crops: Array) -> Array:
        vectors = np.zeros((len(crops), DIM), np.float32)
        vectors[:, :3] = crops.mean(axis=(1, 2)) / 255
        return vectors

    def embed_texts(self, texts: Sequence[str]) -> Array:
        vectors = np.zeros((len(texts), DIM), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            vector[:3] = [0.1 + (colour in text) for colour in ("red", "green", "blue")]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def painted(*colours: tuple[int, int, int]) -> list[Item]:
    """Plain pictures for the prompt 'a red sign'."""
    inputs = TaskInputs(Task("r", TaskType.T2I, "a red sign", None, None, 0))
    return [Item(inputs, png(np.full((40, 60, 3), colour, np.uint8))) for colour in colours]


def redder_to_bluer() -> list[Item]:
    return painted((220, 20, 20), (180, 20, 80), (80, 20, 180), (20, 20, 220))


def bluer_to_redder() -> list[Item]:
    return redder_to_bluer()[::-1]


def more_and_more_uneven() -> list[Item]:
    """Pictures whose halves differ more and more in colour."""
    made = painted((120, 20, 120), (120, 20, 120), (120, 20, 120))
    halves = []
    for item, difference in zip(made, (0, 40, 100), strict=True):
        rgb = item.picture.rgb.copy()
        rgb[:, :30] += np.array([difference, 0, 0], np.uint8)
        halves.append(Item(item.inputs, png(rgb)))
    return halves


def seeing_colours(scorer: Scorer) -> Scorer:
    """The scorer over ``Colours`` instead of its backbone."""
    inner: Any = vars(scorer).get("_scorer", scorer)  # the registry wraps a scorer that has settings
    inner.backbone = Colours()
    return scorer


def by_colour(items: Callable[[], list[Item]]) -> Series:
    return Series(items, prepare=seeing_colours)


def _face_net(folder: Path) -> Mapping[str, Any]:
    """A random projection of the aligned face: it keeps likeness of pixels, and knows nothing of people."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    path = folder / "face.onnx"
    weights = np.random.default_rng(7).normal(size=(3 * 112 * 112, DIM)).astype(np.float32) / 100
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["faces"], ["flat"]), helper.make_node("MatMul", ["flat", "weights"], ["vector"])],
        "face",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", DIM])],
        [numpy_helper.from_array(weights, "weights")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return {"model_path": str(path)}


SEES_ONLY_THE_CANDIDATE = frozenset({TaskType.T2I})
CASES = {
    "clip_similarity": Case(
        {"similarity": by_colour(redder_to_bluer)},
        embedding=backbone,
        tolerance=ROUNDING,
        between_encodings=REDUCED_DECODING,
    ),
    "prompt_contrast": Case(
        {"rank": by_colour(redder_to_bluer), "margin": by_colour(redder_to_bluer)},
        embedding=backbone,
        tolerance=ROUNDING,
        between_encodings=REDUCED_DECODING,
    ),
    "aesthetic": Case(
        {"rating": by_colour(redder_to_bluer)},
        settings=head(2.0, 5.0),
        embedding=backbone,
        tolerance=ROUNDING,
        between_encodings=REDUCED_DECODING,
        looked_at=SEES_ONLY_THE_CANDIDATE,
    ),
    "fake_universal": Case(
        {
            "probability": by_colour(bluer_to_redder),
            "logit": by_colour(bluer_to_redder),
            "spread": by_colour(more_and_more_uneven),
        },
        settings=head(4.0, 0.0),
        embedding=backbone,
        tolerance=ROUNDING,
        looked_at=SEES_ONLY_THE_CANDIDATE,
    ),
    "arcface": Case(
        {column: Series(blended_faces, least=0.1) for column in ("wanted_cosine", "original_cosine")},
        settings=_face_net,
    ),
}
