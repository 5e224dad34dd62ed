"""A backbone from a folder of transformers' ``CLIPModel``: safetensors only, no code from the folder, no network.

The folder holds ``config.json``, ``model*.safetensors``, a tokenizer and ``preprocessor_config.json`` (its mean and
deviation; the crops are cut by ``views``). Text towers stay in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from selector.domain import InputError, MissingPart, stable_hash
from selector.domain.embedding import EmbeddingSettings, Floats
from selector.domain.json_text import parse_json
from selector.sight.embedding._clip_runner import ClipRunner, LoadedClip
from selector.sight.embedding._loading import TEXT_FILES
from selector.sight.embedding.device import need_packages
from selector.sight.embedding.views import VIEWS_VERSION
from selector.weights import content_tag, why_unreadable
from selector.weights.safe_load import check_named_files

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"


class TransformersClip(ClipRunner):
    """Fulfils ``selector.domain.embedding.Backbone``; of the settings it takes device, precision, batch and reads."""

    def __init__(self, folder: Path, settings: EmbeddingSettings) -> None:
        super().__init__(settings)
        self.folder = folder

    def check(self) -> None:
        need_packages("a CLIP model in a folder needs", "torch", "transformers")
        if not (self.folder / CONFIG).is_file():
            raise MissingPart(f"there is no {CONFIG} in {self.folder}: mend model_path, or fetch the model")
        if not self._weights:
            raise MissingPart(f"there is no model.safetensors in {self.folder}: pickles are not loaded")
        check_named_files(self.folder)

    @property
    def side_px(self) -> int:
        return int(self._config.get("vision_config", {}).get("image_size", 224))

    @property
    def reads_all(self) -> bool:
        return self.settings.reads == "all"

    def _find_space(self) -> tuple[str, bool]:
        """By the content of all files that change vectors, wherever the folder lies."""
        tag, names = "absent", dict.fromkeys((CONFIG, PREPROCESSOR, *TEXT_FILES))
        if self._weights:
            files = [*self._weights, *(f for name in names if (f := self.folder / name).is_file())]
            tag = stable_hash([[f.name, content_tag(f)] for f in files], 8)
        return f"clip-{tag}-{self.precision}-v{VIEWS_VERSION}", tag != "absent"

    def _load(self) -> LoadedClip:
        return _Loaded(self.folder, self._config, self.device, self.precision)

    @property
    def _weights(self) -> list[Path]:
        return sorted(self.folder.glob("model*.safetensors"))

    @cached_property
    def _config(self) -> dict[str, Any]:
        return _read(self.folder / CONFIG)


class _Loaded(LoadedClip):
    """The model in memory."""

    def __init__(self, folder: Path, config: dict[str, Any], device: str, precision: str) -> None:
        self._tokenizer, model = _from_folder(folder)
        stated = _read(folder / PREPROCESSOR) if (folder / PREPROCESSOR).is_file() else {}
        context = int(config.get("text_config", {}).get("max_position_embeddings", 77))
        dim = int(model.visual_projection.out_features)
        super().__init__(dim, device, precision, stated.get("image_mean"), stated.get("image_std"), context)
        self._model = model.to(self.device).eval().requires_grad_(False)
        self._model.vision_model.to(self.dtype)  # the text tower stays in float32
        self._model.visual_projection.to(self.dtype)

    def forward(self, prepared: Any) -> Any:
        return self._model.visual_projection(self._model.vision_model(pixel_values=prepared).pooler_output)

    def text_vectors(self, texts: Sequence[str]) -> Floats:
        tokens = self._tokenizer(list(texts), padding=True, return_tensors="pt").to(self.device)
        read = self._model.text_model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
        return np.asarray(self._model.text_projection(read.pooler_output).float().cpu().numpy(), np.float32)

    def tokens(self, text: str) -> int:
        return max(1, len(self._tokenizer(text, verbose=False)["input_ids"]) - 2)


def _from_folder(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and model.

    Raises:
        InputError: the folder holds something else, or lacks a tensor, which would be random.
    """
    from transformers import AutoTokenizer, CLIPModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model, info = CLIPModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:
        raise InputError(
            f"cannot load {folder.name} as a CLIP model ({why_unreadable(error, folder)}): fetch it again"
        ) from error
    absent = sorted(key for key in info["missing_keys"] if "position_ids" not in key)
    if absent or info.get("mismatched_keys"):
        what = absent[0] if absent else str(next(iter(info["mismatched_keys"])))
        raise InputError(
            f"the weights in {folder.name} are not of its {CONFIG}: '{what}' is missing or of another shape"
        )
    return tokenizer, model.float()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} ({error}): fetch the model again") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds a {type(found).__name__}, expected the settings of a model")
    return found
