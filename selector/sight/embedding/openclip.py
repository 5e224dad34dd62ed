"""The backbone: any model of open_clip, from a tag whose weights lie here or from a file of one's own.

Source: Ilharco et al., OpenCLIP; models by Radford et al. 2021 (MIT) and others, see ``bestshot weights list``.
Precision: on a CPU bfloat16 where it has instructions for it, about twice as fast; on a GPU bfloat16 (float16 on older
ones). Text towers stay in float32: they run once a prompt. One model a process, whoever asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from selector.domain import BestshotError, InputError, MissingPart, raise_shortage
from selector.domain.embedding import Crops, EmbeddingSettings, Floats
from selector.sight import embedded
from selector.sight.embedding._clip_runner import ClipRunner, LoadedClip
from selector.sight.embedding._loading import (
    create,
    read_architecture,
    register,
    text_files_tag,
    text_folder,
    tokenizer_of,
    trained_as,
    training_of,
)
from selector.sight.embedding.device import check_device, need_packages
from selector.sight.embedding.embedded_clip import EmbeddedClip, runs_on_onnx
from selector.sight.embedding.views import VIEWS_VERSION
from selector.weights import content_tag, need_backbone
from selector.weights.catalogue import open_clip_model

_MULTILINGUAL = ("xlm", "nllb", "multilingual", "i18n", "siglip2")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@lru_cache(maxsize=4)
def backbone_of(settings: EmbeddingSettings) -> OpenClip | EmbeddedClip:
    """The one backbone of these settings in this process."""
    return EmbeddedClip(settings) if runs_on_onnx(settings) else OpenClip(settings)


class OpenClip(ClipRunner):
    """Fulfils ``selector.domain.embedding.Backbone``."""

    def __init__(self, settings: EmbeddingSettings) -> None:
        if settings.precision not in PRECISIONS:
            raise InputError(f"precision is one of {', '.join(PRECISIONS)}, got '{settings.precision}'")
        if settings.reads not in ("auto", "english", "all"):
            raise InputError(f"reads is auto, english or all, got '{settings.reads}'")
        super().__init__(_with_files(settings))

    def check(self) -> None:
        need_packages("an embedding needs", "torch", "open_clip")
        check_device(self.settings.device)
        if self.settings.model == embedded.NAME:
            embedded.need_embedded(embedded.EMBEDDING)
        text_folder(self._architecture, self._file())

    @property
    def side_px(self) -> int:
        size = self._architecture["vision_cfg"].get("image_size", 224)
        return int(size[0] if isinstance(size, (list, tuple)) else size)

    @property
    def reads_all(self) -> bool:
        if self.settings.reads != "auto":
            return self.settings.reads == "all"
        text = self._architecture["text_cfg"]
        name = f"{self.settings.model} {text.get('hf_model_name', '')} {text.get('hf_tokenizer_name', '')}".lower()
        return any(word in name for word in _MULTILINGUAL)

    def bare_forward(self, crops: Crops) -> Callable[[], None]:
        """The forward pass alone on these crops, prepared and on the device: what a measurement compares with."""
        import torch

        model = self._model
        parts = [
            model.prepared(torch.from_numpy(p))
            for p in np.split(crops, range(self.settings.batch, len(crops), self.settings.batch))
        ]

        def run() -> None:
            with torch.inference_mode():
                for part in parts:
                    model.forward(part)
                if part.is_cuda:
                    torch.cuda.synchronize()

        return run

    def _find_space(self) -> tuple[str, bool]:
        """Model, weights, what they were trained as, the files of a text tower, precision, and how crops are cut."""
        name, parts = self._name, ["absent"]
        try:
            weights = self._file()
            parts = [content_tag(weights), training_of(name, weights, self._tag)[1]]
            parts.append(text_files_tag(text_folder(self._architecture, weights)))
            if self.settings.config_path:
                name = f"{name}-{content_tag(Path(self.settings.config_path))}"
        except BestshotError as error:  # check() says what is wrong
            raise_shortage(error)
            parts = ["absent"]
        whole = [name, *(part for part in parts if part), self.precision, f"v{VIEWS_VERSION}"]
        return "-".join(part.replace("/", "-") for part in whole), parts != ["absent"]

    def _file(self) -> Path:
        if self.settings.weights_path:
            path = Path(self.settings.weights_path)
            if not path.is_file():
                raise MissingPart(
                    f"there are no weights at {path}: mend weights_path in [embedding] or the scorer's settings"
                )
            return path
        return need_backbone(self.settings.model, self.settings.pretrained)

    @cached_property
    def _architecture(self) -> dict[str, Any]:
        return read_architecture(self.settings.model, self.settings.config_path)

    @property
    def _name(self) -> str:
        path = Path(self.settings.config_path)
        if not self.settings.config_path or self.settings.model == embedded.NAME:
            return self.settings.model
        return f"{path.parent.name}-folder" if path.name == embedded.EMBEDDING_CONFIG else path.stem

    @property
    def _tag(self) -> str:
        """By which the weights are named; "" for a file of one's own."""
        return "" if self.settings.weights_path else self.settings.pretrained

    def _load(self) -> LoadedClip:
        if self.settings.config_path:
            register(self._name, self._architecture)
        own = {key: value for key, value in self._architecture.get("preprocess_cfg", {}).items() if value}
        trained = {**trained_as(self._name, self._file(), self._tag), **own}
        try:
            return _Loaded(self._name, self._architecture, self._file(), trained, self.device, self.precision)
        except InputError as error:
            raise InputError(f"{error}; {self._cure}") from error

    @property
    def _cure(self) -> str:
        """Of files that are here and do not load."""
        if self.settings.weights_path:
            return "if the file is whole, name the right model, or give config_path"
        return f"bestshot weights verify {open_clip_model(self.settings.model, self._tag).name}"


