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


class LoadedClip(ABC):
    """A model in memory; threads may share it, but for its tokenizer, which ``ClipRunner`` guards."""

    dim: int

    @abstractmethod
    def vectors(self, crops: Any) -> Any:
        """(n, side, side, 3) uint8 tensor on the CPU to a tensor (n, dim) on any device."""

    @abstractmethod
    def text_vectors(self, texts: Sequence[str]) -> Floats:
        """(n, dim) of texts that fit."""

    @abstractmethod
    def tokens(self, text: str) -> int:
        """Number of tokens of a text, its marks of start and end not counted."""

    @abstractmethod
    def fits(self, text: str) -> bool:
        """Whether the text tower takes it whole."""


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
                parts.append(model.vectors(batch).float().cpu().numpy())
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
