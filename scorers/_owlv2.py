"""OWLv2 (Minderer et al., NeurIPS 2023): boxes of an image with a score for every phrase, from a local folder.

Published weights: google/owlv2-base-patch16-ensemble, Apache-2.0. Only what is on the disk is read, as safetensors; the
tokenizer reads English and 16 tokens of a phrase.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from scorers._grounding import Evidence, detector_evidence
from scorers._transformers_files import load_model
from selector.domain import InputError, MissingPart, stable_hash
from selector.domain.json_text import parse_json
from selector.sight.embedding.device import device_named, need_packages
from selector.sight.resize import shrink
from selector.weights import content_tag, need
from selector.weights.safe_load import check_named_files

MOST_BOXES = 100  # of thousands; the rest score near 0 for every phrase
LOWEST_SCORE = 0.01
LONGEST_PX = 1920  # twice what the model sees: the processor pads to a square of float64 before it shrinks
_FILES = ("config.json", "preprocessor_config.json", "tokenizer_config.json")
_one_at_a_time = threading.Lock()


def owlv2_folder(model_path: str) -> Path:
    """The model's folder, the user's own or that of ``bestshot weights``.

    Raises:
        MissingPart: it, a file of it, or a package is not here. InputError: it is another kind of model.
    """
    need_packages("grounding = 'owlv2' needs", "torch", "transformers")
    folder = need("owlv2", model_path or None)
    for name in _FILES:
        if not (folder / name).is_file():
            raise MissingPart(f"grounding = 'owlv2' finds no {name} in {folder}: copy or download the whole model")
    if not list(folder.glob("model*.safetensors")):
        raise MissingPart(f"grounding = 'owlv2' finds no model.safetensors in {folder}: pickles are not loaded")
    check_named_files(folder)
    try:
        kind = parse_json((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{folder / 'config.json'}: not a configuration of transformers ({error})") from error
    if kind != "owlv2":
        raise InputError(f"grounding = 'owlv2' needs a model of type owlv2, got {kind} in {folder}")
    return folder


def owlv2_tag(folder: Path) -> str:
    """Eight hex digits that change with any file that changes the scores."""
    files = sorted(path for pattern in ("*.json", "*.txt", "*.safetensors") for path in folder.glob(pattern))
    return stable_hash([[path.name, content_tag(path)] for path in files], 8)


def detect(folder: Path, tag: str, rgb: Any, phrases: Sequence[str], device: str = "auto") -> Evidence:
    """Evidence of the phrases in the boxes that the model finds in a picture (H, W, 3) uint8.

    Args:
        tag: see ``owlv2_tag``.
        device: as in ``[embedding]``.

    Raises:
        InputError: the model cannot be loaded.
    """
    with _one_at_a_time:
        loaded = _loaded(folder, tag, device_named(device))
        if isinstance(loaded, str):
            raise InputError(loaded)
        logits, centred = _answers(loaded, shrink(rgb, LONGEST_PX), list(phrases))
    boxes = _as_shares(centred, rgb.shape[1], rgb.shape[0])
    scores = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    best = scores.max(axis=1)
    kept = np.sort(np.argsort(-best, kind="stable")[:MOST_BOXES])
    seen = best[kept] >= LOWEST_SCORE
    return detector_evidence(phrases, boxes[kept][seen], scores[kept][seen])


def _as_shares(centred: Any, width: int, height: int) -> Any:
    """Centre, width and height (k, 4) as shares of the padded square to corners as shares of the picture itself: it
    lies in the square's top left corner."""
    corners = np.concatenate([centred[:, :2] - centred[:, 2:] / 2, centred[:, :2] + centred[:, 2:] / 2], axis=1)
    longest = max(width, height)
    return np.clip(corners * np.tile([longest / width, longest / height], 2), 0.0, 1.0)


def _answers(loaded: Any, rgb: Any, phrases: list[str]) -> tuple[Any, Any]:
    """Logits (boxes, phrases) and boxes (boxes, 4) as float64 arrays."""
    import torch
    from PIL import Image

    model, processor, tokenizer = loaded
    pixels = processor(images=[Image.fromarray(rgb)], return_tensors="pt")["pixel_values"]
    length = model.config.text_config.max_position_embeddings
    tokens = tokenizer(phrases, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        out = model(
            input_ids=tokens["input_ids"].to(model.device),
            attention_mask=tokens["attention_mask"].to(model.device),
            pixel_values=pixels.to(model.device),
        )
    return out.logits[0].double().cpu().numpy(), out.pred_boxes[0].double().cpu().numpy()


@lru_cache(maxsize=1)
def _loaded(folder: Path, tag: str, device: str) -> tuple[Any, Any, Any] | str:
    """Model, image processor and tokenizer, or why there are none; a failure is remembered too."""
    del tag  # of the key: other files at the same place are another model
    return load_model(folder, "Owlv2ForObjectDetection", device, "OWLv2", "untrained weights", tokenizer=True)