def _with_files(settings: EmbeddingSettings) -> EmbeddingSettings:
    """The model that travels with the package as files; any other as it is.

    In float32 by default, so that a picture's vector is the same on every CPU: the model is small enough.

    Raises:
        InputError: other files are named beside it.
    """
    if settings.model != embedded.NAME:
        return settings
    if settings.weights_path or settings.config_path:
        raise InputError(f'model = "{embedded.NAME}" brings its files: leave weights_path and config_path away')
    return replace(
        settings,
        weights_path=str(embedded.EMBEDDING / embedded.EMBEDDING_WEIGHTS),
        config_path=str(embedded.EMBEDDING / embedded.EMBEDDING_CONFIG),
        reads="all",
        precision="fp32" if settings.precision == "auto" else settings.precision,
    )


class _Loaded(LoadedClip):
    """The model in memory."""

    def __init__(
        self,
        name: str,
        architecture: dict[str, Any],
        weights: Path,
        trained: dict[str, Any],
        device: str,
        precision: str,
    ) -> None:
        texts = text_folder(architecture, weights)
        model = create(name, architecture, weights, bool(trained.get("quick_gelu", False)), texts)
        model = model.eval().requires_grad_(False)
        self._tokenizer = tokenizer_of(name, architecture, texts)
        context = int(getattr(self._tokenizer, "context_length", None) or 77)
        mean, std = (trained.get(key) or getattr(model.visual, f"image_{key}", None) for key in ("mean", "std"))
        super().__init__(int(architecture["embed_dim"]), device, precision, mean, std, context)
        self._model = model.to(self.device)
        self._visual = model.visual.to(self.dtype)  # the text tower stays in float32

    def forward(self, prepared: Any) -> Any:
        return self._visual(prepared)

    def text_vectors(self, texts: Sequence[str]) -> Floats:
        tokens = self._tokenizer(list(texts)).to(self.device)
        return np.asarray(self._model.encode_text(tokens).float().cpu().numpy(), np.float32)

    def tokens(self, text: str) -> int:
        if hasattr(self._tokenizer, "encode"):
            return max(1, len(self._tokenizer.encode(text)))
        return max(1, len(self._tokenizer.tokenizer(text, verbose=False)["input_ids"]) - 2)
