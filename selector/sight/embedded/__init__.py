"""The two small models that travel with the package: pictures from words, and an embedding of pictures and words.

``text_to_image/`` is a Stable Diffusion folder of diffusers, ``embedding/`` one of open_clip with its tokenizer; beside
the weights lie graphs of ONNX that read them, so that onnxruntime runs both, and torch need not be here. Both
know coloured shapes and nothing else: they are for the demo, for tests and for contests whose truth is known. Each has
a model card, README.md. Trained by this project, under its licence.
"""

from __future__ import annotations

from pathlib import Path

from selector.domain import MissingPart

TEXT_TO_IMAGE = Path(__file__).parent / "text_to_image"
EMBEDDING = Path(__file__).parent / "embedding"
EMBEDDING_CONFIG = "open_clip_config.json"
EMBEDDING_WEIGHTS = "open_clip_model.safetensors"
# Graphs of ONNX, which read their weights from the safetensors beside them: ``experiments.closed_world.graphs``.
WORDS_GRAPH, UNET_GRAPH, VAE_GRAPH = "text_encoder/words.onnx", "unet/unet.onnx", "vae/decoder.onnx"
PICTURE_GRAPH, TEXT_GRAPH = "picture.onnx", "text.onnx"
TEXT_LENGTH = 40  # tokens that both read
SIDE_PX = 64  # of what is drawn
LATENT_SHAPE = (4, 16, 16)
NAME = "embedded"  # of the preset of ``diffusers``, and of the model in ``[embedding]``
# How far scores of the embedding tell the truth of such pictures of a prompt, for ``[calibrate] scores``. Measured on
# pictures of their own: `python -m experiments.play --measure --pool-seed 1 --prompts 24 --edits 24`, rounded down.
CORRELATIONS = {"clip_similarity.similarity": 0.7, "prompt_contrast.margin": 0.4, "prompt_contrast.rank": 0.5}
_NEEDED = {
    TEXT_TO_IMAGE: ("model_index.json", WORDS_GRAPH, UNET_GRAPH, VAE_GRAPH),
    EMBEDDING: (EMBEDDING_CONFIG, EMBEDDING_WEIGHTS, PICTURE_GRAPH, TEXT_GRAPH),
}


def is_here(folder: Path) -> bool:
    """Whether ``TEXT_TO_IMAGE`` or ``EMBEDDING`` lies where it belongs."""
    return all((folder / name).is_file() for name in _NEEDED[folder])


def need_embedded(folder: Path) -> Path:
    """The folder itself, ``TEXT_TO_IMAGE`` or ``EMBEDDING``. Raises ``MissingPart`` when it is not here."""
    if not is_here(folder):
        raise MissingPart(
            f"the embedded model {folder.name} did not come with this copy of bestshot: install it again, or in a "
            "checkout run `python -m experiments.closed_world.train --work training --out selector/sight/embedded`"
        )
    return folder
