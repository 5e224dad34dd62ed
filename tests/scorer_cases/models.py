"""Cases of the scorers that need a model: small ones with random weights, so that only the plumbing is tried with them.

What such a model says has no direction. Heads over an embedding are given ``Colours`` for that instead; see there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tiny_backbone import tiny_clip
from tiny_folders import tiny_pickscore

from scorer_cases import colours
from scorer_cases.cases import Case, NoSeries, Series
from scorer_cases.colours import DIM, by_colour
from scorer_cases.edits import blended_faces
from scorer_cases.pictures import jpeg, levels
from selector.domain import TaskType

ROUNDING = 1e-4  # vectors are kept in float16
# Between a JPEG that is decoded at half its size and its pixels, measured with these networks: 2e-5 to 2e-4. They see
# little: a picture on its side moves a score by 1e-3 to 2e-2.
REDUCED_DECODING = 5e-4


def backbone(folder: Path) -> Mapping[str, Any]:
    return asdict(tiny_clip(folder, DIM))


def checkpoint(folder: Path) -> Mapping[str, Any]:
    """The same model, as one of its own."""
    tiny = tiny_clip(folder, DIM)
    return {"model_path": tiny.weights_path, "config_path": tiny.config_path}


def pickscore(folder: Path) -> Mapping[str, Any]:
    """The other format of a preference model."""
    return {"model_path": str(tiny_pickscore(folder / "pickscore"))}


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


def reddish_photographs(folder: Path) -> Mapping[str, Any]:
    """Two dozen pictures of reddish patches, as a reference."""
    rng, place = np.random.default_rng(11), folder / "reference"
    place.mkdir(exist_ok=True)
    for number in range(24):
        patches = np.array([200, 40, 40]) + rng.normal(0, 25, (6, 8, 3))
        (place / f"{number:02}.jpg").write_bytes(jpeg(levels(np.kron(patches, np.ones((8, 8, 1))))).data)
    return {"reference_folder": str(place)}


def detector(folder: Path) -> Mapping[str, Any]:
    """A tiny vision transformer in the hub's format."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    place = folder / "detector"
    labels = {0: "real", 1: "fake"}
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = ViTConfig(**size, image_size=32, patch_size=8, initializer_range=0.6, id2label=labels)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ViTForImageClassification(config).save_pretrained(place)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(place)
    return {"folder": str(place)}


SEES_ONLY_THE_CANDIDATE = frozenset({TaskType.TIE})
CASES = {
    "clip_similarity": Case(
        {"similarity": by_colour(colours.redder_to_bluer)},
        embedding=backbone,
        tolerance=ROUNDING,
        between_encodings=REDUCED_DECODING,
    ),
    "prompt_contrast": Case(
        {"rank": by_colour(colours.redder_to_bluer), "margin": by_colour(colours.redder_to_bluer)},
        embedding=backbone,
        tolerance=ROUNDING,
        between_encodings=REDUCED_DECODING,
    ),
    "aesthetic": Case(
        {"rating": by_colour(colours.redder_to_bluer)},
        settings=head(2.0, 5.0),
        embedding=backbone,
        tolerance=ROUNDING,
        between_encodings=REDUCED_DECODING,
        looked_at=SEES_ONLY_THE_CANDIDATE,
    ),
    "fake_universal": Case(
        {
            "probability": by_colour(colours.bluer_to_redder),
            "logit": by_colour(colours.bluer_to_redder),
            "spread": by_colour(colours.more_and_more_uneven),
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
    "clip_direction": Case(
        {"direction": by_colour(colours.bluer_edits_to_none), "kept": by_colour(colours.no_edit_to_bluer_ones)},
        embedding=backbone,
        tolerance=ROUNDING,
        between_encodings=REDUCED_DECODING,
    ),
    "realism": Case(
        {"knn_distance": by_colour(colours.redder_to_bluer), "mahalanobis": by_colour(colours.redder_to_bluer)},
        settings=reddish_photographs,
        embedding=backbone,
        tolerance=ROUNDING,
        between_encodings=3e-3,  # mahalanobis: 1.5e-3, and 5e-2 on its side
        looked_at=SEES_ONLY_THE_CANDIDATE,
    ),
    "hf_detector": Case(
        {"fake_probability": NoSeries("a network with random weights detects nothing; its own tests sum the labels")},
        settings=detector,
        looked_at=SEES_ONLY_THE_CANDIDATE,
    ),
    "pyiqa": Case(
        {"piqe": NoSeries("what the package's metrics measure is the package's own matter")},
        settings=lambda _: {"metrics": ["piqe"]},
        looked_at=SEES_ONLY_THE_CANDIDATE,
        package="pyiqa",
    ),
    **{
        name: Case(
            {"similarity": by_colour(colours.redder_to_bluer)},
            settings=model,
            embedding=backbone,
            tolerance=ROUNDING,
            between_encodings=REDUCED_DECODING,
        )
        for name, model in (("preference", checkpoint), ("preference/pickscore", pickscore))
    },
}
