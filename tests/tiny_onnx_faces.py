"""Small ONNX networks with the inputs and outputs of the real ones: face embedder, swapper, restorer, detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, np.dtype[Any]]

LENGTH = 512
POOLED = 3 * 14 * 14
PROJECTION = np.random.default_rng(7).normal(size=(POOLED, LENGTH)).astype(np.float32)
EMAP = np.random.default_rng(8).normal(size=(LENGTH, LENGTH)).astype(np.float32)
TINT = np.random.default_rng(9).normal(size=(LENGTH, 3)).astype(np.float32)


def _saved(path: Path, nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], **weights: Array) -> str:
    kept = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(list(nodes), "tiny", list(inputs), list(outputs), kept)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return str(path)


def _float(name: str, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def embedder(path: Path, weights: Array = PROJECTION) -> str:
    """Means of 8 px squares of the aligned face times fixed weights: it knows nothing of people."""
    nodes = [
        helper.make_node("AveragePool", ["faces"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["vector"]),
    ]
    shapes = [_float("faces", "n", 3, 112, 112)], [_float("vector", "n", weights.shape[1])]
    return _saved(path, nodes, *shapes, weights=weights)


def identity_swapper(path: Path, side: int | str = 128, emap: Array | None = EMAP) -> str:
    """Gives back its target, whatever the identity."""
    kept = {} if emap is None else {"buff2fs": emap}
    inputs = [_float("target", 1, 3, side, side), _float("source", 1, LENGTH)]
    nodes = [helper.make_node("Identity", ["target"], ["output"])]
    return _saved(path, nodes, inputs, [_float("output", 1, 3, side, side)], **kept)


def tinting_swapper(path: Path, side: int = 128, emap: Array | None = EMAP, **more: Array) -> str:
    """Half the target, and half a colour of the identity: a sigmoid of its latent times ``TINT``."""
    kept = {"tint": TINT, "half": np.array(0.5, np.float32), "shape": np.array([1, 3, 1, 1], np.int64), **more}
    kept |= {} if emap is None else {"buff2fs": emap}
    nodes = [
        helper.make_node("MatMul", ["source", "tint"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["colour"]),
        helper.make_node("Reshape", ["colour", "shape"], ["spread"]),
        helper.make_node("Add", ["target", "spread"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["output"]),
    ]
    inputs = [_float("target", 1, 3, side, side), _float("source", 1, LENGTH)]
    return _saved(path, nodes, inputs, [_float("output", 1, 3, side, side)], **kept)


def tint_of(latent: Array) -> Array:
    """The colour (3,), 0 to 1, of the swapper above."""
    return np.asarray(1 / (1 + np.exp(-latent @ TINT.astype(np.float64))))


def constant_swapper(path: Path, value: float) -> str:
    """Gives one value everywhere, NaN say."""
    nodes = [
        helper.make_node("Sub", ["target", "target"], ["zero"]),
        helper.make_node("Add", ["zero", "value"], ["output"]),
    ]
    inputs = [_float("target", 1, 3, 128, 128), _float("source", 1, LENGTH)]
    value_of = np.array(value, np.float32)
    return _saved(path, nodes, inputs, [_float("output", 1, 3, 128, 128)], value=value_of, buff2fs=EMAP)


def restorer(path: Path, side: int = 512, factor: float = 1.0, knob: bool = False) -> str:
    """Gives its input times ``factor``, or times its second input, as CodeFormer's weight comes."""
    inputs = [_float("input", 1, 3, side, side)]
    kept = {} if knob else {"factor": np.array(factor, np.float32)}
    nodes = []
    if knob:
        inputs.append(helper.make_tensor_value_info("weight", TensorProto.DOUBLE, [1]))
        nodes.append(helper.make_node("Cast", ["weight"], ["factor"], to=TensorProto.FLOAT))
    nodes.append(helper.make_node("Mul", ["input", "factor"], ["output"]))
    return _saved(path, nodes, inputs, [_float("output", 1, 3, side, side)], **kept)


def detector_outputs(faces: Sequence[tuple[Array, Array, float]], side: int, anchors: int = 2) -> list[Array]:
    """What an SCRFD-type detector says of faces (box (4,), points (5, 2), score), each in the grid of its size."""
    scores, boxes, points = [], [], []
    for stride in (8, 16, 32):
        across = side // stride
        rows = across * across * anchors
        scores.append(np.zeros((rows, 1), np.float32))
        boxes.append(np.zeros((rows, 4), np.float32))
        points.append(np.zeros((rows, 10), np.float32))
    for box, five, score in faces:
        level = int(np.clip(np.log2(max((box[2] - box[0]) / 64, 1)), 0, 2))
        stride = 8 << level
        x, y = (int(v) for v in np.floor((box[:2] + box[2:]) / 2 / stride))
        row = (y * (side // stride) + x) * anchors + anchors - 1
        centre = np.array([x, y]) * stride
        scores[level][row] = score
        boxes[level][row] = np.concatenate([centre - box[:2], box[2:] - centre]) / stride
        points[level][row] = ((five - centre) / stride).ravel()
    return [*scores, *boxes, *points]


def detector(path: Path, outputs: Sequence[Array], side: int | str, lit: tuple[int, int] | None = None) -> str:
    """A detector that always says ``outputs``; with ``lit`` (x, y) only where the picture is bright there."""
    nodes, kept, described = [], {}, []
    if lit:
        x, y = lit
        kept |= {
            "from": np.array([y, x], np.int64),
            "to": np.array([y + 1, x + 1], np.int64),
            "axes": np.array([2, 3], np.int64),
            "ten": np.array(10, np.float32),
        }
        nodes += [
            helper.make_node("Slice", ["input", "from", "to", "axes"], ["spot"]),
            helper.make_node("ReduceMean", ["spot"], ["level"], keepdims=0),
            helper.make_node("Mul", ["level", "ten"], ["large"]),
            helper.make_node("Sigmoid", ["large"], ["on"]),
        ]
    for i, value in enumerate(outputs):
        kept[f"value{i}"] = value
        kind, inputs = ("Mul", [f"value{i}", "on"]) if lit and value.shape[-1] == 1 else ("Identity", [f"value{i}"])
        nodes.append(helper.make_node(kind, inputs, [f"o{i}"]))
        described.append(_float(f"o{i}", *value.shape))
    return _saved(path, nodes, [_float("input", 1, 3, side, side)], described, **kept)
