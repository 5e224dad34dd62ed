"""Writes what was trained once more, as ONNX: graphs that read their weights from the safetensors beside them.

ONNX may keep a tensor in another file, at an offset. A safetensors file is its tensors one behind the other, so the
weights are shipped once, for torch and for onnxruntime, and a graph takes some 100 kB. Weights stay in fp16 and are
cast where they are used, which onnxruntime does once, while it loads.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from selector.domain.files import scratch_folder, write_atomically
from selector.sight.embedded import (
    EMBEDDING_CONFIG,
    EMBEDDING_WEIGHTS,
    LATENT_SHAPE,
    PICTURE_GRAPH,
    TEXT_GRAPH,
    TEXT_LENGTH,
    UNET_GRAPH,
    VAE_GRAPH,
    WORDS_GRAPH,
)

OPSET = 17
_EXAMPLES = 2  # a batch of one would be taken for a constant
_KINDS = {"F16": "FLOAT16", "F32": "FLOAT", "I64": "INT64"}  # safetensors' names of types, and ONNX's


@dataclass(frozen=True)
class Graph:
    """A network to write: ``inputs`` by name, each with the batch as its first axis; ``output``: the name of its one.

    ``weights``: the safetensors file in the folder whose tensors the network's are, by the names of ``prefix`` on.
    """

    path: Path
    weights: str
    network: nn.Module
    inputs: Mapping[str, torch.Tensor]
    output: str


def write_pipeline_graphs(folder: Path) -> list[Path]:
    """Write those of a folder in diffusers' format; their paths."""
    return [_write(graph) for graph in _of_pipeline(folder)]


def write_embedding_graphs(folder: Path) -> list[Path]:
    """Write those of a folder in open_clip's format; their paths."""
    return [_write(graph) for graph in _of_embedding(folder)]


class _Part(nn.Module):
    """A part of a model, called as it is done here; ``model`` keeps the names of its weights."""

    def __init__(self, model: Any, call: Any) -> None:
        super().__init__()
        self.model, self._call = model, call

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self._call(self.model, *inputs)


def _of_pipeline(folder: Path) -> Sequence[Graph]:
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(folder)
    ids = torch.randint(0, len(pipe.tokenizer), (_EXAMPLES, TEXT_LENGTH))
    latents = torch.randn(_EXAMPLES, *LATENT_SHAPE)
    words = torch.randn(_EXAMPLES, TEXT_LENGTH, pipe.text_encoder.config.hidden_size)
    ours = "diffusion_pytorch_model.safetensors"
    return (
        Graph(folder / WORDS_GRAPH, "model.safetensors",
              _Part(pipe.text_encoder, lambda model, ids: model(ids, return_dict=False)[0]), {"ids": ids}, "words"),
        Graph(folder / UNET_GRAPH, ours,
              _Part(pipe.unet, lambda model, *given: model(*given, return_dict=False)[0]),
              {"latents": latents, "time": torch.arange(_EXAMPLES), "words": words}, "velocity"),
        Graph(folder / VAE_GRAPH, ours,
              _Part(pipe.vae, lambda model, latents: model.decode(latents, return_dict=False)[0]),
              {"latents": latents}, "values"),
    )  # fmt: skip


def _of_embedding(folder: Path) -> Sequence[Graph]:
    from open_clip.model import CLIP
    from safetensors.torch import load_file

    described = json.loads((folder / EMBEDDING_CONFIG).read_text(encoding="utf-8"))["model_cfg"]
    text = {key: value for key, value in described["text_cfg"].items() if key != "hf_tokenizer_name"}
    clip = CLIP(described["embed_dim"], described["vision_cfg"], text)
    clip.load_state_dict(load_file(folder / EMBEDDING_WEIGHTS))
    side = described["vision_cfg"]["image_size"]
    pixels, ids = torch.randn(_EXAMPLES, 3, side, side), torch.randint(0, text["vocab_size"], (_EXAMPLES, TEXT_LENGTH))
    return (
        Graph(folder / PICTURE_GRAPH, EMBEDDING_WEIGHTS, _Part(clip.float(), lambda model, x: model.encode_image(x)),
              {"pixels": pixels}, "vectors"),
        Graph(folder / TEXT_GRAPH, EMBEDDING_WEIGHTS, _Part(clip, lambda model, ids: model.encode_text(ids)),
              {"ids": ids}, "vectors"),
    )  # fmt: skip


def _write(graph: Graph) -> Path:
    model = _exported(graph)
    _refer(model.graph, graph.path.parent / graph.weights)
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    write_atomically(graph.path, model.SerializeToString(deterministic=True))
    return graph.path


def _exported(graph: Graph) -> Any:
    """ONNX's model, with the weights in it under the names that torch has for them."""
    import onnx

    with scratch_folder() as scratch, warnings.catch_warnings(), torch.no_grad(), _plain_attention():
        warnings.simplefilter("ignore")  # it tells of every size that becomes a constant, and that another way exists
        torch.onnx.export(
            graph.network.eval(),
            tuple(graph.inputs.values()),
            scratch / graph.path.name,
            dynamo=False,  # the newer way renames and folds weights, and needs another package
            opset_version=OPSET,
            do_constant_folding=False,  # a folded weight is no longer the file's
            training=torch.onnx.TrainingMode.PRESERVE,  # batch norms would be folded into the layers before them
            input_names=list(graph.inputs),
            output_names=[graph.output],
            dynamic_axes={name: {0: "n"} for name in (*graph.inputs, graph.output)},
        )
        return onnx.load(scratch / graph.path.name)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Without torch's operator of its own for whole attention layers, which ONNX does not know."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _refer(graph: Any, weights: Path) -> None:
    """Put every weight of the file in place of its copy, and a cast to float32 behind it."""
    import onnx

    places = _places(weights)
    casts = []
    for tensor in list(graph.initializer):
        name = tensor.name.removeprefix("model.")
        if name not in places:
            continue
        graph.initializer.remove(tensor)
        kind, (first, last) = places[name]
        half = kind == "F16"
        stored = onnx.TensorProto(
            name=f"{tensor.name}/stored" if half else tensor.name,
            dims=tensor.dims,
            data_type=getattr(onnx.TensorProto, _KINDS[kind]),
            data_location=onnx.TensorProto.EXTERNAL,
        )
        for key, value in (("location", weights.name), ("offset", first), ("length", last - first)):
            stored.external_data.add(key=key, value=str(value))
        graph.initializer.append(stored)
        if half:
            casts.append(onnx.helper.make_node("Cast", [stored.name], [tensor.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _places(weights: Path) -> dict[str, tuple[str, tuple[int, int]]]:
    """Of every tensor of a safetensors file its type, and where its bytes begin and end in the file."""
    with weights.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    return {
        name: (found["dtype"], tuple(8 + size + offset for offset in found["data_offsets"]))
        for name, found in header.items()
        if name != "__metadata__"
    }
