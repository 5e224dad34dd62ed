"""The backbone that travels with the package, on onnxruntime: no torch, the same vectors on every machine.

open_clip reads the same weights (``openclip``), and its vectors are these within 1e-3; it is asked for a GPU or another
precision. Which of the two runs is decided here, in ``runs_on_onnx``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from selector.domain import stable_hash
from selector.domain.embedding import Crops, EmbeddingSettings, Floats
from selector.sight import embedded
from selector.sight.embedded.tokenizer import Tokenizer, cleaned
from selector.sight.embedding._clip_runner import MEAN, STD
from selector.sight.embedding.device import check_form
from selector.sight.embedding.texts import embed_long
from selector.sight.embedding.views import VIEWS_VERSION
from selector.sight.onnx_session import check_onnx, open_model
from selector.weights import content_tag


def runs_on_onnx(settings: EmbeddingSettings) -> bool:
    """Whether it is the embedded model with nothing asked for that onnxruntime is not to give."""
    own_files = settings.weights_path or settings.config_path  # refused there, with the cure
    plain = settings.device in ("auto", "cpu") and settings.precision in ("auto", "fp32")
    return settings.model == embedded.NAME and plain and not own_files


class EmbeddedClip:
    """Fulfils ``selector.domain.embedding.Backbone``; of the settings it takes the batch."""

    reads_all = True
    on_cpu = True
    on_torch = False

    def __init__(self, settings: EmbeddingSettings) -> None:
        check_form(settings.device)
        self.settings, self.folder = settings, embedded.EMBEDDING
        self.batch = settings.batch

    def check(self) -> None:
        check_onnx()
        embedded.need_embedded(self.folder)

    @cached_property
    def side_px(self) -> int:
        return int(self._described["model_cfg"]["vision_cfg"]["image_size"])

    @property
    def space(self) -> str:
        """By the content of all files that change vectors; found once they are here."""
        return self._space if embedded.is_here(self.folder) else f"{embedded.NAME}-absent"

    def embed_crops(self, crops: Crops) -> Floats:
        """Safe to call from several threads: a session changes nothing of its own."""
        self.check()
        parts = [self._seen(crops[start : start + self.batch]) for start in range(0, len(crops), self.batch)]
        return np.concatenate(parts) if parts else np.zeros((0, self._dim), np.float32)

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        self.check()
        most = embedded.TEXT_LENGTH - 2  # without the marks of start and end
        return embed_long(texts, lambda text: self._tokens(text) <= most, self._tokens, self._read, self._dim)

    def _seen(self, crops: Crops) -> Floats:
        pixels = (crops.astype(np.float32) - self._mean) / self._std
        return self._run(embedded.PICTURE_GRAPH, pixels=pixels.transpose(0, 3, 1, 2))

    def _read(self, texts: Sequence[str]) -> Floats:
        return self._run(embedded.TEXT_GRAPH, ids=self._words.rows([cleaned(text) for text in texts]))

    def _tokens(self, text: str) -> int:
        return max(1, len(self._words.ids(text)))

    def _run(self, graph: str, **feeds: Any) -> Floats:
        (found,) = open_model(self.folder / graph, device="cpu").run(feeds)
        return np.asarray(found, np.float32)

    @cached_property
    def _space(self) -> str:
        files = [file for file in sorted(self.folder.iterdir()) if file.suffix in (".onnx", ".json", ".txt")]
        files.append(self.folder / embedded.EMBEDDING_WEIGHTS)
        tag = stable_hash([[file.name, content_tag(file)] for file in files], 8)
        return f"{embedded.NAME}-{tag}-onnx-v{VIEWS_VERSION}"

    @cached_property
    def _described(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / embedded.EMBEDDING_CONFIG).read_text(encoding="utf-8"))
        return found

    @cached_property
    def _words(self) -> Tokenizer:
        return Tokenizer(self.folder)

    @property
    def _dim(self) -> int:
        return int(self._described["model_cfg"]["embed_dim"])

    @cached_property
    def _mean(self) -> Floats:
        return self._channels("mean", MEAN)

    @cached_property
    def _std(self) -> Floats:
        return self._channels("std", STD)

    def _channels(self, name: str, usual: Sequence[float]) -> Floats:
        return np.array(self._described.get("preprocess_cfg", {}).get(name) or usual, np.float32) * 255
