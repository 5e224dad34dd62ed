"""Readers of weights: PyTorch's two formats, safetensors, ONNX, numpy."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.support.hostile_inputs import Strategy, json_texts
from experiments.support.hostile_shared import (
    in_file,
)
from experiments.support.hostile_trial import Reader
from selector.domain import InputError


def _read_part(path: Path) -> None:
    from generators._pipelines.model_folder import _bytes_of

    _bytes_of(path, 2)


def _torch_files(old: bool) -> list[bytes]:
    import torch

    made = []
    state = {"0.weight": torch.arange(6.0).reshape(2, 3), "0.bias": torch.ones(2, dtype=torch.float16)}
    for content in (state, {"epoch": 3, "state_dict": state}):
        stream = io.BytesIO()
        torch.save(content, stream, _use_new_zipfile_serialization=not old)
        made.append(stream.getvalue())
    return made


def _safetensors() -> list[bytes]:
    import torch
    from safetensors.torch import save

    return [
        save({"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2, dtype=torch.float16)}, {"format": "pt"})
    ]


def _headers() -> Sequence[Strategy]:
    """safetensors whose header says something else than what follows."""
    header = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {"format": "pt"}}
    words = ["dtype", "shape", "data_offsets", "F16", "F8_E4M3", "BOOL"]
    return [json_texts([header], words).map(lambda text: len(text).to_bytes(8, "little") + text + bytes(24))]


def _load_weights(path: Path) -> None:
    from selector.weights import load_state

    load_state(path)


def _onnx_files() -> list[bytes]:
    """A product with a matrix, and one that keeps a matrix which no node uses, as face swappers do."""
    from onnx import TensorProto, helper, numpy_helper

    made = []
    for kept in ("weights", "buff2fs"):
        operation = ("MatMul", ["a", kept]) if kept == "weights" else ("Identity", ["a"])
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8]) for name in "ab"]
        matrix = numpy_helper.from_array(np.eye(8, dtype=np.float32), kept)
        graph = helper.make_graph([helper.make_node(*operation, ["b"])], "tiny", ends[:1], ends[1:], [matrix])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        made.append(bytes(model.SerializeToString()))
    return made


def _load_onnx(path: Path) -> list[str]:
    from generators._face.swap_models import emap_of_model
    from selector.sight.onnx_session import forget_models, open_model

    said = []
    for load in (lambda: open_model(path, "cpu"), lambda: emap_of_model(path, 8, only_unused=False)):
        try:
            load()
        except InputError as error:
            said.append(str(error))
        finally:
            forget_models()
    return said


def _matrices() -> list[bytes]:
    made = []
    for value in (np.eye(8), np.eye(8, dtype=np.float16), np.ones(3)):
        stream = io.BytesIO()
        np.save(stream, value)
        made.append(stream.getvalue())
    return made


def _load_matrix(path: Path) -> None:
    from generators._face.swap_models import emap_of_file

    emap_of_file(path, 8)


READERS: tuple[Reader, ...] = (
    Reader("weights, .pt", lambda: _torch_files(False), in_file("w.pt", _load_weights)),
    Reader("weights, old .pt", lambda: _torch_files(True), in_file("w.pth", _load_weights)),
    Reader("weights, safetensors", _safetensors, in_file("w.safetensors", _load_weights), _headers),
    Reader("weights, ONNX", _onnx_files, in_file("m.onnx", _load_onnx)),
    Reader("weights, .npy", _matrices, in_file("m.npy", _load_matrix), told=1),
    Reader("part of a pipeline", _safetensors, in_file("part.safetensors", _read_part), _headers),
)
