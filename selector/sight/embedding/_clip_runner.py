"""What every backbone does alike: it loads once, runs in batches on its device, and tells its vectors' space once."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from selector.domain import BestshotError, raise_shortage
from selector.domain.embedding import Crops, EmbeddingSettings, Floats
from selector.sight.embedding.device import best_precision, check_form, device_named
from selector.sight.embedding.texts import embed_long

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # OpenAI's
Channels = Sequence[float] | None


class LoadedClip(ABC):
    """A model in memory; threads may share it, but for its tokenizer, which ``ClipRunner`` guards.

    Args:
        mean, std: of the channels, 0 to 1, with which pixels are normalised; OpenAI's if none are stated.
        context: tokens that its text tower takes, the marks of start and end among them.
    """

    def __init__(self, dim: int, device: str, precision: str, mean: Channels, std: Channels, context: int) -> None:
        import torch

        self.dim, self.device, self.dtype = dim, torch.device(device), dtype_of(precision)
        self._context = context
        self._mean, self._std = (
            torch.tensor(values, device=self.device).view(1, 3, 1, 1) * 255 for values in (mean or MEAN, std or STD)
        )

    def prepared(self, crops: Any) -> Any:
        """(n, side, side, 3) uint8 tensor on the CPU to (n, 3, side, side), normalised, on the device."""
        pixels = crops.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float()
        return ((pixels - self._mean) / self._std).to(self.dtype)

    @abstractmethod
    def forward(self, prepared: Any) -> Any:
        """(n, dim) of prepared crops, on any device."""

    @abstractmethod
    def text_vectors(self, texts: Sequence[str]) -> Floats:
        """(n, dim) of texts that fit."""

    @abstractmethod
    def tokens(self, text: str) -> int:
        """Number of tokens of a text, its marks of start and end not counted."""

    def fits(self, text: str) -> bool:
        """Whether the text tower takes it whole."""
        return self.tokens(text) + 2 <= self._context


def dtype_of(precision: str) -> Any:
    """torch's type of fp32, bf16 or fp16."""
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


class ClipRunner(ABC):
    """The common part of ``selector.domain.embedding.Backbone``."""

    def __init__(self, settings: EmbeddingSettings) -> None:
        check_form(settings.device)
        self.settings = settings
        self._loading, self._reading = threading.Lock(), threading.Lock()
        self._loaded: LoadedClip | None = None
        self._broken: BestshotError | None = None
        self._space = ""

    @abstractmethod
    def check(self) -> None:
        """Raise ``MissingPart`` with the cure when it cannot run here; load nothing heavy."""

    @abstractmethod
    def _load(self) -> LoadedClip:
        """The model, from files that ``check`` has found."""

    @abstractmethod
    def _find_space(self) -> tuple[str, bool]:
        """The space, and whether all its files are here."""

    @property
    def space(self) -> str:
        """Found once the files are here: it is asked for with every score, and the loaded model stays as it is."""
        if self._space:
            return self._space
        found, whole = self._find_space()
        self._space = found if whole else ""
        return found

    @property
    def device(self) -> str:
        """cpu, cuda, cuda:1, mps, …"""
        return device_named(self.settings.device)

    @property
    def precision(self) -> str:
        """fp32, bf16 or fp16, as it runs on the chosen device."""
        return best_precision(self.device) if self.settings.precision == "auto" else self.settings.precision

    @property
    def on_cpu(self) -> bool:
        return self.device == "cpu"

    @property
    def on_torch(self) -> bool:
        return True

    @property
    def batch(self) -> int:
        return self.settings.batch

    def embed_crops(self, crops: Crops) -> Floats:
        """Safe to call from several threads: they share nothing but the loaded model, which no pass changes."""
        import torch

        model = self._model
        parts = []
        with torch.inference_mode():
            for start in range(0, len(crops), self.batch):
                batch = torch.from_numpy(np.ascontiguousarray(crops[start : start + self.batch]))
                parts.append(model.forward(model.prepared(batch)).float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, model.dim), np.float32)

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """One thread at a time: a tokenizer changes its own state while it pads."""
        import torch

        model = self._model
        with self._reading, torch.inference_mode():
            return embed_long(texts, model.fits, model.tokens, model.text_vectors, model.dim)

    @property
    def _model(self) -> Any:
        """Loaded at first use, once, whichever thread comes first; what cannot be loaded is not tried again."""
        with self._loading:
            if self._broken is not None:
                raise self._broken
            try:
                if self._loaded is None:
                    self.check()
                    self._loaded = self._load()
            except BestshotError as error:
                raise_shortage(error)
                self._broken = error
                raise
            return self._loaded
